"""What clients asked a resolver, as resolvers log it: dnsmasq and Pi-hole, BIND, unbound, Windows, AdGuard Home.

Only dnsmasq and AdGuard Home log which addresses were answered; a question in the others' logs names no destination
for sure.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from scanner.egress.names import is_host, is_name, read_dns
from scanner.imports.flow_logs.rows import Addresses, Lease, Question, Row, Unread
from scanner.imports.flow_logs.stamps import Stamps
from scanner.observation import Refusal
from scanner.wire import json
from scanner.wire.text import clean

__all__ = ["AdGuard", "Bind", "DhcpServer", "Dnsmasq", "Unbound", "WindowsDns"]

_SECOND = 1_000_000_000
_SOON = 10 * _SECOND
_MAX_PENDING = 4_096
_ADDRESS = r"[0-9a-fA-F.:]{2,45}"
_NO_TIME = "a time at the beginning of the line"


def _name(text: str) -> str:
    name = text.lower().rstrip(".")
    return name if is_host(name) else ""


class Dnsmasq:
    """dnsmasq, also inside Pi-hole: questions, and the answers that follow them on lines of their own."""

    form: ClassVar[str] = "dnsmasq log (Pi-hole)"
    kind: ClassVar[str] = "resolver"
    marks: ClassVar[tuple[str, ...]] = ("dnsmasq",)
    _QUERY = re.compile(rf"\]?: (?:(\d+) {_ADDRESS}/\d+ )?query\[\w+\] (\S+) from ({_ADDRESS})")
    _REPLY = re.compile(rf"\]?: (?:(\d+) ({_ADDRESS})/\d+ )?(?:reply|cached(?:-stale)?|config|/\S+) (\S+) is (\S+)")
    _LEASE = re.compile(rf"DHCPACK\([^)]*\) ({_ADDRESS}) ([0-9a-fA-F:]{{17}})(?: (\S+))?")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses
        self._waiting: dict[str, dict[str, int]] = {}    # by name: who asked for it lately, and when
        self._aliases: dict[str, tuple[str, ...]] = {}   # by name: the names that led to it, the asked one first
        self._last: tuple[str, ...] = ()                 # where the line before ended in an alias: how it got there

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The question, answer or lease of a line; other messages have none."""
        if "dnsmasq-dhcp" in line:
            if match := self._LEASE.search(line):
                mac, address = self._addresses.mac(match[2]), self._addresses.of(match[1])
                if mac and address:
                    yield Lease(at or 0, mac, address, clean(match[3] or "", 128))
            return
        query = self._QUERY.search(line)
        reply = None if query else self._REPLY.search(line)
        if at is None and (query or reply):
            yield Unread(_NO_TIME)
        elif query and at is not None:
            yield from self._asked(query, at)
        elif reply and at is not None:
            yield from self._answered(reply, at)

    def _asked(self, query: re.Match[str], at: int) -> Iterator[Row]:
        name, client = _name(query[2]), self._addresses.of(query[3])
        if not name or not client:
            return
        if len(self._waiting) >= _MAX_PENDING:
            self._waiting.clear()
            self._aliases.clear()
        self._waiting.setdefault(name, {})[client] = at
        self._aliases.pop(name, None)
        yield Question(at, client, name, answered=True)

    def _answered(self, reply: re.Match[str], at: int) -> Iterator[Row]:
        """Of a chain of aliases each link is a line: the asked name is kept at every name it leads to."""
        name, value = _name(reply[3]), reply[4]
        if not name:
            return
        chain = self._aliases.get(name, (name,))
        if value == "<CNAME>":
            if self._last and self._last[-1] != name:
                chain = self._aliases[name] = (*self._last, name)[:8]
            self._last = chain
            return
        address = self._addresses.of(value)
        before, self._last = self._last, ()
        if before and before[-1] != name:
            chain = (*before, name)[:8]
            self._aliases[name] = chain
        if not address:
            return
        asked = self._waiting.get(chain[0], {})
        clients = [self._addresses.of(reply[2])] if reply[2] else [
            client for client, when in asked.items() if 0 <= at - when <= _SOON]
        for client in filter(None, clients):
            yield Question(at, client, chain[0], (address,), chain[1:], answered=True, asked=False)


class Bind:
    """BIND's query log."""

    form: ClassVar[str] = "BIND query log"
    kind: ClassVar[str] = "resolver"
    marks: ClassVar[tuple[str, ...]] = (" query: ",)
    _QUERY = re.compile(rf"client (?:@0x[0-9a-fA-F]+ )?({_ADDRESS})#\d+(?: \([^)]*\))?:(?: view \S+:)? query: "
                        rf"(\S+) \S+ \S+ \S+(?: \(({_ADDRESS})\))?")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The question of a line."""
        match = self._QUERY.search(line)
        if match is None:
            return
        client, name = self._addresses.of(match[1]), _name(match[2])
        if at is None:
            yield Unread(_NO_TIME)
        elif client and name:
            yield Question(at, client, name, resolver=self._addresses.of(match[3] or ""))


class Unbound:
    """unbound with ``log-queries`` or ``log-replies``; a reply to a question that was just logged is no second one."""

    form: ClassVar[str] = "unbound log"
    kind: ClassVar[str] = "resolver"
    marks: ClassVar[tuple[str, ...]] = ("unbound",)
    _QUERY = re.compile(rf"unbound(?:\[[\d:]+\])?:? .*?(?:info|reply|query): ({_ADDRESS})(?:@\d+)? (\S+) [A-Z0-9]+ IN"
                        r"( [A-Z]+ [\d.]+ )?")
    _EPOCH = re.compile(r"\[(\d{9,10})\] unbound")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses
        self._recent: dict[tuple[str, str], int] = {}

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The question of a line."""
        match = self._QUERY.search(line)
        if match is None:
            return
        if own := self._EPOCH.search(line):
            at = int(own[1]) * _SECOND
        client, name = self._addresses.of(match[1]), _name(match[2])
        if not client or not name:
            return
        if at is None:
            yield Unread(_NO_TIME)
            return
        before = self._recent.get((client, name))
        if match[3]:
            if before is not None and 0 <= at - before <= _SOON:
                return
        else:
            if len(self._recent) >= _MAX_PENDING:
                self._recent.clear()
            self._recent[client, name] = at
        yield Question(at, client, name)


class WindowsDns:
    """The debug log of the DNS server of Windows: questions that were received."""

    form: ClassVar[str] = "Windows DNS debug log"
    kind: ClassVar[str] = "resolver"
    marks: ClassVar[tuple[str, ...]] = (" PACKET ",)
    _QUERY = re.compile(rf" PACKET +[0-9A-Fa-f]+ (?:UDP|TCP) Rcv ({_ADDRESS}) +[0-9a-fA-F]+ (R)? *Q \[[^\]]*\] +\S+ +"
                        r"((?:\(\d+\)[^()]*)+)")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The question of a line; what other servers answered to this one has none."""
        match = self._QUERY.search(line)
        if match is None or match[2]:
            return
        client = self._addresses.of(match[1])
        name = _name(".".join(re.findall(r"\(\d+\)([^()]+)", match[3])))
        if at is None:
            yield Unread("a date and a time at the beginning of the line")
        elif client and name:
            yield Question(at, client, name)


class DhcpServer:
    """DHCP servers in syslog, ISC's and Meraki's: who got which address."""

    form: ClassVar[str] = "DHCP server log"
    kind: ClassVar[str] = "leases"
    marks: ClassVar[tuple[str, ...]] = ("DHCPACK on ", " dhcp lease of ip ")
    _LEASE = re.compile(rf"DHCPACK on ({_ADDRESS}) to ([0-9a-fA-F:]{{17}})(?: \(([^)]{{0,255}})\))?")
    _MERAKI = re.compile(rf" dhcp lease of ip ({_ADDRESS}) (?:from .{{1,80}}?)?for client mac ([0-9a-fA-F:]{{17}})()")

    def __init__(self, addresses: Addresses, _stamps: Stamps) -> None:
        self._addresses = addresses

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The lease of a line."""
        if match := self._LEASE.search(line) or self._MERAKI.search(line):
            mac, address = self._addresses.mac(match[2]), self._addresses.of(match[1])
            if mac and address:
                yield Lease(at or 0, mac, address, clean(match[3] or "", 128))


class AdGuard:
    """AdGuard Home's query log: a JSON object a line, with the answer as a DNS message in Base64."""

    form: ClassVar[str] = "AdGuard Home query log"

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self.kinds: dict[str, None] = {"resolver": None}

    @staticmethod
    def fits(lines: Sequence[str]) -> bool:
        """Whether these first lines are of such a log."""
        return any(line.startswith("{") and '"QH":' in line and '"IP":' in line for line in lines[:4])

    def read(self, line: str) -> Iterator[tuple[Row, str]]:
        """The question of a line."""
        if not line.strip():
            return
        value = json.read(line.encode())
        if isinstance(value, Refusal) or not isinstance(value, dict):
            yield Unread("a JSON object"), ""
            return
        at = self._stamps.read(json.scalar(value.get("T")))
        client, name = self._addresses.of(json.scalar(value.get("IP"))), _name(json.scalar(value.get("QH")))
        if at is None or not client:
            yield Unread("a time in T and a client's address in IP"), ""
            return
        if not name:
            return
        answers, aliases = self._answer(json.scalar(value.get("Answer")), name)
        yield Question(at, client, name, answers, aliases, answered=True), "resolver"

    def _answer(self, text: str, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        try:
            message = base64.b64decode(text[:16_384], validate=True)
        except (binascii.Error, ValueError):
            return (), ()
        answer = read_dns(message)
        if answer is None or answer.question != name:
            return (), ()
        addresses = tuple(filter(None, map(self._addresses.of, answer.addresses)))
        return addresses, tuple(alias for alias in answer.names if alias != name and is_name(alias))
