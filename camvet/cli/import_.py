"""`camvet import`: what other programs saw, judged and stored like a sweep; nothing is sent."""

from __future__ import annotations

from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError, worst


@verb("import", rank=15)
def import_(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE…", help="nmap XML, arp-scan or switch table, CSV, Zeek log, "
                                       "Shodan-type JSON, recorded replies, or a capture."),
    format_: str = typer.Option("", "--format", metavar="FORMAT", help="nmap, arp, csv, zeek, shodan, replies or "
                                "capture (default: what the file looks like)."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: private)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
) -> None:
    """Import instead of scan: read what others recorded, name the makers, judge, store.

    A row that cannot be read is named with what was expected there. Exit 1 with findings, 3 where something is
    undetermined or a row was refused.
    """
    from camvet.assessment import as_of_day, exit_code, policy_named
    from camvet.importing import FORMATS, ImportOrder, perform
    from camvet.prose import headline
    from camvet.shapes import identity_json, verdict_json

    context = context_of(ctx)
    if format_ and format_ not in FORMATS:
        raise UsageError(f"--format {format_!r}: expected {', '.join(FORMATS)}")
    order = ImportOrder(files, policy_named(policy or context.settings.policy), as_of_day(as_of), format_, activity,
                        purpose)
    record, read = perform(context, order)
    refused = [(path, one) for path, each in zip(files, read, strict=True) for one in each.refused]
    for path, one in refused[:100]:
        context.terminal.note(f"{path}: expected {one.expected}")
    if context.terminal.as_json:
        context.terminal.document({
            "sweep": record.id, "files": [{"file": path.name, "format": each.format, "devices": len(each.devices),
                                           "observations": len(each.observations), "dropped": each.dropped,
                                           "refused": [{"row": one.row, "expected": one.expected}
                                                       for one in each.refused]}
                                          for path, each in zip(files, read, strict=True)],
            "policy": record.policy, "as_of": record.as_of,
            "devices": [{"key": judged.identity.device, "identity": identity_json(judged.identity),
                         "verdict": verdict_json(judged.verdict)} for judged in record.judgements]})
    else:
        for judged in record.judgements:
            context.terminal.text(f"{judged.verdict.outcome.upper():<13} {headline(judged.identity)}")
        context.terminal.text(f"{len(record.judgements)} devices imported, {len(refused)} rows refused; nothing was "
                              f"sent, so nothing is known beyond these files; sweep {record.id}")
    raise typer.Exit(worst(exit_code(record.judgements), ExitCode.INCOMPLETE if refused else ExitCode.CLEAN))
