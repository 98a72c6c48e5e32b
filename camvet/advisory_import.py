"""Brings files of published advisories into the store of this installation, and says what they changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from camvet import advisory_store
from camvet.context import UsageError
from rules.advisories import Book
from rules.advisory_imports import Imported, merged, read_any
from rules.advisory_lists import AdvisoryListError, lay_over, version_of
from rules.advisory_vendors import maker_named
from scanner import clock

__all__ = ["Brought", "bring", "told"]

_MOST_TOLD = 200
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Brought:
    """What one import brought: its document for the log and for JSON, and one sentence a record that gave trouble."""

    source: str
    document: Mapping[str, Any]
    problems: Sequence[str]


def bring(files: Sequence[Path], *, source: str | None, dated: date | None, every_vendor: bool) -> Brought:
    """Read files, folders and archives and store what they hold. Raises `UsageError` where they hold nothing."""
    before = advisory_store.book()
    read, count, collection = _read(files)
    left_out = Counter[str]() if every_vendor or not collection else _leave_out(read, before)
    if not (read.records or read.kev or read.set_aside):
        first = read.problems[0] if read.problems else "no advisory of a maker known here"
        raise UsageError(f"{files[0]}: nothing to import: {first.removeprefix(f'{files[0].name}: ')}")
    today = clock.now().date()
    name = source or ("cisa-kev" if read.formats == {"kev"} else files[0].stem)
    day = dated or _released(read, today)
    old = next((one for one in advisory_store.held() if one.source == name), None)
    # The problems that show only when a record is laid beside its maker's others: bounds of no form, circular ranges.
    _, problems = merged(before, read, today, resolve=maker_named, named=name)
    try:
        kept, changes = lay_over(old, read, source=name, dated=day, today=today)
    except AdvisoryListError as error:
        raise UsageError(str(error)) from error
    advisory_store.keep(kept)
    held = {record.cve: record.kev for file in before.files.values() for record in file.records}
    document = {
        "source": name, "formats": sorted(read.formats), "dated": day.isoformat(), "edition": version_of(kept).version,
        "digest": kept.digest, "files": count, "records": len(read.records), "added": changes.added,
        "changed": changes.changed, "kept": len(kept.records), "beside_held": _named(
            cve for cve in dict.fromkeys(record.cve for _, record in read.records) if cve in held),
        "as_words": sum(not _bounded(said) for _, record in read.records for said in record.affected),
        "unknown_vendors": dict(Counter(vendor for vendor, _ in read.records if maker_named(vendor) is None)
                                .most_common(_MOST_NAMED)),
        "left_out": {"records": left_out.total(), "vendors": len(left_out)},
        "set_aside": dict(list(read.set_aside.items())[:_MOST_TOLD]),
        "kev": {"entries": len(read.kev), "new": len(changes.kev_added), "gone": len(changes.kev_gone),
                "newly_exploited": _named(cve for cve in read.kev if cve in held and held[cve] is None),
                "date_changed": _named(cve for cve, entry in read.kev.items()
                                       if (past := held.get(cve)) is not None and past.added != entry.added)},
    }
    return Brought(name, document, _shortened(problems))


def _named(cves: Iterator[str]) -> list[str]:
    return sorted(cves)[:_MOST_TOLD]


def _bounded(said: Any) -> bool:  # noqa: ANN401 - the field names are those of rules.advisory_records.Affected
    return bool(said.every or said.exact or said.since or said.until or said.before or said.cleared)


def _shortened(problems: Sequence[str]) -> list[str]:
    shown = list(dict.fromkeys(problems))
    more = len(shown) - _MOST_TOLD
    return [*shown[:_MOST_TOLD], *([f"{more} more records gave trouble"] if more > 0 else [])]


def _read(files: Sequence[Path]) -> tuple[Imported, int, bool]:
    """Everything that was read, of how many documents, and whether it came as a collection."""
    read, count, collection = Imported(), 0, False
    for path in files:
        collection = collection or path.is_dir() or path.suffix.casefold() not in {".json", ""}
        for name, data in advisory_store.documents_of(path):
            count += 1
            if data is None:
                read.problems.append(f"{name}: larger than {advisory_store.MOST_BYTES // 1024 ** 2} MiB, not read")
            else:
                read.add(read_any(data, name))
    if not count:
        raise UsageError(f"{files[0]}: no JSON file in it")
    return read, count, collection


def _leave_out(read: Imported, book: Book) -> Counter[str]:
    """Take out records of vendors that are no maker known here, unless the CVE is held; how many of whom."""
    held = {record.cve for file in book.files.values() for record in file.records}
    left: Counter[str] = Counter()
    stay = []
    for vendor, record in read.records:
        if maker_named(vendor) is None and record.cve not in held:
            left[vendor] += 1
        else:
            stay.append((vendor, record))
    read.records = stay
    read.set_aside = {cve: why for cve, why in read.set_aside.items() if cve in held}
    return left


def _released(read: Imported, today: date) -> date:
    """A catalogue's own day; records are as current as the day they were fetched, which is taken to be today."""
    if read.formats == {"kev"} and read.released:
        try:
            return min(date.fromisoformat(read.released), today)
        except ValueError:
            read.problems.append(f"the catalogue's day {read.released[:40]!r} is none; today's is taken")
    return today


def told(document: Mapping[str, Any]) -> Iterator[str]:
    """What an import brought, for a person."""
    kev = document["kev"]
    yield (f"{document['source']} of {document['dated']}, edition {document['edition']}: {document['records']} records "
           f"({document['added']} new, {document['changed']} changed), {kev['entries']} KEV entries "
           f"({kev['new']} new, {kev['gone']} gone)")
    if kev["newly_exploited"]:
        yield f"  now known exploited, and held here: {', '.join(kev['newly_exploited'])}"
    if kev["date_changed"]:
        yield f"  known exploited since another day: {', '.join(kev['date_changed'])}"
    if document["beside_held"]:
        yield f"  one more source beside advisories that are held: {', '.join(document['beside_held'][:_MOST_NAMED])}"
    if document["as_words"]:
        yield f"  {document['as_words']} statements on versions are kept as words, and answer unknown"
    for vendor, count in document["unknown_vendors"].items():
        yield f"  {count} of {vendor}, no maker known here: found by that name alone"
    if document["left_out"]["records"]:
        yield (f"  {document['left_out']['records']} records of {document['left_out']['vendors']} vendors that are no "
               "maker known here were left out (--every-vendor keeps them)")
    for cve, why in list(document["set_aside"].items())[:_MOST_NAMED]:
        yield f"  {cve} is set aside: {why}"
