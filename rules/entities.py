"""The parties that lists name or could name, their subsidiaries, brands and the makers they own.

A file of ``rules/data/entities`` is one group of companies. Membership has dates: a subsidiary counts only while it is
one. A party is found by its id, by a maker's slug, or by any of its names; what is not found is refused with the names
that come close, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cache

from pydantic import Field

from rules.documents import Document, read_all
from rules.regimes import Relation, Words

__all__ = ["Entities", "Link", "Party", "UnknownEntityError", "load"]

_LEGAL_FORMS = {"ab", "bv", "co", "company", "corp", "corporation", "gmbh", "group", "inc", "incorporated", "limited",
                "llc", "ltd", "plc", "pvt"}


class Link(Document):
    """How a party belongs to another, and when. ``until`` is the first day it no longer does.

    ``afterwards: review`` marks a business that left the group but may go on selling the group's products.
    """

    to: str
    relation: Relation
    since: date | None = None
    until: date | None = None
    percent: float | None = None
    afterwards: str = Field(default="nothing", pattern="^(nothing|review)$")
    note: str = ""
    source: str = ""
    unverified: bool = False


class _Member(Document):
    id: str
    name: str
    names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    country: str | None = None
    makers: Words = ()
    relation: Relation
    since: date | None = None
    until: date | None = None
    percent: float | None = None
    afterwards: str = "nothing"
    note: str = ""
    source: str
    unverified: bool = False


class _Group(Document):
    entity: str
    name: str
    local_name: str = ""
    country: str | None
    dated: date
    names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    makers: Words = ()
    component: bool = False
    part_of: tuple[Link, ...] = ()
    members: tuple[_Member, ...] = ()
    identifiers: Mapping[str, str | tuple[str, ...]] = Field(default_factory=dict)
    note: str = ""
    source: str
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """A company (or a category of goods) that can be asked about.

    ``country`` is the ISO code of its seat, as far as known; who controls it follows from its links. ``component``
    marks a maker of parts, whose name on a chip says nothing of who built the camera around it.
    """

    id: str
    name: str
    country: str | None
    names: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    component: bool = False
    note: str = ""
    source: str = ""
    unverified: bool = False


class UnknownEntityError(LookupError):
    """A name that no party bears; ``close`` are names that look like it."""

    def __init__(self, wanted: str, close: tuple[str, ...]) -> None:
        super().__init__(wanted)
        self.wanted, self.close = wanted, close

    def __str__(self) -> str:
        near = f"; close to it: {', '.join(self.close)}" if self.close else ""
        return f"no entity, maker, brand or alias is called {self.wanted!r}{near}"


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")))


def _bare(text: str) -> str:
    words = _plain(text).split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return " ".join(words)


def _spellings(text: str) -> set[str]:
    return {_plain(text), _bare(text)} - {""}


@dataclass(frozen=True, slots=True)
class Entities:
    """All parties, by id, and the index of names over them."""

    parties: Mapping[str, Party]
    index: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, parties: Iterable[Party]) -> Entities:
        """Index `parties`: ids before maker slugs before names before brands, the first to claim a name keeps it."""
        by_id = {party.id: party for party in parties}
        index: dict[str, str] = {}
        for claim in (lambda p: (p.id,), lambda p: p.makers, lambda p: (p.name, *p.names), lambda p: p.brands):
            for party in by_id.values():
                for name in claim(party):
                    for spelling in _spellings(name):
                        index.setdefault(spelling, party.id)
        return cls(by_id, index)

    def resolve(self, wanted: str) -> Party:
        """The party that `wanted` names. Raises `UnknownEntityError` with close names."""
        for spelling in (_plain(wanted), _bare(wanted)):
            if spelling in self.index:
                return self.parties[self.index[spelling]]
        near = get_close_matches(_bare(wanted), self.index, n=6, cutoff=0.7)
        raise UnknownEntityError(wanted, tuple(dict.fromkeys(self.index[n] for n in near))[:4])

    def of_maker(self, slug: str) -> Party | None:
        """The party that owns a maker, where one is known."""
        return next((p for p in self.parties.values() if slug in p.makers), None)


@cache
def load() -> Entities:
    """Every party of ``rules/data/entities``. Raises `DataError` where a file does not fit."""
    return Entities.of(party for _, group in read_all("entities", _Group) for party in _parties(group))


def _parties(group: _Group) -> Iterator[Party]:
    local = (group.local_name,) if group.local_name else ()
    yield Party(group.entity, group.name, group.country, (*group.names, *local), group.brands, group.makers,
                group.part_of, group.component, group.note, group.source, group.unverified)
    for member in group.members:
        link = Link(to=group.entity, relation=member.relation, since=member.since, until=member.until,
                    percent=member.percent, afterwards=member.afterwards, note=member.note, source=member.source,
                    unverified=member.unverified)
        yield Party(member.id, member.name, member.country, member.names, member.brands, member.makers, (link,), False,
                    member.note, member.source, member.unverified)
