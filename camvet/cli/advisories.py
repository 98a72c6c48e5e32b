"""`camvet advisories`: known vulnerabilities for a version or a procurement sheet; `import` brings fresh ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.terminal import Terminal
    from rules.advisories import AdvisoryResult, Book

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 200_000
SHOWN = 200                  # characters of a cell that are repeated; a longer one is hostile or broken
_HEADS: Mapping[str, tuple[str, ...]] = {
    "maker": ("maker", "manufacturer", "vendor", "brand", "make"),
    "model": ("model", "product", "type", "model number", "part number"),
    "firmware": ("firmware", "version", "firmware version", "fw", "software version"),
    "build": ("build", "firmware build", "firmware_build", "build date"),
}


@dataclass(frozen=True, slots=True)
class _Row:
    maker: str
    model: str
    firmware: str
    build: str = ""


app = typer.Typer(rich_markup_mode=None)
verb("advisories", rank=23)(app)


@app.callback(invoke_without_command=True)
def advisories(
    ctx: typer.Context,
    maker: str | None = typer.Option(None, "--maker", metavar="M", help="Maker or brand."),
    model: str | None = typer.Option(None, "--model", metavar="X", help="Model, as on the label."),
    firmware: str | None = typer.Option(None, "--firmware", metavar="F", help="Firmware version, as the device says."),
    build: str | None = typer.Option(None, "--build", metavar="B", help="Build date, where it is shown apart."),
    sheet: Path | None = typer.Option(None, "--csv", metavar="FILE", help="A sheet with maker, model, firmware."),
    out: Path | None = typer.Option(None, "--out", metavar="FILE", help="Write here: .csv, or JSON lines."),
    kev: Path | None = typer.Option(None, "--kev", metavar="FILE", help="A newer CISA KEV catalogue (JSON)."),
    cve: list[Path] | None = typer.Option(None, "--cve", metavar="FILE", help="CVE records 5.x to add; repeatable."),
    csaf: list[Path] | None = typer.Option(None, "--csaf", metavar="FILE", help="CSAF 2.0 files to add; repeatable."),
) -> None:
    """Say which known vulnerabilities affect a version; what cannot be compared is unknown, never clean."""
    from rules.advisory_findings import sold_by
    from rules.makers import load as load_makers

    if ctx.invoked_subcommand is not None:
        return
    context = context_of(ctx)
    if (sheet is None) == (maker is None):
        raise UsageError("give either --maker with --model and --firmware, or --csv")
    rows = _read(sheet) if sheet is not None else iter([_Row(maker or "", model or "", firmware or "", build or "")])
    book = _book(context.terminal, kev, cve or [], csaf or [])
    makers, codes, written = load_makers(), {ExitCode.CLEAN}, list[dict[str, Any]]()
    asked: dict[str, list[str]] = {}
    for row in rows:
        if row.maker not in asked:
            asked[row.maker] = sold_by(row.maker, makers, book)
        results = book.results(asked[row.maker], row.model, row.firmware, row.build)
        codes.add(_code(results))
        document = _document(row, results)
        if out is not None:
            written.append(document)
        elif context.terminal.as_json:
            context.terminal.line(document)
        else:
            context.terminal.lines(_told(row, results))
    if out is not None:
        _write(out, written)
        context.terminal.note(f"{len(written)} rows written to {out}")
    raise typer.Exit(worst(*codes))


def _code(results: Iterable[AdvisoryResult]) -> ExitCode:
    from rules.advisories import State

    states = {result.status for result in results}
    if State.AFFECTED in states:
        return ExitCode.FINDINGS
    clean = bool(states) and not states & {State.UNKNOWN, State.DISPUTED}
    return ExitCode.CLEAN if clean else ExitCode.INCOMPLETE


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def _document(row: _Row, results: Iterable[AdvisoryResult]) -> dict[str, Any]:
    return {"maker": _short(row.maker), "model": _short(row.model), "firmware": _short(row.firmware), "results": [
        {"cve": r.cve, "status": str(r.status), "because": r.because, "kev": r.kev is not None, "cvss": r.cvss,
         "fixed_in": r.fixed_in, "kev_added": r.kev.isoformat() if r.kev else None, "maker": r.maker,
         "nature": r.nature, "concerns": r.concerns, "unverified": r.unverified, "source": list(r.source),
         "steps": [{"step": name, "value": value} for name, value in r.steps]} for r in results]}


def _told(row: _Row, results: list[AdvisoryResult]) -> Iterator[str]:
    from rules.advisories import State

    yield " ".join(_short(part) for part in (row.maker, row.model, row.firmware) if part)
    for result in results:
        if result.status in (State.AFFECTED, State.DISPUTED):
            marks = [f"CVSS {result.cvss}" if result.cvss is not None else "no CVSS score"]
            marks += [f"known exploited since {result.kev}"] if result.kev else []
            marks += [f"fixed in {result.fixed_in}"] if result.fixed_in else []
            marks += ["unverified"] if result.unverified else []
            yield f"  {result.status:<9} {result.cve} ({'; '.join(marks)}): {result.because}"
    unknown = [result for result in results if result.status is State.UNKNOWN]
    close = [result for result in unknown if result.concerns]
    clear = sum(result.status is State.NOT_AFFECTED for result in results)
    for result in close[:5]:
        yield f"  unknown   {result.cve}: {result.because}"
    more = f"{len(close) - 5} more unknown, " if len(close) > 5 else ""
    if results:
        yield f"  {more}{len(unknown) - len(close)} name other models only, {clear} do not affect it"
    else:
        yield "  unknown: no advisories are held for this maker, which does not make it clean"


def _write(out: Path, documents: list[dict[str, Any]]) -> None:
    try:
        with out.open("w", encoding="utf-8", newline="") as stream:
            if out.suffix.casefold() != ".csv":
                stream.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
                return
            sheet = csv.writer(stream)
            sheet.writerow(["maker", "model", "firmware", "cve", "status", "kev", "cvss", "fixed_in", "because"])
            for row in documents:
                front = [row["maker"], row["model"], row["firmware"]]
                for r in row["results"] or [{"cve": "", "status": "unknown", "because": "no advisories are held"}]:
                    sheet.writerow([_cell(value) for value in (*front, r["cve"], r["status"], r.get("kev"),
                                                               r.get("cvss"), r.get("fixed_in"), r["because"])])
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror or error}") from error


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: larger than {MOST_BYTES // 1024 // 1024} MiB")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _read(path: Path) -> Iterator[_Row]:
    text = _bytes(path).decode("utf-8-sig", "replace").replace("\0", "")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(MOST_BYTES)
    lines = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    names = [name.strip().casefold().replace("_", " ") for name in next(lines, [])]
    places = {key: next((names.index(h.replace("_", " ")) for h in heads if h.replace("_", " ") in names), None)
              for key, heads in _HEADS.items()}
    if places["maker"] is None:
        raise UsageError(f"{path}: no column named maker (or {', '.join(_HEADS['maker'][1:])}) in its first line")
    return _rows(path, lines, places)


def _rows(path: Path, lines: Iterable[list[str]], places: Mapping[str, int | None]) -> Iterator[_Row]:
    for number, cells in enumerate(lines, start=1):
        if number > MOST_ROWS:
            raise UsageError(f"{path}: more than {MOST_ROWS} rows")
        if any(cell.strip() for cell in cells):
            got = {key: cells[place].strip() if place is not None and place < len(cells) else ""
                   for key, place in places.items()}
            yield _Row(got["maker"], got["model"], got["firmware"], got["build"])


def _book(terminal: Terminal, kev: Path | None, cve: list[Path], csaf: list[Path]) -> Book:
    """The advisories of this installation, with files that are added for this one call."""
    from camvet import advisory_store
    from rules.advisory_imports import Imported, merged, read_csaf, read_cve, read_kev
    from rules.advisory_vendors import maker_named
    from scanner import clock

    known = advisory_store.book()
    if kev is None and not cve and not csaf:
        return known
    imported = Imported()
    for reader, paths in ((read_kev, [kev] if kev else []), (read_cve, cve), (read_csaf, csaf)):
        for path in paths:
            imported.add(reader(_bytes(path), path.name))
    book, problems = merged(known, imported, clock.now().date(), resolve=maker_named, named="given for this call")
    for cve_id, why in imported.set_aside.items():
        terminal.note(f"{cve_id} is set aside: {why}")
    for problem in problems:
        terminal.error(problem)
    terminal.note(f"taken in: {len(imported.records)} records, {len(imported.kev)} KEV entries")
    return book


@app.command("import")
def import_(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE…", help=(
        "KEV catalogue, CVE records 5.x, CSAF 2.0: JSON, JSON lines, a folder or ZIP of them.")),
    source: str | None = typer.Option(None, "--source", metavar="NAME", help="What to call it (default: the file)."),
    dated: str | None = typer.Option(None, "--dated", metavar="YYYY-MM-DD", help=(
        "The day of its facts (default: a catalogue's own day, else today).")),
    every_vendor: bool = typer.Option(False, "--every-vendor", help=(
        "Keep records of vendors that are no maker known here, out of a folder or archive too.")),
) -> None:
    """Store fresh advisories beside the shipped ones; what cannot be read is named, and the rest goes on."""
    from camvet.advisory_import import bring, told
    from camvet.assessment import as_of_day
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    brought = bring(files, source=source, dated=as_of_day(dated) if dated else None, every_vendor=every_vendor)
    for problem in brought.problems:
        context.terminal.error(problem)
    context.inventory(new=True).log(at=clock.now(), actor=acting(None), kind="advisories.imported",
                                    subject=brought.source, document=brought.document)
    if context.terminal.as_json:
        context.terminal.document({**brought.document, "problems": list(brought.problems)})
    else:
        context.terminal.lines(told(brought.document))
    raise typer.Exit(ExitCode.INCOMPLETE if brought.problems else ExitCode.CLEAN)
