"""Tells a clock from chance: whether a device calls a destination in even steps, and how sure that is.

The statistic is the logarithm of the mean of the intervals less the mean of their logarithms, which is 0 for a clock
and
grows with disorder whatever the period. It is taken twice, plainly and with missed calls folded back (an interval of
about twice the median counts as two), and either may decide. The bounds are the 0.5 % quantiles of each for calls that
come without memory (exponential intervals), from 300,000 draws for each number of intervals, so that together at most
1 % of memoryless conversations are taken for beacons. From twelve intervals on the bounds stay where they are
instead of
growing, which makes false alarms rarer still and keeps bursty human traffic out. Four intervals are the fewest that say
anything; fewer are no answer, never a clean one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from statistics import median

__all__ = ["FALSE_POSITIVES", "FEWEST", "Beats", "beats"]

FALSE_POSITIVES = 0.01
"""The share of memoryless conversations that are taken for beacons, at most; it holds for each conversation."""
FEWEST = 4
"""Intervals below which nothing is concluded."""

_PLAIN = {4: 0.01071, 5: 0.02554, 6: 0.0413, 7: 0.0586}
_FOLDED = {4: 0.00206, 5: 0.00242, 6: 0.00721, 7: 0.00805, 8: 0.01453, 9: 0.01511, 10: 0.02202, 11: 0.02316,
           12: 0.02965}
_PLAIN_BOUND, _FOLDED_BOUND = 0.06, 0.02965


@dataclass(frozen=True, slots=True)
class Beats:
    """How evenly a device calls.

    Attributes:
        events: calls seen; the intervals are one fewer.
        period_s: the median interval, missed calls folded back.
        disorder: the smaller of the two statistics in units of its bound; up to 1.0 it counts as regular.
    """

    events: int
    period_s: float
    disorder: float

    @property
    def regular(self) -> bool:
        """Whether chance would look like this in less than `FALSE_POSITIVES` of all cases."""
        return self.disorder <= 1.0


def beats(stamps_ns: Sequence[int]) -> Beats | None:
    """Judge the times of calls, in nanoseconds and in order; None where there are too few to tell."""
    intervals = [(later - earlier) / 1e9 for earlier, later in pairwise(stamps_ns)]
    intervals = [interval for interval in intervals if interval > 0]
    count = len(intervals)
    if count < FEWEST:
        return None
    middle = median(intervals)
    folded = [interval / max(1, round(interval / middle)) for interval in intervals]
    plain = _disorder(intervals) / _PLAIN.get(count, _PLAIN_BOUND)
    refolded = _disorder(folded) / _FOLDED.get(count, _FOLDED_BOUND)
    return Beats(count + 1, median(folded), min(plain, refolded))


def _disorder(intervals: Sequence[float]) -> float:
    return max(0.0, log(sum(intervals) / len(intervals)) - sum(map(log, intervals)) / len(intervals))
