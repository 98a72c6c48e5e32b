"""The tables a capture is added up in. Each has a bound; what makes room for something else is counted by reason."""

from __future__ import annotations

import ipaddress
import sys
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from socket import inet_ntoa

__all__ = [
    "Addresses", "Answers", "Asked", "Initiators", "Tables", "Talk", "Talks", "address_text", "mac_text",
    "protocol_name",
]

MAX_CONVERSATIONS = 48_000
MAX_FLOWS = 100_000
MAX_NAMES = 32
MAX_ANSWERS = 100_000
MAX_ADDRESSES = 30_000
MAX_BURSTS = 2_048
MAX_ALL_BURSTS = 1_000_000
MAX_QUESTIONS = 100_000
MAX_SOUGHT = 4_096
MAX_ASKERS = 16_384
_PROTOCOLS = {1: "icmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipip", 47: "gre"}
ROUTER_ADDRESSES = 4
"""A MAC with more IPv4 addresses than these is a router: a camera may keep a factory and a link-local one."""


@lru_cache(maxsize=4_096)
def mac_text(number: int) -> str:
    """A MAC in upper case with colons; empty for 0."""
    return number.to_bytes(6, "big").hex(":").upper() if number else ""


@lru_cache(maxsize=16_384)
def _number(high: int, low: int) -> int:
    """An address out of its halves, or a MAC: the same object wherever it comes up again."""
    return high << 64 | low


@lru_cache(maxsize=16_384)
def address_text(number: int) -> str:
    """An address of 128 bit as text; IPv4 where it is mapped."""
    if number >> 32 == 0xFFFF:
        return inet_ntoa((number & 0xFFFFFFFF).to_bytes(4, "big"))
    return str(ipaddress.IPv6Address(number))


def protocol_name(number: int) -> str:
    """``tcp``, ``udp``, ``icmp``, ``gre``, ``ipip``, or ``ip-N``."""
    return _PROTOCOLS.get(number) or f"ip-{number}"


@dataclass(slots=True)
class Talk:
    """One conversation while it is added up; addresses and MAC are numbers."""

    key: int
    mac: int
    source: int
    destination: int
    protocol: int
    port: int
    first_ns: int
    last_ns: int
    tunnel: bool = False
    packets: int = 0
    octets: int = 0
    packets_out: int = 0
    octets_out: int = 0
    last_out_ns: int = 0
    signs: int = 0
    asked_stun: int = 0
    bursts: array[int] | None = None
    sni: dict[str, None] | None = None
    http: dict[str, None] | None = None
    told_by: str = ""                   # empty: packets; else the kind of log it comes from
    denied: int = 0
    estimated: bool = False
    likely: dict[str, None] | None = None

    def value(self) -> tuple[bool, int, int]:
        """How much would be lost with it: what carries a name or a sign last, single packets first."""
        return bool(self.sni or self.http or self.signs), min(self.packets, 4), self.last_ns


@dataclass(slots=True)
class Talks:
    """Conversations by key. When full, a quarter makes room: the oldest of those that say least."""

    talks: dict[int, Talk] = field(default_factory=dict)
    bursts: int = 0
    drops: Counter[str] = field(default_factory=Counter)

    def begin(self, key: int, ends: tuple[int, int, int, int, int, int, int, bool], at: int) -> Talk:
        """A new conversation: MAC, the device's and the other address as halves, protocol, port, whether tunnelled."""
        if len(self.talks) >= MAX_CONVERSATIONS:
            self.make_room()
        mac, high, low, far_high, far_low, protocol, port, tunnel = ends
        talk = self.talks[key] = Talk(key, _number(0, mac), _number(high, low), _number(far_high, far_low),
                                      protocol, port, at, at, tunnel)
        return talk

    def make_room(self) -> None:
        """Drop conversations where the table is full; each is counted."""
        if len(self.talks) < MAX_CONVERSATIONS:
            return
        leaving = nsmallest(max(1, MAX_CONVERSATIONS // 4), self.talks.items(), key=lambda item: item[1].value())
        for key, talk in leaving:
            self.bursts -= len(talk.bursts or ())
            del self.talks[key]
        self.drops["conversations"] += len(leaving)

    def keep(self, talk: Talk) -> None:
        """Put a conversation back that a name was just found in, should it have made room meanwhile."""
        if talk.key not in self.talks:
            self.talks[talk.key] = talk
            self.bursts += len(talk.bursts or ())
            self.drops["conversations"] -= 1

    def burst(self, talk: Talk, stamps: list[int]) -> None:
        """Note that the device began to send at these times."""
        for stamp in stamps:
            if talk.bursts is None:
                talk.bursts = array("q")
            if len(talk.bursts) >= MAX_BURSTS or self.bursts >= MAX_ALL_BURSTS:
                return                                # enough to judge by; it is no loss of a conversation
            talk.bursts.append(stamp)
            self.bursts += 1


@dataclass(slots=True)
class Initiators:
    """Which end opened each flow, in two generations: when the young one is full it becomes the old one."""

    young: dict[int, bool] = field(default_factory=dict)
    old: dict[int, bool] = field(default_factory=dict)
    evicted: int = 0

    def get(self, flow: int) -> bool | None:
        """Whether the end with the lower key opened the flow, where that is known."""
        found = self.young.get(flow)
        if found is None and (found := self.old.get(flow)) is not None:
            self.set(flow, found)
        return found

    def set(self, flow: int, end: bool) -> None:
        """Remember who opened a flow."""
        if len(self.young) >= MAX_FLOWS // 2 and flow not in self.young:
            self.evicted += len(self.old)
            self.old, self.young = self.young, {}
        self.young[flow] = end

    def get_all(self, flows: list[int]) -> list[bool | None]:
        """`get` of many flows."""
        found = list(map(self.young.get, flows))
        if self.old:
            found = [self.get(flow) if end is None else end for flow, end in zip(flows, found, strict=True)]
        return found

    def set_all(self, flows: list[int], ends: list[bool]) -> None:
        """`set` of many flows, each given once."""
        if len(self.young) + len(flows) <= MAX_FLOWS // 2:
            self.young.update(zip(flows, ends, strict=True))
            return
        for flow, end in zip(flows, ends, strict=True):
            self.set(flow, end)


@dataclass(slots=True)
class Addresses:
    """Which addresses each MAC sent from, and whose each address is: its first owner's."""

    owner: dict[int, int] = field(default_factory=dict)
    of_mac: dict[int, dict[int, None]] = field(default_factory=dict)
    counted: Counter[int] = field(default_factory=Counter)
    dropped: int = 0

    def learn(self, mac: int, address: int) -> None:
        """A MAC sent from an address; the unspecified address is nobody's."""
        if address in {0, 0xFFFF_0000_0000} or self.owner.get(address) == mac:
            return
        if (len(self.owner) >= MAX_ADDRESSES and address not in self.owner) or (
                len(self.of_mac) >= MAX_ADDRESSES and mac not in self.of_mac):
            self.dropped += 1
            return
        seen = self.of_mac.setdefault(mac, {})
        if address not in seen and address >> 16 != 0xFFFF_A9FE and address >> 32 == 0xFFFF:
            self.counted[mac] += 1
        if len(seen) < MAX_NAMES:
            seen[address] = None
        self.owner.setdefault(address, mac)

    def routers(self) -> set[int]:
        """MACs that speak for more addresses than a device has."""
        return {mac for mac, count in self.counted.items() if count > ROUTER_ADDRESSES}


@dataclass(slots=True)
class Answers:
    """Names that DNS answers gave to addresses, by the client that got the answer."""

    names: dict[int, dict[int, tuple[str, ...]]] = field(default_factory=dict)
    count: int = 0
    dropped: int = 0

    def learn(self, client: int, address: int, names: Iterable[str]) -> None:
        """An answer told `client` that `address` has these names."""
        known = self.names.get(client)
        if known is None or address not in known:
            if self.count >= MAX_ANSWERS:
                self.dropped += 1
                return
            known = self.names.setdefault(client, {})
            self.count += 1
        before = known.get(address, ())
        new = dict.fromkeys(sys.intern(name) for name in names if name not in before)
        if new or not before:
            known[address] = (*before, *new)[:MAX_NAMES]


@dataclass(slots=True)
class Asked:
    """What one sender asked for, and called itself."""

    dns: Counter[str] = field(default_factory=Counter)
    sni: Counter[str] = field(default_factory=Counter)
    http: Counter[str] = field(default_factory=Counter)
    realms: Counter[str] = field(default_factory=Counter)
    told: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Tables:
    """All tables of a capture."""

    talks: Talks = field(default_factory=Talks)
    initiators: Initiators = field(default_factory=Initiators)
    addresses: Addresses = field(default_factory=Addresses)
    answers: Answers = field(default_factory=Answers)
    asked: dict[tuple[int, int], Asked] = field(default_factory=dict)    # by MAC and address of the sender
    looked_for: dict[int, set[int]] = field(default_factory=dict)        # by MAC: the addresses it sought with ARP
    questions: int = 0
    nobody: Asked = field(default_factory=Asked)
    drops: Counter[str] = field(default_factory=Counter)

    def asks(self, mac: int, address: int) -> Asked:
        """What a sender asked so far; of a sender beyond the bound nothing is kept."""
        found = self.asked.get((mac, address))
        if found is not None:
            return found
        if len(self.asked) >= MAX_ASKERS:
            self.drops["names"] += 1
            return self._forgotten()
        found = self.asked[mac, address] = Asked()
        return found

    def _forgotten(self) -> Asked:
        """An entry of nobody, without what the one before left in it."""
        nobody = self.nobody
        for counter in (nobody.dns, nobody.sni, nobody.http, nobody.realms):
            self.questions -= len(counter)
            counter.clear()
        nobody.told.clear()
        return nobody

    def seek(self, mac: int, address: int) -> None:
        """A station looked for an address; beyond the bounds that is dropped, and counted as that."""
        sought = self.looked_for.get(mac)
        if sought is None and len(self.looked_for) < MAX_SOUGHT:
            sought = self.looked_for[mac] = set()
        if sought is not None and len(sought) < MAX_SOUGHT:
            sought.add(address)
        elif sought is None or address not in sought:
            self.drops["arp"] += 1

    def count(self, counter: Counter[str], name: str) -> None:
        """Count a name; a new one beyond the bound is dropped, and counted as that."""
        if name not in counter:
            if self.questions >= MAX_QUESTIONS:
                self.drops["names"] += 1
                return
            self.questions += 1
            name = sys.intern(name)                # many devices ask for the same
        counter[name] += 1

    def all_drops(self) -> dict[str, int]:
        """Everything that made room or found none, by what it was."""
        total = Counter(self.drops)
        total.update(self.talks.drops)
        total.update({"addresses": self.addresses.dropped, "answers": self.answers.dropped})
        return dict(sorted((+total).items()))
