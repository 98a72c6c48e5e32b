"""Reads the bounds out of the words in which sources state affected versions: ``<= 1.12.0.27``, ``5.0 and prior``.

Only whole texts of a known form are read. Any other text gives no bounds, and the advisory answers ``unknown`` with it.
"""

from __future__ import annotations

import re

__all__ = ["MAX_WORDS", "read_bounds"]

MAX_WORDS = 400
"""A longer text is a description and not a bound."""

_EVERY = re.compile(r"(?i)(?:vers:all/\*|all(?: firmware)?(?: versions)?(?: \(eol\))?|0? ?<=? ?\*)")
_FORMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?i)versions after (\S+) \(including \S+\) and before (\S+?) ?\(not including \S+\)", ("since", "before")),
    (r"(?i)(?:versions? )?(?:prior to|before|earlier than) (?:version )?(\S+(?: build \S+)?)", ("before",)),
    (r"(?i)(\S+(?: build ?\S+)?) and (?:the )?(?:all )?(?:prior|earlier)(?: versions)?", ("until",)),
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
    if not words or len(words) > MAX_WORDS or words in {"-", "*", "0", "n/a", "unspecified"}:
        return None
    if _EVERY.fullmatch(words):
        return {"every": True}
    for pattern, names in _READERS:
        found = pattern.fullmatch(words)
        if found is not None and "<" not in "".join(found.groups()):
            read: dict[str, str | bool | tuple[str, ...]] = {}
            for name, value in zip(names, found.groups(), strict=True):
                read[name.removeprefix("build ")] = f"build {value}" if name.startswith("build ") else value.strip()
            return read
    if _LISTED.fullmatch(words):
        return {"exact": tuple(part.strip() for part in words.split(";"))}
    return {"exact": (words,)} if _ONE.fullmatch(words) else None
