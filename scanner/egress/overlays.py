"""Ethernet frames inside datagrams: VXLAN (RFC 7348), as mirror ports of clouds and of larger switches send them."""

from __future__ import annotations

import numpy as np

from scanner.egress.batches import Batch
from scanner.egress.headers import UDP, Rows

__all__ = ["MAX_OVERLAYS", "frames_inside"]

MAX_OVERLAYS = 4
"""Frames inside frames that are opened; what lies deeper is counted and left alone."""
_ETHERNET = 1
_PORT, _HEADER = 4789, 8
_VALID, _POLICY = 0x08, 0x80                # section 5: the I flag is set, the others are not, but for a group policy's


def frames_inside(batch: Batch, rows: Rows) -> Batch | None:
    """The frames that VXLAN packets among the rows carry, ``None`` where there are none.

    They have the time and length of the frame that carries them. A datagram to this port without the header of VXLAN
    carries none: it is a conversation like any other.
    """
    chosen = np.flatnonzero((rows.destination_port == _PORT) & (rows.protocol == UDP)
                            & (rows.end - rows.at > _HEADER))
    at = rows.at[chosen]
    chosen = chosen[(batch.u8(at) & ~_POLICY == _VALID) & (batch.u8(at + 7) == 0)]
    if not len(chosen):
        return None
    at = rows.at[chosen] + _HEADER
    return Batch(batch.octets, at, rows.end[chosen] - at, rows.length[chosen], rows.stamps[chosen], _ETHERNET)
