"""`camvet report`: write a stored sweep down, in any of the formats that lie in `reports.formats`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError

if TYPE_CHECKING:
    from reports.report import Report

_PAGES = {"html", "far"}            # written to a file of their own; the others go to stdout


@verb(rank=40)
def report(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    kind: str = typer.Option("html", "--format", "-f", help="html, json, csv, far."),
    of: str | None = typer.Option(None, "--of", help="For csv: devices, findings, monitoring, attached, events, …"),
    contracts: Path | None = typer.Option(None, "--contracts", metavar="FILE", help="far: the register of contracts."),
    form: str | None = typer.Option(None, "--as", metavar="FORM", help="far: html or json."),
    out: Path | None = typer.Option(None, "--out", "-o", metavar="FILE", help="Where to write it; - is stdout."),
) -> None:
    """Write the report of a sweep. The same findings stand in every format."""
    from camvet.reporting import report_of
    from reports import formats
    from scanner import clock

    if kind != "far" and (contracts is not None or form is not None):
        raise UsageError("--contracts and --as belong to --format far")
    context = context_of(ctx)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site}: run camvet sweep first")
    if kind not in formats.names():
        raise UsageError(f"--format {kind!r}: there are {', '.join(formats.names())}")
    try:
        made = report_of(inventory, row, generated_at=clock.now())
        data = (_far(made, contracts, form) if kind == "far" and of is None
                else formats.render(made, kind, **({"of": of} if of else {})))
    except formats.FormatError as error:
        raise UsageError(f"--format {kind}: {error}") from error
    if str(out) == "-" or (out is None and kind not in _PAGES):
        sys.stdout.buffer.write(data)
        raise typer.Exit(ExitCode.CLEAN)
    path = out or Path(f"camvet-{row.id}.{formats.find(kind).suffix}")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if context.terminal.as_json:
        context.terminal.document({"file": str(path), "format": kind, "sweep": row.id, "bytes": len(data)})
    else:
        context.terminal.text(str(path))
    raise typer.Exit(ExitCode.CLEAN)


def _far(made: Report, contracts: Path | None, form: str | None) -> bytes:
    """The FAR report, filled from the register where one is given; JSON where `form` or the file's name says so."""
    from reports.formats import far
    from rules.contracts import load
    from rules.documents import DataError

    if form not in {None, "html", "json"}:
        raise UsageError(f"--as {form!r}: expected html or json")
    try:
        register = load(contracts) if contracts is not None else None
    except DataError as error:
        raise UsageError(str(error)) from error
    return far.render(made, register, form or "html")
