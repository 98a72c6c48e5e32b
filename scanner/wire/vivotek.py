"""Vivotek discovery, UDP 10000 broadcast: five bytes out, the same five and records back. Foscam shares the port."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, hardware_address
from scanner.wire.fields import Fields, build

__all__ = ["MAGIC", "PORT", "parse", "request"]

PORT = 10000
MAGIC = b"\x4a\x5d\x8f\x1c"
_LONG_NAME, _MAC, _ADDRESS, _BARE, _SHORT_NAME = 1, 2, 3, 4, 9


def request(session: int = 1) -> bytes:
    """One question with a session number of one byte."""
    return bytes([session & 0xFF]) + MAGIC


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: type and length of one byte each, but type 4 has no length and one byte of value."""
    if data[1:5] != MAGIC:
        return Refusal("not_vivotek")
    found: dict[int, bytes] = {}
    at = 5
    while at + 1 < len(data) and len(found) < 32:
        kind = data[at]
        size, value_at = (1, at + 1) if kind == _BARE else (data[at + 1], at + 2)
        if value_at + size > len(data):
            break
        found.setdefault(kind, data[value_at:value_at + size])
        at = value_at + size
    if not found:
        return Refusal("truncated")
    names = {kind: found.get(kind, b"").decode("utf-8", "replace") for kind in (_LONG_NAME, _SHORT_NAME)}
    return build(device_name=names[_LONG_NAME], model=names[_SHORT_NAME] or names[_LONG_NAME],
                 mac=hardware_address(found.get(_MAC, b""), 0), ipv4=address(found.get(_ADDRESS, b""), 0))
