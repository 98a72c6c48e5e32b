"""`camvet monitor`: run the apps on what is attached, and guard it while they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import AttachmentRow, CameraEvent, MetricRow
    from camvet.terminal import Terminal


@verb(rank=57)
def monitor(
    ctx: typer.Context,
    devices: list[str] = typer.Argument(None, metavar="[DEVICE…]", help="Only these (default: all that is attached)."),
    seconds: float | None = typer.Option(None, "--for", metavar="SECONDS", min=0.1, help="End after that time."),
    interval: float = typer.Option(10.0, "--interval", metavar="S", min=0.5, help="Seconds that one metric is about."),
    recheck: float = typer.Option(30.0, "--recheck", metavar="S", min=1.0,
                                  help="Seconds between two checks of the live device while it plays."),
    port_map: Path | None = typer.Option(None, "--port-map", metavar="FILE", help="In the place of attach's."),
    neighbours: Path | None = typer.Option(None, "--neighbours", metavar="FILE", help="In the place of attach's."),
) -> None:
    """Monitor attached cameras until Ctrl-C or --for; metrics go to stdout and into the inventory, never a picture.

    What is attached meanwhile is taken up, what is detached or revoked is let go. Exit 1 where a camera is or was
    suspended; a suspended one stays so, also after a restart, until it is attached again.
    """
    import signal

    from analytics.pipeline import MonitorSettings
    from camvet.decisions import key_store
    from camvet.edition import Edition
    from camvet.inventory import AttachmentState
    from camvet.watching import Watch, WatchOrder, check_references

    context = context_of(ctx)
    chosen = chosen_cameras(context, devices or [])
    held = [row for row in chosen if row.state is AttachmentState.SUSPENDED]
    for row in held:
        context.terminal.note(f"{row.address} stays suspended since {row.since}: {row.rule}: {row.because}")
    cameras = [row for row in chosen if row.state is AttachmentState.ATTACHED]
    if not cameras:
        raise typer.Exit(ExitCode.FINDINGS)
    check_references(cameras)
    signal.signal(signal.SIGTERM, signal.default_int_handler)        # a service manager ends it as Ctrl-C does
    watch = Watch(context.inventory(), key_store(context),
                  WatchOrder(context.settings.site, [row.device for row in chosen] if devices else (),
                             MonitorSettings(interval_s=interval, recheck_s=recheck), seconds, port_map, neighbours),
                  lambda row, address: _tell_metric(context.terminal, row, address),
                  lambda event, address: _tell_event(context.terminal, event, address),
                  Edition(context.settings.state / "lists", context.terminal.note))
    watch.run()
    raise typer.Exit(ExitCode.FINDINGS if held or watch.suspended else ExitCode.CLEAN)


def chosen_cameras(context: Context, devices: list[str]) -> list[AttachmentRow]:
    """The attachments that are meant and not detached. Raises `UsageError` where there are none."""
    from camvet.cli.show import one_device
    from camvet.inventory import AttachmentState

    rows = [row for row in context.inventory().gate.attachments(context.settings.site)
            if row.state is not AttachmentState.DETACHED]
    if not devices:
        if not rows:
            raise UsageError(f"no camera of site {context.settings.site} is attached (camvet attach)")
        return rows
    by_id = {row.device: row for row in rows}
    wanted = [one_device(context, name) for name in devices]
    for one in wanted:
        if one.id not in by_id:
            raise UsageError(f"{one.key} is not attached (camvet attach)")
    return [by_id[device] for device in dict.fromkeys(one.id for one in wanted)]


def _tell_metric(terminal: Terminal, row: MetricRow, address: str) -> None:
    if terminal.as_json:
        terminal.line({"device": row.device, "address": address, "app": row.app, "name": row.name, "value": row.value,
                       "unit": row.unit, "start": row.start, "end": row.end, "quality": dict(row.quality)})
    else:
        terminal.text(f"{row.end[11:19]}  {address}  {row.app} {row.name}: {row.value:g} {row.unit}")


def _tell_event(terminal: Terminal, event: CameraEvent, address: str) -> None:
    why = ": ".join(part for part in (event.rule, event.because) if part)
    terminal.note(f"{event.at[11:19]}  {address}  {event.kind}" + (f"  {why}" if why else ""))
