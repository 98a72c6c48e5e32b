"""A sweep from the command line's point of view: run it, add captures, judge, store, and only then close the journal.

The order is what makes a killed sweep harmless: as long as the journal is open, the next run of the same scope resumes
it, and storing the same sweep twice changes nothing.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet import earlier
from camvet.assessment import assess, by_device
from camvet.baselines import Known
from camvet.context import Context, UsageError
from camvet.inventory import Inventory, SweepRecord
from camvet.waivers import Waivers
from scanner import clock, egress
from scanner.crowds import crowds
from scanner.journal import Journal
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.sweep import sweep as run_sweep

if TYPE_CHECKING:
    from rules.multihomed import Join
    from rules.policy import Policy
    from scanner.scope import Scope
    from scanner.settings import Observer, Settings, SweepResult

__all__ = ["SweepOrder", "actor", "perform"]


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What a sweep is asked to do, beyond the scanner's own settings."""

    scope: Scope
    settings: Settings
    policy: Policy
    as_of: date
    captures: Sequence[Path] = ()
    activity: str | None = None
    purpose: str | None = None
    fresh: bool = False
    nmap: Sequence[str] = ()
    factory_logins: bool = False


def actor() -> str:
    """Who the event log names: the operating system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):                 # a container's user may have no name
        return "unknown"


def perform(context: Context, order: SweepOrder, observer: Observer) -> SweepRecord:
    """Sweep, judge and store. Raises `UsageError` for a capture or a journal that cannot be used."""
    import asyncio

    from camvet.services import look
    from rules import makers, planning
    from rules.multihomed import join

    captures = [_capture(path) for path in order.captures]      # a wrong file is said before anything is sent
    for address in order.nmap:
        if not order.scope.contains(address):
            raise UsageError(f"--nmap {address}: not an address of the scope")
    inventory = context.inventory(new=True)
    settings = _with_factory_logins(order, inventory) if order.factory_logins else order.settings
    journal = Journal.open(context.settings.state / "journals", order.scope, settings, fresh=order.fresh)
    result = asyncio.run(run_sweep(order.scope, settings, planning.plan(makers.load()), journal, observer))
    observations, attempts = _with_captures(result, captures, clock.now())
    if not result.interrupted:
        looked = asyncio.run(look(order.nmap, result.devices, observations))
        observations, attempts = [*observations, *looked[0]], [*attempts, *looked[1]]
    joined = join(observations, attempts, result.devices)
    observations, attempts = joined.observations, joined.attempts
    observations = [*observations, *earlier.observations(inventory, context.settings.site, observations)]
    seen = by_device(observations, attempts, joined.devices)
    judgements = assess(seen, policy=order.policy, as_of=order.as_of,
                        activity=order.activity, purpose=order.purpose,
                        known=Known.of(inventory, context.settings.site, order.as_of),
                        watched_s=sum(capture.seconds for capture in captures),
                        waive=Waivers.of(inventory, context.settings.site).hook(seen, order.as_of))
    record = SweepRecord(
        id=f"{result.started:%Y%m%dT%H%M%S}-{order.scope.digest[:8]}", site=context.settings.site,
        started=result.started, finished=result.finished, complete=not result.interrupted,
        observations=observations, attempts=attempts, judgements=judgements, policy=order.policy.policy,
        as_of=order.as_of.isoformat(), document=_document(order, result, captures, joined.joins))
    if not result.interrupted:
        inventory.record(record, actor=actor())
        journal.finish()
    return record


def _with_factory_logins(order: SweepOrder, inventory: Inventory) -> Settings:
    from dataclasses import replace

    from camvet.factory_logins import AuditedFactoryLogins
    from rules import makers

    return replace(order.settings, factory_logins=AuditedFactoryLogins(makers.load(), inventory.logins, order.scope,
                                                                       actor()))


def _capture(path: Path) -> egress.Capture:
    try:
        return egress.read(path)
    except OSError as error:
        raise UsageError(f"capture {path}: {error.strerror}") from error


def _with_captures(result: SweepResult, captures: Sequence[egress.Capture], now: datetime,
                   ) -> tuple[list[Observation], list[Attempt]]:
    """The sweep's observations and attempts, and those of the captures for the devices it found."""
    observations, attempts = list(result.observations), list(result.attempts)
    macs = {o.text("mac"): o.device for o in observations if o.transport == "link" and o.device in result.devices}
    known = {**{device: device for device in result.devices}, **macs}
    for capture in captures:
        observations += egress.observations(capture, known, now)
        attempts += egress.attempts(capture, known, now)
    if not captures:
        attempts += [Attempt(device, "egress.capture", None, AttemptStatus.NOT_ATTEMPTED, now, Reason.NOT_APPLICABLE,
                             "no capture was given") for device in result.devices]
    return observations, attempts


def _document(order: SweepOrder, result: SweepResult, captures: Sequence[egress.Capture],
              joins: Sequence[Join]) -> dict[str, Any]:
    """What is stored of a sweep beside its devices; JSON-shaped, without a secret."""
    scope, window = order.scope, (order.scope.not_before, order.scope.not_after)
    return {
        "scope": {
            "digest": scope.digest, "targets": [str(part) for part in scope.ranges],
            "excludes": [str(part) for part in scope.excluded], "owner": scope.owner, "ticket": scope.ticket,
            "window": [clock.stamp(moment) if moment else None for moment in window],
            "authorised": scope.authorised, "profile": str(order.settings.profile),
            "credentials": order.settings.credentials is not None, "activity": order.activity,
            "purpose": order.purpose, "unattributed": scope.unattributed or None,
            "opted_in": [name for name, wanted in (("factory_logins", order.factory_logins),
                                                   ("snmp_public", order.settings.snmp_public),
                                                   ("port_mappings", order.settings.port_mappings)) if wanted],
        },
        "links": [{"name": use.name, "network": use.network, "used": use.used, "because": use.because}
                  for use in result.links],
        "silent": {silent.address: silent.detail or silent.reason for silent in result.silent.values()},
        "foreign": [seen.to_json() for seen in result.foreign],
        "dropped": dict(result.dropped),
        "sent": dict(result.sent),
        "joined": [{"device": one.device, "also_at": list(one.others), "because": one.because} for one in joins],
        "captures": [{"file": path.name, "packets": capture.packets, "undecoded": sum(capture.undecoded.values()),
                      "trouble": capture.trouble, "seconds": round(capture.seconds, 1)}
                     for path, capture in zip(order.captures, captures, strict=True)],
        "resumed": result.resumed,
        "notes": [str(one) for one in crowds(scope.addresses(), result.observations)],
    }
