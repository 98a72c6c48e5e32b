"""The shape of ``rules/data/advisories/*.yaml``: a file a maker, a record a vulnerability, an entry a source's word.

Bounds are kept as the source writes them and read when the file is: a bound that has not the maker's form, or a range
that ends before it begins, is an error that names the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import Field, model_validator

from rules.documents import Document
from rules.grammars import Grammar, Version, grammar_named
from rules.versions import Incomparable, Span, compare

__all__ = ["Advisory", "AdvisoryFile", "Affected", "Entry", "Kev", "entry_of"]


class Kev(Document):
    """The entry in CISA's catalogue of known exploited vulnerabilities."""

    added: date
    due: date | None = None
    ransomware: str = ""
    source: str


class Affected(Document):
    """What one source says of one group of models.

    Attributes:
        by: whose word it is (``cna``, ``adp``, ``nvd``, ``csaf``, ``text``); words of one source add up, words of two
            can disagree.
        models: scopes as `rules.versions.model_pattern` reads them; none means every device of the maker.
        but: scopes that are not meant although `models` covers them.
        text: the source's own words on versions.
        since, until, before, exact, every: the bounds read out of them; none of them means that none could be read.
        family: the branch the bounds speak of.
        below_unknown, above_unknown: the source does not clear what lies outside.
        spared: versions that the source itself calls not affected, whatever its bounds say.
        disputed: another source contradicts that these models are concerned.
        contradicted: the same source says of the same versions that they are affected and that they are not.
        doubtful: within the bounds nothing is sure.
        cleared: the source says of these models that none is affected.
        fallback: counts only where no other entry names the model.
    """

    by: str
    models: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    text: str = ""
    since: str | None = None
    until: str | None = None
    before: str | None = None
    exact: tuple[str, ...] = ()
    every: bool = False
    family: str = ""
    below_unknown: bool = False
    above_unknown: bool = False
    spared: tuple[str, ...] = ()
    disputed: bool = False
    contradicted: bool = False
    doubtful: bool = False
    cleared: bool = False
    fallback: bool = False
    grammar: str | None = None


class Advisory(Document):
    """One vulnerability with everything that sources say of it.

    ``closed`` says that the models named are all that are meant; an advisory that is not may mean others too.
    """

    cve: str = Field(pattern=r"^CVE-\d{4}-\d{4,7}$")
    nature: str
    cwe: str | None = None
    cvss: float | None = Field(default=None, ge=0, le=10)
    cvss_source: str = ""
    kev: Kev | None = None
    fixed: str | None = None
    affected: tuple[Affected, ...] = Field(min_length=1)
    closed: bool = True
    note: str = ""
    source: tuple[str, ...] = Field(min_length=1)
    unverified: bool = False
    unverified_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What one source says, ready to be compared; ``strips`` are names that may stand before a model."""

    said: Affected
    span: Span
    grammar: Grammar
    strips: tuple[str, ...] = ()


def _bound(text: str | None, grammar: Grammar, cve: str) -> Version | None:
    if text is None:
        return None
    version = grammar.parse(text)
    if version is None:
        raise ValueError(f"{cve}: the bound {text!r} has not the form {grammar.name}")
    return version


_NOUNS = ("NETWORK CAMERA ", "IP CAMERA ", "DVR ", "NVR ", "XVR ")   # what a label may say before the model


def entry_of(said: Affected, grammar_name: str, cve: str, names: tuple[str, ...] = ()) -> Entry:
    """An entry ready to be compared. Raises `ValueError` with the CVE: a bound of no form, a range of nothing."""
    grammar = grammar_named(said.grammar or grammar_name)
    exact = tuple(grammar.parse(text) or Version(text, "text", tail=text) for text in said.exact)
    spared = tuple(grammar.parse(text) or Version(text, "text", tail=text) for text in said.spared)
    span = Span(_bound(said.since, grammar, cve), _bound(said.until, grammar, cve), _bound(said.before, grammar, cve),
                exact, said.every, said.family.upper(), said.below_unknown, said.above_unknown, spared)
    for end in (span.until, span.before):
        if span.since is not None and end is not None:
            order = compare(span.since, end, grammar)
            if not isinstance(order, Incomparable) and order > 0:
                raise ValueError(f"{cve}: circular range, from {said.since} up to {end.raw}")
            if order == 0 and end is span.before:
                raise ValueError(f"{cve}: empty range, from {said.since} and before {end.raw}")
    return Entry(said, span, grammar, (*grammar.strips, *(name.upper() for name in names), *_NOUNS))


class AdvisoryFile(Document):
    """One maker's advisories.

    Attributes:
        maker: its slug; a brand or a component that has advisories of its own has its own file.
        made_by: the slug of the true maker, where this is a brand.
        beside: slugs of other files whose records name models sold under this brand too.
        component: software inside products of others; no device's firmware version tells its version.
        names: further names it is asked by.
        grammar: the form of its versions, see `rules.grammars`.
        set_aside: records of the sources that are not used, with the reason.
    """

    maker: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    names: tuple[str, ...] = ()
    made_by: str | None = None
    beside: tuple[str, ...] = ()
    component: bool = False
    grammar: str = "dotted"
    dated: date
    records: tuple[Advisory, ...]
    set_aside: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _readable(self) -> AdvisoryFile:
        for record in self.records:
            for said in record.affected:
                entry_of(said, self.grammar, record.cve)
        seen = [record.cve for record in self.records]
        if doubled := {cve for cve in seen if seen.count(cve) > 1}:
            raise ValueError(f"twice in one file: {', '.join(sorted(doubled))}")
        return self
