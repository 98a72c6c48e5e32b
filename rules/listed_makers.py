"""The makers that a line names and that an imported list names, too: answered as a verdict on their devices is.

A maker that no shipped list names is found in a line by `rules.finding`, and in imported lists by `rules.listings`;
here the two meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rules.catalog import Catalog
from rules.entities import Entities, Party
from rules.finding import Find, How, finds_in
from rules.imported import is_alone, standing, telling_words
from rules.listings import Listings, makers_of
from rules.makers import Maker, Makers
from rules.names import read, squeeze
from rules.regimes import Regime
from rules.screening import Action, Screening

__all__ = ["ListedMakers"]

_CERTAIN = {How.EXACT, How.SPACING, How.SCRIPT}
_ORDER = (Action.REVIEW, Action.MATCH)


class ListedMakers:
    """What imported lists say of the makers and parties that are shipped."""

    def __init__(self, listings: Listings, makers: Makers, catalog: Catalog) -> None:
        self._listings, self._makers, self._catalog = listings, makers, catalog
        self._of_name = {squeeze(name): maker for maker in makers
                         for name in (maker.legal_name, *maker.declared, *maker.names, maker.name)}

    def screen(self, query: str, day: date, before: Screening) -> Screening:
        """The answer for one line, where the lists say more of a maker in it than `before`."""
        if not self._listings.name_makers:
            return before
        name, best = read(query), before
        finds = finds_in(self._catalog.runs.apart(name) if name.scripts else name, self._catalog)
        for find in finds:
            if find.how not in _CERTAIN or find.kind not in {"name", "maker"} or find.label is not None:
                continue
            found = self._said_of(find, query, day, before)
            if found is None:
                continue
            if found.action is Action.MATCH and (find.about or not is_alone(
                    name, finds, set(telling_words(found.name or "")), self._catalog)):
                found = replace(found, action=Action.REVIEW,
                                because=f"{found.because}; the words around say more than its name")
            if best.action is Action.NO_MATCH or _ORDER.index(found.action) > _ORDER.index(best.action):
                best = found
            elif best.action is Action.REVIEW and found.entity != best.entity:
                best = replace(best, also=(*best.also, f"{found.lists[0]}: {found.name}"))
        return best

    def _said_of(self, find: Find, query: str, day: date, before: Screening) -> Screening | None:
        """What the lists say of the party or the maker that was found; ``None`` where they do not name it."""
        party, makers = self._who(find)
        if party is None:
            return None
        sure, perhaps = self._listings.found(party, makers)
        told = [(listed, said, certain) for found, certain in ((sure, True), (perhaps, False))
                for kept, source in found for listed, said in [standing(kept, source, day)]]
        if not told:
            return None
        listed, said, certain = max(told, key=lambda one: (one[0] and one[2], one[0]))
        action = Action.MATCH if listed and certain else Action.REVIEW
        because = said if certain else f"{said}, and may be a namesake of {party.name}"
        lists = tuple(f"{source}: {kept.party.names[0]}" for kept, source in (*sure, *perhaps))
        return Screening(query, action, party.id, party.name, "self",
                         f"{find.kind}: {find.found!r} is {find.known.written!r} ({find.how})", round(find.score, 3),
                         because, before.also, before.tricks, unverified=True, lists=lists)

    def _who(self, find: Find) -> tuple[Party | None, Sequence[Maker]]:
        party = self._catalog.entities.parties.get(find.known.party)
        if party is not None:
            return party, makers_of(party, self._makers)
        maker = self._of_name.get(squeeze(find.known.written))
        return (None, ()) if maker is None else (_party_of(maker), (maker,))

    def law_of(self, entity: str, entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
        """Entities and regimes with what the lists say of a shipped party, or of a maker that is none, beside."""
        party = entities.parties.get(entity)
        if party is not None:
            return self._listings.law_on(party, makers_of(party, self._makers), entities, regimes)
        maker = self._makers.by_slug.get(entity)
        if maker is None:
            return entities, regimes
        party = _party_of(maker)
        known = Entities.of([*entities.parties.values(), party])
        return self._listings.law_on(party, (maker,), known, regimes)


def _party_of(maker: Maker) -> Party:
    return Party(maker.maker, maker.name, maker.country or None, makers=(maker.maker,), source="the maker's own file")
