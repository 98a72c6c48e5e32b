"""What a telnet, FTP or SMTP server says first, as text; what it means is for a maker's rules."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields
from scanner.wire.text import clean_block

__all__ = ["parse"]

MAX_BYTES = 4_096
_IAC, _SB, _SE = 0xFF, 0xFA, 0xF0


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``banner``: lines of text without telnet negotiation; a binary greeting has none and is refused."""
    text = clean_block(_without_negotiation(data[:MAX_BYTES]), MAX_BYTES)
    return {"banner": text} if text else Refusal("not_text" if data else "empty")


def _without_negotiation(data: bytes) -> bytes:
    """RFC 854: IAC and a command of one byte, WILL to DONT with an option, SB up to IAC SE; IAC IAC is one 0xff."""
    if data[:1] != b"\xff" and b"\xff\xfb" not in data and b"\xff\xfd" not in data:
        return data
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] != _IAC:
            out.append(data[at])
            at += 1
            continue
        command = data[at + 1] if at + 1 < len(data) else 0
        if command == _IAC:
            out.append(_IAC)
            at += 2
        elif command == _SB:
            end = data.find(bytes([_IAC, _SE]), at)
            at = len(data) if end < 0 else end + 2
        else:
            at += 3 if 0xFB <= command <= 0xFE else 2
    return bytes(out)
