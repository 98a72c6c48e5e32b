"""Approved baselines: where they are kept, and which of them belongs to which device of a sweep or a capture.

Every approval, allowance and withdrawal is an event of the append-only log; the baseline of a device is what its events
add up to. Nothing is ever changed or removed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from rules.baseline import RULE, Baseline, Later
from rules.fence import Allowed
from scanner.observation import Attempt, AttemptStatus, Observation

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow, Inventory

__all__ = [
    "ALLOWED", "APPROVED", "REVOKED", "Known", "allow", "approve", "baselines", "later_of", "none_approved", "revoke",
    "told_baseline", "watched",
]

APPROVED, ALLOWED, REVOKED = "egress.baseline.approved", "egress.baseline.allowed", "egress.baseline.revoked"


@cache
def _form() -> TypeAdapter[Baseline]:
    return TypeAdapter(Baseline)


@cache
def _allowed() -> TypeAdapter[tuple[Allowed, ...]]:
    return TypeAdapter(tuple[Allowed, ...])


def approve(inventory: Inventory, row: DeviceRow, baseline: Baseline, *, at: datetime, reason: str) -> None:
    """Store a baseline; what was allowed for the device before stays allowed."""
    document: dict[str, Any] = {
        "key": row.key, "reason": reason,
        "baseline": _form().dump_python(replace(baseline, allowed=()), mode="json")}
    inventory.log(at=at, actor=baseline.actor, kind=APPROVED, subject=row.id, document=document)


def allow(inventory: Inventory, row: DeviceRow, services: Sequence[Allowed], *, at: datetime, actor: str) -> None:
    """Store services that a device may use or offer, whether or not they were seen."""
    inventory.log(at=at, actor=actor, kind=ALLOWED, subject=row.id, document={
        "key": row.key, "services": _allowed().dump_python(tuple(services), mode="json")})


def revoke(inventory: Inventory, row: DeviceRow, *, at: datetime, actor: str, reason: str) -> None:
    """Withdraw the baseline of a device and all that was allowed for it."""
    inventory.log(at=at, actor=actor, kind=REVOKED, subject=row.id, document={"key": row.key, "reason": reason})


def baselines(inventory: Inventory, on: date | None = None) -> dict[str, Baseline]:
    """The newest baseline of each device by inventory id, as the log stood at the end of a day (default: now).

    What was allowed without a baseline is left out: it says nothing of what is usual.
    """
    found: dict[str, Baseline] = {}
    services: dict[str, dict[Allowed, Allowed]] = {}
    for event in inventory.events(APPROVED, ALLOWED, REVOKED):
        if on is not None and event.at[:10] > on.isoformat():
            continue
        if event.kind == REVOKED:
            found.pop(event.subject, None)
            services.pop(event.subject, None)
        elif event.kind == APPROVED:
            found[event.subject] = _form().validate_python(event.document["baseline"])
        else:
            services.setdefault(event.subject, {}).update(
                {one: one for one in _allowed().validate_python(event.document["services"])})
    return {device: replace(one, allowed=tuple(services.get(device, ()))) for device, one in found.items()}


def none_approved(url: str) -> bool:
    """Whether the inventory at `url` surely holds no approval, as most do; asked without all that opens an inventory.

    False wherever that cannot be told in one look: then the inventory is opened, and says itself what is wrong with it.
    """
    if not url.startswith("sqlite:///"):
        return False
    file = Path(url.removeprefix("sqlite:///")).absolute().as_uri()
    try:
        with closing(sqlite3.connect(f"{file}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM event WHERE kind = ?", (APPROVED,)).fetchone() is None
    except sqlite3.Error:
        return False


@dataclass(frozen=True, slots=True)
class Known:
    """The baselines of a site, found by how a device is recognised on the wire: its MAC, else its address."""

    by_id: Mapping[str, Baseline]
    by_mac: Mapping[str, Baseline]
    by_address: Mapping[str, Baseline]
    without_mac: Mapping[str, Baseline]

    @classmethod
    def of(cls, inventory: Inventory, site: str, on: date | None = None) -> Known:
        """Those of a site, as of a day. The inventory's devices are read only where there is a baseline at all."""
        by_id = baselines(inventory, on)
        macs: dict[str, Baseline] = {}
        addresses: dict[str, Baseline] = {}
        bare: dict[str, Baseline] = {}
        for row in inventory.devices(site) if by_id else ():
            baseline = by_id.get(row.id)
            if baseline is not None:
                own = [value.upper().replace("-", ":") for kind, value in row.aliases if kind == "mac"]
                addresses[row.key] = baseline
                macs |= dict.fromkeys(own, baseline)
                bare |= {} if own else {row.key: baseline}
        return cls(by_id, macs, addresses, bare)

    def find(self, address: str, mac: str = "") -> Baseline | None:
        """The baseline of the device with this MAC; by its address alone only where no MAC says otherwise."""
        return (self.by_mac.get(mac) or self.without_mac.get(address)) if mac else self.by_address.get(address)

    def of_devices(self, seen: Mapping[str, tuple[Sequence[Observation], Sequence[Attempt]]]) -> dict[str, Baseline]:
        """The baseline of each device of a sweep that has one, by device key."""
        found = {}
        for key, (observations, _) in seen.items() if self.by_id else ():
            mac = next((o.text("mac") for o in observations if o.transport == "link" and o.text("mac")), "")
            baseline = self.find(key, "" if "#" in key else mac)
            if baseline is not None:
                found[key] = baseline
        return found


def later_of(observations: Iterable[Observation], attempts: Iterable[Attempt], watched_s: float) -> Later:
    """What a sweep's captures say of one device, ready to be held against its baseline."""
    tried = [one for one in attempts if one.probe == "egress.capture"]
    seen = [one for one in observations if one.transport == "egress"]
    whole = any(one.status is AttemptStatus.COMPLETED for one in tried)
    return Later(seen, watched_s, captured=whole or bool(seen), whole=whole)


def watched(captures: Iterable[Mapping[str, Any]]) -> float:
    """How long the captures of a stored sweep watched, where it was written down."""
    return float(sum(one.get("seconds", 0) for one in captures))


def told_baseline(inventory: Inventory, row: DeviceRow) -> str:
    """What is approved of the traffic of one device, in a sentence, and how its newest verdict stands to that."""
    found = baselines(inventory).get(row.id)
    if found is None:
        return "none approved: what is new in its traffic is not assessed"
    said = (f"{len(found.entries)} destinations approved by {found.actor} on {found.approved}, until {found.until}"
            + (f"; {len(found.allowed)} services allowed beyond them" if found.allowed else ""))
    judged = next((one for one in row.verdict.findings if one.rule == RULE), None)
    if judged is None:
        return f"{said}; the newest verdict was made before it: camvet judge"
    return f"{said}; {str(judged.status).replace('_', ' ')}: {judged.reason}"
