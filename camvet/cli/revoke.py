"""`camvet revoke`: take an approval, a waiver or a rejection back, at once and for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from camvet.inventory import AttestationRow


@verb(rank=53)
def revoke(
    ctx: typer.Context,
    wanted: str = typer.Argument(..., metavar="DEVICE|ATTESTATION|WAIVER|REJECTION",
                                 help="A device (all its attestations), or an attestation's, waiver's or rejection's "
                                      "id."),
    reason: str = typer.Option(..., "--reason", help="Why it is taken back."),
    actor: str | None = typer.Option(None, "--actor", metavar="NAME", help="Who does it (default: the OS user)."),
) -> None:
    """Revoke attestations, a waiver or a rejection.

    What is attached by an attestation is suspended, by a running monitor within seconds. A rejection that is taken
    back lets nothing in: what it revoked stays revoked.
    """
    from camvet.decisions import acting
    from scanner import clock

    context = context_of(ctx)
    if not reason.strip():
        raise UsageError("--reason: say why")
    who = acting(actor)
    if wanted.startswith("w-"):
        _withdraw(context, wanted, who, reason.strip())
        raise typer.Exit(ExitCode.CLEAN)
    if wanted.startswith("r-"):
        _take_back(context, wanted, who, reason.strip())
        raise typer.Exit(ExitCode.CLEAN)
    taken = [row.id for row in _meant(context, wanted) if row.revoked_at is None]
    if not taken:
        raise UsageError(f"{wanted!r} has no attestation that could be revoked")
    suspended = context.inventory().gate.revoke(taken, at=clock.now(), actor=who, reason=reason.strip())
    if context.terminal.as_json:
        context.terminal.document({"revoked": taken, "suspended": list(suspended), "actor": who,
                                   "reason": reason.strip()})
    else:
        context.terminal.lines(f"revoked attestation {one[:16]}" for one in taken)
        context.terminal.lines(f"suspended camera {one}" for one in suspended)
    raise typer.Exit(ExitCode.CLEAN)


def _withdraw(context: Context, wanted: str, who: str, reason: str) -> None:
    """Take a finding's waiver back: the finding fails again from today on."""
    from camvet.waivers import Waivers, withdraw
    from scanner import clock

    inventory, site = context.inventory(), context.settings.site
    asked = Waivers.of(inventory, site).find(wanted)
    if asked is None:
        raise UsageError(f"no waiver {wanted!r} in site {site}: see camvet waive --list")
    if asked.withdrawn:
        raise UsageError(f"{wanted} was withdrawn already, by {asked.withdrawn}")
    withdraw(inventory, asked, at=clock.now(), actor=who, reason=reason)
    if context.terminal.as_json:
        context.terminal.document({"withdrawn": wanted, "rule": asked.waiver.rule, "actor": who, "reason": reason})
    else:
        context.terminal.text(f"withdrew {wanted}: {asked.waiver.rule} for {asked.scope} fails again from today on")


def _take_back(context: Context, wanted: str, who: str, reason: str) -> None:
    """End a rejection: the device may be approved again, as far as everything else lets it."""
    from camvet.rejections import Rejections, withdraw
    from scanner import clock

    inventory, site = context.inventory(), context.settings.site
    found = Rejections.of(inventory, site).made.get(wanted)
    if found is None:
        raise UsageError(f"no rejection {wanted!r} in site {site}: camvet show DEVICE names the one of a device")
    if found.withdrawn:
        raise UsageError(f"{wanted} was taken back already, by {found.withdrawn}")
    withdraw(inventory, found, at=clock.now(), actor=who, reason=reason)
    if context.terminal.as_json:
        context.terminal.document({"withdrawn": wanted, "device": found.device, "actor": who, "reason": reason})
    else:
        context.terminal.text(f"took back {wanted}: {found.key} is not rejected by it any more; it has to be approved "
                              "and attached anew")


def _meant(context: Context, wanted: str) -> list[AttestationRow]:
    """A device's attestations where `wanted` names a device, else the one attestation it names."""
    from camvet.cli.show import one_device

    inventory = context.inventory()
    if inventory.find(wanted, context.settings.site):
        return inventory.gate.attestations(one_device(context, wanted).id)
    found = inventory.gate.attestation(wanted)
    if found is None:
        raise UsageError(f"no device and no attestation {wanted!r} in site {context.settings.site}")
    return [found]
