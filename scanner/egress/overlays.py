"""Ethernet frames inside packets, as mirror ports of clouds and of switches send them.

VXLAN (RFC 7348, on its port and on the one it had before), Geneve (RFC 8926), and by GRE: transparent bridging, NVGRE
(RFC 7637) and ERSPAN of types I, II and III (draft-foschiano-erspan-03).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, among
from scanner.egress.gre import PPP, read_gre
from scanner.egress.headers import GRE, UDP, Rows
from scanner.egress.links import IPV4, IPV6

__all__ = ["MAX_OVERLAYS", "frames_inside"]

MAX_OVERLAYS = 4
"""Frames inside frames that are opened; what lies deeper is counted and left alone."""
_ETHERNET, _RAW = 1, 101                    # LINKTYPE numbers
_BRIDGED, _ERSPAN, _ERSPAN_III = 0x6558, 0x88BE, 0x22EB
_VXLAN, _VXLAN_BEFORE, _GENEVE = 4789, 8472, 6081
_LEAST = 8                                  # octets of the headers of VXLAN and Geneve
_VALID, _POLICY = 0x08, 0x80                # section 5: the I flag is set, the others are not, but for a group policy's


def frames_inside(batch: Batch, rows: Rows) -> tuple[list[Batch], Counter[str]]:
    """The frames that packets among the rows carry, by their link layer, and what could not be opened, by reason.

    They have the time and length of the frame that carries them. A datagram to a port of VXLAN or Geneve without that
    header carries none: it is a conversation like any other.
    """
    found: list[Batch] = []
    unread: Counter[str] = Counter()
    udp = rows.protocol == UDP
    for ports, opened in (((_VXLAN, _VXLAN_BEFORE), _vxlan), ((_GENEVE,), _geneve)):
        chosen = np.flatnonzero(udp & among(rows.destination_port, *ports) & (rows.end - rows.at > _LEAST))
        if len(chosen):
            at, ethernet, packets = opened(batch, rows.at[chosen])
            _add(found, batch, rows, (chosen, at), (ethernet, packets), unread)
    chosen = np.flatnonzero(rows.protocol == GRE)
    if len(chosen):
        at, ethernet, packets = _by_gre(batch, rows, chosen, unread)
        _add(found, batch, rows, (chosen, at), (ethernet, packets), unread)
    return found, unread


def _add(found: list[Batch], batch: Batch, rows: Rows, places: tuple[Ints, Ints], kinds: tuple[Bools, Bools],
         unread: Counter[str]) -> None:
    """Add what lies at these places in these rows: Ethernet frames and bare IP packets."""
    chosen, at = places
    for link, inside in zip((_ETHERNET, _RAW), kinds, strict=True):
        whole = inside & (at < rows.end[chosen])
        cut = int(np.count_nonzero(inside & ~whole))
        if cut:
            unread["short tunnel"] += cut
        if whole.any():
            row, begin = chosen[whole], at[whole]
            found.append(Batch(batch.octets, begin, rows.end[row] - begin, rows.length[row], rows.stamps[row], link))


def _vxlan(batch: Batch, at: Ints) -> tuple[Ints, Bools, Bools]:
    valid = (batch.u8(at) & ~_POLICY == _VALID) & (batch.u8(at + 7) == 0)
    return at + _LEAST, valid, np.zeros(len(at), np.bool_)


def _geneve(batch: Batch, at: Ints) -> tuple[Ints, Bools, Bools]:
    """Version 0 with options of any length (section 3.4): Ethernet, or IP by itself."""
    first, kind = batch.u8(at), batch.u16(at + 2)
    valid = (first & 0xC0 == 0) & (batch.u8(at + 1) & 0x3F == 0) & (batch.u8(at + 7) == 0)
    return at + _LEAST + (first & 0x3F) * 4, valid & (kind == _BRIDGED), valid & among(kind, IPV4, IPV6)


def _by_gre(batch: Batch, rows: Rows, chosen: Ints, unread: Counter[str]) -> tuple[Ints, Bools, Bools]:
    """What GRE carries beside IP, which `headers` has read; what nobody reads is counted."""
    end = rows.end[chosen]
    gre = read_gre(batch, rows.at[chosen], end)
    mirrored = gre.good & among(gre.kind, _ERSPAN, _ERSPAN_III)
    version = batch.u8(gre.at) >> 4
    first = (gre.kind == _ERSPAN) & ~gre.numbered                    # type I has no header of its own
    third = mirrored & ~first & (version == 2)
    last = batch.u8(np.minimum(gre.at + 11, end))
    form = batch.u8(np.minimum(gre.at + 10, end)) >> 2 & 0x1F          # of the frame: Ethernet, or IP by itself
    size = np.where(third, np.where(last & 1 == 1, 20, 12), np.where(first, 0, 8))
    known = mirrored & (first | third & among(form, 0, 2) | (version == 1))
    bare = known & third & (form == 2)
    bridged = gre.good & (gre.kind == _BRIDGED)
    read = bridged | known | among(gre.kind, IPV4, IPV6) | (gre.kind == PPP) & (gre.ip | gre.control)
    for kind, count in Counter(gre.kind[gre.good & ~read].tolist()).items():
        unread[f"gre {kind:04x}"] += count
    broken = int(np.count_nonzero(~gre.good & ~gre.empty))
    if broken:
        unread["short tunnel"] += broken
    return gre.at + np.where(mirrored, size, 0), bridged | known & ~bare, bare
