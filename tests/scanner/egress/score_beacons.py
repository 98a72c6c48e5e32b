"""Draws the bounds of `scanner.egress.beacons` and measures what they find.

``python -m tests.scanner.egress.score_beacons`` prints recall by window, period and jitter, and false positives by kind
of innocent traffic; with ``--bounds`` the quantiles for each number of intervals instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from random import Random

from scanner.egress.beacons import BOUNDS, beats, disorder

SECOND = 1_000_000_000
MINUTE, HOUR = 60.0, 3600.0
Draw = Callable[[Random], list[float]]


def stamps(times: list[float]) -> list[int]:
    """Times in seconds as a capture keeps them: in order, and what follows within a second is the same burst."""
    kept: list[float] = []
    last = -10.0
    for time in sorted(times):
        if time - last >= 1.0:
            kept.append(time)
        last = time
    return [int(time * SECOND) for time in kept]


def clock(window: float, period: float, jitter: float, shape: str = "uniform", missed: float = 0.0,
          bursts: int = 1) -> Draw:
    """A device that calls every `period`: each interval is off by `jitter` of it, some calls fail to happen.

    ``uniform`` is up to so much either way, ``gaussian`` has it as its standard deviation, ``early`` is only ever
    shorter, as some programs draw it.
    """
    def draw(chance: Random) -> list[float]:
        times, now = list[float](), chance.uniform(0, period)
        while now < window:
            if chance.random() >= missed:
                times += [now + n * 3.0 * chance.uniform(0.8, 1.2) for n in range(bursts)]
            off = {"uniform": chance.uniform(-jitter, jitter), "gaussian": chance.gauss(0, jitter),
                   "early": -chance.uniform(0, jitter)}[shape]
            now += max(period * (1 + off), period / 20)
        return times
    return draw


def poisson(window: float, mean: float) -> Draw:
    """Calls without memory."""
    def draw(chance: Random) -> list[float]:
        return list(_until(window, lambda: chance.expovariate(1 / mean)))
    return draw


def people(window: float, mean: float) -> Draw:
    """Somebody at a browser: pages at long-tailed intervals, each with a few requests."""
    def draw(chance: Random) -> list[float]:
        times: list[float] = []
        for page in _until(window, lambda: chance.lognormvariate(0, 1.2) * mean / 2.05):
            times += [page + chance.uniform(0, 8) for _ in range(chance.randint(1, 5))]
        return times
    return draw


def on_and_off(window: float, mean: float) -> Draw:
    """Sessions: calls every few seconds for a while, then nothing for long."""
    def draw(chance: Random) -> list[float]:
        times: list[float] = []
        for begin in _until(window, lambda: chance.expovariate(1 / mean)):
            times += [begin + t for t in _until(chance.uniform(5, 60), lambda: chance.expovariate(1 / 3))]
        return times
    return draw


def backing_off(window: float, first: float) -> Draw:
    """Retries at twice the interval each time, from a minute at most, and from the start again once in a while."""
    first = min(first, 60.0)

    def draw(chance: Random) -> list[float]:
        times, now, wait = list[float](), chance.uniform(0, 30), first
        while now < window:
            times.append(now)
            now += wait * chance.uniform(0.75, 1.25)
            wait = first * chance.choice((1, 2)) if chance.random() < 0.25 else wait * 2
        return times
    return draw


def video(window: float, stall: float) -> Draw:
    """A stream that is never silent for long, but for stalls that come by chance."""
    def draw(chance: Random) -> list[float]:
        times: list[float] = []
        for begin in _until(window, lambda: chance.expovariate(1 / stall)):
            times += [begin + 0.5 * n for n in range(int(chance.expovariate(1 / 20)) + 1)]
        return times
    return draw


def motion(window: float, mean: float) -> Draw:
    """Uploads when something moves: clusters around busy moments."""
    def draw(chance: Random) -> list[float]:
        times: list[float] = []
        for busy in _until(window, lambda: chance.expovariate(1 / (mean * 4))):
            times += [busy + abs(chance.gauss(0, mean)) for _ in range(chance.randint(1, 6))]
        return [time for time in times if time < window]
    return draw


def _until(window: float, step: Callable[[], float]) -> Iterator[float]:
    now = step()
    while now < window:
        yield now
        now += step()


WINDOWS = {"30 min": 30 * MINUTE, "2 h": 2 * HOUR, "24 h": 24 * HOUR}
PERIODS = {"30 min": (30, 60, 120, 180, 300, 360, 450, 600), "2 h": (30, 60, 300, 600, 1200, 1800),
           "24 h": (300, 600, 1800, 3600, 7200)}
JITTERS = (0.0, 0.05, 0.1, 0.2, 0.3)
INNOCENTS: dict[str, Callable[[float, float], Draw]] = {
    "without memory": poisson, "people": people, "on and off": on_and_off, "backing off": backing_off,
    "video": video, "motion": motion}
MEANS = {"30 min": (3, 10, 30, 60, 120, 300), "2 h": (10, 60, 300, 1200), "24 h": (60, 300, 1800, 7200)}


def share(draw: Draw, runs: int, seed: int) -> float:
    """Of so many conversations, how many are taken for beacons."""
    chance = Random(seed)
    found = (beats(stamps(draw(chance))) for _ in range(runs))
    return sum(one is not None and one.regular for one in found) / runs


def recall(window: str, jitter: float, runs: int, seed: int = 1, **how: object) -> dict[int, float]:
    """By period, how many clocks of this jitter are found."""
    return {period: share(clock(WINDOWS[window], period, jitter, **how), runs, seed + period)  # type: ignore[arg-type]
            for period in PERIODS[window]}


def false_positives(window: str, runs: int, seed: int = 1) -> dict[str, float]:
    """By kind of innocent traffic, how many conversations are taken for beacons."""
    return {name: sum(share(make(WINDOWS[window], mean), runs, seed + mean) for mean in MEANS[window])
            / len(MEANS[window]) for name, make in INNOCENTS.items()}


def bounds(runs: int, seed: int = 1) -> dict[int, float]:
    """The 0.9 % quantile of the disorder of memoryless intervals, by their number."""
    chance, found = Random(seed), dict[int, float]()
    for count in range(2, max(BOUNDS) + 1):
        drawn = sorted(disorder([chance.expovariate(1 / 600) + 1.0 for _ in range(count)])[0] for _ in range(runs))
        found[count] = drawn[int(runs * 0.009)]
    return found


def main(arguments: list[str]) -> int:
    """Print the figures."""
    if "--bounds" in arguments:
        for count, bound in bounds(200_000).items():
            sys.stdout.write(f"{count}: {bound:.5f}\n")
        return 0
    for window in WINDOWS:
        runs = 60 if window == "24 h" else 400
        for shape, missed, bursts in (("uniform", 0.0, 1), ("gaussian", 0.0, 1), ("early", 0.0, 1),
                                      ("uniform", 0.05, 1), ("uniform", 0.0, 3)):
            for jitter in JITTERS:
                found = recall(window, jitter, runs, shape=shape, missed=missed, bursts=bursts)
                mean = sum(found.values()) / len(found)
                sys.stdout.write(f"{window:<7}{shape:<9} {jitter:>4.0%} missed {missed:.0%} bursts {bursts}  "
                                 f"{mean:.2f}  "
                                 + " ".join(f"{period}s {rate:.2f}" for period, rate in found.items()) + "\n")
        for name, rate in false_positives(window, runs).items():
            sys.stdout.write(f"{window:<7}innocent {name:<16} {rate:.4f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
