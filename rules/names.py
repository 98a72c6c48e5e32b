"""A supplier, a label or a purchase-order line made comparable, whatever script and tricks it was written with.

`read` is pure: it folds look-alikes and invisible characters (`rules.labels`), joins letters set apart, undoes
digits that stand for letters, brings Chinese to simplified characters and Cyrillic to Latin, and keeps the words of
every script apart. It decides nothing; `rules.screening` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from pydantic import model_validator

from rules.documents import DATA, Document
from rules.documents import read as read_document
from rules.labels import fold

__all__ = ["FOLDER", "MOST_CHARACTERS", "Name", "Word", "latin_of", "read", "simplified", "squeeze", "unleet"]

FOLDER = DATA / "screening"
MOST_CHARACTERS = 2000          # of one purchase-order line; what is longer is cut, and the answer says so
_MOST_WORDS = 120

_INVISIBLE = {"Cf", "Cc", "Mn"}
_SWAPPED = re.compile(r"(?<=\w)[@$!|](?=\w)|[@$](?=\w{3})|(?<=\w{3})[@$](?=\s|$)")
_MARKS = str.maketrans("", "", "\u2122\u00ae\u00a9\u2120")       # trade marks, which would read as the letters TM
_SWAPS = str.maketrans({"@": "a", "$": "s", "!": "i", "|": "l"})
_WORD = re.compile(r"[^\W_]+")
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][\s.\-_*·]{1,3}){3,}[^\W\d_](?![^\W_])")
_PASSES = re.compile("l|vv|rn")
_SHORTEST_DISGUISE = 4
_LEET = str.maketrans("013457895", "oieastbgs")
_LEET_L = str.maketrans("013457", "oleast")
_SCRIPTS = (
    ("han", re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")),
    ("kana", re.compile(r"[\u3041-\u30ff]+")),
    ("hangul", re.compile(r"[\uac00-\ud7a3]+")),
    ("arabic", re.compile(r"[\u0620-\u06ff]+(?: [\u0620-\u06ff]+)*")),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]+")),
)


class _Scripts(Document):
    source: str
    traditional: str
    simplified: str
    cyrillic: Mapping[str, str]

    @model_validator(mode="after")
    def _paired(self) -> _Scripts:
        if len(self.traditional) != len(self.simplified):
            raise ValueError("traditional and simplified characters come in pairs")
        return self


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it reads: lower case, and where it stands in `Name.text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A query made comparable.

    ``text`` is the Latin reading in lower case, ``words`` its words; ``scripts`` has the runs of every other script
    (Chinese simplified); ``tricks`` names what had to be undone; ``cut`` is true where the query was too long.
    """

    query: str
    text: str
    words: tuple[Word, ...]
    scripts: Mapping[str, tuple[str, ...]]
    tricks: tuple[str, ...] = ()
    cut: bool = False


@cache
def _scripts() -> tuple[Mapping[int, int], Mapping[int, str]]:
    data = read_document(FOLDER / "scripts.yaml", _Scripts)
    return (str.maketrans(data.traditional, data.simplified), str.maketrans(dict(data.cyrillic)))


def simplified(text: str) -> str:
    """Chinese with the traditional characters that are known here turned into simplified ones."""
    return text.translate(_scripts()[0])


def latin_of(text: str) -> str:
    """Lower-case Cyrillic letter by letter in Latin."""
    return text.translate(_scripts()[1])


def squeeze(text: str) -> str:
    """Letters and digits alone, in lower case: ``HIK-Vision`` and ``hikvision`` are the same."""
    return "".join(_WORD.findall(text.casefold()))


def unleet(word: str) -> tuple[str, ...]:
    """What a word with look-alike digits or letters could mean (``h1kv1sion``, ``hlkvlslon``); nothing for others."""
    digits = sum(c.isdigit() for c in word)
    if len(word) < _SHORTEST_DISGUISE or digits * 2 > len(word) or not (digits or _PASSES.search(word)):
        return ()
    read_as = (word.translate(_LEET), word.translate(_LEET_L))
    passing = tuple(one.replace("vv", "w").replace("rn", "m").replace("l", "i") for one in read_as)
    return tuple(dict.fromkeys((*read_as, *passing)))


@lru_cache(maxsize=4096)
def read(query: str) -> Name:
    """`query` made comparable; never raises, whatever is in it."""
    cut = len(query) > MOST_CHARACTERS
    given = query[:MOST_CHARACTERS].translate(_MARKS)
    tricks: list[str] = []
    native = _native(given)
    folded = given if given.isascii() else fold(_without_whole_scripts(native))
    if not given.isascii() and _mixes(native):
        tricks.append("look-alike letters")
    if native != unicodedata.normalize("NFC", given).casefold() and _hides(given):
        tricks.append("invisible or full-width characters")
    text = " ".join(folded.casefold().split())
    swapped = _SWAPPED.sub(lambda found: found.group().translate(_SWAPS), text)
    if swapped != text:
        tricks.append("signs for letters")
    joined = _APART.sub(lambda found: "".join(_WORD.findall(found.group())), swapped)
    if joined != swapped:
        tricks.append("letters set apart")
    words = tuple(Word(found.group(), *found.span()) for found in _WORD.finditer(joined))[:_MOST_WORDS]
    scripts = {} if given.isascii() else _runs(native)
    return Name(query, joined, words, scripts, tuple(tricks), cut)


def _native(text: str) -> str:
    """The text in its own scripts: compatibility forms resolved, invisible characters gone, Chinese simplified."""
    composed = unicodedata.normalize("NFKC", text)
    if composed.isascii():
        return composed.casefold()
    kept = "".join(c for c in composed if unicodedata.category(c) not in _INVISIBLE or c in "\t\n")
    return simplified(unicodedata.normalize("NFC", kept.casefold()))


def _without_whole_scripts(text: str) -> str:
    """The text without runs that belong to another script entirely; a Latin word with a foreign letter stays."""
    for name, pattern in _SCRIPTS:
        if name == "cyrillic":
            text = re.sub(r"[^\W_]+", lambda found: " " if _all_cyrillic(found.group()) else found.group(), text)
        else:
            text = pattern.sub(" ", text)
    return text


def _all_cyrillic(word: str) -> bool:
    return all("\u0400" <= c <= "\u04ff" for c in word)


def _mixes(text: str) -> bool:
    """Whether any word mixes Latin letters with letters of Cyrillic or Greek that look like them."""
    return any(any(c.isascii() and c.isalpha() for c in word) and any("\u0370" <= c <= "\u058f" for c in word)
               for word in _WORD.findall(text))


def _hides(text: str) -> bool:
    return any(unicodedata.category(c) == "Cf" or 0xFF01 <= ord(c) <= 0xFF5E for c in text)


def _runs(text: str) -> dict[str, tuple[str, ...]]:
    """The runs of each script, spaces inside Chinese closed; Cyrillic also as it would read with Latin look-alikes."""
    closed = re.sub(r"(?<=[\u3400-\u9fff])[\s·・.\-_*]+(?=[\u3400-\u9fff])", "", text)
    closed = re.sub(r"(?<=[\uac00-\ud7a3\u3041-\u30ff])[·・.\-_*]+(?=[\uac00-\ud7a3\u3041-\u30ff])", "", closed)
    return {name: found for name, pattern in _SCRIPTS if (found := tuple(pattern.findall(closed)))}
