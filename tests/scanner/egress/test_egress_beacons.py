"""How well a clock is told from chance, measured against the rates that are promised."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.egress.beacons import BOUNDS, FALSE_POSITIVES, FEWEST, beats, disorder
from tests.scanner.egress import score_beacons
from tests.scanner.egress.score_beacons import HOUR, MINUTE, PERIODS, WINDOWS, clock, false_positives, poisson, recall

SECOND = 1_000_000_000
RUNS = {"30 min": 60, "2 h": 30, "24 h": 6}


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


@pytest.mark.parametrize(("window", "jitter", "wanted"), [
    ("30 min", 0.0, 0.95), ("30 min", 0.05, 0.85), ("30 min", 0.1, 0.85), ("30 min", 0.3, 0.6),
    ("2 h", 0.1, 0.9), ("2 h", 0.3, 0.75), ("24 h", 0.1, 0.98), ("24 h", 0.3, 0.98),
])
def test_clocks_are_found_over_all_periods(window, jitter, wanted):
    found = recall(window, jitter, RUNS[window])
    assert sum(found.values()) / len(PERIODS[window]) >= wanted, found


@pytest.mark.parametrize(("minutes", "period", "jitter", "wanted"), [
    (30, 60, 0.3, 0.98), (30, 300, 0.1, 0.98), (30, 300, 0.3, 0.9), (30, 360, 0.3, 0.6), (30, 450, 0.1, 0.85)])
def test_few_calls(minutes, period, jitter, wanted):
    assert score_beacons.share(clock(minutes * MINUTE, period, jitter), 400, 3) >= wanted


@pytest.mark.parametrize(("how", "wanted"), [
    ({"shape": "gaussian"}, 0.8), ({"missed": 0.05}, 0.8), ({"bursts": 3}, 0.8), ({"shape": "early"}, 0.85)])
def test_clocks_of_other_habits_are_found(how, wanted):
    found = recall("30 min", 0.1, 100, **how)
    assert sum(found.values()) / len(found) >= wanted, found


@pytest.mark.parametrize("window", WINDOWS)
def test_innocent_traffic_is_rarely_taken_for_a_clock(window):
    rates = false_positives(window, {"30 min": 60, "2 h": 20, "24 h": 5}[window])
    assert sum(rates.values()) / len(rates) <= FALSE_POSITIVES, rates
    # Retries that double their pause and start again lie on multiples of the first one, as a clock's missed calls do.
    assert max(rate for kind, rate in rates.items() if kind != "backing off") <= FALSE_POSITIVES * 2, rates
    assert rates["backing off"] <= FALSE_POSITIVES * 5, rates


def test_fast_calls_without_memory_are_no_clock():
    """Bursts end after a second's pause, which alone would make fast chance look even."""
    assert score_beacons.share(poisson(HOUR, 1.0), 100, 5) <= FALSE_POSITIVES


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


def test_more_calls_may_be_less_exact():
    assert list(BOUNDS.values()) == sorted(BOUNDS.values())
    assert min(BOUNDS) == FEWEST


@given(st.lists(st.floats(1.0, 1e5), min_size=2, max_size=60))
def test_disorder_is_never_negative_and_time_has_no_direction(intervals):
    found, period = disorder(intervals)
    assert found >= 0
    assert 0 < period <= max(intervals)
    assert disorder(intervals[::-1])[0] == pytest.approx(found, abs=1e-9)
    beats(stamps(intervals))
