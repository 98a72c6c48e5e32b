"""What a simulated camera looks at: one value from which every picture of its film follows.

A persona has a scene where its options name one:

``scene``          ``people``, or ``thermal`` for warm people in the cold
``scene_seed``     who walks when and how the background looks; devices with one seed share one film
``scene_codec``    ``h264`` (where it is missing) or ``h265``
``scene_size``     ``640x360``
``scene_fps``      pictures a second, ``12.5``
``scene_seconds``  the length of the film, which is looped
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache

from lab.persona import Persona
from lab.walkers import Schedule, schedule

__all__ = ["CLOCK", "Codec", "Kind", "Scene", "scene_of"]

CLOCK = 90_000                     # RTP ticks a second for video (RFC 3551 §5)
SECONDS_A_GROUP = 2


class Kind(StrEnum):
    """What is drawn."""

    PEOPLE = "people"
    THERMAL = "thermal"
    BLACK = "black"
    GREY = "grey"


class Codec(StrEnum):
    """How it is coded."""

    H264 = "h264"
    H265 = "h265"


@dataclass(frozen=True, slots=True)
class Scene:
    """One film. Sizes in pixels and even; `seconds` is its length, `still` one picture over and over.

    Raises `ValueError` for what no encoder takes.
    """

    kind: Kind = Kind.PEOPLE
    seed: int = 1
    codec: Codec = Codec.H264
    width: int = 640
    height: int = 360
    fps: Fraction = Fraction(25, 2)
    seconds: int = 60
    still: bool = False

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or not (64 <= self.width <= 4096 and 64 <= self.height <= 4096):
            raise ValueError(f"no picture of {self.width} by {self.height}")
        if not 1 <= self.fps <= 120 or not 1 <= self.seconds <= 3600:
            raise ValueError(f"no film of {self.seconds} s at {self.fps} pictures a second")

    @property
    def pictures(self) -> int:
        """How many pictures the film has before it begins again."""
        return 2 if self.still else int(self.seconds * self.fps)

    @property
    def group(self) -> int:
        """Pictures that are coded together; the first is a key picture, and in a still film every one."""
        return min(self.pictures, int(SECONDS_A_GROUP * self.fps))

    def second(self, number: int) -> float:
        """The second of the schedule that picture `number` shows; of a still one the first crossing of the line."""
        if not self.still:
            return float(number / self.fps)
        return next((second for second, _ in self.schedule().moments()), 0.0)

    def ticks(self, number: int) -> int:
        """RTP ticks from the first picture to picture `number`."""
        return int(number * CLOCK / self.fps)

    def schedule(self) -> Schedule:
        """Who walks when: the truth that a count is compared with."""
        # The film ends with a whole picture, and so does the schedule, or the two would drift apart as they loop.
        return _schedule(self.seed, float(int(self.seconds * self.fps) / self.fps))

    def digest(self) -> str:
        """16 hex digits that differ where two films do."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@cache
def _schedule(seed: int, seconds: float) -> Schedule:
    return schedule(seed, seconds)


def scene_of(persona: Persona) -> Scene | None:
    """What the persona's camera looks at, or None where it streams nothing. Raises `ValueError` for a wrong option."""
    options = persona.options
    if "scene" not in options:
        return None
    width, _, height = options.get("scene_size", "640x360").partition("x")
    return Scene(Kind(options["scene"]), int(options.get("scene_seed", "1")), Codec(options.get("scene_codec", "h264")),
                 int(width), int(height), Fraction(options.get("scene_fps", "12.5")),
                 int(options.get("scene_seconds", "60")))
