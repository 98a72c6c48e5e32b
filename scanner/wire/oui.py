"""MAC addresses in one form: upper case, colons. What a prefix says of a maker is the rules' business."""

from __future__ import annotations

import re

__all__ = ["normalise", "prefix"]

_HEX = re.compile(r"[0-9A-Fa-f]{12}")
_GROUPED = re.compile(r"[0-9A-Fa-f]{1,2}([:-])[0-9A-Fa-f]{1,2}(?:\1[0-9A-Fa-f]{1,2}){4}")
_DOTTED = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_NOBODY = frozenset({"00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"})


def normalise(text: str) -> str:
    """``AA:BB:CC:DD:EE:FF`` from colons, dashes, dots or twelve plain digits; empty for anything else.

    >>> normalise("58-50-ed-1f-e3-85")
    '58:50:ED:1F:E3:85'
    """
    text = text.strip()
    if _GROUPED.fullmatch(text):
        digits = "".join(part.zfill(2) for part in re.split("[:-]", text))
    elif _HEX.fullmatch(text) or _DOTTED.fullmatch(text):
        digits = text.replace(".", "")
    else:
        return ""
    mac = ":".join(digits[i:i + 2] for i in range(0, 12, 2)).upper()
    return "" if mac in _NOBODY else mac


def prefix(mac: str) -> str:
    """The first three octets of a MAC as ``AABBCC``, the form OUI lists use; empty where `mac` is none."""
    return normalise(mac).replace(":", "")[:6]
