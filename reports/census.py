"""What other books know beyond a sweep: the values of a census that a report tells.

A census holds switch tables, leases, asset lists and orders against the devices of one sweep (`docs/census.md`). It
names what is missing; it can never say that nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Census", "CensusSource", "UnseenDevice"]


@dataclass(frozen=True, slots=True)
class UnseenDevice:
    """A device that a source knows and the sweep did not see.

    Attributes:
        row: line or entry of the source, from 1.
        missing: how many devices of this line were not seen; more than one only for a line of an order.
        because: why it may not have been seen, as far as that is known.
        where: the switch port it hangs on, or its place.
        when: when the source saw it, as the source writes it.
        block: the maker or brand that owns the address block of its MAC, where that is on file: a hint, no identity.
    """

    row: int
    missing: int
    because: str
    mac: str = ""
    address: str = ""
    serial: str = ""
    name: str = ""
    model: str = ""
    manufacturer: str = ""
    where: str = ""
    when: str = ""
    block: str = ""

    @property
    def who(self) -> tuple[str, ...]:
        """What the source says of it, the most certain first; nothing that it does not say."""
        return tuple(filter(None, (self.mac, self.address, self.serial, self.manufacturer, self.model, self.name,
                                   self.where)))


@dataclass(frozen=True, slots=True)
class CensusSource:
    """One source against the sweep.

    Attributes:
        source: the name of the file.
        form: what it was taken for, in words.
        known: how many devices it names.
        seen: how many of them the sweep saw.
        unseen: the others.
        unread: rows that should name a device and could not be read.
    """

    source: str
    form: str
    known: int
    seen: int
    unseen: Sequence[UnseenDevice] = ()
    unread: int = 0

    @property
    def not_seen(self) -> int:
        """How many devices that it knows were not seen."""
        return sum(one.missing for one in self.unseen)


@dataclass(frozen=True, slots=True)
class Census:
    """The newest census of a sweep: when it was made, its sources, and the swept devices that none of them knows."""

    at: datetime
    actor: str
    sources: Sequence[CensusSource]
    unlisted: Sequence[str] = ()

    @property
    def not_seen(self) -> int:
        """Devices that some source knows and the sweep did not see, counted per source."""
        return sum(one.not_seen for one in self.sources)

    @property
    def unread(self) -> int:
        """Rows of all sources that could not be read."""
        return sum(one.unread for one in self.sources)
