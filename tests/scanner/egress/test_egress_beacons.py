"""How well a clock is told from chance, measured against the rates that are promised."""

import random

import pytest

from scanner.egress.beacons import FALSE_POSITIVES, FEWEST, beats

SECOND = 1_000_000_000


def stamps(intervals):
    at, out = 0, [0]
    for interval in intervals:
        at += int(interval * SECOND)
        out.append(at)
    return out


def share(draw, runs=3000, seed=7):
    source = random.Random(seed)
    found = [beats(stamps(draw(source))) for _ in range(runs)]
    return sum(one is not None and one.regular for one in found) / runs


def clock(period, count, jitter, missed=0.0):
    return lambda source: [period * (1 + source.uniform(-jitter, jitter)) * (2 if source.random() < missed else 1)
                           for _ in range(count)]


@pytest.mark.parametrize("count", [4, 5, 6, 8, 10, 12, 20, 60])
def test_chance_is_rarely_taken_for_a_clock(count):
    assert share(lambda source: [source.expovariate(1 / 60) + 1e-6 for _ in range(count)]) <= FALSE_POSITIVES * 1.6


@pytest.mark.parametrize("count", [10, 30, 100])
def test_bursty_people_are_no_clock(count):
    assert share(lambda source: [source.lognormvariate(3, 1.2) + 1e-6 for _ in range(count)]) <= FALSE_POSITIVES * 1.6


@pytest.mark.parametrize(("minutes", "period", "jitter", "recall"), [
    (30, 60, 0.1, 0.85), (30, 300, 0.1, 0.85), (30, 60, 0.3, 0.6), (30, 300, 0.3, 0.6),
    (120, 300, 0.1, 0.9), (120, 600, 0.3, 0.75), (24 * 60, 3600, 0.3, 0.98), (24 * 60, 300, 0.3, 0.98),
])
def test_a_clock_is_found(minutes, period, jitter, recall):
    count = minutes * 60 // period - 1
    assert share(clock(period, count, jitter), 1000) >= recall
    if count >= 6:
        assert share(clock(period, count, jitter, missed=0.05), 1000) >= recall * 0.95


def test_too_few_calls_are_no_answer():
    assert beats(stamps([60] * (FEWEST - 1))) is None
    assert beats([]) is None
    assert beats([5, 5, 5, 5, 5, 5]) is None


def test_the_period_is_told_with_missed_calls_folded_back():
    found = beats(stamps([60, 60, 120, 60, 60, 180, 60]))
    assert found is not None
    assert (found.regular, found.period_s, found.events) == (True, 60.0, 8)
