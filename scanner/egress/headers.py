"""IP and transport headers of a whole batch, tunnels opened: one row a packet, in columns.

IPv4 is RFC 791, IPv6 with its extension headers RFC 8200, the authentication header RFC 4302, GRE as in `gre`, IP in
IP RFC 2003 and 4213. A tunnelled packet makes two rows: the outer one, which is where the device really sends to, and
the inner one. Fragments are taken out and handed over one by one, for `fragments.Reassembly` to join. Of what is cut
short everything is told that lies inside what was kept: the addresses at least.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, Unsigned, among
from scanner.egress.gre import PPP, read_gre
from scanner.egress.links import IPV4, IPV6, Links

__all__ = ["GRE", "ICMP", "ICMP6", "MAPPED", "TCP", "UDP", "Fragment", "Headers", "Rows", "joined", "read_headers",
           "read_opened"]

TCP, UDP, ICMP, ICMP6, GRE = 6, 17, 1, 58, 47
_IPIP, _IPV6IN = 4, 41
_EXTENSIONS = (0, 43, 60, 135)              # hop-by-hop, routing, destination options, mobility
_FRAGMENT, _NO_NEXT, _AUTHENTICATION = 44, 59, 51
_MAX_EXTENSIONS = 8
_MAX_TUNNELS = 4
MAPPED = 0xFFFF_0000_0000
"""Added to an IPv4 address, the low half of its IPv4-mapped form (RFC 4291 section 2.5.5.2)."""


@dataclass(slots=True)
class Rows:
    """Packets as columns; addresses are two 64 bit halves, IPv4 in its mapped form.

    Attributes:
        index: the frame of the batch a row comes from.
        at: the first octet of the payload (behind the TCP or UDP header); `end` the first octet behind it.
        flags, sequence: of TCP, else 0. `tunnel` is true for a row read from inside another packet.
    """

    index: Ints
    stamps: Ints
    length: Ints
    source_mac: Unsigned
    destination_mac: Unsigned
    source_high: Unsigned
    source_low: Unsigned
    destination_high: Unsigned
    destination_low: Unsigned
    protocol: Ints
    source_port: Ints
    destination_port: Ints
    flags: Ints
    sequence: Ints
    at: Ints
    end: Ints
    tunnel: Bools

    def __len__(self) -> int:
        return len(self.index)

    def where(self, mask: Bools | Ints) -> Rows:
        """The rows a mask or an index chooses."""
        return Rows(*(getattr(self, f.name)[mask] for f in fields(self)))


def joined(parts: list[Rows]) -> Rows:
    """All rows, in the order of their frames; `parts` is not empty."""
    parts = [part for part in parts if len(part)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    whole = Rows(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)))
    return whole.where(np.argsort(whole.index, kind="stable"))


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment of a datagram: the key its parts share, its place in octets, and whether more follow.

    `depth` says in how many tunnels it was found.
    """

    key: tuple[int, int, int, int, int, int]
    source_mac: int
    destination_mac: int
    stamp: int
    length: int
    place: int
    more: bool
    body: bytes
    depth: int = 0


@dataclass(slots=True)
class Headers:
    """What the headers of a batch say: whole packets, fragments, and what could not be read, by reason."""

    rows: Rows
    fragments: list[Iterator[Fragment]] = field(default_factory=list)
    undecoded: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Packets:
    """IP packets on the way through the headers."""

    index: Ints
    at: Ints
    end: Ints
    source_mac: Unsigned
    destination_mac: Unsigned
    source_high: Unsigned
    source_low: Unsigned
    destination_high: Unsigned
    destination_low: Unsigned
    protocol: Ints
    version: Ints

    def where(self, mask: Bools | Ints) -> _Packets:
        return _Packets(*(getattr(self, f.name)[mask] for f in fields(self)))


def read_headers(batch: Batch, links: Links, depth: int = 0) -> Headers:
    """The packets of every frame of `links` that carries IP; the frames lie in so many others (`depth`)."""
    ip = among(links.kind, IPV4, IPV6)
    halves = np.zeros(int(np.count_nonzero(ip)), np.uint64)
    packets = _Packets(links.index[ip], links.at[ip], links.end[ip], links.source[ip], links.destination[ip],
                       halves, halves, halves, halves, np.zeros(len(halves), np.int64),
                       np.where(links.kind[ip] == IPV4, 4, 6))
    made = Headers(_rows(batch, packets.where(np.zeros(len(halves), np.bool_)), tunnel=False))
    return _read_on(batch, _open(batch, packets, made, depth), made, depth)


def read_opened(batch: Batch, firsts: Sequence[Fragment], depth: int) -> Headers:
    """The packets whose fragments were joined: each frame of the batch is what follows the IP header of one.

    `firsts` are a fragment of each, for their addresses; fragments that lie inside are one deeper than `depth`.
    """
    keys = list(zip(*(first.key for first in firsts), strict=True))
    source_high, source_low, destination_high, destination_low = (np.array(half, np.uint64) for half in keys[:4])
    four = (source_high == 0) & (source_low >> np.uint64(32) == 0xFFFF)
    packets = _Packets(
        np.arange(len(firsts)), batch.at, batch.at + batch.kept,
        np.array([first.source_mac for first in firsts], np.uint64),
        np.array([first.destination_mac for first in firsts], np.uint64),
        source_high, source_low, destination_high, destination_low, np.array(keys[4], np.int64), np.where(four, 4, 6))
    made = Headers(_rows(batch, packets.where(np.zeros(len(firsts), np.bool_)), tunnel=False))
    return _read_on(batch, _stepped_over(batch, packets, made, depth + 1), made, depth + 1)


def _read_on(batch: Batch, packets: _Packets, made: Headers, depth: int) -> Headers:
    """What follows the IP header of packets, and the packets in them."""
    parts = [made.rows]
    for level in range(_MAX_TUNNELS + 1):
        through = among(packets.protocol, _IPIP, _IPV6IN, GRE)
        parts.append(_transport(batch, packets, made, tunnel=level > 0))
        packets = _inner(batch, packets.where(through))
        if not len(packets.index):
            break
        if level == _MAX_TUNNELS:
            made.undecoded["too many tunnels"] += len(packets.index)
            break
        packets = _open(batch, packets, made, depth + level + 1)
    made.rows = joined(parts)
    return made


def _open(batch: Batch, packets: _Packets, made: Headers, depth: int) -> _Packets:
    """Read the IP header of each packet and leave `at` behind it; fragments are taken out."""
    four = packets.version == 4
    parts = [_ipv4(batch, packets.where(four), made, depth), _ipv6(batch, packets.where(~four), made)]
    parts = [part for part in parts if len(part.index)] or parts[:1]
    if len(parts) == 1:
        return _stepped_over(batch, parts[0], made, depth)
    whole = _Packets(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(_Packets)))
    return _stepped_over(batch, whole.where(np.argsort(whole.index, kind="stable")), made, depth)


def _ipv4(batch: Batch, packets: _Packets, made: Headers, depth: int) -> _Packets:
    packets = _fitting(packets, packets.at + 20 <= packets.end, made)
    first = batch.u8(packets.at)
    header = (first & 0x0F) * 4
    good = (first >> 4 == 4) & (header >= 20)
    packets, header = _fitting(packets, good, made), header[good]
    total = batch.u16(packets.at + 2)
    # A zero total length is segmentation offload on the capturing host; else what follows it is Ethernet padding.
    packets.end = np.where(total >= header, np.minimum(packets.end, packets.at + total), packets.end)
    packets.protocol = batch.u8(packets.at + 9)
    low = np.uint64(MAPPED)
    packets.source_low = batch.u32(packets.at + 12).astype(np.uint64) + low
    packets.destination_low = batch.u32(packets.at + 16).astype(np.uint64) + low
    packets.source_high = packets.destination_high = np.zeros(len(packets.index), np.uint64)
    part, names = batch.u16(packets.at + 6), batch.u16(packets.at + 4)
    packets.at = np.minimum(packets.at + header, packets.end)             # options may be cut off
    broken = part & 0x3FFF != 0
    if not broken.any():
        return packets
    pieces = packets.where(broken)
    made.fragments.append(_fragments(batch, pieces, names[broken], (part[broken] & 0x1FFF) * 8,
                                     part[broken] & 0x2000 != 0, depth))
    return packets.where(~broken)


def _ipv6(batch: Batch, packets: _Packets, made: Headers) -> _Packets:
    packets = _fitting(packets, packets.at + 40 <= packets.end, made)
    packets = _fitting(packets, batch.u8(packets.at) >> 4 == 6, made)
    size = batch.u16(packets.at + 4)
    packets.end = np.where(size > 0, np.minimum(packets.end, packets.at + 40 + size), packets.end)
    packets.protocol = batch.u8(packets.at + 6)
    packets.source_high, packets.source_low = batch.u64(packets.at + 8), batch.u64(packets.at + 16)
    packets.destination_high, packets.destination_low = batch.u64(packets.at + 24), batch.u64(packets.at + 32)
    packets.at = packets.at + 40
    return packets


def _extended(packets: _Packets) -> Bools:
    """Which packets go on with an extension header of IPv6, or the authentication header of either."""
    extended: Bools = (packets.version == 6) & among(packets.protocol, *_EXTENSIONS, _FRAGMENT) | (
        packets.protocol == _AUTHENTICATION)
    return extended


def _stepped_over(batch: Batch, packets: _Packets, made: Headers, depth: int) -> _Packets:
    """Step over extension headers. A packet that is cut short in one keeps that header's number as its protocol."""
    extended = _extended(packets)
    for _ in range(_MAX_EXTENSIONS):
        if not (extended & (packets.at + 8 <= packets.end)).any():
            break
        packets = _without_fragments(batch, packets, made, depth)
        extended = _extended(packets) & (packets.at + 8 <= packets.end)
        following, size = batch.u8(packets.at), batch.u8(packets.at + 1)
        step = np.where(packets.protocol == _AUTHENTICATION, (size + 2) * 4, (size + 1) * 8)
        step = np.where(packets.protocol == _FRAGMENT, 8, step)
        packets.at = np.minimum(packets.at + np.where(extended, step, 0), packets.end)
        packets.protocol = np.where(extended, following, packets.protocol)
        extended = _extended(packets)
    if not extended.any():
        return packets
    deep = extended & (packets.at + 8 <= packets.end)
    made.undecoded["short ip"] += int(np.count_nonzero(extended & ~deep))
    made.undecoded["too many ip headers"] += int(np.count_nonzero(deep))
    return packets.where(~deep)


def _without_fragments(batch: Batch, packets: _Packets, made: Headers, depth: int) -> _Packets:
    """Take out real fragments; a fragment header on a whole packet (RFC 6946) is stepped over like any other."""
    place = batch.u16(np.minimum(packets.at + 2, packets.end))
    broken = ((packets.version == 6) & (packets.protocol == _FRAGMENT) & (place & 0xFFF9 != 0)
              & (packets.at + 8 <= packets.end))
    if not broken.any():
        return packets
    pieces = packets.where(broken)
    names = batch.u32(pieces.at + 4)
    pieces.protocol = batch.u8(pieces.at)
    pieces.at = pieces.at + 8
    made.fragments.append(_fragments(batch, pieces, names, place[broken] & 0xFFF8, place[broken] & 1 == 1, depth))
    return packets.where(~broken)


def _fragments(batch: Batch, pieces: _Packets, names: Ints, places: Ints, more: Bools,
               depth: int) -> Iterator[Fragment]:
    """One after the other, since a flood of them would fill the memory."""
    for number in range(len(pieces.index)):
        key = (int(pieces.source_high[number]), int(pieces.source_low[number]), int(pieces.destination_high[number]),
               int(pieces.destination_low[number]), int(pieces.protocol[number]), int(names[number]))
        frame = int(pieces.index[number])
        yield Fragment(key, int(pieces.source_mac[number]), int(pieces.destination_mac[number]),
                       int(batch.stamps[frame]), int(batch.wire[frame]), int(places[number]), bool(more[number]),
                       batch.cut(int(pieces.at[number]), int(pieces.end[number])), depth)


def _fitting(packets: _Packets, mask: Bools, made: Headers) -> _Packets:
    lost = len(mask) - int(np.count_nonzero(mask))
    if lost == 0:
        return packets
    made.undecoded["short ip"] += lost
    return packets.where(mask)


def _transport(batch: Batch, packets: _Packets, made: Headers, *, tunnel: bool) -> Rows:
    """The rows of packets behind their IP header, with ports and payload."""
    tcp = packets.protocol == TCP
    portless = (tcp | (packets.protocol == UDP)) & (packets.at + 4 > packets.end)
    stunted = tcp & (packets.at + 13 <= packets.end) & (
        batch.u8(np.minimum(packets.at + 12, packets.end)) < 0x50)
    made.undecoded["short transport"] += int(np.count_nonzero(portless | stunted))
    nothing = packets.protocol == _NO_NEXT
    made.undecoded["no transport"] += int(np.count_nonzero(nothing))
    made.undecoded = +made.undecoded
    return _rows(batch, packets.where(~nothing) if nothing.any() else packets, tunnel=tunnel)


def _rows(batch: Batch, packets: _Packets, *, tunnel: bool) -> Rows:
    """Columns of packets; a field that lies behind what was kept is 0, and there is no payload then."""
    tcp, end = packets.protocol == TCP, packets.end
    ported = tcp | (packets.protocol == UDP)
    at = np.minimum(packets.at, end)
    size = np.where(tcp, np.maximum(batch.u8(np.minimum(at + 12, end)) >> 4, 5) * 4, np.where(ported, 8, 0))
    size = np.where(tcp & (at + 13 > end), 60, size)
    ports = ported & (at + 4 <= end)
    return Rows(
        index=packets.index, stamps=batch.stamps[packets.index], length=batch.wire[packets.index],
        source_mac=packets.source_mac, destination_mac=packets.destination_mac,
        source_high=packets.source_high, source_low=packets.source_low,
        destination_high=packets.destination_high, destination_low=packets.destination_low,
        protocol=np.where(packets.protocol == ICMP6, ICMP, packets.protocol),
        source_port=np.where(ports, batch.u16(at), 0), destination_port=np.where(ports, batch.u16(at + 2), 0),
        flags=np.where(tcp & (at + 14 <= end), batch.u8(np.minimum(at + 13, end)), 0),
        sequence=np.where(tcp & (at + 8 <= end), batch.u32(at + 4), 0),
        at=np.minimum(at + size, end), end=end, tunnel=np.full(len(packets.index), tunnel, np.bool_))


def _inner(batch: Batch, packets: _Packets) -> _Packets:
    """The packets inside tunnels; what else GRE carries is for `overlays` to read, or to count."""
    if not len(packets.index):
        return packets
    gre = packets.protocol == GRE
    inside = read_gre(batch, packets.at, packets.end)
    carried = inside.good & (among(inside.kind, IPV4, IPV6) | (inside.kind == PPP) & inside.ip)
    packets.at = np.where(gre, inside.at, packets.at)
    packets.version = batch.u8(np.minimum(packets.at, packets.end)) >> 4
    return packets.where((~gre | carried) & among(packets.version, 4, 6) & (packets.at < packets.end))
