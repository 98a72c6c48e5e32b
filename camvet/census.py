"""Did we find them all? What other books know, held against what the newest sweep saw, source by source.

Nothing here can say that a sweep was complete: only what each source knows beyond it, and what the sweep knows beyond
all of them. A device counts as seen where its MAC, its serial number or its address was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from camvet.inventory import StoredDevice
from scanner.imports import Refused
from scanner.imports.known import Known

__all__ = ["Census", "Source", "Unseen", "compare"]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A device that a source knows and the sweep did not see, and why nothing can be said of more."""

    known: Known
    missing: int
    because: str


@dataclass(frozen=True, slots=True)
class Source:
    """One book against the sweep: how many devices it knows, how many were seen, and which were not."""

    name: str
    known: int
    seen: int
    unseen: Sequence[Unseen]
    refused: Sequence[Refused]


@dataclass(frozen=True, slots=True)
class Census:
    """All books, and the swept devices that none of them knows."""

    sources: Sequence[Source]
    unlisted: Sequence[str]

    @property
    def unseen(self) -> int:
        """Devices that some source knows and the sweep did not see, counted per source."""
        return sum(one.missing for source in self.sources for one in source.unseen)


class _Swept:
    """The devices of one sweep by everything they can be recognised by."""

    def __init__(self, devices: Iterable[StoredDevice]) -> None:
        self.keys: list[str] = []
        self._by: dict[tuple[str, str], str] = {}
        self._models: dict[str, int] = {}
        for one in devices:
            identity = one.judgement.identity
            self.keys.append(one.key)
            self._by[("address", one.key.partition("#")[0])] = one.key
            for mac in identity.macs:
                self._by[("mac", mac)] = one.key
            if identity.serial:
                self._by[("serial", _plain(identity.serial))] = one.key
            if identity.model:
                self._models[_plain(identity.model)] = self._models.get(_plain(identity.model), 0) + 1

    def find(self, known: Known) -> str | None:
        """The key of the device a book means; a MAC is believed before an address, which may have moved on."""
        if known.mac:
            return self._by.get(("mac", known.mac))
        if known.serial:
            return self._by.get(("serial", _plain(known.serial)))
        return self._by.get(("address", known.address)) if known.address else None

    def of_model(self, model: str) -> int:
        """How many devices of a model were seen."""
        return self._models.get(_plain(model), 0)


def _plain(text: str) -> str:
    return "".join(text.casefold().split())


def compare(books: Iterable[tuple[str, Sequence[Known], Sequence[Refused]]], devices: Iterable[StoredDevice]) -> Census:
    """Hold every book against the devices of a sweep."""
    swept = _Swept(devices)
    met: set[str] = set()
    sources = []
    for name, known, refused in books:
        unseen: list[Unseen] = []
        for one in known:
            key = swept.find(one)
            if key is not None:
                met.add(key)
                continue
            if one.mac or one.serial or one.address:
                by = "MAC" if one.mac else "serial number" if one.serial else "address"
                unseen.append(Unseen(one, one.quantity, f"no device of the sweep has this {by}"))
                continue
            there = swept.of_model(one.model)
            if there < one.quantity:
                unseen.append(Unseen(one, one.quantity - there, f"{one.quantity} ordered, {there} of this model seen"))
        total = sum(one.quantity for one in known)
        sources.append(Source(name, total, total - sum(one.missing for one in unseen), unseen, refused))
    return Census(sources, [key for key in swept.keys if "#" not in key and key not in met])
