"""One attached camera, from the gate to its numbers: admit, play, detect, track, count, and start over.

Every connection goes through the gate. What may pass by itself (a dropped connection, a device that reboots) is tried
again after a growing pause with jitter; what means that something is wrong (another device, a refused login, a stream
that points elsewhere) suspends the camera until a person has looked. Pictures live in memory for one step of the loop
and nowhere else.
"""

from __future__ import annotations

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
                       "gate.unreachable", "decoder.died", "decoder.timeout"})
"""Rules that may pass by themselves; all others suspend."""


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
        wall: the wall clock in seconds, for the intervals of metrics.
    """

    gate: Gate
    order: AttachOrder
    envelope: str
    on_metric: Callable[[Metric], None]
    on_event: Callable[[Happening], None]
    settings: MonitorSettings = field(default_factory=MonitorSettings)
    wall: Callable[[], float] = time.time
    _stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End `run` soon, from any thread."""
        self._stopped.set()

    def run(self) -> Happening | None:
        """Watch until stopped (``None``) or suspended (the event that says why)."""
        pause = self.settings.first_pause_s
        while not self._stopped.is_set():
            connected = time.monotonic()
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
            if time.monotonic() - connected > self.settings.longest_pause_s:
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
        self._begun: tuple[float, float] | None = None       # monotonic and media clock of the first frame
        self._start = self._end = monitor.wall()
        self._frames = self._unwell = 0
        self._slowest = monitor.settings.rate

    def take(self, frame: Frame) -> None:
        """One analysed picture; afterwards nobody holds it any more."""
        now = self._monitor.wall()
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
        self._end = now
        if now - self._start >= self._monitor.settings.interval_s:
            self.tell()

    def _keep_pace(self, at: float) -> None:
        """Halve the analysed rate when analysis falls behind the stream, and raise it slowly when it has caught up."""
        settings = self._monitor.settings
        if self._begun is None:
            self._begun = (time.monotonic(), at)
            return
        lag = (time.monotonic() - self._begun[0]) - (at - self._begun[1])
        if lag > settings.lag_s and self._source.rate > settings.least_rate:
            self._source.rate = max(settings.least_rate, self._source.rate / 2)
            self._slowest = min(self._slowest, self._source.rate)
            self._begun = (time.monotonic(), at)
            self._monitor.tell(EventKind.OVERLOAD, because=f"analysis fell {lag:.1f} s behind: it now looks at "
                                f"{self._source.rate:.1f} pictures a second")
        elif lag < settings.lag_s / 4 and self._source.rate < settings.rate and \
                time.monotonic() - self._begun[0] > settings.interval_s:
            self._source.rate = min(settings.rate, self._source.rate * 2)
            self._begun = (time.monotonic(), at)
            self._monitor.tell(EventKind.RECOVERED, because=f"it looks at {self._source.rate:.1f} pictures a second")

    def tell(self) -> None:
        """Give out the metrics of the interval, with how far they can be trusted, and begin the next one."""
        length = self._end - self._start
        if self._frames and length > 0:
            quality = [("method", LIMIT), ("analysed_fps", f"{self._frames / length:.1f}"),
                       ("frames", str(self._frames)),
                       ("dropped_pictures", str(self._source.dropped))]
            if self._unwell:
                quality.append(("unwell_frames", f"{self._unwell} of {self._frames} pictures were not counted with"))
            if self._slowest < self._monitor.settings.rate:
                quality.append(("overload", f"analysed at {self._slowest:.1f} pictures a second at the slowest"))
            for one in self._apps:
                for metric in one.metrics(self._monitor.order.device, self._start, self._end):
                    self._monitor.on_metric(Metric(metric.camera, metric.app, metric.name, metric.value, metric.unit,
                                                   metric.start, metric.end, (*metric.quality, *quality)))
        self._start, self._frames, self._unwell, self._slowest = self._end, 0, 0, self._source.rate


_OF_SYMPTOM = {Symptom.FROZEN: EventKind.FROZEN, Symptom.BLACK: EventKind.BLACK, Symptom.GREY: EventKind.GREY,
               Symptom.RESOLUTION: EventKind.RESOLUTION}
_SAID = {
    Symptom.FROZEN: "the picture has not changed by a single bit: the encoder is stuck",
    Symptom.BLACK: "the picture is black",
    Symptom.GREY: "the picture is one even tone",
    Symptom.RESOLUTION: "the picture has another size: lines and zones may not fit any more",
}
