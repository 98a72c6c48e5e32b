"""`camvet what-if`: the devices of a stored sweep under another buyer and day, as a table of laws by device."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from datetime import date

    from rules.effects import Effects

_SHORT = {"none": "-"}


@verb("what-if", rank=36)
def what_if(
    ctx: typer.Context,
    sweep: str = typer.Argument("latest", help="A sweep id, its beginning, latest or previous."),
    buyer: list[str] = typer.Option(..., "--buyer", metavar="B", help="Who would buy or use; the worst role counts."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day; default today."),
    activity: str | None = typer.Option(None, "--activity", metavar="A", help="As in camvet effects."),
    purpose: str | None = typer.Option(None, "--purpose", metavar="P", help="What they are for; some laws look at it."),
) -> None:
    """Show what each law would say of every device of a sweep. Nothing is sent and nothing is stored."""
    from camvet.assessment import as_of_day
    from camvet.shapes import list_json
    from rules.regimes import list_version, load

    context = context_of(ctx)
    roles = [name for given in buyer for name in re.split(r"[,\s]+", given) if name]
    row = context.inventory().sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site}: run camvet sweep first")
    day = as_of_day(as_of)
    devices: list[dict[str, Any]] = []
    for stored in context.inventory().devices_of(row.id):
        identity = stored.judgement.identity
        found = _effects(list(identity.makers) or ([identity.maker] if identity.maker else []), roles, day,
                         activity, purpose)
        devices.append({
            "device": stored.key, "maker": identity.maker, "model": identity.model,
            "assurance": str(identity.assurance),
            "entity": found.party.id if found else None, "overall": str(found.overall) if found else "review",
            "effects": {one.regime: str(one.effect) for one in found.effects} if found else {}})
    regimes = [one.regime for one in load()
               if any(device["effects"].get(one.regime, "none") != "none" for device in devices)]
    if context.terminal.as_json:
        context.terminal.document({"sweep": row.id, "as_of": day.isoformat(), "buyers": roles, "activity": activity,
                                   "purpose": purpose, "regimes": regimes, "devices": devices,
                                   "lists": [list_json(list_version())]})
    else:
        context.terminal.lines(_table(devices, regimes))
    codes = {"legal": ExitCode.CLEAN, "review": ExitCode.INCOMPLETE}
    raise typer.Exit(worst(ExitCode.CLEAN, *(codes.get(device["overall"], ExitCode.FINDINGS) for device in devices)))


def _effects(makers: list[str], roles: list[str], day: date, activity: str | None,
             purpose: str | None) -> Effects | None:
    """The worst of what the laws say of the credible makers; ``None`` where no maker, or no party of it, is known."""
    from rules.buyers import UnknownBuyerError, weight
    from rules.effects import effects_of
    from rules.entities import load

    parties = [party.id for maker in makers if (party := load().of_maker(maker)) is not None]
    if not parties:
        return None
    try:
        found = [effects_of(party, roles, day, activity, purpose) for party in parties]
    except (UnknownBuyerError, ValueError) as error:
        raise UsageError(str(error)) from error
    return min(found, key=lambda one: min(weight(effect) for effect in one.effects))


def _table(devices: list[dict[str, Any]], regimes: list[str]) -> list[str]:
    """A line a device: what it amounts to, then every law that says something of any device here."""
    if not devices:
        return ["no device in this sweep"]
    head = ["device", "maker", "overall", *regimes]
    rows = [[device["device"], device["maker"] or "unknown", device["overall"],
             *(_SHORT.get(device["effects"].get(name, "-"), device["effects"].get(name, "-")) for name in regimes)]
            for device in devices]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (head, *rows)]
