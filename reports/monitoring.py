"""What a report tells of the cameras that were let in: for what, on whose word, until when, and what was counted.

Plain values, made by whoever has them; nothing here knows the gate, the streams or the counters. There is no field for
a picture, a detection, a track or a person: a number about an interval is the finest thing a report can hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Protocol

__all__ = [
    "AttachRefusal", "AttachedCamera", "CameraState", "Measured", "MetricPoint", "MetricSeries", "Monitoring",
    "MonitoringEvent", "WaivedRule", "series_of",
]


class CameraState(StrEnum):
    """Where an attached camera stands, in the order in which a person has to look at them."""

    SUSPENDED = "suspended"         # something is wrong: nothing is analysed until a person has looked
    ATTACHED = "attached"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class WaivedRule:
    """A rule that decided against a camera and that somebody accepted, with the reason and the end of it."""

    rule: str
    actor: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttachedCamera:
    """One camera at the gate, with everything that was decided about it.

    Attributes:
        device: the device key under which the report tells of it (an address, or ``address#channel``).
        purpose: what it may be used for, as stated when it was attached.
        apps: the names of the apps that run on it.
        retention_days: how long its numbers are kept.
        dpia: the reference of the data protection impact assessment.
        state: attached, suspended or detached; `since` is when it came to that.
        since: UTC.
        attestation: the id of the attestation, shortened to what fits a line (16 hex digits).
        approved_by: the actor of the attestation, `approved_at` when.
        approved_at: UTC.
        until: when the attestation ends; nothing is analysed from then on.
        inventory_id: the opaque id of the inventory, empty where it has none.
        maker: the maker's name, `brand` and `model` as on the label. Left empty, `reports.report.build` takes them from
            the device report of the same device.
        brand: see `maker`.
        model: see `maker`.
        rule: why it is suspended, by name (``gate.fingerprint``); empty otherwise. `because` says it in a sentence.
        because: see `rule`.
        waived: the rules that were waived for its approval.
    """

    device: str
    purpose: str
    apps: Sequence[str]
    retention_days: int
    dpia: str
    state: CameraState
    since: datetime
    attestation: str
    approved_by: str
    approved_at: datetime
    until: datetime
    inventory_id: str = ""
    maker: str = ""
    brand: str = ""
    model: str = ""
    rule: str = ""
    because: str = ""
    waived: Sequence[WaivedRule] = ()


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One number about one interval, with how far it can be trusted.

    ``quality`` holds pairs as the monitor gives them: ``method`` (the standing limit), ``analysed_fps``, ``frames``,
    ``dropped_pictures`` (counted from the start of the connection on), ``unwell_frames``, ``overload``, and others.
    """

    start: datetime
    end: datetime
    value: float
    quality: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric of one app on one camera over time; an interval that is missing was not analysed."""

    device: str
    app: str
    metric: str
    unit: str
    points: Sequence[MetricPoint]


@dataclass(frozen=True, slots=True)
class MonitoringEvent:
    """What happened to an attached camera: ``kind`` in one word, the rule behind it where there is one, a sentence."""

    at: datetime
    device: str
    kind: str
    rule: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class AttachRefusal:
    """Somebody asked for a device to be attached and the gate stayed shut: the rule, why, and the purpose asked for."""

    at: datetime
    device: str
    rule: str
    because: str
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Everything at the gate of one site. `reports.report.build` puts it in order and refuses what cannot be true."""

    cameras: Sequence[AttachedCamera] = ()
    series: Sequence[MetricSeries] = ()
    events: Sequence[MonitoringEvent] = ()
    refusals: Sequence[AttachRefusal] = ()

    def check(self) -> None:
        """Raise `ValueError` for a time that is not in UTC, an interval that ends before it starts, or no number."""
        times = [event.at for event in self.events] + [refusal.at for refusal in self.refusals]
        for camera in self.cameras:
            times += [camera.since, camera.approved_at, camera.until]
            times += [one.until for one in camera.waived if one.until is not None]
            if camera.retention_days < 0:
                raise ValueError(f"{camera.device!r}: retention of {camera.retention_days} days")
        for series in self.series:
            for point in series.points:
                times += [point.start, point.end]
                if not isfinite(point.value):
                    raise ValueError(f"{series.device!r} {series.metric!r}: {point.value} is not a number")
        if any(one.utcoffset() != timedelta(0) for one in times):
            raise ValueError("every time of the monitoring needs the time zone UTC")
        if any(point.end <= point.start for series in self.series for point in series.points):
            raise ValueError("an interval ends before it starts")


class Measured(Protocol):
    """One number as the counters give it; times are seconds since 1970, UTC. `analytics.detections.Metric` is one."""

    @property
    def camera(self) -> str:
        """The device it is about."""

    @property
    def app(self) -> str:
        """The app that counted."""

    @property
    def name(self) -> str:
        """The metric."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def unit(self) -> str:
        """Its unit."""

    @property
    def start(self) -> float:
        """The start of the interval."""

    @property
    def end(self) -> float:
        """The end of the interval."""

    @property
    def quality(self) -> Sequence[tuple[str, str]]:
        """How far it can be trusted."""


def series_of(metrics: Iterable[Measured], keys: Mapping[str, str] | None = None) -> tuple[MetricSeries, ...]:
    """Single numbers as series, each in the order of time.

    Args:
        metrics: in any order.
        keys: the report's device key for each name that the metrics use, where these differ.
    """
    found: dict[tuple[str, str, str, str], list[MetricPoint]] = {}
    for one in metrics:
        device = (keys or {}).get(one.camera, one.camera)
        found.setdefault((device, one.app, one.name, one.unit), []).append(MetricPoint(
            datetime.fromtimestamp(one.start, UTC), datetime.fromtimestamp(one.end, UTC), float(one.value),
            tuple(one.quality)))
    return tuple(MetricSeries(*key, tuple(sorted(points, key=lambda point: point.start)))
                 for key, points in found.items())
