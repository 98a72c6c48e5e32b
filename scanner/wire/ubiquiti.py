"""Ubiquiti discovery, UDP 10001: four bytes to group 233.89.188.1 and broadcast; records come back.

The reply's head is a version, a command and the length of the records that follow; the records are one byte of type,
two of length, big-endian. Access points and routers answer as cameras do, so the answer names the maker, not the kind.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, hardware_address, records
from scanner.wire.fields import Fields, build

__all__ = ["GROUP", "PORT", "parse", "request"]

GROUP = "233.89.188.1"
PORT = 10001
_VERSIONS = (1, 2)
_MAC, _MAC_AND_ADDRESS, _FIRMWARE, _HOST, _PLATFORM = 0x01, 0x02, 0x03, 0x0B, 0x0C
_MODEL_SHORT, _MODEL, _VERSION, _HARDWARE = 0x14, 0x15, 0x16, 0x1B


def request() -> bytes:
    """Version 1, command 0, no records."""
    return b"\x01\x00\x00\x00"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply of version 1 or 2; it must name a MAC, since four bytes are no proof of a protocol."""
    if len(data) < 4 or data[0] not in _VERSIONS:
        return Refusal("not_ubiquiti")
    length = int.from_bytes(data[2:4], "big")
    if not 0 < length <= len(data) - 4:
        return Refusal("truncated" if length else "not_a_reply")
    found: dict[int, bytes] = {}
    for kind, value in records(data[:4 + length], 4, type_size=1, length_size=2):
        found.setdefault(kind, value)
    pair = found.get(_MAC_AND_ADDRESS, b"")
    hardware = hardware_address(found.get(_MAC, b""), 0) or hardware_address(pair, 0)
    if not hardware:
        return Refusal("not_ubiquiti", "no MAC")

    def said(*kinds: int) -> str:
        values = (found.get(kind, b"").rstrip(b"\0").decode("utf-8", "replace").strip() for kind in kinds)
        return next(filter(None, values), "")

    return build(mac=hardware, ipv4=address(pair, 6), device_name=said(_HOST), hardware=said(_HARDWARE),
                 model=said(_MODEL, _MODEL_SHORT, _PLATFORM), firmware=said(_VERSION, _FIRMWARE))
