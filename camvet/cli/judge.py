"""`camvet judge`: judge an old sweep again, for another day or under another policy, without touching a device."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import UsageError

if TYPE_CHECKING:
    from rules.vocabulary import Verdict


@verb(rank=34)
def judge(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    policy: str | None = typer.Option(None, "--policy", help="Whose rules decide (default: as in the sweep)."),
    firmware_months: int | None = typer.Option(None, "--firmware-months", min=1, max=240,
                                               help="Firmware built longer ago is old (default: as in the sweep)."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day to judge for."),
    activity: str | None = typer.Option(None, "--activity", help="What is done with the devices, for the law."),
    purpose: str | None = typer.Option(None, "--purpose", help="What they are for, where a law asks."),
    lists: Path | None = typer.Option(None, "--lists", metavar="BUNDLE", help="Judge by a signed bundle."),
    keep: bool = typer.Option(False, "--keep", help="Store the new verdicts as the newest ones of this sweep."),
) -> None:
    """Judge a stored sweep again by today's rules or those of a bundle. Nothing is sent; the old verdicts stay."""
    from camvet.assessment import activity_named, as_of_day, assess, exit_code, policy_named
    from camvet.baselines import Known, watched
    from camvet.prose import headline, summary
    from camvet.shapes import identity_json, verdict_json
    from camvet.sweeping import actor
    from camvet.waivers import Waivers
    from rules.policy import with_firmware_months
    from scanner import clock

    context = context_of(ctx)
    if lists is not None:
        from camvet.lists import use_bundle

        bundle = use_bundle(context, lists)
        if bundle.lacks:
            context.terminal.note(f"{lists}: it does not carry {', '.join(bundle.lacks)}: those of this installation "
                                  "are used in their place, and the verdict names their editions")
    inventory = context.inventory()
    row = inventory.sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site} (or more than one begins so)")
    known = inventory.devices_of(row.id)
    stored = {d.key: (d.observations, d.attempts) for d in known}
    asked = row.document["scope"]
    rules = policy_named(policy or row.policy)
    if firmware_months is not None:
        rules = policy_named(with_firmware_months(rules.policy, firmware_months))
    day = as_of_day(as_of)
    judgements = assess(stored, policy=rules, as_of=day,
                        activity=activity_named(activity) or asked["activity"], purpose=purpose or asked["purpose"],
                        known=Known.of(inventory, row.site, day), watched_s=watched(row.document.get("captures", ())),
                        waive=Waivers.of(inventory, row.site).hook(stored, day, {d.key: d.id for d in known}))
    differ = _differ([one.judgement.verdict for one in known], [one.verdict for one in judgements])
    if differ:
        context.terminal.note("another edition than in the stored verdicts: " + "; ".join(differ))
    if keep:
        inventory.rejudge(row.id, judgements, at=clock.now(), actor=actor())
    if context.terminal.as_json:
        context.terminal.document({"sweep": row.id, "editions_differ": differ, "devices": [
            {"key": j.identity.device, "identity": identity_json(j.identity), "verdict": verdict_json(j.verdict)}
            for j in judgements]})
    else:
        for judgement in judgements:
            context.terminal.text(headline(judgement.identity))
            outcome = judgement.verdict.outcome
            context.terminal.lines([f"  {outcome} on {judgement.verdict.as_of} under {judgement.verdict.policy}"])
            context.terminal.lines(summary(judgement.identity, judgement.verdict))
    raise typer.Exit(exit_code(judgements, complete=row.complete))


def _differ(before: Iterable[Verdict], now: Iterable[Verdict]) -> list[str]:
    """Which lists the stored verdicts used in another edition, or not at all, each with its editions and dates."""
    used = {version.id: version for verdict in now for version in verdict.lists}
    stored = dict.fromkeys(version for verdict in before for version in verdict.lists)
    if not used or not stored:
        return []
    known = {version.id for version in stored}
    return [f"{old.name}: {old.version} of {old.dated}, now {used[old.id].version} of {used[old.id].dated}"
            for old in stored if old.id in used and used[old.id].version != old.version] + [
        f"{old.name}: {old.version} of {old.dated}, now not used" for old in stored if old.id not in used] + [
        f"{new.name}: not used, now {new.version} of {new.dated}" for new in used.values() if new.id not in known]
