"""Screens lines for a buyer: who is named (`rules.screening`), what the laws say (`rules.effects`), which lists.

One value for the verb, for order files and for certificates; a law is asked once a party, however many lines name it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from camvet.context import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from rules.catalog import Catalog
    from rules.effects import Effects
    from rules.entities import Entities
    from rules.imported import Imported
    from rules.listed_makers import ListedMakers
    from rules.regimes import Regime
    from rules.screening import Screening
    from rules.vocabulary import ListVersion

__all__ = ["COLUMNS", "Screened", "Screener", "columns_of", "exit_code", "lists_of", "screened_json"]

COLUMNS = ("camvet_action", "camvet_entity", "camvet_name", "camvet_relation", "camvet_score", "camvet_matched_by",
           "camvet_because", "camvet_overall", "camvet_effects", "camvet_as_of", "camvet_lists")


@dataclass(frozen=True, slots=True)
class Screened:
    """One line with its answer and, where it names a party, what the laws say of that party."""

    found: Screening
    effects: Effects | None
    lists: tuple[ListVersion, ...]
    as_of: date
    buyers: tuple[str, ...] = ()


@dataclass
class Screener:
    """Asks for one buyer (or several roles), day, activity and purpose.

    Where `asked` is true the buyers were given, and a maker that is only met by category (a country of control, say) is
    for review; otherwise `buyers` are those of the site's policy, and only names count.
    """

    catalog: Catalog
    buyers: Sequence[str]
    as_of: date
    activity: str | None = None
    purpose: str | None = None
    asked: bool = False
    imported: Imported | None = None
    lists: tuple[ListVersion, ...] = ()
    _effects: dict[str, Effects] = field(default_factory=dict, repr=False)
    _listed: list[ListedMakers] = field(default_factory=list, repr=False)

    def __call__(self, query: str) -> Screened:
        """The answer for one line."""
        from rules.screening import screen

        found = screen(query, self.catalog, self.as_of)
        if self.imported is not None and str(found.action) != "match":
            found = self.imported.screen(query, self.as_of, found)
            if str(found.action) != "match":
                found = self._makers(self.imported).screen(query, self.as_of, found)
        effects = self._effects_of(found)
        return Screened(self._by_category(found, effects), effects, self.lists, self.as_of, tuple(self.buyers))

    def check(self) -> None:
        """Raise `UsageError` for a buyer that nobody knows, before any line is screened."""
        from rules import buyers
        from rules.buyers import UnknownBuyerError

        try:
            for name in self.buyers:
                buyers.buyer(name)
        except UnknownBuyerError as error:
            raise UsageError(str(error)) from error

    def _makers(self, imported: Imported) -> ListedMakers:
        if not self._listed:
            self._listed.append(listed_makers(imported, self.catalog))
        return self._listed[0]

    def _effects_of(self, found: Screening) -> Effects | None:
        if found.entity is None or (str(found.action) == "no_match" and not self.asked):
            return None
        if found.entity not in self._effects:
            from rules.effects import effects_of

            entities, regimes = self.catalog.entities, self.catalog.regimes
            if self.imported is not None:
                entities, regimes = law_beside(found.entity, self.imported, self._makers(self.imported), entities,
                                               regimes)
            if found.entity not in entities.parties:
                return None
            self._effects[found.entity] = effects_of(found.entity, self.buyers, self.as_of, self.activity, self.purpose,
                                                     regimes=regimes, entities=entities)
        return self._effects[found.entity]

    def _by_category(self, found: Screening, effects: Effects | None) -> Screening:
        from rules.screening import Action

        if found.action is not Action.NO_MATCH or effects is None or str(effects.overall) == "legal":
            return found
        why = effects.binding[0]
        return replace(found, action=Action.REVIEW, relation="self" if found.relation == "none" else found.relation,
                       because=f"{found.because}, but {why.regime} speaks of it: {why.because}")


def listed_makers(imported: Imported, catalog: Catalog) -> ListedMakers:
    """What imported lists say of the makers that are shipped."""
    from rules import makers
    from rules.listed_makers import ListedMakers
    from rules.listings import Listings

    known = makers.load()
    return ListedMakers(Listings.of(imported.snapshots, known, catalog), known, catalog)


def law_beside(entity: str, imported: Imported, listed: ListedMakers, entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
    """Entities and regimes with what imported lists say of a party beside, be it theirs alone or shipped."""
    from rules.imported_law import IMPORT

    if entity.startswith(f"{IMPORT}:"):
        return imported.law_of(entity, entities, regimes)
    return listed.law_of(entity, entities, regimes)


def exit_code(screened: Iterable[Screened]) -> ExitCode:
    """1 where anything matches, 3 where anything is for review, else 0."""
    codes = {"match": ExitCode.FINDINGS, "review": ExitCode.INCOMPLETE, "no_match": ExitCode.CLEAN}
    return worst(ExitCode.CLEAN, *(codes[str(one.found.action)] for one in screened))


def screened_json(screened: Screened) -> dict[str, Any]:
    """One line of JSON: the contract's fields first."""
    from camvet.shapes import effect_json, list_json

    found, effects = screened.found, screened.effects
    return {
        "query": found.query, "action": str(found.action), "entity": found.entity, "relation": found.relation,
        "matched_by": found.matched_by, "score": found.score, "because": found.because,
        "effects": [effect_json(effect) for effect in effects.effects] if effects else [],
        "overall": str(effects.overall) if effects else None, "name": found.name, "also": list(found.also),
        "tricks": list(found.tricks), "unverified": found.unverified, "as_of": screened.as_of.isoformat(),
        "buyers": list(effects.buyers) if effects else [], "named_in": list(found.lists),
        "lists": [list_json(version, screened.as_of) for version in screened.lists],
    }


def columns_of(screened: Screened) -> list[str]:
    """The cells that an order file gets, as `COLUMNS` names them."""
    found, effects = screened.found, screened.effects
    told = "; ".join(f"{effect.regime} {effect.effect}" + ("" if effect.binds_buyer else " (not binding)")
                     + (" (unverified)" if effect.unverified else "") for effect in effects.binding) if effects else ""
    return [str(found.action), found.entity or "", found.name or "", found.relation, f"{found.score:g}",
            found.matched_by or "", found.because, str(effects.overall) if effects else "", told,
            screened.as_of.isoformat(), lists_of(screened)]


def lists_of(screened: Screened) -> str:
    """The lists that were screened against in one cell: id, date with ``(stale)`` where it is, and edition."""
    return "; ".join(f"{one.id} {one.dated}{' (stale)' if one.stale(screened.as_of) else ''} {one.version}"
                     for one in screened.lists)
