"""Reads the bounds out of the words in which sources state affected versions: ``<= 1.12.0.27``, ``5.0 and prior``.

Only whole texts of a known form are read. Any other text gives no bounds, and the advisory answers ``unknown`` with it.
"""

from __future__ import annotations

import re

__all__ = ["MAX_WORDS", "read_bounds"]

MAX_WORDS = 400
"""A longer text is a description and not a bound."""

_EVERY = re.compile(r"(?i)(?:vers:all/\*|all(?: firmware)?(?: versions)?(?: \(eol\))?|0? ?<=? ?\*)")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_WHICH = r"(?:all )?(?:firmware |axis os )?(?:versions? )?"
_SAID = r"\S+?(?: build ?\S+)?"
_PARTLY = re.compile(r"\b(?:certain|some|several|part of|partly)\b", re.IGNORECASE)
_FORMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?i)versions after (\S+) \(including \S+\) and before (\S+?) ?\(not including \S+\)", ("since", "before")),
    (r"(?i)build (?:date|time) (?:before|prior to|earlier than) (\d{6}|\d{8})", ("build before",)),
    (rf"(?i)(?:.*\b)?build (?:date|time) before ({_MONTH}(?: \d{{1,2}})?,? ?\d{{4}})", ("build before",)),
    (rf"(?i){_WHICH}below (\S+) ?\(including \1\)", ("until",)),
    (rf"(?i){_WHICH}(?:prior to|before|earlier than|older than|lower than|below) (?:version )?(\S+(?: build \S+)?)",
     ("before",)),
    (rf"(?i)(?:from )?({_SAID}),? (?:and )?(?:before|prior to|up to but not including) ({_SAID})", ("since", "before")),
    (rf"(?i)(?:from )?((?=\D?\d){_SAID}) (?:to|through|up to and including) ((?=\D?\d){_SAID})", ("since", "until")),
    (rf"(?i){_WHICH}({_SAID}) (?:and|or) (?:the |all )*(?:prior|earlier|below|lower|older|previous)(?: versions)?",
     ("until",)),
    (r"(?i)(\S+(?: build ?\S+)?) and the versions prior to it", ("until",)),
    (r"(?i)(?:versions )?(?:up to and including|through) (\S+)", ("until",)),
    (r"(?i).*\bbuild time before (\d{4}/\d{1,2}/\d{1,2})", ("build before",)),
    (r">= ?(.+?) ?(?:\| ?)?<= ?(.+)", ("since", "until")),
    (r">= ?(.+?) ?(?:\| ?)?< ?([^=].*)", ("since", "before")),
    (r"(?:0 ?)?<= ?(.+)", ("until",)),
    (r"(?:0 ?)?< ?([^=].*)", ("before",)),
    (r"(\S+) ?<= ?(.+)", ("since", "until")),
    (r"(\S+) ?< ?([^=].*)", ("since", "before")),
    (r"(?i)(?:axis os )?(\d+\.\d+) ?[-\u2013] ?(\d+\.\d+)", ("since", "until")),
)
_READERS = tuple((re.compile(pattern), names) for pattern, names in _FORMS)
_LISTED = re.compile(r"[\w.()\-]{1,64}(?:; ?[\w.()\-]{1,64})+")
_ONE = re.compile(r"(?=[^\d]*\d)[\w.()\-]{1,64}(?: ?(?:build|rel)\.? ?[\w.]{1,32}){0,2}", re.IGNORECASE)


def read_bounds(text: str) -> dict[str, str | bool | tuple[str, ...]] | None:
    """The bounds as fields of `rules.advisory_records.Affected`, or None where the text is of no known form."""
    words = " ".join(text.replace("\uff08", "(").replace("\uff09", ")").split())
    if not words or len(words) > MAX_WORDS or words in {"-", "*", "0", "n/a", "unspecified"} or _PARTLY.search(words):
        return None
    if _EVERY.fullmatch(words):
        return {"every": True}
    for pattern, names in _READERS:
        found = pattern.fullmatch(words)
        if found is not None and "<" not in "".join(found.groups()):
            read: dict[str, str | bool | tuple[str, ...]] = {}
            for name, value in zip(names, found.groups(), strict=True):
                if name.startswith("build "):
                    read[name.removeprefix("build ")] = f"build {_day_of(value)}"
                else:
                    read[name] = value.strip()
            return read
    if _LISTED.fullmatch(words):
        return {"exact": tuple(part.strip() for part in words.split(";"))}
    return {"exact": (words,)} if _ONE.fullmatch(words) else None


def _day_of(words: str) -> str:
    """A build day as versions write it: ``April 16, 2025`` is 20250416, ``May 2020`` its first day; digits stay."""
    name, *rest = re.findall(r"[a-z]+|\d+", words.casefold())
    if name not in _MONTHS:
        return words
    day = int(rest[0]) if len(rest) > 1 else 1
    return f"{rest[-1]}{_MONTHS.index(name) + 1:02}{day:02}"
