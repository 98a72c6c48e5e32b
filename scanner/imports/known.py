"""What another book says of one device: the values that every reader of a census fills.

A book is any table, log or text. What counts in a line is who it names: a MAC, an address, a serial number, a switch
port. Nothing is concluded from it but that somebody wrote this device down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from scanner.imports import Refused

__all__ = ["Book", "Known"]

_MOST_REFUSED = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """One device as one book knows it; what the book does not say is empty.

    Attributes:
        row: line or entry of the book, from 1.
        where: the switch port it hangs on, or its place.
        quantity: so many devices share this line of an order.
        when: when the book saw it, as the book writes it.
    """

    row: int
    mac: str = ""
    address: str = ""
    serial: str = ""
    name: str = ""
    model: str = ""
    manufacturer: str = ""
    where: str = ""
    quantity: int = 1
    when: str = ""


@dataclass(slots=True)
class Book:
    """One book, read.

    Attributes:
        form: what it was taken for, in words.
        known: the devices it names, each once.
        refused: rows that should name one and do not, the first thousand; `dropped` counts the others.
        others: lines that are no entry: headings, totals, the book's own interfaces, addresses of elsewhere.
    """

    form: str
    known: list[Known] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    dropped: int = 0
    others: int = 0

    def refuse(self, row: int, expected: str) -> None:
        """Note a row that could not be read."""
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append(Refused(row, expected))
        else:
            self.dropped += 1

    def take(self, entries: Iterable[Known]) -> None:
        """Add entries; of several that name the same MAC, address, serial, name and place the first one stays."""
        seen = {_who(one) for one in self.known}
        for one in entries:
            # Rows of an order that only name a model are an amount each: two alike are two.
            if not (one.mac or one.address or one.serial) or _who(one) not in seen:
                seen.add(_who(one))
                self.known.append(one)


def _who(one: Known) -> tuple[str, str, str, str]:
    return one.mac, one.address, one.serial, one.name if not one.mac else ""
