"""Who talked to whom, as routers, firewalls, resolvers and Zeek wrote it down: for sites without a mirror port.

For an answer in the shape of a capture: ``read(*files, now=…) -> Capture``. For whoever only needs to know which
stations such files name::

    known_from(*given: str | PathLike[str] | BinaryIO, now: datetime) -> tuple[tuple[Station, ...], tuple[Source, ...]]
    Station(mac: str, address: str, name: str, first_ns: int, last_ns: int, file: str, row: int)
    kind_of(head: bytes, now: datetime) -> str     # "" where the file is none of these; 64 KiB of it are enough

``messages``, ``templates``, ``records`` and ``netflow`` read export messages, ``headed`` tables, ``syslog`` and the
dialects under it log lines, ``zeek_flows`` Zeek; ``ledger`` adds their rows up in the tables that packets are added up
in, and ``reading`` tells files apart.
"""

from __future__ import annotations

from scanner.imports.flow_logs.reading import Station, kind_of, known_from, read

__all__ = ["Station", "kind_of", "known_from", "read"]
