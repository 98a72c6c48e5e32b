"""`camvet judge`: judge an old sweep again, for another day or under another policy, without touching a device."""

from __future__ import annotations

from pathlib import Path

import typer

from camvet.cli import context_of, verb
from camvet.context import UsageError


@verb(rank=34)
def judge(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: as in the sweep)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
    lists: Path | None = typer.Option(None, "--lists", metavar="BUNDLE", help="Judge by the laws of a signed bundle."),
    keep: bool = typer.Option(False, "--keep", help="Store the new verdicts as the newest ones of this sweep."),
) -> None:
    """Judge a stored sweep again with today's rule data. Nothing is sent; the old verdicts stay in the log."""
    from camvet.assessment import as_of_day, assess, exit_code, policy_named
    from camvet.prose import headline, summary
    from camvet.shapes import identity_json, verdict_json
    from camvet.sweeping import actor
    from scanner import clock

    context = context_of(ctx)
    if lists is not None:
        from camvet.lists import use_bundle

        use_bundle(context, lists)
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site} (or more than one begins so)")
    stored = {d.key: (d.observations, d.attempts) for d in inventory.devices_of(row.id)}
    asked = row.document["scope"]
    judgements = assess(stored, policy=policy_named(policy or row.policy), as_of=as_of_day(as_of),
                        activity=activity or asked["activity"], purpose=purpose or asked["purpose"])
    if keep:
        inventory.rejudge(row.id, judgements, at=clock.now(), actor=actor())
    if context.terminal.as_json:
        context.terminal.document({"sweep": row.id, "devices": [
            {"key": j.identity.device, "identity": identity_json(j.identity), "verdict": verdict_json(j.verdict)}
            for j in judgements]})
    else:
        for judgement in judgements:
            context.terminal.text(headline(judgement.identity))
            outcome = judgement.verdict.outcome
            context.terminal.lines([f"  {outcome} on {judgement.verdict.as_of} under {judgement.verdict.policy}"])
            context.terminal.lines(summary(judgement.identity, judgement.verdict))
    raise typer.Exit(exit_code(judgements, complete=row.complete))
