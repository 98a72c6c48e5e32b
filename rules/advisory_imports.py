"""Fresh advisories from the formats they are published in: CISA KEV (JSON), CVE records 5.x, CSAF 2.0.

Every reader takes bytes and answers with what it read and a list of problems, each naming its record; a broken record
never stops the ones behind it. Withdrawn and rejected records are set aside with their reason. Words on versions that
have no known form are kept as text, so that the advisory answers ``unknown``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from rules.advisories import Book
from rules.advisory_records import Advisory, AdvisoryFile, Affected, Kev, entry_of
from rules.advisory_text import read_bounds

__all__ = ["Imported", "merged", "read_csaf", "read_cve", "read_kev"]

MAX_BYTES = 64 * 1024 * 1024
MAX_RECORDS = 100_000
MAX_DEPTH = 12
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}", re.ASCII)
_NO_VERSION = {"", "-", "*", "n/a", "unspecified", "unknown"}


@dataclass(slots=True)
class Imported:
    """What was read: records by the vendor's name, KEV entries by CVE, what was set aside, and what was wrong."""

    records: list[tuple[str, Advisory]] = field(default_factory=list)
    kev: dict[str, Kev] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, other: Imported) -> None:
        """Take in what another file brought."""
        self.records += other.records
        self.kev |= other.kev
        self.set_aside |= other.set_aside
        self.problems += other.problems


class _WrongError(ValueError):
    """A record that cannot be used, with the reason."""


def _document(data: bytes, source: str) -> tuple[Mapping[str, Any] | None, Imported]:
    out = Imported()
    if len(data) > MAX_BYTES:
        out.problems.append(f"{source}: larger than {MAX_BYTES} bytes, not read")
        return None, out
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        out.problems.append(f"{source}: no JSON, or cut short ({str(error)[:80]})")
        return None, out
    if not isinstance(document, dict):
        out.problems.append(f"{source}: expected an object, found {type(document).__name__}")
        return None, out
    return document, out


def _of(value: object, key: str, kind: type[Any]) -> Any:  # noqa: ANN401 - JSON of another program has any shape
    """`value[key]` where both have the shape expected; an empty value of `kind` otherwise."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, kind) else kind()


def read_kev(data: bytes, source: str) -> Imported:
    """CISA's catalogue of known exploited vulnerabilities; one cut in half yields the whole entries before the cut."""
    document, out = _document(data, source)
    rows: list[Any] = _whole_rows(data) if document is None else _of(document, "vulnerabilities", list)
    if document is not None and not rows:
        out.problems.append(f"{source}: it has no list of vulnerabilities")
    for number, row in enumerate(rows[:MAX_RECORDS], start=1):
        cve = _of(row, "cveID", str)
        try:
            if not _CVE.fullmatch(cve):
                raise _WrongError(f"{cve[:40]!r} is no CVE id")
            due = _of(row, "dueDate", str)
            out.kev[cve] = Kev(added=date.fromisoformat(_of(row, "dateAdded", str)),
                               due=date.fromisoformat(due) if due else None,
                               ransomware=_of(row, "knownRansomwareCampaignUse", str)[:40], source=source)
        except ValueError as error:
            out.problems.append(f"{source}: entry {number} ({cve[:40] or 'no id'}): {str(error)[:120]}")
    return out


def _whole_rows(data: bytes) -> list[Any]:
    """The complete entries of a catalogue that was cut short."""
    text = data[:MAX_BYTES].decode("utf-8", "replace")
    place = text.find("[", text.find('"vulnerabilities"')) if '"vulnerabilities"' in text else -1
    decoder, rows = json.JSONDecoder(), list[Any]()
    while place >= 0 and len(rows) < MAX_RECORDS:
        place = text.find("{", place + 1)
        if place < 0:
            break
        try:
            row, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        rows.append(row)
    return rows


def read_cve(data: bytes, source: str) -> Imported:
    """One CVE record 5.x: the ``affected`` blocks of the CNA and of every ADP container."""
    document, out = _document(data, source)
    if document is None:
        return out
    meta = _of(document, "cveMetadata", dict)
    cve = _of(meta, "cveId", str)
    if not _CVE.fullmatch(cve):
        out.problems.append(f"{source}: no CVE record: cveMetadata.cveId is {cve[:40]!r}")
        return out
    if _of(meta, "state", str).upper() == "REJECTED":
        out.set_aside[cve] = "rejected by its CNA"
        return out
    containers = _of(document, "containers", dict)
    cna = _of(containers, "cna", dict)
    by_vendor: dict[str, list[Affected]] = {}
    for by, container in [("cna", cna), *(("adp", one) for one in _of(containers, "adp", list))]:
        for block in _of(container, "affected", list)[:MAX_RECORDS]:
            vendor = _of(block, "vendor", str) or "unknown"
            by_vendor.setdefault(vendor.casefold(), []).extend(_of_block(by, block))
    if not any(by_vendor.values()):
        out.problems.append(f"{source}: {cve} names no affected product")
    for vendor, said in by_vendor.items():
        if said:
            _keep(out, source, vendor, cve, said, _score(cna), f"CVE record {cve}")
    return out


def _of_block(by: str, block: object) -> Iterator[Affected]:
    product = _of(block, "product", str)[:96]
    models = (product,) if product.casefold() not in _NO_VERSION else ()
    versions = [v for v in _of(block, "versions", list) if isinstance(v, Mapping)]
    if not versions and _of(block, "defaultStatus", str) == "affected":
        yield Affected(by=by, models=models, text="affected by default, no version stated")
    for version in versions[:1000]:
        status = _of(version, "status", str) or "affected"
        if status != "affected":
            continue
        start, before, last = (_of(version, key, str).strip() for key in ("version", "lessThan", "lessThanOrEqual"))
        begin = "" if start.casefold() in {*_NO_VERSION, "0"} else start
        text = f"{start}{f' < {before}' if before else ''}{f' <= {last}' if last else ''}"[:400]
        if (before or last) == "*":
            read: Mapping[str, Any] | None = {"since": begin} if begin else {"every": True}
        elif before or last:
            read = {**({"since": begin} if begin else {}), **({"before": before} if before else {"until": last})}
        else:
            read = read_bounds(start)
        yield Affected(by=by, models=models, text=text, **(read or {}))


def _score(container: object) -> float | None:
    for metric in _of(container, "metrics", list):
        for key in ("cvssV3_1", "cvssV3_0"):
            score = _of(metric, key, dict).get("baseScore")
            if isinstance(score, int | float) and 0 <= score <= 10:
                return float(score)
    return None


def read_csaf(data: bytes, source: str) -> Imported:
    """One CSAF 2.0 advisory: the products that each vulnerability's ``known_affected`` names."""
    document, out = _document(data, source)
    if document is None:
        return out
    tracking = _of(_of(document, "document", dict), "tracking", dict)
    name = _of(tracking, "id", str)[:60] or source
    found = _of(document, "vulnerabilities", list)
    if not found:
        out.problems.append(f"{source}: {name} has no vulnerabilities")
        return out
    products: dict[str, tuple[str, str, str]] = {}
    _walk(_of(_of(document, "product_tree", dict), "branches", list), ("", "", ""), products, 0)
    for number, vulnerability in enumerate(found[:MAX_RECORDS], start=1):
        cve = _of(vulnerability, "cve", str)
        if not _CVE.fullmatch(cve):
            out.problems.append(f"{source}: {name}: vulnerability {number} has no CVE id")
            continue
        said: dict[str, list[Affected]] = {}
        for product in _of(_of(vulnerability, "product_status", dict), "known_affected", list)[:MAX_RECORDS]:
            vendor, model, version = products.get(product, ("", "", "")) if isinstance(product, str) else ("", "", "")
            if vendor:
                read = Affected(by="csaf", models=(model[:96],) if model else (), text=version[:400],
                                **(read_bounds(version) or {}))
                said.setdefault(vendor.casefold(), []).append(read)
        if not said:
            out.problems.append(f"{source}: {name}: {cve} names no product of the product tree")
        for vendor, entries in said.items():
            _keep(out, source, vendor, cve, entries, _csaf_score(vulnerability), f"CSAF {name}")
    return out


def _walk(branches: Sequence[Any], above: tuple[str, str, str], products: dict[str, tuple[str, str, str]],
          depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for branch in branches:
        category, name = _of(branch, "category", str), _of(branch, "name", str)
        vendor, model, version = above
        if category == "vendor":
            vendor = name
        elif category in {"product_version", "product_version_range"}:
            version = name
        elif category in {"product_name", "product_family"}:
            model = name
        product = _of(_of(branch, "product", dict), "product_id", str)
        if product:
            products[product] = (vendor, model, version)
        _walk(_of(branch, "branches", list), (vendor, model, version), products, depth + 1)


def _csaf_score(vulnerability: object) -> float | None:
    for score in _of(vulnerability, "scores", list):
        value = _of(score, "cvss_v3", dict).get("baseScore")
        if isinstance(value, int | float) and 0 <= value <= 10:
            return float(value)
    return None


def _keep(out: Imported, source: str, vendor: str, cve: str, said: Sequence[Affected], cvss: float | None,
          cited: str) -> None:
    try:
        record = Advisory(cve=cve, nature="other", cvss=cvss, affected=tuple(said), source=(cited,))
        out.records.append((vendor, record))
    except ValidationError as error:
        out.problems.append(f"{source}: {cve}: {error.errors()[0]['msg']}")


def merged(book: Book, imported: Imported, today: date) -> tuple[Book, list[str]]:
    """A book with the imported records and KEV entries beside those it holds, and what could not be taken in.

    A CVE that a file already holds keeps its entries, which were read with care, and takes the newer KEV entry.
    """
    problems: list[str] = list(imported.problems)
    fresh: dict[str, list[Advisory]] = {}
    names: dict[str, str] = {}
    for vendor, record in imported.records:
        slug = next(iter(book.makers_named(vendor)), "") or re.sub(r"[^a-z0-9]+", "-", vendor).strip("-") or "unknown"
        grammar = book.files[slug].grammar if slug in book.files else "dotted"
        held = {r.cve for r in book.files[slug].records} if slug in book.files else set()
        if record.cve in held | {r.cve for r in fresh.get(slug, [])}:
            problems.append(f"{record.cve}: already held for {slug}, the held entries stay")
            continue
        names[slug] = vendor
        fresh.setdefault(slug, []).append(_readable(record, grammar, problems))
    files = []
    for slug in dict.fromkeys([*book.files, *fresh]):
        old = book.files.get(slug) or AdvisoryFile(maker=slug, names=(names[slug],), dated=today, records=())
        records = [r.model_copy(update={"kev": imported.kev[r.cve]}) if r.cve in imported.kev else r
                   for r in (*old.records, *fresh.get(slug, []))]
        files.append(old.model_copy(update={"records": tuple(records)}))
    return Book(files), problems


def _readable(record: Advisory, grammar: str, problems: list[str]) -> Advisory:
    """The record with every entry whose bounds have not the maker's form, or end before they begin, kept as words."""
    entries = []
    for said in record.affected:
        try:
            entry_of(said, grammar, record.cve)
            entries.append(said)
        except ValueError as error:
            problems.append(f"{error}; kept as words, so it answers unknown")
            entries.append(Affected(by=said.by, models=said.models, text=said.text))
    return record.model_copy(update={"affected": tuple(entries)})
