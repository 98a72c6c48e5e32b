"""ISC dhcpd's ``dhcpd.leases`` (dhcpd.leases(5)): a journal, in which of several leases of a client the last counts."""

from __future__ import annotations

import re

from scanner.imports import address_of
from scanner.imports.known import Book, Known
from scanner.imports.words import mac_of
from scanner.wire.text import clean

__all__ = ["looks_like", "read"]

_LEASE = re.compile(r"^\s*lease\s+(\S{2,64})\s*\{([^{}]{0,4000})\}", re.MULTILINE)
_OPENED = re.compile(r"^\s*lease\s+\S+\s*\{", re.MULTILINE)
_MAC = re.compile(r"\bhardware\s+ethernet\s+([0-9A-Fa-f:]{11,17})\s*;")
_HOST = re.compile(r'\bclient-hostname\s+"([^"]{0,255})"')
_ENDS = re.compile(r"\bends\s+(?:\d\s+)?([^;]{4,40});")


def looks_like(text: str) -> bool:
    """Whether this is such a file."""
    return bool(_OPENED.search(text[:65_536]))


def read(text: str) -> Book:
    """The last lease of every client; a lease without a MAC (abandoned, free) names nobody."""
    book = Book("leases of ISC dhcpd")
    last: dict[str, Known] = {}
    read_so_far = 0
    for number, lease in enumerate(_LEASE.finditer(text), start=1):
        read_so_far = number
        mac, host, ends = _MAC.search(lease[2]), _HOST.search(lease[2]), _ENDS.search(lease[2])
        address, name = address_of(lease[1]), mac_of(mac[1]) if mac else ""
        if name and address:
            last[name] = Known(number, name, address, name=clean(host[1], 128) if host else "",
                               when=clean(ends[1], 40) if ends else "")
        elif mac or not address:
            book.refuse(number, f"lease {number}: an address and the MAC of one device")
        else:
            book.others += 1
    opened = sum(1 for _ in _OPENED.finditer(text))
    if opened > read_so_far:
        book.refuse(0, f"{opened - read_so_far} leases that end with a closing brace")
    book.take(last.values())
    return book
