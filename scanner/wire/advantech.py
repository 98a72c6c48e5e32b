"""Advantech (ADAM) discovery, UDP 5048 broadcast: 60 bytes that begin with ``MADA``.

These are input and output modules that stand in the same cabinets as cameras: knowing them keeps them from being asked
like one.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import hardware_address, text
from scanner.wire.fields import Fields, build

__all__ = ["MAGIC", "PORT", "parse", "request"]

PORT = 5048
MAGIC = b"MADA"
_HEADER = 0x38
_REPLY_AT, _KIND_AT, _MODEL_AT = 0x34, 0x35, _HEADER + 0x32
_PRODUCT = 0x20


def request() -> bytes:
    """One question for the product type."""
    head = MAGIC + bytes.fromhex("0000008301005000") + bytes(_REPLY_AT - 12)
    return head + bytes((0, _PRODUCT)) + bytes(6)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply; only a reply about the product type carries the model."""
    if data[:4] != MAGIC:
        return Refusal("not_advantech")
    if len(data) < _HEADER:
        return Refusal("truncated")
    if data[_REPLY_AT] != 0x80:
        return Refusal("not_a_reply")
    model = text(data, _MODEL_AT, 64) if data[_KIND_AT] == _PRODUCT else ""
    return build(mac=hardware_address(data, 0x0D), model=model if model.isprintable() else "") or Refusal("empty")
