"""The layout that nearly all frames of a site have, read in two steps for a whole batch.

That is Ethernet, with or without one VLAN tag, and whole IPv4 without options, carrying TCP or UDP. The headers of all
frames are gathered side by side first, so that every field is one strided column. What is laid out in any other way,
or is cut short, is left to `links` and `headers`, which read everything and count what cannot be read.
"""

from __future__ import annotations

import numpy as np

from scanner.egress.batches import Batch, Ints
from scanner.egress.headers import MAPPED, TCP, UDP, Rows
from scanner.egress.links import IPV4

__all__ = ["read_plain"]

_ETHERNET = 1
_TAGGED = 0x8100
_WHOLE = 0x3FFF                             # more fragments, and the place of one: all zero in a whole packet
_FRAME = np.dtype({                         # the MACs are the upper six octets of eight
    "names": ("destination", "source", "kind", "inner"), "formats": (">u8", ">u8", ">u2", ">u2"),
    "offsets": (0, 6, 12, 16), "itemsize": 18})
_PACKET = np.dtype({                        # offsets as in RFC 791 section 3.1; TCP (RFC 9293) and UDP begin at 20
    "names": ("version", "total", "part", "protocol", "source", "destination", "source_port", "destination_port",
              "sequence", "header", "flags"),
    "formats": ("u1", ">u2", ">u2", "u1", ">u4", ">u4", ">u2", ">u2", ">u4", "u1", "u1"),
    "offsets": (0, 2, 6, 9, 12, 16, 20, 22, 24, 32, 33), "itemsize": 34})


def read_plain(batch: Batch) -> tuple[Rows | None, Ints]:
    """The rows of the frames that have this layout, and which frames have not; ``None`` where none has."""
    everything = np.arange(len(batch))
    if batch.link != _ETHERNET:
        return None, everything
    frame = batch.gather(_FRAME, batch.at)
    kind = frame["kind"].astype(np.int64)
    tagged = kind == _TAGGED
    network = batch.at + 14
    if tagged.any():
        kind = np.where(tagged, frame["inner"], kind)
        network += tagged * np.int64(4)
    packet = batch.gather(_PACKET, network)
    total, protocol, header = (packet[name].astype(np.int64) for name in ("total", "protocol", "header"))
    end = batch.at + batch.kept
    # A zero total length is segmentation offload on the capturing host; else what follows it is Ethernet padding.
    end = np.where(total >= 20, np.minimum(end, network + total), end)
    tcp = protocol == TCP
    fits = np.where(tcp, (network + 40 <= end) & (header >= 0x50), (protocol == UDP) & (network + 28 <= end))
    fits &= (kind == IPV4) & (packet["version"] == 0x45) & (packet["part"].astype(np.int64) & _WHOLE == 0)
    index, others = np.flatnonzero(fits), np.flatnonzero(~fits)
    if not len(index):
        return None, everything
    if len(others):
        frame, packet, network, end = frame[index], packet[index], network[index], end[index]
        tcp, header = tcp[index], header[index]
    none, low = np.zeros(len(index), np.uint64), np.uint64(MAPPED)
    return Rows(
        index=index, stamps=batch.stamps[index], length=batch.wire[index],
        source_mac=frame["source"].astype(np.uint64) >> np.uint64(16),
        destination_mac=frame["destination"].astype(np.uint64) >> np.uint64(16),
        source_high=none, source_low=packet["source"].astype(np.uint64) + low,
        destination_high=none, destination_low=packet["destination"].astype(np.uint64) + low,
        protocol=np.where(tcp, TCP, UDP),
        source_port=packet["source_port"].astype(np.int64),
        destination_port=packet["destination_port"].astype(np.int64),
        flags=np.where(tcp, packet["flags"], 0).astype(np.int64),
        sequence=np.where(tcp, packet["sequence"], 0).astype(np.int64),
        at=np.minimum(network + np.where(tcp, 20 + (header >> 4) * 4, 28), end), end=end,
        tunnel=np.zeros(len(index), np.bool_)), others
