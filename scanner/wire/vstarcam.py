"""VStarcam discovery, UDP 8600 broadcast: ``DH`` 01 01 asks, ``DH`` 01 08 answers with fixed text fields."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import hardware_address, text
from scanner.wire.fields import Fields, build, ipv4

__all__ = ["ANSWER", "PORT", "parse", "request"]

PORT = 8600
ANSWER = b"\x44\x48\x01\x08"
_SIZE = 0x100


def request() -> bytes:
    """One search of four bytes."""
    return b"\x44\x48\x01\x01"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply of at least 256 bytes; the second half of longer ones is documented nowhere and left unread."""
    if data[:4] != ANSWER:
        return Refusal("not_vstarcam")
    if len(data) < _SIZE:
        return Refusal("truncated")
    return build(ipv4=ipv4(text(data, 0x04, 16)), mac=hardware_address(data, 0x54),
                 http_port=int.from_bytes(data[0x5A:0x5C], "little") or None, serial=text(data, 0x5C, 32),
                 device_name=text(data, 0x7C, 32), firmware=text(data, 0xCC, 32)) or Refusal("empty")
