"""Many captured frames at once: the octets of a file in one array, and where in it each frame lies.

Fields are read from all frames of a batch with one array operation each, through views of the same octets at every
offset. Frames are never copied; only the few that may carry a name are handled one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD", "MAX_FRAME", "PADDING", "Batch", "Bools", "Ints", "Octets", "Unsigned", "among", "batch_of",
           "chosen", "gather", "table_of"]

MAX_FRAME = 262_144
"""Octets of one frame; libpcap writes no larger snapshot, so a longer one is a damaged record."""
PADDING = 80
"""Zero octets behind the last frame of a batch, so that a read at the end of a cut frame stays inside the array."""

HEAD = 52
"""Octets at the beginning of a frame in which the headers of nearly all lie, up to the flags of TCP."""

Octets = NDArray[np.uint8]
Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames of one link type in the order they were captured.

    Attributes:
        octets: everything, with `PADDING` zero octets at the end.
        at: first octet of each frame; `kept` octets of it were captured, `wire` octets were on the wire.
        stamps: nanoseconds since the epoch.
        link: the LINKTYPE number.
        heads: a copy of the first octets of each frame, where the reader has made one: see `beginnings`.
    """

    octets: Octets
    at: Ints
    kept: Ints
    wire: Ints
    stamps: Ints
    link: int
    heads: NDArray[np.void] | None = None

    def __len__(self) -> int:
        return len(self.at)

    def u8(self, offsets: Ints) -> Ints:
        """One octet at each offset."""
        return self.octets[offsets].astype(np.int64)

    def u16(self, offsets: Ints) -> Ints:
        """Two octets at each offset, network order."""
        return self._view(">u2")[offsets].astype(np.int64)

    def u32(self, offsets: Ints) -> Ints:
        """Four octets at each offset, network order."""
        return self._view(">u4")[offsets].astype(np.int64)

    def u64(self, offsets: Ints) -> Unsigned:
        """Eight octets at each offset, network order."""
        return self._view(">u8")[offsets].astype(np.uint64)

    def mac(self, offsets: Ints) -> Unsigned:
        """Six octets at each offset as a number."""
        return self.u64(offsets) >> np.uint64(16)

    def gather(self, layout: np.dtype[np.void], offsets: Ints) -> NDArray[np.void]:
        """A copy of the octets at each offset as records of `layout`, which is at most `PADDING` octets long."""
        return gather(self.octets, layout, offsets)

    def beginnings(self) -> NDArray[np.void]:
        """The first octets of each frame as records of one size, of which they are the last `HEAD`."""
        return self.gather(np.dtype(f"V{HEAD}"), self.at) if self.heads is None else self.heads

    def cut(self, start: int, end: int) -> bytes:
        """The octets from `start` up to `end`."""
        return self.octets[start:end].tobytes()

    def _view(self, kind: str) -> NDArray[Any]:
        width = np.dtype(kind).itemsize
        return np.ndarray((len(self.octets) - width + 1,), kind, self.octets.data, strides=(1,))


def gather(octets: Octets, layout: np.dtype[np.void], offsets: Ints) -> NDArray[np.void]:
    """A copy of the octets at each offset as records of `layout`; the last record must lie inside the array."""
    plain = np.ndarray((len(octets) - layout.itemsize + 1,), f"V{layout.itemsize}", octets.data, strides=(1,))
    return plain[offsets].view(layout)


def chosen(records: NDArray[np.void], index: Ints) -> NDArray[np.void]:
    """Some of the records, each copied as a whole: by itself numpy copies them field by field, which takes longer."""
    return records.view(f"V{records.dtype.itemsize}")[index].view(records.dtype)


def among(values: Ints, *wanted: int) -> Bools:
    """Which values are one of a few; for many or often, see `table_of`. `numpy.isin` sorts, which costs more."""
    found: Bools = values == wanted[0]
    for one in wanted[1:]:
        found |= values == one
    return found


def table_of(*wanted: int, size: int = 65_536) -> Bools:
    """A table to be indexed by numbers below `size`: true for the wanted ones."""
    table = np.zeros(size, np.bool_)
    table[list(wanted)] = True
    return table


def batch_of(frames: Sequence[bytes], stamps: Sequence[int], wire: Sequence[int], link: int) -> Batch:
    """Frames that are at hand one by one as a batch."""
    sizes = np.array([len(frame) for frame in frames], np.int64)
    octets = np.frombuffer(b"".join((*frames, bytes(PADDING))), np.uint8)
    return Batch(octets, np.cumsum(sizes) - sizes, sizes, np.array(wire, np.int64), np.array(stamps, np.int64), link)
