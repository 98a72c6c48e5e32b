"""Draws the bounds of `scanner.egress.beacons` and measures what they find.

``python -m tests.scanner.egress.score_beacons [SEED]`` prints recall by window, period and jitter, and false positives
by kind of innocent traffic; with ``--bounds`` the quantiles for each number of intervals instead. The bounds were set
with the kinds in `TUNED` and seed 1; those in `HELD` had no part in that, nor have other seeds. `HALF_REGULAR` is
traffic that is neither: nobody can tell a few even gaps from a clock that is off, so its rate is measured and told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import exp, log
from random import Random
from typing import NamedTuple

from scanner.egress.beacons import BOUNDS, Beats, Ends, beats, ends, spread

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


def clock(window: float, period: float | None, jitter: float, shape: str = "uniform", missed: float = 0.0,
          bursts: int = 1) -> Draw:
    """A device that calls every `period`: each interval is off by `jitter` of it, some calls fail to happen.

    ``uniform`` is up to so much either way, ``gaussian`` has it as its standard deviation, ``early`` is only ever
    shorter, as some programs draw it, and ``planned`` is up to so much either way of a time that is kept. No period
    is any from 10 s to 10 min, each time another, all logarithms alike.
    """
    def draw(chance: Random) -> list[float]:
        return steps(chance, period or exp(chance.uniform(log(10), log(600))))

    def steps(chance: Random, period: float) -> list[float]:
        times, now = list[float](), chance.uniform(0, period)
        if shape == "planned":
            times = [now + n * period + chance.uniform(-jitter, jitter) * period for n in range(int(window / period))]
            return [time for time in times if 0 <= time < window]
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


def giving_up(window: float, mean: float) -> Draw:
    """Retries that double up to a limit and end with success or resignation; after a while the same again."""
    def draw(chance: Random) -> list[float]:
        times, now = list[float](), chance.expovariate(1 / mean)
        first, limit, off = chance.uniform(1, 8), chance.uniform(60, 600), chance.uniform(0, 0.3)
        while now < window:
            wait = first
            for _ in range(chance.randint(3, 9)):
                times.append(now)
                now += wait * chance.uniform(1 - off, 1 + off)
                wait = min(wait * 2, limit)
            now += chance.expovariate(1 / (4 * mean))
        return [time for time in times if time < window]
    return draw


def drawn_waits(window: float, first: float) -> Draw:
    """Retries after any time up to a limit that doubles, and from the start again when one succeeds."""
    first = min(first, 30.0)

    def draw(chance: Random) -> list[float]:
        times, now, most = list[float](), chance.uniform(0, 30), first
        while now < window:
            times.append(now)
            now += chance.uniform(0.1, max(most, 0.2))
            most = first if chance.random() < 0.15 else min(most * 2, 600)
        return times
    return draw


def exciting(window: float, mean: float) -> Draw:
    """Each call may bring further ones soon, as replies to messages do."""
    def draw(chance: Random) -> list[float]:
        times, waiting = list[float](), list(_until(window, lambda: chance.expovariate(1 / (3 * mean))))
        while waiting:
            times.append(waiting.pop())
            if chance.random() < 0.65 and len(times) < 5_000:
                waiting.append(times[-1] + chance.expovariate(4 / mean))
        return [time for time in times if time < window]
    return draw


def long_tailed(window: float, mean: float) -> Draw:
    """Gaps of a Pareto law less its least value: most are short, few are very long."""
    def draw(chance: Random) -> list[float]:
        return list(_until(window, lambda: (chance.paretovariate(1.4) - 1) * mean / 2.5))
    return draw


def wait_and_more(window: float, mean: float) -> Draw:
    """Gaps of a Pareto law: never under a set time, mostly little over it."""
    def draw(chance: Random) -> list[float]:
        return list(_until(window, lambda: chance.paretovariate(1.4) * mean / 3.5))
    return draw


def stretched(window: float, mean: float) -> Draw:
    """Gaps of a Weibull law that are mostly short."""
    def draw(chance: Random) -> list[float]:
        return list(_until(window, lambda: chance.weibullvariate(mean / 1.27, 0.7)))
    return draw


def sessions(window: float, mean: float) -> Draw:
    """Somebody looks at a camera for a while, then not for a while: each a stream of hundreds of packets."""
    def draw(chance: Random) -> list[float]:
        length, gap = mean * chance.uniform(0.2, 0.6), mean
        return list(_until(window, lambda: chance.uniform(0.2, 1.8) * length + chance.uniform(0.1, 1.9) * gap))
    return draw


def jobs(window: float, mean: float) -> Draw:
    """Jobs of a day, each at its own time, some with a second call a little later."""
    def draw(chance: Random) -> list[float]:
        count = max(1, round(window / mean / 4))
        times = [chance.uniform(0, window) for _ in range(min(count, 12))]
        return times + [time + chance.uniform(2, 60) for time in times if chance.random() < 0.3]
    return draw


def office(window: float, mean: float) -> Draw:
    """Calls without memory that are mostly made in a third of the time."""
    def draw(chance: Random) -> list[float]:
        begin = chance.uniform(0, window * 2 / 3)
        return [time for time in _until(window, lambda: chance.expovariate(2 / mean))
                if begin <= time < begin + window / 3 or chance.random() < 0.1]
    return draw


def even_gaps(window: float, mean: float) -> Draw:
    """Gaps of any length up to twice their mean, all alike."""
    def draw(chance: Random) -> list[float]:
        return list(_until(window, lambda: chance.uniform(0.05, 1.95) * mean))
    return draw


def any_minute(window: float, mean: float) -> Draw:
    """Once in each stretch of time, whenever in it."""
    def draw(chance: Random) -> list[float]:
        return [n * mean + chance.uniform(0, mean) for n in range(int(window / mean))]
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
MEANS = {"30 min": (3, 10, 30, 60, 120, 300), "2 h": (10, 60, 300, 1200), "24 h": (60, 300, 1800, 7200)}
FEW = 5


class Kind(NamedTuple):
    """A kind of innocent traffic: how it is drawn from window and mean gap, and packets a call."""

    make: Callable[[float, float], Draw]
    packets: int = 4


TUNED = {"without memory": Kind(poisson), "people": Kind(people), "on and off": Kind(on_and_off),
         "backing off": Kind(backing_off), "video": Kind(video), "motion": Kind(motion)}
HELD = {"giving up": Kind(giving_up), "drawn waits": Kind(drawn_waits), "exciting": Kind(exciting),
        "long-tailed": Kind(long_tailed), "stretched": Kind(stretched), "sessions": Kind(sessions, 300),
        "jobs": Kind(jobs), "office hours": Kind(office)}
HALF_REGULAR = {"even gaps": Kind(even_gaps), "any minute": Kind(any_minute),
                "a wait and more": Kind(wait_and_more)}


def judged(times: list[float], window: float, packets: int = 4) -> Beats | None:
    """What is said of calls at these times within a window that was watched from end to end."""
    heard = stamps(times)
    return beats(heard, (0, int(window * SECOND)), packets * len(heard))


def share(draw: Draw, window: float, runs: int, seed: int, packets: int = 4) -> float:
    """Of so many conversations, how many are taken for beacons."""
    chance = Random(seed)
    found = (judged(draw(chance), window, packets) for _ in range(runs))
    return sum(one is not None and one.regular for one in found) / runs


def recall(window: str, jitter: float, runs: int, seed: int = 1, **how: object) -> dict[int, float]:
    """By period, how many clocks of this jitter are found."""
    return {period: share(clock(WINDOWS[window], period, jitter, **how),  # type: ignore[arg-type]
                          WINDOWS[window], runs, seed + period) for period in PERIODS[window]}


def mixed(window: str, jitter: float, shape: str, runs: int, seed: int = 1) -> tuple[float, float, float]:
    """Of clocks of any period from 10 s to 10 min: found of all, of those that called `FEW` times, and these' share."""
    chance, found, enough, both = Random(seed), 0, 0, 0
    for _ in range(runs):
        one = judged(clock(WINDOWS[window], None, jitter, shape)(chance), WINDOWS[window])
        regular = one is not None and one.regular
        often = one is not None and one.events >= FEW
        found, enough, both = found + regular, enough + often, both + (regular and often)
    return found / runs, both / max(1, enough), enough / runs


def false_positives(window: str, runs: int, seed: int = 1, kinds: dict[str, Kind] = TUNED) -> dict[str, float]:
    """By kind of innocent traffic, how many conversations are taken for beacons."""
    return {name: sum(share(kind.make(WINDOWS[window], mean), WINDOWS[window], runs, seed + mean, kind.packets)
                      for mean in MEANS[window]) / len(MEANS[window]) for name, kind in kinds.items()}


def bounds(runs: int, seed: int = 1) -> dict[int, tuple[float, float, float]]:
    """By number of intervals: the 0.2, 0.9 and 0.7 % quantile of the spread of calls without memory.

    The first is of those that leave an end of the watching empty, the second of all, the third of those that fill it;
    each in shares of all, so that the first and the third together are 0.9 %.
    """
    chance, found = Random(seed), dict[int, tuple[float, float, float]]()
    for count in sorted(BOUNDS):
        drawn: dict[Ends, list[float]] = {end: [] for end in Ends}
        window = 1_000 * (count + 1)
        for _ in range(runs):
            times = sorted(chance.uniform(0, window) for _ in range(count + 1))
            heard = [int((time + number) * SECOND) for number, time in enumerate(times)]      # a pause ends each call
            drawn[ends(heard, (0, int((window + count + 1) * SECOND)))].append(
                spread([(later - earlier) / SECOND for earlier, later in pairwise(heard)])[0])
        every = sorted(one for several in drawn.values() for one in several)
        found[count] = (sorted(drawn[Ends.EMPTY])[int(runs * 0.002)], every[int(runs * 0.009)],
                        sorted(drawn[Ends.FILLED])[int(runs * 0.007)])
    return found


def main(arguments: list[str]) -> int:
    """Print the figures."""
    if "--bounds" in arguments:
        for count, (empty, unknown, filled) in bounds(40_000).items():
            sys.stdout.write(f"{count}: {empty:.4f} {unknown:.4f} {filled:.4f}\n")
        return 0
    seed = next(map(int, arguments), 1)
    for window in WINDOWS:
        runs = 60 if window == "24 h" else 400
        for shape, missed, bursts in (("uniform", 0.0, 1), ("gaussian", 0.0, 1), ("early", 0.0, 1),
                                      ("planned", 0.0, 1), ("uniform", 0.05, 1), ("uniform", 0.0, 3)):
            for jitter in JITTERS:
                found = recall(window, jitter, runs, seed, shape=shape, missed=missed, bursts=bursts)
                mean = sum(found.values()) / len(found)
                sys.stdout.write(f"{window:<7}{shape:<9} {jitter:>4.0%} missed {missed:.0%} bursts {bursts}  "
                                 f"{mean:.2f}  "
                                 + " ".join(f"{period}s {rate:.2f}" for period, rate in found.items()) + "\n")
        for shape in ("uniform", "gaussian"):
            for jitter in (0.1, 0.3):
                every, often, part = mixed(window, jitter, shape, runs * 2, seed)
                sys.stdout.write(f"{window:<7}{shape:<9} {jitter:>4.0%} any period from 10 s to 10 min  {every:.2f}, "
                                 f"of {FEW} calls or more {often:.2f} ({part:.0%} of them)\n")
        for told, kinds in (("tuned", TUNED), ("held", HELD), ("half", HALF_REGULAR)):
            for name, rate in false_positives(window, runs, seed, kinds).items():
                sys.stdout.write(f"{window:<7}{told:<6}innocent {name:<16} {rate:.4f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
