"""`camvet waive`: accept what one rule holds against one device, with a reason, until a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.admission import SiteWorld
    from camvet.decisions import Deciding
    from camvet.inventory import WaiverRow

LONGEST = timedelta(days=366)


@verb(rank=52)
def waive(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    rule: str = typer.Argument(..., help="The policy's clause that decides, as explain names it."),
    reason: str = typer.Option(..., "--reason", help="Why that is acceptable here."),
    until: str = typer.Option(..., "--until", metavar="YYYY-MM-DD", help="The last day on which it holds."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME",
                                     help="Who accepts it (default: the OS user). Somebody else has to approve."),
) -> None:
    """Waive a rule of a conditional verdict. Nothing waives a prohibition, or not knowing what a device is."""
    from analytics.gate import Refused
    from camvet.admission import SiteWorld
    from camvet.cli.show import one_device
    from camvet.decisions import Deciding, acting, key_store
    from rules.policy import Clause

    context = context_of(ctx)
    row = one_device(context, device)
    if rule not in set(Clause):
        raise UsageError(f"no rule {rule!r}; a policy decides by: {', '.join(Clause)}")
    if not reason.strip():
        raise UsageError("--reason: a waiver without a reason is none")
    ends = _end_of(until)
    deciding = Deciding(context, row, "waive", acting(actor))
    world = SiteWorld(context.inventory(), key_store(context))
    try:
        _check(world, deciding, rule)
    except Refused as why:
        raise typer.Exit(deciding.refuse(why)) from why
    _store(deciding, rule, reason.strip(), ends)
    raise typer.Exit(ExitCode.CLEAN)


def _end_of(until: str) -> datetime:
    from scanner import clock

    try:
        day = date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(f"--until {until!r}: expected YYYY-MM-DD") from error
    today = clock.now().date()
    if not today <= day < today + LONGEST:
        raise UsageError(f"--until {until}: expected a day from today on, within {LONGEST.days} days")
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _check(world: SiteWorld, deciding: Deciding, rule: str) -> None:
    from analytics.gate import Refused
    from camvet.admission import refuse_unfit
    from rules.vocabulary import Outcome

    found = deciding.context.inventory().newest_seen(deciding.row.id)
    policy = found[1][0].judgement.verdict.policy if found else deciding.context.settings.policy
    verdict = refuse_unfit(world.verdict(deciding.row.id, policy))
    if verdict.outcome is not Outcome.CONDITIONAL or rule not in verdict.rules:
        said = ", ".join(verdict.rules) or "nothing: the device is approved"
        raise Refused("waive.not_deciding", f"{rule} does not decide here; what does is {said}")


def _store(deciding: Deciding, rule: str, reason: str, ends: datetime) -> None:
    from camvet.inventory import WaiverRow
    from scanner import clock

    now = clock.now()
    row = WaiverRow(deciding.row.id, rule, reason, deciding.actor, clock.stamp(now), clock.stamp(ends))
    deciding.context.inventory().gate.add_waiver(row, at=now)
    _tell(deciding, row)


def _tell(deciding: Deciding, row: WaiverRow) -> None:
    if deciding.context.terminal.as_json:
        deciding.context.terminal.document({
            "device": row.device, "address": deciding.row.key, "rule": row.rule, "reason": row.reason,
            "actor": row.actor, "made": row.made, "expires": row.expires})
    else:
        deciding.context.terminal.text(f"{deciding.row.key}  {row.rule} is waived by {row.actor} until {row.expires}; "
                                       "somebody else may approve now")
