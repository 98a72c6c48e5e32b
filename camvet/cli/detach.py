"""`camvet detach`: end a camera's attachment, in one command."""

from __future__ import annotations

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError


@verb(rank=55)
def detach(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    reason: str = typer.Option("", "--reason", help="Why, for the log."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who does it (default: the OS user)."),
) -> None:
    """Detach a camera. A running monitor lets go of it within seconds; its metrics stay until their retention ends."""
    from camvet.cli.show import one_device
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    row = one_device(context, device)
    if not context.inventory().gate.detach(row.id, at=clock.now(), actor=acting(actor), because=reason.strip()):
        raise UsageError(f"{row.key} is not attached")
    if context.terminal.as_json:
        context.terminal.document({"device": row.id, "address": row.key, "state": "detached"})
    else:
        context.terminal.text(f"{row.key}  detached")
    raise typer.Exit(ExitCode.CLEAN)
