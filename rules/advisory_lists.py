"""Imported advisories as they are kept: one list a source, with its day, its digest and every record as it was read.

A new edition is laid over the kept one. Advisories come in pieces, so a record that is not in it stays; a whole KEV
catalogue takes the place of the old one, since what it lacks was taken off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from rules.advisories import Book
from rules.advisory_imports import Imported, Resolve, merged
from rules.advisory_records import Advisory, Kev
from rules.vocabulary import ListVersion

__all__ = ["AdvisoryList", "AdvisoryListError", "Changes", "dump", "lay_over", "load", "version_of", "with_lists"]

_KIND = "advisory-list/1"
_MOST_PROBLEMS = 200


class AdvisoryListError(ValueError):
    """A list that cannot be used: an older edition, or a file that is none."""


@dataclass(frozen=True, slots=True)
class AdvisoryList:
    """One source's records, KEV entries and withdrawn CVEs; ``problems`` are those of its last import."""

    source: str
    formats: tuple[str, ...]
    dated: date
    imported_on: date
    records: Mapping[tuple[str, str], Advisory]         # by vendor and CVE
    kev: Mapping[str, Kev]
    set_aside: Mapping[str, str]
    problems: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, whatever order it came in."""
        content = _content(self)
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def as_imported(self) -> Imported:
        """The list in the form that `rules.advisory_imports.merged` takes."""
        return Imported(records=[(vendor, record) for (vendor, _), record in self.records.items()], kev=dict(self.kev),
                        set_aside=dict(self.set_aside))


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import brought: counts of records added and changed, KEV entries new and gone."""

    added: int
    changed: int
    kev_added: tuple[str, ...]
    kev_gone: tuple[str, ...]


def lay_over(old: AdvisoryList | None, new: Imported, *, source: str, dated: date,
             today: date) -> tuple[AdvisoryList, Changes]:
    """The list after an import, and what changed. Raises `AdvisoryListError` where the import is older."""
    if old is not None and dated < old.dated:
        raise AdvisoryListError(f"{source} is kept as of {old.dated}: an edition of {dated} is older")
    records = dict(old.records) if old is not None else {}
    kev = dict(old.kev) if old is not None and not new.catalogue else {}
    before = dict(old.kev) if old is not None else {}
    added = changed = 0
    for (vendor, cve), record in _by_key(new).items():
        past = records.get((vendor, cve))
        added += past is None
        changed += past is not None and past != record
        records[vendor, cve] = record
    kev |= new.kev
    set_aside = {**(old.set_aside if old is not None else {}), **new.set_aside}
    published = {cve for _, cve in _by_key(new)}
    for cve in new.set_aside:               # what is withdrawn now says nothing any more
        for key in [key for key in records if key[1] == cve]:
            del records[key]
    formats = tuple(sorted(new.formats | set(old.formats if old is not None else ())))
    kept = AdvisoryList(source, formats, dated, today, records, kev,
                        {cve: why for cve, why in set_aside.items() if cve not in published},
                        tuple(new.problems[:_MOST_PROBLEMS]))
    return kept, Changes(added, changed, tuple(sorted(set(kev) - set(before))), tuple(sorted(set(before) - set(kev))))


def _by_key(new: Imported) -> dict[tuple[str, str], Advisory]:
    """Records by vendor and CVE; two of one key, as two files may bring them, add up."""
    found: dict[tuple[str, str], Advisory] = {}
    for vendor, record in new.records:
        past = found.get((vendor, record.cve))
        found[vendor, record.cve] = record if past is None else _joined(past, record)
    return found


def _joined(past: Advisory, record: Advisory) -> Advisory:
    said = (*past.affected, *(entry for entry in record.affected if entry not in past.affected))
    return past.model_copy(update={"affected": said, "closed": past.closed and record.closed,
                                   "source": tuple(dict.fromkeys((*past.source, *record.source)))})


def version_of(kept: AdvisoryList) -> ListVersion:
    """The edition of a list as a verdict pins it."""
    return ListVersion(f"advisories:{kept.source}", f"Imported advisories: {kept.source} ({', '.join(kept.formats)})",
                       kept.digest[:12], kept.dated)


def with_lists(book: Book, lists: Iterable[AdvisoryList], resolve: Resolve | None = None) -> Book:
    """The book with every list laid beside it, the oldest first, so that the newest KEV entry counts."""
    for kept in sorted(lists, key=lambda one: (one.dated, one.source)):
        named = f"{kept.source} of {kept.dated}"
        book, _ = merged(book, kept.as_imported(), kept.dated, resolve=resolve, named=named)
    return book


def _content(kept: AdvisoryList) -> dict[str, Any]:
    return {
        "records": [[vendor, record.model_dump(mode="json", exclude_defaults=True)]
                    for (vendor, _), record in sorted(kept.records.items())],
        "kev": {cve: entry.model_dump(mode="json", exclude_defaults=True) for cve, entry in sorted(kept.kev.items())},
        "set_aside": dict(sorted(kept.set_aside.items())),
    }


def dump(kept: AdvisoryList) -> bytes:
    """The list as JSON."""
    return json.dumps({
        "camvet": _KIND, "source": kept.source, "formats": kept.formats, "dated": kept.dated.isoformat(),
        "imported_on": kept.imported_on.isoformat(), "digest": kept.digest, "problems": kept.problems,
        **_content(kept)}, ensure_ascii=False, separators=(",", ":")).encode()


def load(data: bytes, file: str) -> AdvisoryList:
    """A list from JSON. Raises `AdvisoryListError` for anything else, and where it does not fit its digest."""
    try:
        document = json.loads(data)
        if document["camvet"] != _KIND:
            raise AdvisoryListError(f"{file}: a list of another kind: {str(document['camvet'])[:40]!r}")
        records = [(str(vendor), Advisory.model_validate(one)) for vendor, one in document["records"]]
        kept = AdvisoryList(
            str(document["source"]), tuple(map(str, document["formats"])), date.fromisoformat(document["dated"]),
            date.fromisoformat(document["imported_on"]), {(vendor, one.cve): one for vendor, one in records},
            {str(cve): Kev.model_validate(one) for cve, one in document["kev"].items()},
            {str(cve): str(why) for cve, why in document["set_aside"].items()},
            tuple(map(str, document["problems"])))
        if kept.digest != document["digest"]:
            raise AdvisoryListError(f"{file}: it does not fit its digest: it was changed by hand, import it again")
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        if isinstance(error, AdvisoryListError):
            raise
        why = "fields of another shape" if isinstance(error, ValidationError) else type(error).__name__
        raise AdvisoryListError(f"{file}: no list of advisories ({why})") from error
    return kept
