"""Reads capture files in batches of frames: classic pcap in all its variants, pcapng, either of them gzipped.

A capture is as hostile as a device: lengths are capped, a cut or damaged file gives the frames before the damage, and
`CaptureReader.trouble` says what was wrong instead of an exception. Formats: draft-ietf-opsawg-pcap-04 and
draft-ietf-opsawg-pcapng-02.
"""

from __future__ import annotations

import gzip
import io
import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import numpy as np

from scanner.egress.batches import MAX_FRAME, PADDING, Batch, gather
from scanner.egress.pcapng import MAGIC as PCAPNG
from scanner.egress.pcapng import Blocks

__all__ = ["CHUNK", "CaptureReader"]

CHUNK = 10 * 1024 * 1024
"""Octets held at once, more than the longest frame or block."""
MOST = 65_536
"""Frames of one batch; the memory that reading takes follows from it."""

_HUGE = 1 << 21
"""A huge page; the padding behind the last frame needs less."""
_GZIP = b"\x1f\x8b"
_MAGIC = {          # byte order, nanoseconds a fraction, octets of a record's header
    b"\xd4\xc3\xb2\xa1": ("<", 1_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000, 24),      # with the patched libpcap's interface fields behind the lengths
    b"\xa1\xb2\xcd\x34": (">", 1_000, 24),
}
_SINGLY, _TOGETHER = 16, 512      # records looked at one by one before many are, and how many at most
Walk = Callable[[memoryview, bool], tuple[list[Batch], int]]


class CaptureReader:
    """Iterates over the batches of one stream once; afterwards `trouble` is empty or says why it ended early.

    `lost` counts frames that the capturing machine reports to have dropped (pcapng interface statistics).
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.trouble = ""
        self.lost = 0

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches in file order until the end or the first damaged record."""
        begin = self._stream.read(24)
        if begin[:2] == _GZIP:
            self._stream = cast(BinaryIO, gzip.GzipFile(fileobj=cast(BinaryIO, _Rejoined(begin, self._stream))))
            begin = self._read(24)
        if begin[:4] == PCAPNG:
            blocks = Blocks()
            yield from self._walk(begin, blocks.walk)
            self.trouble = blocks.trouble or self.trouble
            self.lost = blocks.lost
        elif begin[:4] not in _MAGIC:
            self.trouble = self.trouble or ("not a capture file" if begin else "empty file")
        elif len(begin) < 24:
            self.trouble = self.trouble or "cut short in the file header"
        else:
            records = _Records(*_MAGIC[begin[:4]], begin)
            yield from self._walk(b"", records.walk)
            self.trouble = records.trouble or self.trouble

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.trouble = f"damaged gzip data ({type(error).__name__})"
            return b""

    def _fill(self, room: memoryview) -> int:
        try:
            return cast(io.BufferedIOBase, self._stream).readinto(room)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.trouble = f"damaged gzip data ({type(error).__name__})"
            return 0

    def _walk(self, begin: bytes, walk: Walk) -> Iterator[Batch]:
        """Fill one buffer again and again; what is not whole at its end moves to its beginning."""
        buffer = mmap.mmap(-1, CHUNK + _HUGE)
        if hasattr(mmap, "MADV_HUGEPAGE"):               # frames lie far apart: with small pages every one costs a miss
            buffer.madvise(mmap.MADV_HUGEPAGE)
        buffer[:len(begin)] = begin
        filled, ended = len(begin), False
        while True:
            while filled < CHUNK and not ended:
                more = self._fill(memoryview(buffer)[filled:CHUNK])
                filled += more
                ended = more == 0
            used = 0
            while True:                                  # several batches, where frames are short
                batches, step = walk(memoryview(buffer)[used:filled + PADDING], ended)
                yield from batches
                if step < 0:
                    return
                used += step
                if step == 0:
                    break
            if ended or used == 0:
                return
            buffer[:filled - used] = buffer[used:filled]
            filled -= used


class _Rejoined:
    """A stream whose first octets were already read."""

    def __init__(self, begin: bytes, stream: BinaryIO) -> None:
        self._begin, self._stream = begin, stream

    def read(self, size: int = -1) -> bytes:
        """As a file's `read`."""
        if not self._begin:
            return self._stream.read(size)
        taken = self._begin[:size] if size >= 0 else self._begin
        self._begin = self._begin[len(taken):]
        return taken if len(taken) == size else taken + self._stream.read(size - len(taken) if size >= 0 else -1)


class _Records:
    """The records of a classic pcap file."""

    def __init__(self, order: str, scale: int, header: int, begin: bytes) -> None:
        self._order, self._scale, self._header = order, scale, header
        self._link = struct.unpack_from(order + "I", begin, 20)[0] & 0xFFFF   # the rest describes the FCS
        self._kept = struct.Struct(f"{order}8xI{header - 12}x")      # the whole header, so that a cut one is an error
        self._layout = np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "kept", "wire")])
        self.trouble = ""

    def walk(self, data: memoryview, last: bool) -> tuple[list[Batch], int]:
        """The frames that lie whole in `data` (before its padding), and how many octets they took; -1 after damage."""
        size = len(data) - PADDING
        begins = np.array(self._starts(data, size), np.int64)
        octets = np.frombuffer(data, np.uint8)
        heads = gather(octets, self._layout, begins)
        kept = heads["kept"].astype(np.int64)
        damaged = np.flatnonzero(kept > MAX_FRAME)
        if len(damaged):
            self.trouble = f"damaged record: {kept[damaged[0]]} octets in one frame"
            begins, heads, kept = begins[:damaged[0]], heads[:damaged[0]], kept[:damaged[0]]
        elif len(begins) and begins[-1] + self._header + kept[-1] > size:       # the last one is not whole yet
            begins, heads, kept = begins[:-1], heads[:-1], kept[:-1]
        used = int(begins[-1] + self._header + kept[-1]) if len(begins) else 0
        if last and not self.trouble and used < size and len(begins) < MOST:
            self.trouble = "cut short in a record header" if size - used < self._header else "cut short in a frame"
        if not len(begins):
            return [], -1 if self.trouble else used
        stamps = heads["seconds"].astype(np.int64) * 1_000_000_000 + heads["fraction"].astype(np.int64) * self._scale
        batch = Batch(octets, begins + self._header, kept, np.maximum(heads["wire"].astype(np.int64), kept), stamps,
                      self._link)
        return [batch], -1 if self.trouble else used

    def _starts(self, data: memoryview, size: int) -> list[int]:
        """Where each record begins whose header is whole; the last ones may be damaged or not whole.

        Each record's length tells where the next one begins, so this goes one by one, and does nothing else. Only where
        records of one length follow each other, as video makes them, the lengths of many are looked at together.
        """
        kept_of, header, limit = self._kept.unpack_from, self._header, size - self._header
        starts, at, waiting, pause = list[int](), 0, 0, 1
        add, records = starts.append, data[:size]
        while len(starts) < MOST:
            try:
                for _ in range(min(_SINGLY, MOST - len(starts))):
                    step = kept_of(records, at)[0] + header
                    add(at)
                    at += step
            except struct.error:                                         # no whole header is left
                break
            waiting -= 1
            if waiting <= 0 and starts[-2:] == [at - 2 * step, at - step]:
                found = self._alike(data, at, step, min((limit - at) // step + 1, MOST - len(starts)))
                starts.extend(range(at, at + found * step, step))
                at += found * step
                pause = 1 if found > _SINGLY else min(2 * pause, 64)     # tried less often where it brings little
                waiting = pause
        return starts

    def _alike(self, data: memoryview, at: int, step: int, most: int) -> int:
        """How many of the next `most` records are of this length."""
        if most <= _SINGLY:
            return 0
        lengths = np.ndarray((min(most, _TOGETHER),), self._order + "u4", data, at + 8, (step,))
        other = lengths != step - self._header
        return int(np.argmax(other)) if other.any() else len(lengths)
