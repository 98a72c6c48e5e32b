"""Runs the monitors of all attached cameras: a thread a camera, what they say stored and passed on.

The inventory is the one truth about who is attached. A monitor that finds a reason suspends its camera there; what is
detached, revoked or suspended there by anybody else is let go of within seconds.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from analytics.detections import Metric
from analytics.gate import Gate
from analytics.pipeline import EventKind, Happening, Monitor, MonitorSettings
from camvet.admission import SiteWorld
from camvet.context import UsageError
from camvet.edition import Edition
from camvet.inventory import AttachmentRow, AttachmentState, CameraEvent, Inventory, MetricRow
from camvet.keys import KeyStore
from camvet.orders import file_of, order_of
from camvet.port_map import read_port_map
from rules import makers
from scanner import clock

__all__ = ["GATE_ACTOR", "PATIENCE", "Watch", "WatchOrder", "check_references"]

POLL_S = 0.5
MOST_CAMERAS = 512           # threads are made as cameras come, not before
PURGE_EVERY_S = 3600.0
PATIENCE = timedelta(seconds=60)
GATE_ACTOR = "gate"


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """Which devices of a site to watch (none: all that are or come to be attached), how, and for how long.

    The files take the place of those that were named when the cameras were attached.
    """

    site: str
    devices: Collection[str]
    settings: MonitorSettings
    seconds: float | None = None
    port_map: Path | None = None
    neighbours: Path | None = None


@dataclass(frozen=True, slots=True)
class _Running:
    row: AttachmentRow
    monitor: Monitor
    future: Future[Happening | None]


@dataclass(slots=True)
class Watch:
    """One run over several cameras; `suspended` holds the devices that were suspended during it.

    Args:
        inventory: where attachments stand, and where metrics and events go.
        keys: whose signatures count.
        order: what to watch.
        tell_metric, tell_event: pass on what was stored already; they are called one at a time.
        edition: the rules that are judged by, kept the newest that are installed.
    """

    inventory: Inventory
    keys: KeyStore
    order: WatchOrder
    tell_metric: Callable[[MetricRow, str], None]
    tell_event: Callable[[CameraEvent, str], None]
    edition: Edition | None = None
    suspended: set[str] = field(default_factory=set)
    _running: dict[str, _Running] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Watch until the time is over, no camera is left, or Ctrl-C. What a thread failed by is raised here."""
        makers.load()                              # read once here, and not by every thread at the same time
        with ThreadPoolExecutor(MOST_CAMERAS, thread_name_prefix="camera") as pool:
            try:
                self._mind(pool)
            except KeyboardInterrupt:
                pass                               # the usual way to end it; what was counted so far is still told
            finally:
                for one in self._running.values():
                    one.monitor.stop()
        for one in self._running.values():
            one.future.result()

    def _mind(self, pool: ThreadPoolExecutor) -> None:
        """Wait; meanwhile follow who is attached, and purge what is too old."""
        ends = time.monotonic() + self.order.seconds if self.order.seconds is not None else math.inf
        purge_at = 0.0
        while self._follow(pool) and time.monotonic() < ends:
            if time.monotonic() >= purge_at:
                self.inventory.gate.purge_metrics(clock.now())
                purge_at = time.monotonic() + PURGE_EVERY_S
            time.sleep(max(0.0, min(POLL_S, ends - time.monotonic())))

    def _follow(self, pool: ThreadPoolExecutor) -> bool:
        """Start what is attached, let go of what is not any more or was attached anew; whether anything is watched."""
        rows = {row.device: row for row in self.inventory.gate.attachments(self.order.site)
                if not self.order.devices or row.device in self.order.devices}
        for device, one in list(self._running.items()):
            row = rows.get(device)
            if one.future.done():
                one.future.result()
            elif row is None or row.state is not AttachmentState.ATTACHED or row.since != one.row.since:
                one.monitor.stop()
            if row is not None and row.state is AttachmentState.SUSPENDED:
                self.suspended.add(device)
        for device, row in rows.items():
            before = self._running.get(device)
            if row.state is AttachmentState.ATTACHED and (before is None or (
                    before.future.done() and before.row.since != row.since)):
                monitor = self._monitor(row)
                self._running[device] = _Running(row, monitor, pool.submit(monitor.run))
        return any(not one.future.done() for one in self._running.values())

    def _monitor(self, row: AttachmentRow) -> Monitor:
        by = self.inventory.gate.attestation(row.attestation)
        envelope = by.envelope if by else ""
        world = SiteWorld(self.inventory, self.keys, envelope=envelope, patience=PATIENCE,
                          port_map=read_port_map(file_of(self.order.port_map, row, "port_map")),
                          neighbour_table=file_of(self.order.neighbours, row, "neighbours"), edition=self.edition)
        return Monitor(Gate(world), order_of(row), envelope, partial(self._on_metric, row.address),
                       partial(self._on_event, row.address), self.order.settings)

    def _on_metric(self, address: str, metric: Metric) -> None:
        row = MetricRow(metric.camera, metric.app, metric.name, metric.value, metric.unit, _stamp(metric.start),
                        _stamp(metric.end), dict(metric.quality))
        with self._telling:
            self.inventory.gate.add_metric(row)
            self.tell_metric(row, address)

    def _on_event(self, address: str, happening: Happening) -> None:
        now = clock.now()
        event = CameraEvent(happening.device, clock.stamp(now), str(happening.kind), happening.rule, happening.because)
        with self._telling:
            if happening.kind is EventKind.SUSPENDED:
                self.suspended.add(happening.device)
                self.inventory.gate.suspend(happening.device, at=now, actor=GATE_ACTOR, rule=happening.rule,
                                            because=happening.because)
            else:
                self.inventory.gate.add_event(event)
            self.tell_event(event, address)


def _stamp(seconds: float) -> str:
    return clock.stamp(datetime.fromtimestamp(seconds, UTC))


def check_references(cameras: Sequence[AttachmentRow]) -> None:
    """Raise `UsageError` for credentials that are not there, before a camera is suspended for the want of them."""
    from camvet.credentials import resolve_for

    for row in cameras:
        try:
            resolve_for(row.order["credentials"], row.address)
        except UsageError as error:
            raise UsageError(f"{row.address}: {error}") from error
