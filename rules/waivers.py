"""Waivers applied to findings: who accepted which failed check on which device, why, and until when.

A waiver never makes a finding pass: it becomes ``waived``, with the waiver beside it, and a clause of the policy
decides what follows. What was not assessed cannot be waived, since nobody knows what would be accepted. A waiver that
is not in order (no owner or reason, approved by whoever asked for it, no end, not begun, expired) counts as none, and
it is said why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from rules.vocabulary import Finding, Status

__all__ = ["MAX_DAYS", "Refusal", "Waiver", "apply_waivers", "why_not"]

MAX_DAYS = 366
"""A waiver for longer than a year is a decision nobody looks at again."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted finding.

    Attributes:
        id: what it is cited by.
        rule: the finding's rule.
        devices: keys of the devices it is for; empty means every device in question, as for a whole site.
        owner: who answers for it while it lasts.
        reason: why the finding is accepted.
        requested_by, approved_by: two different people.
        begins, expires: the first day it counts and the first day it does not.
        rule_version: only for findings of this version of the rule, where given.
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A waiver that does not count, and why."""

    waiver: str
    because: str


def why_not(waiver: Waiver, as_of: date) -> str | None:
    """Why a waiver does not count on a day; None where it does."""
    people = [waiver.requested_by.strip().casefold(), waiver.approved_by.strip().casefold()]
    if not waiver.owner.strip() or not waiver.reason.strip():
        return "it names no owner or no reason"
    if not all(people):
        return "it does not say who asked for it and who approved it"
    if people[0] == people[1]:
        return f"{waiver.requested_by} asked for it and approved it; that takes two people"
    if waiver.expires is None:
        return "it has no end"
    if waiver.expires <= waiver.begins or (waiver.expires - waiver.begins).days > MAX_DAYS:
        return f"it lasts from {waiver.begins} to {waiver.expires}; between one day and {MAX_DAYS} are allowed"
    if as_of < waiver.begins:
        return f"it begins on {waiver.begins}"
    return f"it expired on {waiver.expires}" if as_of >= waiver.expires else None


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver],
                  as_of: date) -> tuple[list[Finding], list[Refusal]]:
    """The findings, failed ones made ``waived`` where a waiver in order names them, and the waivers that do not count.

    Where several waivers name a finding, the one that ends last is shown.
    """
    known = list(waivers)
    refused = [Refusal(waiver.id, because) for waiver in known if (because := why_not(waiver, as_of)) is not None]
    out = {refusal.waiver for refusal in refused}
    in_order = sorted((w for w in known if w.id not in out), key=lambda w: (w.expires or as_of, w.id))
    return [_waived(finding, in_order) for finding in findings], refused


def _waived(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    if finding.status is not Status.FAIL:
        return finding
    waiver = next((w for w in reversed(waivers) if _names(w, finding)), None)
    if waiver is None:
        return finding
    facts = (("waiver", waiver.id), ("waived until", str(waiver.expires)), ("waiver owner", waiver.owner),
             ("waiver reason", waiver.reason), ("waiver requested by", waiver.requested_by),
             ("waiver approved by", waiver.approved_by))
    return replace(finding, status=Status.WAIVED, facts=(*finding.facts, *facts),
                   reason=f"{finding.reason} (waived until {waiver.expires} by {waiver.approved_by}: {waiver.reason})")


def _names(waiver: Waiver, finding: Finding) -> bool:
    return (waiver.rule == finding.rule and waiver.rule_version in {None, finding.rule_version}
            and (not waiver.devices or finding.device in waiver.devices))
