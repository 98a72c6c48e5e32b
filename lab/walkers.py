"""Who walks where and when: the people of a simulated scene, with counts that are known before a picture is drawn.

Places are shares of the picture: x from its left to its right edge, y from its top down. People walk in lanes one
behind the other and never in front of each other, so a count that is wrong is the counter's fault. Some turn round
before they reach the line in the middle: whoever counts them counted what did not happen. Nobody is in the picture when
the schedule begins and when it ends, so it can be looped.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["LINE", "Crossings", "Schedule", "Seen", "Walk", "schedule"]

LINE = 0.5
OUTSIDE = 0.09                                  # as far beyond an edge nobody is seen, not even a stride
QUIET_SECONDS = 2.0                             # the empty picture at the start, from which a background is learned
LANES = ((0.56, 0.28), (0.95, 0.34))            # where the feet are, and how tall the tallest is
PACE = (0.75, 1.05)                             # body heights a second: 1.3 to 1.8 m/s for somebody of 1.70 m
STRIDE = 0.85                                   # body heights from one left foot to the next
ASPECT = 9 / 16                                 # of the picture, for turning heights into widths


@dataclass(frozen=True, slots=True)
class Crossings:
    """How often the middle line was crossed, by direction."""

    left_to_right: int
    right_to_left: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One person in one picture: middle of the body, feet, height; `phase` counts strides, `walk` says who."""

    walk: int
    x: float
    feet: float
    height: float
    phase: float


@dataclass(frozen=True, slots=True)
class Walk:
    """One person's way through the picture: corners `(second, x)` in order, straight between them."""

    feet: float
    height: float
    corners: tuple[tuple[float, float], ...]
    strides: float = 1.0                        # a second

    def x(self, second: float) -> float | None:
        """Where the middle of the body is, or None before and after the walk."""
        if not self.corners[0][0] <= second <= self.corners[-1][0]:
            return None
        after = min(bisect_right(self.corners, (second, math.inf)), len(self.corners) - 1)
        (t0, x0), (t1, x1) = self.corners[after - 1], self.corners[after]
        return x0 + (x1 - x0) * (second - t0) / (t1 - t0)

    def crossings(self) -> list[tuple[float, bool]]:
        """The seconds at which the line is crossed, and whether from left to right."""
        found = []
        for (t0, x0), (t1, x1) in pairwise(self.corners):
            if (x0 < LINE) != (x1 < LINE):
                found.append((t0 + (t1 - t0) * (LINE - x0) / (x1 - x0), x0 < LINE))
        return found


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everybody's walk within one `period` in seconds; time runs on beyond it and the walks come again."""

    period: float
    walks: tuple[Walk, ...]
    _crossings: tuple[tuple[float, bool], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = sorted(each for walk in self.walks for each in walk.crossings())
        object.__setattr__(self, "_crossings", tuple(found))

    def crossings(self, start: float, end: float) -> Crossings:
        """What is crossed from second `start` up to, not including, `end`, counted from the schedule's beginning."""
        counts = {True: 0, False: 0}
        for second, rightwards in self._crossings:
            counts[rightwards] += self._times(second, end) - self._times(second, start)
        return Crossings(counts[True], counts[False])

    def moments(self) -> tuple[tuple[float, bool], ...]:
        """Each crossing of one period: its second, and whether it goes from left to right."""
        return self._crossings

    def people(self, second: float) -> tuple[Seen, ...]:
        """Who is in the picture at that second, wholly or in part."""
        second %= self.period
        seen = []
        for number, walk in enumerate(self.walks):
            x = walk.x(second)
            if x is not None:
                phase = (second - walk.corners[0][0]) * walk.strides
                seen.append(Seen(number, x, walk.feet, walk.height, phase))
        return tuple(seen)

    def _times(self, second: float, end: float) -> int:
        """How often `second` of the period has come before `end`."""
        return max(0, math.ceil((end - second) / self.period))


def schedule(seed: int, seconds: float) -> Schedule:
    """The walks of `seconds`, the same for the same `seed`; below about sixteen seconds there may be none."""
    chance = random.Random(f"walkers {seed}")
    walks: list[Walk] = []
    for lane, (feet, tallest) in enumerate(LANES):
        second, rightwards = QUIET_SECONDS + chance.uniform(0.0, 1.5), lane == 0
        while True:
            walk = _walk(chance, second, rightwards, feet, tallest)
            if walk.corners[-1][0] > seconds:
                break
            walks.append(walk)
            second, rightwards = walk.corners[-1][0] + chance.uniform(0.4, 2.5), chance.random() < 0.5
    return Schedule(seconds, tuple(walks))


def _walk(chance: random.Random, second: float, rightwards: bool, feet: float, tallest: float) -> Walk:
    height = tallest * chance.uniform(0.85, 1.0)
    heights_a_second = chance.uniform(*PACE)
    pace = heights_a_second * height * ASPECT
    turns = second > 10.0 and chance.random() < 0.15       # never the first ones: each lane starts with a crossing
    way = [-OUTSIDE, chance.uniform(0.2, 0.36), -OUTSIDE] if turns else [-OUTSIDE, 1.0 + OUTSIDE]
    places = way if rightwards else [1.0 - x for x in way]
    corners = [(second, places[0])]
    for place in places[1:]:
        second += abs(place - corners[-1][1]) / pace
        corners.append((second, place))
    return Walk(feet, height, tuple(corners), heights_a_second / STRIDE)
