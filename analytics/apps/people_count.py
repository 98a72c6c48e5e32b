"""People who cross a line, in either direction, and people inside a zone.

A crossing counts once a track has been clearly on one side (`HYSTERESIS` away from the line) and then clearly on the
other, within the line's ends: jitter on the line counts nothing. Which way is "in" follows the line: seen from its
first point towards its second, "in" is from left to right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.apps import AppError, app
from analytics.detections import Metric, Tracked

__all__ = ["PeopleCount", "inside"]

HYSTERESIS = 0.01        # of the frame: about five pixels at 480
MOST_TRACKS = 4096


def inside(polygon: NDArray[np.float64], x: float, y: float) -> bool:
    """Whether a point lies in a polygon of shape (n, 2), by counting crossings of a ray to the right."""
    x1, y1 = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
    spans = (y1 > y) != (y2 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return bool(np.count_nonzero(spans & (x < cuts)) % 2)


def _points(config: Mapping[str, Any], name: str, least: int) -> NDArray[np.float64] | None:
    if (given := config.get(name)) is None:
        return None
    try:
        points = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AppError(f"{name}: expected points [[x, y], …]") from error
    if points.ndim != 2 or points.shape[1] != 2 or not least <= len(points) <= 64:
        raise AppError(f"{name}: expected {least} to 64 points [[x, y], …]")
    if not np.isfinite(points).all() or points.min() < 0 or points.max() > 1:
        raise AppError(f"{name}: coordinates are shares of the frame, from 0 to 1")
    return points


@app("people_count")
class PeopleCount:
    """Counts by a ``line`` (two points), a ``zone`` (a polygon), or both; points are shares of the frame."""

    limits: tuple[str, ...] = ()

    def __init__(self, config: Mapping[str, Any]) -> None:
        unknown = set(config) - {"line", "zone"}
        if unknown:
            raise AppError(f"people_count knows line and zone, not {', '.join(sorted(unknown))}")
        self._line, self._zone = _points(config, "line", 2), _points(config, "zone", 3)
        if self._line is None and self._zone is None:
            raise AppError("people_count needs a line or a zone")
        if self._line is not None and (len(self._line) != 2 or np.allclose(*self._line)):
            raise AppError("line: expected two different points")
        self._side: dict[int, int] = {}
        self._in = self._out = 0
        self._present: list[int] = []

    def update(self, tracked: Tracked) -> None:
        """Take in one analysed frame. A person stands where the middle of the box's lower edge is."""
        feet = [(float(b[0] + b[2]) / 2, float(b[3])) for b in tracked.boxes]
        people = [(t, p) for t, p, c in zip(tracked.tracks, feet, tracked.classes, strict=True) if c == "person"]
        if self._line is not None:
            for track, (x, y) in people:
                self._cross(track, x, y)
            if len(self._side) > MOST_TRACKS:        # numbers only grow, so the smallest are the oldest
                self._side = dict(sorted(self._side.items())[-MOST_TRACKS // 2:])
        if self._zone is not None:
            self._present.append(sum(inside(self._zone, x, y) for _, (x, y) in people))

    def _cross(self, track: int, x: float, y: float) -> None:
        (ax, ay), (bx, by) = self._line  # type: ignore[misc] # checked by the caller
        length2 = (bx - ax) ** 2 + (by - ay) ** 2
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2
        off = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length2 ** 0.5
        if abs(off) < HYSTERESIS:
            return
        # With y pointing down, a positive `off` is to the right of the walk from the first point to the second.
        side = 1 if off > 0 else -1
        before = self._side.get(track)
        self._side[track] = side
        if before is None or before == side or not 0 <= along <= 1:
            return
        if side > 0:
            self._in += 1
        else:
            self._out += 1

    def metrics(self, camera: str, start: float, end: float) -> Iterable[Metric]:
        """Crossings in and out of the interval; the zone's mean and highest number of people."""
        if self._line is not None:
            yield Metric(camera, "people_count", "in", self._in, "people", start, end)
            yield Metric(camera, "people_count", "out", self._out, "people", start, end)
            self._in = self._out = 0
        if self._zone is not None:
            present, self._present = self._present, []
            if present:                               # no analysed frame is no number, not a zero
                yield Metric(camera, "people_count", "present_mean", sum(present) / len(present), "people", start, end)
                yield Metric(camera, "people_count", "present_max", max(present), "people", start, end)
