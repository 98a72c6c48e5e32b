"""Where goods go, in the words of an order, and who is judged for it beside the buyer.

A law binds persons, not places: a place only tells who takes part. What is understood of a cell is said, and a place of
which no law is modelled is `not assessed`, never clean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal, TypeVar

from rules.documents import Document, read_all
from rules.regimes import Activity, Words

__all__ = ["Delivery", "Judged", "Place", "delivery_to", "load"]

T = TypeVar("T")
MOST_TEXT = 300
ABROAD = ("sending it out of the US needs a licence only where the recipient is on the Entity List (US-BIS-EL); the "
          "recipient is not told")


class Judged(Document):
    """A role that a place adds, what it does, and why."""

    role: str
    activity: Activity
    because: str


class Place(Document):
    """A country or a kind of site. ``country`` is the place it lies in; ``says`` is told wherever it is found.

    ``generic`` names could be of any country; ``sovereign`` marks a site of a government, and ``government`` the place
    that stands for the government of a country.
    """

    place: str
    name: str
    country: str | None = None
    law: Literal["modelled", "government_only", "none"]
    government: str | None = None
    sovereign: bool = False
    generic: tuple[str, ...] = ()
    codes: Words = ()
    names: tuple[str, ...] = ()
    says: str = ""
    judged: tuple[Judged, ...] = ()


class _Places(Document):
    note: str
    dated: date
    source: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is understood of one destination: the places, who is judged there, and what has to be said of it.

    ``not_assessed`` says of what no law is modelled; empty where everything that was named is.
    """

    text: str
    places: tuple[Place, ...]
    judged: tuple[Judged, ...]
    says: tuple[str, ...]
    not_assessed: str = ""

    @property
    def name(self) -> str:
        """The places in words, or the cell as it stands."""
        return ", ".join(place.name for place in self.places) or self.text


@cache
def load() -> dict[str, Place]:
    """Every place by its id. Raises `DataError` where a file does not fit."""
    return {place.place: place for _, found in read_all("delivery", _Places) for place in found.places}


@dataclass(frozen=True, slots=True)
class _Found:
    """A place that a cell names, and whether only in words that could be of any country."""

    place: Place
    generic: bool


def delivery_to(text: str, recipient: str = "") -> Delivery:
    """What a destination means: country codes or names, or kinds of sites, as orders say them; ``;`` parts several."""
    cell = " ".join(text[:MOST_TEXT].split())
    parts = [_delivery(part.strip(), recipient) for part in cell.split(";") if part.strip()]
    parts = parts or [_delivery("", recipient)]
    return Delivery(cell, _each(place for part in parts for place in part.places),
                    _each(one for part in parts for one in part.judged),
                    _each(one for part in parts for one in part.says),
                    "; ".join(_each(part.not_assessed for part in parts if part.not_assessed)))


def _each(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _delivery(cell: str, recipient: str) -> Delivery:
    found = _by_code(cell) or _by_names(cell)
    named = list(dict.fromkeys(one.place.country or one.place.place for one in found if not one.generic))
    kept, says, lacking = [], [], not found
    for one in found:
        if not one.generic or one.place.country in named:
            kept.append(one.place)
        elif not named:
            kept.append(one.place)
            says.append(f"taken for a {one.place.name}, since no country is named beside it")
        else:
            governments = [load()[name].government for name in named] if one.place.sovereign else []
            kept += [load()[name] for name in governments if name is not None]
            lacking = lacking or not governments or None in governments
    kept = _with_countries(kept)
    lacking = lacking or any(place.law == "none" for place in kept)
    says += [place.says for place in kept if place.says]
    if not recipient and not any("us" in (place.place, place.country) for place in kept):
        says.append(ABROAD)
    return Delivery(cell, tuple(kept), _each(one for place in kept for one in place.judged), _each(says),
                    f"not assessed: no law of {cell!r} is modelled" if lacking else "")


def _by_code(cell: str) -> list[_Found]:
    """The place whose code is the whole cell; a subdivision that nobody knows stands for its country."""
    code = cell.upper()
    for wanted in (code, code.partition("-")[0] if re.fullmatch(r"[A-Z]{2}-[A-Z0-9]{1,3}", code) else code):
        for place in load().values():
            if wanted in place.codes:
                return [_Found(place, generic=False)]
    return []


def _by_names(cell: str) -> list[_Found]:
    """Every place named in the cell; the longest name is read first, and what it covers is read once."""
    text = f" {_words(cell)} "
    found: dict[str, _Found] = {}
    for name, one in _names():
        if name in text:
            text = text.replace(name, " | ")
            if one.place.place not in found or found[one.place.place].generic:
                found[one.place.place] = one
    return list(found.values())


@cache
def _names() -> tuple[tuple[str, _Found], ...]:
    spelt = [(_framed(name), _Found(place, generic)) for place in load().values()
             for generic, names in ((False, place.names), (True, place.generic)) for name in names]
    return tuple(sorted(spelt, key=lambda one: -len(one[0])))


def _framed(name: str) -> str:
    """A name with the spaces that end it; scripts that set none between words are looked for anywhere."""
    words = _words(name)
    return words if re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", words) else f" {words} "


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFC", "".join(char for char in folded if not unicodedata.combining(char)))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _with_countries(found: Sequence[Place]) -> list[Place]:
    """The places, each once, with the countries they lie in."""
    return list(_each(one for place in found for one in (place, load()[place.country] if place.country else place)))
