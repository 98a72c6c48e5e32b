"""Finds a company's full name with a mistake or two in it: ``Moyu Haishi Electornic Technology``.

A single misspelt word is `rules.finding`'s; here a whole name of several words is measured. The words that are the
company's own (``Moyu``, ``Haishi``) weigh more than those of its trade: many companies differ in nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from rules.names import Word

__all__ = ["LongName", "LongNames", "Near", "own_words"]

_SHORTEST, _SHORTEST_OWN = 12, 3
_SHORTEST_SLIPPED, _SHORTEST_BROKEN, _LONG_BROKEN = 5, 6, 8   # letters of an own word that a mistake may be in
_LONG_PLAIN, _LONG_KEY = 14, 20   # letters of a name of ordinary words, and of one with a short word of its own
_MOST_MISTAKES = 2
_MOST_LOST = 2.5                # of a name's characters, where the name stands inside a longer line


@dataclass(frozen=True, slots=True)
class LongName:
    """A name of several words: its letters without spaces, and the words of it that are its own.

    A name of ordinary words alone (``China Mobile``) has none of its own. ``exact`` is true where the own words are
    near other companies' and only their exact spelling counts.
    """

    key: str
    own: tuple[str, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """A long name that words ``start`` to ``end`` read like; ``sure`` where its own words are spelt right."""

    key: str
    start: int
    end: int
    score: float
    sure: bool


class LongNames:
    """Long names by their length and by their own words; immutable once made."""

    def __init__(self, names: Iterable[LongName], legal: frozenset[str]) -> None:
        self._legal = legal
        self._by_length: dict[int, tuple[str, ...]] = {}
        self._by_word: dict[str, tuple[str, ...]] = {}
        by_length: dict[int, list[str]] = defaultdict(list)
        by_word: dict[str, list[str]] = defaultdict(list)
        self._names = {name.key: name for name in names if len(name.key) >= _SHORTEST}
        for name in self._names.values():
            for length in range(len(name.key) - _MOST_MISTAKES, len(name.key) + _MOST_MISTAKES + 1):
                by_length[length].append(name.key)
            for word in name.own:
                by_word[word].append(name.key)
        self._by_length = {length: tuple(keys) for length, keys in by_length.items()}
        self._by_word = {word: tuple(found) for word, found in by_word.items()}

    def nearest(self, words: Sequence[Word]) -> Near | None:
        """The long name that the words read like with a mistake or two, as a whole line or in a part of it."""
        end = len(words)
        while end > 1 and words[end - 1].text in self._legal:
            end -= 1
        joined = "".join(word.text for word in words[:end])
        found = process.extractOne(joined, self._by_length.get(len(joined), ()), scorer=OSA.distance,
                                   score_cutoff=_MOST_MISTAKES)
        if found is not None:
            return self._judged(self._names[found[0]], joined, 0, end, 1 - found[1] / len(joined))
        said = dict.fromkeys(word.text for word in words[:end])
        keys = dict.fromkeys(key for word in said for key in self._by_word.get(word, ()))
        for name in map(self._names.__getitem__, keys):
            if len(name.own) > 1 and all(word in said for word in name.own):   # whatever is said of its trade
                at = [index for index, word in enumerate(words[:end]) if word.text in name.own]
                return Near(name.key, at[0], at[-1] + 1, sum(map(len, name.own)) / len(name.key), sure=True)
        for key in keys:
            near = self._inside(self._names[key], words[:end], joined)
            if near is not None:
                return near
        return None

    def _inside(self, name: LongName, words: Sequence[Word], joined: str) -> Near | None:
        if len(joined) < len(name.key):                    # else the line would be what is looked for in the name
            return None
        least = 100 * (1 - _MOST_LOST / len(name.key))
        where = fuzz.partial_ratio_alignment(name.key, joined, score_cutoff=least)
        if where is None:
            return None
        at, start, end = 0, 0, len(words)
        for index, word in enumerate(words):
            if at <= where.dest_start:
                start = index
            at += len(word.text)
            if at >= where.dest_end:
                end = index + 1
                break
        part = joined[where.dest_start:where.dest_end]
        return self._judged(name, part, start, end, where.score / 100)

    @staticmethod
    def _judged(name: LongName, text: str, start: int, end: int, score: float) -> Near | None:
        right = sum(len(word) for word in name.own if word in text)
        if name.own and right * 2 >= sum(map(len, name.own)):
            return Near(name.key, start, end, score, sure=True)
        return Near(name.key, start, end, score, sure=False) if _may_be(name, text) else None


def _may_be(name: LongName, text: str) -> bool:
    """Whether a name whose own words are not spelt right may still be meant: one slip, or a long own word."""
    mistakes = OSA.distance(text, name.key)
    longest = max(map(len, name.own), default=0)
    if sorted(text) == sorted(name.key) or (name.own[1:] and mistakes == 1 and any(word in text for word in name.own)):
        return True
    least = _SHORTEST_SLIPPED if len(name.key) < _LONG_KEY else _SHORTEST_SLIPPED - 1
    if mistakes == 1 and len(text) != len(name.key) and (longest >= least or not name.own):
        return True
    if name.exact:
        return False
    if not name.own:
        return mistakes == 1 and len(name.key) >= _LONG_PLAIN
    return longest >= _LONG_BROKEN or (mistakes == 1 and longest >= _SHORTEST_BROKEN)


def own_words(words: Iterable[str], classes: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a name that have no class: neither a place nor a trade nor a legal form."""
    return tuple(word for word in words if len(word) >= _SHORTEST_OWN and word not in classes)
