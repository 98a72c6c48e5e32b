"""What a destination is for in words, whether it can be blocked, and what stops working then.

The answer is data (``rules/data/blocking``), one entry a purpose. Of a destination that nobody knows nothing is made
up: it is unknown, and the advice is to block it and watch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache

from pydantic import Field, model_validator

from rules.destinations import Purpose, is_outside
from rules.documents import Document, read_all

__all__ = ["UNKNOWN", "Blockable", "Consequence", "consequence", "load"]

UNKNOWN, FROM_OUTSIDE = "unknown", "from outside"
_TIME, _NAMES, _LOCAL_SERVICES = {123}, {53, 853}, {67, 68, 137, 138, 546, 547, 1900, 3702, 5353, 5355}


class Blockable(StrEnum):
    """Whether a destination can be blocked: ``replace`` by something of the site's own, ``watch`` where unknown."""

    YES = "yes"
    NO = "no"
    REPLACE = "replace"
    WATCH = "watch"


class Consequence(Document):
    """What follows where destinations of one purpose are blocked."""

    purpose: str
    name: str
    short: str = Field(max_length=16)       # for a drawing
    blockable: Blockable
    breaks: str = Field(min_length=1)
    instead: str = ""


class _File(Document):
    dated: date
    source: str
    entries: tuple[Consequence, ...]

    @model_validator(mode="after")
    def _whole(self) -> _File:
        named = [entry.purpose for entry in self.entries]
        if sorted(named) != sorted([*map(str, Purpose), UNKNOWN, FROM_OUTSIDE]):
            raise ValueError("every purpose needs exactly one entry, and unknown and from outside too")
        return self


@cache
def load() -> Mapping[str, Consequence]:
    """Every consequence by its purpose. Raises `rules.documents.DataError`."""
    return {entry.purpose: entry for _, file in read_all("blocking", _File) for entry in file.entries}


def consequence(purpose: str, address: str, protocol: str, port: int | None, *, inbound: bool = False) -> Consequence:
    """What follows for one destination: by its known purpose, else by a port that means one thing everywhere.

    Time and names are known by their ports. Inside the site what is not known is still unknown, but never `yes`.
    `inbound`: the other side came to the device.
    """
    known = load()
    if inbound:
        return known[FROM_OUTSIDE]
    if purpose in known and purpose != UNKNOWN:
        return known[purpose]
    if port in _TIME and protocol == "udp":
        return known[Purpose.NTP]
    if port in _NAMES and protocol in {"udp", "tcp"}:
        return known[Purpose.DNS]
    if not is_outside(address) and port in _LOCAL_SERVICES:
        return known[Purpose.LOCAL]
    return known[UNKNOWN]
