"""Finds names, labels and part numbers in a line that `rules.names` made comparable.

A find says what was taken for which known spelling and how. What follows from it is decided in `rules.screening`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.catalog import Catalog, Known, Label, ModelRule
from rules.labels import fold
from rules.names import Name, latin_of, unleet
from rules.wording import MEASURE, is_meant_for

__all__ = ["Find", "How", "finds_in"]

_MOST_WORDS_OF_A_NAME = 7
_PART = re.compile(r"[a-z]{1,3}\d{3,}[a-z]{0,3}\d{0,3}")
_GLUED, _GLUED_ANYWHERE = 5, 8          # letters a name needs to be found at the start of a word, or anywhere in it
_SHORTEST_TYPO, _LONG = 4, 8
_MOST_FINDS = 24
_MOST_DISGUISED = 3
_MOST_PARTED = 6
_SHORTEST_INSIDE = 3             # syllables of a Korean name that is looked for inside words
_SHORTEST_CUT, _CUT_SHARE = 4, 0.6
_PINYIN = re.compile(r"(?:(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])(?:[aeo]|[ae]i|[ao][ou]|[ae]ng?|ong"
                     r"|i(?:a[no]?|e|u|ng?|ang|ong)?|u(?:a[in]?|o|i|n|ang|e)?)){2,}")
_KEYS, _KEYS_A_ROW = "qwertyuiopasdfghjkl;zxcvbnm", 10
_SHORTEST_CUT_LINE = 15         # characters of a line that may have been cut off


class How(StrEnum):
    """How what was found became a known spelling."""

    EXACT = "exact"
    SPACING = "spacing"
    GLUED = "part of a word"
    CUT = "cut off"
    LEET = "digits for letters"
    TYPO = "misspelt"
    SCRIPT = "another script"
    MODEL = "part number"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Find:
    """Something found: the spelling it stands for, the words it takes (``start`` to ``end``), how, and how closely.

    ``about`` is true where the words before say that it is meant for it or not it; ``sure`` marks a mistake that only
    this name explains, ``alike`` one that fitting words beside it must explain, ``first`` one in the first letter or
    syllable, ``other`` one that is a word of its own; ``backed`` says that words of the party's full name stand there.
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
    first: bool = False
    other: bool = False
    backed: bool = False
    kind: str = "name"


def finds_in(name: Name, catalog: Catalog) -> list[Find]:
    """Every find of a line: names before part numbers before names in other scripts; each word is taken once."""
    taken: set[int] = set()
    finds = list(_exact(name, catalog, taken))
    parts = list(_models(name, catalog, [find for find in finds if find.known.kind != "maker"], taken))
    covered = {index for part in parts for index in range(part.start, part.end)}
    finds = [find for find in finds
             if find.known.kind != "maker" or not covered & set(range(find.start, find.end))] + parts
    finds += _glued(name, catalog, taken)
    finds += _cut_off(name, catalog, taken)
    finds += _misspelt(name, catalog, taken)
    finds += _misspelt_whole(name, catalog, finds)
    for script, runs in name.scripts.items():
        for run in (*runs, *_closed(script, runs)):
            finds += _in_script(script, run, catalog)
        if script == "cyrillic":
            finds += _in_words(runs, catalog)
    return [_backed(find, name, catalog) for find in finds[:_MOST_FINDS]]


def _backed(find: Find, name: Name, catalog: Catalog) -> Find:
    """The find with whether words of the party's full name or its lines stand beside it."""
    companions = catalog.companions.get(find.known.party)
    if not companions:
        return find
    beside = (word.text for at, word in enumerate(name.words) if not find.start <= at < find.end)
    return replace(find, backed=True) if any(word in companions for word in beside) else find


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
                           about=is_meant_for(name, start, catalog), kind="label" if label else known.kind)
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


def _models(name: Name, catalog: Catalog, finds: Sequence[Find], taken: set[int]) -> Iterator[Find]:
    spans: list[tuple[int, int]] = [(name.words[find.start].start, name.words[find.end - 1].end)
                                    for find in finds if find.end > find.start]
    for rule, pattern in catalog.models:
        for found in pattern.finditer(name.text):
            begin, end = found.span()
            if any(begin < stop and first < end for first, stop in spans) or _breaks_a_word(name.text, begin, end):
                continue
            spans.append((begin, end))
            inside = [i for i, word in enumerate(name.words) if word.start < end and begin < word.end]
            taken.update(inside)
            written = rule.brand or catalog.entities.parties[rule.party].name
            yield Find(Known(rule.party, written, common=False), found.group(), inside[0] if inside else 0,
                       inside[-1] + 1 if inside else 0, How.MODEL, 0.95 if rule.decides == "match" else 0.6, None, rule,
                       kind="model")


def _breaks_a_word(text: str, begin: int, end: int) -> bool:
    """Whether a part number with a space in it ends inside the next word: ``X2221 con`` of a connector."""
    return " " in text[begin:end] and text[end - 1:end + 1].isalpha() and len(text) > end


def _glued(name: Name, catalog: Catalog, taken: set[int]) -> Iterator[Find]:
    """Names written together with other words: ``dahuabulletcam4mp``; unsure where the rest says nothing."""
    for index, word in enumerate(name.words):
        text = word.text
        if index in taken or len(text) <= _GLUED or text in catalog.others or text in catalog.classes:
            continue
        found = _glued_in(text, catalog)
        if found is not None:
            known, sure = found
            yield Find(known, text, index, index + 1, How.GLUED, 0.95 if sure else 0.7, sure=sure,
                       about=is_meant_for(name, index, catalog))
            taken.add(index)


def _glued_in(text: str, catalog: Catalog) -> tuple[Known, bool] | None:
    unsure: tuple[Known, bool] | None = None
    for head in catalog.heads:
        at = text.find(head)
        if at < 0 or text == head:
            continue
        known, before, after = catalog.names[head], text[:at], text[at + len(head):]
        if len(head) >= _GLUED_ANYWHERE or (_all_known(before, catalog) and _all_known(after, catalog)):
            return known, True
        if unsure is None and len(before) + len(after) > 2:  # less is a misspelling
            unsure = known, False
    for head in catalog.short:
        if text.startswith(head) and len(text) > len(head) + 2 and _all_known(text[len(head):], catalog, strict=True):
            return catalog.names[head], True
    return unsure


def _all_known(rest: str, catalog: Catalog, *, strict: bool = False) -> bool:
    """Whether a rest falls into words of the trade, numbers and part numbers; `strict`: into words of a device."""
    if not rest or (not strict and (_PART.fullmatch(rest) or any(one.match(rest) for _, one in catalog.models))):
        return True
    fitting = {"camera", "device"} if strict else {"camera", "device", "neutral", "legal", "place", "order"}
    reached = {0}
    for end in range(1, len(rest) + 1):
        for start in [start for start in reached if start < end]:
            piece = rest[start:end]
            if piece.isdigit() or MEASURE.fullmatch(piece) or (
                    catalog.classes.get(piece) in fitting
                    and len(piece) > 1 + (strict and start == 0 and piece.isalpha())):
                reached.add(end)
                break
    return len(rest) in reached


def _cut_off(name: Name, catalog: Catalog, taken: set[int]) -> Iterator[Find]:
    """The last word of a long line, where it is the beginning of a name: a field of 20 or 40 characters was full."""
    last = len(name.words) - 1
    if last < 1 or last in taken or len(name.query.strip()) < _SHORTEST_CUT_LINE:
        return
    text = name.words[last].text
    if len(text) < _SHORTEST_CUT or text in catalog.classes or text in catalog.others or not text.isalpha():
        return
    begun = [head for head in catalog.heads if head.startswith(text) and head != text]
    if not begun:
        return
    head = min(begun, key=len)
    share = len(text) / len(head)
    taken.add(last)
    yield Find(catalog.names[head], text, last, last + 1, How.CUT, share, sure=share >= _CUT_SHARE,
               about=is_meant_for(name, last, catalog))


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
                yield replace(find, about=is_meant_for(name, index, catalog))
                break


def _misspelt_whole(name: Name, catalog: Catalog, finds: Sequence[Find]) -> Iterator[Find]:
    """A full name of several words with a mistake in it, where nothing of the line is a listed name as it stands."""
    if len(name.words) < 2 or any(find.kind == "name" and find.how in {How.EXACT, How.SPACING}
                                  and not find.known.common for find in finds):
        return
    near = catalog.long.nearest(name.words)
    if near is not None and (near.sure or not any(find.other and near.start <= find.start < near.end
                                                  for find in finds)):
        text = name.text[name.words[near.start].start:name.words[near.end - 1].end]
        yield Find(catalog.names[near.key], text, near.start, near.end, How.TYPO, near.score, sure=near.sure,
                   alike=not near.sure, about=is_meant_for(name, near.start, catalog))


def _nearest(text: str, catalog: Catalog, index: int, size: int) -> Find | None:
    if len(text) < _SHORTEST_TYPO or text in catalog.classes or not text.isalnum():
        return None
    letters = sum(c.isalpha() for c in text)
    if letters < _SHORTEST_TYPO or letters * 3 < len(text) * 2:
        return None
    most = 2 if len(text) > _SHORTEST_TYPO else 1
    best: tuple[str, int] | None = None
    for candidate, distance, _ in process.extract(text, catalog.fuzzy, scorer=OSA.distance, score_cutoff=most, limit=4):
        allowed = 2 if len(candidate) >= _LONG or sorted(candidate) == sorted(text) else 1
        if distance <= allowed and (best is None or distance < best[1]):
            best = (candidate, int(distance))
    if best is None:
        meant = catalog.swapped.get("".join(sorted(text)), "")
        if size > 1 or not meant or text[0] != meant[0] or text in catalog.others or OSA.distance(text, meant) > 1:
            return None
        return Find(catalog.names[meant], text, index, index + 1, How.TYPO, 1 - 1 / len(text), sure=False)
    candidate, distance = best
    if size > 1 and distance > 1:
        return None
    known = catalog.names[candidate]
    another = _another_syllable(text, candidate)
    apart = another or text in catalog.others
    own_word = apart or text in catalog.doubtful
    sure = not own_word and (_slip(text, candidate) or (distance == 1 and len(candidate) >= _LONG))
    alike = not sure and distance == 1 and not own_word
    return Find(known, text, index, index + size, How.TYPO, 1 - distance / max(len(text), len(candidate)), sure=sure,
                alike=alike, first=another or _first_wrong(text, candidate), other=apart)


def _another_syllable(text: str, name: str) -> bool:
    """Whether Chinese is read with another consonant: ``Huabei`` and ``Huawei`` are two names, ``Huawai`` a slip."""
    if len(text) != len(name) or not (_PINYIN.fullmatch(text) and _PINYIN.fullmatch(name)):
        return False
    changed = [(one, other) for one, other in zip(text, name, strict=True) if one != other]
    if len(changed) != 1 or set("aeiou") & set(changed[0]):
        return False
    one, other = (divmod(_KEYS.index(letter), _KEYS_A_ROW) for letter in changed[0])
    return abs(one[0] - other[0]) > 1 or abs(one[1] - other[1]) > 1     # a finger slips to the key beside it


def _first_wrong(text: str, name: str) -> bool:
    """Whether a word begins as another word would: not where its first letters changed places, or one came before."""
    return text[0] != name[0] and sorted(text) != sorted(name) and text[1:] != name


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


def _closed(script: str, runs: Sequence[str]) -> tuple[str, ...]:
    """Korean and Japanese words written apart, together, where a name could be parted."""
    return ("".join(runs),) if script in {"hangul", "kana"} and 1 < len(runs) <= _MOST_PARTED else ()


def _in_words(runs: Sequence[str], catalog: Catalog) -> Iterator[Find]:
    """Cyrillic spellings of two or three words: ``ТП-Линк``."""
    spellings = dict(catalog.scripts.get("cyrillic", ()))
    for size in (2, 3):
        for start in range(len(runs) - size + 1):
            known = spellings.get("".join(runs[start:start + size]))
            if known is not None:
                yield Find(known, " ".join(runs[start:start + size]), 0, 0, How.SCRIPT, 1.0)


def _stands_in(written: str, run: str, script: str) -> bool:
    """Anywhere in Chinese and Japanese, and in Korean from three syllables on; as whole words elsewhere."""
    if script in {"han", "kana"} or (script == "hangul" and len(written) >= _SHORTEST_INSIDE):
        return written in run
    return f" {written} " in f" {run} "


def _in_script(script: str, run: str, catalog: Catalog) -> Iterator[Find]:
    """Spellings of another script inside one run of it: anywhere in Chinese, Japanese, Korean; whole words else."""
    spellings = catalog.scripts.get(script, ())
    rest = run
    for written, known in spellings:
        if _stands_in(written, rest, script):
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
