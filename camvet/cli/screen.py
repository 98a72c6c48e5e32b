"""`camvet screen`: who is this supplier, label or part number, and what does each law say of it for this buyer."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.lots import Lot
    from camvet.screening import Screened, Screener

_WIDTH = 116
_STYLE = {"match": "red", "review": "yellow", "no_match": "green"}


@verb(rank=20)
def screen(
    ctx: typer.Context,
    names: list[str] | None = typer.Argument(None, metavar="NAME…", help="Suppliers, labels, part numbers, lines."),
    csv: Path | None = typer.Option(None, "--csv", metavar="FILE", help="An order file (CSV, or XLSX by its suffix)."),
    xlsx: Path | None = typer.Option(None, "--xlsx", metavar="FILE", help="An order file as a workbook."),
    column: str | None = typer.Option(None, "--column", metavar="C", help="The column to screen: name or number."),
    encoding: str | None = typer.Option(None, "--encoding", metavar="E", help="Of a CSV that is not UTF, say cp1252."),
    out: Path | None = typer.Option(None, "--out", "-o", metavar="FILE", help="The same file with the answers beside."),
    buyer: list[str] | None = typer.Option(None, "--buyer", metavar="B", help="Who buys (default: as in the policy)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day in question; default today."),
    activity: str | None = typer.Option(None, "--activity", metavar="A", help="What is done, as in camvet effects."),
    purpose: str | None = typer.Option(None, "--purpose", metavar="P", help="What it is for; some laws look at it."),
    lists: Path | None = typer.Option(None, "--lists", metavar="BUNDLE", help="Signed lists to use instead."),
    bom: Path | None = typer.Option(None, "--bom", metavar="FILE", help="A bill of materials: CycloneDX or CSV."),
    lots: bool = typer.Option(False, "--lots", help=(
        "Judge each row for its own buyer, activity, purpose, day and destination.")),
    certificate: Path | None = typer.Option(None, "--certificate", metavar="FILE", help="Write a signed vendor page."),
    actor: str | None = typer.Option(None, "--actor", metavar="WHO", help="Who screened, for the certificate."),
    explain: bool = typer.Option(False, "--explain", help="Say what was taken for what, and what each law says."),
) -> None:
    """Screen names or order lines against listed makers. A no_match is no clearance; labels are evidence, not proof."""
    context = context_of(ctx)
    file = csv or xlsx
    if sum(given for given in (bool(names), csv is not None, xlsx is not None, bom is not None)) != 1:
        raise UsageError("screen: expected names, or one file with --csv, --xlsx or --bom")
    if out is not None and file is None and bom is None:
        raise UsageError("--out needs --csv, --xlsx or --bom")
    table = file or bom
    if encoding is not None and (table is None or table.suffix.lower() in {".xlsx", ".xlsm", ".json"}):
        raise UsageError("--encoding needs a CSV")
    if out is not None and table is not None and out.exists() and table.exists() and out.samefile(table):
        raise UsageError(f"--out {out}: this is the order itself; name another file, so that it stays as it was")
    if xlsx is not None:
        _check_workbook(xlsx)
    if lots and file is None:
        raise UsageError("--lots needs --csv or --xlsx")
    if certificate is not None:
        _check_key(context)
    screener = _screener(context, buyer or [], as_of, activity, purpose, lists)
    open_ = False
    if bom is not None:
        done = _bom(context, screener, bom, out, encoding=encoding, explain=explain)
    elif file is not None and lots:
        judged = _lots(context, screener, file, column, out, encoding=encoding, explain=explain)
        done, open_ = [lot.answer for lot in judged], any(lot.not_assessed for lot in judged)
        done += [lot.recipient for lot in judged if lot.recipient is not None]
    elif file is not None:
        done = _sheet(context, screener, file, column, out, encoding=encoding, explain=explain)
    else:
        done = _each(context, screener, list(names or ()), explain=explain)
    if certificate is not None:
        _certify(context, certificate, screener, done, actor)
    _age(context, screener)
    raise typer.Exit(worst(_code(done), ExitCode.INCOMPLETE if open_ else ExitCode.CLEAN))


def _check_workbook(file: Path) -> None:
    """Raise `UsageError` for a file that is no workbook, whatever its name says."""
    from camvet.sheets import is_workbook

    try:
        if not is_workbook(file):
            raise UsageError(f"--xlsx {file}: this is no XLSX workbook (a CSV goes with --csv)")
    except OSError as error:
        raise UsageError(f"--xlsx {file}: {error.strerror}") from error


def _check_key(context: Context) -> None:
    """A certificate that nobody could sign is said before anything is screened. Raises `UsageError`."""
    from camvet.decisions import key_store

    key_store(context).signing()


def _code(done: list[Screened]) -> ExitCode:
    from camvet.screening import exit_code

    return exit_code(done)


def _each(context: Context, screener: Screener, lines: list[str], *, explain: bool) -> list[Screened]:
    from camvet.row_progress import counted

    done = []
    for line in counted(lines, "screening", context.terminal):
        done.append(found := screener(line))
        _tell(context, found, explain=explain)
    return done


def _sheet(context: Context, screener: Screener, file: Path, column: str | None, out: Path | None, *,
           encoding: str | None, explain: bool) -> list[Screened]:
    """An order file, row by row; with `out`, the same file with the answers beside."""
    from camvet.row_progress import counted
    from camvet.screening import COLUMNS, columns_of
    from camvet.sheets import read_sheet, write_beside

    sheet = read_sheet(file, column, encoding)
    for remark in sheet.remarks:
        context.terminal.note(remark)
    done: list[Screened] = []
    for _, row in counted(sheet.rows, "screening", context.terminal):
        done.append(found := screener(row[sheet.column]))
        if out is None:
            _tell(context, found, explain=explain)
    if out is not None:
        write_beside(out, sheet, COLUMNS, [columns_of(found) for found in done])
        _sum_up(context, done, out)
    return done


def _lots(context: Context, screener: Screener, file: Path, column: str | None, out: Path | None, *,
          encoding: str | None, explain: bool) -> list[Lot]:
    """The lots of an order, each for its own buyer, day and destination; with `out`, as in `_sheet`."""
    from camvet.lots import ANSWERS, Lots, answers_of, lot_json, totals
    from camvet.row_progress import counted
    from camvet.screening import COLUMNS, columns_of, screened_json
    from camvet.sheets import read_sheet, write_beside

    sheet = read_sheet(file, column, encoding)
    for remark in sheet.remarks:
        context.terminal.note(remark)
    each = Lots.of(sheet, screener)
    done: list[Lot] = []
    for number, row in counted(sheet.rows, "screening", context.terminal):
        done.append(lot := each.judge(number, row))
        if out is not None:
            continue
        if context.terminal.as_json:
            context.terminal.line(screened_json(lot.answer) | lot_json(lot))
        else:
            _say(context, lot.answer, explain=explain)
            context.terminal.lines(line for text in lot.says for line in _wrapped("          there: ", text))
    if out is not None:
        answers = [[*columns_of(lot.answer), *answers_of(lot)] for lot in done]
        write_beside(out, sheet, (*COLUMNS, *ANSWERS), answers)
        _sum_up(context, [lot.answer for lot in done], out, done)
    elif not context.terminal.as_json:
        context.terminal.lines(f"{count} units  {name}" for name, count in totals(done).items())
        context.terminal.lines(_shared(done))
    return done


def _shared(lots: list[Lot]) -> list[str]:
    """The units by destination, role and result as a table; a lot counts once for each role judged for it."""
    from camvet.lots import shares

    rows = [("units", "destination", "role", "result"),
            *((str(one.units), one.destination[:40] or "-", one.role[:40], one.result) for one in shares(lots))]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    return ["", *("  ".join((row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in
                             zip(row[1:], widths[1:], strict=True)))).rstrip() for row in rows)]


def _bom(context: Context, screener: Screener, file: Path, out: Path | None, *, encoding: str | None,
         explain: bool) -> list[Screened]:
    """A bill of materials, part by part; with `out`, the same document with the answers beside, or a table of them."""
    import json

    from camvet.boms import HEADER, is_table, judge, mark, parts_of, read_bom, row_of
    from camvet.row_progress import counted
    from camvet.screening import COLUMNS, columns_of
    from camvet.sheets import Sheet, write_beside

    if is_table(file):
        return _table_bom(context, screener, file, out, encoding=encoding, explain=explain)
    document = read_bom(file)
    parts = parts_of(document, file.name)
    done: list[Screened] = []
    for part in counted(parts, "screening", context.terminal):
        done.append(found := judge(part, screener))
        mark(part, found)
        if out is None:
            _tell(context, found, explain=explain)
    if out is not None and is_table(out):
        rows = tuple((number, row_of(part)) for number, part in enumerate(parts, 2))
        write_beside(out, Sheet(HEADER, rows, HEADER.index("screened")), COLUMNS, [columns_of(one) for one in done])
        _sum_up(context, done, out)
    elif out is not None:
        try:
            out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{out}: {error.strerror}") from error
        _sum_up(context, done, out)
    return done


def _table_bom(context: Context, screener: Screener, file: Path, out: Path | None, *, encoding: str | None,
               explain: bool) -> list[Screened]:
    """A bill of materials as CSV or workbook: the columns that name a maker or a part, read together."""
    from camvet.boms import line_of_row, read_table
    from camvet.row_progress import counted
    from camvet.screening import COLUMNS, columns_of
    from camvet.sheets import write_beside

    sheet, columns = read_table(file, encoding)
    for remark in sheet.remarks:
        context.terminal.note(remark)
    context.terminal.note(f"{file.name}: read together: {', '.join(sheet.header[at] for at in columns)}")
    done: list[Screened] = []
    for _, row in counted(sheet.rows, "screening", context.terminal):
        done.append(found := screener(line_of_row(row, columns)))
        if out is None:
            _tell(context, found, explain=explain)
    if out is not None:
        write_beside(out, sheet, COLUMNS, [columns_of(found) for found in done])
        _sum_up(context, done, out)
    return done


def _certify(context: Context, path: Path, screener: Screener, done: list[Screened], actor: str | None) -> None:
    from camvet.certificates import write
    from camvet.decisions import acting
    from scanner import clock

    write(context, path, screener, done, by=acting(actor), now=clock.now())
    context.terminal.note(f"{path}: signed certificate of {len(done)} {'line' if len(done) == 1 else 'lines'}")


def _tell(context: Context, found: Screened, *, explain: bool) -> None:
    from camvet.screening import screened_json

    if context.terminal.as_json:
        context.terminal.line(screened_json(found))
    else:
        _say(context, found, explain=explain)


def _screener(context: Context, buyers: list[str], as_of: str | None, activity: str | None, purpose: str | None,
              lists: Path | None) -> Screener:
    from camvet.assessment import activity_named, as_of_day, policy_named
    from camvet.lists import known_lists
    from camvet.screening import Screener
    from rules import catalog
    from rules.regimes import list_version

    wanted = activity_named(activity)
    roles = [name for given in buyers for name in re.split(r"[,\s]+", given) if name]
    imported = known_lists(context, lists)
    versions = (list_version(), *(imported.versions if imported is not None else ()))
    screener = Screener(catalog.load(), roles or policy_named(context.settings.policy).buyers, as_of_day(as_of), wanted,
                        purpose, asked=bool(roles), imported=imported, lists=versions)
    screener.check()
    return screener


def _say(context: Context, screened: Screened, *, explain: bool) -> None:
    found, effects = screened.found, screened.effects
    who = f"{found.entity} ({found.relation})" if found.entity else "-"
    told = {"match": "{}", "review": "{} if so"}.get(str(found.action), "{}")
    overall = f"  [{told.format(effects.overall)}]" if effects else ""
    context.terminal.styled_text((f"{found.action:<9}", _STYLE[str(found.action)]), f" {who:<28} {found.query[:200]}",
                                 overall)
    if not explain:
        if str(found.action) != "no_match":
            context.terminal.lines(_wrapped("          ", found.because))
        return
    context.terminal.lines(line for label, text in _explained(screened) for line in _wrapped(f"  {label:<12}", text))


def _explained(screened: Screened) -> Iterator[tuple[str, str]]:
    found, effects = screened.found, screened.effects
    yield "because", found.because
    if found.matched_by:
        yield "matched by", f"{found.matched_by}, score {found.score:g}"
    if found.tricks:
        yield "undone", ", ".join(found.tricks)
    for other in found.also:
        yield "also", other
    for effect in effects.binding if effects else ():
        binding = "binds" if effect.binds_buyer else "does not bind"
        mark = " (unverified)" if effect.unverified else ""
        yield "law", f"{effect.regime} {effect.effect}, {binding} {effect.buyer}{mark}: {effect.because}"
        yield "citation", effect.citation
        for duty in effect.duty:
            yield "duty", duty
    yield "lists", "; ".join(f"{one.name} of {one.dated}{' (stale)' if one.stale(screened.as_of) else ''}, "
                             f"edition {one.version}" for one in screened.lists)


def _sum_up(context: Context, done: list[Screened], out: Path, lots: Sequence[Lot] = ()) -> None:
    from camvet.lots import shares, totals

    counts = {name: sum(str(one.found.action) == name for one in done) for name in _STYLE}
    units = totals(lots)
    if context.terminal.as_json:
        context.terminal.document({"file": str(out), "rows": len(done), **counts, "units": units,
                                   "by_destination": [asdict(one) for one in shares(lots)]})
    else:
        context.terminal.text(f"{out}: {len(done)} rows, {counts['match']} match, {counts['review']} review, "
                              f"{counts['no_match']} no_match")
        context.terminal.lines(f"{count} units  {name}" for name, count in units.items())
        context.terminal.lines(_shared(list(lots)) if lots else ())


def _age(context: Context, screener: Screener) -> None:
    from camvet.lists import aged

    for version in screener.lists:
        for remark in aged([version], screener.as_of):
            # what makes every answer doubtful is said in quiet, too; JSON has it beside each answer
            unheard = context.terminal.quiet and not context.terminal.as_json and version.stale(screener.as_of)
            (context.terminal.error if unheard else context.terminal.note)(remark)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False,
                         break_on_hyphens=False)
