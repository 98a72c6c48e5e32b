"""MAC addresses and who a block of them was assigned to: normal form, and the longest registered prefix that fits.

Blocks come in three sizes (IEEE MA-L 24, MA-M 28, MA-S 36 bits), so a prefix is 6, 7 or 9 hexadecimal digits and the
longest wins. A locally administered or group address belongs to nobody and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

__all__ = ["PREFIX", "longest_prefix", "normal_mac"]

PREFIX = r"^(?:[0-9A-F]{6}|[0-9A-F]{7}|[0-9A-F]{9})$"
_LENGTHS = (9, 7, 6)
_MAC = re.compile(r"(?i)^(?:[0-9a-f]{12}|(?:[0-9a-f]{2}[:\-. _]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$")
_LOCAL_OR_GROUP = 0x03
_SEPARATORS = str.maketrans("", "", ":-. _")
_NOBODY = frozenset({"0" * 12, "F" * 12})

Owner = TypeVar("Owner")


def normal_mac(text: str) -> str | None:
    """``AA:BB:CC:DD:EE:FF`` from any usual spelling; None for what is no address, all zeros or all ones."""
    text = text.strip()
    if not _MAC.match(text):
        return None
    digits = text.translate(_SEPARATORS).upper()
    if digits in _NOBODY:
        return None
    return ":".join((digits[:2], digits[2:4], digits[4:6], digits[6:8], digits[8:10], digits[10:]))


def longest_prefix(mac: str, table: Mapping[str, Owner]) -> Owner | None:
    """What `table` holds for the longest prefix of `mac` (normal form); None for unassigned or local addresses."""
    digits = mac.replace(":", "")
    if int(digits[:2], 16) & _LOCAL_OR_GROUP:
        return None
    for length in _LENGTHS:
        owner = table.get(digits[:length])
        if owner is not None:
            return owner
    return None
