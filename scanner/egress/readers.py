"""Reads capture files in batches of frames: classic pcap in all its variants, pcapng, either of them gzipped.

A capture is as hostile as a device: lengths are capped, a cut or damaged file gives the frames before the damage, and
`CaptureReader.trouble` says what was wrong instead of an exception. Formats: draft-ietf-opsawg-pcap-04 and
draft-ietf-opsawg-pcapng-02.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from scanner.egress.ahead import pieces
from scanner.egress.batches import PADDING, Batch
from scanner.egress.pcapng import MAGIC as PCAPNG
from scanner.egress.pcapng import Blocks
from scanner.egress.records import Records

__all__ = ["CHUNK", "CaptureReader"]

CHUNK = 10 * 1024 * 1024
"""Octets read at once, more than the longest frame or block."""
MOST = 20_480
"""Frames of one batch; the memory that reading takes follows from it."""

_GZIP = b"\x1f\x8b"
_MAGIC = {          # byte order, nanoseconds a fraction, octets of a record's header
    b"\xd4\xc3\xb2\xa1": ("<", 1_000, 16),
    b"\xa1\xb2\xc3\xd4": (">", 1_000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1_000, 24),      # with the patched libpcap's interface fields behind the lengths
    b"\xa1\xb2\xcd\x34": (">", 1_000, 24),
}
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
            records = Records(*_MAGIC[begin[:4]], begin, MOST)
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
        """Look through piece after piece; what is not whole at the end of one is left for the next."""
        for piece in pieces(self._fill, begin, CHUNK, PADDING):
            filled, used = piece.end - piece.begin, 0
            while True:                                  # several batches, where frames are short
                batches, step = walk(piece.octets(used, PADDING), piece.last)
                yield from batches
                if step < 0:
                    return
                used += step
                if step == 0:
                    break
            piece.left = filled - used
            if piece.left > CHUNK:                       # longer than any frame or block may be
                return


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
