"""What a camera is for, in the words people use, against the purposes a law names.

A law that bites only for some purposes is lifted only by a purpose that is plainly another. Words that nobody here
understands, or that come near a named purpose, leave the question open: unknown is never clean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import cache
from typing import Literal

from rules.documents import Document, read_all
from rules.regimes import Condition, Words

__all__ = ["Purpose", "load", "matches"]

Answer = Literal["true", "false", "unknown"]
_NEGATIONS = {"no", "non", "not", "without", "except", "excluding", "never"}
_NEARLY_SPELT = 0.85


class Purpose(Document):
    """A purpose a law can name (``names`` mean it, ``near`` words make one ask), or ``words`` of other uses."""

    purpose: str
    kind: Literal["named", "ordinary"]
    names: tuple[str, ...] = ()
    words: Words = ()
    near: Words = ()
    source: str


@cache
def load() -> dict[str, Purpose]:
    """Every purpose by its id. Raises `DataError` where a file does not fit."""
    return {purpose.purpose: purpose for _, purpose in read_all("purposes", Purpose)}


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def _spellings(purposes: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for purpose in purposes:
        for name in (purpose, *load()[purpose].names):
            yield _words(name)


def _says(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    size = len(phrase)
    return any(words[start:start + size] == phrase for start in range(len(words) - size + 1))


def _ordinary() -> frozenset[str]:
    return frozenset(word for purpose in load().values() if purpose.kind == "ordinary" for word in purpose.words)


def matches(given: str, condition: Condition) -> Answer:
    """Whether a purpose given in free words is one of the condition's: ``true``, ``false`` or ``unknown``."""
    words = _words(given)
    said = set(words)
    named = tuple(_spellings(condition.purposes))
    if any(_says(words, phrase) for phrase in named):
        return "unknown" if said & _NEGATIONS else "true"
    near = {word for purpose in condition.purposes for word in load()[purpose].near}
    doubtful = any(_says(words, phrase) for phrase in _spellings(condition.doubtful))
    if said & near or doubtful or any(_nearly(words, phrase) for phrase in named):
        return "unknown"
    return "false" if said & _ordinary() else "unknown"


def _nearly(words: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    return SequenceMatcher(None, " ".join(words), " ".join(phrase)).ratio() >= _NEARLY_SPELT
