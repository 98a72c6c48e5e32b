"""360 Vision Technology discovery, UDP 3600 broadcast: the word ``DISCOVER``, one line of ``NAME=value`` pairs back."""

from __future__ import annotations

import re
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build, mac
from scanner.wire.text import decode

__all__ = ["PORT", "parse", "request"]

PORT = 3600
_PAIR = re.compile(r"\b([A-Za-z_]\w{0,31})=(?:'([^'\n]{0,128})'|\"([^\"\n]{0,128})\"|([^\s'\"]{0,128}))")


def request() -> bytes:
    """The one word, ended by a line feed."""
    return b"DISCOVER\n"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read the first line of one reply; ``TYPE`` must be in it. ``KEY`` is a serial number and often a MAC."""
    if len(data) > 8_192:
        return Refusal("too_large")
    line = decode(data)[0].partition("\n")[0]
    said = {match[1].upper(): next(filter(None, match.groups()[1:]), "") for match in _PAIR.finditer(line)}
    if not said.get("TYPE"):
        return Refusal("not_vision360")
    key = said.get("KEY", "")
    return build(device_type=said["TYPE"], serial=key, mac=mac(key), device_id=said.get("ID"))
