"""Compares versions and models as their makers mean them: never a guess, always with the steps that led there.

A comparison ends in less, equal, greater or `Incomparable` with a reason. A `Span`, what one source says of one group
of models, turns it into a vote: affected, not affected, silent or unsure. `rules.advisories` counts the votes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rules.grammars import Grammar, Order, Version, canonical

__all__ = ["MAX_MODEL", "Incomparable", "Span", "Vote", "Word", "compare", "model_heads", "model_pattern",
           "names_model", "scope_head", "vote"]

MAX_MODEL = 96
"""A longer model name is hostile or broken and matches no scope."""


@dataclass(frozen=True, slots=True)
class Incomparable:
    """Why two versions have no order."""

    because: str


def compare(one: Version, other: Version, grammar: Grammar) -> int | Incomparable:
    """Below, at or above zero as `one` is older than, the same as or newer than the bound `other`."""
    if one.family and other.family and one.family != other.family and grammar.order is not Order.BUILD:
        return Incomparable(f"{one.family} and {other.family} are different platforms, and versions compare inside one")
    if grammar.order is Order.NONE:
        return 0 if canonical(one.raw) == canonical(other.raw) else Incomparable("versions of this form have no order")
    if grammar.order is Order.BUILD or not other.numbers:
        return _by_build(one, other)
    if not one.numbers:
        return Incomparable("the version states a build and no numbers")
    if grammar.order is Order.EACH:
        return _each(one.numbers, other.numbers)
    if len(one.numbers) == 1 and len(other.numbers) > 1:
        return Incomparable(f"{one.raw!r} is a single number")
    decided = _numbers(one.numbers, other.numbers)
    return decided or _after_numbers(one, other)


def _numbers(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    longest = max(len(one), len(other))
    first, second = (n + (0,) * (longest - len(n)) for n in (one, other))
    return (first > second) - (first < second)


# What may follow a version and says nothing of its order: hardware in brackets, a platform, a build without a bound.
_ASIDE = re.compile(r"[)\]]?|[(\[].*|cpp[\d.]+|(?:build|built|date|rel(?:ease)?)[\s:.]*[\d/:\s_.-]+"
                    r"|[\d/:\s_.-]*\d{4}[\d/:\s_.-]*|bin|zip|dav|pak")

_UNRELEASED = re.compile(r"[^a-z]*(?:alpha|beta|rc|pre|test|trial|dev|debug)")


def _after_numbers(one: Version, other: Version) -> int | Incomparable:
    """Between equal numbers: build, then patch. A bound that states no build speaks of every build."""
    if other.build and not one.build:
        return Incomparable(f"the numbers are equal, the bound names build {other.build[0]} and the device names none")
    if other.build and one.build[:1] != other.build[:1]:
        return 1 if one.build[0] > other.build[0] else -1
    if len(other.build) > 1:
        if len(one.build) < 2:
            return Incomparable("the builds are of one day and the device names no release")
        if one.build[1] != other.build[1]:
            return 1 if one.build[1] > other.build[1] else -1
    if one.patch != other.patch:
        return 1 if one.patch > other.patch else -1
    if one.tail != other.tail and (other.tail or not _ASIDE.fullmatch(one.tail)):
        return Incomparable(f"they differ only in {one.tail or 'nothing'!r} against {other.tail or 'nothing'!r}, "
                            "which has no order")
    return 0


def _by_build(one: Version, other: Version) -> int | Incomparable:
    if not one.build:
        return Incomparable("the order is by build date and the version names none")
    if one.build[0] != other.build[0]:
        return 1 if one.build[0] > other.build[0] else -1
    if other.family == one.family and other.numbers and one.numbers and one.numbers < other.numbers:
        return Incomparable("built on the day of the bound, with an earlier revision")
    if _UNRELEASED.match(one.tail):
        return Incomparable(f"built on the day of the bound, with {one.tail!r} behind it")
    return 0


def _each(one: tuple[int, ...], other: tuple[int, ...]) -> int | Incomparable:
    if len(one) != len(other):
        return Incomparable("they have a different count of numbers")
    newer = any(a > b for a, b in zip(one, other, strict=True))
    older = any(a < b for a, b in zip(one, other, strict=True))
    if newer and older:
        return Incomparable("some of their numbers are newer and some older")
    return int(newer) - int(older)


class Word(StrEnum):
    """What one source says of one version."""

    AFFECTED = "affected"
    CLEAR = "not_affected"
    DISPUTED = "disputed"
    SILENT = "silent"              # it names other versions and says nothing of this one
    UNSURE = "unsure"              # it speaks of this product, and the version cannot be held against its bound


@dataclass(frozen=True, slots=True)
class Vote:
    """A word and the sentence behind it; ``bound`` is what the version was held against."""

    word: Word
    because: str
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The versions one source speaks of. `since` and `until` are included, `before` is the first fixed one."""

    since: Version | None = None
    until: Version | None = None
    before: Version | None = None
    exact: tuple[Version, ...] = ()
    every: bool = False
    family: str = ""
    below_unknown: bool = False     # what lies below the span is not spoken of either
    above_unknown: bool = False     # what lies above the span is not cleared either
    spared: tuple[Version, ...] = ()    # what the source itself calls not affected

    @property
    def stated(self) -> bool:
        """Whether it says anything that a version can be held against."""
        return self.every or bool(self.exact) or any((self.since, self.until, self.before))

    def bound(self) -> str:
        """The bounds as a person reads them."""
        said = [f"{word} {version.raw}" for word, version in
                (("from", self.since), ("up to", self.until), ("before", self.before)) if version is not None]
        if self.exact:
            said.append("exactly " + ", ".join(v.raw for v in self.exact[:4]) + (", …" if self.exact[4:] else ""))
        return ", ".join(said) or ("every version" if self.every else "no bound that can be read")


def vote(version: Version | None, why_not: str, span: Span, grammar: Grammar, text: str = "") -> Vote:
    """What a span says of a version; `why_not` says why `text` could not be read as one, where it could not."""
    bound = span.bound()
    if span.every:
        return Vote(Word.AFFECTED, "every version is named as affected", bound)
    if not span.stated:
        return Vote(Word.UNSURE, "the source states no version that can be held against", bound)
    if version is None and text and any(canonical(text) == canonical(exact.raw) for exact in span.exact):
        return Vote(Word.AFFECTED, f"{text} is named as affected", bound)
    if version is None:
        return Vote(Word.UNSURE, why_not, bound)
    if any(_same(version, spared, grammar) for spared in span.spared):
        return _spared(version, span, grammar, bound)
    if any(_same(version, exact, grammar) for exact in span.exact):
        return Vote(Word.AFFECTED, f"{version.raw} is named as affected", bound)
    if not (span.since or span.until or span.before):
        return Vote(Word.SILENT, f"the source names {bound} and says nothing of {version.raw}", bound)
    branch = version.family or ".".join(map(str, _track(version, grammar)))
    if span.family and span.family != branch:
        return Vote(Word.SILENT, f"the source gives bounds for other branches than {branch or version.raw}", bound)
    return _in_span(version, span, grammar, bound)


def _spared(version: Version, span: Span, grammar: Grammar, bound: str) -> Vote:
    """The word on a version that the source calls not affected: none to rely on where it names it as affected too."""
    affected = (*span.exact, *(end for end in (span.since, span.until) if end is not None))
    if any(_same(version, named, grammar) for named in affected):
        return Vote(Word.DISPUTED, f"the source names {version.raw} as affected and as not affected", bound)
    return Vote(Word.CLEAR, f"the source says that {version.raw} is not affected", bound)


def _in_span(version: Version, span: Span, grammar: Grammar, bound: str) -> Vote:
    if span.since is not None:
        order = compare(version, span.since, grammar)
        if isinstance(order, Incomparable):
            return Vote(Word.UNSURE, order.because, bound)
        if order < 0:
            word = Word.UNSURE if span.below_unknown else Word.CLEAR
            return Vote(word, f"{version.raw} is older than {span.since.raw}, where it begins", bound)
    for end, last in ((span.until, True), (span.before, False)):
        if end is None:
            continue
        order = _against_end(version, end, grammar, last=last)
        if isinstance(order, Incomparable):
            return Vote(Word.UNSURE, order.because, bound)
        if order > 0 or (order == 0 and not last):
            word = Word.UNSURE if span.above_unknown else Word.CLEAR
            return Vote(word, f"{version.raw} is {'newer than' if last else 'not older than'} {end.raw}, "
                              f"{'the last affected' if last else 'the first fixed'}", bound)
    named = next((v for v in (span.since, span.until) if v is not None and canonical(v.raw) == canonical(version.raw)),
                 None)
    track = _track(version, grammar)
    if track and named is None and not span.family:
        return Vote(Word.SILENT, f"{version.raw} is of long-term track {track[0]}.{track[1]}, which gets fixes of its "
                                 "own, and the source names none for it", bound)
    return Vote(Word.AFFECTED, f"{version.raw} lies within: {bound}", bound)


def _against_end(version: Version, end: Version, grammar: Grammar, *, last: bool) -> int | Incomparable:
    order = compare(version, end, grammar)
    longer = len(version.numbers) > len(end.numbers) and version.numbers[:len(end.numbers)] == end.numbers
    if last and longer and grammar.order is Order.NUMBERS and any(version.numbers[len(end.numbers):]):
        return 0 if grammar.covers else Incomparable(f"{end.raw} may or may not speak of {version.raw}")
    return order


def _same(one: Version, other: Version, grammar: Grammar) -> bool:
    if canonical(one.raw) == canonical(other.raw):
        return True
    if grammar.order is Order.NONE or (one.family and other.family and one.family != other.family):
        return False
    return (bool(one.numbers) and _numbers(one.numbers, other.numbers) == 0
            and (one.build, one.patch, one.tail) == (other.build, other.patch, other.tail))


def _track(version: Version, grammar: Grammar) -> tuple[int, ...]:
    return next((track for track in grammar.tracks if version.numbers[:len(track)] == track), ())


_SEPARATORS = "-_ /."
_DROPPED = str.maketrans("", "", _SEPARATORS)
_NOUNS = ("-CAMERA", "_CAMERA", " CAMERA")
_ENDS = r"(?![A-Z0-9])(?![-_ ]+(?:PRO|PLUS|MAX|ULTRA|MINI|LITE|SE|NEO|I{2,3}|GEN)\b)(?! +V?\d)"


def model_pattern(scope: str) -> str:
    """A scope as a regular expression: ``?`` one letter or digit, ``@`` letters, a last ``*`` anything that follows.

    A noun at the end (``camera``) need not be there. Separators are interchangeable and may be missing; without a ``*``
    the name must end where the scope does, and what makes another product of it (``Pro``, a number apart) must not
    follow.
    """
    open_end = scope.endswith("*")
    name = scope.removesuffix("*").upper()
    for noun in _NOUNS:  # duo-2-wifi-camera is sold as Duo 2 WiFi
        if re.search(r"[0-9]", name) and name.endswith(noun):
            name = name.removesuffix(noun)
    parts = []
    for char in name:
        if char == "?":
            parts.append("[A-Z0-9]")
        elif char == "@":
            parts.append("[A-Z]{1,8}?")
        else:
            parts.append("[-_ /.]{0,3}" if char in _SEPARATORS else re.escape(char))
    return "".join(parts) + ("" if open_end else _ENDS)


_HEAD = 3


def scope_head(scope: str) -> str:
    """What every model that a scope names begins with, without separators, at most three characters; may be empty."""
    plain = re.split(r"[?@*]", scope.upper(), maxsplit=1)[0]
    return _without_separators(plain)[:_HEAD]


def model_heads(model: str, strips: tuple[str, ...] = ()) -> frozenset[str]:
    """The heads of the scopes that can name this model; a scope with another head cannot."""
    if len(model) > MAX_MODEL or not model.strip():
        return frozenset()
    plain = (_without_separators(_plain_model(model, which)) for which in (strips, ()))
    return frozenset(name[:length] for name in plain for length in range(_HEAD + 1))


def _without_separators(name: str) -> str:
    return name.translate(_DROPPED)


@lru_cache(maxsize=4096)
def _scopes_pattern(scopes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"({model_pattern(scope)})" for scope in scopes), re.ASCII)


@lru_cache(maxsize=65536)
def _plain_model(model: str, strips: tuple[str, ...]) -> str:
    name = " ".join(model.replace("\\", "").upper().split())
    if strips:
        name = re.sub(r"[ _]FIRMWARE$", "", name)
    for strip in strips:
        if name.startswith(strip) and len(name) > len(strip) + 1:
            name = name.removeprefix(strip).lstrip(" -_/")
    return name


def names_model(scopes: tuple[str, ...], model: str, strips: tuple[str, ...] = ()) -> str | None:
    """The first of `scopes` that names this model, as it is or without the names in `strips`; None where none does."""
    if len(model) > MAX_MODEL or not model.strip():
        return None
    pattern = _scopes_pattern(scopes)
    found = pattern.match(_plain_model(model, strips)) or pattern.match(_plain_model(model, ()))
    return scopes[(found.lastindex or 1) - 1] if found else None
