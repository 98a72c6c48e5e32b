"""The one currency of analytics: what was detected in one frame, whoever detected it.

Detectors make `Detections`, trackers and apps consume them, so that counting never depends on a model's vendor. A
detection is a box and a class. There is no field for a face, a name, an embedding or any attribute of a person: by
construction, not by configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Boxes", "Detections", "Frame", "Metric", "Tracked", "boxes_of"]

Boxes = NDArray[np.float32]
"""Shape (n, 4): left, top, right, bottom as shares of the frame's width and height (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded, downscaled, grey picture; it lives in memory only and is never stored.

    Attributes:
        grey: shape (height, width), 8 bit.
        at: seconds on the stream's own clock, never decreasing within a session.
        width, height: of the picture as the camera sent it, in pixels.
    """

    grey: NDArray[np.uint8]
    at: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Detections:
    """What was found in one frame at `at` seconds: boxes, classes (``person vehicle …``) and scores (0 to 1)."""

    at: float
    boxes: Boxes
    classes: Sequence[str]
    scores: NDArray[np.float32]
    source: str

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class Tracked:
    """Detections with the short-lived numbers of the tracks they belong to; numbers start anew with every session."""

    at: float
    boxes: Boxes
    tracks: Sequence[int]
    classes: Sequence[str]

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about an interval, with how far it can be trusted; never about a person.

    ``quality`` says what a reader must know: the analysed rate, dropped frames, and standing limits of the method.
    """

    camera: str
    app: str
    name: str
    value: float
    unit: str
    start: float
    end: float
    quality: Sequence[tuple[str, str]] = field(default=())


def boxes_of(rows: Sequence[Sequence[float]]) -> Boxes:
    """Rows of four shares as `Boxes`; an empty list gives shape (0, 4)."""
    return np.asarray(rows, dtype=np.float32).reshape(-1, 4)
