"""Waivers applied to findings: who accepted which failed check on which devices, why, and until when.

A waiver never makes a finding pass: it becomes ``waived``, with the waiver beside it, and a clause of the policy
decides what follows. What was not assessed cannot be waived, since nobody knows what would be accepted. A waiver that
is not in order (no owner or reason, not approved or approved by whoever asked for it, no end, not begun, expired,
withdrawn) counts as none, and the finding that fails in spite of it says why.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.labels import fold
from rules.versions import names_model
from rules.vocabulary import Finding, Identity, Status

__all__ = ["MAX_DAYS", "NO_LONGER", "Refusal", "Waiver", "apply_waivers", "is_settled", "same_person", "why_not"]

MAX_DAYS = 366
"""A waiver for longer than a year is a decision nobody looks at again."""

_ASCII_ALIKE = str.maketrans("I1|0", "lllO")

NO_LONGER = "waiver that does not count"
"""The fact that names a waiver which a failed finding has and which is not in order."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted finding.

    Attributes:
        id: what it is cited by.
        rule: the finding's rule.
        devices: keys of the devices it is for; empty means every device in question that `maker` and `model` name.
        owner: who answers for it while it lasts.
        reason: why the finding is accepted.
        requested_by, approved_by: two different people.
        begins, expires: the first day it counts and the first day it does not.
        rule_version: only for findings of this version of the rule, where given.
        maker: slug of the maker that decides, where it is for one maker's devices.
        model: a scope as in `rules.versions.model_pattern`, where it is for a model.
        withdrawn_on: the day it was taken back; it does not count from then on.
    """

    id: str
    rule: str
    devices: tuple[str, ...]
    owner: str
    reason: str
    requested_by: str
    approved_by: str
    begins: date
    expires: date | None
    rule_version: str | None = None
    maker: str = ""
    model: str = ""
    withdrawn_on: date | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A waiver that does not count, and why."""

    waiver: str
    because: str


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: blanks, case, forms of a character and letters that look alike do not count.

    In doubt it is one person, since two are asked for: a name of which nothing can be seen tells nobody apart.
    """
    if not fold(one) or not fold(other):
        return True
    return any(read(one) == read(other) for read in (_written, _seen, _seen_small, _seen_plain))


def _written(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _seen(name: str) -> str:
    return "".join(fold(name).casefold().split())


def _seen_small(name: str) -> str:
    """As `_seen`, of small letters: some look-alikes are such only in one case, as Greek Nu is of N and v."""
    return _seen(name.casefold())


def _seen_plain(name: str) -> str:
    """As `_seen`, with what ASCII itself has alike: I, l, 1 and the bar; O and 0; rn and m."""
    return "".join(fold(name).translate(_ASCII_ALIKE).replace("rn", "m").casefold().split())


def why_not(waiver: Waiver, as_of: date) -> str | None:
    """Why a waiver does not count on a day; None where it does."""
    if not waiver.owner.strip() or not waiver.reason.strip():
        return "it names no owner or no reason"
    if not waiver.requested_by.strip():
        return "it does not say who asked for it"
    if not waiver.approved_by.strip():
        return "nobody has approved it yet"
    if same_person(waiver.requested_by, waiver.approved_by):
        return f"{waiver.requested_by} asked for it and approved it; that takes two people"
    if waiver.expires is None:
        return "it has no end"
    if waiver.expires <= waiver.begins or (waiver.expires - waiver.begins).days > MAX_DAYS:
        return f"it lasts from {waiver.begins} to {waiver.expires}; between one day and {MAX_DAYS} are allowed"
    if as_of < waiver.begins:
        return f"it begins on {waiver.begins}"
    if waiver.withdrawn_on is not None and as_of >= waiver.withdrawn_on:
        return f"it was withdrawn on {waiver.withdrawn_on}"
    return f"it expired on {waiver.expires}" if as_of >= waiver.expires else None


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver], as_of: date,
                  identity: Identity | None = None) -> tuple[list[Finding], list[Refusal]]:
    """The findings, failed ones made ``waived`` where a waiver in order names them, and the waivers that do not count.

    Where several waivers name a finding, the one that ends last is shown. A finding that fails although a waiver names
    it says why that one does not count. `identity` is who the findings are of; without it no scope of makers fits.
    """
    known = list(waivers)
    refused = [Refusal(waiver.id, because) for waiver in known if (because := why_not(waiver, as_of)) is not None]
    return [_settled(finding, known, as_of, identity) for finding in findings], refused


def is_settled(finding: Finding, waivers: Sequence[Waiver], as_of: date, identity: Identity | None = None) -> bool:
    """Whether a stored finding says of waivers what is so on that day."""
    if finding.status not in {Status.FAIL, Status.WAIVED}:
        return True
    waiver, refused = _named(finding, waivers, as_of, identity)
    said = [fact for fact in finding.facts if fact[0].startswith("waive")]
    return said == [*(_facts(waiver) if waiver is not None else refused)]


def _settled(finding: Finding, waivers: Sequence[Waiver], as_of: date, identity: Identity | None) -> Finding:
    if finding.status is not Status.FAIL:
        return finding
    waiver, refused = _named(finding, waivers, as_of, identity)
    if waiver is not None:
        return replace(finding, status=Status.WAIVED, facts=(*finding.facts, *_facts(waiver)), reason=(
            f"{finding.reason} (waived until {waiver.expires} by {waiver.approved_by}: {waiver.reason})"))
    if not refused:
        return finding
    told = "; ".join(value for _, value in refused)
    return replace(finding, facts=(*finding.facts, *refused),
                   reason=f"{finding.reason} (fails in spite of waiver {told})")


def _named(finding: Finding, waivers: Sequence[Waiver], as_of: date,
           identity: Identity | None) -> tuple[Waiver | None, tuple[tuple[str, str], ...]]:
    """The waiver in order that names a finding, if any, and as facts those that name it and do not count."""
    mine = sorted((w for w in waivers if _names(w, finding, identity)), key=lambda w: (w.expires or as_of, w.id))
    counting = [w for w in mine if why_not(w, as_of) is None]
    refused = tuple((NO_LONGER, f"{w.id} ({w.owner}): {why_not(w, as_of)}") for w in mine)
    return (counting[-1], ()) if counting else (None, refused)


def _facts(waiver: Waiver) -> tuple[tuple[str, str], ...]:
    return (("waiver", waiver.id), ("waived until", str(waiver.expires)), ("waiver owner", waiver.owner),
            ("waiver reason", waiver.reason), ("waiver requested by", waiver.requested_by),
            ("waiver approved by", waiver.approved_by))


def _names(waiver: Waiver, finding: Finding, identity: Identity | None) -> bool:
    if waiver.rule != finding.rule or waiver.rule_version not in {None, finding.rule_version}:
        return False
    if waiver.devices and finding.device not in waiver.devices:
        return False
    if waiver.maker and (identity is None or identity.maker != waiver.maker):
        return False
    return not waiver.model or (identity is not None and names_model((waiver.model,), identity.model or "") is not None)
