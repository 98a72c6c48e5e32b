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
_SIGNED = re.compile(r"\S*[@$!|]\S*")
_ADDRESS = re.compile(r"\W*[\w.+-]+@[\w-]+(?:\.[\w-]+)+\W*")            # an e-mail address, whose @ is no letter
_SWAPPED = re.compile(r"[@$](?=[^\W\d_]|[@!])|(?<=[^\W\d_])[@$]|(?<=\w)[!|](?=[^\W_]|@)")
_MARKS = str.maketrans("", "", "\u2122\u00ae\u00a9\u2120")       # trade marks, which would read as the letters TM
_SWAPS = str.maketrans({"@": "a", "$": "s", "!": "i", "|": "l"})
_WORD = re.compile(r"[^\W_]+")
_SMALL = str.maketrans(dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)))
_APART = re.compile(r"(?<![^\W_@$!])(?:(?:[^\W_]|[@$!])[\s.\-_*·/+~]{1,3}){3,}(?:[^\W_]|[@$!])(?![^\W_])")
_FEWEST_APART = 3               # letters among the characters set apart; the rest may be digits and signs for letters
_FEWEST_UNREAD = 3
_FIRST_NOT_LATIN = 0x370
_READ = re.compile(r"[\u0400-\u052f\u0620-\u06ff\u1d00-\u1eff\u2000-\u2bff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3"
                   r"\uf900-\ufaff\ufe00-\uffff]")
_PASSES = re.compile("l|vv|rn")
_SHORTEST_DISGUISE = 4
_LOOKS_CYRILLIC = str.maketrans("aceopxykmthbi", "асеорхукмтнві")
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
    (Chinese simplified); ``tricks`` names what had to be undone; ``cut`` is true where the query was too long,
    ``unread`` where a word is in a script that nothing here reads (Greek, Hebrew, Devanagari, Thai).
    """

    query: str
    text: str
    words: tuple[Word, ...]
    scripts: Mapping[str, tuple[str, ...]]
    tricks: tuple[str, ...] = ()
    cut: bool = False
    unread: bool = False


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
    return "".join(_WORD.findall(text.casefold().replace("++", "plusplus")))


def unleet(word: str) -> tuple[str, ...]:
    """What a word with look-alike digits or letters could mean (``h1kv1sion``, ``hlkvlslon``); nothing for others."""
    digits = sum(c.isdigit() for c in word)
    if len(word) < _SHORTEST_DISGUISE or digits * 3 > len(word) * 2 or not (digits or _PASSES.search(word)):
        return ()
    read_as = (word.translate(_LEET), word.translate(_LEET_L))
    passing = tuple(one.replace("vv", "w").replace("rn", "m").replace("l", "i") for one in read_as)
    return tuple(dict.fromkeys((*read_as, *passing)))


@lru_cache(maxsize=4096)
def read(query: str) -> Name:
    """`query` made comparable; never raises, whatever is in it."""
    cut = len(query) > MOST_CHARACTERS
    given = query[:MOST_CHARACTERS].translate(_MARKS).replace("++", "plusplus")
    tricks: list[str] = []
    shown = _shown(given)
    if not given.isascii() and _mixes(shown.casefold()):
        tricks.append("look-alike letters")
    if shown.casefold() != unicodedata.normalize("NFC", given).casefold() and _hides(given):
        tricks.append("invisible or full-width characters")
    joined = _APART.sub(_together, shown)
    if joined != shown:
        tricks.append("letters set apart")
    folded = joined if joined.isascii() else fold(_without_whole_scripts(joined))
    text = " ".join(folded.casefold().split())
    swapped = _SIGNED.sub(_unsigned, text)
    if swapped != text:
        tricks.append("signs for letters")
    words = tuple(Word(found.group(), *found.span()) for found in _WORD.finditer(swapped))[:_MOST_WORDS]
    scripts = {} if given.isascii() else _runs(joined.casefold())
    return Name(query, swapped, words, scripts, tuple(tricks), cut, not given.isascii() and _is_unread(joined))


def _together(found: re.Match[str]) -> str:
    """Characters set apart, joined where enough of them are letters."""
    kept = "".join(c for c in found.group() if c.isalnum() or c in "@$!")
    return kept.translate(_SWAPS) if sum(c.isalpha() for c in kept) >= _FEWEST_APART else found.group()


def _unsigned(found: re.Match[str]) -> str:
    token = found.group()
    return token if _ADDRESS.fullmatch(token) else _SWAPPED.sub(lambda sign: sign.group().translate(_SWAPS), token)


def _shown(text: str) -> str:
    """The text in its own scripts and case: compatibility forms resolved, nothing invisible, Chinese simplified.

    The case stays, since a Greek capital looks like another Latin letter than its small form.
    """
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text.translate(_SMALL))
    if composed.isascii():
        return composed
    kept = "".join(c for c in composed if unicodedata.category(c) not in _INVISIBLE or c in "\t\n")
    return simplified(unicodedata.normalize("NFC", kept))


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


def _is_unread(text: str) -> bool:
    """Whether a word of three letters or more belongs to a script without a reading here."""
    return any(sum(c.isalpha() and ord(c) >= _FIRST_NOT_LATIN and not _READ.match(c) for c in word) >= _FEWEST_UNREAD
               for word in text.split())


def _mixes(text: str) -> bool:
    """Whether any word mixes Latin letters with letters of Cyrillic or Greek that look like them."""
    return any(any(c.isascii() and c.isalpha() for c in word) and any("\u0370" <= c <= "\u058f" for c in word)
               for word in _WORD.findall(text))


def _hides(text: str) -> bool:
    return any(unicodedata.category(c) == "Cf" or 0xFF01 <= ord(c) <= 0xFF5E for c in text)


def _in_cyrillic(word: re.Match[str]) -> str:
    """A Cyrillic word in which Latin letters that look alike stand, in its own script; any other as it is."""
    kept = word.group().translate(_LOOKS_CYRILLIC)
    return kept if _all_cyrillic(kept) else word.group()


def _runs(text: str) -> dict[str, tuple[str, ...]]:
    """The runs of each script, spaces inside Chinese closed; Cyrillic also as it would read with Latin look-alikes."""
    text = _WORD.sub(_in_cyrillic, text)
    closed = re.sub(r"(?<=[\u3400-\u9fff])[\s·・.\-_*]+(?=[\u3400-\u9fff])", "", text)
    closed = re.sub(r"(?<=[\uac00-\ud7a3\u3041-\u30ff])[·・.\-_*]+(?=[\uac00-\ud7a3\u3041-\u30ff])", "", closed)
    return {name: found for name, pattern in _SCRIPTS if (found := tuple(pattern.findall(closed)))}
