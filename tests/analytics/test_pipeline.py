"""One attached camera from the gate to its numbers, with a gate and a source that do as they are told."""

import itertools

import numpy as np
import pytest

from analytics import pipeline
from analytics.detections import Frame
from analytics.detectors.motion import LIMIT
from analytics.gate import AppOrder, Refused
from analytics.pipeline import TRANSIENT, EventKind, Monitor, MonitorSettings
from analytics.source import SourceLost
from tests.analytics.gate_world import order

RANDOM = np.random.default_rng(3)


def picture(at, size=(640, 360), mean=100):
    return Frame(np.clip(RANDOM.normal(mean, 8, (90, 160)), 0, 255).astype(np.uint8), at, *size)


def black(at):
    return Frame(np.zeros((90, 160), np.uint8), at, 640, 360)


class Source:
    """Gives `frames`, then ends with `rule`; `dropped` and `rate` as a real one has them."""

    def __init__(self, frames, rule="stream.closed"):
        self._frames, self._rule = frames, rule
        self.rate, self.dropped = 5.0, 0
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def frames(self):
        yield from self._frames
        raise SourceLost(self._rule, "as told")


class FakeGate:
    """Opens each of `sources` in turn; an exception among them is raised instead."""

    def __init__(self, *sources):
        self.sources, self.opened = iter(sources), 0

    def open(self, _order, _envelope, *, recheck_s, rate):
        self.opened += 1
        found = next(self.sources)
        if isinstance(found, Exception):
            raise found
        found.rate = rate
        return found


class Clock:
    """A clock that a test moves; both the monotonic and the wall clock of a monitor."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def paced(self, frames, *, behind=0.0):
        """Frames as time goes by; each takes `behind` seconds more than it should."""
        start, first, extra = self.now, None, 0.0
        for one in frames:
            first = one.at if first is None else first
            extra += behind
            self.now = start + one.at - first + extra
            yield one


def watched(*sources, settings=None, pauses=None, apps=None, clock=None):
    """Run a monitor over these sources; its end, events and metrics."""
    events, metrics, clock = [], [], clock or Clock()
    changes = {"apps": apps} if apps else {}
    monitor = Monitor(FakeGate(*sources, Refused("gate.fingerprint", "end of the test")), order(**changes), "{}",
                      metrics.append, events.append, settings or MonitorSettings(), wall=clock, ticks=clock)
    waits = [] if pauses is None else pauses
    monitor._stopped.wait = waits.append
    return monitor.run(), events, metrics


def kinds(events):
    return [event.kind for event in events]


@pytest.mark.parametrize("rule", sorted(TRANSIENT))
def test_what_may_pass_by_itself_is_tried_again(rule):
    end, events, _ = watched(Source([], rule), Refused(rule, "x"))
    assert kinds(events) == [EventKind.CONNECTED, EventKind.LOST, EventKind.LOST, EventKind.SUSPENDED]
    assert [event.rule for event in events[1:3]] == [rule, rule]
    assert end == events[-1]


@pytest.mark.parametrize("rule", [
    "stream.auth_rejected", "stream.auth_required", "stream.auth_not_understood", "stream.redirected",
    "stream.foreign_host", "stream.foreign_scheme", "stream.malformed", "stream.no_video", "stream.refused",
    "decoder.too_large", "decoder.nonsense", "gate.fingerprint", "gate.other_device", "attestation.expired",
    "attestation.revoked", "attestation.signature", "attestation.key", "ndaa-889", "a rule nobody knows",
])
@pytest.mark.parametrize("as_refusal", [True, False])
def test_everything_else_suspends_at_once(rule, as_refusal):
    end, events, _ = watched(Refused(rule, "because") if as_refusal else Source([], rule))
    assert (end.kind, end.rule, end.device) == (EventKind.SUSPENDED, rule, "cam-1")
    assert events[-1] == end
    assert kinds(events).count(EventKind.LOST) == 0


def test_pauses_grow_with_jitter_up_to_their_longest(monkeypatch):
    for share, factor in ((0.5, 0.5), (1.0, 1.0)):
        pauses = []
        monkeypatch.setattr(pipeline.random, "uniform", lambda low, high, share=share: share)
        watched(*[Refused("gate.unreachable", "x")] * 9, pauses=pauses)
        assert pauses == [seconds * factor for seconds in (1, 2, 4, 8, 16, 32, 60, 60, 60)]


def test_jitter_is_between_half_and_the_whole_pause(monkeypatch):
    asked = []
    monkeypatch.setattr(pipeline.random, "uniform", lambda low, high: asked.append((low, high)) or high)
    watched(Refused("gate.unreachable", "x"))
    assert asked == [(0.5, 1.0)]


def test_pauses_begin_small_again_after_a_session_that_was_well(monkeypatch):
    monkeypatch.setattr(pipeline.random, "uniform", lambda low, high: 1.0)
    clock, pauses = Clock(), []
    lost = [Refused("gate.unreachable", "x")] * 4
    watched(*lost, Source(clock.paced([picture(at) for at in range(70)])), *lost[:1], pauses=pauses, clock=clock)
    assert pauses == [1, 2, 4, 8, 1, 2]


def test_stop_ends_the_run_without_an_event():
    events = []
    monitor = Monitor(FakeGate(Source(itertools.repeat(picture(0.0)))), order(), "{}", lambda _: None, events.append)
    monitor.on_event = lambda event: (events.append(event), monitor.stop())
    assert monitor.run() is None
    assert kinds(events) == [EventKind.CONNECTED]


def test_a_stop_during_the_pause_ends_the_run():
    events = []
    monitor = Monitor(FakeGate(Refused("gate.unreachable", "x")), order(), "{}", lambda _: None, events.append)
    monitor.on_event = lambda event: (events.append(event), monitor.stop())
    assert monitor.run() is None
    assert kinds(events) == [EventKind.LOST]


def test_metrics_come_at_their_interval_and_say_how_far_to_trust_them():
    clock = Clock()
    source = Source(clock.paced([picture(i / 5) for i in range(101)]))
    source.dropped = 3
    _, _, metrics = watched(source, clock=clock)
    assert [(m.name, m.start, m.end) for m in metrics if m.name == "in"] == [("in", 1000, 1010), ("in", 1010, 1020)]
    quality = dict(metrics[0].quality)
    assert quality["method"] == LIMIT
    assert quality["analysed_fps"] == "5.1"
    assert quality["frames"] == "51"
    assert [dict(m.quality)["dropped_pictures"] for m in metrics if m.name == "in"] == ["3", "0"]
    assert "overload" not in quality


def test_the_open_interval_is_told_when_the_session_ends():
    clock = Clock()
    _, _, metrics = watched(Source(clock.paced([picture(i / 5) for i in range(6)])), clock=clock)
    assert [(m.name, m.end) for m in metrics] == [("in", 1001), ("out", 1001)]


def test_a_wall_clock_that_is_set_back_loses_no_interval():
    clock, metrics = Clock(), []
    wall = iter([5000.0, 1400.0, 1410.0, 1420.0])
    monitor = Monitor(FakeGate(Source(clock.paced([picture(i / 5) for i in range(101)])), Refused("gate.dpia", "end")),
                      order(), "{}", metrics.append, lambda _: None, wall=lambda: next(wall), ticks=clock)
    monitor._stopped.wait = lambda _: None
    monitor.run()
    assert [(m.start, m.end) for m in metrics if m.name == "in"] == [(5000, 5010), (1400, 1410)]


def test_symptoms_are_events_and_unwell_pictures_are_not_counted_with():
    clock = Clock()
    frames = [black(i / 5) if 10 <= i < 20 else picture(i / 5) for i in range(51)]
    _, events, metrics = watched(Source(clock.paced(frames)), clock=clock)
    assert kinds(events)[:2] == [EventKind.CONNECTED, EventKind.BLACK]
    assert dict(metrics[0].quality)["unwell_frames"] == "10 of 51 pictures were not counted with"


def test_an_interval_of_black_pictures_is_no_number():
    clock = Clock()
    _, events, metrics = watched(Source(clock.paced([black(i / 5) for i in range(101)])), clock=clock)
    assert EventKind.BLACK in kinds(events)
    assert metrics == []


def test_another_size_is_told():
    clock = Clock()
    _, events, _ = watched(Source(clock.paced([picture(0.0), picture(0.2, (1280, 720))])), clock=clock)
    assert EventKind.RESOLUTION in kinds(events)


def test_falling_behind_lowers_the_rate_and_says_so():
    clock = Clock()
    source = Source(clock.paced([picture(i / 5) for i in range(60)], behind=0.3))
    _, events, metrics = watched(source, clock=clock)
    overloads = [event for event in events if event.kind is EventKind.OVERLOAD]
    assert "2.5 pictures a second" in overloads[0].because
    assert "1.2 pictures a second" in overloads[1].because
    assert source.rate == 1.0                                       # never below the least
    assert any("at the slowest" in dict(metric.quality).get("overload", "") for metric in metrics)


def test_caught_up_again_the_rate_rises_and_that_is_said_too():
    clock = Clock()

    def frames():
        yield from clock.paced([picture(i / 5) for i in range(20)], behind=0.3)
        yield from clock.paced([picture(4 + i / 5) for i in range(20)], behind=-0.1)      # what had piled up
        yield from clock.paced([picture(8 + i / 5) for i in range(120)])

    source = Source(frames())
    _, events, _ = watched(source, clock=clock)
    assert kinds(events).index(EventKind.OVERLOAD) < kinds(events).index(EventKind.RECOVERED)
    assert source.rate > 1.0


@pytest.mark.parametrize("late", [0.5, 3.0])
def test_pictures_that_the_network_held_up_are_no_overload(late):
    clock = Clock()

    def frames():
        yield from clock.paced([picture(i / 5) for i in range(20)])
        clock.now += late                                           # nothing comes, then all at once
        for i in range(20, 20 + int(late * 5)):
            yield picture(i / 5)
        yield from clock.paced([picture(4 + late + i / 5) for i in range(1, 40)])

    _, events, _ = watched(Source(frames()), clock=clock)
    assert EventKind.OVERLOAD not in kinds(events)


@pytest.mark.parametrize("drift", [0.0002, -0.0002])
def test_a_camera_clock_that_drifts_is_no_overload(drift):
    """0.1 % is far worse than any quartz; after an hour it is 3.6 s."""
    pace = pipeline._Pace()
    for second in range(3600):
        assert pace.lag(1000.0 + second * (1 + 5 * drift), float(second), 1.0) < 0.25


def test_apps_begin_anew_with_every_session():
    """A person who crosses while the camera is away was not seen to cross."""
    made = []
    original = pipeline.apps.make
    try:
        pipeline.apps.make = lambda name, config: made.append(original(name, config)) or made[-1]
        watched(Source([picture(0.0)]), Source([picture(0.0)]), clock=Clock(),
                apps=(AppOrder("people_count", {"zone": [[0, 0], [1, 0], [1, 1]]}),))
    finally:
        pipeline.apps.make = original
    assert len(made) == 2
    assert made[0] is not made[1]
