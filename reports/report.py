"""The one value every report format tells: who was looked for, who was found, what follows, and what is not known.

A `Report` holds no database and no socket. Whoever has the values (the command line, the console, a test) calls
`build`, which puts them in a fixed order and refuses what no reader could trust: two devices under one key, a time
without a zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from ipaddress import ip_address

from reports.census import Census
from reports.monitoring import AttachedCamera, CameraState, Monitoring
from rules.baseline import Baseline
from rules.policy import is_outside_scope
from rules.vocabulary import STALE_AFTER_DAYS, Identity, ListVersion, Outcome, Verdict
from scanner.observation import Attempt, Observation, Reason

__all__ = [
    "LEGAL_NOTE", "OUTCOME_ORDER", "STANDING_LIMITS", "Destination", "DeviceReport", "Dropped", "ForeignAnswer",
    "Interface", "JoinedDevice", "Monitoring", "ObservationRef", "Report", "ScopeSummary", "Silent", "build",
]

OUTCOME_ORDER = (Outcome.PROHIBITED, Outcome.UNDETERMINED, Outcome.CONDITIONAL, Outcome.APPROVED)
"""The order in which a person has to act; tables, tiles and charts all use it."""

STANDING_LIMITS = (
    "A device that was switched off, asleep, on another network segment or behind a firewall was not seen.",
    "A silent address is not an empty address: a device may ignore everything that was asked.",
    (
        "Weaknesses are concluded from what a device declares and from harmless questions. Nothing was exploited, so "
        "a weakness may be present that no list knows, and a repaired device may still declare an old version."
    ),
    "What a device says about itself can be forged. Only what its seller does not control counts towards the maker.",
    "A camera behind a recorder is known by the recorder's description, unless it was also reached itself.",
    "Who made the chips and the software inside a device is not established by who made the device.",
    "Traffic is known only for the time and the place of the capture. A device may talk to others at other times.",
    "Lists are as good as their date. What was published after a list was collected is not in this report.",
)
"""What no sweep can know. Every report carries these, and the limits of its own sweep after them."""

LEGAL_NOTE = (
    "This report restates dated public lists and laws in its own words to help a person decide. It is not legal "
    "advice. Whether a law binds you depends on facts a scanner cannot see: who buys, for what, under which contract. "
    "Entries marked unverified could not be checked against the primary source. Ask counsel before you act on them."
)


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of the scanning machine: whether the sweep used it, and if not, why."""

    name: str
    used: bool
    because: str = ""


@dataclass(frozen=True, slots=True)
class ScopeSummary:
    """Who was allowed to be touched, on whose word, when and how.

    Attributes:
        owner: who authorised the sweep.
        ticket: where that is written down.
        targets: networks and addresses in scope, as given.
        excludes: what was kept out of it, as given.
        window: when the sweep was allowed to run, for a person.
        profile: the pace (``gentle normal fast``).
        interfaces: every interface of the machine, used or skipped.
        opted_in: the looks beyond the usual ones that somebody asked for; ``None`` where that was not recorded.
        sent: how much was sent, by kind; empty where nothing was (an import), ``None`` where it was not counted.
    """

    owner: str
    ticket: str
    targets: Sequence[str]
    excludes: Sequence[str] = ()
    window: str = ""
    profile: str = ""
    interfaces: Sequence[Interface] = ()
    opted_in: Sequence[str] | None = None
    sent: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """One party a device talked to during the capture, and whose it is where that is known.

    `country` is where the address lies (from the user's own database), `jurisdiction` whose law its owner is under, and
    `described` what the endpoint data say of it in words, with their `source`. Where it is `inbound` the other side
    came to the device, whose own the port is.
    """

    address: str
    names: Sequence[str] = ()
    protocol: str = ""
    port: int | None = None
    packets: int = 0
    bytes: int = 0
    purpose: str = ""
    owner: str = ""
    country: str = ""
    cloud_of: str = ""
    unverified: bool = False
    bytes_out: int = 0
    jurisdiction: str = ""
    described: str = ""
    source: str = ""
    inbound: bool = False


@dataclass(frozen=True, slots=True)
class ObservationRef:
    """One stored observation by its id, with the SHA-256 of the bytes as they arrived."""

    id: str
    transport: str
    probe: str
    port: int | None
    at: datetime
    digest: str

    @classmethod
    def of(cls, observation: Observation) -> ObservationRef:
        """The reference to `observation`; its fields and bytes stay in the store."""
        return cls(observation.id, observation.transport, observation.probe, observation.port, observation.at,
                   observation.digest)


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """All that is said of one device.

    Attributes:
        device: the device key of the sweep (an address, or ``address#channel``).
        inventory_id: the opaque id of the inventory, empty where it was not stored.
        address: where it was found; empty for a device known from a list only.
        mac: as seen on the link layer, empty where it was not.
        identity: brand apart from maker, with evidence.
        verdict: what follows, with findings and effects.
        attempts: everything that was tried on it, completed or not.
        first_seen, last_seen: UTC; ``None`` where the device was never seen on the wire.
        destinations: whom it talked to. Empty says nothing unless `egress_assessed`.
        egress_assessed: whether its traffic was captured at all.
        observations: what the evidence and the findings rest on.
        baseline: what was approved as its usual traffic, and what it was allowed beyond that.
    """

    device: str
    identity: Identity
    verdict: Verdict
    inventory_id: str = ""
    address: str = ""
    mac: str = ""
    attempts: Sequence[Attempt] = ()
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    destinations: Sequence[Destination] = ()
    egress_assessed: bool = False
    observations: Sequence[ObservationRef] = ()
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """An address in scope from which nothing came, with how often each thing tried ended in which way."""

    address: str
    reasons: Sequence[tuple[Reason, int]] = ()


@dataclass(frozen=True, slots=True)
class JoinedDevice:
    """One device that was found at several addresses: the key it keeps, where else it is, and what says so."""

    device: str
    also_at: Sequence[str]
    because: str


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """Somebody outside the scope answered, or a device claimed an address that was not followed."""

    address: str
    transport: str
    count: int = 1
    because: str = ""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something that was seen and not used, and how often."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """One sweep of one site, judged on one day: see `build` for the meaning of each field."""

    title: str
    site: str
    sweep: str
    generated_at: datetime
    as_of: date
    policy: str
    policy_version: str
    buyers: Sequence[str]
    scope: ScopeSummary
    devices: Sequence[DeviceReport]
    silent: Sequence[Silent]
    foreign: Sequence[ForeignAnswer]
    dropped: Sequence[Dropped]
    lists: Sequence[ListVersion]
    limits: Sequence[str]
    legal_note: str
    stale_after_days: int
    producer: str
    monitoring: Monitoring | None = None
    joined: Sequence[JoinedDevice] = ()
    census: Census | None = None


def build(
    *, site: str, sweep: str, generated_at: datetime, as_of: date, policy: str, scope: ScopeSummary,
    devices: Sequence[DeviceReport], buyers: Sequence[str] = (), lists: Sequence[ListVersion] = (),
    silent: Sequence[Silent] = (), foreign: Sequence[ForeignAnswer] = (), dropped: Sequence[Dropped] = (),
    limits: Sequence[str] = (), policy_version: str = "", title: str = "Camera inspection report",
    stale_after_days: int = STALE_AFTER_DAYS, producer: str = "camvet", legal_note: str = LEGAL_NOTE,
    monitoring: Monitoring | None = None, joined: Sequence[JoinedDevice] = (), census: Census | None = None,
) -> Report:
    """A report in the order a person acts: worst verdict first, then by address; what is no camera comes last.

    Args:
        site: the name of the place.
        sweep: the id of the sweep the observations come from.
        generated_at: when the report was written, UTC.
        as_of: the day it was judged for.
        policy: the name of the policy; `policy_version` its digest.
        scope: who was allowed to be touched.
        devices: one value a device; keys must be unique.
        buyers: the roles the law was read for.
        lists: every list and rule set used, with its date.
        silent: addresses in scope from which nothing came.
        foreign: answers from outside the scope.
        dropped: what was seen and not used, counted.
        limits: what this sweep in particular cannot know; `STANDING_LIMITS` come before them.
        policy_version: the version of the policy as it was used.
        title: the heading of the report.
        stale_after_days: from this age on a list is called old.
        producer: the program and version that wrote the report.
        legal_note: the closing note.
        monitoring: what was attached, counted and refused at the gate; ``None`` where nothing ever was.
        joined: the devices that were found at several addresses.
        census: what other books know beyond this sweep; ``None`` where none was held against it.

    Raises:
        ValueError: two devices share a key, a time has no zone, or the monitoring is impossible (`Monitoring.check`).
    """
    seen: set[str] = set()
    for device in devices:
        if device.device in seen:
            raise ValueError(f"two devices with the key {device.device!r}")
        seen.add(device.device)
    if generated_at.tzinfo is None:
        raise ValueError("generated_at needs a time zone")
    return Report(
        title=title, site=site, sweep=sweep, generated_at=generated_at, as_of=as_of, policy=policy,
        policy_version=policy_version, buyers=tuple(buyers), scope=scope,
        devices=tuple(sorted(devices, key=_rank)),
        silent=tuple(sorted(silent, key=lambda one: _address_key(one.address))),
        foreign=tuple(sorted(foreign, key=lambda one: _address_key(one.address))),
        dropped=tuple(dropped), lists=tuple(sorted(lists, key=lambda one: (one.dated, one.id))),
        limits=(*STANDING_LIMITS, *limits), legal_note=legal_note, stale_after_days=stale_after_days,
        producer=producer, monitoring=_settled(monitoring, devices) if monitoring is not None else None,
        joined=tuple(sorted(joined, key=lambda one: _address_key(one.device))), census=census,
    )


def _rank(device: DeviceReport) -> tuple[bool, int, tuple[int, int, str], str]:
    return (is_outside_scope(device.verdict), OUTCOME_ORDER.index(device.verdict.outcome),
            _address_key(device.address or device.device), device.device)


def _settled(monitoring: Monitoring, devices: Sequence[DeviceReport]) -> Monitoring:
    """The monitoring in a fixed order: suspended cameras first, then by address; events and refusals by time."""
    monitoring.check()
    states = list(CameraState)
    return Monitoring(
        cameras=tuple(sorted((_named(one, devices) for one in monitoring.cameras),
                             key=lambda one: (states.index(one.state), _address_key(one.device), one.since))),
        series=tuple(sorted((replace(one, points=tuple(sorted(one.points, key=lambda point: point.start)))
                             for one in monitoring.series),
                            key=lambda one: (_address_key(one.device), one.app, one.metric, one.unit))),
        events=tuple(sorted(monitoring.events, key=lambda one: (one.at, one.device))),
        refusals=tuple(sorted(monitoring.refusals, key=lambda one: (one.at, one.device, one.rule))),
    )


def _named(camera: AttachedCamera, devices: Sequence[DeviceReport]) -> AttachedCamera:
    """`camera` with maker and label as the sweep found them.

    The same inventory id makes it the same device. The same key alone does not where both ids are known and differ:
    then another device answers there today, and its names must not be given to the one that was let in.
    """
    found = next((one for one in devices if camera.inventory_id and one.inventory_id == camera.inventory_id), None)
    if found is None:
        found = next((one for one in devices if one.device == camera.device
                      and not (camera.inventory_id and one.inventory_id)), None)
    if found is None:
        return camera
    identity = found.identity
    return replace(
        camera, inventory_id=camera.inventory_id or found.inventory_id,
        maker=camera.maker or identity.maker_name or identity.maker or "",
        brand=camera.brand or identity.brand or "", model=camera.model or identity.model or "")


def _address_key(text: str) -> tuple[int, int, str]:
    """Addresses in numeric order, IPv4 first; what is no address comes last, by text."""
    address, _, channel = text.partition("#")
    try:
        parsed = ip_address(address)
    except ValueError:
        return 9, 0, text
    return parsed.version, int(parsed), channel.zfill(6)
