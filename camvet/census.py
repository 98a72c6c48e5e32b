"""Did we find them all? What other books know, held against what one sweep saw, source by source.

Nothing here can say that a sweep found everything: only what each source knows beyond it, and what the sweep knows
beyond all of them. A device counts as seen where its MAC, its serial number or its address was.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from camvet.inventory import StoredDevice
from scanner.imports.known import Book, Known

__all__ = ["Census", "Source", "Unseen", "compare", "document"]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A device that a source knows and the sweep did not see: how many of it, and why nothing can be said of more."""

    known: Known
    missing: int
    because: str


@dataclass(frozen=True, slots=True)
class Source:
    """One book against the sweep: how many devices it knows, how many were seen, which were not, what was not read."""

    name: str
    book: Book
    known: int
    seen: int
    unseen: Sequence[Unseen]


@dataclass(frozen=True, slots=True)
class Census:
    """All books, and the swept devices that none of them knows."""

    sources: Sequence[Source]
    unlisted: Sequence[str]

    @property
    def unseen(self) -> int:
        """Devices that some source knows and the sweep did not see, counted per source."""
        return sum(one.missing for source in self.sources for one in source.unseen)

    @property
    def unread(self) -> int:
        """Rows of all sources that should name a device and could not be read."""
        return sum(len(source.book.refused) + source.book.dropped for source in self.sources)


@dataclass(slots=True)
class _Swept:
    """The devices of one sweep by everything they can be recognised by, and what the sweep said of silent addresses."""

    keys: list[str] = field(default_factory=list)
    by: dict[tuple[str, str], str] = field(default_factory=dict)
    macs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    silent: Mapping[str, str] = field(default_factory=dict)
    targets: Sequence[str] = ()

    def add(self, one: StoredDevice) -> None:
        identity, key = one.judgement.identity, one.key
        self.keys.append(key)
        link = {seen.text("mac") for seen in one.observations if seen.transport == "link"}
        self.macs[key] = tuple(sorted({*identity.macs, *link} - {""}))
        for mac in self.macs[key]:
            self.by.setdefault(("mac", mac), key)
        self.by.setdefault(("address", key.partition("#")[0]), key)
        if identity.serial:
            self.by.setdefault(("serial", _plain(identity.serial)), key)
        if identity.model:
            self.models[key] = _plain(identity.model)

    def find(self, known: Known) -> str | None:
        """The key of the device a book means.

        A MAC is believed before an address, which may have moved on; where the sweep saw no MAC (beyond a router) the
        address has to do.
        """
        for kind, value in (("mac", known.mac), ("serial", _plain(known.serial))):
            if value and (kind, value) in self.by:
                return self.by[kind, value]
        key = self.by.get(("address", known.address)) if known.address else None
        if key is None or (known.mac and self.macs[key]) or (known.serial and not known.mac):
            return None
        return key

    def because(self, known: Known) -> str:
        """Why a device that is not among the swept ones may not be."""
        there = self.by.get(("address", known.address)) if known.address else None
        if there and known.mac:
            return f"no device of the sweep has this MAC; at its address is {' '.join(self.macs[there])}"
        if there:
            return "no device of the sweep has this serial number; the device at its address told another or none"
        if known.address in self.silent:
            return f"nothing was found at its address: {self.silent[known.address]}"
        if known.address and self.targets and not _within(known.address, self.targets):
            return "its address lies outside the scope of the sweep"
        by = [word for word, value in (("MAC", known.mac), ("serial number", known.serial), ("address", known.address))
              if value]
        if not by:
            return "the source names neither MAC, address nor serial number, so nothing can be held against the sweep"
        return f"no device of the sweep has this {' or '.join(by)}"


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold())


def _within(address: str, targets: Iterable[str]) -> bool:
    """Whether one of a scope's targets, as it writes them, holds the address; where a target is words, it may."""
    value = ipaddress.ip_address(address)
    for target in targets:
        first, _, last = target.partition("-")
        try:
            if last:
                low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
                inside = low.version == value.version == high.version and int(low) <= int(value) <= int(high)
            else:
                inside = value in ipaddress.ip_network(target, strict=False)
        except ValueError:
            return True
        if inside:
            return True
    return False


def compare(books: Iterable[tuple[str, Book]], devices: Iterable[StoredDevice],
            swept: Mapping[str, Any] | None = None) -> Census:
    """Hold every book, by its name, against the devices of a sweep; `swept` is the sweep's stored document."""
    told = swept or {}
    by = _Swept(silent=told.get("silent", {}), targets=told.get("scope", {}).get("targets", ()))
    for one in devices:
        by.add(one)
    met: set[str] = set()
    sources = []
    for name, book in books:
        unseen = list(_unseen(book.known, by, met))
        total = sum(one.quantity for one in book.known)
        sources.append(Source(name, book, total, total - sum(one.missing for one in unseen), unseen))
    return Census(sources, [key for key in by.keys if "#" not in key and key not in met])


def _unseen(book: Iterable[Known], by: _Swept, met: set[str]) -> Iterator[Unseen]:
    """What one book knows beyond the sweep. A swept device stands for one line of a book, and no second."""
    entries = list(book)
    here: set[str] = set()
    for one in entries:
        key = by.find(one)
        if key is not None:
            here.add(key)
    met |= here
    left = Counter(model for key, model in by.models.items() if key not in here)
    for one in entries:
        if one.mac or one.serial or one.address or not one.model:
            if by.find(one) is None:
                yield Unseen(one, one.quantity, by.because(one))
            continue
        names = {_plain(one.model), *map(_plain, re.split(r"[\s,;|()]+", one.model))}
        there = 0
        for model in names & left.keys():
            taken = min(left[model], one.quantity - there)
            left[model] -= taken
            there += taken
        if there < one.quantity:
            yield Unseen(one, one.quantity - there, f"{one.quantity} ordered, {there} of this model seen")


def document(census: Census, sweep: str) -> dict[str, Any]:
    """A census as JSON, as `camvet census --json` prints it and as it is kept beside the sweep."""
    return {
        "sweep": sweep, "sources": [
            {"source": source.name, "form": source.book.form, "known": source.known, "seen": source.seen,
             "unseen": [{**asdict(one.known), "missing": one.missing, "because": one.because}
                        for one in source.unseen],
             "refused": [asdict(one) for one in source.book.refused], "dropped": source.book.dropped,
             "others": source.book.others} for source in census.sources],
        "unlisted": list(census.unlisted)}
