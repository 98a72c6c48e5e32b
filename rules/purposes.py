"""What a camera is for, in the words people use, against the purposes a law names.

A law that bites only for some purposes is lifted only by a purpose that is plainly another: each of its words is in a
closed vocabulary of ordinary ones. One word beyond it, a name or a number leaves the question open: a shop may stand
anywhere, and unknown is never clean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

from rules.documents import Document, read_all
from rules.regimes import Condition, Words

__all__ = ["Purpose", "load", "matches"]

Answer = Literal["true", "false", "unknown"]
_NEGATIONS = {"no", "non", "not", "without", "except", "excluding", "never"}
_FLOOR = re.compile(r"[,(]?\s*(?:\b(?:on|at)\s+)?(?:\bthe\s+)?"
                    r"\b(?:(?:ground|top|first|second|third|\d{1,2}(?:st|nd|rd|th)) floor|floor \d{1,2})\b")
_POSSESSIVE = re.compile(r"(?<=\w)['\N{RIGHT SINGLE QUOTATION MARK}]s\b")
_NEXT_USE = re.compile(r"[,;:./&+\n]|\b(?:and|or|plus)\b")
_TOKEN = re.compile(r"[^\W_]+|[^\w\s()'\"!?-]")       # a sign nobody here can read is a word nobody here knows


class Purpose(Document):
    """A purpose a law can name (``names`` mean it, ``near`` words are never ordinary), or what other uses are made of.

    Of an ordinary one ``names`` and ``words`` each are a use; the words ``beside`` may stand with one and are none.
    """

    purpose: str
    kind: Literal["named", "ordinary"]
    names: tuple[str, ...] = ()
    words: Words = ()
    beside: Words = ()
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


def matches(given: str, condition: Condition) -> Answer:
    """Whether a purpose given in free words is one of the condition's: ``true``, ``false`` or ``unknown``.

    ``false`` takes a text that is ordinary to its last word, and of several uses each.
    """
    words = _words(given)
    if any(_says(words, phrase) for phrase in _spellings(condition.purposes)):
        return "unknown" if set(words) & _NEGATIONS else "true"
    if any(_says(words, phrase) for phrase in _spellings(condition.doubtful)):
        return "unknown"
    return "false" if _is_ordinary(given) else "unknown"


@cache
def _vocabulary() -> dict[tuple[str, ...], bool]:
    """Every ordinary word or run of words, and whether it is a use; what comes near a named purpose is never one."""
    near = {word for purpose in load().values() for word in purpose.near}
    known: dict[tuple[str, ...], bool] = {}
    for purpose in load().values():
        if purpose.kind == "ordinary":
            known |= {(word,): False for word in purpose.beside}
            known |= {_words(use): True for use in (*purpose.words, *purpose.names)}
    return {run: is_use for run, is_use in known.items() if not near & set(run)}


def _is_ordinary(given: str) -> bool:
    text = unicodedata.normalize("NFKC", given).casefold().replace("_", " ")
    text = _FLOOR.sub(" floor ", _POSSESSIVE.sub("", text))
    parts = [words for part in _NEXT_USE.split(text) if (words := tuple(_TOKEN.findall(part)))]
    known = _vocabulary()
    return bool(parts) and all(_is_use(words, known) for words in parts)


def _is_use(words: tuple[str, ...], known: dict[tuple[str, ...], bool]) -> bool:
    """Whether the words are all known, the longest runs first, and one of them at least is a use."""
    longest = max(map(len, known), default=0)
    uses, at = 0, 0
    while at < len(words):
        run = next((words[at:at + size] for size in range(longest, 0, -1) if words[at:at + size] in known), None)
        if run is None:
            return False
        uses += known[run]
        at += len(run)
    return uses > 0
