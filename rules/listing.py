"""Is a party on a list on a day? By its own name, by category, or through an owner whose listing reaches that far.

The answer is a word (see `rules.vocabulary.Effect`), the entry it rests on, and a sentence. A link between two
companies counts only while it lasts and only where the regime's reach on that day says so; a reach or a link that
nobody could establish gives ``unresolved``, never ``false``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from rules.entities import Entities, Link, Party
from rules.regimes import Entry, Reach, Regime, Relation

__all__ = ["Listing", "countries_of", "listing_of"]

_HALF = 50.0
_MOST_LINKS = 4


@dataclass(frozen=True, slots=True)
class Listing:
    """How a party stands on a list: the word, the entry, a sentence, and whether any of it is unverified.

    ``by_reach``: it is not named, and stands there only because the listing of another reaches it.
    """

    word: str
    because: str
    entry: Entry | None = None
    unverified: bool = False
    by_reach: bool = False

    @property
    def counts(self) -> bool:
        """Whether the regime treats the party as listed today."""
        return self.word in {"true", "category", "by_affiliation"}


def listing_of(regime: Regime, party: Party, entities: Entities, day: date) -> Listing:
    """How `party` stands on the list of `regime` on `day`."""
    own = _named(regime, party, day)
    if own is not None and own.word in {"true", "not_yet_effective"}:
        return own
    found = [answer for answer in (_by_category(regime, party, entities, day),
                                   *_through_owners(regime, party, entities, day)) if answer is not None]
    for word in ("category", "by_affiliation", "unresolved", "not_yet_effective"):
        for answer in found:
            if answer.word == word:
                return answer
    return own or _absent(regime, party)


def _named(regime: Regime, party: Party, day: date) -> Listing | None:
    """The party's own entry: the one in effect, else one to come, else one removed; ``None`` where it has none yet."""
    if regime.category is not None:
        return None
    entries = [e for e in regime.entries if e.entity == party.id and e.listed_on <= day]
    if not entries:
        return None
    kept = [e for e in entries if e.removed_on is None or day < e.removed_on]
    for entry in kept:
        if max(entry.effective_on, regime.effective_from) <= day:
            since = f", in effect since {entry.effective_on}" if entry.effective_on != entry.listed_on else ""
            said = f"{party.name} is named in it as {entry.name!r}, listed on {entry.listed_on}{since}"
            return Listing("true", said, entry, entry.unverified)
    for entry in kept:
        start = max(entry.effective_on, regime.effective_from)
        said = f"{party.name} is named in it since {entry.listed_on}, with effect from {start}"
        return Listing("not_yet_effective", said, entry, entry.unverified)
    last = max(entries, key=lambda e: e.listed_on)
    said = f"{party.name} was on it from {last.listed_on} and was removed on {last.removed_on}"
    return Listing("removed", said, last, last.unverified)


def _by_category(regime: Regime, party: Party, entities: Entities, day: date) -> Listing | None:
    category = regime.category
    if category is None or not regime.in_force(day):
        return None
    if category.everybody:
        return Listing(category.word, category.text)
    if countries_of(party, entities, day) & set(category.countries):
        return Listing("category", f"{party.name} is seated in, or controlled from, {' '.join(category.countries)}: "
                       + category.text, None, party.unverified)
    for link, owner in _owners(party, entities, day):
        if owner.country in category.countries and (_lasts(link, day) or _lingers(link, day)):
            return Listing("unresolved", f"{party.name} is or was bound to {owner.name} ({link.relation}); whether it "
                           "falls under the category, or sells what does, has to be looked into", None, True)
    if party.country is None:
        return Listing("unresolved", f"the country of {party.name} is not known here", None, True)
    return None


def countries_of(party: Party, entities: Entities, day: date) -> frozenset[str]:
    """Where a party is seated and from where it is controlled on that day, as far as known."""
    owners = {owner.country for link, owner in _owners(party, entities, day)
              if _lasts(link, day) and link.relation is Relation.SUBSIDIARY}
    return frozenset(country for country in {party.country, *owners} if country is not None)


def _through_owners(regime: Regime, party: Party, entities: Entities, day: date) -> Iterator[Listing | None]:
    if regime.category is not None:
        return
    for link, owner in _owners(party, entities, day):
        named = _named(regime, owner, day)
        if named is None or named.word == "removed":
            continue
        entry, reach = named.entry, regime.reach_on(day)
        unverified = named.unverified or link.unverified or reach.unverified
        if _lasts(link, day):
            word = _reached(link, reach, party)
            if word == "by_affiliation" and named.word == "not_yet_effective":
                word = "not_yet_effective"
            if word is not None:
                said = f"{party.name} is not named, but {_tie(link)} of {owner.name}, which is; {reach.text}"
                yield Listing(word, said, entry, unverified or word == "unresolved",
                              by_reach=link.relation is not Relation.DISPUTED)
        elif _lingers(link, day) and regime.basis == "producer" and named.word == "true":
            said = (f"{party.name} is no {link.relation} of {owner.name} on that day, but what it sells may still be "
                    "made by it, and it is the maker that counts")
            yield Listing("unresolved", said, entry, unverified=True)


def _reached(link: Link, reach: Reach, party: Party) -> str | None:
    """What the reach makes of one lasting link: by_affiliation, unresolved, or nothing."""
    if link.relation is Relation.DISPUTED:
        return "unresolved"            # whether it is the company named, or controlled by it, is the very dispute
    if reach.scope == "listed_only" or party.country in reach.except_countries:
        return None
    if link.relation is Relation.SUCCESSOR:
        return "unresolved" if reach.scope == "affiliates" else None
    if reach.scope == "affiliates":
        return "unresolved" if link.relation is Relation.JOINT_VENTURE else "by_affiliation"
    if reach.scope == "not_stated":
        return "unresolved"
    if link.percent is not None:
        owned = link.percent >= _HALF
    elif link.relation is Relation.SUBSIDIARY:
        owned = True
    else:
        return "unresolved"            # how much is owned is not known
    if not owned:
        return None if reach.scope in {"owned_50", "unresolved"} else "unresolved"
    return "unresolved" if reach.scope == "unresolved" else "by_affiliation"


def _owners(party: Party, entities: Entities, day: date) -> Iterator[tuple[Link, Party]]:
    """Every party above, with the link that leads to it; a longer way counts only over subsidiaries that last."""
    reached = {party.id}
    above = [(link, link.to) for link in party.links]
    for _ in range(_MOST_LINKS):
        for link, owner_id in above:
            if owner_id not in reached and owner_id in entities.parties:
                reached.add(owner_id)
                yield link, entities.parties[owner_id]
        above = [(link, further.to) for link, owner_id in above if _lasts(link, day) and owner_id in entities.parties
                 for further in entities.parties[owner_id].links
                 if _lasts(further, day) and further.relation is Relation.SUBSIDIARY]


def _lasts(link: Link, day: date) -> bool:
    begun = link.since is None or link.since <= day
    return begun and (link.until is None or day < link.until) and link.relation is not Relation.FORMER


def _lingers(link: Link, day: date) -> bool:
    ended = link.until is not None and link.until <= day
    return link.afterwards == "review" and ended


def _tie(link: Link) -> str:
    share = f" ({link.percent:g}% held)" if link.percent is not None else ""
    article = "an" if link.relation is Relation.AFFILIATE else "a"
    return f"{article} {str(link.relation).replace('_', ' ')}{share}"


def _absent(regime: Regime, party: Party) -> Listing:
    for negative in regime.not_listed:
        if party.id in negative.entities:
            return Listing("false", f"{party.name} is not on it: {negative.text}", None, negative.unverified)
    return Listing("false", f"{party.name} is not on it")
