"""What imported lists say of the makers of devices: the few of their parties that a verdict on a device can rest on.

A list may have a million names, and a sweep asks only of makers. A maker is taken for the listed party that bears one
of its unmistakable names, or all of a name of more than one word, exact but for the legal form. A single word with
another meaning (Axis, Ring) may belong to a namesake, and such a listing is for review.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rules.catalog import Catalog
from rules.entities import Entities, Party
from rules.imported import telling_words
from rules.imported_law import law_with
from rules.makers import Maker, Makers
from rules.regimes import Regime
from rules.snapshots import Kept, Snapshot, version_of
from rules.vocabulary import ListVersion

__all__ = ["Listings"]

_Found = tuple[Kept, str]


@dataclass(frozen=True, slots=True)
class Listings:
    """The listed parties that bear a name of a maker, and the editions of the lists that were looked through."""

    versions: tuple[ListVersion, ...] = ()
    _of_party: Mapping[str, Sequence[_Found]] = field(default_factory=dict)
    _by_name: Mapping[str, Sequence[_Found]] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshots: Iterable[Snapshot], makers: Makers, catalog: Catalog) -> Listings:
        """Look through whole lists once; `catalog` knows under what names the shipped parties are listed."""
        wanted = {key for maker in makers for name in _names(maker) if (key := _key(name))}
        versions: list[ListVersion] = []
        of_party: dict[str, list[_Found]] = {}
        by_name: dict[str, list[_Found]] = {}
        for snapshot in snapshots:
            versions.append(version_of(snapshot))
            for kept in snapshot.parties:
                found = (kept, snapshot.source)
                keys = dict.fromkeys(key for name in kept.party.names if (key := _key(name)))
                for key in keys:
                    if key in wanted:
                        by_name.setdefault(key, []).append(found)
                for party in {known.party for key in keys if (known := catalog.names.get(key)) is not None
                              and known.kind == "name" and known.party}:
                    of_party.setdefault(party, []).append(found)
        return cls(tuple(versions), of_party, by_name)

    def law_of(self, party: Party, maker: Maker, entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
        """Entities and regimes with what the lists say of a maker and of the party it belongs to beside."""
        found = list(self._of_party.get(party.id, ()))
        perhaps: list[_Found] = []
        for name in dict.fromkeys((*_names(maker), *party.names)):
            listed = self._by_name.get(_key(name), ())
            (found if name in maker.names or len(telling_words(name)) > 1 else perhaps).extend(listed)
        sure = _once(found)
        return law_with(party.id, sure, entities, regimes, [one for one in _once(perhaps) if one not in sure])


def _names(maker: Maker) -> tuple[str, ...]:
    return (maker.maker, maker.name, maker.legal_name, *maker.names, *maker.declared)


def _key(name: str) -> str:
    return "".join(telling_words(name))


def _once(found: Iterable[_Found]) -> list[_Found]:
    """Each listing once, in the order in which it was met."""
    return list({(source, kept.party.id): (kept, source) for kept, source in found}.values())
