"""Tells a clock from chance: whether a device calls a destination in even steps, and how sure that is.

The statistic is the spread of the intervals, their standard deviation in units of their mean: 0 for a clock, 1 for
calls without memory. Calls that did not happen are folded back (an interval of about twice the median counts as two, at
a price, and for few of them only), and where every call comes as several bursts these are taken together. A pause of a
second ends a burst, so intervals are counted from there: traffic that comes without memory then looks like it at any
rate.

How much spread a clock may have depends on how often it was heard, and on what the watching adds: a clock leaves no
more than one interval empty at either end of it, which chance rarely does together with even steps. Up to seven
intervals the bounds are quantiles for calls without memory, of which at most `FALSE_POSITIVES` stay below; from eight
on the bound is where a clock that is off by 30 % still fits and half-regular traffic mostly does not, which makes false
alarms of chance rarer still. Retries that back off, and jobs at any time of a set stretch, are told by how one interval
follows another. Two intervals are the fewest that say anything, and then only exact clocks pass; fewer are no answer,
never a clean one. ``tests/scanner/egress/score_beacons.py`` draws the bounds and measures what they find.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, pairwise
from math import inf, sqrt
from statistics import median

__all__ = ["BOUNDS", "FALSE_POSITIVES", "FEWEST", "Beats", "Ends", "beats", "ends", "spread"]

FALSE_POSITIVES = 0.01
"""The share of memoryless conversations that are taken for beacons, at most; it holds for each conversation."""
FEWEST = 2
"""Intervals below which nothing is concluded."""


class Ends(IntEnum):
    """What the time before the first and after the last call says."""

    EMPTY = 0           # longer than an interval at one end at least, as no clock does that ran all the time
    UNKNOWN = 1         # not told, or watching began or ended with a call
    FILLED = 2          # no longer than an interval


BOUNDS = {  # by number of intervals: the spread allowed for Ends.EMPTY, UNKNOWN and FILLED
    2: (0.0019, 0.0085, 0.0180), 3: (0.042, 0.083, 0.112), 4: (0.105, 0.177, 0.208), 5: (0.165, 0.250, 0.292),
    6: (0.220, 0.294, 0.328), 7: (0.265, 0.326, 0.352), 8: (0.365,) * 3, 9: (0.385,) * 3, 10: (0.400,) * 3,
    24: (0.390,) * 3, 32: (0.380,) * 3, 48: (0.370,) * 3, 64: (0.365,) * 3, 144: (0.355,) * 3}
"""How much spread so many intervals may have; a number between two has the bound of the lower one."""
_COUNTS = sorted(BOUNDS)
_PAUSE_S = 1.0
_LEAST_S = 0.05
_SLACK = 1.2                             # of the mean interval: what either end may leave empty
_SHORTEST = 0.01                         # of the mean interval: less says that the watching began with the call
_FOLDS = 6                               # intervals from which on missed calls are folded back
_FOLDED = 0.3                            # of the intervals may hold missed calls
_FOLDING = {_FOLDS: (0.8, 0.4, 0.15), 24: (0.9, 0.2, 0.2)}
"""From so many intervals on: how much lower the bound is then, its price in spread if every interval were folded, and
the share of intervals beyond which missed calls must be shown more clearly:"""
_OFTEN_BOUND = 0.5                       # by a bound that is this much lower,
_NEAR = 0.16                             # and by gaps this near to multiples, in periods and on average
_A_FEW = 3                               # but those of more calls: then it was away, for any time
_SEVERAL = 8                             # intervals from which on bursts may be taken together
_TOGETHER = 0.25                         # of the time-weighted median: bursts closer than this are one call
_ALIKE = 0.7                             # of the calls must then have the same number of bursts
_TOGETHER_BOUND = 0.9                    # and the bound is this much lower
_TRANSFER = 100                          # packets a call, both ways, from which on it is a transfer or a stream
_TRANSFER_BOUND = 0.4                    # and the bound is this much lower: how long each takes makes half a rhythm
_GROWS = 1.4, 3.0                        # times the interval before: how retries back off that double their pause
_STEPS = 3                               # such steps in a row are retries
_RETRIES = 0.1                           # of the intervals, from which on the whole is taken for retries
_MANY = 12                               # intervals from which on it shows that long ones follow short ones,
_WIDE = 0.34                             # of this spread at least,
_OPPOSED = 1.5                           # and so often: in units of what chance varies by


@dataclass(frozen=True, slots=True)
class Beats:
    """How evenly a device calls.

    Attributes:
        events: calls seen; the intervals are one fewer.
        period_s: the median interval, missed calls folded back.
        disorder: the spread in units of its bound; up to 1.0 it counts as regular.
    """

    events: int
    period_s: float
    disorder: float

    @property
    def regular(self) -> bool:
        """Whether chance would look like this in less than `FALSE_POSITIVES` of all cases."""
        return self.disorder <= 1.0


def beats(stamps_ns: Sequence[int], watched_ns: tuple[int, int] | None = None,
          packets: int = 0) -> Beats | None:
    """Judge the times of calls, in nanoseconds and in order; None where there are too few to tell.

    `watched_ns` is when the watching began and ended, `packets` how many all calls took, where that is known.
    """
    intervals = [(later - earlier) / 1e9 for earlier, later in pairwise(stamps_ns) if later > earlier]
    if len(intervals) < FEWEST:
        return None
    where = ends(stamps_ns, watched_ns)
    share = 1.0 if packets <= _TRANSFER * len(stamps_ns) else _TRANSFER_BOUND
    single = _judged(intervals, where, share)
    if _backs_off(intervals):
        return Beats(single.events, single.period_s, inf)
    if single.regular or len(intervals) < _SEVERAL:
        return single
    calls = _together(intervals)
    if not calls:
        return single
    return min(single, _judged(calls, where, share * _TOGETHER_BOUND), key=lambda found: found.disorder)


def ends(stamps_ns: Sequence[int], watched_ns: tuple[int, int] | None) -> Ends:
    """Whether the calls reach from one end of the watching to the other."""
    if watched_ns is None or len(stamps_ns) < 2:
        return Ends.UNKNOWN
    mean = (stamps_ns[-1] - stamps_ns[0]) / (len(stamps_ns) - 1)
    before, after = stamps_ns[0] - watched_ns[0], watched_ns[1] - stamps_ns[-1]
    if max(before, after) > _SLACK * mean:
        return Ends.EMPTY
    return Ends.FILLED if min(before, after) > _SHORTEST * mean else Ends.UNKNOWN


def _judged(intervals: Sequence[float], where: Ends, share: float) -> Beats:
    found, period = spread(intervals)
    if _makes_up(intervals):
        return Beats(len(intervals) + 1, period, inf)
    nearest = _COUNTS[bisect_left(_COUNTS, len(intervals) + 1) - 1]
    return Beats(len(intervals) + 1, period, found / (BOUNDS[nearest][where] * share))


def spread(intervals: Sequence[float]) -> tuple[float, float]:
    """The spread of at least two intervals, missed calls folded back where that pays, and the period."""
    middle = median(intervals)
    calls = [max(1, round(interval / middle)) for interval in intervals]
    plain = _variation(intervals)
    missed = sum(count > 1 for count in calls)
    if len(intervals) < _FOLDS or not 0 < missed <= _FOLDED * len(intervals):
        return plain, middle
    single = [interval / count for interval, count in zip(intervals, calls, strict=True)]
    bound, price, often = _FOLDING[max(count for count in _FOLDING if count <= len(intervals))]
    if missed > often * len(intervals):
        bound = _OFTEN_BOUND
        off = [abs(interval / middle - count) for interval, count in zip(intervals, calls, strict=True)
               if 1 < count <= _A_FEW]
        if sum(off) > _NEAR * len(off):
            return plain, middle
    folded = _variation(single) / bound + price * missed / len(intervals)
    return (folded, median(single)) if folded < plain else (plain, middle)


def _variation(intervals: Sequence[float]) -> float:
    counted = [max(interval - _PAUSE_S, _LEAST_S) for interval in intervals]
    mean = sum(counted) / len(counted)
    return sqrt(sum((one - mean) ** 2 for one in counted) / len(counted)) / mean


def _backs_off(intervals: Sequence[float]) -> bool:
    """Whether these are retries whose pause grows from one to the next, again and again or up to a limit."""
    least, most = _GROWS
    growing, steps = 0, 0
    for earlier, later in pairwise(intervals):
        steps = steps + 1 if least * earlier <= later <= most * earlier else 0
        if steps >= _STEPS:
            growing += 1 if steps > _STEPS else _STEPS + 1
    return growing > _RETRIES * len(intervals)


def _makes_up(intervals: Sequence[float]) -> bool:
    """Whether wide intervals make up for each other: once in every stretch of time, but at any time in it.

    A clock that is off by a third goes on from where it is; a job at a random minute of each hour does not, so that a
    long interval tends to follow a short one.
    """
    if len(intervals) < _MANY or _variation(intervals) <= _WIDE:
        return False
    mean = sum(intervals) / len(intervals)
    off = [interval - mean for interval in intervals]
    opposed = -sum(earlier * later for earlier, later in pairwise(off)) / sum(one * one for one in off)
    return opposed > _OPPOSED / sqrt(len(intervals))


def _together(intervals: Sequence[float]) -> list[float]:
    """The intervals between calls where each call is several bursts, about as many each time; else nothing.

    One that follows closely belongs to the one before. Close is measured by the time-weighted median: half of all time
    lies in intervals at least that long.
    """
    ordered = sorted(intervals)
    passed = list(accumulate(ordered))
    close = _TOGETHER * ordered[bisect_left(passed, passed[-1] / 2)]
    calls, bursts = list[float](), list[int]()
    since, count = 0.0, 1
    for interval in intervals:
        since += interval
        if interval >= close:
            calls.append(since)
            bursts.append(count)
            since, count = 0.0, 0
        count += 1
    if len(calls) <= FEWEST:
        return []
    usual, times = Counter(bursts).most_common(1)[0]
    return calls if usual > 1 and times >= _ALIKE * len(calls) else []
