"""DHCP's vendor class (option 60, RFC 2132 section 9.13): what a device calls itself when it asks for an address."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build
from scanner.wire.text import clean

__all__ = ["parse"]

_PARTS = 4


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``vendor_class``, and its parts where it has the form ``AXIS,Network Camera,M1065-LW,8.40``."""
    text = clean(data[:512])
    if not text:
        return Refusal("empty")
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == _PARTS and all(parts) and parts[3][0].isdigit():
        return build(vendor_class=text, manufacturer=parts[0], device_type=parts[1], model=parts[2], firmware=parts[3])
    return build(vendor_class=text)
