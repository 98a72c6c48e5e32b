"""RTP packets to access units: RFC 3550 headers, H.264 (RFC 6184) and H.265 (RFC 7798) payloads, sans-IO.

A camera's packets are hostile like all else it says: lengths are checked, an access unit has a size cap, fragments
without a beginning are dropped and counted, and after a loss nothing is given out until the next key picture, because a
decoder fed with holes shows grey people who were never there.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from scanner.observation import Refusal

__all__ = ["AccessUnit", "Codec", "Counters", "Depacketizer", "MediaClock", "Packet", "parameter_sets", "parse"]

START_CODE = b"\x00\x00\x00\x01"
MOST_UNIT_BYTES = 8 * 1024 * 1024       # a key picture of a 12-megapixel camera stays well below
MOST_NALS = 1024
MOST_SETS = 64
MOST_SET_BYTES = 4096
CLOCK_HZ = 90_000                       # of every video payload format (RFC 3551 section 5)


class Codec(StrEnum):
    """The codecs that are read, by their RTP encoding names."""

    H264 = "H264"
    H265 = "H265"


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet (RFC 3550 section 5.1) without its header extension and padding."""

    payload_type: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture as an Annex B byte stream; `timestamp` in 90 kHz ticks (32 bits, wraps); `key` for IDR or IRAP."""

    data: bytes
    timestamp: int
    key: bool


@dataclass(slots=True)
class Counters:
    """What came and what was dropped, so that nothing is dropped in silence."""

    packets: int = 0
    lost: int = 0
    malformed: int = 0
    unsupported: int = 0
    oversized: int = 0
    units: int = 0
    units_dropped: int = 0


def parse(data: bytes) -> Packet | Refusal:
    """Read one RTP packet; a `Refusal` where the header does not fit the bytes."""
    if len(data) < 12:
        return Refusal("short", f"{len(data)} bytes")
    first, second, sequence, timestamp = struct.unpack_from(">BBHI", data)
    if first >> 6 != 2:
        return Refusal("version", str(first >> 6))
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            return Refusal("extension")
        start += 4 + 4 * struct.unpack_from(">H", data, start + 2)[0]
    end = len(data)
    if first & 0x20:
        end -= data[-1]
        if data[-1] == 0:
            return Refusal("padding")
    if start > end:
        return Refusal("short", "header longer than the packet")
    return Packet(second & 0x7F, sequence, timestamp, bool(second & 0x80), data[start:end])


def parameter_sets(fmtp: str) -> tuple[bytes, ...]:
    """The NAL units of ``sprop-parameter-sets`` (RFC 6184 8.1) or ``sprop-vps/-sps/-pps`` (RFC 7798 7.1)."""
    found: list[bytes] = []
    for part in fmtp.split(";"):
        name, _, value = part.strip().partition("=")
        if name.lower() in ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps"):
            for text in value.split(",")[:8]:
                try:
                    unit = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
                except (binascii.Error, ValueError):
                    continue                 # the stream repeats its parameter sets; a mangled copy costs nothing
                if 0 < len(unit) <= MOST_SET_BYTES:
                    found.append(unit)
    return tuple(found)


@dataclass(slots=True)
class MediaClock:
    """RTP timestamps as seconds since the first one: across the wrap of 32 bits, and never running backwards."""

    _last: int | None = None
    _ticks: int = 0

    def seconds(self, timestamp: int) -> float:
        """The time of `timestamp`; one that lies before the newest (a reordered picture) gets the newest's time."""
        step = 0 if self._last is None else (timestamp - self._last) & 0xFFFFFFFF
        if self._last is None or step < 0x80000000:
            self._last, self._ticks = timestamp, self._ticks + step
        return self._ticks / CLOCK_HZ


@dataclass(slots=True)
class Depacketizer:
    """Feeds on RTP packets of one video track and gives out whole access units.

    Args:
        codec: H.264 or H.265.
        sets: parameter sets from the SDP, put before the first key picture.

    Parameter sets that arrive while pictures are held back are kept and put before the next key picture.
    """

    codec: Codec
    sets: Sequence[bytes] = ()
    counters: Counters = field(default_factory=Counters)
    _nals: list[bytes] = field(default_factory=list)
    _fragment: bytearray | None = None
    _size: int = 0
    _timestamp: int | None = None
    _expected: int | None = None
    _broken: bool = False            # the unit being gathered has a hole
    _waiting: bool = True            # nothing goes out before a key picture
    _kept: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kept = list(self.sets)[:MOST_SETS]

    def feed(self, data: bytes) -> Iterator[AccessUnit]:
        """The access units that this packet completes: none, one, or two where a marker was missing."""
        packet = parse(data)
        if isinstance(packet, Refusal):
            self.counters.malformed += 1
            return
        self.counters.packets += 1
        lost = self.counters.lost
        if self._late(packet.sequence):
            return
        if self._timestamp is not None and packet.timestamp != self._timestamp:
            yield from self._finish()
            # What was lost may have been the end of the last picture or the beginning of this one: neither is whole.
            self._broken = self.counters.lost > lost
        self._timestamp = packet.timestamp
        if not self._take(packet.payload):
            self._broken = True
        if packet.marker:
            yield from self._finish()

    def _late(self, sequence: int) -> bool:
        """Count a gap in the sequence; true for a packet from the past, which TCP never brings and is not wanted."""
        if self._expected is not None and sequence != self._expected:
            gap = (sequence - self._expected) & 0xFFFF
            if gap >= 0x8000:
                self.counters.malformed += 1
                return True
            self.counters.lost += gap
            self._broken = True
            self._fragment = None
        self._expected = (sequence + 1) & 0xFFFF
        return False

    def _take(self, payload: bytes) -> bool:
        """Take one payload in; false where it left a hole."""
        header = 1 if self.codec is Codec.H264 else 2
        if len(payload) <= header:
            self.counters.malformed += 1
            return False
        if self._fragment is not None and not self._continues(payload):
            self.counters.malformed += 1                     # a fragment that never got its end
            self._fragment, self._broken = None, True
        if self.codec is Codec.H264:
            kind = payload[0] & 0x1F
            if 1 <= kind <= 23:
                return self._add(payload)
            if kind == 24:                                   # STAP-A, 5.7.1
                return self._aggregate(payload[1:])
            if kind == 28:                                   # FU-A, 5.8
                return self._fragments(payload[1], bytes([payload[0] & 0xE0 | payload[1] & 0x1F]), payload[2:])
        else:
            kind = payload[0] >> 1 & 0x3F
            if kind < 48:
                return self._add(payload)
            if kind == 48:                                   # AP, 4.4.2
                return self._aggregate(payload[2:])
            if kind == 49:                                   # FU, 4.4.3
                head = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
                return self._fragments(payload[2], head, payload[3:])
        self.counters.unsupported += 1
        return False

    def _continues(self, payload: bytes) -> bool:
        """Whether a payload is a further fragment of the NAL unit that is being put together."""
        if self.codec is Codec.H264:
            return payload[0] & 0x1F == 28 and not payload[1] & 0x80
        return payload[0] >> 1 & 0x3F == 49 and not payload[2] & 0x80

    def _aggregate(self, rest: bytes) -> bool:
        while rest:
            if len(rest) < 2:
                self.counters.malformed += 1
                return False
            size = struct.unpack_from(">H", rest)[0]
            if size == 0 or size > len(rest) - 2:
                self.counters.malformed += 1
                return False
            if not self._add(rest[2:2 + size]):
                return False
            rest = rest[2 + size:]
        return True

    def _fragments(self, flags: int, header: bytes, piece: bytes) -> bool:
        if flags & 0x80:                                     # S: the first fragment of a NAL unit
            self._fragment = bytearray(header)
        elif self._fragment is None:
            self.counters.malformed += not self._broken      # the hole that took its beginning is counted already
            return False
        if self._fragment is None or len(self._fragment) + len(piece) + self._size > MOST_UNIT_BYTES:
            self.counters.oversized += 1
            self._fragment = None
            return False
        self._fragment += piece
        if flags & 0x40:                                     # E: the last one
            whole, self._fragment = bytes(self._fragment), None
            return self._add(whole)
        return True

    def _add(self, nal: bytes) -> bool:
        if self._size + len(nal) > MOST_UNIT_BYTES or len(self._nals) >= MOST_NALS:
            self.counters.oversized += 1
            return False
        self._nals.append(nal)
        self._size += len(nal) + len(START_CODE)
        return True

    def _finish(self) -> Iterator[AccessUnit]:
        nals, timestamp, broken = self._nals, self._timestamp, self._broken or self._fragment is not None
        self._nals, self._size, self._fragment, self._broken, self._timestamp = [], 0, None, False, None
        if not nals and not broken:
            return
        key = any(self._starts_picture(nal) for nal in nals)
        if broken:
            self._waiting = True
        if broken or not nals or (self._waiting and not key):
            self._keep(nals)
            self.counters.units_dropped += any(not self._is_set(nal) for nal in nals) or not nals
            return
        if self._waiting:
            nals = [*self._kept, *nals]
            self._kept, self._waiting = [], False
        self.counters.units += 1
        yield AccessUnit(b"".join(START_CODE + nal for nal in nals), timestamp or 0, key)

    def _keep(self, nals: Sequence[bytes]) -> None:
        """Remember the parameter sets of a unit that is not given out: the next key picture may rest on them."""
        for nal in nals:
            if self._is_set(nal) and len(nal) <= MOST_SET_BYTES and nal not in self._kept:
                self._kept = [*self._kept[-MOST_SETS + 1:], nal]

    def _is_set(self, nal: bytes) -> bool:
        if self.codec is Codec.H264:
            return nal[0] & 0x1F in (7, 8)                   # SPS, PPS
        return 32 <= (nal[0] >> 1 & 0x3F) <= 34              # VPS, SPS, PPS

    def _starts_picture(self, nal: bytes) -> bool:
        if self.codec is Codec.H264:
            return nal[0] & 0x1F == 5                        # IDR
        return 16 <= (nal[0] >> 1 & 0x3F) <= 23              # IRAP
