"""Notices what a picture says about the camera itself: frozen, black, grey, or suddenly of another size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.detections import Frame

__all__ = ["Health", "Symptom"]

FROZEN_S = 4.0           # a sensor's noise changes every picture; seconds of identical ones come from a stuck encoder
BLACK_MEAN = 12.0
FLAT_DEVIATION = 3.0


class Symptom(StrEnum):
    """What is wrong with the pictures."""

    FROZEN = "frozen"
    BLACK = "black"
    GREY = "grey"                      # one even tone: a lost reference, a lens cap, a failed sensor
    RESOLUTION = "resolution_changed"


@dataclass(slots=True)
class Health:
    """Feeds on analysed frames and gives each symptom once when it begins; `well` tells when all have passed."""

    _size: tuple[int, int] | None = None
    _still: NDArray[np.uint8] | None = None
    _since: float = 0.0
    _present: set[Symptom] = field(default_factory=set)

    @property
    def well(self) -> bool:
        """Whether the last frame showed no symptom; counts from an unwell picture are not to be trusted."""
        return not self._present

    def look(self, frame: Frame) -> Iterator[Symptom]:
        """The symptoms that begin with this frame."""
        size = (frame.width, frame.height)
        if self._size is not None and size != self._size:
            self._still = None
            yield Symptom.RESOLUTION           # an event, not a state: the new size is the size from here on
        self._size = size
        seen = set(self._seen(frame))
        begun = seen - self._present
        self._present = seen
        yield from sorted(begun)

    def _seen(self, frame: Frame) -> Iterator[Symptom]:
        mean, deviation = float(frame.grey.mean()), float(frame.grey.std())
        if mean < BLACK_MEAN and deviation < 2 * FLAT_DEVIATION:
            yield Symptom.BLACK
        elif deviation < FLAT_DEVIATION:
            yield Symptom.GREY
        if self._still is None or not np.array_equal(self._still, frame.grey):
            self._still, self._since = frame.grey, frame.at
        elif frame.at - self._since >= FROZEN_S:
            yield Symptom.FROZEN
