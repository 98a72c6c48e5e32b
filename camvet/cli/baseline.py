"""`camvet baseline`: approve where devices talk to; what is new afterwards is a finding, and fences pass no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow
    from rules.baseline import Baseline
    from scanner.egress import Capture
    from scanner.observation import Observation

_MOST_DAYS, _MOST_TEXT = 366, 400

baseline = verb("baseline", rank=22)(typer.Typer(help="Approve where devices talk to, and see what is approved.",
                                                 no_args_is_help=True))


@baseline.command("approve")
def approve(
    ctx: typer.Context,
    device: str | None = typer.Argument(None, help="Inventory id, address, MAC or serial."),
    every: bool = typer.Option(False, "--all", help="Every device of the site whose traffic was captured."),
    capture: list[Path] = typer.Option([], "--capture", metavar="FILE",
                                       help="Captures, flow records or logs (default: those of the newest sweep)."),
    last: str = typer.Option("180d", "--for", metavar="DAYS", help="How long it holds."),
    outside: bool = typer.Option(False, "--outside", help="Fences let what lies outside the site pass too."),
    reason: str = typer.Option("", "--reason", help="Why; kept in the log."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who approves (default: the OS user)."),
) -> None:
    """Approve what was seen as the usual traffic of a device. A later sweep or capture is held against it."""
    from camvet.baselines import approve as store
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    rows, now, name = _wanted(context, device, every=every), clock.now(), acting(actor)
    days = _days(last)
    if len(reason) > _MOST_TEXT:
        raise UsageError(f"--reason: at most {_MOST_TEXT} characters")
    seen = _seen_in(capture, rows, now) if capture else _seen_in_sweeps(context, rows)
    told = []
    for row in rows:
        observations, watched_s, source = seen.get(row.id, ([], 0.0, ""))
        if source:
            made = _made(observations, name, now, days, watched_s, source, outside=outside)
            store(context.inventory(), row, made, at=now, reason=reason)
            told.append((row, made))
    if not told:
        raise UsageError("no traffic of " + (device or "any device") + " was captured: give a capture, or sweep with "
                         "one; nothing was approved")
    _tell(context, told, passed_over=[row.key for row in rows if row.id not in {each.id for each, _ in told}])
    raise typer.Exit(ExitCode.CLEAN)


@baseline.command("allow")
def allow(
    ctx: typer.Context,
    services: list[str] = typer.Argument(..., metavar="HOST:PORT/PROTOCOL…",
                                         help="As 10.0.0.5:123/udp or time.example.org:123/udp; any for all."),
    device: str | None = typer.Option(None, "--device", metavar="DEVICE", help="One device."),
    every: bool = typer.Option(False, "--all", help="Every device of the site with a baseline."),
    inbound: bool = typer.Option(False, "--inbound", help="HOST comes to the device on its own PORT, as a VMS does."),
    why: str = typer.Option(..., "--why", help="What it is needed for; every rule of a fence carries it."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who allows it (default: the OS user)."),
) -> None:
    """Allow a service beyond what was seen: the video system, a time server. It needs an approved baseline."""
    from camvet.baselines import allow as store
    from camvet.baselines import baselines
    from camvet.decisions import acting
    from rules.fence import MudError, read_allowed
    from scanner import clock

    context = context_of(ctx)
    if not why.strip() or len(why) > _MOST_TEXT:
        raise UsageError(f"--why: expected a reason of at most {_MOST_TEXT} characters")
    try:
        read = [read_allowed(one, inbound=inbound, why=why.strip()) for one in services]
    except MudError as error:
        raise UsageError(str(error)) from error
    approved = baselines(context.inventory())
    rows = [row for row in _wanted(context, device, every=every) if row.id in approved]
    if not rows:
        raise UsageError("no approved baseline: look at the traffic and approve it first (camvet baseline approve)")
    now, name = clock.now(), acting(actor)
    for row in rows:
        store(context.inventory(), row, read, at=now, actor=name)
    if context.terminal.as_json:
        context.terminal.document({"devices": [row.id for row in rows], "allowed": [str(one) for one in read],
                                   "why": why.strip(), "actor": name})
    else:
        context.terminal.lines(f"{row.key}  may use {', '.join(map(str, read))}: {why.strip()}" for row in rows)
    raise typer.Exit(ExitCode.CLEAN)


@baseline.command("show")
def show(
    ctx: typer.Context,
    device: str | None = typer.Argument(None, help="One device; all by default."),
) -> None:
    """Show what is approved, by whom and until when, and which devices have no baseline."""
    from camvet.baselines import baselines
    from scanner import clock

    context = context_of(ctx)
    found, today = baselines(context.inventory()), clock.now().date()
    rows = _wanted(context, device, every=device is None)
    if context.terminal.as_json:
        context.terminal.document({"baselines": [
            {**_json(row, found[row.id]), "holds": found[row.id].holds(today)} for row in rows if row.id in found],
            "absent": [row.key for row in rows if row.id not in found]})
    else:
        for row in rows:
            context.terminal.lines(_lines(row, found[row.id]) if row.id in found else [f"{row.key}  no baseline"])
            if row.id in found and not found[row.id].holds(today):
                context.terminal.text("  it does not hold today")
    raise typer.Exit(ExitCode.CLEAN)


@baseline.command("revoke")
def revoke(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    reason: str = typer.Option(..., "--reason", help="Why."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who withdraws it (default: the OS user)."),
) -> None:
    """Withdraw a baseline and all that was allowed with it; it stays in the log."""
    from camvet.baselines import baselines
    from camvet.baselines import revoke as store
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    (row,) = _wanted(context, device, every=False)
    if not reason.strip():
        raise UsageError("--reason: say why")
    if row.id not in baselines(context.inventory()):
        raise UsageError(f"{row.key} has no baseline")
    store(context.inventory(), row, at=clock.now(), actor=acting(actor), reason=reason.strip())
    if context.terminal.as_json:
        context.terminal.document({"device": row.id, "address": row.key, "revoked": True})
    else:
        context.terminal.text(f"{row.key}  has no baseline any more")
    raise typer.Exit(ExitCode.CLEAN)


def _wanted(context: Context, device: str | None, *, every: bool) -> list[DeviceRow]:
    from camvet.cli.show import one_device

    if every == bool(device):
        raise UsageError("name one device, or say --all")
    if device:
        return [one_device(context, device)]
    return context.inventory().devices(context.settings.site)


def _days(text: str) -> int:
    from camvet.decisions import days

    found = days(text, "--for")
    if not 1 <= found <= _MOST_DAYS:
        raise UsageError(f"--for {text}: expected 1 to {_MOST_DAYS} days")
    return found


def _seen_in_sweeps(context: Context, rows: Sequence[DeviceRow]) -> dict[str, tuple[list[Observation], float, str]]:
    """What the newest sweep of each device captured of it, how long that took, and which sweep it was."""
    from camvet.baselines import later_of, watched

    found = {}
    sweeps = {row.id: row for row in context.inventory().sweeps(context.settings.site)}
    for sweep in dict.fromkeys(row.sweep for row in rows):
        wanted = {(row.id, row.key) for row in rows if row.sweep == sweep}
        for stored in context.inventory().devices_of(sweep):
            document = sweeps[sweep].document
            later = later_of(stored.observations, stored.attempts, watched(document.get("captures", ())))
            if (stored.id, stored.key) in wanted and later.captured:
                found[stored.id] = (list(later.seen), later.watched_s, f"sweep {sweep}")
    return found


def _seen_in(paths: Sequence[Path], rows: Sequence[DeviceRow],
             now: datetime) -> dict[str, tuple[list[Observation], float, str]]:
    """What files show of each device."""
    from scanner import egress

    capture = _read(paths, now)
    known = {row.key.partition("#")[0]: row.key for row in rows}
    for row in rows:
        known |= {value.upper().replace("-", ":"): row.key for kind, value in row.aliases if kind == "mac"}
    by_key: dict[str, list[Observation]] = {}
    for observation in egress.observations(capture, known, now):
        by_key.setdefault(observation.device, []).append(observation)
    source = ", ".join(path.name for path in paths)[:_MOST_TEXT]
    return {row.id: (by_key[row.key], capture.seconds, source) for row in rows if row.key in by_key}


def _read(paths: Sequence[Path], now: datetime) -> Capture:
    from scanner.imports import flow_logs

    try:
        return flow_logs.read(*paths, now=now)
    except OSError as error:
        raise UsageError(f"capture {error.filename}: {error.strerror}") from error


def _made(observations: Sequence[Observation], actor: str, now: datetime, days: int, watched_s: float, source: str, *,
          outside: bool) -> Baseline:
    from rules import destinations, makers
    from rules.baseline import Baseline, entries_of

    clouds = destinations.with_makers(destinations.load(), makers.load())
    return Baseline(actor, now.date(), now.date() + timedelta(days=days), round(watched_s, 1), source,
                    entries_of(destinations.label(observations, clouds)), outside)


def _json(row: DeviceRow, made: Baseline) -> dict[str, Any]:
    return {"device": row.id, "address": row.key, "actor": made.actor, "approved": made.approved.isoformat(),
            "until": made.until.isoformat(), "watched_s": made.watched_s, "source": made.source,
            "outside": made.outside, "allowed": [{"service": str(one), "why": one.why} for one in made.allowed],
            "destinations": [{"names": list(one.names), "addresses": list(one.addresses), "protocol": one.protocol,
                              "port": one.port, "bytes_out": one.bytes_out, "signs": list(one.signs),
                              "purpose": one.purpose or None} for one in made.entries]}


def _lines(row: DeviceRow, made: Baseline) -> Iterator[str]:
    yield (f"{row.key}  {len(made.entries)} destinations approved by {made.actor} on {made.approved}, until "
           f"{made.until} ({made.source}, {made.watched_s / 3600:.1f} hours watched)")
    for one in made.entries:
        yield f"  {one.label}" + (f"  [{one.purpose}]" if one.purpose else "")
    for service in made.allowed:
        yield f"  allowed: {service}  ({service.why})"
    yield ("  fences let its outside destinations pass" if made.outside
           else "  fences let nothing outside pass but what is allowed")


def _tell(context: Context, told: Sequence[tuple[DeviceRow, Baseline]], passed_over: Sequence[str]) -> None:
    if context.terminal.as_json:
        context.terminal.document({"approved": [_json(row, made) for row, made in told],
                                   "not_captured": list(passed_over)})
        return
    for row, made in told:
        context.terminal.lines(_lines(row, made))
    if passed_over:
        context.terminal.text(f"no baseline for {', '.join(passed_over)}: no traffic of theirs was captured")
