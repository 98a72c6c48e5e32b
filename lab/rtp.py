"""RTP packets of H.264 (RFC 6184) and H.265 (RFC 7798), sender reports (RFC 3550), interleaving (RFC 2326 §10.12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from lab.bitstream import is_parameter_set
from lab.scenes import Codec

__all__ = ["PAYLOAD_TYPE", "interleaved", "packet", "payloads", "sender_report"]

PAYLOAD_TYPE = 96
MAX_PAYLOAD = 1400
STAP_A, FU_A = 24, 28                            # RFC 6184 §5.7.1, §5.8
AP, FU = 48, 49                                  # RFC 7798 §4.4.2, §4.4.3
NTP_EPOCH = 2_208_988_800                        # seconds from 1900 to 1970
FIRST, LAST = 0x80, 0x40


def payloads(codec: Codec, unit: Sequence[bytes]) -> Iterator[bytes]:
    """The payloads that carry one access unit: parameter sets together, large units in fragments, the others alone."""
    sets = [nal for nal in unit if is_parameter_set(codec, nal)]
    if sets:
        yield from [_together(codec, sets)] if len(sets) > 1 else sets
    for nal in unit:
        if is_parameter_set(codec, nal):
            continue
        if len(nal) <= MAX_PAYLOAD:
            yield nal
        else:
            yield from _fragments(codec, nal)


def _together(codec: Codec, nals: Sequence[bytes]) -> bytes:
    is_h264 = codec is Codec.H264
    head = bytes((max(nal[0] & 0x60 for nal in nals) | STAP_A,)) if is_h264 else bytes((AP << 1, nals[0][1]))
    return head + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def _fragments(codec: Codec, nal: bytes) -> Iterator[bytes]:
    if codec is Codec.H264:
        indicator, kind, body = bytes((nal[0] & 0xE0 | FU_A,)), nal[0] & 0x1F, nal[1:]
    else:
        indicator, kind, body = bytes((nal[0] & 0x81 | FU << 1, nal[1])), nal[0] >> 1 & 0x3F, nal[2:]
    for start in range(0, len(body), MAX_PAYLOAD):
        edge = (FIRST if start == 0 else 0) | (LAST if start + MAX_PAYLOAD >= len(body) else 0)
        yield indicator + bytes((edge | kind,)) + body[start:start + MAX_PAYLOAD]


def packet(payload: bytes, sequence: int, timestamp: int, source: int, *, last: bool) -> bytes:
    """One RTP packet (RFC 3550 §5.1); `last` marks the end of a picture. Numbers wrap by themselves."""
    marker = 0x80 if last else 0
    return struct.pack(">BBHII", 0x80, marker | PAYLOAD_TYPE, sequence & 0xFFFF, timestamp & 0xFFFFFFFF,
                       source) + payload


def sender_report(source: int, unix_time: float, timestamp: int, packets: int, octets: int, name: str) -> bytes:
    """A sender report and the source's canonical name (RFC 3550 §6.4.1, §6.5)."""
    seconds = int(unix_time)
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, source, seconds + NTP_EPOCH & 0xFFFFFFFF,
                         int((unix_time - seconds) * 2**32), timestamp & 0xFFFFFFFF,
                         packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    text = name.encode()[:255]
    item = bytes((1, len(text))) + text + b"\x00"
    item += bytes(-len(item) % 4)
    return report + struct.pack(">BBHI", 0x81, 202, 1 + len(item) // 4, source) + item


def interleaved(channel: int, data: bytes) -> bytes:
    """One packet as it travels inside the RTSP connection."""
    return struct.pack(">cBH", b"$", channel, len(data)) + data
