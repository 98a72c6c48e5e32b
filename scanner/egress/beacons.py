"""Tells a clock from chance: whether a device calls a destination in even steps, and how sure that is.

The statistic is the logarithm of the mean of the intervals less the mean of their logarithms, which is 0 for a clock
and grows with disorder whatever the period. Calls that did not happen are folded back (an interval of about twice the
median counts as two, at a price, so that folding never pays by itself), and where a call comes as several bursts, those
that follow closely are taken together. A pause of a second ends a burst, so intervals are counted from there: traffic
that comes without memory then looks like it at any rate.

How disordered a clock may be depends on how often it was heard. The bounds are quantiles for calls that come without
memory (exponential intervals), which at most `FALSE_POSITIVES` of such conversations stay below; from sixteen intervals
on the bound stays where it is, which makes false alarms rarer still and keeps people and half-regular traffic out. Two
intervals are the fewest that say anything, and then only exact clocks pass; fewer are no answer, never a clean one.
``tests/scanner/egress/score_beacons.py`` draws the bounds and measures what they find.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log
from statistics import median

__all__ = ["BOUNDS", "FALSE_POSITIVES", "FEWEST", "Beats", "beats", "disorder"]

FALSE_POSITIVES = 0.01
"""The share of memoryless conversations that are taken for beacons, at most; it holds for each conversation."""
FEWEST = 2
"""Intervals below which nothing is concluded."""

BOUNDS = {2: 0.00002, 3: 0.0037, 4: 0.0162, 5: 0.0324, 6: 0.0420, 7: 0.0517, 8: 0.0600, 9: 0.0665, 10: 0.0725,
          11: 0.0778, 12: 0.0830, 13: 0.0880, 14: 0.0930, 15: 0.0970, 16: 0.1000}
"""How disordered so many intervals may be; more of them as many as the most listed."""
_PAUSE_S = 1.0
_LEAST_S = 0.05
_FOLD_PRICE = 0.15                       # of disorder, if every interval were folded
_SEVERAL = 8                             # intervals from which on bursts may be taken together
_TOGETHER = 0.25                         # of the time-weighted median: bursts closer than this are one call
_TOGETHER_BOUND = 0.5                    # and then the bound is this much lower


@dataclass(frozen=True, slots=True)
class Beats:
    """How evenly a device calls.

    Attributes:
        events: calls seen; the intervals are one fewer.
        period_s: the median interval, missed calls folded back.
        disorder: the statistic in units of its bound; up to 1.0 it counts as regular.
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
    intervals = [(later - earlier) / 1e9 for earlier, later in pairwise(stamps_ns) if later > earlier]
    if len(intervals) < FEWEST:
        return None
    single = _judged(intervals, 1.0)
    if single.regular or len(intervals) < _SEVERAL:
        return single
    calls = _together(intervals)
    if not FEWEST + 1 < len(calls) < len(intervals):
        return single
    return min(single, _judged(calls, _TOGETHER_BOUND), key=lambda found: found.disorder)


def _judged(intervals: Sequence[float], share: float) -> Beats:
    found, period = disorder(intervals)
    return Beats(len(intervals) + 1, period, found / (BOUNDS[min(len(intervals), max(BOUNDS))] * share))


def disorder(intervals: Sequence[float]) -> tuple[float, float]:
    """How far from a clock these intervals are, missed calls folded back where that pays, and the period."""
    middle = median(intervals)
    calls = [max(1, round(interval / middle)) for interval in intervals]
    plain = _spread(intervals)
    missed = sum(count > 1 for count in calls)
    if not missed:
        return plain, middle
    single = [interval / count for interval, count in zip(intervals, calls, strict=True)]
    folded = _spread(single) + _FOLD_PRICE * missed / len(intervals)
    return (folded, median(single)) if folded < plain else (plain, middle)


def _spread(intervals: Sequence[float]) -> float:
    counted = [max(interval - _PAUSE_S, _LEAST_S) for interval in intervals]
    return max(0.0, log(sum(counted) / len(counted)) - sum(map(log, counted)) / len(counted))


def _together(intervals: Sequence[float]) -> list[float]:
    """The intervals between calls where a call is several bursts: one that follows closely belongs to the one before.

    Close is measured by the time-weighted median: half of all time lies in intervals at least that long.
    """
    ordered = sorted(intervals)
    passed = list(accumulate(ordered))
    close = _TOGETHER * ordered[bisect_left(passed, passed[-1] / 2)]
    calls, since = list[float](), 0.0
    for interval in intervals:
        since += interval
        if interval >= close:
            calls.append(since)
            since = 0.0
    return calls
