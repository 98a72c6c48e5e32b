"""`camvet import`: what other programs saw, judged and stored like a sweep; nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.importing import ImportOrder
    from camvet.inventory import SweepRecord


@verb("import", rank=15)
def import_(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(None, metavar="FILE…", help="nmap XML, arp-scan or switch table, CSV or XLSX, "
                                       "Zeek log, Shodan-type, masscan or zgrab JSON, recorded replies, or a capture; "
                                       "gzipped or not."),
    format_: str = typer.Option("", "--format", metavar="FORMAT", help="nmap, arp, csv, zeek, shodan, masscan, zgrab, "
                                "replies or capture (default: what the file holds)."),
    interface: str | None = typer.Option(None, "--interface", metavar="IF", help="Listen on a link instead to what "
                                         "devices announce by themselves; nothing is sent."),
    seconds: float = typer.Option(300.0, "--for", metavar="SECONDS", min=0.1, help="How long to listen; Ctrl-C ends it "
                                  "and keeps what was heard."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: private)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
) -> None:
    """Import instead of scan: read what others recorded, or listen to a link; name the makers, judge, store.

    A row that cannot be read is named with what was expected there. Exit 1 with findings, 3 where something is
    undetermined or a row was refused.
    """
    from camvet.assessment import activity_named, as_of_day, exit_code, policy_named
    from camvet.importing import FORMATS, ImportOrder, perform

    context = context_of(ctx)
    if bool(files) == bool(interface):
        raise UsageError("name exactly one of both: files to import, or a link to listen on with --interface")
    if format_ and format_ not in FORMATS:
        raise UsageError(f"--format {format_!r}: expected {', '.join(FORMATS)}")
    order = ImportOrder(files or [], policy_named(policy or context.settings.policy), as_of_day(as_of), format_,
                        activity_named(activity), purpose)
    if interface:
        _listen(context, order, interface, seconds)
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
            **_devices_json(record)})
    else:
        _tell_devices(context, record)
        context.terminal.text(f"{len(record.judgements)} devices imported, {len(refused)} rows refused; nothing was "
                              f"sent, so nothing is known beyond these files; sweep {record.id}")
    raise typer.Exit(worst(exit_code(record.judgements), ExitCode.INCOMPLETE if refused else ExitCode.CLEAN))


def _listen(context: Context, order: ImportOrder, interface: str, seconds: float) -> None:
    """Listen, tell, and end the command."""
    from camvet.assessment import exit_code
    from camvet.importing import hear

    said = f"listening on {interface} for {seconds:g} s; nothing is sent; Ctrl-C ends it and keeps what was heard"
    record, heard = hear(context, order, interface, seconds, lambda: context.terminal.note(said))
    if context.terminal.as_json:
        context.terminal.document({
            "sweep": record.id if record else None, "interface": interface, "seconds": heard.seconds,
            "observations": len(heard.found.observations), "dropped": heard.found.dropped, "lost": heard.lost,
            **(_devices_json(record) if record else {"devices": []})})
    elif record is None:
        context.terminal.text(f"nobody announced itself on {interface} within {heard.seconds:g} s; a silent device is "
                              "not an absent one")
    else:
        _tell_devices(context, record)
        context.terminal.text(f"{len(record.judgements)} devices heard on {interface} within {heard.seconds:g} s and "
                              f"never asked: who kept silent is not among them; {heard.lost} frames were dropped by "
                              f"the kernel, {heard.found.dropped} things told were not kept; sweep {record.id}")
    whole = record is not None and not heard.lost and not heard.found.dropped
    raise typer.Exit(worst(exit_code(record.judgements) if record else ExitCode.CLEAN,
                           ExitCode.CLEAN if whole else ExitCode.INCOMPLETE))


def _tell_devices(context: Context, record: SweepRecord) -> None:
    from camvet.prose import headline

    for judged in record.judgements:
        context.terminal.text(f"{judged.verdict.outcome.upper():<13} {headline(judged.identity)}")


def _devices_json(record: SweepRecord) -> dict[str, Any]:
    from camvet.shapes import identity_json, verdict_json

    return {"policy": record.policy, "as_of": record.as_of,
            "devices": [{"key": judged.identity.device, "identity": identity_json(judged.identity),
                         "verdict": verdict_json(judged.verdict)} for judged in record.judgements]}
