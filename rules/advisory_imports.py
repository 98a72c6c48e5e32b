"""Fresh advisories from the formats they are published in: CISA KEV (JSON), CVE records 5.x, CSAF 2.0.

Every reader takes bytes and answers with what it read and a list of problems, each naming its record; a broken record
never stops the ones around it. Withdrawn and rejected records are set aside with their reason. Words on versions that
have no known form are kept as text, so that the advisory answers ``unknown``. `merged` lays what was read beside the
advisories that are held; where the two say different things of a version, the answer is ``disputed``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from rules.advisories import Book
from rules.advisory_csaf import csaf_of, read_csaf
from rules.advisory_cve import cve_of, read_cve
from rules.advisory_findings import wording
from rules.advisory_records import Advisory, AdvisoryFile, Affected, Kev, entry_of
from rules.advisory_shapes import CVE, MAX_BYTES, MAX_RECORDS, Imported, document_of, of

__all__ = ["Imported", "Resolve", "held_by_name", "merged", "read_any", "read_csaf", "read_cve", "read_kev"]

Resolve = Callable[[str], str | None]
"""A vendor's name as a source writes it, to the slug of the maker it means, where one is known."""

_MOST_TOLD = 1000


def read_any(data: bytes, source: str) -> Imported:
    """A file of any of the formats, told by its content: one document, a JSON list of them, or one a line."""
    if len(data) > MAX_BYTES:
        return Imported(problems=[f"{source}: larger than {MAX_BYTES} bytes, not read"])
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) > 1 and _is_json(lines[0]):
            return _read_lines(lines, source)
        if b'"cveID"' in data or b'"catalogVersion"' in data[:4096]:
            return read_kev(data, source)
        return document_of(data, source)[1]
    if isinstance(document, list):
        out = Imported()
        for number, one in enumerate(document[:MAX_RECORDS], start=1):
            out.add(_of_kind(one, f"{source}, record {number}"))
        if len(document) > MAX_RECORDS:
            out.problems.append(f"{source}: {len(document) - MAX_RECORDS} records behind the first {MAX_RECORDS} were "
                                "not read")
        return out
    return _of_kind(document, source, data)


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _read_lines(lines: list[bytes], source: str) -> Imported:
    out = Imported()
    for number, line in enumerate(lines[:MAX_RECORDS], start=1):
        document, read = document_of(line, f"{source}, line {number}")
        if document is None:
            told = _id_in(line.decode("utf-8", "replace"))
            out.problems += [f"{problem}{f', it names {told}' if told else ''}" for problem in read.problems]
        else:
            out.add(_of_kind(document, f"{source}, line {number}", line))
    if len(lines) > MAX_RECORDS:
        out.problems.append(f"{source}: {len(lines) - MAX_RECORDS} lines behind the first {MAX_RECORDS} were not read")
    return out


def _id_in(text: str) -> str:
    found = CVE.search(text)
    return found.group() if found else ""


def _of_kind(document: object, source: str, data: bytes = b"") -> Imported:
    if isinstance(document, Mapping):
        if "cveMetadata" in document:
            return cve_of(document, source)
        if "product_tree" in document or of(of(document, "document", dict), "csaf_version", str):
            return csaf_of(document, source)
        rows = of(document, "vulnerabilities", list)
        if any("cveID" in row for row in rows[:3] if isinstance(row, Mapping)) or "catalogVersion" in document:
            return read_kev(data or json.dumps(document).encode(), source)
    return Imported(problems=[f"{source}: neither a KEV catalogue nor a CVE record 5.x nor a CSAF 2.0 advisory"])


def read_kev(data: bytes, source: str) -> Imported:
    """CISA's catalogue of known exploited vulnerabilities; one cut in half yields every whole entry and names the cut.

    An entry that is broken is named, and the entries behind it are read.
    """
    document, out = document_of(data, source)
    out.formats.add("kev")
    if document is None and not out.problems[0].endswith("not read"):
        rows = _whole_rows(data, source, out)
    else:
        rows = list(enumerate(of(document, "vulnerabilities", list), start=1))
        out.released = of(document, "dateReleased", str)[:10]
        out.catalogue = document is not None
    if document is not None and not rows:
        out.problems.append(f"{source}: it has no list of vulnerabilities")
        out.catalogue = False
    for number, row in rows[:MAX_RECORDS]:
        cve = of(row, "cveID", str)
        if not CVE.fullmatch(cve):
            out.problems.append(f"{source}: entry {number} ({cve[:40] or 'no id'}): {cve[:40]!r} is no CVE id")
            continue
        try:
            due = of(row, "dueDate", str)
            out.kev[cve] = Kev(added=date.fromisoformat(of(row, "dateAdded", str)),
                               due=date.fromisoformat(due) if due else None,
                               ransomware=of(row, "knownRansomwareCampaignUse", str)[:40], source=source)
        except ValueError as error:
            out.problems.append(f"{source}: entry {number} ({cve}): {str(error)[:120]}")
    return out


_ROW = re.compile(r'\{\s*"cveID"')


def _whole_rows(data: bytes, source: str, out: Imported) -> list[tuple[int, Any]]:
    """The complete entries of a catalogue that is no JSON any more, with the place and name of each that is not."""
    text = data.decode("utf-8", "replace")
    decoder, rows, number = json.JSONDecoder(), list[tuple[int, Any]](), 0
    if dated := re.search(r'"dateReleased":\s*"(\d{4}-\d\d-\d\d)', text):
        out.released = dated.group(1)
    found = _ROW.search(text)
    while found is not None and number < MAX_RECORDS:
        number += 1
        try:
            row, place = decoder.raw_decode(text, found.start())
            rows.append((number, row))
        except (ValueError, RecursionError):
            place = found.end()
            following = _ROW.search(text, place)
            cut = text[found.start():following.start() if following else len(text)]
            out.problems.append(f"{source}: entry {number} ({_id_in(cut) or 'no id'}) is "
                                f"{'broken' if following else 'cut short'} and was not read")
        found = _ROW.search(text, place)
    return rows


def held_by_name(book: Book) -> Resolve:
    """The resolver that knows the names of the advisory files alone."""
    return lambda vendor: next(iter(book.makers_named(vendor)), None)


def merged(book: Book, imported: Imported, today: date, *, resolve: Resolve | None = None,
           named: str = "") -> tuple[Book, list[str]]:
    """A book with the imported records and KEV entries beside those it holds, and what could not be taken in.

    A CVE that is held keeps its entries, which were read with care; what was imported stands beside them as the word of
    a further source, so that a contradiction makes it ``disputed``. A newer KEV entry takes the place of the held one.

    Args:
        book: what is held.
        imported: what was read, see `read_any`.
        today: the day new files are dated with.
        resolve: knows the makers that vendors' names mean; by default the names of the held files.
        named: what the imported list is called, so that its words can be told from those that are held.
    """
    problems: list[str] = list(imported.problems)
    known = resolve or held_by_name(book)
    files = {slug: _Growing(file) for slug, file in book.files.items()}
    for vendor, record in imported.records:
        slug = known(vendor) or re.sub(r"[^a-z0-9]+", "-", vendor.casefold()).strip("-")[:80] or "unknown"
        growing = files.get(slug)
        if growing is None:
            names = () if vendor.casefold() == slug else (vendor,)
            growing = files[slug] = _Growing(AdvisoryFile(maker=slug, names=names, dated=today, records=()))
        growing.take(record, named, problems)
    _set_aside(imported, files, named, problems)
    return Book([growing.file(imported.kev) for growing in files.values()]), problems[:_MOST_TOLD]


class _Growing:
    """One maker's file while records are laid beside it."""

    def __init__(self, old: AdvisoryFile) -> None:
        self.old = old
        self.records: dict[str, Advisory] = {record.cve: record for record in old.records}

    def take(self, record: Advisory, named: str, problems: list[str]) -> None:
        """Lay one record beside the held ones."""
        fresh = _readable(_relabelled(record, self.old.maker, named), self.old.grammar, problems)
        held = self.records.get(record.cve)
        if held is not None:
            # A product that is not stated says nothing beside entries that name theirs.
            said = (*held.affected, *(one for one in fresh.affected if one not in held.affected and not one.fallback))
            fresh = held.model_copy(update={
                "affected": said, "closed": held.closed and fresh.closed,
                "cvss": fresh.cvss if held.cvss is None else held.cvss,
                "source": tuple(dict.fromkeys((*held.source, *fresh.source)))})
        self.records[record.cve] = fresh

    def reject(self, cve: str, entry: Affected) -> None:
        """Say of a held record that its source takes it back."""
        held = self.records[cve]
        self.records[cve] = held.model_copy(update={"affected": (*held.affected, entry)})

    def file(self, kev: Mapping[str, Kev]) -> AdvisoryFile:
        """The file as it is now, known exploited ones marked."""
        records = [one.model_copy(update={"kev": kev[one.cve]}) if one.cve in kev else one
                   for one in self.records.values()]
        return self.old.model_copy(update={"records": tuple(records)})


def _relabelled(record: Advisory, slug: str, named: str) -> Advisory:
    """The record under the name of its list; a product that is the maker's whole platform means every device."""
    words = wording()
    platforms = {name.casefold() for name in words.platforms.get(slug, ())}
    said = []
    for entry in record.affected:
        whole = bool(entry.models) and all(model.casefold().replace("_", " ") in platforms for model in entry.models)
        said.append(entry.model_copy(update={"by": f"{entry.by}, {named}" if named else entry.by,
                                             **({"models": ()} if whole else {})}))
    nature = words.cwes.get(record.cwe or "", record.nature) if record.nature == "other" else record.nature
    cited = tuple(f"{one} in {named}" for one in record.source) if named else record.source
    return record.model_copy(update={"affected": tuple(said), "nature": nature, "source": cited})


def _readable(record: Advisory, grammar: str, problems: list[str]) -> Advisory:
    """The record with every entry whose bounds have not the maker's form, or end before they begin, kept as words."""
    entries = []
    for said in record.affected:
        try:
            entry_of(said, grammar, record.cve)
            entries.append(said)
        except ValueError as error:
            problems.append(f"{error}; kept as words, so it answers unknown")
            entries.append(Affected(by=said.by, models=said.models, text=said.text, fallback=said.fallback))
    return record.model_copy(update={"affected": tuple(entries)})


def _set_aside(imported: Imported, files: Mapping[str, _Growing], named: str, problems: list[str]) -> None:
    """A record that is held and was rejected since: one more word against it, never a silent removal."""
    for cve, why in imported.set_aside.items():
        for growing in files.values():
            if cve in growing.records:
                problems.append(f"{cve} is held for {growing.old.maker} and set aside by its source: {why}")
                growing.reject(cve, Affected(by=f"cna, {named}" if named else "cna, imported", text=why, cleared=True))

