"""What a law or list says, as data: the shape of ``rules/data/regimes/*.yaml``.

A regime has stages in time (each forbids something from one day to another), binding rules (which buyer, doing what, is
met by which effect), advice for buyers it does not bind, conditions that narrow it, the reach to subsidiaries and
affiliates with its own dates, duties, exceptions, and the entries of its list. `rules.listing` says whether a party is
on it, `rules.effects` what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from rules.documents import LAW, Document, digest_of, read_all
from rules.vocabulary import ActivityEffect, ListVersion

__all__ = [
    "ANYBODY", "Activity", "Category", "Condition", "Duty", "Entry", "Example", "Reach", "Regime", "Relation", "Rule",
    "Stage", "list_version", "load",
]

ANYBODY = "anybody"


class Activity(StrEnum):
    """What the buyer does. Without one, the buyer's own default activities are judged and the worst counts."""

    PROCURE = "procure"
    USE = "use"
    PROVIDE = "provide"
    IMPORT = "import"
    MARKET = "market"
    EXPORT_TO = "export_to"
    INVEST = "invest"
    SUBSIDISE = "subsidise"
    CONTRACT = "contract"


class Relation(StrEnum):
    """How a party stands to an owner that a list may name."""

    SUBSIDIARY = "subsidiary"
    AFFILIATE = "affiliate"
    JOINT_VENTURE = "joint_venture"
    FORMER = "former"
    DISPUTED = "disputed"
    SUCCESSOR = "successor"


def _words(value: object) -> object:
    """A list may be written as one text of words."""
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Activities = Annotated[tuple[Activity, ...], BeforeValidator(_words)]


class Rule(Document):
    """One effect on some buyers doing some things; no activities means all of them.

    ``purpose_lifts`` is false where the law does not look at the purpose of a single buyer. ``even_unlisted`` are the
    countries whose companies the rule meets without being on any list; ``named_only`` rules do not follow the reach to
    subsidiaries and affiliates; ``but_not`` are buyers that ``anybody`` does not mean: those of another country.
    """

    buyers: Words
    but_not: Words = ()
    activities: Activities = ()
    effect: ActivityEffect
    because: str
    condition: str | None = None
    purpose_lifts: bool = True
    even_unlisted: Words = ()
    named_only: bool = False

    def meets(self, roles: tuple[str, ...], activity: Activity) -> bool:
        """Whether the rule speaks of one of these roles and of this activity."""
        known = ANYBODY in self.buyers or any(role in self.buyers for role in roles)
        if any(role in self.but_not for role in roles):
            return False
        return known and (not self.activities or activity in self.activities)


class Stage(Document):
    """What the regime does from one day (included) to another (excluded). Stages may overlap.

    ``listed_before`` limits it to parties listed before a day, ``after_days`` to the time from so many days after their
    own listing.
    """

    since: date
    until: date | None = None
    listed_before: date | None = None
    after_days: int = 0
    what: str
    citation: str = ""
    source: str = ""
    unverified: bool = False
    binds: tuple[Rule, ...] = ()
    advises: tuple[Rule, ...] = ()

    def holds(self, day: date) -> bool:
        """Whether the stage is in force on that day."""
        return self.since <= day and (self.until is None or day < self.until)

    def concerns(self, listed_on: date | None, day: date) -> bool:
        """Whether the stage reaches, on that day, who was listed then; a party whose day is not known is reached."""
        if listed_on is None:
            return True
        in_time = self.listed_before is None or listed_on < self.listed_before
        return in_time and listed_on + timedelta(days=self.after_days) <= day


class Condition(Document):
    """A limit of the law's reach. ``purposes`` and ``buyers`` can decide it; where neither can, it stays unknown."""

    text: str
    purposes: Words = ()
    doubtful: Words = ()
    buyers: Words = ()


class Reach(Document):
    """How far a listing reaches beyond the party named, from one day to another.

    ``listed_only``: nobody else. ``affiliates``: any subsidiary or affiliate. ``owned_50``: what a listed party owns by
    half or more. ``control``: what it controls. ``not_stated``: the source does not say. ``unresolved``: whether the
    rule of ``owned_50`` holds could not be verified.
    """

    since: date | None = None
    scope: Literal["listed_only", "affiliates", "owned_50", "control", "not_stated", "unresolved"]
    text: str
    except_countries: Words = ()
    source: str = ""
    unverified: bool = False


class Duty(Document):
    """What a buyer has to do beside, where the regime meets one that is listed."""

    text: str
    buyers: Words = (ANYBODY,)
    activities: Activities = ()
    since: date | None = None


class Category(Document):
    """Membership by what a party is and not by its name: its country of control, or simply everybody.

    ``word: unresolved`` marks a regime that is only indexed: whom it means has not been read.
    """

    countries: Words = ()
    everybody: bool = False
    word: Literal["category", "unresolved"] = "category"
    text: str


class Entry(Document):
    """One row of the list. ``effective_on`` may lie after ``listed_on``; ``removed_on`` is the first day it is gone."""

    entity: str
    name: str
    listed_on: date
    effective_on: date
    removed_on: date | None = None
    citation: str = ""
    condition: str | None = None
    why_listed: str | None = None
    source: str = ""
    unverified: bool = False
    note: str = ""


class Negative(Document):
    """A statement that parties are not on the list, and whether it could be verified."""

    entities: Words
    text: str
    unverified: bool = False


class Example(Document):
    """One proof: a party, a buyer and a day, and the fields of the effect that must come out."""

    entity: str
    buyer: str
    on: date
    activity: Activity | None = None
    purpose: str | None = None
    expect: Mapping[str, str | bool]


class Regime(Document):
    """A law or a list with everything that `rules.effects` needs to say what it means for a buyer on a day."""

    regime: str = Field(pattern=r"^[A-Z0-9-]+$")
    name: str
    authority: str
    jurisdiction: str
    citation: str
    dated: date
    enacted_on: date | None = None
    forbids: str
    basis: Literal["producer", "counterparty"]
    status: str
    unverified: bool = False
    sources: Mapping[str, str]
    stages: tuple[Stage, ...]
    reach: tuple[Reach, ...]
    category: Category | None = None
    conditions: Mapping[str, Condition] = Field(default_factory=dict)
    exceptions: tuple[str, ...] = ()
    duties: tuple[Duty, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    entries: tuple[Entry, ...] = ()
    same_entries_as: str | None = None
    not_listed: tuple[Negative, ...] = ()
    note: str = ""
    examples: tuple[Example, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> Regime:
        if not self.stages:
            raise ValueError("a regime has at least one stage")
        named = {e.condition for e in self.entries} | {r.condition for s in self.stages for r in (*s.binds, *s.advises)}
        if unknown := {n for n in named if n} - set(self.conditions):
            raise ValueError(f"conditions not described: {', '.join(sorted(unknown))}")
        origins = [*(e.source for e in self.entries), *(s.source for s in self.stages), *(r.source for r in self.reach)]
        cited = {key for origin in origins for key in origin.split()}
        if unknown := cited - set(self.sources):
            raise ValueError(f"sources not described: {', '.join(sorted(unknown))}")
        return self

    @property
    def effective_from(self) -> date:
        """The first day of its first stage."""
        return min(stage.since for stage in self.stages)

    def in_force(self, day: date) -> bool:
        """Whether any stage holds on that day."""
        return any(stage.holds(day) for stage in self.stages)

    def reach_on(self, day: date) -> Reach:
        """The reach on that day: the last one that has begun."""
        begun = [r for r in self.reach if r.since is None or r.since <= day]
        return max(begun, key=lambda r: r.since or date.min) if begun else self.reach[0]

    def cite(self, keys: str) -> str:
        """Source keys as the words a reader can follow."""
        return "; ".join(self.sources[key] for key in keys.split())


@cache
def load() -> tuple[Regime, ...]:
    """Every regime, in the order of the file names; one may take over the entries of another. Raises `DataError`."""
    read = {regime.regime: regime for _, regime in read_all("regimes", Regime)}
    return tuple(_with_entries(regime, read) for regime in read.values())


def _with_entries(regime: Regime, read: Mapping[str, Regime]) -> Regime:
    if regime.same_entries_as is None:
        return regime
    origin = read[regime.same_entries_as]
    return regime.model_copy(update={
        "conditions": {**origin.conditions, **regime.conditions}, "sources": {**origin.sources, **regime.sources},
        "entries": tuple(e.model_copy(update={"effective_on": max(e.effective_on, regime.effective_from)})
                         for e in origin.entries)})


def list_version() -> ListVersion:
    """The edition of laws, parties and tables as one version; its date is that of the oldest regime in it."""
    return ListVersion("regimes", "Laws, lists and listed parties", digest_of(*LAW), min(r.dated for r in load()))
