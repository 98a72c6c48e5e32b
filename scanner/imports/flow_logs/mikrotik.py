"""MikroTik RouterOS: packets that a firewall rule logs, questions its resolver logs, leases of its DHCP server.

As `/log print` shows them, as files and as syslog of either form; what is in front of ``in:`` is the rule's own prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from scanner.egress.names import is_host
from scanner.imports.flow_logs.rows import Addresses, Flow, Lease, Question, Row, Unread, protocol_number
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, flags_of, is_denied, port_of
from scanner.wire.text import clean

__all__ = ["MikroTik"]

_TCP, _PORTED = 6, frozenset({6, 17, 132})
_SYN, _ACK = 0x02, 0x10
_NO_TIME = "a date and a time at the beginning of the line"


class MikroTik:
    """One line a logged packet, a question or a lease."""

    form: ClassVar[str] = "MikroTik log"
    marks: ClassVar[tuple[str, ...]] = (", proto ", "dns query from ", " query from ", "assigned ")
    _WHERE = re.compile(r"\bin:([^ ,]{1,64}|\(unknown[^)]{0,16}\)) out:")
    _PACKET = re.compile(r"\bproto ([\w-]{1,16})(?: \(([^)]{0,64})\))?, ([^ ,]{2,64}?)->([^ ,]{2,64})(?=,|\s|$)")
    _LENGTH = re.compile(r"\blen (\d{1,6})\b")
    _MAC = re.compile(r"\bsrc-mac ([0-9a-fA-F:]{17})")
    _ASKED = re.compile(r"\bquery from ([0-9a-fA-F.:]{2,45}): #\d+ (\S+?)\.? [A-Z0-9]{1,10}\b")
    _LEASE = re.compile(r"\bassigned ([0-9.]{7,15}) (?:to|for) ([0-9a-fA-F:]{17})(?: \(?([\w.-]{1,64})\)?)?")
    _OWN_TIME = re.compile(r"\btime=(\S{5,11} \d\d:\d\d:\d\d)")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self.kind = "firewall"

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The packet, question or lease of a line."""
        if at is None and (own := self._OWN_TIME.search(line[:256])):
            at = self._stamps.read(own[1])
        line = line[:2_048]
        where = self._WHERE.search(line)
        packet = self._PACKET.search(line, where.end()) if where else None
        if where and packet:
            self.kind = "firewall"
            yield self._packet(line, where, packet, at)
        elif asked := self._ASKED.search(line):
            self.kind = "resolver"
            client, name = self._addresses.of(asked[1]), asked[2].lower()
            if at is None:
                yield Unread(_NO_TIME)
            elif client and is_host(name):
                yield Question(at, client, name)
        elif lease := self._LEASE.search(line):
            self.kind = "leases"
            mac, address = self._addresses.mac(lease[2]), self._addresses.of(lease[1])
            if mac and address:
                yield Lease(at or 0, mac, address, clean(lease[3] or "", 128))

    def _packet(self, line: str, where: re.Match[str], packet: re.Match[str], at: int | None) -> Row:
        protocol, detail, one, other = packet.groups()
        length = self._LENGTH.search(line, packet.end())
        (source, near), (target, far) = self._end(one), self._end(other)
        number = protocol_number(protocol)
        if not source or not target or near is None or far is None or number is None:
            return Unread("proto, and address:port->address:port, as RouterOS writes them")
        if at is None:
            return Unread(_NO_TIME)
        if number not in _PORTED:
            near = far = 0
        flags = flags_of((detail or "").replace(",", " ")) if number == _TCP else 0
        mac = self._MAC.search(line, where.end())
        station = self._addresses.mac(mac[1]) if mac and "unknown" not in where[1] else ""
        return Flow(at, at, source, target, number, near, far, 1, count_of(length[1] if length else ""),
                    opened="connection-state:new" in line or flags & (_SYN | _ACK) == _SYN, source_mac=station,
                    denied=is_denied(line[max(where.start() - 128, 0):where.start()]), flags=flags)

    def _end(self, text: str) -> tuple[str, int | None]:
        """An address and a port: ``10.0.0.5:554``, ``[fd00::5]:554``, or an address alone."""
        address, mark, port = text.rpartition("]:" if text.startswith("[") else ":")
        if not mark or (text.count(":") > 1 and mark == ":"):
            return self._addresses.of(text), 0
        return self._addresses.of(address.strip("[]")), port_of(port)
