"""Label text made comparable: what a person would read, whatever code points it was written with.

Whoever sells a device writes its label, and can spell a listed maker's name with a Cyrillic letter, a zero-width space,
full-width letters or a comment in the middle. Text is folded before it is matched, so such a spelling still counts
against the device.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from scanner.wire.text import as_displayed

__all__ = ["INVISIBLE", "LOOK_ALIKES", "fold", "generic", "mentions", "name_pattern", "stands_for",
           "unspaced"]

MAX_LABEL = 4096

# Letters that read as a Latin one: a subset of Unicode TR39 confusables (Cyrillic, Greek, Armenian, Latin extensions,
# Cherokee) and the dashes. Each line is a row of look-alikes above the letters they pass for.
_CONFUSABLE = str.maketrans(
    "АВСЕЅІЈКМНОРТУХԚԜѴԀасеһіјӏорԛѕухѵԝԁкгьтп"
    "мвинΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορτυχηωεօհսոցıȷɑɡɩ"
    "ʟᴅᴀʜᴜɪᴋᴠꜱᴏɴᎠᎪᎻᏦ‐‑‒–—−",  # noqa: RUF001 - look-alikes are the point
    "ABCESIJKMHOPTYXQWVDacehijlopqsyxvwdkrbtn"
    "mbuhABEZHIKMNOPTYXaikvoptuxnweohungijagi"
    "LDAHUIKVSONDAHK------",
)
LOOK_ALIKES = {chr(code): chr(letter) for code, letter in _CONFUSABLE.items() if chr(code).isalpha()}
"""Each look-alike letter and the Latin letter it passes for."""
_MARKS = str.maketrans("\u2122\u2120\u00ae\u00a9", "    ")
"""Signs of trade, which compatibility forms would glue to the name as the letters TM and SM."""
_ENCLOSED = {start + at: chr(ord("A") + at) for start in (0x1F150, 0x1F170) for at in range(26)}
"""White letters on a dark ground, of which Unicode knows no compatibility form."""
_COMMENT = re.compile(r"<!--.{0,200}?-->|/\*.{0,200}?\*/", re.DOTALL)
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
                      "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
_SPACE = re.compile(r"\s+")

# What firmware says of its maker when nobody filled the field in.
_GENERIC = re.compile(
    r"(?i)^(?:general|generic|private|oem|onvif[ _-]?\w*|ip[ _-]?c(?:am(?:era)?)?|h\.?26[45]|ipnc|nvt|abc|test|camera|"
    r"hd[ _-]?ip[ _-]?cam(?:era)?|network[ _-]?(?:camera|video[ _-]?transmitter|digital[ _-]?video)|ipc[ _-]?model|"
    r"manufacturer|vendor|company|unknown|none|null|n/?a|default|dvr|nvr|xvr|.?)$")


def fold(text: str) -> str:
    """Text as it reads: compatibility forms, look-alikes, invisible characters and comments resolved; case is kept."""
    text = text[:MAX_LABEL]
    if text.isascii() and "<!--" not in text and "/*" not in text:
        return " ".join(text.split())                       # ASCII is its own normal form, and most labels are ASCII
    text = _COMMENT.sub("", text)
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", as_displayed(text.translate(_MARKS))))
    if not text.isascii():
        text = text.translate(_CONFUSABLE).translate(_ENCLOSED)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _SPACE.sub(" ", text).strip()


def stands_for(char: str) -> str:
    """The one ASCII letter or digit that a compatibility character shows; empty for any other character."""
    shown = _ENCLOSED.get(ord(char)) or unicodedata.normalize("NFKC", char)
    return shown if shown != char and len(shown) == 1 and shown.isascii() and shown.isalnum() else ""


@lru_cache(maxsize=4096)
def generic(text: str) -> bool:
    """Whether a declared name is one that firmware carries when nobody set it, and so names nobody."""
    return bool(_GENERIC.match(text.strip()))


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern for any of `names` as whole words, with free case and separators; None for no names."""
    folded = sorted({fold(name) for name in names}, key=lambda name: (-len(name), name))
    if not folded:
        return None
    parts = [r"[\s_.\-]*".join(map(re.escape, name.split())) for name in folded]
    words = [part for name, part in zip(folded, parts, strict=True) if not unspaced(name)]
    inside = [part for name, part in zip(folded, parts, strict=True) if unspaced(name)]
    whole = [rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])"] if words else []
    return re.compile("(?i)" + "|".join([*whole, *inside]))


def unspaced(name: str) -> bool:
    """Whether a name is of a script that writes words without spaces, so that it stands inside longer runs."""
    return bool(name) and all("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in name)


def mentions(text: str, pattern: re.Pattern[str] | None) -> str | None:
    """The part of folded `text` that names somebody, or None."""
    found = pattern.search(text) if pattern is not None else None
    return found.group(0) if found else None
