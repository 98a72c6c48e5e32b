"""Reads capture files frame by frame: classic pcap in both byte orders, with microsecond or nanosecond stamps.

A capture is as hostile as a device: lengths are capped, a cut or damaged file gives the frames before the damage, and
`PcapReader.trouble` says what was wrong instead of an exception. Format: draft-ietf-opsawg-pcap-04.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["MAX_FRAME", "Frame", "PcapReader"]

MAX_FRAME = 262_144
"""Octets of one frame; libpcap writes no larger snapshot, so a longer one is a damaged record."""

_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),   # little-endian, microseconds
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),       # nanoseconds
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame: nanoseconds since the epoch, LINKTYPE number, the octets kept, and its length on the wire."""

    at_ns: int
    link: int
    data: bytes
    wire_length: int


class PcapReader:
    """Iterates over the frames of one pcap stream once; afterwards `trouble` is empty or says why it ended early."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.trouble = ""

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames in file order until the end or the first damaged record."""
        header = self._stream.read(24)
        if header[:4] == _PCAPNG:
            self.trouble = "pcapng is not read yet"
            return
        if header[:4] not in _MAGIC:
            self.trouble = "not a pcap file" if header else "empty file"
            return
        if len(header) < 24:
            self.trouble = "cut short in the file header"
            return
        order, scale = _MAGIC[header[:4]]
        link = struct.unpack_from(order + "I", header, 20)[0] & 0xFFFF   # the rest describes the FCS
        record = struct.Struct(order + "IIII")
        while head := self._stream.read(record.size):
            if len(head) < record.size:
                self.trouble = "cut short in a record header"
                return
            seconds, fraction, kept, length = record.unpack(head)
            if kept > MAX_FRAME:
                self.trouble = f"damaged record: {kept} octets in one frame"
                return
            data = self._stream.read(kept)
            if len(data) < kept:
                self.trouble = "cut short in a frame"
                return
            yield Frame(seconds * 1_000_000_000 + fraction * scale, link, data, max(length, kept))
