"""From a vendor as a CVE or CSAF file writes it to the maker it means: spelling and legal form do not count."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from rules import advisories, makers

__all__ = ["maker_named"]

_FORMS = {"ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg",
          "limited", "llc", "ltd", "nv", "oy", "plc", "pte", "sa", "spa", "srl"}
_WORD = re.compile(r"[^\W_]+")
_MOST = 200


def _key(name: str) -> str:
    words = _WORD.findall(unicodedata.normalize("NFKD", name[:_MOST]).casefold())
    while len(words) > 1 and words[-1] in _FORMS:
        words.pop()
    return "".join(words)


@cache
def _names() -> dict[str, str]:
    """Every name of a maker that has advisories or signals, by its key; what means two makers means nobody."""
    found: dict[str, set[str]] = {}
    for file in advisories.load().files.values():
        for name in (file.maker, *file.names):
            found.setdefault(_key(name), set()).add(file.maker)
    for maker in makers.load():
        for name in (maker.maker, maker.name, maker.legal_name, *maker.names):
            if _key(name):
                found.setdefault(_key(name), set()).add(maker.maker)
    return {key: next(iter(slugs)) for key, slugs in found.items() if len(slugs) == 1}


def maker_named(vendor: str) -> str | None:
    """The slug of the maker that a vendor's name means, None where none is known or several are."""
    return _names().get(_key(vendor))
