"""The blocks of a pcapng file: sections of either byte order, several interfaces, each with its clock and link type.

Enhanced, simple and obsolete packet blocks are read, interface statistics for what was dropped; other blocks are
skipped. Format: draft-ietf-opsawg-pcapng-02.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from scanner.egress.batches import MAX_FRAME, PADDING, Batch, Ints, gather

__all__ = ["MAGIC", "Blocks"]

MAGIC = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _STATISTICS, _PACKET = 0x0A0D0D0A, 1, 2, 3, 5, 6
_MAX_BLOCK = 8 * 1024 * 1024
_MOST = 65_536
_MAX_INTERFACES = 4096
_MAX_OPTIONS = 256
_TSRESOL, _TSOFFSET, _IFDROP, _OSDROP = 9, 14, 5, 7


@dataclass(slots=True)
class _Interface:
    link: int
    snap: int
    resolution: int = 6        # as if_tsresol: a power of ten, or of two where the top bit is set
    offset_s: int = 0


@dataclass(slots=True)
class _Found:
    """Packets of one interface in the data at hand: where their octets begin, and what the block says of them."""

    at: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)


class Blocks:
    """Walks over the blocks of one file; it keeps the section's interfaces between two calls of `walk`."""

    def __init__(self) -> None:
        self.trouble = ""
        self.lost = 0
        self._order = "<"
        self._layouts = {order: np.dtype([(name, order + "u4") for name in (
            "kind", "size", "number", "high", "low", "kept", "wire")]) for order in "<>"}
        self._interfaces: list[_Interface] = []
        self._last_ns = 0
        self._drops: dict[int, int] = {}
        self._section = 0

    def walk(self, data: memoryview, last: bool) -> tuple[list[Batch], int]:
        """The frames of the blocks that lie whole in `data`, and how many octets they took; -1 after damage."""
        batches: list[Batch] = []
        found: dict[int, _Found] = defaultdict(_Found)
        at = count = 0
        whole = len(data) - PADDING
        while at + 12 <= whole and not self.trouble and count < _MOST:
            taken = self._enhanced(data, at, whole, _MOST - count, found)
            if taken:                                  # nearly all blocks are of this kind
                at, count = taken[-1], count + len(taken) - 1
                continue
            kind, size = self._head(data, at)
            if kind < 0 or at + size > whole:
                break
            count += 1
            if kind == _SECTION:
                batches += self._batches(data, found)
                self._section += 1
                self._interfaces = []
            elif kind == _INTERFACE:
                self._interface(bytes(data[at + 8:at + size - 4]))
            elif kind == _STATISTICS:
                self._statistics(bytes(data[at + 8:at + size - 4]))
            elif kind in {_PACKET, _OLD_PACKET, _SIMPLE}:
                self._packet(kind, data, (at + 8, at + size - 4), found)
            at += size
        batches += self._batches(data, found)
        self.lost = sum(self._drops.values())
        if last and not self.trouble and at < whole and count < _MOST:
            self.trouble = "cut short in a block"
        return batches, -1 if self.trouble else at

    def _enhanced(self, data: memoryview, at: int, whole: int, most: int, found: dict[int, _Found]) -> list[int]:
        """Read enhanced packet blocks as long as one follows another; where they begin, and last where they end.

        It is empty where there is none, or where the first is damaged: that is for the slower way to say.
        """
        head_of, places = struct.Struct(self._order + "II").unpack_from, [at]
        add = places.append
        for _ in range(most):
            if at + 32 > whole:
                break
            kind, size = head_of(data, at)
            if kind != _PACKET or size % 4 or not 32 <= size <= _MAX_BLOCK or at + size > whole:
                break
            at += size
            add(at)
        starts = np.array(places[:-1], np.int64)
        heads = gather(np.frombuffer(data, np.uint8), self._layouts[self._order], starts)
        number, kept = heads["number"].astype(np.int64), heads["kept"].astype(np.int64)
        room = np.minimum(MAX_FRAME, heads["size"].astype(np.int64) - 32)
        damaged = np.flatnonzero((number >= len(self._interfaces)) | (kept > room))
        if len(damaged):
            good = int(damaged[0])
            places, starts, heads = places[:good + 1], starts[:good], heads[:good]
            number, kept = number[:good], kept[:good]
        if not len(starts):
            return []
        ticks = heads["high"].astype(np.uint64) << np.uint64(32) | heads["low"].astype(np.uint64)
        for one in np.unique(number).tolist():
            chosen, into = number == one, found[one]
            into.at += (starts[chosen] + 28).tolist()
            into.kept += kept[chosen].tolist()
            into.wire += heads["wire"][chosen].tolist()
            into.stamps += ticks[chosen].tolist()
        return places

    def _head(self, data: memoryview, at: int) -> tuple[int, int]:
        """Type and length of the block at `at`; -1 where it is not whole yet or makes no sense."""
        if data[at:at + 4] == MAGIC:
            magic = bytes(data[at + 8:at + 12])
            if magic not in {b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d"}:
                self.trouble = "damaged section header"
                return -1, 0
            self._order = "<" if magic == b"\x4d\x3c\x2b\x1a" else ">"
        kind, size = struct.unpack_from(self._order + "II", data, at)
        if size % 4 or size < 12 or size > _MAX_BLOCK:
            self.trouble = f"damaged block: {size} octets"
            return -1, 0
        return kind, size

    def _interface(self, body: bytes) -> None:
        if len(body) < 8 or len(self._interfaces) >= _MAX_INTERFACES:
            self.trouble = "damaged interface description"
            return
        link, _, snap = struct.unpack_from(self._order + "HHI", body)
        made = _Interface(link, snap)
        for code, value in self._options(body, 8):
            if code == _TSRESOL and len(value) >= 1:
                made.resolution = value[0]
            elif code == _TSOFFSET and len(value) == 8:
                (made.offset_s,) = struct.unpack(self._order + "q", value)
        self._interfaces.append(made)

    def _statistics(self, body: bytes) -> None:
        if len(body) < 12:
            return
        (number,) = struct.unpack_from(self._order + "I", body)
        dropped = [struct.unpack(self._order + "Q", value)[0] for code, value in self._options(body, 12)
                   if code in {_IFDROP, _OSDROP} and len(value) == 8]
        if dropped and len(self._drops) < _MAX_INTERFACES:
            self._drops[self._section * _MAX_INTERFACES + number] = max(dropped)

    def _options(self, body: bytes, at: int) -> list[tuple[int, bytes]]:
        options: list[tuple[int, bytes]] = []
        while at + 4 <= len(body) and len(options) < _MAX_OPTIONS:
            code, size = struct.unpack_from(self._order + "HH", body, at)
            if code == 0:
                break
            options.append((code, body[at + 4:at + 4 + size]))
            at += 4 + (size + 3) // 4 * 4
        return options

    def _packet(self, kind: int, data: memoryview, body: tuple[int, int], found: dict[int, _Found]) -> None:
        start, end = body
        high = low = number = 0
        if kind == _SIMPLE:
            head = 4
            if end - start < head or not self._interfaces:
                self.trouble = "damaged packet block"
                return
            (wire,) = struct.unpack_from(self._order + "I", data, start)
            kept = min(wire, self._interfaces[0].snap or wire, end - start - head)
        else:
            head = 20
            if end - start < head:
                self.trouble = "damaged packet block"
                return
            layout = "IIIII" if kind == _PACKET else "HHIIII"
            number, *rest = struct.unpack_from(self._order + layout, data, start)
            high, low, kept, wire = rest[-4:]
        if number >= len(self._interfaces) or kept > min(MAX_FRAME, end - start - head):
            self.trouble = "damaged packet block"
            return
        one = found[number]
        one.at.append(start + head)
        one.kept.append(kept)
        one.wire.append(wire)
        before = one.stamps[-1] if one.stamps else -1
        one.stamps.append(before if kind == _SIMPLE else high << 32 | low)

    def _batches(self, data: memoryview, found: dict[int, _Found]) -> list[Batch]:
        if not found:
            return []
        octets = np.frombuffer(data, np.uint8)
        batches = []
        for number, one in found.items():
            interface = self._interfaces[number]
            kept = np.array(one.kept, np.int64)
            stamps = self._times(np.array(one.stamps, np.float64) < 0, one.stamps, interface)
            batches.append(Batch(octets, np.array(one.at, np.int64), kept,
                                 np.maximum(np.array(one.wire, np.int64), kept), stamps, interface.link))
        found.clear()
        return batches

    def _times(self, without: np.ndarray[tuple[int], np.dtype[np.bool_]], ticks: list[int],
               interface: _Interface) -> Ints:
        """Ticks of an interface's clock as nanoseconds; a simple packet has none and gets the last one seen."""
        power = interface.resolution & 0x7F
        scale = 10 ** (9 - power) if power <= 9 else 0
        if scale and interface.resolution == power and not interface.offset_s and not without.any() and (
                max(ticks) * scale < 2**62):                # as nearly all files are
            self._last_ns = ticks[-1] * scale
            return np.array([tick * scale for tick in ticks], np.int64)
        if interface.resolution & 0x80:
            times = [(t * 1_000_000_000) >> power for t in ticks]
        elif power <= 9:
            times = [t * 10 ** (9 - power) for t in ticks]
        else:
            times = [t // 10 ** (power - 9) for t in ticks]
        offset = interface.offset_s * 1_000_000_000
        stamps = np.array([min(max(t + offset, 0), 2**62) for t in times], np.int64)
        stamps[without] = self._last_ns
        if len(stamps):
            self._last_ns = int(stamps[-1])
        return stamps
