"""How well a clock is told from chance, measured against the rates that are promised."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.egress import evidence
from scanner.egress.beacons import BOUNDS, FALSE_POSITIVES, FEWEST, Ends, beats, ends, spread
from scanner.egress.capture import Capture, Conversation
from scanner.observation import AttemptStatus, Reason
from tests.scanner.egress import score_beacons
from tests.scanner.egress.score_beacons import (
    HALF_REGULAR,
    HELD,
    HOUR,
    MINUTE,
    PERIODS,
    TUNED,
    WINDOWS,
    clock,
    false_positives,
    mixed,
    poisson,
    recall,
)

SECOND = 1_000_000_000
FRESH = 4711                            # a seed the bounds were not set with
RUNS = {"30 min": 80, "2 h": 30, "24 h": 6}


def stamps(intervals):
    at, out = 0, [0]
    for interval in intervals:
        at += int(interval * SECOND)
        out.append(at)
    return out


def share(draw, runs=2000, seed=7):
    source = random.Random(seed)
    found = [beats(stamps(draw(source))) for _ in range(runs)]
    return sum(one is not None and one.regular for one in found) / runs


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 60])
def test_chance_is_rarely_taken_for_a_clock(count):
    assert share(lambda source: [source.expovariate(1 / 60) + 1e-6 for _ in range(count)]) <= FALSE_POSITIVES * 1.6


@pytest.mark.parametrize("count", [10, 30, 100])
def test_bursty_people_are_no_clock(count):
    assert share(lambda source: [source.lognormvariate(3, 1.2) + 1e-6 for _ in range(count)]) <= FALSE_POSITIVES * 1.6


@pytest.mark.parametrize("shape", ["uniform", "gaussian"])
@pytest.mark.parametrize(("window", "jitter", "wanted"), [
    ("30 min", 0.0, 0.95), ("30 min", 0.1, 0.85), ("30 min", 0.3, 0.6),
    ("2 h", 0.1, 0.9), ("2 h", 0.3, 0.75), ("24 h", 0.1, 0.98), ("24 h", 0.3, 0.96),
])
def test_clocks_are_found_over_all_periods(window, jitter, wanted, shape):
    found = recall(window, jitter, RUNS[window], FRESH, shape=shape)
    assert sum(found.values()) / len(PERIODS[window]) >= wanted, found


def test_clocks_of_any_period_from_ten_seconds_to_ten_minutes():
    of_all, of_five_calls, share_of_these = mixed("30 min", 0.3, "gaussian", 400, FRESH)
    assert (of_all >= 0.75, of_five_calls >= 0.8, share_of_these >= 0.85) == (True, True, True)


@pytest.mark.parametrize(("minutes", "period", "jitter", "wanted"), [
    (30, 60, 0.3, 0.98), (30, 300, 0.1, 0.98), (30, 300, 0.3, 0.9), (30, 360, 0.3, 0.7), (30, 450, 0.1, 0.9)])
def test_few_calls(minutes, period, jitter, wanted):
    assert score_beacons.share(clock(minutes * MINUTE, period, jitter), minutes * MINUTE, 400, 3) >= wanted


@pytest.mark.parametrize(("how", "wanted"), [
    ({"shape": "planned"}, 0.85), ({"missed": 0.05}, 0.8), ({"bursts": 3}, 0.8), ({"shape": "early"}, 0.9)])
def test_clocks_of_other_habits_are_found(how, wanted):
    found = recall("30 min", 0.1, 100, FRESH, **how)
    assert sum(found.values()) / len(found) >= wanted, found


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kinds", [TUNED, HELD], ids=["tuned", "held"])
def test_innocent_traffic_is_rarely_taken_for_a_clock(window, kinds):
    rates = false_positives(window, {"30 min": 60, "2 h": 25, "24 h": 3}[window], FRESH, kinds)
    assert sum(rates.values()) / len(rates) <= FALSE_POSITIVES, rates
    most = {"30 min": 0.02, "2 h": 0.04, "24 h": 0.09}[window]        # so few runs cannot tell one in a hundred
    assert max(rates.values()) <= most, rates


def test_half_regular_traffic_is_mostly_taken_for_what_it_is():
    rates = false_positives("30 min", 60, FRESH, HALF_REGULAR)
    assert rates["even gaps"] <= 0.06, rates
    assert max(rates.values()) <= 0.3, rates


@pytest.mark.parametrize("limit", [120, 300, 600])
def test_retries_that_back_off_to_a_limit_are_no_clock(limit):
    pauses = [min(2.0 ** step, limit) for step in range(12)]
    assert not beats(stamps(pauses)).regular


def test_a_clock_that_began_with_retries_is_one_after_some_hours():
    assert beats(stamps([2, 4, 8, 16, 32, *[60] * 100])).regular


def test_transfers_must_come_more_evenly():
    chance = random.Random(5)
    heard = stamps([60 * (1 + chance.uniform(-0.5, 0.5)) for _ in range(30)])
    calls = len(heard)
    assert beats(heard, None, 5 * calls).regular
    assert not beats(heard, None, 500 * calls).regular
    assert beats(stamps([60, 62, 59, 61, 60, 58]), None, 3500).regular


@pytest.mark.parametrize(("watched", "expected"), [
    (None, Ends.UNKNOWN), ((0, 300), Ends.UNKNOWN), ((-30, 330), Ends.FILLED), ((-30, 300), Ends.UNKNOWN),
    ((-200, 330), Ends.EMPTY), ((-30, 500), Ends.EMPTY), ((0, 500), Ends.EMPTY)])
def test_what_the_ends_of_the_watching_say(watched, expected):
    heard = [number * 100 * SECOND for number in range(4)]
    assert ends(heard, watched and (watched[0] * SECOND, watched[1] * SECOND)) == expected


def test_calls_that_fill_the_watching_may_be_less_exact():
    heard = stamps([600, 612])
    assert not beats(heard).regular
    assert beats(heard, (-300 * SECOND, heard[-1] + 300 * SECOND)).regular
    assert not beats(heard, (-3000 * SECOND, heard[-1] + 300 * SECOND)).regular


def test_fast_calls_without_memory_are_no_clock():
    """Bursts end after a second's pause, which alone would make fast chance look even."""
    assert score_beacons.share(poisson(HOUR, 1.0), HOUR, 100, 5) <= FALSE_POSITIVES


@pytest.mark.parametrize(("port", "told"), [(443, True), (123, False), (53, False), (67, False), (547, False)])
def test_what_is_even_by_nature_is_named_by_its_protocol(port, told):
    heard = stamps([64] * 20)
    talk = Conversation("02:00:00:00:00:10", "10.0.0.10", "203.0.113.8", "udp", port, 40, 4000, 20, 2000, heard[0],
                        heard[-1], bursts=heard)
    capture = Capture(conversations=(talk,), first_ns=1, last_ns=heard[-1] + 30 * SECOND)
    (seen,) = evidence.observations(capture, {talk.mac: "camera"}, datetime(2026, 11, 22, tzinfo=UTC))
    assert ("period_s" in seen.fields) is told


def test_the_ends_of_a_capture_are_looked_at():
    heard = [1_000 * SECOND + stamp for stamp in stamps([600, 612])]
    told = []
    for first in (700, 1):
        talk = Conversation("", "10.0.0.10", "203.0.113.8", "tcp", 443, 3, 300, 3, 300, heard[0], heard[-1],
                            bursts=heard)
        capture = Capture(conversations=(talk,), first_ns=first * SECOND, last_ns=heard[-1] + 300 * SECOND)
        (seen,) = evidence.observations(capture, {"10.0.0.10": "camera"}, datetime(2026, 11, 22, tzinfo=UTC))
        told.append("period_s" in seen.fields)
    assert told == [True, False]


def test_a_schedule_with_any_minute_is_told_from_a_clock_that_is_off():
    off = score_beacons.share(clock(24 * HOUR, 1800, 0.3, "gaussian"), 24 * HOUR, 40, FRESH)
    anywhere = score_beacons.share(score_beacons.any_minute(24 * HOUR, 1800), 24 * HOUR, 40, FRESH)
    assert (off >= 0.95, anywhere <= 0.15) == (True, True)


def test_too_few_calls_are_no_answer():
    assert beats(stamps([60] * (FEWEST - 1))) is None
    assert beats([]) is None
    assert beats([5, 5, 5, 5, 5, 5]) is None


def test_three_calls_must_be_exact():
    assert beats(stamps([600, 600])).regular
    assert not beats(stamps([600, 640])).regular


def test_the_period_is_told_with_missed_calls_folded_back():
    found = beats(stamps([60, 60, 120, 60, 60, 180, 60]))
    assert found is not None
    assert (found.regular, found.period_s, found.events) == (True, 60.0, 8)


def test_an_hour_offline_does_not_hide_a_clock():
    assert beats(stamps([60] * 20 + [3600] + [60] * 20)).regular


def test_bursts_that_follow_closely_are_one_call():
    found = beats(stamps([5, 55] * 10))
    assert (found.regular, found.period_s) == (True, 60.0)


def test_the_bounds_loosen_up_to_where_they_need_no_more():
    allowed = [bound[Ends.UNKNOWN] for bound in BOUNDS.values()]
    loosest = allowed.index(max(allowed))
    assert list(BOUNDS) == sorted(BOUNDS)
    assert allowed[:loosest + 1] == sorted(allowed[:loosest + 1])
    assert allowed[loosest:] == sorted(allowed[loosest:], reverse=True)
    assert all(list(bound) == sorted(bound) for bound in BOUNDS.values())
    assert min(BOUNDS) == FEWEST


@given(st.lists(st.floats(1.0, 1e5), min_size=2, max_size=60))
def test_spread_is_never_negative_and_time_has_no_direction(intervals):
    found, period = spread(intervals)
    assert found >= 0
    assert 0 < period <= max(intervals)
    assert spread(intervals[::-1])[0] == pytest.approx(found, abs=1e-9)
    beats(stamps(intervals))


@pytest.mark.parametrize(("fault", "reason"), [
    ({"lost": 3}, Reason.LOST), ({"dropped": 2}, Reason.LOST), ({"undecoded": {"cut short": 9}}, Reason.MALFORMED),
    ({"trouble": "cut short", "lost": 3}, Reason.MALFORMED),
])
def test_lost_frames_are_told_apart_from_unreadable_ones(fault, reason):
    capture, now = Capture(packets=10, **fault), datetime(2026, 11, 22, tzinfo=UTC)
    (made,) = evidence.attempts(capture, {"10.0.0.10": "camera"}, now)
    assert (made.status, made.reason) == (AttemptStatus.FAILED, reason)
