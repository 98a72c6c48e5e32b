"""`camvet waive`: accept what one check or one clause holds against a device, with a reason, until a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.admission import SiteWorld
    from camvet.decisions import Deciding
    from camvet.inventory import WaiverRow
    from camvet.waivers import Asked

LONGEST = timedelta(days=366)


@verb(rank=52)
def waive(
    ctx: typer.Context,
    words: list[str] = typer.Argument(None, metavar="[DEVICE] RULE", help=(
        "A device, and a finding's rule or a policy's clause; the rule alone with --maker, --model, --everywhere.")),
    reason: str | None = typer.Option(None, "--reason", help="Why that is acceptable here."),
    owner: str | None = typer.Option(None, "--owner", metavar="NAME", help="Who answers for it while it lasts."),
    until: str | None = typer.Option(None, "--until", metavar="YYYY-MM-DD", help="The last day on which it holds."),
    expires: str | None = typer.Option(None, "--expires", metavar="YYYY-MM-DD", help="Or: the first day after."),
    approver: str | None = typer.Option(None, "--approver", metavar="NAME", help="Who alone may approve it."),
    maker: str | None = typer.Option(None, "--maker", metavar="M", help="For every device made by M."),
    model: str | None = typer.Option(None, "--model", metavar="X", help="For every device of a model (?, last *)."),
    everywhere: bool = typer.Option(False, "--everywhere", help="For every device of the site."),
    approve: str | None = typer.Option(None, "--approve", metavar="ID", help="Approve what somebody else asked for."),
    show: bool = typer.Option(False, "--list", help="List the site's waivers, expired and withdrawn ones too."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who does it (default: the OS user)."),
) -> None:
    """Ask for a waiver of a failed finding, approve one, or waive a clause of a conditional verdict.

    A finding's waiver counts once somebody else has approved it; a clause's is approved with the device. Nothing
    waives a prohibition, or not knowing what a device is.
    """
    from camvet.decisions import acting
    from rules.policy import Clause

    context, who = context_of(ctx), acting(actor)
    if show or approve is not None:
        if words or (show and approve is not None):
            raise UsageError("--list and --approve stand alone: camvet waive --approve ID --actor NAME")
        _list(context) if show else _approve(context, approve or "", who)
        raise typer.Exit(ExitCode.CLEAN)
    device, rule = _asked_for(words or [], wide=bool(maker or model or everywhere))
    if not (reason or "").strip():
        raise UsageError("--reason: a waiver without a reason is none")
    ends = _end_of(until, expires)
    if rule in set(Clause):
        if device is None:
            raise UsageError(f"{rule} is a clause of the policy: it is waived for one device")
        raise typer.Exit(_waive_clause(context, device, rule, (reason or "").strip(), ends, who))
    if not (owner or "").strip():
        raise UsageError("--owner: say who answers for it while it lasts")
    told = ((owner or "").strip(), (reason or "").strip(), (approver or "").strip())
    raise typer.Exit(_request(context, device, rule, _scope(maker, model, everywhere=everywhere), told, ends.date(),
                              who))


def _asked_for(words: list[str], *, wide: bool) -> tuple[str | None, str]:
    if wide and len(words) == 1:
        return None, words[0]
    if not wide and len(words) == 2:
        return words[0], words[1]
    raise UsageError("expected a device and a rule, or a rule alone with --maker, --model or --everywhere")


def _end_of(until: str | None, expires: str | None) -> datetime:
    """The moment a waiver ends: midnight, UTC, of the first day on which it does not hold."""
    from scanner import clock

    if (until is None) == (expires is None):
        raise UsageError("give either --until (the last day) or --expires (the first day after): a waiver has an end")
    option, text = ("--until", until) if until is not None else ("--expires", expires)
    try:
        day = date.fromisoformat(text or "")
    except ValueError as error:
        raise UsageError(f"{option} {text!r}: expected YYYY-MM-DD") from error
    first_without = day + timedelta(days=1) if until is not None and day < date.max else day
    today = clock.now().date()
    if not today < first_without <= today + LONGEST:
        raise UsageError(f"{option} {text}: expected a day that leaves it at least today, within {LONGEST.days} days")
    return datetime.combine(first_without, time(), UTC)


# -- a finding ---------------------------------------------------------------------------------------------------------

def _scope(maker: str | None, model: str | None, *, everywhere: bool) -> tuple[str, str]:
    """Maker's slug and model of a waiver that names no device."""
    if everywhere and (maker or model):
        raise UsageError("--everywhere is for every device of the site: leave out --maker and --model")
    return _slug(maker) if maker else "", (model or "").strip()


def _slug(maker: str) -> str:
    from rules.advisory_vendors import maker_named

    found = maker_named(maker)
    if found is None:
        raise UsageError(f"--maker {maker!r}: no maker of that name is known")
    return found


def _request(context: Context, device: str | None, rule: str, scope: tuple[str, str], told: tuple[str, str, str],
             ends: date, who: str) -> ExitCode:
    from camvet import waivers
    from camvet.cli.show import one_device
    from rules.waivers import Waiver, same_person
    from scanner import clock

    owner, reason, approver = told
    if approver and same_person(approver, who):
        raise UsageError(f"--approver {approver}: whoever asks for a waiver does not approve it")
    inventory, site = context.inventory(), context.settings.site
    row = one_device(context, device) if device is not None else None
    if row is not None:
        refused = _unfit(context, row.verdict.findings, rule, row.key)
        if refused is not None:
            return refused
    else:
        _known_rule(context, rule)
    waiver = Waiver("", rule, (), owner, reason, who, "", clock.now().date(), ends, None, *scope)
    made = waivers.request(inventory, site, waiver, at=clock.now(), device=row, approver=approver)
    asked = waivers.Waivers.of(inventory, site).find(made)
    if asked is None:
        raise RuntimeError("a waiver that was just stored is not in the log")
    if context.terminal.as_json:
        context.terminal.document(_json(asked))
    else:
        context.terminal.text(f"{made}  asks to waive {rule} for {asked.scope} until {waiver.expires} ({owner}: "
                              f"{reason})")
        context.terminal.text(f"  It does not count until {approver or 'somebody else'} has approved it: "
                              f"camvet waive --approve {made} --actor NAME")
        if row is None:
            context.terminal.text(f"  Today {_reach(context, asked)} devices fail it in that scope; devices that come "
                                  "later are meant too.")
    return ExitCode.CLEAN


def _unfit(context: Context, findings: Any, rule: str, key: str) -> ExitCode | None:  # noqa: ANN401 - findings as stored
    """Say why a finding of one device cannot be waived; None where it can."""
    from rules.vocabulary import Status

    finding = next((one for one in findings if one.rule == rule), None)
    if finding is None:
        failed = ", ".join(sorted(one.rule for one in findings if one.status is Status.FAIL)) or "nothing"
        raise UsageError(f"{rule!r} is no finding on {key}; what fails there is {failed}")
    if finding.status in (Status.FAIL, Status.WAIVED):
        return None
    because = ("it was not assessed: nobody knows what would be accepted" if finding.status is Status.NOT_ASSESSED
               else f"it is {finding.status}: there is nothing to accept")
    if context.terminal.as_json:
        context.terminal.document({"address": key, "wanted": "waive", "refused": True, "rule": "waive.not_failed",
                                   "because": because})
    else:
        context.terminal.styled_text(("REFUSED", "red"), f"  {key}  waive.not_failed: {rule}: {because}")
    return ExitCode.FINDINGS


def _known_rule(context: Context, rule: str) -> None:
    from rules import checks

    known = {check.id for check in checks.load()}
    known |= {finding.rule for row in context.inventory().devices(context.settings.site)
              for finding in row.verdict.findings}
    if rule not in known:
        near = sorted(one for one in known if one.partition(".")[0] == rule.partition(".")[0])
        raise UsageError(f"no finding has the rule {rule!r}" + (f"; there are {', '.join(near[:12])}" if near else ""))


def _reach(context: Context, asked: Asked) -> int:
    from dataclasses import replace

    from rules.vocabulary import Status
    from rules.waivers import apply_waivers

    waiver = replace(asked.waiver, approved_by="somebody else")     # as if it counted
    reached = 0
    for row in context.inventory().devices(context.settings.site):
        found, _ = apply_waivers(row.verdict.findings, [waiver], asked.asked_on, row.identity)
        reached += any(one.status is Status.WAIVED and one.rule == waiver.rule for one in found)
    return reached


def _approve(context: Context, wanted: str, who: str) -> None:
    from camvet import waivers
    from rules.waivers import same_person, why_not
    from scanner import clock

    inventory, site, now = context.inventory(), context.settings.site, clock.now()
    asked = waivers.Waivers.of(inventory, site).find(wanted)
    if asked is None:
        raise UsageError(f"no waiver {wanted!r} in site {site}: see camvet waive --list")
    waiver = asked.waiver
    because = ""
    if same_person(waiver.requested_by, who):
        because = f"{who} asked for it; somebody else has to approve it"
    elif asked.approver and not same_person(asked.approver, who):
        because = f"{asked.approver} was asked to approve it"
    elif waiver.withdrawn_on is not None:
        because = f"it was withdrawn on {waiver.withdrawn_on}"
    elif waiver.approved_by:
        because = f"{waiver.approved_by} has approved it"
    elif waiver.expires is not None and now.date() >= waiver.expires:
        because = f"it expired on {waiver.expires}"
    if because:
        _refuse(context, wanted, because)
    waivers.approve(inventory, asked, at=now, actor=who)
    stands = waivers.Waivers.of(inventory, site).find(wanted)
    if stands is None or why_not(stands.waiver, now.date()) is not None:
        raise RuntimeError("a waiver that was just approved does not count")
    if context.terminal.as_json:
        context.terminal.document(_json(stands))
    else:
        context.terminal.text(f"{wanted}  {waiver.rule} is waived for {stands.scope} until {waiver.expires}, asked for "
                              f"by {waiver.requested_by}, approved by {who}")
        context.terminal.text("  Reports and the gate use it from now on; camvet judge --keep writes it into the "
                              "stored verdicts.")


def _refuse(context: Context, wanted: str, because: str) -> None:
    if context.terminal.as_json:
        context.terminal.document({"waiver": wanted, "wanted": "approve", "refused": True, "rule": "waive.approve",
                                   "because": because})
    else:
        context.terminal.styled_text(("REFUSED", "red"), f"  {wanted}  waive.approve: {because}")
    raise typer.Exit(ExitCode.FINDINGS)


def _json(asked: Asked) -> dict[str, Any]:
    from scanner import clock

    waiver = asked.waiver
    return {
        "waiver": waiver.id, "rule": waiver.rule, "site": asked.site, "device": asked.device or None,
        "address": asked.key or None, "maker": waiver.maker or None, "model": waiver.model or None,
        "owner": waiver.owner, "reason": waiver.reason, "requested_by": waiver.requested_by,
        "requested_on": asked.asked_on.isoformat(), "approver": asked.approver or None,
        "approved_by": waiver.approved_by or None,
        "approved_on": waiver.begins.isoformat() if waiver.approved_by else None,
        "expires": waiver.expires.isoformat() if waiver.expires else None, "withdrawn": asked.withdrawn or None,
        "state": asked.state(clock.now().date())}


def _list(context: Context) -> None:
    from camvet.waivers import Waivers
    from scanner import clock

    asked = Waivers.of(context.inventory(), context.settings.site).asked
    if context.terminal.as_json:
        context.terminal.document([_json(one) for one in asked])
        return
    if not asked:
        context.terminal.text(f"no finding was ever waived in site {context.settings.site}")
    for one in asked:
        waiver = one.waiver
        context.terminal.text(f"{waiver.id}  {waiver.rule} for {one.scope}: {one.state(clock.now().date())}")
        approved = f", approved by {waiver.approved_by} on {waiver.begins}" if waiver.approved_by else ""
        context.terminal.text(f"  owner {waiver.owner}; {waiver.reason}; asked for by {waiver.requested_by} on "
                              f"{one.asked_on}{approved}; expires {waiver.expires}")


# -- a clause of the policy --------------------------------------------------------------------------------------------

def _waive_clause(context: Context, device: str, rule: str, reason: str, ends: datetime, who: str) -> ExitCode:
    from analytics.gate import Refused
    from camvet.admission import SiteWorld
    from camvet.cli.show import one_device
    from camvet.decisions import Deciding, key_store

    deciding = Deciding(context, one_device(context, device), "waive", who)
    world = SiteWorld(context.inventory(), key_store(context))
    try:
        _check(world, deciding, rule)
    except Refused as why:
        return deciding.refuse(why)
    _store(deciding, rule, reason, ends)
    return ExitCode.CLEAN


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
