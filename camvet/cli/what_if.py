"""`camvet what-if`: the devices of a stored sweep under another buyer and day, as a table of laws by device."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from datetime import date

    from rules.effects import Effects
    from rules.judgement import Law
    from rules.makers import Maker

_LETTERS = {
    "none": "-", "prohibited": "P", "prohibited_to_provide": "V", "prohibited_to_contract_with_users": "U",
    "prohibited_as_condition_of_contract": "C", "prohibited_on_sensitive_sites": "S",
    "prohibited_to_buy_securities": "B", "supply_side_prohibited": "M", "supply_side_frozen": "Z",
    "subsidy_restricted": "G", "export_licence_only": "L", "discretionary_exclusion": "D", "red_flag": "f",
    "review": "r"}
_NARROWEST = 80


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
    from camvet import listings
    from camvet.assessment import activity_named, as_of_day
    from camvet.shapes import list_json
    from rules import makers
    from rules.judgement import Law
    from rules.regimes import list_version

    context = context_of(ctx)
    roles = [name for given in buyer for name in re.split(r"[,\s]+", given) if name]
    row = context.inventory().sweep(sweep, context.settings.site)
    if row is None:
        raise UsageError(f"no sweep {sweep!r} of site {context.settings.site}: run camvet sweep first")
    day, activity, listed = as_of_day(as_of), activity_named(activity), listings.held()
    law, known = Law.load(activity, purpose, listed), makers.load()
    devices: list[dict[str, Any]] = []
    for stored in context.inventory().devices_of(row.id):
        identity = stored.judgement.identity
        found = _effects([known[slug] for slug in identity.makers], roles, day, law)
        devices.append({
            "device": stored.key, "maker": identity.maker, "model": identity.model,
            "assurance": str(identity.assurance),
            "entity": found.party.id if found else None, "overall": str(found.overall) if found else "review",
            "effects": {one.regime: str(one.effect) for one in found.effects} if found else {},
            "assumed": [one.regime for one in found.binding if one.condition_met == "unknown"] if found else [],
            "unverified": [one.regime for one in found.binding if one.unverified] if found else []})
    told = dict.fromkeys(name for device in devices for name in device["effects"])
    order = {one.regime: at for at, one in enumerate(law.regimes)}          # those of imported lists come last
    regimes = [name for name in sorted(told, key=lambda one: order.get(one, len(order)))
               if any(device["effects"].get(name, "none") != "none" for device in devices)]
    if context.terminal.as_json:
        context.terminal.document({"sweep": row.id, "as_of": day.isoformat(), "buyers": roles, "activity": activity,
                                   "purpose": purpose, "regimes": regimes, "devices": devices,
                                   "lists": [list_json(one, day) for one in (list_version(),
                                                                             *(listed.versions if listed else ()))]})
    else:
        context.terminal.lines(_table(devices, regimes, max(_NARROWEST, shutil.get_terminal_size().columns)))
    codes = {"legal": ExitCode.CLEAN, "review": ExitCode.INCOMPLETE}
    raise typer.Exit(worst(ExitCode.CLEAN, *(codes.get(device["overall"], ExitCode.FINDINGS) for device in devices)))


def _effects(makers: list[Maker], roles: list[str], day: date, law: Law) -> Effects | None:
    """The worst of what the laws and lists say of the credible makers; ``None`` where no maker is known."""
    from rules.buyers import UnknownBuyerError, weight

    if not makers:
        return None
    try:
        found = [law.effects_on(maker, roles, day) for maker in makers]
    except (UnknownBuyerError, ValueError) as error:
        raise UsageError(str(error)) from error
    return min(found, key=lambda one: min(weight(effect) for effect in one.effects))


def _table(devices: list[dict[str, Any]], regimes: list[str], width: int) -> list[str]:
    """A line a device: what it amounts to, then every law that says something of any device here.

    Where the effects do not fit `width` in words they stand as letters under the numbers of the laws, explained below.
    """
    if not devices:
        return ["no device in this sweep"]
    front = [["device", "maker", "overall"], *([device["device"], device["maker"] or "unknown", device["overall"]]
                                               for device in devices)]
    words = _aligned([[*row, *cells] for row, cells in zip(front, _cells(devices, regimes, short=False), strict=True)])
    marks = _marks(devices)
    if max(map(len, words)) <= width:
        return [*words, *marks]
    used = max(map(len, _aligned(front)))
    fit = max(1, (width - used) // 5)
    lines: list[str] = []
    for first in range(0, len(regimes), fit):
        columns = _cells(devices, regimes[first:first + fit], short=True)
        columns[0] = [str(number) for number in range(first + 1, first + len(columns[0]) + 1)]
        lines += [*_aligned([[*row, *(cell.ljust(3) for cell in cells)] for row, cells in
                             zip(front, columns, strict=True)]), ""]
    effects = dict.fromkeys(device["effects"][name] for name in regimes for device in devices if device["effects"])
    legend = [f"{_LETTERS[effect]} {effect}" for effect in effects if effect != "none"]
    numbered = [f"{number} {name}" for number, name in enumerate(regimes, 1)]
    return [*lines, *_packed(numbered, width), *_packed(legend, width), *marks]


def _packed(items: list[str], width: int) -> list[str]:
    """The items side by side, none of them broken."""
    joined = "  ".join(item.replace(" ", "\N{NO-BREAK SPACE}") for item in items)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(joined, width, break_on_hyphens=False)]


def _cells(devices: list[dict[str, Any]], regimes: list[str], *, short: bool) -> list[list[str]]:
    """The head and one row a device: the effect of each law, with ``*`` and ``?`` as `_marks` explains them."""
    def cell(device: dict[str, Any], name: str) -> str:
        effect = device["effects"].get(name, "none")
        word = _LETTERS[effect] if short or effect == "none" else effect
        return word + "*" * (name in device["assumed"]) + "?" * (name in device["unverified"])

    return [list(regimes), *([cell(device, name) for name in regimes] for device in devices)]


def _marks(devices: list[dict[str, Any]]) -> list[str]:
    said = []
    if any(device["assumed"] for device in devices):
        said.append("* whether its condition is met is not known; it was assumed")
    if any(device["unverified"] for device in devices):
        said.append("? some fact behind it could not be verified")
    if any(device["maker"] is None for device in devices):
        said.append("unknown is never clean: a device without a known maker is for review")
    return ["", *said] if said else []


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
