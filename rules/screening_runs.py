"""Sets apart, in words of other scripts, what only looks like a listed party's name: ``上海 信息`` is no ``海信``.

Chinese is written without spaces, so a short name turns up where one word ends and the next begins, and in kana and
Hangul at the beginning of a longer word. `Runs.apart` puts a space there, so that nothing is found across it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import replace

from rules.names import Name

__all__ = ["Runs"]

_LONGEST_SHORT = 3              # characters of a Chinese name that another word may hold by chance
_MOST_TAIL = 2                  # syllables more that make another word; a longer tail is a word beside the name
_LONGEST_WORD = 8
_PARTICLES = frozenset("의은는이가을를용산제형ノのはをと製制社用的")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_SCRIPTS = tuple(map(re.compile, (r"[\u3400-\u9fff]+", r"[\u3041-\u30fa\u30fc-\u30ff]+", r"[\uac00-\ud7a3]+")))
_ROUTER = "路由"
_SOUNDS = ("kana", "hangul")


class Runs:
    """What is no name in the runs of another script; immutable once made."""

    def __init__(self, han: Iterable[str], sounds: Iterable[str], *, before: Iterable[str], after: Iterable[str],
                 others: Iterable[str], known: Set[str]) -> None:
        """The words to look for.

        Args:
            han: Chinese spellings of listed parties.
            sounds: their spellings in kana and Hangul.
            before: Chinese words whose last character may be taken for the first of a name.
            after: Chinese words whose first character may be taken for the last of a name.
            others: whole words that hold a name and mean something else.
            known: words that say something beside a name, and so are no part of a longer word.
        """
        short = [name for name in han if 1 < len(name) <= _LONGEST_SHORT]
        begin = {f"{re.escape(word)}(?={re.escape(name[1:])})" for word in before for name in short
                 if word[-1] == name[0]}
        end = {f"{re.escape(name[:-1])}(?={re.escape(word)})" for word in after for name in short
               if name[-1] == word[0]}
        self._others = _either(others)
        self._breaks = _either({*begin, *end}, escape=False)
        self._sounds = tuple(sorted(set(sounds), key=len, reverse=True))
        self._known = known

    def apart(self, name: Name) -> Name:
        """The name with a space in its runs where no name of a listed party may be found."""
        scripts = dict(name.scripts)
        if "han" in scripts:
            scripts["han"] = tuple(self._in_chinese(run) for run in scripts["han"])
        for script in _SOUNDS:
            if script in scripts:
                scripts[script] = tuple(map(self._in_syllables, scripts[script]))
        return name if scripts == name.scripts else replace(name, scripts=scripts)

    def _in_chinese(self, run: str) -> str:
        parted = run.replace(_ROUTER, f" {_ROUTER}")           # before it stands a name, and no road of that name
        return self._breaks.sub(r"\g<0> ", self._others.sub(" ", parted))

    def _in_syllables(self, run: str) -> str:
        if self._others.fullmatch(run):
            return ""
        for spelling in self._sounds:
            _, found, tail = run.partition(spelling)
            if found and 0 < len(tail) <= _MOST_TAIL and not self._begins(tail):
                return run.replace(spelling, f"{spelling[:-1]} {spelling[-1]}")
        return run

    def stands_apart(self, query: str, spelling: str) -> bool:
        """Whether a name ends where a word ends: not so where characters follow at once that begin no known word.

        ``讯飞扬`` may be another name, ``讯飞 扬声器`` and ``讯飞录音笔`` are this one.
        """
        if len(spelling) > _LONGEST_SHORT and _HAN.fullmatch(spelling):
            return True
        tails = [script.match(query, found.end()) for script in _SCRIPTS if script.fullmatch(spelling)
                 for found in re.finditer(re.escape(spelling), query)]
        return not tails or any(tail is None or self._begins(tail.group()) for tail in tails)

    def _begins(self, tail: str) -> bool:
        """Whether a tail begins with a known word, or is a particle with or without one."""
        if tail[0] in _PARTICLES:
            tail = tail[1:]
        return not tail or any(tail[:size] in self._known for size in range(1, _LONGEST_WORD + 1))


def _either(words: Iterable[str], *, escape: bool = True) -> re.Pattern[str]:
    """Any of the words, the longest first; of none, what matches nowhere."""
    sorted_words = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, sorted_words) if escape else sorted_words) or r"(?!)")
