"""Who asks: the roles a buyer can have, what each does where nothing else is said, and how effects add up.

The table from effects to the overall word is data (``rules/data/effects/overall.yaml``): an effect that binds the buyer
weighs differently from one that only concerns the seller.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from rules.documents import Document, read_all
from rules.regimes import Activities, Words
from rules.vocabulary import ActivityEffect, Effect, Overall

__all__ = ["Buyer", "UnknownBuyerError", "buyer", "load", "overall_of", "rank", "roles_of", "table", "weight"]

_FROM_BAD_TO_GOOD = (Overall.PROHIBITED, Overall.REVIEW, Overall.RESTRICTED, Overall.LEGAL_RED_FLAG, Overall.LEGAL)


class Buyer(Document):
    """One role. ``is_also`` are roles it includes; ``does`` its default activities, the worst of which counts."""

    buyer: str
    name: str
    does: Activities
    is_also: Words = ()
    note: str = ""
    source: str


class _Meaning(Document):
    binding: Overall
    otherwise: Overall


class _Table(Document):
    note: str
    effects: Mapping[ActivityEffect, _Meaning]


class UnknownBuyerError(LookupError):
    """A role that no file of ``rules/data/buyers`` describes."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted

    def __str__(self) -> str:
        return f"no buyer is called {self.wanted!r}; known are {', '.join(load())}"


@cache
def load() -> dict[str, Buyer]:
    """Every role by its id. Raises `DataError` where a file does not fit."""
    return {found.buyer: found for _, found in read_all("buyers", Buyer)}


def buyer(wanted: str) -> Buyer:
    """The role of that id. Raises `UnknownBuyerError`, which names those that are known."""
    if wanted not in load():
        raise UnknownBuyerError(wanted)
    return load()[wanted]


def roles_of(role: Buyer) -> tuple[str, ...]:
    """The role and all that it includes."""
    roles = [role.buyer]
    for name in roles:
        roles += [also for also in buyer(name).is_also if also not in roles]
    return tuple(roles)


@cache
def table() -> Mapping[ActivityEffect, _Meaning]:
    """What each effect amounts to, worst first. Raises `DataError` where the file does not fit."""
    (_, table), = read_all("effects", _Table)
    return table.effects


def overall_of(effect: ActivityEffect, *, binds: bool) -> Overall:
    """What one effect amounts to for a buyer it binds, or does not bind."""
    meaning = table()[effect]
    return meaning.binding if binds else meaning.otherwise


def rank(effect: ActivityEffect, *, binds: bool) -> tuple[int, int, int]:
    """A key that sorts from worst to best: by what the effect amounts to, then as in the table, then binding first."""
    return (_FROM_BAD_TO_GOOD.index(overall_of(effect, binds=binds)), tuple(table()).index(effect), not binds)


def weight(effect: Effect) -> tuple[int, int, int]:
    """`rank` of a whole effect."""
    return rank(effect.effect, binds=effect.binds_buyer)
