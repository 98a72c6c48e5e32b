"""Juniper SRX: RT_FLOW session create, close and deny, as structured syslog (RFC 5424) or as the older plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Row, Unread, protocol_number
from scanner.imports.flow_logs.sessions import Sessions
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, port_of

__all__ = ["Juniper"]

_SECOND = 1_000_000_000
_PORTED = frozenset({6, 17, 132})
_END = r"([0-9a-fA-F.:]{2,45})/(\d{1,5})"


class Juniper:
    """One line an event of a session; a close counts both directions since the session was created."""

    form: ClassVar[str] = "Juniper SRX log"
    kind: ClassVar[str] = "sessions"
    marks: ClassVar[tuple[str, ...]] = ("RT_FLOW", "APPTRACK_SESSION_")
    _EVENT = re.compile(r"\bRT_FLOW_SESSION_(CREATE|CLOSE|DENY)(?:_LS)?\b")
    _NAMED = re.compile(r'([a-z][a-z0-9-]{1,40})="([^"]{0,256})"')
    _PLAIN = re.compile(rf"session (created|closed|denied)\b[^/]{{0,128}}? {_END}->{_END} ")
    _DENIED = re.compile(r" (\d{1,3})\(\d{1,3}\) ")
    # Behind the translated ends stand the names of rules, then the protocol, the policy, two zones and the number.
    _PASSED = re.compile(rf"{_END}->{_END} .*?(?<= )(\d{{1,3}}) \S+ \S+ \S+ (\d+)"
                         r"(?: (\d+)\((\d+)\) (\d+)\((\d+)\) (\d+))?")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses
        self._sessions = Sessions()

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The session of a line."""
        event = self._EVENT.search(line)
        if event is None:
            yield Passed("messages beside RT_FLOW_SESSION_CREATE, CLOSE and DENY")
            return
        rest = line[event.end():event.end() + 4_096]
        told = dict(self._NAMED.findall(rest)) if 'source-address="' in rest else self._plain(rest)
        if at is None:
            yield Unread("a time at the beginning of the line")
            return
        yield self._flow(event[1], told, at)

    def _plain(self, rest: str) -> Mapping[str, str]:
        ends = self._PLAIN.search(rest)
        if ends is None:
            return {}
        told = dict(zip(("source-address", "source-port", "destination-address", "destination-port"),
                        ends.groups()[1:], strict=True))
        more = rest[ends.end() - 1:]
        if ends[1] == "denied":
            protocol = self._DENIED.search(more)
            return told | {"protocol-id": protocol[1]} if protocol else told
        passed = self._PASSED.search(more)
        if passed is None:
            return told
        names = ("protocol-id", "session-id-32", "packets-from-client", "bytes-from-client", "packets-from-server",
                 "bytes-from-server", "elapsed-time")
        return told | {name: value or "" for name, value in zip(names, passed.groups()[4:], strict=True)}

    def _flow(self, event: str, told: Mapping[str, str], at: int) -> Row:
        get = told.get
        source, target = self._addresses.of(get("source-address", "")), self._addresses.of(
            get("destination-address", ""))
        near, far = port_of(get("source-port", "")), port_of(get("destination-port", ""))
        protocol = protocol_number(get("protocol-id", ""))
        if not source or not target or near is None or far is None or protocol is None:
            return Unread("source and destination with ports, and a protocol, as Juniper documents them")
        key = (source, target, near, far, protocol, get("session-id-32", ""))
        if protocol not in _PORTED:
            near = far = 0
        if event == "DENY":
            return Flow(at, at, source, target, protocol, near, far, opened=True, denied=1)
        if event == "CREATE":
            return Flow(at, at, source, target, protocol, near, far, *self._sessions.opens(key), opened=True)
        totals = (count_of(get("packets-from-client", "")), count_of(get("bytes-from-client", "")),
                  count_of(get("packets-from-server", "")), count_of(get("bytes-from-server", "")))
        begun = max(at - min(count_of(get("elapsed-time", "")), 10**8) * _SECOND, 0)
        return Flow(begun, at, source, target, protocol, near, far,
                    *self._sessions.adds(key, totals, goes_on=False), opened=True)
