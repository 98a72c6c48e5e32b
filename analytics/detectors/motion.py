"""Finds moving people without a model: background subtraction (MOG2) on a small grey frame, then blobs.

It sees what moves. Whoever stands still becomes background within some seconds (a tenth of `MEMORY_S`) and is no longer
seen: queues and seated people need a camera's own analytics or a model. `LIMIT` is the sentence that every number from
here carries. MOG2's shadow detection stays off: on a grey picture it takes every darker coat for a shadow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from analytics.detections import Detections, Frame, boxes_of

__all__ = ["LIMIT", "MotionDetector"]

LIMIT = "counted by motion: people who stand or sit still are not held, and people who touch may count as one"
MEMORY_S = 60.0            # how fast the background follows the light
PERSON_BREADTH = 0.5      # of the height, in mid-stride
BROAD = 0.8               # of the height: no single upright person is


@dataclass(slots=True)
class MotionDetector:
    """Moving blobs of a person's size as `Detections` of class ``person``.

    Args:
        rate: analysed frames per second, from which the background's memory follows.
        least_area, most_area: of a blob's box, as a share of the frame.
        learning_s: seconds after a start during which nothing is reported, because everything still moves.
        threshold: MOG2's squared distance (in variances) from which a pixel is foreground. It is high, since
            compression noise at the edges of what moved reaches 20.
    """

    rate: float = 5.0
    least_area: float = 0.001
    most_area: float = 0.4
    learning_s: float = 2.0
    threshold: float = 32.0
    _model: Any = None
    _shape: tuple[int, int] = (0, 0)
    _since: float = 0.0
    _kernels: tuple[NDArray[np.uint8], ...] = field(default_factory=tuple)

    def detect(self, frame: Frame) -> Detections:
        """The moving blobs of `frame`; none while the background is being learned, or after a change of size."""
        if frame.grey.shape != self._shape:
            self._start(frame)
        mask = self._model.apply(frame.grey)
        if frame.at - self._since < self.learning_s:
            return Detections(frame.at, boxes_of([]), [], np.zeros(0, np.float32), "motion")
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._kernels[0])
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._kernels[1])
        if np.count_nonzero(mask) > mask.size // 2:
            # Half the picture changed at once: a lamp, a knock, a day/night switch. It is learned, not counted.
            self._start(frame)
            return Detections(frame.at, boxes_of([]), [], np.zeros(0, np.float32), "motion")
        boxes, scores = self._blobs(np.asarray(mask, np.uint8))
        return Detections(frame.at, boxes_of(boxes), ["person"] * len(boxes), np.asarray(scores, np.float32), "motion")

    def _start(self, frame: Frame) -> None:
        self._shape, self._since = frame.grey.shape, frame.at
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=max(10, int(MEMORY_S * self.rate)), varThreshold=self.threshold, detectShadows=False)
        self._kernels = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)).astype(np.uint8),
                         # Taller than wide: joins the head, trunk and legs of one person, not two people side by side.
                         cv2.getStructuringElement(cv2.MORPH_RECT, (3, max(3, frame.grey.shape[0] // 40)))
                         .astype(np.uint8))

    def _blobs(self, mask: NDArray[np.uint8]) -> tuple[list[list[float]], list[float]]:
        height, width = mask.shape
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        boxes, scores = [], []
        for left, top, wide, high, pixels in stats[1:count].tolist():
            area = wide * high / (width * height)
            if not self.least_area <= area <= self.most_area:
                continue
            # A blob too broad for one person is people side by side, as many as fit.
            people = round(wide / high / PERSON_BREADTH) if wide / high >= BROAD else 1
            for place in range(people):
                boxes.append([(left + wide * place / people) / width, top / height,
                              (left + wide * (place + 1) / people) / width, (top + high) / height])
                scores.append(min(1.0, pixels / (wide * high) + 0.3))
        return boxes, scores
