"""NiceVision (NICE, later Qognify) discovery, UDP 2007 broadcast; the question names the port for the answer."""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, hardware_address, text
from scanner.wire.fields import Fields, build

__all__ = ["MAGIC", "PORT", "parse", "request"]

PORT = 2007
MAGIC = b"NICE"
_SEARCH = 0x01080000
_SIZE = 0x5A


def request(transaction: int, answer_port: int = PORT) -> bytes:
    """One search of 14 bytes, as a program in use sends it: two bytes stay unused before the port for the answer."""
    return MAGIC + struct.pack(">HIHH", transaction & 0xFFFF, _SEARCH, 0, answer_port)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply of 90 bytes: MAC, address, a version of four numbers, name."""
    if data[:4] != MAGIC:
        return Refusal("not_nice")
    if len(data) < _SIZE:
        return Refusal("not_a_reply" if len(data) == 14 else "truncated")
    version = struct.unpack_from(">4H", data, 0x1E)
    return build(mac=hardware_address(data, 0x0A), ipv4=address(data, 0x10), device_name=text(data, 0x4A, 16),
                 firmware=".".join(map(str, version)) if any(version) else None) or Refusal("empty")
