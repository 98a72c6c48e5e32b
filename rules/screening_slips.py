"""Finds a name with a single slip in it where nothing else was found: ``Chna Mobile``, ``Meiya gico``.

`rules.finding` measures single words and `rules.longnames` long names; what they leave are short names of several
words, names of ordinary words, and names that count in their exact spelling alone. One letter added, lost, changed or
moved in such a name is worth a look, unless the slip made another word (``China Unicorn``) or another Chinese name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from itertools import accumulate

from rapidfuzz.distance import OSA

from rules.names import Name, squeeze

__all__ = ["Slip", "Slips", "is_pinyin"]

_SHORTEST = 8                   # characters of a name as it is written
_EDGE = 3                       # one slip leaves the first three or the last three letters as they were
_ACRONYM, _TELLING_REST = 3, 12   # another acronym is another company, unless so much beside it is the name's
_TELLING = 4
_SHORTEST_SURE, _SHORTEST_INNER = 9, 5    # letters of a name, and of its word, that a slip of the hand is believed in
_FINALS_A = r"a(?:i|o|ng?)?"
_SYLLABLE = (
    rf"[bpm](?:{_FINALS_A}|o|ou|ei|eng?|i(?:e|ao|an|ng?|u)?|u)", r"f(?:ang?|a|o|ou|ei|eng?|u)",
    rf"[dtnl](?:{_FINALS_A}|e(?:i|ng?)?|ong|ou|i(?:ang|a[no]?|e|ng?|u)?|u(?:an|o|n|e)?)",
    rf"[gkh](?:{_FINALS_A}|e(?:i|ng?)?|ong|ou|u(?:ang?|ai?|o|i|n)?)",
    r"[jqx](?:i(?:ang|ong|a[no]?|e|ng?|u)?|u(?:an|e|n)?)",
    rf"(?:[zcs]h?|r)(?:{_FINALS_A}|e(?:i|ng?)?|ong|ou|i|u(?:an|o|i|n)?)", r"[zcs]hu(?:ang|ai?)",
    r"y(?:ang?|ao?|e|ing?|ong|ou|i|u(?:an|e|n)?)",
    r"w(?:ang?|ai?|eng?|ei|o|u)")
_PINYIN = re.compile(rf"(?:{'|'.join(('a[in]', 'ao', 'e', 'en', 'ou', *_SYLLABLE))})(?:{'|'.join(_SYLLABLE)})+")


@dataclass(frozen=True, slots=True)
class Slip:
    """The name that words ``start`` to ``end`` are one slip away from.

    ``sure`` where the slip is one of the hand and no other word: inner letters that changed places, or one left out.
    """

    key: str
    start: int
    end: int
    score: float
    sure: bool = False


def is_pinyin(word: str) -> bool:
    """Whether a word can be read as two or more syllables of Chinese."""
    return _PINYIN.fullmatch(word) is not None


class Slips:
    """Names by the letters at their edges; immutable once made."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        """`names` are pairs of a name's key in the catalog, and as it is written."""
        edges: dict[tuple[bool, str], list[str]] = defaultdict(list)
        self._keys: dict[str, str] = {}
        single: set[str] = set()
        for key, written in names:
            if len(written) < _SHORTEST:
                continue
            for spelling in (key, squeeze(written)):
                if len(spelling) > 2 * _EDGE and spelling not in self._keys:
                    self._keys[spelling] = key
                    if " " not in written:
                        single.add(spelling)
                    edges[False, spelling[:_EDGE]].append(spelling)
                    edges[True, spelling[-_EDGE:]].append(spelling)
        self._single = frozenset(single)        # in one word they are measured by `rules.finding`
        self._edges = {edge: tuple(spellings) for edge, spellings in edges.items()}

    def nearest(self, name: Name, own: Set[str]) -> Slip | None:
        """The longest name that words of the line are one slip away from; a slip that gives a word of `own` is none."""
        words = [word.text for word in name.words]
        text = "".join(words)
        ends = [0, *accumulate(map(len, words))]
        at = {end: index for index, end in enumerate(ends)}
        best: Slip | None = None
        for index, begin in enumerate(ends[:-1]):
            for key in self._edges.get((False, text[begin:begin + _EDGE]), ()):
                for end in range(begin + len(key) - 1, begin + len(key) + 2):
                    best = self._better(best, text, key, begin, end, at, words, own)
            stop = ends[index + 1]
            for key in self._edges.get((True, text[max(stop - _EDGE, 0):stop]), ()):
                for begin_of in range(stop - len(key) - 1, stop - len(key) + 2):
                    best = self._better(best, text, key, begin_of, stop, at, words, own)
        return replace(best, key=self._keys[best.key]) if best is not None else None

    def _better(self, best: Slip | None, text: str, key: str, begin: int, end: int, at: dict[int, int],
                words: list[str], own: Set[str]) -> Slip | None:
        if begin not in at or end not in at or (best is not None and len(best.key) >= len(key)):
            return best
        given = text[begin:end]
        if OSA.distance(given, key, score_cutoff=1) != 1:
            return best
        start, stop = at[begin], at[end]
        if stop - start == 1 and key in self._single:
            return best
        if not _is_slip(given, key, words[start:stop], own):
            return best
        return Slip(key, start, stop, 1 - 1 / len(key), sure=_is_of_the_hand(given, key, words[start:stop]))


def _same(one: str, other: str) -> int:
    """How many letters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _is_of_the_hand(given: str, key: str, words: list[str]) -> bool:
    """Whether inner letters of a longer word changed places, or one of them was left out."""
    if len(key) < _SHORTEST_SURE or len(given) > len(key):
        return False
    if len(given) == len(key) and sorted(given) != sorted(key):
        return False
    same = _same(given, key)
    begin = 0
    for word in words:
        end = begin + len(word)
        if begin < same < end:
            return len(word) >= _SHORTEST_INNER
        begin = end
    return False


def _is_slip(given: str, key: str, words: list[str], own: Set[str]) -> bool:
    """Whether a text one edit from a name is a slip of it, and not another word or another name."""
    if all(word in own for word in words):
        return False
    same = _same(given, key)
    begin = 0
    for word, after in zip(words, [*words[1:], ""], strict=True):
        end = begin + len(word)
        lost = same == end and len(given) < len(key)   # its last letter, if not the first of the next word
        meant = key[begin:end + len(key) - len(given)]
        if (same < end or lost or not after) and _is_slip_of(word, meant, key, words, own):
            return True
        if same < end:
            return False
        begin = end
    return False


def _is_slip_of(changed: str, meant: str, key: str, words: list[str], own: Set[str]) -> bool:
    """Whether the one word that is changed is a slip of what stands there in the name."""
    if changed in own:
        return False
    if any(word != changed and word not in own and len(word) >= _TELLING for word in words):
        return True                                    # another word that is this name's own stands beside it
    if meant not in own and is_pinyin(changed) and is_pinyin(meant):
        return False
    if len(meant) < _ACRONYM:
        return False
    swapped = sorted(changed) == sorted(meant)
    return len(meant) > _ACRONYM or len(changed) != len(meant) or swapped or len(key) - len(meant) >= _TELLING_REST
