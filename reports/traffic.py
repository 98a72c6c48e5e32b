"""Whom devices talk to, in the terms that the picture and the table of a report use: one line a party.

What a party is for and what would stop working comes from `rules.blocking`; what is needed, from `rules.needs`. Nothing
is made up: a party that nobody knows is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reports.report import Destination, DeviceReport, Report
from rules.blocking import UNKNOWN, Blockable, Consequence, consequence
from rules.destinations import is_outside
from rules.fence import allows
from rules.needs import needs_of
from rules.policy import is_outside_scope

__all__ = ["OwnerCount", "Talk", "owners", "talks", "verdict_on"]

_UNKNOWN_OWNER = "owner not known"


@dataclass(frozen=True, slots=True)
class Talk:
    """One party that a device talked to.

    Attributes:
        label: its name where one was seen, else its address.
        addresses: all its addresses.
        owner: whose it is, empty where nobody knows.
        country: where the address lies, from the user's own database; empty where that was not asked.
        jurisdiction: whose law the owner is under, as the endpoint data have it.
        told: purpose, whether it can be blocked, and what breaks.
        described: what the endpoint data say of this very party.
        allowed: why it is allowed, where it is; empty where it is not.
    """

    label: str
    addresses: Sequence[str]
    protocol: str
    port: int
    outside: bool
    owner: str
    country: str
    jurisdiction: str
    told: Consequence
    described: str
    packets: int
    bytes: int
    allowed: str
    unverified: bool
    source: str

    @property
    def unknown(self) -> bool:
        """Whether nobody knows what it is for."""
        return self.told.purpose == UNKNOWN


def talks(device: DeviceReport, on: date) -> list[Talk]:
    """The parties of one device, those inside the site first, each by how much was exchanged."""
    needs = needs_of(device.destinations, device.baseline, on)
    left = {(one.address, one.protocol, one.port) for one in needs.left_out}
    grouped: dict[tuple[str, str, int, bool, bool], list[Destination]] = defaultdict(list)
    for one in device.destinations:
        label = one.names[0] if one.names else one.address
        grouped[label, one.protocol, one.port or 0, is_outside(one.address), one.inbound].append(one)
    found = []
    for (label, protocol, port, outside, inbound), several in grouped.items():
        first = next((one for one in several if one.purpose), several[0])
        refused = any((one.address, one.protocol, one.port or 0) in left for one in several)
        why = [each.why for each in needs.allowed if not refused and any(
            allows(each, one.address, one.names, one.protocol, one.port or 0, inbound=inbound) for one in several)]
        found.append(Talk(
            label=label, addresses=tuple(dict.fromkeys(one.address for one in several)), protocol=protocol, port=port,
            outside=outside, owner=first.owner or first.cloud_of, country=first.country,
            jurisdiction=first.jurisdiction, told=consequence(first.purpose, first.address, protocol, port,
                                                               inbound=inbound),
            described=first.described, packets=sum(one.packets for one in several),
            bytes=sum(one.bytes for one in several), allowed="; ".join(dict.fromkeys(why)),
            unverified=first.unverified, source=first.source))
    return sorted(found, key=lambda one: (one.outside, -one.bytes, one.label, one.port))


def verdict_on(talk: Talk) -> str:
    """Whether a party can be blocked, in few words."""
    if talk.allowed:
        return "allowed"
    return {Blockable.YES: "can be blocked", Blockable.REPLACE: "can be replaced", Blockable.NO: "leave it",
            Blockable.WATCH: "block and watch"}[talk.told.blockable]


@dataclass(frozen=True, slots=True)
class OwnerCount:
    """One owner of destinations outside the site, and the cameras that talk to it.

    ``unneeded`` counts those of them whose traffic there nobody approved.
    """

    owner: str
    cameras: int
    unneeded: int
    purposes: Sequence[str]
    known: bool


def owners(report: Report) -> tuple[list[OwnerCount], int, int]:
    """Owners of outside destinations by cameras, how many cameras talk to nobody outside, and how many were not seen.

    What is no camera is left out.
    """
    cameras = [one for one in report.devices if not is_outside_scope(one.verdict)]
    by_owner: dict[str, dict[str, bool]] = defaultdict(dict)
    purposes: dict[str, dict[str, None]] = defaultdict(dict)
    quiet = 0
    for device in cameras:
        outside = [one for one in talks(device, report.generated_at.date()) if one.outside]
        quiet += device.egress_assessed and not outside
        for one in outside:
            owner = one.owner or _UNKNOWN_OWNER
            by_owner[owner][device.device] = by_owner[owner].get(device.device, False) or not one.allowed
            purposes[owner][one.told.short] = None
    rows = [OwnerCount(owner, len(devices), sum(devices.values()), tuple(purposes[owner]), owner != _UNKNOWN_OWNER)
            for owner, devices in by_owner.items()]
    rows.sort(key=lambda row: (-row.cameras, not row.known, row.owner))
    return rows, quiet, sum(not one.egress_assessed for one in cameras)
