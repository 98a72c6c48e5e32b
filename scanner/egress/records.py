"""The records of a classic pcap file, found many at a time (draft-ietf-opsawg-pcap-04 section 5).

Each record's length tells where the next one begins, so that they follow each other like links of a chain. Many
stretches of the chain are walked at once: a stretch begins where something looks like a record's header, and it counts
only once the stretch before has arrived at that very octet. A guess that was wrong costs time, never a frame.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from scanner.egress.batches import HEAD, MAX_FRAME, PADDING, Batch, Bools, Ints, Octets, gather

__all__ = ["Records"]

_STRETCHES = 192                            # walked at once: more cost more to find, fewer are longer
_LOOKED_AT = 1_600                          # octets in which a stretch's beginning is sought: the longest usual frame
_LEAST = 1 << 19                            # octets; less is walked one by one
_FEW = 24                                   # so is what has fewer stretches
_ROUNDS = 16                                # steps between two looks whether the stretches are walked
_NEAR_S = 7 * 24 * 3_600


class Records:
    """Cuts the frames of one classic pcap file out of its octets, piece by piece.

    Args:
        order: byte order of the file, as `struct` writes it.
        scale: nanoseconds of one fraction of a second.
        header: octets of a record's header.
        begin: the file header.
        most: frames of one batch at most.
    """

    def __init__(self, order: str, scale: int, header: int, begin: bytes, most: int) -> None:
        self._order, self._scale, self._header, self._most = order, scale, header, most
        self._link = struct.unpack_from(order + "I", begin, 20)[0] & 0xFFFF   # the rest describes the FCS
        self._kept = struct.Struct(f"{order}8xI{header - 12}x")      # the whole header, so that a cut one is an error
        self._layout = np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "kept", "wire")])
        self._taken = np.dtype({"names": ("seconds", "fraction", "kept", "wire"), "formats": (order + "u4",) * 4,
                                "offsets": (0, 4, 8, 12), "itemsize": header + HEAD})
        self.trouble = ""

    def walk(self, data: memoryview, last: bool) -> tuple[list[Batch], int]:
        """The frames that lie whole in `data` (before its padding), and how many octets they took; -1 after damage."""
        size = len(data) - PADDING
        octets = np.frombuffer(data, np.uint8)
        begins = self._starts(data, octets, size)
        # Once they are touched, the first octets of the frames are taken along: the octets lie far apart in memory.
        heads = gather(octets, self._taken, begins)
        kept = heads["kept"].astype(np.int64)
        damaged = np.flatnonzero(kept > MAX_FRAME)
        if len(damaged):
            self.trouble = f"damaged record: {kept[damaged[0]]} octets in one frame"
            begins, heads, kept = begins[:damaged[0]], heads[:damaged[0]], kept[:damaged[0]]
        elif len(begins) and begins[-1] + self._header + kept[-1] > size:       # the last one is not whole yet
            begins, heads, kept = begins[:-1], heads[:-1], kept[:-1]
        used = int(begins[-1] + self._header + kept[-1]) if len(begins) else 0
        if last and not self.trouble and used < size and len(begins) < self._most:
            self.trouble = "cut short in a record header" if size - used < self._header else "cut short in a frame"
        if not len(begins):
            return [], -1 if self.trouble else used
        stamps = heads["seconds"].astype(np.int64) * 1_000_000_000 + heads["fraction"].astype(np.int64) * self._scale
        batch = Batch(octets, begins + self._header, kept, np.maximum(heads["wire"].astype(np.int64), kept), stamps,
                      self._link, heads.view(f"V{heads.itemsize}"))
        return [batch], -1 if self.trouble else used

    def _starts(self, data: memoryview, octets: Octets, size: int) -> Ints:
        """Where each record begins whose header is whole; the last ones may be damaged or not whole."""
        limit = size - self._header + 1
        guesses = self._guesses(octets, size) if size >= _LEAST else np.zeros(1, np.int64)
        if len(guesses) < _FEW:
            return np.array(self._one_by_one(data, 0, limit), np.int64)
        walked, arrived = self._stretches(octets, guesses, np.append(guesses[1:], limit), size)
        begins, parts, number, count = [*guesses.tolist(), limit], list[Ints](), 0, 0
        while number < len(arrived) and count < self._most:
            parts.append(walked[number])
            count += len(walked[number])
            at, number = arrived[number], number + 1
            # A guess that the chain steps over was wrong; what lies before the next one is walked one by one.
            while number < len(begins) and at != begins[number]:
                if at > begins[number]:
                    number += 1
                    continue
                more = self._one_by_one(data, at, begins[number])
                parts.append(np.array(more, np.int64))
                count += len(more)
                at = more[-1] + self._header + self._kept.unpack_from(data, more[-1])[0]
        return np.concatenate(parts)[:self._most]

    def _one_by_one(self, data: memoryview, at: int, limit: int) -> list[int]:
        """The beginnings from `at` on that lie before `limit`, behind which no whole header begins."""
        kept_of, header = self._kept.unpack_from, self._header
        starts: list[int] = []
        add = starts.append
        for _ in range(self._most):
            if at >= limit:
                break
            add(at)
            at += kept_of(data, at)[0] + header
        return starts

    def _guesses(self, octets: Octets, size: int) -> Ints:
        """The first octet, and one in each further stretch where a record seems to begin: in order, of most stretches.

        There stand seconds near those of the first record, a possible fraction and length, and where that length leads
        to stand seconds of the same days.
        """
        length = size // _STRETCHES
        place = 3 if self._order == "<" else 0                                # the upper octet of the seconds
        stretches = octets[:length * _STRETCHES].reshape(_STRETCHES, length)
        alike = np.flatnonzero(stretches[1:, place:_LOOKED_AT + place] == octets[place])
        row, column = np.divmod(alike, _LOOKED_AT)
        at = (row + 1) * length + column
        at = at[at + self._header <= size]
        heads = gather(octets, self._layout, at)
        begun = int(gather(octets, self._layout, np.zeros(1, np.int64))["seconds"][0])
        following = at + heads["kept"].astype(np.int64) + self._header
        likely = self._near(heads, begun) & (following + self._header <= size)
        at, following = at[likely], following[likely]
        at = at[self._near(gather(octets, self._layout, following), begun)]
        stretch = at // length
        first = np.ones(len(at), np.bool_)
        first[1:] = stretch[1:] != stretch[:-1]
        return np.concatenate([np.zeros(1, np.int64), at[first]])

    def _near(self, heads: NDArray[np.void], begun: int) -> Bools:
        """Which could be records of about the same time."""
        apart = heads["seconds"].astype(np.int64) - begun
        near: Bools = (np.abs(apart) < _NEAR_S) & (heads["fraction"] < 1_000_000_000 // self._scale) & (
            heads["kept"] <= MAX_FRAME)
        return near

    def _stretches(self, octets: Octets, at: Ints, limits: Ints, size: int) -> tuple[list[Ints], list[int]]:
        """Walk from each of these places up to its limit; the beginnings on each way, and where each way has led to.

        A few long ways may end before their limit.
        """
        kept = np.ndarray((len(octets) - 11,), self._order + "u4", octets.data, offset=8, strides=(1,))
        rounds: list[Ints] = []
        while np.count_nonzero(at < limits) > len(at) // 8:
            for _ in range(_ROUNDS):
                rounds.append(at)
                at = at + kept[at]
                at += self._header
                np.minimum(at, size, out=at)                                  # where the padding begins: nothing more
        rounds.append(at)
        places = np.array(rounds).T
        inside = places < limits[:, None]
        # The first place beyond the limit, or where there is none yet, the last one of all.
        last = np.minimum(np.count_nonzero(inside, axis=1), len(rounds) - 1)
        arrived = places[np.arange(len(at)), last].tolist()
        return [one[:end] for one, end in zip(places, last.tolist(), strict=True)], arrived
