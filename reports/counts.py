"""What the metrics of attached cameras come down to: a table of intervals for each app, and how far it can be trusted.

Pure functions of `reports.monitoring` values. A chart and the table under it are made from the same rows, and an
interval in which nothing was analysed is a row of its own: it is not a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.monitoring import MetricPoint, MetricSeries, Monitoring
from reports.words import METRIC, plural

__all__ = ["MOST_ROWS", "Counted", "Quality", "Row", "counted", "described", "lasting", "number", "told"]

MOST_ROWS = 24
"""Rows of one table and bars of one chart; more intervals than that are taken together in equal spans of time."""

_GAP = 1.5                           # a pause of more than half the usual interval is told as one
_FIRST = ("in", "out")               # the metrics that lead a table, in this order


@dataclass(frozen=True, slots=True)
class Row:
    """One interval: a value for each metric, ``None`` where there is none; all ``None`` is a time without analysis."""

    start: datetime
    end: datetime
    values: tuple[float | None, ...]

    @property
    def blank(self) -> bool:
        """Whether nothing was analysed."""
        return all(value is None for value in self.values)


@dataclass(frozen=True, slots=True)
class Quality:
    """How far the numbers of one app on one camera can be trusted.

    Attributes:
        limits: the standing limits of the method, as the monitor words them.
        analysed_fps: pictures analysed per second, the mean over the intervals and the least; ``None`` if not told.
        frames: pictures analysed, ``None`` if not told.
        dropped: pictures lost or not decodable, ``None`` if not told.
        intervals: how many intervals there are, `overloaded` of them analysed at a lowered rate, `unwell` with pictures
            that could not be counted with (black, grey, frozen).
        overloaded: see `intervals`.
        unwell: see `intervals`.
    """

    limits: tuple[str, ...]
    analysed_fps: tuple[float, float] | None
    frames: int | None
    dropped: int | None
    intervals: int
    overloaded: int
    unwell: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What one app counted on one camera.

    Attributes:
        device: the device key.
        app: the app's name.
        metrics: the metrics, in the order of `Row.values`; `units` their units, `totals` each over the whole time.
        units: see `metrics`.
        totals: see `metrics`.
        rows: the intervals and the gaps between them, in the order of time.
        together: the length of a row where intervals were taken together, ``None`` where each stands by itself.
        quality: how far to trust it.
    """

    device: str
    app: str
    metrics: tuple[str, ...]
    units: tuple[str, ...]
    totals: tuple[float, ...]
    rows: tuple[Row, ...]
    together: timedelta | None
    quality: Quality

    @property
    def start(self) -> datetime:
        """The start of the first interval."""
        return self.rows[0].start

    @property
    def end(self) -> datetime:
        """The end of the last interval."""
        return self.rows[-1].end

    @property
    def gaps(self) -> int:
        """Rows without analysis."""
        return sum(row.blank for row in self.rows)

    def total_of(self, metric: str) -> float | None:
        """The total of one metric, ``None`` where it was not counted."""
        return self.totals[self.metrics.index(metric)] if metric in self.metrics else None


def counted(monitoring: Monitoring) -> tuple[Counted, ...]:
    """A value for each camera and app with numbers, cameras in the order in which the report tells them."""
    groups: dict[tuple[str, str], list[MetricSeries]] = {}
    for series in monitoring.series:
        if series.points:
            groups.setdefault((series.device, series.app), []).append(series)
    cameras = list(dict.fromkeys(camera.device for camera in monitoring.cameras))
    rank = {device: at for at, device in enumerate(cameras)}
    ordered = sorted(groups.items(), key=lambda item: rank.get(item[0][0], len(rank)))
    return tuple(_counted(device, app, found) for (device, app), found in ordered)


def number(value: float) -> str:
    """``1,204`` or ``0.35``: at most two digits behind the point."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0").rstrip(".")


def lasting(seconds: float) -> str:
    """A length of time for a person, in the largest unit that leaves more than one: ``90 min``, ``3 h``, ``12 s``."""
    for length, unit in ((172_800, "d"), (7_200, "h"), (120, "min")):
        if seconds >= length:
            return f"{number(round(seconds / (length / 2), 1))} {unit}"
    return f"{number(round(seconds, 1))} s"


def _counted(device: str, app: str, found: Sequence[MetricSeries]) -> Counted:
    found = sorted(found, key=lambda one: (_FIRST.index(one.metric) if one.metric in _FIRST else len(_FIRST),
                                           one.metric, one.unit))
    cells: dict[tuple[datetime, datetime], list[list[MetricPoint]]] = {}
    for column, series in enumerate(found):
        for point in series.points:
            cells.setdefault((point.start, point.end), [[] for _ in found])[column].append(point)
    singles = _with_gaps([Row(start, end, _values(found, cells[start, end])) for start, end in sorted(cells)])
    rows, together = (singles, None) if len(singles) <= MOST_ROWS else _together(found, cells)
    return Counted(device, app, tuple(one.metric for one in found), tuple(one.unit for one in found),
                   tuple(_fold(one.metric)(one.points) for one in found), rows, together, _quality(found))


def _with_gaps(rows: Sequence[Row]) -> tuple[Row, ...]:
    """`rows` with a blank one wherever more time passed between two than half an ordinary interval."""
    lengths = sorted(row.end - row.start for row in rows)
    usual = lengths[len(lengths) // 2]
    told: list[Row] = []
    for row in rows:
        if told and row.start - told[-1].end > usual * (_GAP - 1):
            told.append(Row(told[-1].end, row.start, (None,) * len(row.values)))
        told.append(row)
    return tuple(told)


def _together(found: Sequence[MetricSeries],
              cells: Mapping[tuple[datetime, datetime], list[list[MetricPoint]]]) -> tuple[tuple[Row, ...], timedelta]:
    """The intervals in `MOST_ROWS` equal spans; each belongs to the span in which its middle lies."""
    first, last = min(start for start, _ in cells), max(end for _, end in cells)
    span = (last - first) / MOST_ROWS
    spans: list[list[list[MetricPoint]]] = [[[] for _ in found] for _ in range(MOST_ROWS)]
    for (start, end), columns in cells.items():
        at = min(int(((start - first) + (end - start) / 2) / span), MOST_ROWS - 1)
        for column, points in enumerate(columns):
            spans[at][column].extend(points)
    return tuple(Row(first + span * at, first + span * (at + 1), _values(found, columns))
                 for at, columns in enumerate(spans)), span


def _values(found: Sequence[MetricSeries], columns: Sequence[Sequence[MetricPoint]]) -> tuple[float | None, ...]:
    return tuple(_fold(series.metric)(points) if points else None
                 for series, points in zip(found, columns, strict=True))


def _fold(metric: str) -> Callable[[Sequence[MetricPoint]], float]:
    """How several intervals make one: crossings add up, a highest stays the highest, all else is a mean over time."""
    if metric in _FIRST or metric.endswith("_count"):
        return lambda points: sum(point.value for point in points)
    if metric.endswith("_max"):
        return lambda points: max(point.value for point in points)
    return _mean


def _mean(points: Sequence[MetricPoint]) -> float:
    lengths = [(point.end - point.start).total_seconds() for point in points]
    return sum(point.value * length for point, length in zip(points, lengths, strict=True)) / sum(lengths)


def _quality(found: Sequence[MetricSeries]) -> Quality:
    """What the intervals say of themselves; the metrics of one app share it, so each interval counts once."""
    intervals = {(point.start, point.end): dict(point.quality) for series in found for point in series.points}
    told = [intervals[each] for each in sorted(intervals)]
    lengths = [(end - start).total_seconds() for start, end in sorted(intervals)]
    rates = [(rate, length) for one, length in zip(told, lengths, strict=True)
             if (rate := _decimal(one.get("analysed_fps"))) is not None]
    frames = [int(value) for one in told if (value := _decimal(one.get("frames"))) is not None]
    dropped = [int(value) for one in told if (value := _decimal(one.get("dropped_pictures"))) is not None]
    return Quality(
        limits=tuple(dict.fromkeys(one["method"] for one in told if one.get("method"))),
        analysed_fps=(sum(rate * length for rate, length in rates) / sum(length for _, length in rates),
                      min(rate for rate, _ in rates)) if rates else None,
        frames=sum(frames) if frames else None, dropped=_risen(dropped) if dropped else None, intervals=len(told),
        overloaded=sum("overload" in one for one in told), unwell=sum("unwell_frames" in one for one in told),
    )


def _decimal(text: str | None) -> float | None:
    """A number as the monitor writes it (``4.8``); ``None`` for anything else."""
    return float(text) if text and text.isascii() and text.replace(".", "", 1).isdigit() and len(text) < 16 else None


def _risen(counter: Sequence[int]) -> int:
    """How far a counter has risen that begins anew with every connection."""
    return sum(now - before if now >= before else now for before, now in zip((0, *counter), counter, strict=False))


def described(metric: str) -> str:
    """A metric's name for a person."""
    return METRIC.get(metric, metric.replace("_", " "))


def told(one: Counted) -> str:
    """The totals as a sentence part: ``in 41, out 38 people``."""
    parts = [f"{described(metric)} {number(total)}" for metric, total in zip(one.metrics, one.totals, strict=True)]
    units = dict.fromkeys(one.units)
    unit = f" {next(iter(units))}" if len(units) == 1 and next(iter(units)) else ""
    return f"{', '.join(parts)}{unit}, in {plural(one.quality.intervals, 'interval')}"
