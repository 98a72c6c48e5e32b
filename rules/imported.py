"""Imported parties beside the shipped ones: an index over up to a million names, how a line is found in it, their law.

A whole name, exact but for its legal form, is a match. A name inside a line, or one misspelt, is a match where what is
found is long and particular, else a review. What a listing means is told in `rules.imported_law`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules.catalog import Catalog
from rules.entities import Entities
from rules.imported_law import IMPORT, law_with
from rules.names import Name, read
from rules.regimes import Regime
from rules.screening import Action, Screening
from rules.snapshots import Kept, Snapshot, version_of
from rules.vocabulary import ListVersion

__all__ = ["Imported", "telling_words"]

_WORD = re.compile(r"[^\W_]+")
_LEGAL = frozenset([
    "co", "company", "corp", "corporation", "inc", "incorporated", "ltd", "limited", "llc", "plc", "gmbh", "ag", "sa",
    "sas", "srl", "bv", "nv", "ab", "oy", "as", "pty", "pte", "pvt", "kg", "jsc", "ooo", "oao", "ao", "zao", "pao",
    "fzco", "fze", "lda", "the", "and", "of", "kk", "sdn", "bhd", "spa"])
_MOST_WINDOW = 8
_LONG, _PARTICULAR = 8, 12
_NEAR, _ONE_SLIP = 0.87, 0.93           # likeness of whole names: worth a look, and one slip in a long one
_PREFIX = 3
_MOST_BUCKET, _MOST_POSTINGS = 4000, 400


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
        for snapshot in snapshots:
            self.versions += (version_of(snapshot),)
            for kept in snapshot.parties:
                self._add(kept, snapshot.source)
        for token in self._postings:
            self._buckets.setdefault(token[:_PREFIX], []).append(token)

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
        party = hit.kept.party
        named = f"{party.names[0]} is on {hit.source} ({', '.join(p.name for p in party.programmes)})"
        gone = hit.kept.gone_on
        ended = [p.removed_on for p in party.programmes if p.removed_on is not None]
        if gone is not None and gone <= day:
            return Action.REVIEW, f"{party.names[0]} was on {hit.source} and is gone since the edition of {gone}"
        if ended and len(ended) == len(party.programmes) and max(ended) <= day:
            return Action.REVIEW, f"{party.names[0]} was on {hit.source} until {max(ended)}"
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
        for runs in name.scripts.values():
            for run in runs:
                if (key := "".join(telling_words(run))) in self._exact:
                    return self._hit(self._exact[key], run, 1.0, whole=True, words=2)
        return None

    def _inside(self, name: Name) -> _Hit | None:
        words = [word.text for word in name.words if word.text not in _LEGAL]
        best: _Hit | None = None
        for start in range(len(words)):
            joined = ""
            for size, word in enumerate(words[start:start + _MOST_WINDOW], 1):
                joined += word
                if joined not in self._exact or len(joined) < _LONG - 2 * (size > 1):
                    continue
                if size == 1 and joined in self._catalog.classes:
                    continue
                hit = self._hit(self._exact[joined], " ".join(words[start:start + size]), 1.0, whole=False, words=size)
                if best is None or len(hit.found) > len(best.found):
                    best = hit
        return best

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


def telling_words(written: str) -> list[str]:
    """The telling words of a name as `rules.names` reads them, without legal forms."""
    if written.isascii():
        return [word for word in _WORD.findall(written.casefold()) if word not in _LEGAL]
    name = read(written)
    latin = [word.text for word in name.words if word.text not in _LEGAL]
    return latin or [re.sub("(?:股份)?有限(?:责任)?公司$", "", run) for runs in name.scripts.values() for run in runs]
