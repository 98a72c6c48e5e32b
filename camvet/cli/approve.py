"""`camvet approve`: attest that a device, as it is now, may be let in, until a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError

if TYPE_CHECKING:
    from analytics.attestation import Attestation, Waiver
    from analytics.fingerprint import Fingerprint
    from camvet.admission import SiteWorld
    from camvet.decisions import Deciding
    from camvet.inventory import SweepRow
    from rules.vocabulary import Verdict
    from scanner.observation import Observation
    from scanner.wire.auth import Credentials


@verb(rank=51)
def approve(
    ctx: typer.Context,
    device: str = typer.Argument(..., help="Inventory id, address, MAC or serial."),
    lasts: str | None = typer.Option(None, "--lasts", metavar="DAYS", help="How long (default: as the policy says)."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who approves (default: the OS user)."),
    credentials: str | None = typer.Option(None, "--credentials", metavar="REF",
                                           help="env:NAME or file:PATH, to read serial and firmware."),
    port_map: Path | None = typer.Option(None, "--port-map", metavar="FILE", help="As in sweep."),
    neighbours: Path | None = typer.Option(None, "--neighbours", metavar="FILE", help="As in sweep."),
) -> None:
    """Judge a device with today's lists, read its fingerprint live, and sign an attestation of both.

    Exit 1, naming the rule, where it is rejected, prohibited, undetermined, or conditional without another's waiver.
    """
    from analytics.attestation import AttestationError
    from analytics.gate import Refused
    from camvet.admission import SiteWorld
    from camvet.cli.show import one_device
    from camvet.credentials import resolve_for
    from camvet.decisions import Deciding, acting, days, key_store
    from camvet.port_map import read_port_map

    context = context_of(ctx)
    row = one_device(context, device)
    deciding = Deciding(context, row, "approve", acting(actor))
    term = timedelta(days=days(lasts, "--lasts")) if lasts else None
    if term is not None and not term:
        raise UsageError("--lasts 0: an attestation that never holds")
    login = resolve_for(credentials, row.key) if credentials and "#" not in row.key else None
    world = SiteWorld(context.inventory(), key_store(context), port_map=read_port_map(port_map),
                      neighbour_table=neighbours)
    try:
        given = _approve(deciding, world, login, term)
    except (Refused, AttestationError) as why:
        raise typer.Exit(deciding.refuse(why)) from why
    _tell(deciding, given)
    raise typer.Exit(ExitCode.CLEAN)


def _approve(deciding: Deciding, world: SiteWorld, login: Credentials | None, term: timedelta | None) -> Attestation:
    from analytics import attestation
    from analytics.attestation import AttestationError
    from analytics.gate import Refused
    from camvet.admission import refuse_rejected, refuse_unfit
    from camvet.decisions import key_store
    from camvet.inventory import AttestationRow
    from scanner import clock

    row, inventory = deciding.row, deciding.context.inventory()
    keys = key_store(deciding.context)
    signing = keys.signing()                   # a missing key is said before the device is asked anything
    refuse_rejected(inventory, row.site, row.id)
    found = inventory.newest_seen(row.id)
    if found is None:
        raise Refused("gate.unknown_device", "no sweep has seen the device")
    sweep, (stored, *_) = found
    verdict = refuse_unfit(world.verdict(row.id, stored.judgement.verdict.policy))
    if "#" in stored.key:
        raise Refused("approve.no_address", "a camera behind a recorder has no address of its own to be held to")
    _refuse_stale(sweep, verdict)
    waivers = _waivers(deciding, verdict)
    _refuse_unwaived(verdict, waivers, deciding.actor)
    fingerprint = _read(world, row.id, stored.key, stored.observations, login)
    now = clock.now()
    envelope = attestation.issue(device=row.id, address=stored.key, fingerprint=fingerprint, verdict=verdict,
                                 actor=deciding.actor, now=now, lasts=term or verdict.expires - verdict.as_of,
                                 key=signing, waivers=waivers)
    try:
        given = attestation.verify(envelope, trusted=keys.trusted(), now=now)
    except AttestationError as error:          # a signing key without its public half would sign what nobody trusts
        raise AttestationError(error.rule, f"what was just signed does not verify: {error.because}") from error
    inventory.gate.add_attestation(
        AttestationRow(given.id, row.id, envelope, clock.stamp(given.issued), clock.stamp(given.expires), given.actor),
        at=now, document={"address": given.address, "outcome": str(given.outcome), "policy": given.policy,
                          "fingerprint": fingerprint.to_json(), "waived": list(given.waived),
                          "lists": dict(given.lists)})
    return given


def _refuse_stale(sweep: SweepRow, verdict: Verdict) -> None:
    """What was seen too long ago is judged by today's lists in vain."""
    from analytics.gate import Refused
    from scanner import clock

    holds = verdict.expires - verdict.as_of
    if clock.now() - datetime.fromisoformat(sweep.finished) > holds:
        raise Refused("approve.stale_sweep", f"it was last swept on {sweep.finished[:10]}, more than {holds.days} days "
                      "ago: sweep it again")


def _waivers(deciding: Deciding, verdict: Verdict) -> list[Waiver]:
    """What was waived for the device: clauses by the gate's own waivers, and findings by theirs."""
    from analytics.attestation import Waiver

    of_clauses = [Waiver(one.rule, one.reason, one.actor, datetime.fromisoformat(one.expires))
                  for one in deciding.context.inventory().gate.waivers(deciding.row.id)]
    return [*_of_findings(verdict, deciding.actor), *of_clauses]


def _of_findings(verdict: Verdict, actor: str) -> list[Waiver]:
    """The clause ``finding.waived``, covered by the very waivers that made it: until the first of them ends.

    Whoever asked for one of them cannot be the one who approves the device.
    """
    from datetime import UTC, date, time

    from analytics.attestation import Waiver
    from rules.policy import Clause
    from rules.vocabulary import Status
    from rules.waivers import same_person

    facts = [dict(one.facts) for one in verdict.findings if one.status is Status.WAIVED]
    if not facts:
        return []
    asked = [one["waiver requested by"] for one in facts]
    ends = min(date.fromisoformat(one["waived until"]) for one in facts)
    return [Waiver(str(Clause.FINDING_WAIVED), "; ".join(f"{one['waiver']}: {one['waiver reason']}" for one in facts),
                   next((one for one in asked if same_person(one, actor)), asked[0]),
                   datetime.combine(ends, time(), UTC))]


def _refuse_unwaived(verdict: Verdict, waivers: list[Waiver], actor: str) -> None:
    """Before the device is asked anything; `analytics.attestation.issue` holds the same again when it signs."""
    from analytics.gate import Refused
    from rules.vocabulary import Outcome
    from rules.waivers import same_person
    from scanner import clock

    if verdict.outcome is not Outcome.CONDITIONAL:
        return
    for rule in verdict.rules:
        by = {one.actor for one in waivers if one.rule == rule and one.holds(clock.now())}
        if not by:
            raise Refused(rule, "it decides against the device and nobody has waived it (camvet waive)")
        if all(same_person(one, actor) for one in by):
            raise Refused("attestation.same_actor", f"{actor} waived {rule}, so somebody else must approve")


def _read(world: SiteWorld, device: str, address: str, swept: Sequence[Observation],
          login: Credentials | None) -> Fingerprint:
    """The live fingerprint of the device that was swept. Raises `Refused` where it is another, or as good as silent."""
    from analytics.fingerprint import of_observations
    from analytics.gate import Refused
    from camvet.admission import changed_since, refuse_failed_login

    seen = world.read_live(device, address, login, of_observations(o for o in swept if o.transport in ("link", "tls")))
    changed = changed_since(swept, seen.observations)
    if changed and seen.present:
        raise Refused("approve.changed", "what answers there is not what was swept, or not as it was: "
                      + "; ".join(changed) + " (sweep it again)")
    if not seen.present:
        raise Refused("gate.unreachable", f"nobody answers at {address}, so nobody can be recognised there")
    refuse_failed_login(seen)
    return of_observations(seen.observations)


def _tell(deciding: Deciding, given: Attestation) -> None:
    from analytics.fingerprint import TRAITS
    from scanner import clock

    read = given.fingerprint.readable
    unread = [name for name in TRAITS if name not in read]
    terminal = deciding.context.terminal
    if terminal.as_json:
        terminal.document({
            "device": given.device, "address": given.address, "attestation": given.id, "outcome": str(given.outcome),
            "policy": given.policy, "actor": given.actor, "issued": clock.stamp(given.issued),
            "expires": clock.stamp(given.expires), "fingerprint": given.fingerprint.to_json(), "read": list(read),
            "unread": unread, "waived": list(given.waived), "lists": dict(given.lists)})
        return
    terminal.styled_text(("APPROVED", "green"), f"  {given.address}  by {given.actor} until "
                         f"{clock.stamp(given.expires)}, attestation {given.id[:16]}")
    terminal.text(f"  held to its {', '.join(read)}" + (f"; not readable: {', '.join(unread)}" if unread else ""))
    if given.waived:
        terminal.text(f"  waived: {', '.join(given.waived)}")
