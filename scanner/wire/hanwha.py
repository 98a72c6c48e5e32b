"""Hanwha (Wisenet, Samsung Techwin) discovery: 262 bytes to UDP 7701 by broadcast, the reply to UDP 7711."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import text
from scanner.wire.fields import Fields, build, ipv4, mac

__all__ = ["PORT", "REPLY_PORT", "SIZE", "parse", "request"]

PORT = 7701
REPLY_PORT = 7711
SIZE = 0x106


def request() -> bytes:
    """One question: type 1 and zeros."""
    return b"\x01" + bytes(SIZE - 1)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: type 0x0b, then fixed text fields."""
    if data[:1] != b"\x0b":
        return Refusal("not_hanwha")
    if len(data) < 0xAC:
        return Refusal("truncated")
    hardware = mac(text(data, 0x13, 18))
    if not hardware:
        return Refusal("not_hanwha", "no MAC")
    return build(mac=hardware, ipv4=ipv4(text(data, 0x25, 16)), model=text(data, 0x6D, 10), url=text(data, 0x85, 39))
