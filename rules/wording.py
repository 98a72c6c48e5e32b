"""What the words around a name say: which trade they speak of, and whether the thing offered is only meant for it.

`rules.finding` finds names, labels and part numbers; `context_of` sorts the words that are none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.catalog import Catalog, Known, ModelRule
from rules.names import Name, Word, simplified

__all__ = ["MEASURE", "Context", "context_of", "is_meant_for"]

_LONG = 8
_SHORTEST_ARTICLE = 5           # digits
_TURNS_AWAY = {"no", "not", "non", "without", "kein", "keine", "keinen", "ohne", "sans", "sin", "senza", "bez", "sem",
               "ingen"}
_JOINS = {"and", "or", "nor", "und", "oder", "et", "ou", "y", "o", "e", "i", "lub", "ve"}
_OFFERS = {"by", "with", "durch", "mit", "par", "por", "con", "da", "przez", "med"}
_MOST_BETWEEN = 4               # words of the device that may stand between "for" and a name
_CAMERA_IN_IT = re.compile("[ck]amer[aey]|cctv|uberwach")     # whatever a language makes of it
_LETTER_GROUPS = re.compile(r"[a-z]{1,4}(?:-[a-z]{1,3}){2,}")
MEASURE = re.compile(r"(?=.*\D)x?\d+(?:x\d*|mp|mpx|mm|cm|m|ch|tb|gb|mb|k|w|v|a|pcs|pc|ea|ft|in|u|p|port|hz|fps|gbps|mah"
                      r"|шт|мп|мм)?")


class Found(Protocol):
    """What is needed of a find here."""

    @property
    def known(self) -> Known: ...
    @property
    def found(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def model(self) -> ModelRule | None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What the words that are no find speak of; ``other`` are those nobody here knows.

    ``order`` is a count with its unit (``x12``, ``pcs``); ``person`` a surname or a title, ``beside`` where one stands
    next to a name. ``company`` is a legal form, ``next_trade`` another trade right behind a name, ``article`` where the
    only numbers are of five digits or more alone, as articles of wholesalers bear and cameras do not. ``loose`` are
    names in another script that may be the beginning of a longer word.
    """

    camera: bool
    device: bool
    trade: bool
    neutral: bool
    order: bool
    person: bool
    about: bool
    models: bool
    other: tuple[str, ...]
    beside: bool = False
    company: bool = False
    next_trade: bool = False
    article: bool = False
    loose: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def is_meant_for(name: Name, start: int, catalog: Catalog) -> bool:
    """Whether the words before the word at `start` say that the thing is meant for it, or is not it."""
    words = [word.text for word in name.words]
    end = next((i for i in range(start, len(words)) if catalog.names.get(words[i]) is None), start)
    if end < len(words) and words[end] in {"free", "like", "style"} and name.text[name.words[end].start - 1] == "-":
        return True
    before = words[:start]
    while len(before) > 1 and (before[-1] in catalog.names or (before[-1] in _JOINS and before[-2] in catalog.names)):
        before = before[:-1]                           # "no Hikvision or Dahua", "for Dahua/Hikvision cameras"
    if before and before[-1] in _TURNS_AWAY:
        return True
    if len(before) > 1 and before[-2] in {"not", "non"} and catalog.classes.get(before[-1]) != "camera":
        return True
    for steps, word in enumerate(reversed(before[-_MOST_BETWEEN:])):
        if word in catalog.for_words or word in catalog.for_maybe:
            earlier = before[:len(before) - steps - 1]
            for_it = not catalog.accessories.isdisjoint(earlier)
            return for_it or (word in catalog.for_words and (not earlier or catalog.papers.isdisjoint(earlier)))
        if catalog.classes.get(word) not in {"camera", "device", "neutral", "order"} and not word.isdigit():
            return False
    return False


def context_of(name: Name, finds: Sequence[Found], catalog: Catalog) -> Context:
    """What the words beside the finds speak of."""
    taken = {index for find in finds for index in range(find.start, find.end)}
    named = {index for find in finds if find.kind == "name" for index in range(find.start, find.end)}
    kinds: set[str] = set()
    other: list[str] = []
    beside = next_trade = False
    for index, word in enumerate(name.words):
        if index in taken:
            continue
        kind = catalog.classes.get(word.text)
        if kind is None and _CAMERA_IN_IT.search(word.text):
            kind = "camera"
        if kind is None and MEASURE.fullmatch(word.text):
            kind = "order"
        if kind is not None:
            kinds.add(kind)
            beside = beside or (kind == "person" and bool({index - 1, index + 1} & named))
            next_trade = next_trade or (kind == "trade" and index - 1 in named)
        elif len(word.text) > 1 and not _part_number(name.text, word):
            meant = _meant(word.text, catalog)
            if meant is None:
                other.append(word.text)
            else:
                kinds.add(meant)
    for script, runs in name.scripts.items():
        for run in runs:
            _sort_run(script, run, catalog, finds, kinds, other)
    about = _turns_about(name, finds, catalog)
    return Context("camera" in kinds, "device" in kinds, "trade" in kinds, "neutral" in kinds, "order" in kinds,
                   "person" in kinds, about, any(find.model is not None for find in finds), tuple(other), beside,
                   "legal" in kinds, next_trade, _is_article(name.text), _loose(name, finds, catalog),
                   frozenset((*(word.text for word in name.words), *(run for runs in name.scripts.values()
                                                                     for run in runs))))


def _turns_about(name: Name, finds: Sequence[Found], catalog: Catalog) -> bool:
    """Whether a strong word (compatible, replaces, removal) is meant of what is found: not of "replaced by" it."""
    words = [word.text for word in name.words]
    strong = {word for word, after in zip(words, [*words[1:], ""], strict=False)
              if word in _STRONG_ABOUT and after not in catalog.papers}
    if _REMOVED.search(name.text):
        return True
    if not strong and _CYRILLIC_ABOUT.isdisjoint(name.scripts.get("cyrillic", ())):
        return False
    offered = any(find.start and name.words[find.start - 1].text in _OFFERS for find in finds if find.kind != "maker")
    return not (offered and strong <= _REPLACES)


def _loose(name: Name, finds: Sequence[Found], catalog: Catalog) -> frozenset[str]:
    if not name.scripts:
        return frozenset()
    text = simplified(name.query)
    return frozenset(find.found for find in finds
                     if not find.found.isascii() and not catalog.runs.stands_apart(text, find.found))


def _is_article(text: str) -> bool:
    numbers = [token for token in text.split() if any(c.isdigit() for c in token) and not MEASURE.fullmatch(token)]
    return bool(numbers) and all(token.isdigit() and len(token) >= _SHORTEST_ARTICLE for token in numbers)


def _part_number(text: str, word: Word) -> bool:
    """Whether a word holds a digit, is bound to one that does, or to two more as short as it (``GD-CI-AC``)."""
    begin = text.rfind(" ", 0, word.start) + 1
    end = text.find(" ", word.end)
    token = text[begin:end if end >= 0 else len(text)]
    return any(c.isdigit() for c in token) or _LETTER_GROUPS.fullmatch(token) is not None


def _meant(word: str, catalog: Catalog) -> str | None:
    """The class of a long word that is one or two mistakes away from one that has a class."""
    if len(word) < 6:  # short words are near too many
        return None
    most = 2 if len(word) > _LONG else 1
    found = process.extractOne(word, catalog.class_words, scorer=OSA.distance, score_cutoff=most)
    kind = catalog.classes[found[0]] if found is not None else None
    return kind if kind in {"neutral", "place", "camera", "legal"} else None


_REMOVED = re.compile(r"\bde-?install")
_REPLACES = {"replace", "replaces", "replaced", "replacing", "replacement", "ersetzt", "ersatz", "remplace",
             "remplacer", "reemplazo", "reemplaza", "sustituye", "sostituisce", "remplacement"}
_STRONG_ABOUT = _REPLACES | {
    "compatible", "compatibility", "kompatibel", "kompatybilny", "kompatybilna", "kompatibilna", "compatibile",
    "compatibles", "compativel", "compatibel", "uyumlu", "suitable", "geeignet", "passend", "alternative",
    "alternatives", "equivalent", "substitute", "instead", "statt", "unlike", "versus", "vs", "except", "excluding",
    "banned", "remove", "removal", "uninstall", "disposal", "decommission", "decommissioning", "deinstallation",
    "dismantling", "dismantle", "demontage", "ruckbau", "desmontaje", "smontaggio", "demontaz", "retiro", "aftermarket",
    "zamiennik"}
_CYRILLIC_ABOUT = frozenset({"не", "без", "кронштейн", "совместим", "совместимый", "совместимая", "замена", "вместо",
                             "чехол", "адаптер", "крепление"})


_HAN_PREMISES = tuple("馆店行铺楼坊院校吧屋堂厅庄")         # shop, hall, house: what a business with a door is called


def _sort_run(script: str, run: str, catalog: Catalog, finds: Sequence[Found], kinds: set[str],
              other: list[str]) -> None:
    if any(mark in run for mark in catalog.camera_marks):
        kinds.add("camera")
    rest = run
    for find in finds:
        rest = rest.replace(find.found, "", 1)
    if script == "han":
        for mark in catalog.camera_marks:
            rest = rest.replace(mark, "")
        if any(mark in rest for mark in catalog.han_trade):
            kinds.add("trade")
        for mark in catalog.han_neutral:
            rest = rest.replace(mark, "")
        if rest.endswith(_HAN_PREMISES) and "camera" not in kinds:
            kinds.add("trade")
    elif any(mark in rest if script != "cyrillic" else mark == rest for mark in catalog.trade_marks):
        kinds.add("trade")
    elif (kind := catalog.classes.get(rest)) is not None:
        kinds.add(kind)
        rest = ""
    elif script == "arabic":
        kinds.update(kind for word in rest.split() if (kind := catalog.classes.get(word)) is not None)
        rest = " ".join(word for word in rest.split() if word not in catalog.classes and not word.isdigit())
    if len(rest) > 1 and not any(mark in rest for mark in catalog.camera_marks):
        other.append(rest)
