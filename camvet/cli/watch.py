"""`camvet watch`: the gate's guard alone: may what is attached stay so?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from camvet.guarding import Look


@verb(rank=58)
def watch(
    ctx: typer.Context,
    devices: list[str] = typer.Argument(None, metavar="[DEVICE…]", help="Only these (default: all that is attached)."),
    once: bool = typer.Option(False, "--once", help="Look at each once and end, as a timer wants it."),
    interval: float = typer.Option(300.0, "--interval", metavar="S", min=1.0, help="Seconds between two rounds."),
    seconds: float | None = typer.Option(None, "--for", metavar="SECONDS", min=0.1, help="End after that time."),
    port_map: Path | None = typer.Option(None, "--port-map", metavar="FILE", help="In the place of attach's."),
    neighbours: Path | None = typer.Option(None, "--neighbours", metavar="FILE", help="In the place of attach's."),
) -> None:
    """Check attached cameras anew, without analytics: attestation, rejection, today's verdict, the live fingerprint.

    What fails is suspended until it is attached again. Exit 1 where a camera is or was suspended, 3 where one did not
    answer at the last look. Newly installed rules and imported lists count from the next look on.
    """
    import signal

    from camvet.cli.monitor import chosen_cameras
    from camvet.decisions import key_store
    from camvet.edition import Edition
    from camvet.guarding import Guard
    from camvet.inventory import AttachmentState
    from camvet.watching import check_references

    context = context_of(ctx)
    if once and seconds is not None:
        raise UsageError("--once and --for: one round, or as many as fit into that time")
    chosen = chosen_cameras(context, devices or [])
    held = [row for row in chosen if row.state is AttachmentState.SUSPENDED]
    for row in held:
        context.terminal.note(f"{row.address} stays suspended since {row.since}: {row.rule}: {row.because}")
    check_references([row for row in chosen if row.state is AttachmentState.ATTACHED])
    guard = Guard(context.inventory(), key_store(context), context.settings.site,
                  [row.device for row in chosen] if devices else (),
                  Edition(context.settings.state / "lists", context.terminal.note), _Telling(context), port_map,
                  neighbours)
    signal.signal(signal.SIGTERM, signal.default_int_handler)        # a service manager ends it as Ctrl-C does
    try:
        if once:
            guard.round()
        else:
            guard.run(interval, seconds)
    except KeyboardInterrupt:
        pass                                                         # the usual way to end it
    raise typer.Exit(worst(ExitCode.FINDINGS if held or guard.suspended else ExitCode.CLEAN,
                           ExitCode.INCOMPLETE if guard.unanswered else ExitCode.CLEAN))


class _Telling:
    """Every look as a JSON line; for a person, a line where something is other than at the look before."""

    def __init__(self, context: Context) -> None:
        self._terminal = context.terminal
        self._before: dict[str, tuple[str, ...]] = {}

    def __call__(self, look: Look) -> None:
        if self._terminal.as_json:
            self._terminal.line(look.to_json())
            return
        now = (str(look.found), look.rule, look.because)
        if self._before.get(look.device) == now:
            return
        self._before[look.device] = now
        why = ": ".join(part for part in (look.rule, look.because) if part)
        told = f"  {why}" if why else f" until {look.expires}"
        self._terminal.text(f"{look.at[11:19]}  {look.address}  {str(look.found).replace('_', ' ')}{told}")
