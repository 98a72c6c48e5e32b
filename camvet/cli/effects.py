"""`camvet effects`: what each law and list says of an entity, for a buyer, on a day."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import typer

from camvet.cli import context_of, verb
from camvet.context import Context, ExitCode, UsageError

if TYPE_CHECKING:
    from rules.effects import Effects
    from rules.entities import Entities
    from rules.regimes import Regime
    from rules.vocabulary import Effect, ListVersion, Overall

_WIDTH = 116
_IN_WORDS = {
    "legal": "legal: no law or list known here speaks against it",
    "legal_red_flag": "legal, with a red flag",
    "restricted": "restricted",
    "prohibited": "prohibited",
    "review": "to be reviewed by a person: it could not be settled here",
}


@verb(rank=22)
def effects(
    ctx: typer.Context,
    words: list[str] = typer.Argument(..., metavar="ENTITY", help="Company, brand, alias, id or maker; quote spaces."),
    buyer: list[str] = typer.Option(..., "--buyer", metavar="B", help="Who buys; of several roles the worst counts."),
    as_of: str | None = typer.Option(None, "--as-of", metavar="YYYY-MM-DD", help="The day in question; default today."),
    activity: str | None = typer.Option(None, "--activity", metavar="A", help=(
        "procure, use, provide, import, market, export_to, invest, subsidise or contract (default: the buyer's own).")),
    purpose: str | None = typer.Option(None, "--purpose", metavar="P", help="What it is for; some laws look at it."),
    regime: list[str] | None = typer.Option(None, "--regime", metavar="R", help="Only this law or list; repeatable."),
) -> None:
    """Say what each law and list means for a buyer on a day. Dated facts with citations, no legal advice."""
    from camvet.assessment import activity_named
    from rules import effects as law
    from rules.buyers import UnknownBuyerError
    from rules.entities import UnknownEntityError
    from scanner import clock

    context = context_of(ctx)
    roles = [name for given in (*buyer, *words[1:]) for name in re.split(r"[,\s]+", given) if name]
    day = clock.now().date() if as_of is None else _day(as_of)
    known = _law_of(context, words[0])
    asked = _regimes(known.regimes, regime or [])
    try:
        found = law.effects_of(known.entity, roles, day, activity_named(activity), purpose, regimes=asked,
                               entities=known.entities)
    except UnknownBuyerError as error:
        hint = f"; quote a name with spaces: {' '.join(words)!r}" if error.wanted in words[1:] else ""
        raise UsageError(f"{error}{hint}") from error
    except UnknownEntityError as error:
        near = f"; close to it in an imported list: {known.near}" if known.near else ""
        raise UsageError(f"{_label(words[0]) or error}{near}; an unknown name is no clean name") from error
    if context.terminal.as_json:
        context.terminal.document(effects_document(found, known.versions))
    else:
        context.terminal.lines(render_effects(found, known.versions))
    for version in known.versions:
        if day > version.dated:
            which = f"{version.name}: " if len(known.versions) > 1 else ""
            context.terminal.note(f"{which}the facts were collected on {version.dated}: what changed by {day} is not "
                                  "in them")
    raise typer.Exit(exit_code(found.overall))


def _label(wanted: str) -> str:
    """What is known of a name that is a label and no company: a law speaks of who built the device behind it."""
    from rules import catalog
    from rules.names import squeeze

    known = catalog.load()
    labels = known.labels.get(squeeze(wanted), ())
    if not labels:
        return ""
    makers = " or ".join(dict.fromkeys(label.party for label in labels))
    return (f"{labels[0].written} is a label that devices of {makers} are sold under, and laws speak of who built a "
            f"device: ask of {makers} once that is known (camvet screen says what speaks for it)")


@dataclass(frozen=True, slots=True)
class _Known:
    """Whom the question is about, with every law, party and list that may say something of it."""

    entity: str
    entities: Entities
    regimes: tuple[Regime, ...]
    versions: tuple[ListVersion, ...]
    near: str | None = None


def _law_of(context: Context, wanted: str) -> _Known:
    """The shipped laws and, where lists were imported, what those say of the party beside."""
    from camvet.lists import known_lists
    from camvet.screening import law_beside, listed_makers
    from rules import catalog
    from rules import entities as entity_data
    from rules import regimes as data
    from rules.entities import UnknownEntityError

    entities, regimes = entity_data.load(), data.load()
    versions: tuple[ListVersion, ...] = (data.list_version(),)
    imported = known_lists(context)
    if imported is None:
        return _Known(wanted, entities, regimes, versions)
    versions += imported.versions
    try:
        entity: str | None = entities.resolve(wanted).id
    except UnknownEntityError:
        entity = imported.entity_of(wanted)
    if entity is None:
        return _Known(wanted, entities, regimes, versions, imported.near(wanted))
    known = law_beside(entity, imported, listed_makers(imported, catalog.load()), entities, regimes)
    return _Known(entity, *known, versions)


def exit_code(overall: Overall) -> ExitCode:
    """0 for legal, 3 for review, 1 for everything that somebody has to look at before buying."""
    return {"legal": ExitCode.CLEAN, "review": ExitCode.INCOMPLETE}.get(str(overall), ExitCode.FINDINGS)


def effects_document(found: Effects, versions: Sequence[ListVersion]) -> dict[str, Any]:
    """The JSON document of the verb: one effect a regime, and all of them by role where several roles were asked."""
    from camvet.shapes import list_json
    from rules.effects import DISCLAIMER

    document: dict[str, Any] = {
        "entity": found.party.id, "name": found.party.name, "as_of": found.as_of.isoformat(),
        "buyers": list(found.buyers), "activity": found.activity, "purpose": found.purpose,
        "effects": [_shape(effect) for effect in found.effects], "overall": str(found.overall),
        "entity_note": found.party.note, "entity_unverified": found.party.unverified,
        "lists": [list_json(version, found.as_of) for version in versions], "disclaimer": DISCLAIMER,
    }
    if len(found.buyers) > 1:
        document["by_role"] = [_shape(effect) for effect in found.by_role]
    return document


def _shape(effect: Effect) -> dict[str, Any]:
    """One effect; who was removed from a list is not listed, and `removed_on` says since when."""
    from camvet.shapes import effect_json

    shape = effect_json(effect)
    shape["removed_on"] = effect.removed_on.isoformat() if effect.removed_on else None
    shape["exceptions"] = list(effect.exceptions)
    if effect.listed == "removed":
        shape["listed"] = False
    return shape


def render_effects(found: Effects, versions: Sequence[ListVersion]) -> list[str]:
    """The answer as lines for a person: what counts first, then what says nothing, then how far to trust it."""
    from rules.effects import DISCLAIMER

    party = found.party
    unverified = " (what is known of it is unverified)" if party.unverified else ""
    seat = f", {party.country}" if party.country else ""
    lines = _wrapped("", f"{party.name} [{party.id}{seat}] on {found.as_of} for {', '.join(found.buyers)}: "
                         f"{_IN_WORDS[str(found.overall)]}{unverified}")
    activity, purpose = found.activity or "what the buyer usually does", found.purpose or "not given"
    lines += _wrapped("", f"activity: {activity}; purpose: {purpose}")
    if party.note:
        lines += _wrapped("", f"note: {party.note}")
    for effect in found.binding:
        lines += ["", *_told(effect)]
    lines += _silent([e for e in found.effects if str(e.effect) == "none"])
    law, *imported = versions
    lines += ["", *_wrapped("", f"{DISCLAIMER} Facts of {law.dated}, edition {law.version}.")]
    for one in imported:
        lines += _wrapped("", f"Imported list {one.name}, of {one.dated}, edition {one.version}.")
    return lines


def _told(effect: Effect) -> list[str]:
    binding = "binds" if effect.binds_buyer else "does not bind"
    mark = "  (unverified)" if effect.unverified else ""
    lines = [f"{effect.regime}  {effect.effect}  {binding} {effect.buyer} ({effect.activity}){mark}",
             f"  {effect.name}"]
    lines += _wrapped("  because     ", effect.because)
    if effect.condition:
        lines += _wrapped("  condition   ", f"{effect.condition} (met: {effect.condition_met})")
    if effect.why_listed:
        lines += _wrapped("  why listed  ", effect.why_listed)
    lines += [line for duty in effect.duty for line in _wrapped("  duty        ", duty)]
    lines += [line for exception in effect.exceptions for line in _wrapped("  except      ", exception)]
    lines += _wrapped("  citation    ", effect.citation)
    lines += _wrapped("  source      ", effect.source)
    return lines


def _silent(quiet: Sequence[Effect]) -> list[str]:
    """Regimes without effect: those with something to say in full, the others by name."""
    others = [e for e in quiet if e.in_force and e.listed in {"category", "unresolved"} and not e.binds_buyer]
    told = [e for e in quiet if e.in_force and e.listed != "false" and e not in others]
    lines = ["", "no effect"] if quiet else []
    lines += [line for e in told for line in _wrapped(f"  {e.regime:<16}  ", e.because)]
    absent = [e for e in quiet if e.in_force and e.listed == "false"]
    for title, group in (("not on it", absent), ("for others", others),
                         ("not in force", [e for e in quiet if not e.in_force])):
        names = ", ".join(e.regime + (" (unverified)" if e.unverified else "") for e in group)
        lines += _wrapped(f"  {title:<16}  ", names) if names else []
    return lines


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_long_words=False,
                         break_on_hyphens=False)


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise UsageError(f"--as-of {text!r}: expected YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r}: {error}") from error


def _regimes(known: Iterable[Regime], wanted: Sequence[str]) -> list[Regime]:
    by_id = {found.regime: found for found in known}
    if not wanted:
        return list(by_id.values())
    names = [name.upper() for given in wanted for name in given.split(",") if name]
    if unknown := [name for name in names if name not in by_id]:
        raise UsageError(f"--regime {', '.join(unknown)}: known are {', '.join(by_id)}")
    return [by_id[name] for name in dict.fromkeys(names)]
