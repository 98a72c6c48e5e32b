"""Reads a stream one piece ahead: while one piece is looked through, the next is read (and unpacked) beside it.

Both leave the interpreter free to run the other. There are two buffers in all; what is left over of one piece is laid
in front of the next, so that what reaches over its end lies whole in memory.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

__all__ = ["Piece", "pieces"]

_HUGE = 1 << 21
"""A huge page: with small ones every frame of a capture costs a miss."""
Fill = Callable[[memoryview], int]
"""Fills a part of a buffer and says how far; 0 at the end."""


@dataclass(slots=True)
class Piece:
    """Octets of a stream: ``buffer[begin:end]``, of which its reader says in `left` how many it leaves for the next.

    Behind `end` lie at least `padding` more octets that may be read and mean nothing.
    """

    buffer: mmap.mmap
    begin: int
    end: int
    last: bool
    left: int = 0

    def octets(self, used: int, padding: int) -> memoryview:
        """What lies behind the first `used` octets, with the padding."""
        return memoryview(self.buffer)[self.begin + used:self.end + padding]


def pieces(fill: Fill, begin: bytes, size: int, padding: int) -> Iterator[Piece]:
    """The stream in pieces of `size` fresh octets, the first with `begin` in front; the last may be shorter.

    A reader leaves at most `size` octets of a piece. Errors of `fill` are raised here.
    """
    buffers = [_buffer(2 * size + padding), _buffer(2 * size + padding)]
    with ThreadPoolExecutor(max_workers=1) as beside:
        buffers[0][size - len(begin):size] = begin
        read = _full(fill, memoryview(buffers[0])[size:2 * size])
        carried, turn = len(begin), 0
        while True:
            ended = read < size
            following = None if ended else beside.submit(_full, fill, memoryview(buffers[1 - turn])[size:2 * size])
            piece = Piece(buffers[turn], size - carried, size + read, ended)
            yield piece
            if following is None:
                return
            read, carried = following.result(), piece.left
            buffers[1 - turn][size - carried:size] = buffers[turn][piece.end - carried:piece.end]
            turn = 1 - turn


def _full(fill: Fill, room: memoryview) -> int:
    """Fill all of the room, or up to the end of the stream."""
    filled = 0
    while filled < len(room) and (more := fill(room[filled:])):
        filled += more
    return filled


def _buffer(size: int) -> mmap.mmap:
    buffer = mmap.mmap(-1, size + _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer
