"""The layout that nearly all frames of a site have, read in two steps for a whole batch.

That is Ethernet, with or without one VLAN tag, and whole IPv4 without options, carrying TCP or UDP. The headers of all
frames are gathered side by side first, so that every field is one strided column. What is laid out in any other way,
or is cut short, is left to `links` and `headers`, which read everything and count what cannot be read.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.egress.batches import HEAD, Batch, Bools, Ints, chosen
from scanner.egress.headers import MAPPED, TCP, UDP, Rows
from scanner.egress.links import IPV4

__all__ = ["read_plain"]

_ETHERNET = 1
_TAGGED = 0x8100
_WHOLE = 0x3FFF                             # more fragments, and the place of one: all zero in a whole packet
_TAG = 4
_COLUMNS = {                                # offsets in the frame; the MACs are the upper six octets of eight
    "receiver": (0, ">u8"), "sender": (6, ">u8"), "kind": (12, ">u2"),
    # RFC 791 section 3.1, at 14
    "version": (14, "u1"), "total": (16, ">u2"), "part": (20, ">u2"), "protocol": (23, "u1"), "source": (26, ">u4"),
    "destination": (30, ">u4"),
    # TCP (RFC 9293) and UDP, at 34
    "source_port": (34, ">u2"), "destination_port": (36, ">u2"), "sequence": (38, ">u4"), "header": (46, "u1"),
    "flags": (47, "u1")}


@lru_cache
def _layout(size: int) -> np.dtype[np.void]:
    """The columns in records of this size, whose last `HEAD` octets are those of a frame."""
    return np.dtype({"names": tuple(_COLUMNS), "formats": tuple(kind for _, kind in _COLUMNS.values()),
                     "offsets": tuple(size - HEAD + at for at, _ in _COLUMNS.values()), "itemsize": size})


def read_plain(batch: Batch) -> tuple[Rows | None, Ints]:
    """The rows of the frames that have this layout, and which frames have not; ``None`` where none has."""
    everything = np.arange(len(batch))
    if batch.link != _ETHERNET:
        return None, everything
    heads = batch.beginnings()
    heads = heads.view(_layout(heads.itemsize))
    network = batch.at + 14
    tagged = heads["kind"] == _TAGGED
    if tagged.any():
        heads = _untagged(heads, tagged)
        network += tagged * np.int64(_TAG)
    total, protocol, header = (heads[name].astype(np.int64) for name in ("total", "protocol", "header"))
    end = batch.at + batch.kept
    # A zero total length is segmentation offload on the capturing host; else what follows it is Ethernet padding.
    end = np.where(total >= 20, np.minimum(end, network + total), end)
    tcp = protocol == TCP
    fits = np.where(tcp, (network + 40 <= end) & (header >= 0x50), (protocol == UDP) & (network + 28 <= end))
    fits &= (heads["kind"] == IPV4) & (heads["version"] == 0x45) & (heads["part"] & _WHOLE == 0)
    index, others = np.flatnonzero(fits), np.flatnonzero(~fits)
    if not len(index):
        return None, everything
    if len(others):
        heads = chosen(heads, index)
        network, end, tcp, header = network[index], end[index], tcp[index], header[index]
    none, low = np.zeros(len(index), np.uint64), np.uint64(MAPPED)
    return Rows(
        index=index, stamps=batch.stamps[index], length=batch.wire[index],
        source_mac=heads["sender"].astype(np.uint64) >> np.uint64(16),
        destination_mac=heads["receiver"].astype(np.uint64) >> np.uint64(16),
        source_high=none, source_low=heads["source"].astype(np.uint64) + low,
        destination_high=none, destination_low=heads["destination"].astype(np.uint64) + low,
        protocol=np.where(tcp, TCP, UDP),
        source_port=heads["source_port"].astype(np.int64),
        destination_port=heads["destination_port"].astype(np.int64),
        flags=np.where(tcp, heads["flags"], 0).astype(np.int64),
        sequence=np.where(tcp, heads["sequence"], 0).astype(np.int64),
        at=np.minimum(network + np.where(tcp, 20 + (header >> 4) * 4, 28), end), end=end,
        tunnel=np.zeros(len(index), np.bool_)), others


def _untagged(heads: NDArray[np.void], tagged: Bools) -> NDArray[np.void]:
    """The same with the VLAN tags taken out of those that have one."""
    changed = chosen(heads, np.arange(len(heads)))       # a plain copy would leave out what lies between the columns
    octets = changed.view(np.uint8).reshape(len(changed), -1)
    kind = octets.shape[1] - HEAD + 12
    octets[tagged, kind:-_TAG] = octets[tagged, kind + _TAG:]
    return changed
