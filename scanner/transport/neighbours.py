"""Neighbour tables: which MAC answers for which address, as the kernel, a switch or a router already knows it.

Reading a table sends nothing, so it comes before every probe.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KERNEL_TABLE", "Neighbour", "is_table", "parse_table", "read_table"]

KERNEL_TABLE = Path("/proc/net/arp")
_MOST_BYTES = 8 << 20
_MOST_LINES = 100_000
_MAC = re.compile(r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b")
_DEAD = re.compile(r"\b(?:FAILED|INCOMPLETE)\b")
_NOBODY = frozenset({"00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"})


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry: address and MAC (upper case, colons), and the line it was read from."""

    address: str
    mac: str
    line: str


def read_table(path: Path) -> list[Neighbour]:
    """The entries of one table file. Raises `OSError`."""
    with path.open("rb") as source:
        return list(parse_table(source.read(_MOST_BYTES).decode("utf-8", "replace")))


def is_table(path: Path) -> bool:
    """Whether a file may be such a table: it has an entry, or nothing but a heading and failed ones. Raises `OSError`.

    A table where nobody is known is a table; a file of something else must not read as one.
    """
    with path.open("rb") as source:
        text = source.read(_MOST_BYTES).decode("utf-8", "replace")
    if next(parse_table(text), None) is not None:
        return True
    others = [line for line in text.splitlines()[:_MOST_LINES] if line.strip() and not _DEAD.search(line)]
    return len(others) <= 1 and "\0" not in text and "\ufffd" not in text


def parse_table(text: str) -> Iterator[Neighbour]:
    """Entries of ``ip neigh``, ``/proc/net/arp``, ``arp -an`` or a switch's table: a line with one address and a MAC.

    Entries without a MAC, marked as failed, or with a group or null MAC are left out.
    """
    for line in text.splitlines()[:_MOST_LINES]:
        mac = _MAC.search(line)
        if not mac or len(line) > 500 or _DEAD.search(line):
            continue
        address = _address_in(line[:mac.start()] + " " + line[mac.end():])
        name = _colons(mac[0])
        if address and name not in _NOBODY and not int(name[:2], 16) & 1:
            yield Neighbour(address, name, line.strip())


def _address_in(text: str) -> str:
    for word in text.split():
        try:
            return str(ipaddress.ip_address(word.strip("(),")))
        except ValueError:
            continue
    return ""


def _colons(text: str) -> str:
    digits = re.sub(r"[^0-9A-Fa-f]", "", text).upper()
    return ":".join(digits[at:at + 2] for at in range(0, 12, 2))
