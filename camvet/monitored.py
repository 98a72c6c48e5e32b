"""The monitoring part of a report: who was let in, for what, what was counted, and who was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from camvet.inventory import Inventory, StoredDevice
from camvet.inventory.gate_store import AttachmentRow, AttestationRow, GateStore, MetricRow
from reports.monitoring import (
    AttachedCamera,
    AttachRefusal,
    CameraState,
    Monitoring,
    MonitoringEvent,
    WaivedRule,
    series_of,
)

__all__ = ["monitoring_of"]

MOST_METRICS = 5_000           # of one camera in a report; the newest ones


@dataclass(frozen=True, slots=True)
class _Number:
    """A stored metric in the form that `series_of` reads."""

    camera: str
    app: str
    name: str
    value: float
    unit: str
    start: float
    end: float
    quality: Sequence[tuple[str, str]]


def monitoring_of(inventory: Inventory, site: str, stored: Iterable[StoredDevice]) -> Monitoring | None:
    """What the gate and the counters of `site` have to say; ``None`` where nobody ever asked for anything."""
    gate = inventory.gate
    keys = {device.id: device.key for device in inventory.devices(site)}
    keys |= {device.id: device.key for device in stored}
    attachments = [row for row in gate.attachments(site) if row.device in keys]
    happened = [event for event in gate.camera_events() if event.device in keys]
    if not attachments and not happened:
        return None
    numbers = [_number(row) for one in attachments for row in gate.metrics(one.device)[-MOST_METRICS:]]
    return Monitoring(
        cameras=[camera for one in attachments if (camera := _camera(gate, one, keys)) is not None],
        series=series_of(numbers, keys),
        events=[MonitoringEvent(_moment(e.at), keys[e.device], e.kind, e.rule, e.because)
                for e in happened if e.kind != "refused"],
        refusals=[AttachRefusal(_moment(e.at), keys[e.device], e.rule, e.because)
                  for e in happened if e.kind == "refused"])


def _camera(gate: GateStore, row: AttachmentRow, keys: Mapping[str, str]) -> AttachedCamera | None:
    attested: AttestationRow | None = gate.attestation(row.attestation)
    if attested is None:
        return None
    waived = [WaivedRule(one.rule, one.actor, one.reason, _moment(one.expires)) for one in gate.waivers(row.device)]
    return AttachedCamera(
        device=keys[row.device], inventory_id=row.device, purpose=str(row.order["purpose"]),
        apps=[str(one["name"]) for one in row.order["apps"]], retention_days=int(row.order["retention_days"]),
        dpia=str(row.order["dpia"]), state=CameraState(str(row.state)), since=_moment(row.since),
        attestation=attested.id[:16], approved_by=attested.actor, approved_at=_moment(attested.issued),
        until=_moment(attested.expires), rule=row.rule, because=row.because, waived=waived)


def _number(row: MetricRow) -> _Number:
    return _Number(row.device, row.app, row.name, row.value, row.unit, _moment(row.start).timestamp(),
                   _moment(row.end).timestamp(), tuple(row.quality.items()))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
