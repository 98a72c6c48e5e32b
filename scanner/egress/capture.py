"""What a capture showed: conversations, the names that were used, and how much of it could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

__all__ = ["Capture", "Conversation", "Names", "Source"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a run: what it was, how much of it was read, and what such a file can never show.

    Attributes:
        name, form: the file, and what it was recognised as (``NetFlow 9``, ``BIND query log``, ``packets``).
        rows: frames, records or lines that were read.
        unread: rows that were not, ``unread_by`` why; ``first_unread`` names the first few with what was expected.
        cannot_show: what no file of this form ever says, for a person.
        notes: what a reader should know of this very file (sampling, exporters, clocks without a zone).
    """

    name: str
    form: str
    rows: int = 0
    unread: int = 0
    unread_by: Mapping[str, int] = field(default_factory=dict)
    first_unread: tuple[str, ...] = ()
    cannot_show: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_TRACE = 1000
_NO_CALLS = frozenset({
    "llc", "802.11 without data", "short arp",
    # Slow protocols, EAPOL, PTP, LLDP, loop detection, power line, PPPoE discovery, PROFINET, EtherCAT, 802.1ag tests
    *(f"ethertype {kind}" for kind in (
        "8809", "888e", "88f7", "88cc", "9000", "8899", "88e1", "8912", "893a", "8863", "886c", "8892", "88a4", "8902",
        "22f0", "88b5", "88b6", "8819", "8874", "876f"))})


@dataclass(frozen=True, slots=True)
class Conversation:
    """One device's traffic with one service.

    Attributes:
        mac: the device's MAC, empty where the link layer carries none or it is a router's.
        source: the device's address, as last seen.
        destination, protocol, port: the other side; port 0 where the protocol has none, or where only later fragments
            were seen.
        packets, bytes: both directions, octets on the wire.
        packets_out, bytes_out: what the device itself sent.
        first_ns, last_ns: nanoseconds since the epoch.
        dns, sni, http: names it was reached under, by how they were learned.
        signs: protocols told by their wire form, see `signs.Sign`.
        bursts: when the device began to send after a pause of a second or more, as far as they were kept: an array, as
            there may be a million of them in all.
        tunnel: seen inside another packet (GRE, IP in IP); the outer packet is a conversation of its own.
        denied: attempts that a firewall says it refused; they are among the packets.
        estimated: the volumes were counted up from samples.
        likely: names asked for just before it began, by a log that keeps no answers; a guess that nothing is judged by.
        told_by: the kinds of sources it is known from, see `scanner.imports.flow_logs.forms`; none for packets alone.
        inbound: somebody outside opened it, or sent without being asked: `destination` is that somebody, and `port` is
            the device's own.
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
    signs: tuple[str, ...] = ()
    bursts: Sequence[int] = field(default=(), repr=False, compare=False)
    tunnel: bool = False
    denied: int = 0
    estimated: bool = False
    likely: tuple[str, ...] = ()
    told_by: tuple[str, ...] = ()
    inbound: bool = False

    def turned(self, mac: str) -> Conversation:
        """The same as the device sees it that was called: `mac` is the device's, names of the caller are unknown."""
        return replace(self, mac=mac, source=self.destination, destination=self.source,
                       packets_out=self.packets - self.packets_out, bytes_out=self.bytes - self.bytes_out,
                       dns=(), sni=(), http=(), bursts=(), likely=(), inbound=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name once: what the device itself said first, then what DNS told it."""
        return tuple(dict.fromkeys((*self.sni, *self.http, *self.dns)))

    @property
    def device(self) -> str:
        """The key of its device: the MAC, or the address where there is none."""
        return self.mac or self.source


@dataclass(frozen=True, slots=True)
class Names:
    """What one device asked for, each counted, and what it said of itself.

    Attributes:
        dns, sni, http: DNS questions, server names of TLS and QUIC, HTTP hosts.
        ntp, stun: servers by address.
        told: names the device gives itself, as ``dhcp:…``, ``dhcp-class:…``, ``mdns:…``, ``ssdp:…``.
    """

    dns: Mapping[str, int]
    sni: Mapping[str, int]
    http: Mapping[str, int]
    ntp: Mapping[str, int]
    stun: Mapping[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture showed, and how much of it could not be read.

    Attributes:
        conversations: ordered by device, destination, protocol and port.
        names: by device (MAC, or address where there is no MAC).
        addresses: the addresses each MAC sent from; a router's MAC is not among them, the addresses behind it are.
        packets: frames read; ``undecoded`` of them, by reason; ``arp`` were ARP.
        dropped: entries that could not be kept because a table was full, in all; ``drops`` says which.
        asked: by MAC, how many different addresses it looked for with ARP.
        routers: MACs that spoke for many addresses.
        lost: frames the kernel or the capturing machine says it dropped before they could be read.
        trouble: empty, or why the file ended early; then everything here is partial.
        first_ns, last_ns: the span of the capture; 0 where it is empty.
        sources: the files it was read from, where they were read by `scanner.imports.flow_logs.read`.
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
    arp: int = 0
    asked: Mapping[str, int] = field(default_factory=dict)
    routers: tuple[str, ...] = ()
    drops: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    sources: tuple[Source, ...] = ()

    @property
    def unread(self) -> int:
        """Frames that may have carried what a device said, and could not be read: encrypted, cut off, of no known form.

        What never carries a device's calls (spanning tree, LLDP, beacons of Wi-Fi …) is not among them.
        """
        return sum(count for reason, count in self.undecoded.items() if reason not in _NO_CALLS)

    @property
    def complete(self) -> bool:
        """Whether the capture was read to its end, nothing was dropped on the way, and all but a trace could be read.

        A trace is one frame in `_TRACE`: real captures hold odd frames, and a station cannot call anybody with them.
        """
        return (not self.trouble and self.dropped == 0 and self.lost == 0
                and self.unread * _TRACE <= self.packets)

    @property
    def seconds(self) -> float:
        """How long it watched, from the first frame to the last."""
        return (self.last_ns - self.first_ns) / 1e9
