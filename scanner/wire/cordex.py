"""CorDEX MONITIR thermal cameras, UDP 46000 broadcast (MN4000 manual, "IP address discovery").

The manual gives the question and leaves out the answer, so any other datagram from that port proves presence and is
kept without being read.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields

__all__ = ["PORT", "parse", "request"]

PORT = 46000
_QUESTION = b"MonitIR?"


def request() -> bytes:
    """The question as the manual spells it."""
    return _QUESTION


def parse(data: bytes, source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``opaque`` for whatever comes from the discovery port and is not the question come back."""
    if not data or data.strip(b"\0\r\n ") == _QUESTION or source.port != PORT:
        return Refusal("not_cordex")
    return {"opaque": True, "length": len(data)}
