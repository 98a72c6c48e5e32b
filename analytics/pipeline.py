"""One attached camera, from the gate to its numbers: admit, play, detect, track, count, and start over.

Every connection goes through the gate. What may pass by itself (a dropped connection, a device that reboots) is tried
again after a growing pause with jitter; what means that something is wrong (another device, a refused login, a stream
that points elsewhere) suspends the camera until a person has looked. Pictures live in memory for one step of the loop
and nowhere else.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from analytics import apps
from analytics.apps import App
from analytics.detections import Frame, Metric
from analytics.detectors.motion import LIMIT, MotionDetector
from analytics.gate import AttachOrder, Gate, Refused
from analytics.health import Health, Symptom
from analytics.source import CameraSource, SourceLost
from analytics.track import Tracker

__all__ = ["TRANSIENT", "EventKind", "Happening", "Monitor", "MonitorSettings"]

TRANSIENT = frozenset({"stream.closed", "stream.stalled", "stream.timeout", "stream.unreachable", "stream.busy",
                       "gate.unreachable", "gate.recheck", "decoder.died", "decoder.timeout"})
"""Rules that may pass by themselves; all others suspend."""
PACE_WINDOW_S = 60.0     # clocks of cameras drift by some milliseconds a minute; a lag grows within seconds


class EventKind(StrEnum):
    """What can happen to an attached camera beside being counted with."""

    CONNECTED = "connected"
    LOST = "lost"
    SUSPENDED = "suspended"
    OVERLOAD = "overload"
    RECOVERED = "recovered"
    FROZEN = "frozen"
    BLACK = "black"
    GREY = "grey"
    RESOLUTION = "resolution_changed"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of one camera: what, the rule behind it where there is one, and a sentence."""

    device: str
    kind: EventKind
    rule: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """How a camera is watched: pictures analysed per second, seconds per metric, between checks, and of pause."""

    rate: float = 5.0
    least_rate: float = 1.0
    interval_s: float = 10.0
    recheck_s: float = 30.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    lag_s: float = 1.0                 # how far analysis may fall behind the stream before it is slowed down


@dataclass(slots=True)
class Monitor:
    """Runs one order. `run` blocks until `stop` is called or the camera is suspended.

    Args:
        gate: asked before every connection.
        order: what was attached, with its attestation's `envelope`.
        on_metric, on_event: called from the running thread; they must be quick.
        wall: the wall clock in seconds: when an interval began. It may be set at any time.
        ticks: a monotonic clock in seconds: how long things take.
    """

    gate: Gate
    order: AttachOrder
    envelope: str
    on_metric: Callable[[Metric], None]
    on_event: Callable[[Happening], None]
    settings: MonitorSettings = field(default_factory=MonitorSettings)
    wall: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End `run` soon, from any thread."""
        self._stopped.set()

    def run(self) -> Happening | None:
        """Watch until stopped (``None``) or suspended (the event that says why)."""
        pause = self.settings.first_pause_s
        while not self._stopped.is_set():
            connected = self.ticks()
            try:
                with self.gate.open(self.order, self.envelope, recheck_s=self.settings.recheck_s,
                                    rate=self.settings.rate) as source:
                    self.tell(EventKind.CONNECTED)
                    self._watch(source)
                    return None
            except (Refused, SourceLost) as error:
                if error.rule not in TRANSIENT:
                    return self.tell(EventKind.SUSPENDED, error.rule, error.because)
                self.tell(EventKind.LOST, error.rule, error.because)
            if self.ticks() - connected > self.settings.longest_pause_s:
                pause = self.settings.first_pause_s          # it had been well for a while: begin small again
            # Half to full pause: cameras that were lost together do not come back together.
            self._stopped.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, self.settings.longest_pause_s)
        return None

    def _watch(self, source: CameraSource) -> None:
        """Count until stopped. Ends by `SourceLost` otherwise; the interval that was open is still told."""
        session = _Session(self, source, [apps.make(one.name, one.config) for one in self.order.apps])
        try:
            for frame in source.frames():
                session.take(frame)
                if self._stopped.is_set():
                    return
        finally:
            session.tell()

    def tell(self, kind: EventKind, rule: str = "", because: str = "") -> Happening:
        """Pass an event on, and return it."""
        happening = Happening(self.order.device, kind, rule, because)
        self.on_event(happening)
        return happening


class _Session:
    """The counters of one connection. They start anew with the next: no track outlives a session."""

    def __init__(self, monitor: Monitor, source: CameraSource, counters: Sequence[App]) -> None:
        self._monitor, self._source, self._apps = monitor, source, counters
        self._detector = MotionDetector(rate=monitor.settings.rate)
        self._tracker = Tracker()
        self._health = Health()
        self._pace = _Pace()
        self._start, self._began = monitor.wall(), monitor.ticks()       # of the interval
        self._length = 0.0
        self._frames = self._unwell = self._dropped = 0
        self._slowest = monitor.settings.rate

    def take(self, frame: Frame) -> None:
        """One analysed picture; afterwards nobody holds it any more."""
        self._frames += 1
        for symptom in self._health.look(frame):
            self._monitor.tell(_OF_SYMPTOM[symptom], because=_SAID[symptom])
        if self._health.well:
            tracked = self._tracker.update(self._detector.detect(frame))
            for one in self._apps:
                one.update(tracked)
        else:
            self._unwell += 1
        self._keep_pace(frame.at)
        self._length = self._monitor.ticks() - self._began
        if self._length >= self._monitor.settings.interval_s:
            self.tell()

    def _keep_pace(self, at: float) -> None:
        """Halve the analysed rate when analysis falls behind the stream, and raise it slowly when it has caught up."""
        settings, now = self._monitor.settings, self._monitor.ticks()
        lag = self._pace.lag(now, at, settings.lag_s)
        # One late picture is the network's doing; analysis is too slow when pictures stay late.
        if now - self._pace.late_since > settings.lag_s and self._source.rate > settings.least_rate:
            self._source.rate = max(settings.least_rate, self._source.rate / 2)
            self._slowest = min(self._slowest, self._source.rate)
            self._pace = _Pace()
            self._monitor.tell(EventKind.OVERLOAD, because=f"analysis fell {lag:.1f} s behind: it now looks at "
                                f"{self._source.rate:.1f} pictures a second")
        elif lag < settings.lag_s / 4 and self._source.rate < settings.rate and \
                now - self._pace.began > settings.interval_s:
            self._source.rate = min(settings.rate, self._source.rate * 2)
            self._pace = _Pace()
            self._monitor.tell(EventKind.RECOVERED, because=f"it looks at {self._source.rate:.1f} pictures a second")

    def tell(self) -> None:
        """Give out the metrics of the interval, with how far they can be trusted, and begin the next one."""
        end, dropped = self._start + self._length, self._source.dropped
        if self._frames > self._unwell and self._length > 0:         # nothing counted with is no number, not a zero
            quality = [("method", LIMIT), ("analysed_fps", f"{self._frames / self._length:.1f}"),
                       ("frames", str(self._frames)),
                       ("dropped_pictures", str(dropped - self._dropped))]
            if self._unwell:
                quality.append(("unwell_frames", f"{self._unwell} of {self._frames} pictures were not counted with"))
            if self._slowest < self._monitor.settings.rate:
                quality.append(("overload", f"analysed at {self._slowest:.1f} pictures a second at the slowest"))
            for one in self._apps:
                for metric in one.metrics(self._monitor.order.device, self._start, end):
                    self._monitor.on_metric(Metric(metric.camera, metric.app, metric.name, metric.value, metric.unit,
                                                   metric.start, metric.end, (*metric.quality, *quality)))
        self._start, self._began, self._length = self._monitor.wall(), self._monitor.ticks(), 0.0
        self._frames, self._unwell, self._dropped, self._slowest = 0, 0, dropped, self._source.rate


@dataclass(slots=True)
class _Pace:
    """How far analysis is behind the stream, measured against the best of the last one to two `PACE_WINDOW_S`."""

    began: float = 0.0
    late_since: float = math.inf         # the first of the late pictures in a row
    _window: float = 0.0
    _older: float = math.inf             # the smallest offset between both clocks, of the window before and of this one
    _newest: float = math.inf

    def lag(self, now: float, at: float, late: float) -> float:
        """Seconds that the picture of media time `at` is late at `now`; more than `late` counts as late."""
        offset = now - at
        if self._newest == math.inf:
            self.began = self._window = now
        elif now - self._window >= PACE_WINDOW_S:
            self._window, self._older, self._newest = now, self._newest, offset
        self._newest = min(self._newest, offset)
        lag = offset - min(self._older, self._newest)
        self.late_since = min(self.late_since, now) if lag > late else math.inf
        return lag


_OF_SYMPTOM = {Symptom.FROZEN: EventKind.FROZEN, Symptom.BLACK: EventKind.BLACK, Symptom.GREY: EventKind.GREY,
               Symptom.RESOLUTION: EventKind.RESOLUTION}
_SAID = {
    Symptom.FROZEN: "the picture has not changed by a single bit: the encoder is stuck",
    Symptom.BLACK: "the picture is black",
    Symptom.GREY: "the picture is one even tone",
    Symptom.RESOLUTION: "the picture has another size: lines and zones may not fit any more",
}
