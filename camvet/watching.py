"""Runs the monitors of all attached cameras: a thread a camera, what they say stored and passed on.

The inventory is the one truth about who is attached. A monitor that finds a reason suspends its camera there; what is
detached, revoked or suspended there by anybody else is let go of within seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.detections import Metric
from analytics.gate import Gate
from analytics.pipeline import EventKind, Happening, Monitor, MonitorSettings
from camvet.admission import SiteWorld
from camvet.context import UsageError
from camvet.inventory import AttachmentRow, AttachmentState, CameraEvent, Inventory, MetricRow
from camvet.keys import KeyStore
from camvet.orders import file_of, order_of
from camvet.port_map import read_port_map
from scanner import clock

__all__ = ["Watch", "WatchOrder", "check_references"]

POLL_S = 0.5
PURGE_EVERY_S = 3600.0
PATIENCE = timedelta(seconds=60)
GATE_ACTOR = "gate"


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """What to watch, how, and with which files in the place of those named when the cameras were attached."""

    cameras: Sequence[AttachmentRow]
    settings: MonitorSettings
    seconds: float | None = None
    port_map: Path | None = None
    neighbours: Path | None = None


@dataclass(slots=True)
class Watch:
    """One run over several cameras.

    Args:
        inventory: where attachments stand, and where metrics and events go.
        keys: whose signatures count.
        order: what to watch.
        tell_metric, tell_event: pass on what was stored already; they are called one at a time.
    """

    inventory: Inventory
    keys: KeyStore
    order: WatchOrder
    tell_metric: Callable[[MetricRow, str], None]
    tell_event: Callable[[CameraEvent, str], None]
    suspended: set[str] = field(default_factory=set)
    _monitors: dict[str, Monitor] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)
    _addresses: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Watch until the time is over, every camera has ended, or Ctrl-C. What a thread failed by is raised here."""
        self._addresses = {row.device: row.address for row in self.order.cameras}
        self._monitors = {row.device: self._monitor(row) for row in self.order.cameras}
        with ThreadPoolExecutor(len(self._monitors), thread_name_prefix="camera") as pool:
            running = [pool.submit(one.run) for one in self._monitors.values()]
            try:
                self._mind(running)
            except KeyboardInterrupt:
                pass                           # the usual way to end it; what was counted so far is still told
            finally:
                for one in self._monitors.values():
                    one.stop()
        for ended in running:
            ended.result()

    def _monitor(self, row: AttachmentRow) -> Monitor:
        by = self.inventory.gate.attestation(row.attestation)
        envelope = by.envelope if by else ""
        world = SiteWorld(self.inventory, self.keys, envelope=envelope, patience=PATIENCE,
                          port_map=read_port_map(file_of(self.order.port_map, row, "port_map")),
                          neighbour_table=file_of(self.order.neighbours, row, "neighbours"))
        order = order_of(row)
        return Monitor(Gate(world), order, envelope, self._on_metric, self._on_event, self.order.settings)

    def _mind(self, running: Sequence[Future[Happening | None]]) -> None:
        """Wait; meanwhile purge what is too old, and stop what is not attached any more."""
        ends = time.monotonic() + self.order.seconds if self.order.seconds is not None else None
        purge_at = 0.0
        while not all(one.done() for one in running):
            if any(one.done() and one.exception() is not None for one in running):
                return
            now = time.monotonic()
            if ends is not None and now >= ends:
                return
            if now >= purge_at:
                self.inventory.gate.purge_metrics(clock.now())
                purge_at = now + PURGE_EVERY_S
            self._let_go()
            time.sleep(POLL_S if ends is None else max(0.0, min(POLL_S, ends - now)))

    def _let_go(self) -> None:
        state = {row.device: row.state for row in self.inventory.gate.attachments()}
        for device, monitor in self._monitors.items():
            if state.get(device) is not AttachmentState.ATTACHED:
                if state.get(device) is AttachmentState.SUSPENDED:
                    self.suspended.add(device)
                monitor.stop()

    def _on_metric(self, metric: Metric) -> None:
        row = MetricRow(metric.camera, metric.app, metric.name, metric.value, metric.unit, _stamp(metric.start),
                        _stamp(metric.end), dict(metric.quality))
        with self._telling:
            self.inventory.gate.add_metric(row)
            self.tell_metric(row, self._addresses[row.device])

    def _on_event(self, happening: Happening) -> None:
        now = clock.now()
        event = CameraEvent(happening.device, clock.stamp(now), str(happening.kind), happening.rule, happening.because)
        with self._telling:
            if happening.kind is EventKind.SUSPENDED:
                self.suspended.add(happening.device)
                self.inventory.gate.suspend(happening.device, at=now, actor=GATE_ACTOR, rule=happening.rule,
                                            because=happening.because)
            else:
                self.inventory.gate.add_event(event)
            self.tell_event(event, self._addresses[event.device])


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
