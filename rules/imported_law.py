"""What a listing of an imported list means: an entry of the regime it belongs to, or a question for a person.

A listing whose regime is not modelled here is a regime of its own whose only effect is a review: it is never clean. So
is one of a party that shares a single common word with the one that is asked about, and may be a namesake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from rules.entities import Entities, Party
from rules.regimes import ANYBODY, Entry, Reach, Regime, Rule, Stage
from rules.snapshots import Kept
from rules.vocabulary import ActivityEffect

__all__ = ["IMPORT", "law_with"]

IMPORT = "import"
"""What ids and sources of imported listings begin with."""

_WORD = re.compile(r"[^\W_]+")


def law_with(entity: str, found: Sequence[tuple[Kept, str]], entities: Entities, regimes: tuple[Regime, ...],
             namesakes: Sequence[tuple[Kept, str]] = ()) -> tuple[Entities, tuple[Regime, ...]]:
    """Entities and regimes with what lists say of `entity` beside: `found` is the party itself, with the list's name.

    `namesakes` bear a name so common that only a person can tell whether they are the same.
    """
    if not found and not namesakes:
        return entities, regimes
    parties = dict(entities.parties)
    if entity not in parties:
        kept, source = (*found, *namesakes)[0]
        country = kept.party.countries[0] if kept.party.countries else None
        parties[entity] = Party(entity, kept.party.names[0], country, kept.party.names, source=source,
                                unverified=True, note=f"imported from {source}")
    index = {**entities.index, entity: entity, "".join(_WORD.findall(entity.casefold())): entity,
             " ".join(_WORD.findall(entity.casefold())): entity}
    return Entities(parties, index), (*(_with_entries(regime, entity, found) for regime in regimes),
                                      *_unmodelled(entity, found), *_perhaps(entity, namesakes))


def _unmodelled(entity: str, found: Sequence[tuple[Kept, str]]) -> list[Regime]:
    """A regime for each listing that belongs to none modelled here: a person has to read what it means."""
    made: dict[str, Regime] = {}
    for kept, source in found:
        for programme in kept.party.programmes:
            slug = _slug(f"import {source} {programme.name}")
            if programme.regime or slug in made:
                continue
            only = replace(kept, party=replace(kept.party, programmes=(programme,)))
            made[slug] = _to_be_read(slug, entity, only, source, f"{programme.name} (imported list {source})", (
                f"what the programme {programme.name} of the imported list {source} forbids is not modelled here, so "
                "a person has to read it before anything is bought"))
    return list(made.values())


def _perhaps(entity: str, namesakes: Sequence[tuple[Kept, str]]) -> list[Regime]:
    """A regime for each listed party of the same common name: a person has to see whether it is the same."""
    made: dict[str, Regime] = {}
    for kept, source in namesakes:
        name = kept.party.names[0]
        slug = _slug(f"import {source} perhaps {name}")
        made.setdefault(slug, _to_be_read(slug, entity, kept, source, f"{name} (imported list {source})", (
            f"the imported list {source} names {name!r}, which shares no more than a common word with this party: a "
            "person has to see whether it is the same before anything is bought")))
    return list(made.values())


def _slug(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", text.upper()).strip("-")


def _to_be_read(slug: str, entity: str, kept: Kept, source: str, name: str, because: str) -> Regime:
    """A regime whose only effect is a review, for all programmes of a listing that are not over."""
    programmes = kept.party.programmes
    since = min((one.listed_on or kept.first_seen for one in programmes), default=kept.first_seen)
    ends = [one.removed_on for one in programmes]
    over = kept.gone_on or max((day for day in ends if day is not None), default=None)
    citation = "; ".join(dict.fromkeys(one.citation or one.name for one in programmes)) or source
    entry = Entry(entity=entity, name=kept.party.names[0], listed_on=since, effective_on=since,
                  removed_on=over if kept.gone_on or None not in ends else None, citation=citation, source=IMPORT,
                  unverified=True, note=f"imported from {source}")
    rule = Rule(buyers=(ANYBODY,), effect=ActivityEffect.REVIEW, purpose_lifts=False, because=because)
    return Regime(
        regime=slug, name=name, authority=source, jurisdiction="as imported", citation=citation,
        dated=kept.first_seen, forbids="not modelled here", basis="counterparty", status="imported", unverified=True,
        sources={IMPORT: source}, entries=(entry,), examples=(),
        stages=(Stage(since=since, what="listed", source=IMPORT, unverified=True, binds=(rule,)),),
        reach=(Reach(scope="not_stated", text="how far the list reaches is not modelled here"),))


def _with_entries(regime: Regime, entity: str, found: Sequence[tuple[Kept, str]]) -> Regime:
    """The regime with the party's listings, unless it names the party already, and still does."""
    known = [entry.removed_on for entry in regime.entries if entry.entity == entity]
    if regime.category is not None or None in known:
        return regime
    since = max((day for day in known if day is not None), default=date.min)
    entries = tuple(
        Entry(entity=entity, name=kept.party.names[0], listed_on=programme.listed_on or kept.first_seen,
              effective_on=programme.listed_on or kept.first_seen, removed_on=programme.removed_on or kept.gone_on,
              citation=programme.citation, source=IMPORT, unverified=True, note=f"imported from {source}")
        for kept, source in found for programme in kept.party.programmes
        if programme.regime == regime.regime and (programme.listed_on or kept.first_seen) > since)
    if not entries:
        return regime
    sources: Mapping[str, str] = {**regime.sources, IMPORT: "; ".join(dict.fromkeys(source for _, source in found))}
    return regime.model_copy(update={"entries": (*regime.entries, *entries), "sources": sources})
