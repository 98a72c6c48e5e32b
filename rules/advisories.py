"""Known vulnerabilities: what published advisories say of one model with one firmware version.

A file in ``rules/data/advisories`` holds one maker's records. Each record keeps, per source, the models it names, its
own words on versions and the bounds read out of them; words that could not be read stay, and make the answer
``unknown``. Sources that disagree on a version make it ``disputed``. Nothing here guesses: see ``docs/advisories.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache

from rules.advisory_records import Advisory, AdvisoryFile, Affected, Entry, entry_of
from rules.documents import read_all
from rules.grammars import MAX_TEXT, Grammar, Version, form_of, grammar_named
from rules.versions import MAX_MODEL, Vote, Word, model_heads, names_model, scope_head, vote

__all__ = ["AdvisoryResult", "Book", "State", "load", "results_for"]


class State(StrEnum):
    """What the advisories amount to for one version."""

    AFFECTED = "affected"
    NOT_AFFECTED = "not_affected"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AdvisoryResult:
    """What one advisory says of one device, and how that was found out.

    Attributes:
        concerns: whether the advisory may well mean this device; false where it names other models only.
        steps: the comparison step by step: what was read, against which bound, by which rule, from which source.
    """

    cve: str
    status: State
    because: str
    maker: str
    nature: str
    concerns: bool = True
    kev: date | None = None
    cvss: float | None = None
    fixed_in: str | None = None
    source: tuple[str, ...] = ()
    unverified: bool = False
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def urgency(self) -> tuple[bool, bool, float]:
        """Sorts the most urgent first: affected, then known exploited, then by score."""
        return self.status is not State.AFFECTED, self.kev is None, -(self.cvss or 0.0)


@dataclass(frozen=True, slots=True)
class _Device:
    """What is asked about: a model and version as the device gives them, and whose software it is."""

    model: str
    firmware: str
    build: str
    foreign: str       # the maker whose form the firmware has, where it is not the maker that is asked
    by_form: bool      # whether the advisories apply only because of the firmware's form


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One maker's records, ready to be compared."""

    file: AdvisoryFile
    entries: tuple[tuple[Advisory, tuple[Entry, ...]], ...]
    heads: Mapping[str, frozenset[int]]          # places of records by how the models of their scopes begin
    every_model: frozenset[int]                  # places of records with words on every device of the maker
    strips: frozenset[tuple[str, ...]]

    def may_name(self, model: str) -> set[int]:
        """Places of the records that can speak of a model; all others name other models only."""
        begins = frozenset[str]().union(*(model_heads(model, strips) for strips in self.strips))
        return set(self.every_model).union(*(self.heads[head] for head in begins if head in self.heads))


class Book:
    """All advisories, found by maker. Built once, never changed."""

    def __init__(self, files: Sequence[AdvisoryFile]) -> None:
        self.files: Mapping[str, AdvisoryFile] = {file.maker: file for file in files}
        self._shelves = {file.maker: _shelf(file) for file in files}
        self._names = {name.casefold(): file.maker for file in files for name in (file.maker, *file.names)}
        self._scoped = lru_cache(maxsize=32768)(self._scope)
        self._lies_within = lru_cache(maxsize=65536)(self._within)

    def __len__(self) -> int:
        return sum(len(file.records) for file in self.files.values())

    def makers_named(self, maker: str) -> list[str]:
        """The files that a maker, brand or component of this name stands for, its true maker's behind its own."""
        slug = self._names.get(" ".join(maker.casefold().split()))
        if slug is None:
            return []
        file = self.files[slug]
        return [one for one in (slug, file.made_by, *file.beside) if one is not None and one in self.files]

    def results(self, makers: Sequence[str], model: str | None, firmware: str | None,
                build: str | None = None) -> list[AdvisoryResult]:
        """Every advisory of these makers on one device, the most urgent first.

        Args:
            makers: names of makers, brands or components; the first is the one the device is sold under.
            model: its model, None or empty where it is not known.
            firmware: its version, as the device gives it.
            build: its build date, where the device tells it apart from the version.
        """
        form = form_of(firmware or "")
        asked = list(dict.fromkeys(slug for name in makers for slug in self.makers_named(name)))
        by_form = [form] if form is not None and form in self.files and form not in asked else []
        found: list[AdvisoryResult] = []
        for slug in (*asked, *by_form):
            shelf = self._shelves[slug]
            kin = {slug, shelf.file.made_by}
            own = _parsed(shelf.file.grammar, firmware or "", build or "") if form is not None else None
            foreign = form if form is not None and form not in kin and not (own and own.build and not own.tail) else ""
            rebrand = slug in by_form or (slug != asked[0] and slug == self.files[asked[0]].made_by)
            device = _Device(model or "", firmware or "", build or "", foreign, rebrand)
            scoped = self._scoped(slug, device.model if len(device.model) <= MAX_MODEL else "")
            for place, (record, _) in enumerate(shelf.entries):
                chosen = scoped.get(place)
                if chosen:
                    found.append(_judge(record, chosen, shelf, device))
                else:
                    older = self._lies_within(slug, place, device.firmware[:MAX_TEXT + 1], device.build, foreign) \
                        if device.model.strip() and (rebrand or not record.closed) else ""
                    found.append(_unnamed(record, shelf, device, older))
        return sorted(found, key=lambda result: (result.urgency, result.cve))

    def _scope(self, slug: str, model: str) -> Mapping[int, tuple[tuple[Entry, str], ...]]:
        """By place of a record, its entries that speak of a model, each with the scope that names it."""
        shelf = self._shelves[slug]
        found: dict[int, tuple[tuple[Entry, str], ...]] = {}
        for place in shelf.may_name(model):
            named = [(entry, _named_by(entry, model)) for entry in shelf.entries[place][1]]
            chosen = [(entry, scope) for entry, scope in named if scope is not None]
            first = [(entry, scope) for entry, scope in chosen if not entry.said.fallback]
            found[place] = tuple(first or chosen)
        return found

    def _within(self, slug: str, place: int, firmware: str, build: str, foreign: str) -> str:
        """The bounds within which a version lies that a record has for models it names; empty where it lies in none."""
        device = _Device("", firmware, build, foreign, by_form=False)
        for entry in self._shelves[slug].entries[place][1]:
            if entry.span.stated and not entry.span.every:
                cast = vote(_version(device, entry.grammar)[0], "", entry.span, entry.grammar)
                if cast.word is Word.AFFECTED:
                    return cast.bound
        return ""


def _named_by(entry: Entry, model: str) -> str | None:
    if entry.said.but and names_model(entry.said.but, model, entry.strips):
        return None
    if not entry.said.models:
        return "every device of the maker"
    return names_model(entry.said.models, model, entry.strips)


def _shelf(file: AdvisoryFile) -> _Shelf:
    entries = tuple((record, tuple(entry_of(said, file.grammar, record.cve, file.names) for said in record.affected))
                    for record in file.records)
    heads: dict[str, set[int]] = {}
    every_model: set[int] = set()
    for place, (_, spoken) in enumerate(entries):
        for entry in spoken:
            if not entry.said.models:
                every_model.add(place)
            for scope in entry.said.models:
                heads.setdefault(scope_head(scope), set()).add(place)
    return _Shelf(file, entries, {head: frozenset(places) for head, places in heads.items()}, frozenset(every_model),
                  frozenset(entry.strips for _, spoken in entries for entry in spoken))


@lru_cache(maxsize=65536)
def _parsed(grammar: str, firmware: str, build: str) -> Version | None:
    version = grammar_named(grammar).parse(firmware, build or None)
    if version is None or not build or not version.build or grammar_named(grammar).parse(firmware) == version:
        return version
    return replace(version, raw=f"{firmware} build {build.removeprefix('build').strip()}")


def _version(device: _Device, grammar: Grammar) -> tuple[Version | None, str]:
    """The device's version in a grammar, or None and why there is none."""
    if not device.firmware.strip():
        return None, "the firmware version is not known"
    shown = _shown(device.firmware)
    if len(device.firmware) > MAX_TEXT:
        return None, f"the version text is {len(device.firmware)} characters long and was not read"
    if device.foreign:
        return None, f"{shown!r} has the form of {device.foreign}'s versions"
    version = _parsed(grammar.name, device.firmware, device.build[:MAX_TEXT])
    if version is None:
        return None, f"{shown!r} is no one version of the form {grammar.name}"
    if grammar.model_files and version.family and not _made_for(version.family, device.model, grammar.strips):
        return None, f"{shown!r} is a file for {version.family}"
    return version, ""


def _made_for(family: str, model: str, strips: Sequence[str]) -> bool:
    """Whether a file named after `family` is one for `model`, as far as their names tell."""
    name = model[:MAX_MODEL].upper()
    for strip in strips:
        name = name.removeprefix(strip)
    made, device = (re.sub(r"[^A-Z0-9]", "", one.upper()) for one in (family, name))
    return bool(device) and (device.startswith(made) or made.startswith(device))


def _judge(record: Advisory, chosen: Sequence[tuple[Entry, str]], shelf: _Shelf, device: _Device) -> AdvisoryResult:
    votes: list[tuple[Entry, str, Vote]] = []
    for entry, scope in chosen:
        version, why_not = _version(device, entry.grammar)
        cast = _as_said(entry.said, vote(version, why_not, entry.span, entry.grammar, device.firmware[:MAX_TEXT]))
        votes.append((entry, scope, _for_rebrand(cast, entry, device)))
    status, because, deciding = _count(votes)
    steps = _steps(device, votes, deciding, record) if status in {State.AFFECTED, State.DISPUTED} else ()
    return _result(record, shelf, status, because, concerns=True, fixed_in=_fixed_in(record, votes),
                   steps=steps)


# In the order in which words of different sources count.
_STATE: Mapping[Word, State] = {
    Word.AFFECTED: State.AFFECTED, Word.DISPUTED: State.DISPUTED, Word.UNSURE: State.UNKNOWN,
    Word.CLEAR: State.NOT_AFFECTED, Word.SILENT: State.UNKNOWN,
}


def _as_said(said: Affected, cast: Vote) -> Vote:
    """A vote under what the entry says of its own worth."""
    if said.cleared:
        return Vote(Word.CLEAR, "the source says that these models are not affected", cast.bound)
    if cast.word is Word.AFFECTED and said.disputed:
        return Vote(Word.DISPUTED, f"{cast.because}; another source contradicts it ({said.text})", cast.bound)
    if cast.word is Word.AFFECTED and said.contradicted:
        return Vote(Word.DISPUTED, f"{cast.because}; the same source says that it is not affected", cast.bound)
    if cast.word is Word.AFFECTED and said.doubtful:
        return Vote(Word.UNSURE, said.text, cast.bound)
    return cast


def _for_rebrand(cast: Vote, entry: Entry, device: _Device) -> Vote:
    """A vote on what is sold under another label: bounds without a scope say nothing sure of that label's branch."""
    if not device.by_form or entry.said.models or entry.span.every or cast.word not in {Word.AFFECTED, Word.CLEAR}:
        return cast
    return Vote(Word.UNSURE, f"{cast.because}, but no published scope names {_shown(device.model)}", cast.bound)


def _shown(text: str) -> str:
    return text if len(text) <= 48 else text[:48] + "…"


def _count(votes: Sequence[tuple[Entry, str, Vote]]) -> tuple[State, str, list[int]]:
    """Words of one source add up; sources that end differently are a dispute; the places that decided come along."""
    if len(votes) == 1:
        return _STATE[votes[0][2].word], votes[0][2].because, [0]
    by_source: dict[str, list[int]] = {}
    for place, (entry, _, _) in enumerate(votes):
        by_source.setdefault(entry.said.by, []).append(place)
    said: dict[str, tuple[Word, list[int]]] = {}
    for source, places in by_source.items():
        word = _of_one_source([votes[place][2] for place in places])
        said[source] = (word, [place for place in places if votes[place][2].word is word])
    words = {word for word, _ in said.values()} - {Word.SILENT}
    deciding = [place for _, places in said.values() for place in places]
    if Word.DISPUTED in words or {Word.AFFECTED, Word.CLEAR} <= words:
        return State.DISPUTED, "sources disagree: " + "; ".join(
            f"{source}: {votes[places[0]][2].because}" for source, (word, places) in said.items()
            if word is not Word.SILENT), deciding
    for word, state in _STATE.items():
        for ended, places in said.values():
            if ended is word:
                return state, votes[places[0]][2].because, places
    return State.UNKNOWN, "no source speaks of this version", []


def _of_one_source(votes: Sequence[Vote]) -> Word:
    """One source's word over all its entries: what any of them affects is affected."""
    words = {v.word for v in votes}
    return next((word for word in (Word.AFFECTED, Word.DISPUTED, Word.UNSURE, Word.CLEAR) if word in words),
                Word.SILENT)


def _unnamed(record: Advisory, shelf: _Shelf, device: _Device, older: str) -> AdvisoryResult:
    """No source names the model: unknown, and a concern where the advisory may mean it all the same.

    `older` is the bound within which the version would be affected, if the model were named; empty where there is none.
    """
    if not device.model.strip():
        return _result(record, shelf, State.UNKNOWN, "the model is not known, and the advisory names models")
    shown = _shown(device.model)
    if older:
        form = f"has {device_form(shelf.file)} form and " if device.by_form else ""
        return _result(record, shelf, State.UNKNOWN, f"firmware {device.firmware} {form}lies where others are affected "
                       f"({older}), but no published scope names {shown}")
    return _result(record, shelf, State.UNKNOWN, f"no published scope names {shown}",
                   concerns=not record.closed and not device.firmware.strip())


def device_form(file: AdvisoryFile) -> str:
    """The maker's name in the possessive, as sentences about a form need it."""
    return f"{(file.names or (file.maker,))[0]}'s"


def _fixed_in(record: Advisory, votes: Sequence[tuple[Entry, str, Vote]]) -> str | None:
    """What ends it: what the record says of all models, after the one version for this model where there is one."""
    fixes = dict.fromkeys(entry.said.before for entry, _, _ in votes if entry.said.before)
    if not record.fixed:
        return ", ".join(fixes) or None
    if len(fixes) != 1 or any(one in record.fixed for one in fixes):
        return record.fixed
    return f"{next(iter(fixes))} ({record.fixed})"


def _steps(device: _Device, votes: Sequence[tuple[Entry, str, Vote]], deciding: Sequence[int],
           record: Advisory) -> tuple[tuple[str, str], ...]:
    steps: list[tuple[str, str]] = [("version as given", device.firmware or "not known")]
    if device.build:
        steps.append(("build as given", device.build))
    for place in deciding:
        entry, scope, cast = votes[place]
        version, _ = _version(device, entry.grammar)
        if version is not None:
            steps.append(("parts", "; ".join(f"{name} {value}" for name, value in version.parts())))
        steps += [("scope", f"{device.model or 'any model'} is named by {scope}"), ("bound", cast.bound),
                  ("rule", f"{entry.grammar.name}, ordered by {entry.grammar.order}"),
                  ("source", f"{entry.said.by}: {entry.said.text or cast.bound}"), ("so", cast.because)]
    steps.append(("cited", "; ".join(record.source)))
    return tuple(dict.fromkeys(steps))


def _result(record: Advisory, shelf: _Shelf, status: State, because: str, *, concerns: bool = True,
            fixed_in: str | None = None, steps: tuple[tuple[str, str], ...] = ()) -> AdvisoryResult:
    return AdvisoryResult(record.cve, status, because, shelf.file.maker, record.nature, concerns,
                          record.kev.added if record.kev else None, record.cvss, fixed_in or record.fixed,
                          record.source, record.unverified, steps)


@cache
def load() -> Book:
    """Every file under ``rules/data/advisories``. Raises `rules.documents.DataError`."""
    return Book([file for _, file in read_all("advisories", AdvisoryFile)])


def results_for(maker: str, model: str | None, firmware: str | None, firmware_build: str | None = None, *,
                also: Sequence[str] = (), book: Book | None = None) -> list[AdvisoryResult]:
    """Every advisory on a device of `maker` (or of `also`, such as its brand), the most urgent first.

    A version of another maker's telling form brings that maker's advisories along. Empty where none are held.
    """
    return (load() if book is None else book).results((maker, *also), model, firmware, firmware_build)
