"""`camvet reject`: decide that a device stays out, whatever the lists say of it."""

from __future__ import annotations

from datetime import date

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError


@verb(rank=51)
def reject(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    reason: str = typer.Option(..., "--reason", help="Why it stays out."),
    until: str | None = typer.Option(None, "--until", metavar="YYYY-MM-DD",
                                     help="The last day on which it holds (default: until it is taken back)."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who decides (default: the OS user)."),
) -> None:
    """Keep a device out: its approvals are revoked, it is suspended where it is attached, and nothing lets it in again.

    `approve` and `attach` refuse it by the rule device.rejected until `camvet revoke REJECTION` takes it back or its
    last day is over; reports and fences keep it out as well.
    """
    from camvet.cli.show import one_device
    from camvet.decisions import acting
    from camvet.rejections import reject as keep_out
    from scanner import clock

    context = context_of(ctx)
    if not reason.strip():
        raise UsageError("--reason: say why")
    who, ends = acting(actor), _last_day(until)
    row, at = one_device(context, device), clock.now()
    made, revoked, suspended = keep_out(context.inventory(), row, actor=who, reason=reason.strip(), at=at, until=ends)
    if context.terminal.as_json:
        context.terminal.document({"device": row.id, "address": row.key, "rejection": made, "reason": reason.strip(),
                                   "actor": who, "made": clock.stamp(at), "until": ends.isoformat() if ends else None,
                                   "revoked": revoked, "suspended": suspended})
        raise typer.Exit(ExitCode.CLEAN)
    context.terminal.styled_text(("REJECTED", "red"), f"  {row.key}  by {who}: {reason.strip()}; holds until "
                                 f"{ends or f'it is taken back (camvet revoke {made} --reason …)'}")
    context.terminal.lines(f"  revoked attestation {one[:16]}" for one in revoked)
    if suspended:
        context.terminal.text("  suspended: a running monitor lets go of it within seconds")
    raise typer.Exit(ExitCode.CLEAN)


def _last_day(text: str | None) -> date | None:
    from scanner import clock

    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text!r}: expected YYYY-MM-DD") from error
    if day < clock.now().date():
        raise UsageError(f"--until {text}: that day is over")
    return day
