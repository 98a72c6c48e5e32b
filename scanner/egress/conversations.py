"""Who talked to whom: a capture as conversations of devices, with the names they used.

A conversation belongs to the side that opened it and is keyed by that device's MAC, the other side's address, the
protocol and the other side's port, so that a reply never looks like a connection of its own. Tables are capped; what
did not fit is counted in `Capture.dropped`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from scanner.egress.dissect import Packet, Undecoded, dissect
from scanner.egress.names import http_host, is_name, read_dns, server_name
from scanner.egress.readers import Frame

__all__ = ["Capture", "Conversation", "Names", "Recorder"]

MAX_CONVERSATIONS = 100_000
MAX_FLOWS = 400_000
MAX_NAMES = 32
MAX_ANSWERS = 200_000
_SYN, _ACK = 0x02, 0x10
_MAC = re.compile("[0-9A-F]{2}(:[0-9A-F]{2}){5}")
# Ports above 1023 that are a server's wherever they appear, so that a capture that starts in mid-flow is read rightly.
_SERVICES = frozenset({1883, 1900, 3478, 3702, 5353, 5683, 8000, 8080, 8443, 8800, 8883, 32100, 37020, 37777, 37810})


@dataclass(frozen=True, slots=True)
class Conversation:
    """One device's traffic with one service.

    Attributes:
        mac: the device's MAC, empty where the link layer carries none.
        source: the device's address, as last seen.
        destination, protocol, port: the other side; port 0 where the protocol has none.
        packets, bytes: both directions, octets on the wire.
        packets_out, bytes_out: what the device itself sent.
        first_ns, last_ns: nanoseconds since the epoch.
        dns, sni, http: names it was reached under, by how they were learned.
    """

    mac: str
    source: str
    destination: str
    protocol: str
    port: int
    packets: int
    bytes: int
    packets_out: int
    bytes_out: int
    first_ns: int
    last_ns: int
    dns: tuple[str, ...] = ()
    sni: tuple[str, ...] = ()
    http: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name once: what the device itself said first, then what DNS told it."""
        return tuple(dict.fromkeys((*self.sni, *self.http, *self.dns)))


@dataclass(frozen=True, slots=True)
class Names:
    """What one device asked for: DNS questions, TLS server names, HTTP hosts, each counted, and its NTP servers."""

    dns: Mapping[str, int]
    sni: Mapping[str, int]
    http: Mapping[str, int]
    ntp: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture showed, and how much of it could not be read.

    Attributes:
        conversations: ordered by device, destination, protocol and port.
        names: by device (MAC, or address where there is no MAC).
        addresses: the addresses each MAC sent from.
        packets: frames read; ``undecoded`` of them, by reason; ``dropped`` could not be kept because a table was full.
        trouble: empty, or why the file ended early; then everything here is partial.
        first_ns, last_ns: the span of the capture; 0 where it is empty.
    """

    conversations: tuple[Conversation, ...] = ()
    names: Mapping[str, Names] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    packets: int = 0
    undecoded: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    trouble: str = ""
    first_ns: int = 0
    last_ns: int = 0

    @property
    def complete(self) -> bool:
        """Whether the file was read to its end and nothing was dropped."""
        return not self.trouble and self.dropped == 0


@dataclass(slots=True)
class _Tally:
    source: str
    first_ns: int
    last_ns: int
    packets: int = 0
    octets: int = 0
    packets_out: int = 0
    octets_out: int = 0
    sni: dict[str, None] = field(default_factory=dict)
    http: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Asked:
    dns: Counter[str] = field(default_factory=Counter)
    sni: Counter[str] = field(default_factory=Counter)
    http: Counter[str] = field(default_factory=Counter)
    ntp: Counter[str] = field(default_factory=Counter)


_Key = tuple[str, str, str, int]             # device, destination, protocol, port
_Flow = tuple[str, int, str, int, str]       # the lower side, the higher side, protocol


class Recorder:
    """Adds frames up to a `Capture`: `add` each frame, then `finish` once."""

    def __init__(self) -> None:
        self._tallies: dict[_Key, _Tally] = {}
        self._initiators: dict[_Flow, tuple[str, int]] = {}
        self._answers: dict[tuple[str, str], dict[str, None]] = {}
        self._asked: dict[str, _Asked] = {}
        self._mac_of: dict[str, str] = {}
        self._addresses: dict[str, dict[str, None]] = {}
        self._undecoded: Counter[str] = Counter()
        self._packets = self._dropped = 0
        self._first = self._last = 0

    def add(self, frame: Frame) -> None:
        """Count one frame."""
        self._packets += 1
        self._first = min(self._first or frame.at_ns, frame.at_ns)
        self._last = max(self._last, frame.at_ns)
        packet = dissect(frame)
        if isinstance(packet, Undecoded):
            self._undecoded[packet.reason] += 1
            return
        self._learn(packet)
        outbound = self._outbound(packet)
        device = self._device(packet, outbound)
        self._count(packet, device, outbound)
        self._read_names(packet, device, outbound)

    def _learn(self, packet: Packet) -> None:
        if not packet.source_mac:
            return
        # A MAC that speaks for many addresses is a router; the first owner seen keeps an address.
        self._mac_of.setdefault(packet.source, packet.source_mac)
        seen = self._addresses.setdefault(packet.source_mac, {})
        if len(seen) < MAX_NAMES:
            seen[packet.source] = None

    def _outbound(self, packet: Packet) -> bool:
        """Whether the sender of this packet opened the flow it belongs to."""
        sender, receiver = (packet.source, packet.source_port), (packet.destination, packet.destination_port)
        low, high = sorted((sender, receiver))
        flow = (*low, *high, packet.protocol)
        if packet.protocol == "tcp" and packet.flags & _SYN:
            initiator = receiver if packet.flags & _ACK else sender
        elif flow in self._initiators:
            return self._initiators[flow] == sender
        else:
            initiator = receiver if _serves(packet.source_port) and not _serves(packet.destination_port) else sender
        if len(self._initiators) < MAX_FLOWS or flow in self._initiators:
            self._initiators[flow] = initiator
        return initiator == sender

    def _device(self, packet: Packet, outbound: bool) -> str:
        mac, address = ((packet.source_mac, packet.source) if outbound
                        else (packet.destination_mac, packet.destination))
        return mac or self._mac_of.get(address, "") or address

    def _count(self, packet: Packet, device: str, outbound: bool) -> None:
        source, destination, port = ((packet.source, packet.destination, packet.destination_port) if outbound
                                     else (packet.destination, packet.source, packet.source_port))
        key = (device, destination, packet.protocol, port)
        tally = self._tallies.get(key)
        if tally is None:
            if len(self._tallies) >= MAX_CONVERSATIONS:
                self._dropped += 1
                return
            tally = self._tallies[key] = _Tally(source, packet.at_ns, packet.at_ns)
        tally.source = source
        tally.first_ns, tally.last_ns = min(tally.first_ns, packet.at_ns), max(tally.last_ns, packet.at_ns)
        tally.packets += 1
        tally.octets += packet.length
        if outbound:
            tally.packets_out += 1
            tally.octets_out += packet.length

    def _read_names(self, packet: Packet, device: str, outbound: bool) -> None:
        port = packet.destination_port if outbound else packet.source_port
        if port == 53:
            self._read_dns(packet, device)
        elif outbound and packet.protocol == "udp" and port == 123:
            self._asks(device).ntp[packet.destination] += 1
        elif outbound and packet.protocol == "tcp" and packet.payload:
            tally = self._tallies.get((device, packet.destination, packet.protocol, port))
            if name := server_name(packet.payload):
                self._note(self._asks(device).sni, tally.sni if tally else {}, name)
            elif name := http_host(packet.payload):
                self._note(self._asks(device).http, tally.http if tally else {}, name)

    def _note(self, asked: Counter[str], seen: dict[str, None], name: str) -> None:
        if name in asked or len(asked) < MAX_ANSWERS:
            asked[name] += 1
        if name in seen or len(seen) < MAX_NAMES:
            seen[name] = None
        else:
            self._dropped += 1

    def _read_dns(self, packet: Packet, device: str) -> None:
        # Over TCP two octets of length come first (RFC 1035 section 4.2.2).
        message = read_dns(packet.payload[2:] if packet.protocol == "tcp" else packet.payload)
        if message is None:
            return
        if not message.response:
            self._asks(device).dns[message.question] += 1
            return
        for address in message.addresses:
            if len(self._answers) >= MAX_ANSWERS and (device, address) not in self._answers:
                self._dropped += 1
                continue
            known = self._answers.setdefault((device, address), {})
            for name in message.names:
                if is_name(name) and len(known) < MAX_NAMES:
                    known[name] = None

    def _asks(self, device: str) -> _Asked:
        return self._asked.setdefault(device, _Asked())

    def finish(self, trouble: str = "") -> Capture:
        """The capture so far; `trouble` says why reading ended early, if it did."""
        conversations = tuple(self._conversation(key, tally) for key, tally in sorted(self._merged().items()))
        names = {device: Names(dict(a.dns), dict(a.sni), dict(a.http), dict(a.ntp))
                 for device, a in sorted(self._asked.items())}
        return Capture(
            conversations=conversations, names=names,
            addresses={mac: tuple(seen) for mac, seen in sorted(self._addresses.items())},
            packets=self._packets, undecoded=dict(sorted(self._undecoded.items())), dropped=self._dropped,
            trouble=trouble, first_ns=self._first, last_ns=self._last,
        )

    def _merged(self) -> dict[_Key, _Tally]:
        """Conversations filed under an address before its MAC was seen join those of the MAC."""
        merged: dict[_Key, _Tally] = {}
        for (device, destination, protocol, port), tally in self._tallies.items():
            key = (self._mac_of.get(device, device), destination, protocol, port)
            merged[key] = _join(merged[key], tally) if key in merged else tally
        return merged

    def _conversation(self, key: _Key, tally: _Tally) -> Conversation:
        device, destination, protocol, port = key
        learned = {**self._answers.get((device, destination), {}), **self._answers.get((tally.source, destination), {})}
        return Conversation(
            mac=device if _MAC.fullmatch(device) else "", source=tally.source,
            destination=destination, protocol=protocol, port=port, packets=tally.packets, bytes=tally.octets,
            packets_out=tally.packets_out, bytes_out=tally.octets_out, first_ns=tally.first_ns, last_ns=tally.last_ns,
            dns=tuple(learned), sni=tuple(tally.sni), http=tuple(tally.http),
        )


def _serves(port: int) -> bool:
    return 0 < port < 1024 or port in _SERVICES


def _join(one: _Tally, two: _Tally) -> _Tally:
    return _Tally(
        source=two.source, first_ns=min(one.first_ns, two.first_ns), last_ns=max(one.last_ns, two.last_ns),
        packets=one.packets + two.packets, octets=one.octets + two.octets,
        packets_out=one.packets_out + two.packets_out, octets_out=one.octets_out + two.octets_out,
        sni={**one.sni, **two.sni}, http={**one.http, **two.http},
    )

