"""`camvet report`: write a stored sweep down, in any of the formats that lie in `reports.formats`."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError


@verb(rank=40)
def report(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    kind: str = typer.Option("html", "--format", "-f", help="html, json, csv."),
    of: str | None = typer.Option(None, "--of", help="For csv: devices, findings, monitoring, attached, events, …"),
    out: Path | None = typer.Option(None, "--out", "-o", metavar="FILE", help="Where to write it; - is stdout."),
) -> None:
    """Write the report of a sweep. The same findings stand in every format."""
    from camvet.reporting import report_of
    from reports import formats
    from scanner import clock

    context = context_of(ctx)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site}: run camvet sweep first")
    if kind not in formats.names():
        raise UsageError(f"--format {kind!r}: there are {', '.join(formats.names())}")
    try:
        data = formats.render(report_of(inventory, row, generated_at=clock.now()), kind, **({"of": of} if of else {}))
    except formats.FormatError as error:
        raise UsageError(f"--format {kind}: {error}") from error
    if str(out) == "-" or (out is None and kind != "html"):
        sys.stdout.buffer.write(data)
        raise typer.Exit(ExitCode.CLEAN)
    path = out or Path(f"camvet-{row.id}.{kind}")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if context.terminal.as_json:
        context.terminal.document({"file": str(path), "format": kind, "sweep": row.id, "bytes": len(data)})
    else:
        context.terminal.text(str(path))
    raise typer.Exit(ExitCode.CLEAN)
