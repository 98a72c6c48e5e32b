"""The link layer of a whole batch: where the network header of each frame begins, of what kind it is, and whose MACs.

Ethernet with stacked VLAN tags (IEEE 802.1Q), PPPoE (RFC 2516) and MPLS (RFC 3032), Linux cooked v1 and v2, raw IP,
PPP (RFC 1661), BSD loopback, and 802.11 with and without radiotap, aggregated MSDUs among it. What cannot be read is
counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, Unsigned, among

__all__ = ["ARP", "IPV4", "IPV6", "Links", "read_links"]

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
_VLAN = (0x8100, 0x88A8, 0x9100)
_PPPOE, _MPLS = 0x8864, (0x8847, 0x8848)
_MAX_TAGS = 8
_MAX_REASONS = 48
_MAX_AGGREGATED = 64
_MAX_PRESENT = 8
_ETHERNET = 1
_SHORTEST_TYPE = 0x600                              # below it stands a length (IEEE 802.3 section 3.2.6)
_UNKNOWN = 0


@dataclass(slots=True)
class Links:
    """The frames of a batch whose link layer was read.

    Attributes:
        index: which frames of the batch these are.
        at: where the network header begins; `kind` is its EtherType.
        end: where the captured octets of the frame end.
        source, destination: MACs as numbers, 0 where the link layer does not carry them.
        undecoded: how many frames were left out, by reason.
        aggregated: frames that others of the batch hold several of, each with its share of the octets on the wire.
    """

    index: Ints
    at: Ints
    kind: Ints
    end: Ints
    source: Unsigned
    destination: Unsigned
    undecoded: Counter[str]
    aggregated: list[Batch] = field(default_factory=list)

    def keep(self, mask: Bools, reason: str | None) -> None:
        """Leave out the frames outside `mask`, counted under `reason`."""
        lost = len(mask) - int(np.count_nonzero(mask))
        if lost == 0:
            return
        if reason is not None:
            self.undecoded[reason] += lost
        for name in ("index", "at", "kind", "end", "source", "destination"):
            setattr(self, name, getattr(self, name)[mask])


def read_links(batch: Batch, chosen: Ints | None = None, also: tuple[int, ...] = ()) -> Links:
    """The link layer of the chosen frames, or of every frame; those of an unknown kind are counted and left out.

    Known are IP and ARP, and the EtherTypes in `also`.
    """
    index = np.arange(len(batch)) if chosen is None else chosen
    zeros, at = np.zeros(len(index), np.uint64), batch.at[index]
    links = Links(index, at, np.zeros(len(index), np.int64), at + batch.kept[index], zeros, zeros.copy(), Counter())
    reader = _READERS.get(batch.link)
    if reader is None:
        links.keep(np.zeros(len(index), np.bool_), f"link type {batch.link}")
        return links
    reader(batch, links)
    _untag(batch, links)
    _name_the_rest(links, also)
    return links


def _room(links: Links, octets: int) -> None:
    links.keep(links.at + octets <= links.end, "short frame")


def _ethernet(batch: Batch, links: Links) -> None:
    _room(links, 14)
    links.destination, links.source = batch.mac(links.at), batch.mac(links.at + 6)
    links.kind = batch.u16(links.at + 12)
    links.at = links.at + 14


def _cooked(batch: Batch, links: Links) -> None:
    _room(links, 16)
    links.source = np.where(batch.u16(links.at + 4) == 6, batch.mac(links.at + 6), np.uint64(0))
    links.kind = batch.u16(links.at + 14)
    links.at = links.at + 16


def _cooked2(batch: Batch, links: Links) -> None:
    _room(links, 20)
    links.source = np.where(batch.u8(links.at + 11) == 6, batch.mac(links.at + 12), np.uint64(0))
    links.kind = batch.u16(links.at)
    links.at = links.at + 20


def _raw(batch: Batch, links: Links) -> None:
    _room(links, 1)
    version = batch.u8(links.at) >> 4
    links.kind = np.where(version == 4, IPV4, np.where(version == 6, IPV6, _UNKNOWN))


def _loopback(batch: Batch, links: Links) -> None:
    _room(links, 5)                     # four octets of address family, whose numbers differ from system to system
    links.at = links.at + 4
    _raw(batch, links)


def _ppp(batch: Batch, links: Links) -> None:
    _room(links, 4)
    framed = batch.u16(links.at) == 0xFF03              # address and control field; both may be left out
    links.at = links.at + np.where(framed, 2, 0)
    _ppp_protocol(batch, links)


def _ppp_with_direction(batch: Batch, links: Links) -> None:
    _room(links, 5)
    links.at = links.at + 1
    _ppp(batch, links)


def _ppp_protocol(batch: Batch, links: Links) -> None:
    short = batch.u8(links.at) & 1 == 1                 # protocol field compression (RFC 1661 section 6.5)
    protocol = np.where(short, batch.u8(links.at), batch.u16(links.at))
    links.kind = np.where(protocol == 0x21, IPV4, np.where(protocol == 0x57, IPV6, _UNKNOWN))
    links.at = links.at + np.where(short, 1, 2)


def _radiotap(batch: Batch, links: Links) -> None:
    """Radiotap before 802.11; its flags may say that the header of 802.11 is padded to four octets."""
    _room(links, 8)
    begin = links.at
    size = batch.u8(begin + 2) | batch.u8(begin + 3) << 8
    present = batch.u32(begin + 4)                      # little endian: the first fields are in the first octet
    place, more = begin + 8, present & 0x80 != 0
    for _ in range(_MAX_PRESENT):
        if not more.any():
            break
        inside = np.minimum(place, links.end)
        place = place + np.where(more, 4, 0)
        more = more & (batch.u8(np.minimum(inside + 3, links.end)) & 0x80 != 0)
    timed, flagged = present >> 24 & 1 == 1, present >> 24 & 2 == 2
    place = np.where(timed, begin + (place - begin + 7) // 8 * 8 + 8, place)
    padded = flagged & ~more & (place < np.minimum(begin + size, links.end)) & (
        batch.u8(np.minimum(place, links.end)) & 0x20 != 0)
    links.at = begin + size
    _wireless_frames(batch, links, padded)


def _wireless(batch: Batch, links: Links) -> None:
    _wireless_frames(batch, links, np.zeros(len(links.at), np.bool_))


def _wireless_frames(batch: Batch, links: Links, padded: Bools) -> None:
    """Data frames of IEEE 802.11 (section 9.3.2.1) that carry LLC/SNAP; others have no network header."""
    fits = links.at + 24 <= links.end
    padded = padded[fits]
    _room(links, 24)
    control, flags = batch.u8(links.at), batch.u8(links.at + 1)
    data = (control & 0x0C == 0x08) & (control & 0x40 == 0)
    links.keep(data, "802.11 without data")
    control, flags, padded = control[data], flags[data], padded[data]
    clear = flags & 0x40 == 0
    links.keep(clear, "802.11 encrypted")
    control, flags, padded = control[clear], flags[clear], padded[clear]
    to_ds, from_ds = flags & 1 == 1, flags & 2 == 2
    quality = control & 0x80 == 0x80
    first, second, third = (batch.mac(links.at + place) for place in (4, 10, 16))
    links.destination = np.where(to_ds, third, first)
    links.source = np.where(from_ds & ~to_ds, third, second)
    both = to_ds & from_ds
    links.source = np.where(both, batch.mac(np.minimum(links.at + 24, links.end)), links.source)
    header = 24 + np.where(both, 6, 0)
    several = quality & (batch.u8(np.minimum(links.at + header, links.end)) & 0x80 != 0)
    header = header + np.where(quality, 2, 0) + np.where(quality & (flags & 0x80 == 0x80), 4, 0)
    links.at = links.at + np.where(padded, header + 3 & ~3, header)
    if several.any():
        _aggregated(batch, links, several)
    fits = links.at + 8 <= links.end
    links.keep(fits, "short frame")
    snap = _snap(batch, links)
    links.keep(snap, "802.11 without SNAP")
    links.kind = batch.u16(links.at + 6)
    links.at = links.at + 8


def _snap(batch: Batch, links: Links) -> Bools:
    """Where LLC with the SNAP header of an EtherType stands (RFC 1042)."""
    snap: Bools = (batch.u32(links.at) == 0xAAAA0300) & (batch.u16(links.at + 4) == 0)
    return snap


def _aggregated(batch: Batch, links: Links, several: Bools) -> None:
    """Take out the frames that hold several (A-MSDU, section 9.3.2.2), and those they hold: addresses, length, LLC.

    The first of each also has the octets of what goes before it, so that nothing is counted twice.
    """
    index, at, end = links.index[several], links.at[several], links.end[several]
    lacking = int(np.count_nonzero(at + 14 > end))
    if lacking:
        links.undecoded["short frame"] += lacking
    links.keep(~several, None)
    frames, places, sizes = list[Ints](), list[Ints](), list[Ints]()
    for _ in range(_MAX_AGGREGATED):
        whole = at + 14 <= end
        index, at, end = index[whole], at[whole], end[whole]
        if not len(index):
            break
        size = 14 + batch.u16(at + 12)
        frames.append(index)
        places.append(at)
        sizes.append(np.minimum(size, end - at))
        at = at + (size + 3 & ~3)
    else:
        links.undecoded["too many aggregated frames"] += int(np.count_nonzero(at + 14 <= end))
    if not frames:
        return
    index, wire = np.concatenate(frames), np.concatenate(sizes)
    firsts = np.arange(len(index)) < len(frames[0])
    later = np.zeros(len(batch), np.int64)
    np.add.at(later, index[~firsts], wire[~firsts])
    kept = wire
    wire = np.where(firsts, np.maximum(batch.wire[index] - later[index], kept), kept)
    order = np.argsort(index, kind="stable")
    links.aggregated.append(Batch(batch.octets, np.concatenate(places)[order], kept[order], wire[order],
                                  batch.stamps[index][order], _ETHERNET))


def _pppoe(_batch: Batch, links: Links) -> None:
    """PPPoE without Ethernet before it (LINKTYPE 51)."""
    _room(links, 8)
    links.kind = np.full(len(links.at), _PPPOE)


_READERS: Mapping[int, Callable[[Batch, Links], None]] = {
    1: _ethernet, 113: _cooked, 276: _cooked2, 0: _loopback, 108: _loopback, 12: _raw, 14: _raw, 101: _raw,
    228: _raw, 229: _raw, 9: _ppp, 50: _ppp, 51: _pppoe, 204: _ppp_with_direction,
    105: _wireless, 127: _radiotap,
}


def _untag(batch: Batch, links: Links) -> None:
    """Step over VLAN tags, PPPoE and MPLS labels until a network header or something unknown is reached."""
    for _ in range(_MAX_TAGS):
        tagged = among(links.kind, *_VLAN)
        if not tagged.any():
            break
        links.keep(~tagged | (links.at + 4 <= links.end), "short frame")
        tagged = among(links.kind, *_VLAN)
        links.kind = np.where(tagged, batch.u16(np.minimum(links.at + 2, links.end)), links.kind)
        links.at = links.at + np.where(tagged, 4, 0)
    links.keep(~among(links.kind, *_VLAN), "too many vlan tags")
    sized = (links.kind >= 8) & (links.kind < _SHORTEST_TYPE) & (links.at + 8 <= links.end)
    if sized.any():
        sized[sized] = _snap(batch, links)[sized]
        links.kind = np.where(sized, batch.u16(np.minimum(links.at + 6, links.end)), links.kind)
        links.at = links.at + np.where(sized, 8, 0)
    session = links.kind == _PPPOE
    if session.any():
        links.keep(~session | (links.at + 8 <= links.end), "short frame")
        session = links.kind == _PPPOE
        protocol = batch.u16(np.minimum(links.at + 6, links.end))
        inner = np.where(protocol == 0x21, IPV4, np.where(protocol == 0x57, IPV6, _UNKNOWN))
        links.kind = np.where(session, inner, links.kind)
        links.at = links.at + np.where(session, 8, 0)
    _unlabel(batch, links)


def _unlabel(batch: Batch, links: Links) -> None:
    labelled = among(links.kind, *_MPLS)
    for _ in range(_MAX_TAGS):
        if not labelled.any():
            return
        fits = ~labelled | (links.at + 5 <= links.end)
        links.keep(fits, "short frame")
        labelled = labelled[fits]
        bottom = labelled & (batch.u8(np.minimum(links.at + 2, links.end)) & 1 == 1)
        links.at = links.at + np.where(labelled, 4, 0)
        version = batch.u8(np.minimum(links.at, links.end)) >> 4
        below = np.where(version == 4, IPV4, np.where(version == 6, IPV6, _UNKNOWN))
        links.kind = np.where(bottom, below, links.kind)
        labelled = labelled & ~bottom
    links.keep(~labelled, "too many mpls labels")


def _name_the_rest(links: Links, also: tuple[int, ...]) -> None:
    """Count frames that carry neither IP nor ARP, nor what is asked for, by what they carry."""
    known = among(links.kind, IPV4, IPV6, ARP, *also)
    if known.all():
        return
    kinds, counts = np.unique(links.kind[~known], return_counts=True)
    for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        reason = ("not ip" if kind == _UNKNOWN else "llc" if kind < _SHORTEST_TYPE else f"ethertype {kind:04x}")
        full = len(links.undecoded) >= _MAX_REASONS and reason not in links.undecoded
        links.undecoded["other ethertypes" if full else reason] += count
    links.keep(known, None)
