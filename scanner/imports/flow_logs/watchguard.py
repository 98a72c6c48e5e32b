"""WatchGuard Firebox traffic messages (``msg_id="3000-…"``), as syslog carries and as Traffic Monitor shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from scanner.egress.names import is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Row, Unread, protocol_number
from scanner.imports.flow_logs.sessions import Sessions
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, port_of

__all__ = ["WatchGuard"]

_SECOND = 1_000_000_000
_TCP, _PORTED = 6, frozenset({6, 17, 132})
_IP = r"([0-9a-fA-F.]{7,15}|[0-9a-fA-F:.]{2,45})"


class WatchGuard:
    """One line a decision, and one more with counts where a connection that was let through has ended."""

    form: ClassVar[str] = "WatchGuard log"
    marks: ClassVar[tuple[str, ...]] = ('msg_id="3000-', 'msg_id="1AFF-', 'msg_id="2CFF-', 'msg_id="1CFF-')
    # Interfaces, then length, protocol, header length and TTL, or the protocol alone; then ends and ports.
    _SYSLOG = re.compile(rf"\b(Allow|Deny) (?:\S+ ){{1,4}}?(?:\d+ )?([a-z][\w-]{{1,15}}) (?:\d+ \d+ )?{_IP} {_IP}"
                         r"(?: (\d{1,5}) (\d{1,5}))?(?= |$)")
    _MONITOR = re.compile(rf"\b(Allow|Deny) {_IP} {_IP} [\w.-]+/(\w+)(?: (\d{{1,5}}) (\d{{1,5}}))?(?= |$)")
    _NAMED = re.compile(r'\b(duration|sent_pkts|rcvd_pkts|sent_bytes|rcvd_bytes|sni|dstname|host)="([^"]{0,253})"')

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses
        self._sessions = Sessions()
        self.kind = "sessions"

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The connection of a line."""
        line = line[:4_096]
        # A proxy's line tells of a connection that the firewall's own tells of in full.
        self.kind = "sessions" if self.marks[0] in line else "firewall"
        if shown := self._MONITOR.search(line):
            verdict, source_text, target_text, protocol, near_text, far_text = shown.groups()
        elif shown := self._SYSLOG.search(line):
            verdict, protocol, source_text, target_text, near_text, far_text = shown.groups()
        else:
            yield Passed("messages that tell of no connection")
            return
        source, target = self._addresses.of(source_text), self._addresses.of(target_text)
        number = protocol_number(protocol)
        near, far = port_of(near_text or ""), port_of(far_text or "")
        if at is None or not source or not target or number is None or near is None or far is None:
            yield Unread("a time, a protocol, two addresses and two ports")
            return
        if number not in _PORTED:
            near = far = 0
        told = dict(self._NAMED.findall(line))
        totals = (count_of(told.get("sent_pkts", "")), count_of(told.get("sent_bytes", "")),
                  count_of(told.get("rcvd_pkts", "")), count_of(told.get("rcvd_bytes", "")))
        key = (source, target, near, far, number)
        denied = verdict == "Deny"
        if denied:
            counts = (max(totals[0], 1), *totals[1:])
        elif self.kind == "firewall":
            counts = (1, 0, 0, 0)
        elif any(totals):
            counts = self._sessions.adds(key, (max(totals[0], 1), *totals[1:]), goes_on=False)
        else:
            counts = self._sessions.opens(key)
        begun = max(at - min(count_of(told.get("duration", "")), 10**8) * _SECOND, 0)
        spoken, host = (told.get(name, "").lower() for name in ("sni", "dstname"))
        yield Flow(begun, at, source, target, number, near, far, *counts, opened=True, denied=denied,
                   sni=spoken if is_name(spoken) else "", http=host if is_name(host) else "")
