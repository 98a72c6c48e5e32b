"""Files of log lines, whichever programs wrote them: each line goes to the reader whose mark it bears.

A syslog server puts firewall, resolver and DHCP server into one file; lines of other programs are counted, not refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol

from scanner.imports.flow_logs.cloud_flows import Azure, Google
from scanner.imports.flow_logs.dns_logs import Bind, DhcpServer, Dnsmasq, Unbound, WindowsDns
from scanner.imports.flow_logs.eve import Eve
from scanner.imports.flow_logs.firewall import Asa, Filterlog, PaloAlto
from scanner.imports.flow_logs.firewall_pairs import Netfilter, Pairs
from scanner.imports.flow_logs.juniper import Juniper
from scanner.imports.flow_logs.mikrotik import MikroTik
from scanner.imports.flow_logs.rows import Addresses, Passed, Row, Unread
from scanner.imports.flow_logs.squid import Squid
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.watchguard import WatchGuard

__all__ = ["Dialect", "LogLines"]

_HEADER = re.compile(r"(?:<\d{1,3}>)?(?:\d )?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?=[\[0-9A-Z])\[?")
_KERNEL = re.compile(r"\[ *\d+\.\d+\] ")


class Dialect(Protocol):
    """Reads the lines of one program."""

    form: ClassVar[str]
    marks: ClassVar[tuple[str, ...]]

    @property
    def kind(self) -> str:
        """The kind of source that the row is of which `read` gave last."""

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The rows of a line that bears one of the marks; `at` is the time its header carries, None without one."""


class LogLines:
    """Reads lines one after the other; `forms` are the programs that told of something, `others` counts the rest."""

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._stamps = stamps
        self._dialects: list[Dialect] = [
            dialect(addresses, stamps) for dialect in (
                Eve, Azure, Google, Netfilter, Asa, Filterlog, PaloAlto, Juniper, MikroTik, WatchGuard, Squid,
                Dnsmasq, Bind, Unbound, WindowsDns, DhcpServer, Pairs)]
        self.forms: dict[str, None] = {}
        self.kinds: dict[str, None] = {}
        self.others = 0

    @property
    def form(self) -> str:
        """What the file was, by who wrote in it."""
        return ", ".join(self.forms) or "log lines"

    @classmethod
    def fits(cls, lines: Sequence[str], stamps: Stamps) -> bool:
        """Whether any of these first lines tells of traffic, names or leases."""
        reader = cls(Addresses(), stamps)
        # One record of a cloud's flow log may be longer than what a file is recognised by.
        return any(Azure.marks[0] in line for line in lines) or any(
            not isinstance(row, Unread | Passed) for line in lines for row, _ in reader.read(line))

    def read(self, line: str) -> Iterator[tuple[Row, str]]:
        """The rows of a line, each with the kind of its source."""
        dialects, marked = self._dialects, ""
        for place, dialect in enumerate(dialects):
            for mark in dialect.marks:
                if mark in line:
                    break
            else:
                continue
            marked, found = marked or dialect.form, False
            for row in dialect.read(line, self.time_of(line)):
                found = True
                if not isinstance(row, Unread | Passed):
                    self.kinds[dialect.kind] = None
                yield row, dialect.kind
            if found:
                self.forms[dialect.form] = None
                if place:                                # what wrote this line most likely wrote the next one
                    dialects.insert(0, dialects.pop(place))
                return
        if marked:
            yield Passed(f"of a {marked}"), ""
        elif line.strip():
            self.others += 1

    def time_of(self, line: str) -> int | None:
        """The time in the header of a line (RFC 3164, RFC 5424, or what a program puts there itself)."""
        found = self._stamps.read(line.lstrip(" ") if line[:1] == " " else line)
        if found is not None or not line:
            return found
        header = _HEADER.match(line)
        if header is None or not header.end() or _KERNEL.match(line):
            return None
        return self._stamps.read(line[header.end():])
