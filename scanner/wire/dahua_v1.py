"""Dahua's older discovery, UDP 5050: a 32-byte question by broadcast, a reply in three sections."""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, text
from scanner.wire.fields import Fields, build, mac

__all__ = ["PORT", "parse", "request"]

PORT = 5050
_SECTION = 0x78


def request() -> bytes:
    """The search datagram; nothing in it varies."""
    return b"\xa3\x01\x00\x01" + bytes(12) + b"\x02" + bytes(15)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: fixed section, then MAC text and long model, then ``Name:`` lines."""
    if data[:1] != b"\xb3":
        return Refusal("not_dahua_v1")
    if len(data) < _SECTION:
        return Refusal("truncated")
    second = data[2]
    (third,) = struct.unpack_from("<H", data, 0x14)
    named = data[_SECTION:_SECTION + second].decode("utf-8", "replace")
    lines = data[_SECTION + second:_SECTION + second + third].decode("utf-8", "replace")
    said = {key.strip().casefold(): value.strip("\0 ") for key, _, value in
            (line.partition(":") for line in lines.replace("\r", "").split("\n")[:64])}
    return build(
        device_type=text(data, 0x28, 16), ipv4=address(data, 0x38), mac=mac(named[:17]),
        model=named[17:].strip("\0 ") or said.get("device", ""), serial=said.get("serialno"),
        device_name=said.get("name"))
