"""TP-Link device discovery (Tapo, Kasa, VIGI), UDP 20002: a 16-byte header with a checksum, then JSON."""

from __future__ import annotations

import struct
import zlib
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.documents import declared
from scanner.wire.fields import Fields

__all__ = ["PORT", "parse", "request"]

PORT = 20002
_SEED = 0x5A6B7C8D


def request() -> bytes:
    """The search datagram. The last word is a CRC-32 over the first twelve bytes and a fixed seed in its own place."""
    head = bytes.fromhex("020000010000000000000000")
    return head + struct.pack(">I", zlib.crc32(head + struct.pack(">I", _SEED)))


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply, with or without its header."""
    start = data.find(b"{", 0, 64)
    if start < 0 or len(data) > 65_535:
        return Refusal("malformed", "no JSON")
    found = declared(data[start:])
    return found if found.get("document") == "tplink" else Refusal("not_tplink")
