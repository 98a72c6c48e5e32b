"""Snapshots of imported lists: what was on a list when, kept so that removed parties are known.

Lists such as the Consolidated Screening List do not say who was removed; a party simply vanishes. A new edition is laid
over the kept one: who is gone stays, with the day of the edition that no longer has it. A party whose id changed its
form (an edition with a column of ids after one without) is known by its programmes and its main name.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from rules.imports import ImportedList, Listed, Programme
from rules.vocabulary import ListVersion

__all__ = ["Changes", "Kept", "Snapshot", "SnapshotError", "dump", "lay_over", "load", "version_of"]


class SnapshotError(ValueError):
    """A snapshot that cannot be used: an older edition, or a file that is no snapshot."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A party with the day of the first edition that had it, and of the first that no longer has it."""

    party: Listed
    first_seen: date
    gone_on: date | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One list with all that is known of its past."""

    source: str
    format: str
    dated: date
    digest: str
    parties: tuple[Kept, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new edition brought: ids of parties added, removed, and changed."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def lay_over(old: Snapshot | None, new: ImportedList) -> tuple[Snapshot, Changes]:
    """The snapshot after `new`, and what changed. Raises `SnapshotError` where `new` is older than what is kept."""
    before = {kept.party.id: kept for kept in old.parties} if old is not None else {}
    if old is not None and new.dated < old.dated:
        raise SnapshotError(f"{new.source} is kept as of {old.dated}: an edition of {new.dated} is older")
    kept: list[Kept] = []
    added, changed = [], []
    ids_of, settled = _renumbered(before, new.parties)
    for party in new.parties:
        key = ids_of.get(party.id, party.id)
        past = before.get(key)
        settled.add(key)
        if past is None or past.gone_on is not None:
            added.append(party.id)
            kept.append(Kept(party, new.dated if past is None else past.first_seen))
            continue
        merged = _with_ended(past.party, party, new.dated)
        if replace(merged, id=past.party.id) != past.party:
            changed.append(party.id)
        kept.append(replace(past, party=merged))
    left = {key: past for key, past in before.items() if key not in settled}
    removed = [key for key, past in left.items() if past.gone_on is None]
    kept += [past if past.gone_on is not None else replace(past, gone_on=new.dated) for past in left.values()]
    return (Snapshot(new.source, new.format, new.dated, new.digest, tuple(kept)),
            Changes(tuple(added), tuple(removed), tuple(changed)))


def _renumbered(before: Mapping[str, Kept], parties: Sequence[Listed]) -> tuple[dict[str, str], set[str]]:
    """The kept ids of parties that come with another id now (the same programmes and main name), and all such ids.

    Rows of one name that an edition without ids had as one party, and an edition with ids as several (or the other
    way), are the same: an edition that numbers its rows anew adds and removes nobody.
    """
    numbered = {party.id for party in parties}
    lost: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for kept in sorted(before.values(), key=lambda one: (one.gone_on is not None, one.party.id)):
        if kept.party.id not in numbered:
            lost[_face(kept.party)].append(kept.party.id)
    found: dict[str, str] = {}
    settled: set[str] = set()
    for party in sorted(parties, key=lambda one: one.id):
        if party.id not in before and (same := lost.get(_face(party))):
            settled.update(same)
            found[party.id] = same[0] if len(same) == 1 else same.pop(0)
    return found, settled


def _face(party: Listed) -> tuple[str, ...]:
    """What a party is known by beside its id: its main name as it reads, and the lists it is on now."""
    on = {programme.name for programme in party.programmes if programme.removed_on is None}
    return (" ".join(party.names[0].casefold().split()) if party.names else "", *sorted(on))


def _with_ended(past: Listed, now: Listed, day: date) -> Listed:
    """The party as it is now, with programmes that vanished ended on that day."""
    named = {programme.name for programme in now.programmes}
    ended = tuple(replace(one, removed_on=one.removed_on or day) for one in past.programmes if one.name not in named)
    return replace(now, programmes=(*now.programmes, *ended))


def version_of(snapshot: Snapshot) -> ListVersion:
    """The edition of a snapshot as a verdict pins it."""
    return ListVersion(f"import:{snapshot.source}", f"{snapshot.source} ({snapshot.format})", snapshot.digest[:12],
                       snapshot.dated)


def dump(snapshot: Snapshot) -> bytes:
    """The snapshot as JSON."""
    return json.dumps({
        "camvet": "list-snapshot/1", "source": snapshot.source, "format": snapshot.format,
        "dated": snapshot.dated.isoformat(), "digest": snapshot.digest,
        "parties": [{"id": kept.party.id, "names": kept.party.names, "countries": kept.party.countries,
                     "first_seen": kept.first_seen.isoformat(), "gone_on": _iso(kept.gone_on),
                     "programmes": [[p.name, p.regime, _iso(p.listed_on), _iso(p.removed_on), p.citation]
                                    for p in kept.party.programmes]} for kept in snapshot.parties],
    }, ensure_ascii=False, separators=(",", ":")).encode()


def load(data: bytes, file: str) -> Snapshot:
    """A snapshot from JSON. Raises `SnapshotError` for anything else."""
    try:
        document = json.loads(data)
        if document["camvet"] != "list-snapshot/1":
            raise SnapshotError(f"{file}: a snapshot of another kind: {str(document['camvet'])[:40]!r}")
        return Snapshot(str(document["source"]), str(document["format"]), date.fromisoformat(document["dated"]),
                        str(document["digest"]), tuple(_kept(one) for one in document["parties"]))
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        if isinstance(error, SnapshotError):
            raise
        raise SnapshotError(f"{file}: no snapshot of a list ({type(error).__name__})") from error


def _kept(one: Mapping[str, Any]) -> Kept:
    programmes = tuple(Programme(str(name), str(regime), _day(listed), _day(removed), str(citation))
                       for name, regime, listed, removed, citation in one["programmes"])
    party = Listed(str(one["id"]), tuple(map(str, one["names"])), tuple(map(str, one["countries"])), programmes)
    return Kept(party, date.fromisoformat(one["first_seen"]), _day(one["gone_on"]))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
