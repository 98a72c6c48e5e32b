"""Waivers of findings: kept as events of the append-only log, and matched with the devices they are for.

Asking, approving and withdrawing are one event each, so what a waiver amounts to on any day can be read from the log
and nothing is ever changed or removed. A waiver for one device goes with the device, however its address changes;
what contradicts its MAC or serial is another device, even at its address.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rules.vocabulary import Finding, Identity, Status
from rules.waivers import Waiver, apply_waivers, is_settled, same_person, why_not

if TYPE_CHECKING:
    from camvet.inventory import DeviceRow, Inventory, StoredDevice
    from scanner.observation import Attempt, Observation

__all__ = ["APPROVED", "REQUESTED", "WITHDRAWN", "Asked", "Waive", "Waivers", "approve", "request", "withdraw"]

REQUESTED, APPROVED, WITHDRAWN = "finding.waiver.requested", "finding.waiver.approved", "finding.waiver.withdrawn"
Waive = Callable[[Identity, Sequence[Finding]], Sequence[Finding]]
"""Applies what is waived to the findings on one device."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One waiver as the log has it.

    Attributes:
        waiver: as it stands now; `begins` is the day of the approval, or of the request while there is none.
        device: inventory id of the one device it is for; empty for a wider scope.
        key: where that device was when it was asked for.
        site: the site it was asked for in.
        asked_on: the day it was asked for.
        approver: who was asked to approve it, where somebody was.
        withdrawn: who took it back and why, where somebody did.
    """

    waiver: Waiver
    device: str
    key: str
    site: str
    asked_on: date
    approver: str = ""
    withdrawn: str = ""

    @property
    def scope(self) -> str:
        """What it is for, for a person."""
        if self.device:
            return f"{self.key} ({self.device})"
        told = " ".join(part for part in (self.waiver.maker, self.waiver.model) if part)
        return f"every {told} of {self.site}" if told else f"every device of {self.site}"

    def state(self, on: date) -> str:
        """``in force``, or why it does not count on that day."""
        return why_not(self.waiver, on) or "in force"


def request(inventory: Inventory, site: str, waiver: Waiver, *, at: datetime, device: DeviceRow | None = None,
            approver: str = "") -> str:
    """Store a request; returns the id it is approved by. `waiver` needs no id, approver or first day yet."""
    made = f"w-{secrets.token_hex(4)}"
    expires = waiver.expires.isoformat() if waiver.expires else None
    inventory.log(at=at, actor=waiver.requested_by, kind=REQUESTED, subject=made, document={
        "site": site, "rule": waiver.rule, "rule_version": waiver.rule_version, "owner": waiver.owner,
        "reason": waiver.reason, "expires": expires, "maker": waiver.maker, "model": waiver.model,
        "device": device.id if device is not None else "", "key": device.key if device is not None else "",
        "approver": approver})
    return made


def approve(inventory: Inventory, asked: Asked, *, at: datetime, actor: str) -> None:
    """Store an approval; who may give it is for the caller to say, and `rules.waivers.why_not` holds it again."""
    inventory.log(at=at, actor=actor, kind=APPROVED, subject=asked.waiver.id, document={
        "site": asked.site, "rule": asked.waiver.rule, "requested_by": asked.waiver.requested_by})


def withdraw(inventory: Inventory, asked: Asked, *, at: datetime, actor: str, reason: str) -> None:
    """Store that a waiver is taken back from now on."""
    inventory.log(at=at, actor=actor, kind=WITHDRAWN, subject=asked.waiver.id, document={
        "site": asked.site, "rule": asked.waiver.rule, "reason": reason})


@dataclass(frozen=True, slots=True)
class _Marks:
    """By what one device of the inventory is recognised."""

    macs: frozenset[str]
    serials: frozenset[str]
    key: str

    def fit(self, identity: Identity, mac: str) -> bool:
        """Whether what was seen is this device: as the inventory recognises it, a contradiction is always a no."""
        serial = f"{identity.maker or 'unknown'}:{identity.serial}" if identity.serial else ""
        if (mac and self.macs and mac not in self.macs) or (serial and self.serials and serial not in self.serials):
            return False
        return mac in self.macs or serial in self.serials or identity.device == self.key


@dataclass(frozen=True, slots=True)
class Waivers:
    """Every waiver of one site, with the marks of the devices they are for."""

    asked: Sequence[Asked]
    marks: Mapping[str, _Marks]

    @classmethod
    def of(cls, inventory: Inventory, site: str) -> Waivers:
        """Those of a site. The inventory's devices are read only where there is a waiver for one."""
        found: dict[str, Asked] = {}
        for event in inventory.events(REQUESTED, APPROVED, WITHDRAWN):
            if event.document["site"] != site:
                continue
            day = date.fromisoformat(event.at[:10])
            if event.kind == REQUESTED:
                found[event.subject] = _asked(event.subject, event.actor, day, event.document)
                continue
            before = found.get(event.subject)
            if before is None or before.withdrawn:
                continue
            if event.kind == WITHDRAWN:
                told = f"{event.actor}: {event.document['reason']}"
                found[event.subject] = replace(before, withdrawn=told,
                                               waiver=replace(before.waiver, withdrawn_on=day))
            elif not before.waiver.approved_by and not same_person(before.waiver.requested_by, event.actor):
                found[event.subject] = replace(
                    before, waiver=replace(before.waiver, approved_by=event.actor, begins=day))
        wanted = {asked.device for asked in found.values() if asked.device}
        return cls(list(found.values()), {row.id: _marks(row) for row in inventory.devices(site)
                                          if row.id in wanted} if wanted else {})

    def find(self, wanted: str) -> Asked | None:
        """The waiver of this id."""
        return next((asked for asked in self.asked if asked.waiver.id == wanted), None)

    def naming(self, identity: Identity, *, device: str = "", mac: str = "") -> list[Waiver]:
        """The waivers that may be meant for a device: `device` is its inventory id, where that is known."""
        named = []
        for asked in self.asked:
            if asked.device:
                marks = self.marks.get(asked.device)
                if (device != asked.device) if device else (marks is None or not marks.fit(identity, mac)):
                    continue
            named.append(replace(asked.waiver, devices=(identity.device,)) if asked.device else asked.waiver)
        return named

    def hook(self, seen: Mapping[str, tuple[Sequence[Observation], Sequence[Attempt]]], on: date,
             ids: Mapping[str, str] | None = None) -> Waive:
        """What applies the waivers of a day to the devices of one sweep; `ids` are inventory ids by key, if known."""
        known = ids or {}

        def waive(identity: Identity, findings: Sequence[Finding]) -> Sequence[Finding]:
            if not self.asked:
                return findings
            observations, _ = seen.get(identity.device, ((), ()))
            mac = next((o.text("mac") for o in observations if o.transport == "link" and o.text("mac")), "")
            mine = self.naming(identity, device=known.get(identity.device, ""),
                               mac="" if "#" in identity.device else mac)
            return apply_waivers(findings, mine, on, identity)[0]

        return waive

    def moved(self, stored: Iterable[StoredDevice], on: date) -> list[str]:
        """The devices, by key, whose stored verdicts no longer say of waivers what is so on that day."""
        if not self.asked:
            return []
        found = []
        for one in stored:
            identity, findings = one.judgement.identity, one.judgement.verdict.findings
            open_ones = [f for f in findings if f.status in {Status.FAIL, Status.WAIVED}]
            mine = self.naming(identity, device=one.id) if open_ones else []
            if not all(is_settled(f, mine, on, identity) for f in open_ones):
                found.append(one.key)
        return found


def _asked(made: str, actor: str, day: date, document: Mapping[str, Any]) -> Asked:
    expires = document["expires"]
    waiver = Waiver(made, document["rule"], (), document["owner"], document["reason"], actor, "", day,
                    date.fromisoformat(expires) if expires else None, document["rule_version"],
                    document["maker"], document["model"])
    return Asked(waiver, document["device"], document["key"], document["site"], day, document["approver"])


def _marks(row: DeviceRow) -> _Marks:
    of = {kind: frozenset(value for each, value in row.aliases if each == kind) for kind in ("mac", "serial")}
    return _Marks(of["mac"], of["serial"], row.key)
