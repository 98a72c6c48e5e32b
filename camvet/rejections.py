"""Rejections: a person's decision that a device stays out, whatever the lists say of it.

Like waivers they are events of the append-only log, one for the decision and one for taking it back; nothing is ever
changed or removed. A rejection goes with the device as the inventory recognises it, however its address changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rules.vocabulary import Outcome, Verdict

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow, Inventory, StoredDevice

__all__ = ["REJECTED", "RULE", "WITHDRAWN", "Rejection", "Rejections", "reject", "withdraw"]

REJECTED, WITHDRAWN = "device.rejected", "device.rejection.withdrawn"
RULE = "device.rejected"
"""What a refusal, a suspension or a verdict names where a rejection decides."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One decision as the log has it: `until` is the last day on which it holds, ``None`` for one without an end."""

    id: str
    device: str
    key: str
    site: str
    actor: str
    reason: str
    made: str
    until: date | None = None
    withdrawn: str = ""
    withdrawn_on: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it counts on that day: taken back, it still counts on the days before."""
        begun = date.fromisoformat(self.made[:10]) <= on
        over = self.withdrawn_on is not None and self.withdrawn_on <= on
        return begun and not over and (self.until is None or on <= self.until)

    @property
    def told(self) -> str:
        """The decision in a sentence, with how it is taken back."""
        ends = f", until {self.until}" if self.until else ""
        return (f"rejected by {self.actor} on {self.made[:10]}{ends}: {self.reason} (taken back with camvet revoke "
                f"{self.id} --reason …)")

    def to_json(self) -> dict[str, Any]:
        """The shape in which `show`, `explain` and `devices` print it."""
        return {"rejection": self.id, "reason": self.reason, "actor": self.actor, "made": self.made,
                "until": self.until.isoformat() if self.until else None}


def reject(inventory: Inventory, row: DeviceRow, *, actor: str, reason: str, at: datetime,
           until: date | None = None) -> tuple[str, list[str], bool]:
    """Store a rejection and take back what let the device in, in one transaction.

    Returns its id, the attestations that were revoked, and whether an attached camera was suspended.
    """
    made = f"r-{secrets.token_hex(4)}"
    revoked, suspended = inventory.gate.reject(row.id, at=at, actor=actor, rule=RULE, reason=reason, document={
        "rejection": made, "site": row.site, "key": row.key, "reason": reason,
        "until": until.isoformat() if until else None})
    return made, revoked, suspended


def withdraw(inventory: Inventory, found: Rejection, *, at: datetime, actor: str, reason: str) -> None:
    """Store that a rejection is taken back from now on; what it revoked stays revoked."""
    inventory.log(at=at, actor=actor, kind=WITHDRAWN, subject=found.device, document={
        "rejection": found.id, "site": found.site, "reason": reason})


@dataclass(frozen=True, slots=True)
class Rejections:
    """Every rejection of one site, oldest first."""

    made: Mapping[str, Rejection]

    @classmethod
    def of(cls, inventory: Inventory, site: str) -> Rejections:
        """Those of a site."""
        found: dict[str, Rejection] = {}
        for event in inventory.events(REJECTED, WITHDRAWN):
            told = event.document
            if told["site"] != site:
                continue
            name = told["rejection"]
            if event.kind == REJECTED:
                until = date.fromisoformat(told["until"]) if told["until"] else None
                found[name] = Rejection(name, event.subject, told["key"], site, event.actor, told["reason"], event.at,
                                        until)
            elif name in found:
                found[name] = replace(found[name], withdrawn=f"{event.actor}: {told['reason']}",
                                      withdrawn_on=date.fromisoformat(event.at[:10]))
        return cls(found)

    def holding(self, device: str, on: date) -> Rejection | None:
        """The newest rejection of a device that counts on that day."""
        return next((one for one in reversed(list(self.made.values())) if one.device == device and one.holds(on)),
                    None)

    def over(self, device: str, verdict: Verdict, on: date) -> Verdict:
        """The verdict as it stands beside the rejection: what a person keeps out is let in by no list."""
        found = self.holding(device, on)
        if found is None:
            return verdict
        return replace(verdict, outcome=Outcome.PROHIBITED, rules=(RULE, *verdict.rules),
                       reasons=(found.told, *verdict.reasons))

    def over_all(self, stored: Iterable[StoredDevice], on: date) -> list[StoredDevice]:
        """Stored devices with `over` on the verdict of each, for a report."""
        return [replace(one, judgement=replace(one.judgement, verdict=self.over(one.id, one.judgement.verdict, on)))
                for one in stored]
