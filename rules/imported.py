"""Imported parties beside the shipped ones: an index over up to a million names, how a line is found in it, their law.

A whole name, exact but for its legal form, is a match, alone and beside nothing but words of the trade, places, counts
and part numbers. A name among other words, or one misspelt, is a match where what is found is long and particular, else
a review; an ordinary word is for review beside words of the trade, and none among others. What a listing means is told
in `rules.imported_law`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.catalog import Catalog, Known
from rules.documents import Document
from rules.documents import read as read_document
from rules.entities import Entities
from rules.finding import Find, How
from rules.imported_law import IMPORT, law_with
from rules.names import FOLDER, Name, Word, read
from rules.regimes import Regime, Words
from rules.screening import Action, Screening
from rules.snapshots import Kept, Snapshot, version_of
from rules.vocabulary import ListVersion
from rules.wording import context_of, is_meant_for

__all__ = ["Imported", "is_alone", "standing", "telling_words"]

_WORD = re.compile(r"[^\W_]+")
_LEGAL = frozenset([
    "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "plc", "gmbh", "ag", "sa",
    "sas", "srl", "bv", "nv", "ab", "oy", "as", "pty", "pte", "pvt", "kg", "jsc", "ooo", "oao", "ao", "zao", "pao",
    "fzco", "fze", "lda", "the", "and", "of", "kk", "sdn", "bhd", "spa"])
_MOST_WINDOW = 8
_MOST_NAMES = 16                        # listed names of one line that are weighed
_MOST_RUNS = 4                          # runs of another script that are one name: ``Колвера Оптик``
_LONG, _PARTICULAR = 8, 12
_DISTINCT = 4                           # letters of a word of its own that is worth a look beside unknown words
_FEWEST_TOGETHER = 6                    # letters of words that are a name together, beside unknown words
_SHORTEST_RUN, _LONGEST_RUN = 2, 40     # characters of a name inside a run of another script
_INSIDE_RUNS = ("han", "kana", "hangul", "arabic")      # scripts that are written without spaces, or closed over them
_JOINTS = frozenset("-/_.+&'")
_SAYS_NOTHING = ("camera", "device", "neutral", "legal", "place", "order")
_NEAR, _ONE_SLIP = 0.87, 0.93           # likeness of whole names: worth a look, and one slip in a long one
_PREFIX = 3
_MOST_BUCKET, _MOST_POSTINGS = 4000, 400


class _Ordinary(Document):
    note: str
    words: Words


@dataclass(frozen=True, slots=True)
class _Hit:
    kept: Kept
    source: str
    entity: str
    written: str
    found: str
    score: float
    whole: bool
    words: int


class Imported:
    """The parties of imported lists, indexed once; immutable after that."""

    def __init__(self, snapshots: Iterable[Snapshot], catalog: Catalog) -> None:
        self.snapshots = tuple(snapshots)
        self.versions: tuple[ListVersion, ...] = ()
        self._catalog = catalog
        self._parties: list[tuple[Kept, str]] = []
        self._entities: list[str] = []
        self._exact: dict[str, tuple[int, str]] = {}
        self._sorted: dict[str, tuple[int, str]] = {}
        self._postings: dict[str, list[tuple[int, str]]] = {}
        self._buckets: dict[str, list[str]] = {}
        self._by_entity: dict[str, list[int]] = {}
        self._mains: dict[str, str] = {}
        self._run_heads: set[str] = set()
        for snapshot in self.snapshots:
            self.versions += (version_of(snapshot),)
            for kept in snapshot.parties:
                self._add(kept, snapshot.source)
        for token in self._postings:
            self._buckets.setdefault(token[:_PREFIX], []).append(token)
        self._nothing = _words_that_say_nothing(catalog)

    def __len__(self) -> int:
        return len(self._parties)

    def _add(self, kept: Kept, source: str) -> None:
        at = len(self._parties)
        self._parties.append((kept, source))
        shipped: str | None = None
        for written in kept.party.names:
            words = telling_words(written)
            key = "".join(words)
            if not key:
                continue
            known = self._catalog.names.get(key)
            if shipped is None and known is not None and known.kind == "name" and known.party:
                shipped = known.party
            self._exact.setdefault(key, (at, written))
            if not key.isascii():
                self._run_heads.add(key[:_SHORTEST_RUN])
            if len(words) > 1:
                self._sorted.setdefault(" ".join(sorted(words)), (at, written))
            for word in set(words):
                if len(word) >= 4 and word not in self._catalog.classes:
                    self._postings.setdefault(word, []).append((at, written))
        # the same main name on two lists is one party, so that either list is told of whichever is found first
        main = "".join(telling_words(kept.party.names[0])) if kept.party.names else ""
        entity = shipped or self._mains.get(main) or f"{IMPORT}:{source}:{kept.party.id}"
        if main:
            self._mains.setdefault(main, entity)
        self._entities.append(entity)
        self._by_entity.setdefault(entity, []).append(at)

    def entity_of(self, wanted: str) -> str | None:
        """The id of the party that bears this id or this whole name; ``None`` where nobody does."""
        if wanted in self._by_entity:
            return wanted
        hit = self._whole(read(wanted))
        return hit.entity if hit is not None else None

    def near(self, wanted: str) -> str | None:
        """The id of a party whose name is a slip or two away, to be offered and never taken."""
        hit = self._misspelt(read(wanted))
        return hit.entity if hit is not None else None

    def screen(self, query: str, day: date, shipped: Screening) -> Screening:
        """The answer for one line, where an imported party says more than `shipped`."""
        name = read(query)
        hit = self._whole(name) or self._inside(name) or self._misspelt(name)
        if hit is None:
            return shipped
        action, because = self._weighed(hit, day)
        if action is Action.NO_MATCH or (shipped.action is Action.REVIEW and action is Action.REVIEW):
            return replace(shipped, also=(*shipped.also, f"{hit.source}: {hit.written}"))
        party = hit.kept.party
        lists = tuple(f"{hit.source}: {p.name}" + (f" since {p.listed_on}" if p.listed_on else "")
                      for p in party.programmes)
        how = "exact" if hit.score == 1 else "misspelt"
        return Screening(query, action, hit.entity, party.names[0], "self",
                         f"import: {hit.found!r} is {hit.written!r} ({how})", round(hit.score, 3), because,
                         shipped.also, shipped.tricks, unverified=True, lists=lists)

    def _weighed(self, hit: _Hit, day: date) -> tuple[Action, str]:
        listed, named = standing(hit.kept, hit.source, day)
        if not listed:
            return Action.REVIEW, named
        sure = hit.whole or (hit.words > 1 and len(hit.found) >= _PARTICULAR)
        if hit.score == 1 and sure:
            return Action.MATCH, named
        if hit.score >= 0.93 and hit.whole and len(hit.found) >= _PARTICULAR:
            return Action.MATCH, f"{named}, misspelt"
        return Action.REVIEW, f"{named}; only part of the line says so" if hit.score == 1 else f"{named}, if misspelt"

    def _whole(self, name: Name) -> _Hit | None:
        words = [word.text for word in name.words if word.text not in _LEGAL]
        for key, table in (("".join(words), self._exact), (" ".join(sorted(words)), self._sorted)):
            if key and key in table:
                return self._hit(table[key], name.query.strip(), 1.0, whole=True, words=len(words))
        if name.scripts and not words and (key := "".join(telling_words(name.query))) in self._exact:
            return self._hit(self._exact[key], name.query.strip(), 1.0, whole=True, words=2)
        for runs in name.scripts.values():
            for run in runs:
                if (key := "".join(telling_words(run))) in self._exact:
                    return self._hit(self._exact[key], run, 1.0, whole=True, words=2)
        return None

    def _inside(self, name: Name) -> _Hit | None:
        """The listed name that stands in a line: one that is all the line says before a longer one among others."""
        return max((*self._in_words(name), *self._in_runs(name)), key=lambda hit: (hit.whole, len(hit.found)),
                   default=None)

    def _in_words(self, name: Name) -> Iterator[_Hit]:
        words = [(at, word) for at, word in enumerate(name.words) if word.text not in _LEGAL]
        asked: set[str] = set()                         # each name once, however often a line repeats it
        for start in range(len(words)):
            joined = ""
            for size, (_, word) in enumerate(words[start:start + _MOST_WINDOW], 1):
                joined += word.text
                if joined not in self._exact or joined in asked or len(asked) >= _MOST_NAMES:
                    continue
                asked.add(joined)
                if (hit := self._of_words(name, joined, words[start:start + size])) is not None:
                    yield hit

    def _of_words(self, name: Name, key: str, window: Sequence[tuple[int, Word]]) -> _Hit | None:
        """What a listed name in these words of a line amounts to; ``None`` where it says too little."""
        texts = [word.text for _, word in window]
        found = " ".join(texts)
        own = [text for text in texts if text not in self._catalog.classes and not text.isdigit()]
        if not own:                                     # "Security Systems" is said of anybody
            if len(texts) == 1 or len(key) < _FEWEST_TOGETHER:
                return None
            return self._hit(self._exact[key], found, 1.0, whole=False, words=1)
        ordinary = len(texts) == 1 and (key in _ordinary() or key in self._catalog.others)
        fewest = _DISTINCT if len(texts) == 1 else _FEWEST_TOGETHER
        first, last = window[0], window[-1]
        find = Find(Known("", found, common=False), found, first[0], last[0] + 1, How.EXACT, 1.0)
        alone = self._is_alone(name, [find], key)
        if not alone and (ordinary or len(key) < fewest):
            return None
        bound = name.text[max(first[1].start - 1, 0):first[1].start] + name.text[last[1].end:last[1].end + 1]
        if len(key) < (_DISTINCT if alone else _FEWEST_TOGETHER) and not _JOINTS.isdisjoint(bound):
            return None                                 # a part number: SARA-R410
        return self._hit(self._exact[key], found, 1.0, whole=alone and not ordinary, words=len(texts))

    def _in_runs(self, name: Name) -> Iterator[_Hit]:
        """Names in other scripts: in several runs together, or in one with other words written to it."""
        for script, runs in name.scripts.items():
            for start in range(len(runs)):
                for size in range(2, min(_MOST_RUNS, len(runs) - start) + 1):
                    parts = runs[start:start + size]
                    if (key := "".join(parts)) in self._exact:
                        alone = self._is_alone(name, [_as_find(part) for part in parts], key)
                        if alone or len(key) >= _FEWEST_TOGETHER:
                            yield self._hit(self._exact[key], " ".join(parts), 1.0, whole=alone, words=size)
            if script in _INSIDE_RUNS:
                for run in runs:
                    yield from self._in_run(name, script, run)

    def _in_run(self, name: Name, script: str, run: str) -> Iterator[_Hit]:
        for start in range(len(run)):
            if run[start:start + _SHORTEST_RUN] not in self._run_heads:
                continue
            for end in range(min(len(run), start + _LONGEST_RUN), start + _SHORTEST_RUN - 1, -1):
                key = run[start:end]
                if key not in self._exact or self._nothing.fullmatch(key):
                    continue
                bare = self._nothing.fullmatch(run[:start]) and self._nothing.fullmatch(run[end:])
                alone = bool(bare) and self._is_alone(name, [_as_find(run)], key)
                begins = start == 0 or script == "han"
                if alone or (begins and len(key) >= _DISTINCT):
                    yield self._hit(self._exact[key], key, 1.0, whole=alone, words=1)
                break

    def _is_alone(self, name: Name, finds: Sequence[Find], key: str) -> bool:
        """Whether nothing but words of the trade, places, counts and part numbers stands beside what was found."""
        kept, _ = self._parties[self._exact[key][0]]
        own = {word for written in kept.party.names for word in telling_words(written)}
        return is_alone(name, finds, own, self._catalog)

    def _misspelt(self, name: Name) -> _Hit | None:
        """A name whose particular words are all there, each at most a slip away."""
        words = [word.text for word in name.words if word.text not in _LEGAL]
        asked = [word for word in words if len(word) >= 4 and word not in self._catalog.classes]
        if not asked or len(asked) > _MOST_WINDOW:
            return None
        candidates: dict[tuple[int, str], int] = {}
        for word in asked:
            for token in self._near(word):
                postings = self._postings[token]
                for posting in postings if len(postings) <= _MOST_POSTINGS else ():
                    candidates[posting] = candidates.get(posting, 0) + 1
        best: tuple[float, tuple[int, str]] | None = None
        whole = "".join(words)
        for posting, count in candidates.items():
            key = "".join(telling_words(posting[1]))
            likeness = OSA.normalized_similarity(whole, key)
            if likeness >= 0.87 and (count > 1 or len(key) >= _LONG) and (best is None or likeness > best[0]):
                best = (likeness, posting)
        return None if best is None else self._hit(best[1], name.query.strip(), best[0], whole=True, words=len(words))

    def _near(self, word: str) -> Sequence[str]:
        if word in self._postings:
            return (word,)
        bucket = self._buckets.get(word[:_PREFIX], [])
        if len(word) < 6 or len(bucket) > _MOST_BUCKET:
            return ()
        most = 1 if len(word) < _LONG else 2
        return [found[0] for found in process.extract(word, bucket, scorer=OSA.distance, score_cutoff=most, limit=5)]

    def _hit(self, posting: tuple[int, str], found: str, score: float, *, whole: bool, words: int) -> _Hit:
        kept, source = self._parties[posting[0]]
        return _Hit(kept, source, self._entities[posting[0]], posting[1], found, score, whole, words)

    def law_of(self, entity: str, entities: Entities,
               regimes: tuple[Regime, ...]) -> tuple[Entities, tuple[Regime, ...]]:
        """Entities and regimes with what the imported lists say of one party beside what is shipped."""
        found = [self._parties[at] for at in self._by_entity.get(entity, ())]
        return law_with(entity, found, entities, regimes)


def standing(kept: Kept, source: str, day: date) -> tuple[bool, str]:
    """Whether a party is on a list on a day, and that in words. Who was on it, or will be, is for review."""
    party = kept.party
    ended = [p.removed_on for p in party.programmes if p.removed_on is not None]
    later = [p.listed_on for p in party.programmes if p.listed_on is not None and p.listed_on > day]
    named = f"{party.names[0]} is on {source} ({', '.join(p.name for p in party.programmes)})"
    if kept.gone_on is not None and kept.gone_on <= day:
        return False, f"{party.names[0]} was on {source} and is gone since the edition of {kept.gone_on}"
    if ended and len(ended) == len(party.programmes) and max(ended) <= day:
        return False, f"{party.names[0]} was on {source} until {max(ended)}"
    if later and len(later) == len(party.programmes):
        return False, f"{named} since {min(later)}, and is not listed there yet on {day}"
    return True, named


def is_alone(name: Name, finds: Sequence[Find], own: Set[str], catalog: Catalog) -> bool:
    """Whether nothing but words of the trade, places, counts and part numbers stands beside what was found.

    `own` are words that belong to the name, too.
    """
    context = context_of(name, finds, catalog)
    if context.trade or context.person or context.about or not own >= set(context.other):
        return False
    return not any(find.end > find.start and is_meant_for(name, find.start, catalog) for find in finds)


@cache
def _ordinary() -> frozenset[str]:
    """Words that mean something else in most lines."""
    return frozenset(read_document(FOLDER / "ordinary.yaml", _Ordinary).words)


def _words_that_say_nothing(catalog: Catalog) -> re.Pattern[str]:
    """What of a run in another script is only words of the trade, legal forms and places; it never goes back."""
    known = {word for word, kind in catalog.classes.items() if kind in _SAYS_NOTHING and not word.isascii()}
    known.update(catalog.camera_marks, catalog.han_neutral)
    return re.compile(f"(?>{'|'.join(map(re.escape, sorted(known, key=len, reverse=True)))}|[\\s\\d])*+")


def _as_find(run: str) -> Find:
    return Find(Known("", run, common=False), run, 0, 0, How.SCRIPT, 1.0)


def telling_words(written: str) -> list[str]:
    """The telling words of a name as `rules.names` reads them, without legal forms."""
    if written.isascii():
        return [word for word in _WORD.findall(written.casefold()) if word not in _LEGAL]
    name = read(written)
    latin = [word.text for word in name.words if word.text not in _LEGAL]
    return latin or [re.sub("(?:股份)?有限(?:责任)?公司$", "", run) for runs in name.scripts.values() for run in runs]
