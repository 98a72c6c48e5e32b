"""TVT's MHED discovery: search to 234.55.55.55:23456, announcements to 234.55.55.56:23456 every two seconds.

Bytes 4 to 7 are one version word and the command is at 8, as the maker's own header file has it. Only command 1
(search) is ever sent; 3 and above change a device's network settings.
"""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, hardware_address, text
from scanner.wire.fields import Fields, build

__all__ = ["GROUP", "MAGIC", "PORT", "REPLY_GROUP", "REPLY_PORT", "TTL", "parse", "request"]

GROUP = "234.55.55.55"
REPLY_GROUP = "234.55.55.56"
PORT = REPLY_PORT = 23456
TTL = 5
MAGIC = b"MHED"
_SEARCH, _INFO = 1, 2
_SIZE = 240
_KINDS = {0: "DVR", 1: "DVS", 2: "IPC", 3: "NVR", 4: "decoder"}


def request() -> bytes:
    """One search of 140 bytes."""
    return MAGIC + struct.pack("<II", 0x00010008, _SEARCH) + bytes(128)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one announcement; older firmware ends before the fields that newer firmware added, which are then absent."""
    if data[:4] != MAGIC:
        return Refusal("not_mhed")
    if len(data) < 68:
        return Refusal("truncated")
    (command,) = struct.unpack_from("<I", data, 8)
    if command != _INFO:
        return Refusal("not_a_reply", f"command {command}")
    (port,) = struct.unpack_from("<H", data, 38)
    version, build_date, http_port, rtsp_port, kind = struct.unpack_from("<IIHHI", data, 52)
    whole = len(data) >= _SIZE
    plausible = 19_900_101 <= build_date <= 21_001_231
    firmware = text(data, 156, 16) if whole else ""
    return build(
        device_name=text(data, 12, 20), mac=hardware_address(data, 32), port=port or None, ipv4=address(data, 40),
        firmware=firmware if firmware.isprintable() and any(map(str.isdigit, firmware)) else _dotted(version),
        build=str(build_date) if plausible else None, http_port=http_port or None, rtsp_port=rtsp_port or None,
        device_type=_KINDS.get(kind, str(kind)), serial=text(data, 140, 16) if whole else None,
        model=text(data, 196, 16) if whole else None, manufacturer=text(data, 212, 16) if whole else None,
        channels=struct.unpack_from("<I", data, 228)[0] % 0x10000 if whole else None)


def _dotted(version: int) -> str:
    """A version word as its four bytes; empty for zero."""
    return ".".join(str(part) for part in version.to_bytes(4, "big")) if version else ""
