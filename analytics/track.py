"""Follows boxes from frame to frame: constant velocity and overlap, in three passes.

Confident detections are matched to tracks first, weak ones second, so that a half-hidden person keeps a track but never
starts one (the idea of ByteTrack). What is left over is matched once more with boxes that are as much larger as a
person may have walked since (the idea of C-BIoU): at few pictures a second a walker's boxes do not overlap.

Track numbers live in memory, start at one in every session and mean nothing beyond it: nobody can be followed from
camera to camera or from day to day.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.detections import Boxes, Detections, Tracked

__all__ = ["Tracker", "overlaps"]


LEAST_STEP_S = 0.001          # two pictures at the same time say nothing about speed


@dataclass(slots=True)
class _Track:
    number: int
    box: NDArray[np.float32]
    kind: str
    seen: float                                  # when it was last matched
    hits: int = 1
    velocity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))

    def expected(self, at: float) -> NDArray[np.float32]:
        return (self.box + self.velocity * (at - self.seen)).astype(np.float32)

    def move(self, box: NDArray[np.float32], at: float) -> None:
        elapsed = at - self.seen
        if elapsed > LEAST_STEP_S:
            # Halfway between the old and the newest velocity: one jittering box does not throw a track off.
            self.velocity = ((self.velocity + (box - self.box) / elapsed) / 2).astype(np.float32)
        self.box, self.seen, self.hits = box, at, self.hits + 1


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every box of `a` with every box of `b`: shape (len(a), len(b))."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    shares = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return np.asarray(shares, np.float32)


def _grown(boxes: Boxes, by: float | NDArray[np.float32]) -> Boxes:
    """Boxes larger by `by` times their size on every side."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * by
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1).astype(np.float32)


@dataclass(slots=True)
class Tracker:
    """Gives each detection the number of its track.

    Args:
        confident: score from which a detection may start a track.
        least_overlap: intersection over union below which two boxes are not the same thing.
        reach: by how many times its own size a box is let grow on every side for each second unseen, in the last pass.
        patience_s: how long a track survives unseen.
        confirm: how many matches a track needs before it is given out.
        most: tracks kept at once; the longest unseen go first.
    """

    confident: float = 0.5
    least_overlap: float = 0.2
    reach: float = 2.5
    patience_s: float = 1.5
    confirm: int = 3
    most: int = 512
    _tracks: list[_Track] = field(default_factory=list)
    _next: int = 1

    def update(self, found: Detections) -> Tracked:
        """The confirmed tracks that were seen in this frame."""
        self._tracks = [t for t in self._tracks if found.at - t.seen <= self.patience_s]
        sure = [i for i in range(len(found)) if found.scores[i] >= self.confident]
        weak = [i for i in range(len(found)) if found.scores[i] < self.confident]
        matched: dict[int, _Track] = {}
        free = list(self._tracks)
        for candidates, reach in ((sure, 0.0), (weak, 0.0), (sure, self.reach)):
            pairs = self._match(free, [i for i in candidates if i not in matched], found, reach)
            matched |= {i: track for track, i in pairs}
            taken = {id(track) for track, _ in pairs}
            free = [t for t in free if id(t) not in taken]
        for i, track in matched.items():
            track.move(found.boxes[i], found.at)
        for i in sure:
            if i not in matched:
                matched[i] = _Track(self._next, found.boxes[i], found.classes[i], found.at)
                self._tracks.append(matched[i])
                self._next += 1
        if len(self._tracks) > self.most:
            self._tracks = sorted(self._tracks, key=lambda t: t.seen)[-self.most:]
        shown = [(i, t) for i, t in sorted(matched.items()) if t.hits >= self.confirm]
        return Tracked(found.at, found.boxes[[i for i, _ in shown]].reshape(-1, 4), [t.number for _, t in shown],
                       [t.kind for _, t in shown])

    def _match(self, tracks: list[_Track], candidates: list[int], found: Detections,
               reach: float) -> list[tuple[_Track, int]]:
        """Pairs of track and detection of one class, best overlap first, each used once."""
        if not tracks or not candidates:
            return []
        expected = np.stack([t.expected(found.at) for t in tracks])
        boxes = found.boxes[candidates]
        if reach:
            unseen = np.asarray([[found.at - t.seen] for t in tracks], np.float32)
            expected = _grown(expected, reach * unseen)
            boxes = _grown(boxes, reach * float(unseen.min()))
        scores = overlaps(expected, boxes)
        pairs = []
        while scores.size and scores.max() >= self.least_overlap:
            row, column = np.unravel_index(int(scores.argmax()), scores.shape)
            if tracks[row].kind == found.classes[candidates[column]]:
                pairs.append((tracks[row], candidates[column]))
                scores[row, :] = scores[:, column] = 0
            else:
                scores[row, column] = 0
        return pairs
