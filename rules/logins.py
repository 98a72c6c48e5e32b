"""Which login a maker documents as the state of delivery: at most one pair a device, and none where anything is unsure.

The data only says what a manual says. Whether a device is asked at all is decided by its owner, once a sweep.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from pydantic import Field, model_validator

from rules.documents import DATA, Document, read
from rules.grammars import GRAMMARS
from rules.makers import Makers, Pattern
from rules.versions import compare
from rules.vocabulary import Assurance, Identity, Kind

__all__ = ["FactoryLogin", "NoLogin", "documented", "load"]


class FactoryLogin(Document):
    """One documented pair.

    Attributes:
        id: what stands in reports and in the log in place of the pair.
        models: of which models; the whole name need not match.
        before: the first firmware that ships without it, in the maker's own form; later ones are not tried.
        before_day: the same as a day of build.
        password: kept out of every repr.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    maker: str
    models: tuple[Pattern, ...]
    before: str = ""
    before_day: date | None = None
    user: str
    password: str = Field(repr=False)
    source: str
    unverified: bool = False


class _Book(Document):
    dated: date
    logins: tuple[FactoryLogin, ...]

    @model_validator(mode="after")
    def _told_apart(self) -> _Book:
        if len({one.id for one in self.logins}) != len(self.logins):
            raise ValueError("two logins have one id")
        return self


@dataclass(frozen=True, slots=True)
class NoLogin:
    """Why no documented pair is known for a device."""

    because: str


@cache
def load() -> tuple[FactoryLogin, ...]:
    """Every documented pair. Raises `rules.documents.DataError`."""
    return read(DATA / "logins" / "factory.yaml", _Book).logins


def documented(identity: Identity, makers: Makers,
               book: Sequence[FactoryLogin] | None = None) -> FactoryLogin | NoLogin:
    """The one pair for a device whose maker is corroborated, whose model and label are known and undisputed."""
    if identity.kind is Kind.OTHER:
        return NoLogin("it is no camera")
    if identity.maker is None or identity.assurance not in {Assurance.CORROBORATED, Assurance.CRYPTOGRAPHIC}:
        return NoLogin("its maker rests on its own word alone" if identity.maker else "its maker is not known")
    if not identity.model:
        return NoLogin("its model is not known")
    if len(set(identity.makers)) > 1 or any(c.claim in {"maker", "brand", "model"} for c in identity.conflicts):
        return NoLogin("what it says of itself is contradicted")
    if identity.brand and not _own_label(identity, makers):
        return NoLogin(f"its label is {identity.brand}, whose documented login is not known")
    found = [one for one in (load() if book is None else book) if one.maker == identity.maker
             and any(re.search(pattern, identity.model) for pattern in one.models)]
    if len(found) != 1:
        return NoLogin("no login is documented for this model" if not found else "more than one login is documented")
    late = _ships_without(found[0], identity)
    return NoLogin(late) if late else found[0]


def _own_label(identity: Identity, makers: Makers) -> bool:
    maker = makers[identity.maker or ""]
    own = {maker.maker, maker.name, maker.legal_name, *maker.names, *(b.name for b in maker.brands if b.own)}
    return (identity.brand or "").casefold() in {name.casefold() for name in own}


def _ships_without(login: FactoryLogin, identity: Identity) -> str:
    """Why this firmware is known, or may be thought, to ship without the pair; empty where it has it."""
    if not login.before and login.before_day is None:
        return ""
    grammar = GRAMMARS.get(login.maker)
    version = grammar.parse(identity.firmware, identity.firmware_build) if grammar and identity.firmware else None
    if grammar is None or version is None:
        return "only older firmware ships with the documented login, and its version is not known"
    if login.before_day is not None:
        day = int(login.before_day.strftime("%Y%m%d"))
        older = bool(version.build) and version.build[0] < day
    else:
        bound = grammar.parse(login.before)
        order = compare(version, bound, grammar) if bound else None
        older = isinstance(order, int) and order < 0
    return "" if older else f"firmware {identity.firmware} ships without the documented login"
