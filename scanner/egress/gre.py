"""The header of generic routing encapsulation, of many packets at once.

Version 0 is RFC 2784 with the key and sequence number of RFC 2890, and the routing of RFC 1701 that nobody uses any
more; version 1, which carries PPP, is RFC 2637.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, among

__all__ = ["PPP", "Gre", "read_gre"]

PPP = 0x880B
_CHECKSUM, _ROUTING, _KEY, _NUMBERED, _ACKNOWLEDGES = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080


@dataclass(frozen=True, slots=True)
class Gre:
    """What GRE packets carry.

    Attributes:
        kind: the EtherType of what is inside.
        at: where that begins; of PPP that carries IP, behind the PPP header.
        good: the header is whole and of a known form, and something follows it.
        empty: it is whole, and nothing follows: a keepalive, or an acknowledgement alone.
        numbered: it has a sequence number.
        ip: with PPP inside, whether that carries IP; `control` whether it is PPP's own talk (RFC 1661 section 2).
    """

    kind: Ints
    at: Ints
    good: Bools
    empty: Bools
    numbered: Bools
    ip: Bools
    control: Bools


def read_gre(batch: Batch, at: Ints, end: Ints) -> Gre:
    """Read the GRE headers at these places, each of which ends at the latest where `end` says."""
    flags, kind = batch.u16(np.minimum(at, end)), batch.u16(np.minimum(at + 2, end))
    version = flags & 7
    step = np.where(flags & (_CHECKSUM | _ROUTING) != 0, 8, 4)
    for bit in (_KEY, _NUMBERED):
        step = step + np.where(flags & bit != 0, 4, 0)
    step = step + np.where((version == 1) & (flags & _ACKNOWLEDGES != 0), 4, 0)
    known = (at + 4 <= end) & (version <= 1) & (flags & _ROUTING == 0)
    good, empty = known & (at + step < end), known & (at + step == end)
    at = np.minimum(at + step, end)
    addressed = (kind == PPP) & (batch.u16(at) == 0xFF03)
    behind = np.minimum(at + np.where(addressed, 2, 0), end)
    short = batch.u8(behind) & 1 == 1                   # protocol field compression (RFC 1661 section 6.5)
    protocol = np.where(short, batch.u8(behind), batch.u16(behind))
    ip = (kind == PPP) & among(protocol, 0x21, 0x57)
    at = np.where(ip, np.minimum(behind + np.where(short, 1, 2), end), at)
    return Gre(kind, at, good, empty, flags & _NUMBERED != 0, ip, protocol >= 0x8000)
