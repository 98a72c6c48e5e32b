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

__all__ = ["Listings", "makers_of"]

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
        wanted |= {key for party in catalog.entities.parties.values() for name in (party.name, *party.names)
                   if (key := _key(name))}
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

    @property
    def name_makers(self) -> bool:
        """Whether the lists name any maker or shipped party at all."""
        return bool(self._of_party or self._by_name)

    def law_of(self, party: Party, maker: Maker, entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
        """Entities and regimes with what the lists say of a maker and of the party it belongs to beside."""
        return self.law_on(party, (maker,), entities, regimes)

    def law_on(self, party: Party, makers: Sequence[Maker], entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
        """The same for a party with all of its makers, or with none."""
        sure, perhaps = self.found(party, makers)
        return law_with(party.id, sure, entities, regimes, perhaps)

    def found(self, party: Party, makers: Sequence[Maker]) -> tuple[list[_Found], list[_Found]]:
        """The listings of a party and its makers, and those of who may be no more than a namesake."""
        sure = list(self._of_party.get(party.id, ()))
        perhaps: list[_Found] = []
        common = {_key(name) for maker in makers for name in maker.declared}      # "Ring LLC" is no more than Ring
        unmistakable = {name for maker in makers for name in maker.names if _key(name) not in common}
        for name in dict.fromkeys((*(name for maker in makers for name in _names(maker)), party.name, *party.names)):
            listed = self._by_name.get(_key(name), ())
            (sure if name in unmistakable or len(telling_words(name)) > 1 else perhaps).extend(listed)
        sure = _once(sure)
        return sure, [one for one in _once(perhaps) if one not in sure]


def makers_of(party: Party, makers: Makers) -> tuple[Maker, ...]:
    """The makers that belong to a party: by its own word, or by the name that both bear."""
    borne = {key for name in (party.id, party.name, *party.names, *party.brands) if (key := _key(name))}
    return tuple(maker for maker in makers if maker.maker in party.makers
                 or not borne.isdisjoint(map(_key, (maker.maker, maker.legal_name, maker.name))))


def _names(maker: Maker) -> tuple[str, ...]:
    return (maker.maker, maker.name, maker.legal_name, *maker.names, *maker.declared)


def _key(name: str) -> str:
    return "".join(telling_words(name))


def _once(found: Iterable[_Found]) -> list[_Found]:
    """Each listing once, in the order in which it was met."""
    return list({(source, kept.party.id): (kept, source) for kept, source in found}.values())
