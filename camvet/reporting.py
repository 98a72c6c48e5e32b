"""Builds the one `Report` value from the inventory: what was stored, and nothing that was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from camvet.baselines import Known, baselines, watched
from camvet.inventory import Inventory, StoredDevice, SweepRow
from camvet.monitored import monitoring_of
from camvet.rejections import Rejections
from camvet.traffic import Geography
from reports.census import Census, CensusSource, UnseenDevice
from reports.report import (
    Destination,
    DeviceReport,
    Dropped,
    ForeignAnswer,
    Interface,
    JoinedDevice,
    ObservationRef,
    Report,
    ScopeSummary,
    Silent,
    build,
)
from rules import policy as policies
from rules.baseline import Baseline
from scanner.observation import Attempt, AttemptStatus, Observation, Reason

__all__ = ["producer", "report_of"]


def producer() -> str:
    """The name and version that a report carries."""
    try:
        return f"camvet {version('camvet')}"
    except PackageNotFoundError:
        return "camvet (not installed)"


def report_of(inventory: Inventory, row: SweepRow, *, generated_at: datetime,
              geography: Geography | None = None, as_of: date | None = None) -> Report:
    """The report of one stored sweep with the newest verdict of each device, and what was approved for it.

    With `as_of` the sweep is judged again for that day. It is judged again for today where a waiver was approved, ended
    or was withdrawn since: a finding whose waiver is over must not be told as waived. Nothing of that is stored. What a
    person rejected is told as prohibited, with the decision, whatever the lists say: no fence may let it through.
    """
    stored, again = _current(inventory, row, generated_at.date(), as_of)
    rejected = Rejections.of(inventory, row.site)
    stored = rejected.over_all(stored, as_of or generated_at.date())
    approved = baselines(inventory)
    _, undevised = inventory.undevised(row.id)
    verdict = stored[0].judgement.verdict if stored else None
    policy = policies.load().get(verdict.policy if verdict else row.policy)
    return build(
        site=row.site, sweep=row.id, generated_at=generated_at,
        as_of=verdict.as_of if verdict else date.fromisoformat(row.as_of),
        policy=verdict.policy if verdict else row.policy, policy_version=verdict.policy_version if verdict else "",
        buyers=policy.buyers if policy else (), scope=_scope(row.document, stored),
        devices=[_device(one, approved.get(one.id), geography) for one in stored],
        lists=verdict.lists if verdict else (),
        silent=_silent(row.document["silent"], undevised), foreign=_foreign(row.document["foreign"]),
        dropped=[Dropped(what, count) for what, count in sorted(row.document["dropped"].items())]
        + _captures(row.document["captures"]),
        limits=[*_limits(row), *again], producer=producer(), monitoring=monitoring_of(inventory, row.site, stored),
        joined=[JoinedDevice(one["device"], tuple(one["also_at"]), one["because"])
                for one in row.document.get("joined", ())],
        census=_census(inventory, row.id))


def _current(inventory: Inventory, row: SweepRow, today: date,
             as_of: date | None) -> tuple[list[StoredDevice], list[str]]:
    """The devices of a sweep, judged again where that is asked for or waivers have moved; and the sentence on it."""
    from camvet.assessment import assess, policy_named
    from camvet.waivers import Waivers

    stored = inventory.devices_of(row.id)
    waivers = Waivers.of(inventory, row.site)
    moved = waivers.moved(stored, as_of or today)
    if not stored or (as_of is None and not moved):
        return stored, []
    day, scope = as_of or today, row.document["scope"]
    seen = {one.key: (one.observations, one.attempts) for one in stored}
    judged = {one.identity.device: one for one in assess(
        seen, policy=policy_named(stored[0].judgement.verdict.policy), as_of=day, activity=scope["activity"],
        purpose=scope["purpose"], known=Known.of(inventory, row.site, day),
        watched_s=watched(row.document.get("captures", ())),
        waive=waivers.hook(seen, day, {one.key: one.id for one in stored}))}
    told = f"Judged again for {day} when this report was written; nothing of that is stored."
    if moved:
        told += (f" Waivers of findings on {', '.join(moved[:8])}{' and others' if moved[8:] else ''} were approved, "
                 "ended or were withdrawn since the stored verdicts.")
    return [replace(one, judgement=judged[one.key]) for one in stored], [told]


def _census(inventory: Inventory, sweep: str) -> Census | None:
    """The newest census that was held against a sweep, as it was logged."""
    event = next((one for one in reversed(inventory.events("census")) if one.subject == sweep), None)
    if event is None:
        return None
    return Census(
        at=datetime.fromisoformat(event.at), actor=event.actor, unlisted=tuple(event.document["unlisted"]),
        sources=[CensusSource(
            one["source"], one["form"], one["known"], one["seen"], unread=len(one["refused"]) + one["dropped"],
            unseen=[_unseen(each) for each in one["unseen"]]) for one in event.document["sources"]])


def _unseen(known: Mapping[str, Any]) -> UnseenDevice:
    """A device of the census, with who owns the address block of its MAC."""
    from rules import makers
    from scanner.wire import oui

    owner = makers.load().oui.get(oui.prefix(known["mac"])) if known["mac"] else None
    return UnseenDevice(block=(owner.maker or owner.brand or "") if owner else "",
                        **{each.name: known[each.name] for each in fields(UnseenDevice) if each.name != "block"})


def _scope(document: dict[str, Any] | Any,  # noqa: ANN401 - JSON as stored
           stored: Iterable[StoredDevice]) -> ScopeSummary:
    scope = document["scope"]
    begins, ends = scope["window"]
    window = f"{begins or 'any time'} to {ends or 'any time'}" if begins or ends else ""
    return ScopeSummary(
        owner=scope["owner"] or "not stated", ticket=scope["ticket"] or "not stated", targets=scope["targets"],
        excludes=scope["excludes"], window=window, profile=scope["profile"],
        interfaces=[Interface(f"{use['name']} {use['network']}".strip(), use["used"], use["because"])
                    for use in document["links"]],
        opted_in=_opted_in(scope, stored), sent=document.get("sent"))


def _opted_in(scope: Mapping[str, Any], stored: Iterable[StoredDevice]) -> tuple[str, ...] | None:
    """The looks that somebody asked for beyond the usual ones; nmap stands in no scope, only in what was tried."""
    wanted = scope.get("opted_in")
    nmap = any(tried.probe == "nmap.services" for one in stored for tried in one.attempts)
    return (*(wanted or ()), *(("nmap",) if nmap else ())) if wanted is not None or nmap else None


def _device(stored: StoredDevice, baseline: Baseline | None, geography: Geography | None) -> DeviceReport:
    address, _, channel = stored.key.partition("#")
    times = [observation.at for observation in stored.observations]
    return DeviceReport(
        device=stored.key, inventory_id=stored.id, address=address,
        mac="" if channel else next((o.text("mac") for o in stored.observations if o.transport == "link"), ""),
        identity=stored.judgement.identity, verdict=stored.judgement.verdict, attempts=stored.attempts,
        first_seen=min(times, default=None), last_seen=max(times, default=None),
        destinations=_destinations(stored.observations, geography), baseline=baseline,
        egress_assessed=any(a.probe == "egress.capture" and a.status is AttemptStatus.COMPLETED
                            for a in stored.attempts),
        observations=[ObservationRef.of(observation) for observation in stored.observations])


def _destinations(observations: Iterable[Observation], geography: Geography | None) -> list[Destination]:
    """Whom a device talked to, with what today's endpoint data says of each name."""
    from rules import destinations, makers

    clouds = destinations.with_makers(destinations.load(), makers.load())
    traffic = [o for o in observations if o.transport == "egress"]
    found = []
    for observation in destinations.label(traffic, clouds):
        known = clouds.of(observation)
        address = observation.text("destination")
        country, owner = geography.of(address) if geography and destinations.is_outside(address) else (None, None)
        found.append(Destination(
            address=address, names=observation.values("names"),
            protocol=observation.text("protocol"), port=observation.port,
            packets=_number(observation, "packets"), bytes=_number(observation, "bytes"),
            purpose=observation.text("purpose"), cloud_of=observation.text("cloud_of"),
            unverified=bool(known and known.unverified), bytes_out=_number(observation, "bytes_out"),
            owner=(known.owner if known else "") or owner or "", country=country or "",
            jurisdiction=known.jurisdiction if known else "", described=known.described if known else "",
            source=known.source if known else "", inbound=bool(observation.fields.get("inbound"))))
    return sorted(found, key=lambda one: (-one.bytes, one.address))


def _number(observation: Observation, name: str) -> int:
    value = observation.fields.get(name)
    return value if isinstance(value, int) else 0


def _silent(silent: dict[str, str], attempts: Sequence[Attempt]) -> list[Silent]:
    reasons: dict[str, Counter[Reason]] = {}
    for attempt in attempts:
        if attempt.reason is not None:
            reasons.setdefault(attempt.device, Counter())[attempt.reason] += 1
    return [Silent(address, sorted(reasons.get(address, {}).items())) for address in silent]


def _foreign(documents: Iterable[dict[str, Any]]) -> list[ForeignAnswer]:
    counted = Counter((doc["device"], doc["transport"]) for doc in documents)
    return [ForeignAnswer(address, transport, count, "answered from outside the scope; it was not contacted")
            for (address, transport), count in counted.items()]


def _captures(captures: Iterable[dict[str, Any]]) -> list[Dropped]:
    return [Dropped(f"packets of {one['file']} that could not be decoded", one["undecoded"])
            for one in captures if one["undecoded"]]


def _limits(row: SweepRow) -> list[str]:
    limits = []
    if not row.complete:
        limits.append("The sweep was interrupted before every device was asked.")
    if not row.document["scope"]["credentials"]:
        limits.append("No credentials were given: what devices show only after a login, such as the cameras behind a "
                      "recorder, was not read.")
    if not row.document["captures"]:
        limits.append("No traffic was captured: where the devices talk to is not known.")
    limits += [f"The capture {one['file']} could be read only in part: {one['trouble']}."
               for one in row.document["captures"] if one["trouble"]]
    if who := row.document["scope"].get("unattributed"):
        limits.append(f"{who[0].upper()}{who[1:]}.")
    limits += row.document.get("notes", ())
    if not any(link["used"] for link in row.document["links"]):
        limits.append("No interface of this machine lies in the scope: nothing was asked by multicast, and MAC "
                      "addresses are known only from the tables that were given.")
    return limits
