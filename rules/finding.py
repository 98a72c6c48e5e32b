"""Finds names, labels and part numbers in a line that `rules.names` made comparable, and sorts the other words.

A find says what was taken for which known spelling and how. What follows from it is decided in `rules.screening`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.catalog import Catalog, Known, Label, ModelRule
from rules.labels import fold
from rules.names import Name, Word, latin_of, unleet

__all__ = ["Context", "Find", "How", "context_of", "finds_in"]

_MOST_WORDS_OF_A_NAME = 7
_GLUED, _GLUED_ANYWHERE = 5, 8          # letters a name needs to be found at the start of a word, or anywhere in it
_SHORTEST_TYPO, _LONG = 4, 8
_MOST_FINDS = 24
_MOST_DISGUISED = 3
_TURNS_AWAY = {"for", "compatible", "no", "not", "non"}
_MEASURE = re.compile(r"x?\d+(?:x\d*|mp|mpx|mm|cm|m|ch|tb|gb|mb|k|w|v|a|pcs|pc|ea|ft|in|u|p|port|hz|fps|gbps|mah"
                      r"|шт|мп|мм)?")


class How(StrEnum):
    """How what was found became a known spelling."""

    EXACT = "exact"
    SPACING = "spacing"
    GLUED = "part of a word"
    LEET = "digits for letters"
    TYPO = "misspelt"
    SCRIPT = "another script"
    MODEL = "part number"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Find:
    """Something found: the spelling it stands for, the words it takes (``start`` to ``end``), how, and how closely.

    ``about`` is true where the word before says that it is meant for it or not it; ``sure`` marks a mistake that only
    this name explains, ``alike`` one that fitting words beside it must explain, ``other`` one that is a
    word of its own.
    """

    known: Known
    found: str
    start: int
    end: int
    how: How
    score: float
    label: Label | None = None
    model: ModelRule | None = None
    about: bool = False
    sure: bool = True
    alike: bool = False
    other: bool = False
    kind: str = "name"


@dataclass(frozen=True, slots=True)
class Context:
    """What the words that are no find speak of; ``other`` are those nobody here knows."""

    camera: bool
    device: bool
    trade: bool
    neutral: bool
    order: bool
    person: bool
    about: bool
    models: bool
    other: tuple[str, ...]


def finds_in(name: Name, catalog: Catalog) -> list[Find]:
    """Every find of a line: names before part numbers before names in other scripts; each word is taken once."""
    taken: set[int] = set()
    finds = list(_exact(name, catalog, taken))
    parts = list(_models(name, catalog, [find for find in finds if find.known.kind != "maker"], taken))
    covered = {index for part in parts for index in range(part.start, part.end)}
    finds = [find for find in finds
             if find.known.kind != "maker" or not covered & set(range(find.start, find.end))] + parts
    finds += _glued(name, catalog, taken)
    finds += _misspelt(name, catalog, taken)
    for script, runs in name.scripts.items():
        for run in runs:
            finds += _in_script(script, run, catalog)
    return finds[:_MOST_FINDS]


def _exact(name: Name, catalog: Catalog, taken: set[int]) -> Iterator[Find]:
    """Windows of words that are a known spelling once squeezed, the longest first from the left."""
    words = name.words
    start = 0
    while start < len(words):
        joined = "".join(word.text for word in words[start:start + _MOST_WORDS_OF_A_NAME])
        for end in range(min(len(words), start + _MOST_WORDS_OF_A_NAME), start, -1):
            found = _known(joined, catalog, disguised=end - start <= _MOST_DISGUISED)
            if found is not None:
                known, label, how = found
                text = name.text[words[start].start:words[end - 1].end]
                if how is How.EXACT and known.written.casefold() != text and _squeezes(known.written, text):
                    how = How.SPACING
                yield Find(known, text, start, end, how, 0.97 if how is How.LEET else 1.0, label,
                           about=_about(name, start, catalog), kind="label" if label else known.kind)
                taken.update(range(start, end))
                start = end - 1
                break
            joined = joined[:len(joined) - len(words[end - 1].text)]
        start += 1


def _known(key: str, catalog: Catalog, *, disguised: bool) -> tuple[Known, Label | None, How] | None:
    if (known := catalog.names.get(key)) is not None:
        return known, None, How.EXACT
    if (labels := catalog.labels.get(key)) is not None:
        return Known(labels[0].party, labels[0].written, labels[0].ordinary, "brand"), labels[0], How.EXACT
    if disguised:
        for variant in unleet(key):
            known = catalog.names.get(variant)
            if known is not None and known.kind == "name" and len(variant) > _SHORTEST_TYPO:
                return known, None, How.LEET
    return None


def _squeezes(written: str, text: str) -> bool:
    return len(text.split()) > len(written.split())


def _about(name: Name, start: int, catalog: Catalog) -> bool:
    before = [word.text for word in name.words[max(0, start - 2):start]]
    if before and catalog.classes.get(before[-1]) == "about":
        return True
    return len(before) > 1 and before[0] in _TURNS_AWAY and catalog.classes.get(before[1]) != "camera"


def _models(name: Name, catalog: Catalog, finds: Sequence[Find], taken: set[int]) -> Iterator[Find]:
    spans: list[tuple[int, int]] = [(name.words[find.start].start, name.words[find.end - 1].end)
                                    for find in finds if find.end > find.start]
    for rule, pattern in catalog.models:
        for found in pattern.finditer(name.text):
            begin, end = found.span()
            if any(begin < stop and first < end for first, stop in spans):
                continue
            spans.append((begin, end))
            inside = [i for i, word in enumerate(name.words) if word.start < end and begin < word.end]
            taken.update(inside)
            written = rule.brand or catalog.entities.parties[rule.party].name
            yield Find(Known(rule.party, written, common=False), found.group(), inside[0] if inside else 0,
                       inside[-1] + 1 if inside else 0, How.MODEL, 0.95 if rule.decides == "match" else 0.6, None, rule,
                       kind="model")


def _glued(name: Name, catalog: Catalog, taken: set[int]) -> Iterator[Find]:
    for index, word in enumerate(name.words):
        if index in taken or len(word.text) <= _GLUED or word.text in catalog.others:
            continue
        for known_as in catalog.fuzzy:
            if len(known_as) < _GLUED or known_as not in word.text or word.text == known_as:
                continue
            known = catalog.names[known_as]
            rest = word.text.replace(known_as, "", 1)
            fits = rest in catalog.classes or rest.isdigit() or rest in catalog.names
            fits = fits and (word.text.startswith(known_as) or rest in catalog.classes)
            if fits or len(known_as) >= _GLUED_ANYWHERE:
                yield Find(known, word.text, index, index + 1, How.GLUED, 0.95, about=_about(name, index, catalog))
                taken.add(index)
                break


def _misspelt(name: Name, catalog: Catalog, taken: set[int]) -> Iterator[Find]:
    """Single words, and pairs of words, that are one or two mistakes away from a name."""
    words = name.words
    for index in range(len(words)):
        for size in (1, 2):
            span = range(index, index + size)
            if index + size > len(words) or any(i in taken for i in span):
                continue
            text = "".join(w.text for w in words[index:index + size])
            if size > 1 and any(w.text in catalog.classes or not w.text.isalpha() for w in words[index:index + size]):
                continue
            find = _nearest(text, catalog, index, size)
            if find is not None:
                taken.update(span)
                yield Find(find.known, find.found, index, index + size, How.TYPO, find.score, sure=find.sure,
                           alike=find.alike, other=find.other, about=_about(name, index, catalog))
                break


def _nearest(text: str, catalog: Catalog, index: int, size: int) -> Find | None:
    if len(text) < _SHORTEST_TYPO or text in catalog.classes or not text.isalnum():
        return None
    letters = sum(c.isalpha() for c in text)
    if letters < _SHORTEST_TYPO or letters * 3 < len(text) * 2:
        return None
    most = 2 if len(text) >= _LONG - 1 else 1
    best: tuple[str, int] | None = None
    for candidate, distance, _ in process.extract(text, catalog.fuzzy, scorer=OSA.distance, score_cutoff=most, limit=4):
        allowed = 2 if len(candidate) >= _LONG or sorted(candidate) == sorted(text) else 1
        if distance <= allowed and (best is None or distance < best[1]):
            best = (candidate, int(distance))
    if best is None:
        return None
    candidate, distance = best
    if size > 1 and distance > 1:
        return None
    known = catalog.names[candidate]
    own_word = text in catalog.doubtful or text in catalog.others
    sure = not own_word and (_slip(text, candidate) or (distance == 1 and len(candidate) >= _LONG))
    alike = not sure and distance == 1 and text[0] == candidate[0] and not own_word
    return Find(known, text, index, index + size, How.TYPO, 1 - distance / max(len(text), len(candidate)), sure=sure,
                alike=alike, other=text in catalog.others)


def _slip(text: str, name: str) -> bool:
    """Whether the same letters were typed in another order, one twice, or one of the inner ones not at all."""
    if text[0] != name[0]:
        return False
    if sorted(text) == sorted(name):
        return True
    if re.sub(r"(.)\1", r"\1", text) == re.sub(r"(.)\1", r"\1", name):
        return True
    if len(text) == len(name) - 1:
        return len(text) > _SHORTEST_TYPO and _without_one(name, text)
    return len(text) == len(name) + 1 and text[-1] == name[-1] and _without_one(text, name)


def _without_one(longer: str, shorter: str) -> bool:
    """Whether `longer` is `shorter` with one letter more, not the first one."""
    return any(longer[:i] + longer[i + 1:] == shorter for i in range(1, len(longer)))


def _in_script(script: str, run: str, catalog: Catalog) -> Iterator[Find]:
    """Spellings of another script inside one run of it: anywhere in Chinese, Japanese, Korean; whole words else."""
    if script == "han" and any(other in run for other in catalog.others_han):
        return
    spellings = catalog.scripts.get(script, ())
    rest = run
    for written, known in spellings:
        if (written in rest) if script in {"han", "kana", "hangul"} else (written in {rest, *rest.split()}):
            rest = rest.replace(written, " ", 1)
            yield Find(known, written, 0, 0, How.SCRIPT, 1.0, kind="name")
    if rest != run or script in {"han", "arabic"}:
        return
    if script == "cyrillic":
        yield from _in_cyrillic(run, spellings, catalog)
    elif len(run) >= _SHORTEST_TYPO:
        found = process.extractOne(run, [written for written, _ in spellings], scorer=OSA.distance, score_cutoff=1)
        if found is not None and len(found[0]) >= _SHORTEST_TYPO:
            yield Find(dict(spellings)[found[0]], run, 0, 0, How.TYPO, 0.8, sure=False)


def _in_cyrillic(run: str, spellings: Sequence[tuple[str, Known]], catalog: Catalog) -> Iterator[Find]:
    if len(run) < 3:  # two letters name nobody
        return
    for reading in (fold(run).casefold(), latin_of(run)):
        known = catalog.names.get(reading)
        if known is not None and known.kind == "name":
            yield Find(known, run, 0, 0, How.SCRIPT, 0.95)
            return
    if run in catalog.classes or len(run) < 5:  # see above: too short to be misspelt
        return
    most = 2 if len(run) >= _LONG else 1
    found = process.extractOne(run, [written for written, _ in spellings], scorer=OSA.distance, score_cutoff=most)
    if found is not None:
        sure = len(run) >= _LONG or run.startswith(found[0])
        yield Find(dict(spellings)[found[0]], run, 0, 0, How.TYPO, 0.85, sure=sure)
        return
    near = _nearest(latin_of(run), catalog, 0, 1)
    if near is not None:
        yield Find(near.known, run, 0, 0, How.TYPO, near.score, sure=near.sure, alike=near.alike)


def context_of(name: Name, finds: Sequence[Find], catalog: Catalog) -> Context:
    """What the words beside the finds speak of."""
    taken = {index for find in finds for index in range(find.start, find.end)}
    kinds: set[str] = set()
    other: list[str] = []
    for index, word in enumerate(name.words):
        if index in taken:
            continue
        kind = catalog.classes.get(word.text)
        if kind is None and _MEASURE.fullmatch(word.text):
            kind = "order"
        if kind is not None:
            kinds.add(kind)
        elif len(word.text) > 1 and not _part_number(name.text, word):
            meant = _meant(word.text, catalog)
            if meant is None:
                other.append(word.text)
            else:
                kinds.add(meant)
    for script, runs in name.scripts.items():
        for run in runs:
            _sort_run(script, run, catalog, finds, kinds, other)
    if "about" in kinds and not ({w.text for w in name.words} & _STRONG_ABOUT):
        kinds.discard("about")
    return Context("camera" in kinds, "device" in kinds, "trade" in kinds, "neutral" in kinds, "order" in kinds,
                   "person" in kinds, "about" in kinds, any(find.how is How.MODEL for find in finds), tuple(other))


def _part_number(text: str, word: Word) -> bool:
    """Whether a word holds a digit, or is bound by a hyphen or a slash to one that does."""
    begin = text.rfind(" ", 0, word.start) + 1
    end = text.find(" ", word.end)
    return any(c.isdigit() for c in text[begin:end if end >= 0 else len(text)])


def _meant(word: str, catalog: Catalog) -> str | None:
    """The class of a long word that is one or two mistakes away from one that has a class."""
    if len(word) < 6:  # short words are near too many
        return None
    most = 2 if len(word) > _LONG else 1
    found = process.extractOne(word, catalog.class_words, scorer=OSA.distance, score_cutoff=most)
    kind = catalog.classes[found[0]] if found is not None else None
    return kind if kind in {"neutral", "place", "camera", "legal"} else None


_STRONG_ABOUT = {"compatible", "compatibility", "kompatibel", "replaces", "ersatz", "ersetzt",
                 "remplace", "alternative", "alternatives", "equivalent", "substitute", "instead", "statt",
                 "unlike", "versus", "vs", "except", "excluding", "banned", "remove", "removal", "uninstall",
                 "disposal", "decommission"}


def _sort_run(script: str, run: str, catalog: Catalog, finds: Sequence[Find], kinds: set[str],
              other: list[str]) -> None:
    if any(mark in run for mark in catalog.camera_marks):
        kinds.add("camera")
    rest = run
    for find in finds:
        if find.how in {How.SCRIPT, How.TYPO}:
            rest = rest.replace(find.found, "", 1)
    if script == "han":
        for mark in catalog.camera_marks:
            rest = rest.replace(mark, "")
        if any(mark in rest for mark in catalog.han_trade):
            kinds.add("trade")
        for mark in catalog.han_neutral:
            rest = rest.replace(mark, "")
    elif any(mark in rest if script != "cyrillic" else mark == rest for mark in catalog.trade_marks):
        kinds.add("trade")
    elif (kind := catalog.classes.get(rest)) is not None:
        kinds.add(kind)
        rest = ""
    if len(rest) > 1 and not any(mark in rest for mark in catalog.camera_marks):
        other.append(rest)
