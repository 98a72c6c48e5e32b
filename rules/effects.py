"""What every law and list says of one party, for one buyer (or several roles at once), on one day.

`effects_of` is a pure function of the data: who is listed (`rules.listing`), whom the regime binds in what he does
(`rules.regimes`), whether a named purpose lifts it (`rules.purposes`), and what it amounts to (`rules.buyers`). It is
no legal advice, and every answer carries its citation and says what nobody could verify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules import buyers as buyer_data
from rules import entities as entity_data
from rules import purposes
from rules import regimes as regime_data
from rules.buyers import Buyer
from rules.entities import Entities, Party
from rules.listing import Listing, countries_of, listing_of
from rules.regimes import Activity, Condition, Duty, Regime, Rule, Stage
from rules.vocabulary import ActivityEffect, Effect, Overall

__all__ = ["DISCLAIMER", "Effects", "effects_of", "together"]

DISCLAIMER = "Research material from dated public sources, not legal advice."


@dataclass(frozen=True, slots=True)
class Effects:
    """The answer: one effect a regime, that of the role it hits hardest; ``by_role`` has them all.

    ``overall`` is the worst that the effects amount to.
    """

    party: Party
    as_of: date
    buyers: tuple[str, ...]
    activity: str | None
    purpose: str | None
    effects: tuple[Effect, ...]
    by_role: tuple[Effect, ...]
    overall: Overall

    @property
    def binding(self) -> tuple[Effect, ...]:
        """The effects that make up `overall`, worst first."""
        return tuple(sorted((e for e in self.effects if e.effect is not ActivityEffect.NONE), key=buyer_data.weight))


    def overall_for(self, role: str) -> Overall:
        """What it amounts to for one of the roles alone."""
        weights = [one for one in self.by_role if one.buyer == role]
        decisive = min(weights, key=buyer_data.weight, default=None)
        return Overall.LEGAL if decisive is None else buyer_data.overall_of(decisive.effect, binds=decisive.binds_buyer)


def together(parts: Sequence[Effects]) -> Effects:
    """Answers on one party for several roles, each with its own activity, as one: of every regime the worst counts."""
    first, *rest = parts
    if not rest:
        return first
    by_role = tuple(dict.fromkeys(one for part in parts for one in part.by_role))
    worst: dict[str, Effect] = {}
    for one in by_role:
        if one.regime not in worst or buyer_data.weight(one) < buyer_data.weight(worst[one.regime]):
            worst[one.regime] = one
    decisive = min(worst.values(), key=buyer_data.weight, default=None)
    overall = Overall.LEGAL if decisive is None else buyer_data.overall_of(decisive.effect, binds=decisive.binds_buyer)
    activities = {part.activity for part in parts}
    return replace(first, buyers=tuple(dict.fromkeys(role for part in parts for role in part.buyers)),
                   activity=activities.pop() if len(activities) == 1 else None, effects=tuple(worst.values()),
                   by_role=by_role, overall=overall)


@dataclass(frozen=True, slots=True)
class _Question:
    party: Party
    role: Buyer
    roles: tuple[str, ...]
    activity: Activity
    purpose: str | None
    day: date
    countries: frozenset[str]


def effects_of(entity: str, buyers: Sequence[str], as_of: date, activity: str | None = None, purpose: str | None = None,
               regimes: Iterable[Regime] | None = None, entities: Entities | None = None) -> Effects:
    """What each regime says of `entity` for `buyers` on `as_of`.

    Args:
        entity: id, name, alias, brand or maker slug.
        buyers: one role or several held at once; the worst counts.
        as_of: the day in question.
        activity: one of `Activity`; without it each role's default activities are judged and the worst counts.
        purpose: what it is for, in free words; without it a law's purpose condition is assumed to be met, and said so.
        regimes: those to ask; all by default.
        entities: the parties to know; all by default.

    Raises:
        UnknownEntityError: no party bears that name; the error carries close ones.
        UnknownBuyerError: no such role.
        ValueError: no buyer was given, or no such activity.
    """
    if not buyers:
        raise ValueError("at least one buyer is needed")
    known = entity_data.load() if entities is None else entities
    party = known.resolve(entity)
    asked = tuple(regime_data.load() if regimes is None else regimes)
    chosen = None if activity is None else Activity(activity)
    roles = [buyer_data.buyer(name) for name in dict.fromkeys(buyers)]
    countries = countries_of(party, known, as_of)
    questions = [_Question(party, role, buyer_data.roles_of(role), activity, purpose, as_of, countries)
                 for role in roles for activity in (role.does if chosen is None else (chosen,))]
    worst: list[Effect] = []
    everything: list[Effect] = []
    for regime in asked:
        listing = listing_of(regime, party, known, as_of)
        answers = [_effect(regime, listing, question) for question in questions]
        per_role = [min((e for e in answers if e.buyer == role.buyer), key=buyer_data.weight) for role in roles]
        everything += per_role
        worst.append(min(per_role, key=buyer_data.weight))
    decisive = min(worst, key=buyer_data.weight, default=None)
    overall = Overall.LEGAL if decisive is None else buyer_data.overall_of(decisive.effect, binds=decisive.binds_buyer)
    return Effects(party, as_of, tuple(role.buyer for role in roles), chosen, purpose, tuple(worst), tuple(everything),
                   overall)


@dataclass(frozen=True, slots=True)
class _Hit:
    """One rule that speaks of the buyer, with its stage, whether it binds, and what becomes of it."""

    rule: Rule
    stage: Stage
    binds: bool
    condition: str | None = None
    met: str | None = None
    effect: ActivityEffect = ActivityEffect.NONE
    by_purpose: bool = False


def _effect(regime: Regime, listing: Listing, question: _Question) -> Effect:
    in_force = regime.in_force(question.day)
    hits = [_judged(hit, regime, listing, question) for hit in _hits(regime, question)]
    worst = min(hits, key=lambda hit: buyer_data.rank(hit.effect, binds=hit.binds), default=None)
    binds = any(hit.binds for hit in hits) if worst is None or worst.effect is ActivityEffect.NONE else worst.binds
    acts = listing.counts or listing.word == "unresolved"
    entry = listing.entry
    return Effect(
        entity=question.party.id, regime=regime.regime, name=regime.name, listed=listing.word,
        in_force=in_force, binds_buyer=binds,
        buyer=question.role.buyer, activity=question.activity.value,
        effect=worst.effect if worst else ActivityEffect.NONE,
        because=_because(regime, listing, worst, question), condition=worst.condition if worst else None,
        condition_met=worst.met if worst else None,
        duty=tuple(duty.text for duty in regime.duties if _has_to(duty, question)) if acts and in_force else (),
        citation="; ".join(dict.fromkeys(filter(None, (
            regime.citation, worst.stage.citation if worst else "", entry.citation if entry else "")))),
        listed_on=entry.listed_on if entry else None, effective_on=entry.effective_on if entry else None,
        removed_on=entry.removed_on if entry else None, why_listed=entry.why_listed if entry else None,
        source=_source(regime, listing, worst), exceptions=regime.exceptions if acts and hits else (),
        unverified=regime.unverified or listing.unverified or bool(worst and acts and worst.stage.unverified))


def _hits(regime: Regime, question: _Question) -> list[_Hit]:
    """The rules that speak of the buyer in the stages of that day; before the first stage, those of the first one."""
    stages = [stage for stage in regime.stages if stage.holds(question.day)]
    if not stages and question.day < regime.effective_from:
        stages = [stage for stage in regime.stages if stage.since == regime.effective_from]
    return [_Hit(rule, stage, binds) for stage in stages
            for binds, rules in ((True, stage.binds), (False, stage.advises))
            for rule in rules if rule.meets(question.roles, question.activity)]


def _judged(hit: _Hit, regime: Regime, listing: Listing, question: _Question) -> _Hit:
    """The hit with what becomes of its effect: lifted by an unmet condition, turned to review, or nothing at all."""
    names = dict.fromkeys(filter(None, (listing.entry.condition if listing.entry else None, hit.rule.condition)))
    conditions = [regime.conditions[name] for name in names]
    met = _met(conditions, question)
    meets = _meets(hit.rule, listing, question)
    if not meets and listing.word != "not_yet_effective":
        return hit
    effect = hit.rule.effect
    late = listing.entry is not None and not hit.stage.concerns(listing.entry.listed_on, question.day)
    if not meets or late or not hit.stage.holds(question.day) or (met == "false" and hit.rule.purpose_lifts):
        effect = ActivityEffect.NONE
    elif effect is not ActivityEffect.NONE and (listing.word == "unresolved" or _is_component(regime, question.party)):
        effect = ActivityEffect.REVIEW
    text = "; ".join(condition.text for condition in conditions) or None
    return replace(hit, condition=text, met=met, effect=effect, by_purpose=any(one.purposes for one in conditions))


def _meets(rule: Rule, listing: Listing, question: _Question) -> bool:
    listed = listing.counts or listing.word == "unresolved"
    return (listed and not (rule.named_only and listing.by_reach)) or bool(question.countries & set(rule.even_unlisted))


def _met(conditions: Sequence[Condition], question: _Question) -> str | None:
    if not conditions:
        return None
    answers = [_one_met(condition, question) for condition in conditions]
    return next((word for word in ("false", "unknown") if word in answers), "true")


def _one_met(condition: Condition, question: _Question) -> str:
    if condition.buyers:
        return "true" if any(role in condition.buyers for role in question.roles) else "unknown"
    if condition.purposes and question.purpose:
        return purposes.matches(question.purpose, condition)
    return "unknown"


def _is_component(regime: Regime, party: Party) -> bool:
    return party.component and regime.basis == "producer"


def _has_to(duty: Duty, question: _Question) -> bool:
    begun = duty.since is None or duty.since <= question.day
    return begun and Rule(buyers=duty.buyers, activities=duty.activities, effect=ActivityEffect.NONE,
                          because="").meets(question.roles, question.activity)


def _source(regime: Regime, listing: Listing, worst: _Hit | None) -> str:
    keys = (listing.entry.source if listing.entry else "", worst.stage.source if worst else "")
    return regime.cite(" ".join(dict.fromkeys(" ".join(keys).split()))) or "; ".join(regime.sources.values())


def _because(regime: Regime, listing: Listing, worst: _Hit | None, question: _Question) -> str:
    said = [listing.because]
    if worst is None:
        said.append(f"it says nothing of a {question.role.name} that would {question.activity.replace('_', ' ')}"
                    if regime.in_force(question.day) else f"it is not in force on {question.day}")
    elif not regime.in_force(question.day):
        said.append(f"its first stage begins on {regime.effective_from}" if question.day < regime.effective_from
                    else "it is no longer in force")
    elif not _meets(worst.rule, listing, question):
        if listing.by_reach and worst.rule.named_only:
            said.append("for this buyer only what is named itself counts")
    else:
        said.append(worst.rule.because)
        bites = worst.effect is not ActivityEffect.NONE
        if worst.met == "unknown" and bites:
            told = (f"cannot be told from the purpose given ({question.purpose})"
                    if question.purpose and worst.by_purpose else "is not known")
            said.append(f"whether its condition is met {told}; it was assumed")
        elif worst.met == "false" and not bites and worst.rule.effect is not ActivityEffect.NONE:
            said.append(f"the purpose given ({question.purpose}) is none of those it names: lifted on the buyer's word")
        if worst.effect is ActivityEffect.REVIEW and _is_component(regime, question.party):
            said.append("this party makes parts: a chip of its in a camera does not settle who produced the camera")
    return "; ".join(said) + "."
