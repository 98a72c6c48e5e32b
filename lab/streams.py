"""How a device's stream behaves at the moment, and who watched it: what a site is told, and what it can tell.

A persona's stream begins as its options say: ``stream_mode`` (a name from `StreamMode`), ``stream_after`` (pictures)
and ``stream_target`` (``host`` or ``host:port``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from lab.persona import Persona

__all__ = ["DESCRIBED", "ELSEWHERE", "Orders", "Record", "StreamMode", "Viewing", "orders_of"]

ELSEWHERE = "10.9.9.9"


class StreamMode(StrEnum):
    """What a device does to those who watch it."""

    NORMAL = "normal"
    FROZEN = "frozen"                          # one picture with people in it, over and over, bit for bit
    BLACK = "black"
    GREY = "grey"
    RESOLUTION_CHANGE = "resolution_change"    # after so many pictures three quarters of the size
    GARBAGE_NAL = "garbage_nal"                # slices keep their header and length; the rest is noise
    DRIP = "drip"                              # one byte of media a second
    HUGE = "huge"                              # the parameter sets claim 11008 by 10000 pixels
    REDIRECT = "redirect"                      # 302 to another host, before any login
    FOREIGN_CONTROL = "foreign_control"        # the track's control address is on another host
    FILE_CONTROL = "file_control"              # the track's control address is a file
    DROP_AFTER_N = "drop_after_n"              # the connection closes after so many pictures
    NO_VIDEO = "no_video"                      # the session has sound and no pictures, and nothing comes
    SILENT = "silent"                          # PLAY is answered and nothing ever comes


DESCRIBED = frozenset({StreamMode.REDIRECT, StreamMode.FOREIGN_CONTROL, StreamMode.FILE_CONTROL})
"""The modes that show before a session plays; one that plays already goes on as if nothing were."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the stream is to do: `after` counts pictures, `target` is where a redirect or foreign control leads.

    `fps` is how many pictures are sent a second, whatever their own timestamps say, and `bytes_per_second` how fast the
    line is; None leaves the scene's own pace.
    """

    mode: StreamMode = StreamMode.NORMAL
    after: int = 25
    target: str = ELSEWHERE
    fps: float | None = None
    bytes_per_second: float | None = None

    def __post_init__(self) -> None:
        rates = (each for each in (self.fps, self.bytes_per_second) if each is not None)
        if self.after < 0 or any(rate <= 0 for rate in rates):
            raise ValueError("a stream has a pace above zero and counts from zero")


@dataclass(slots=True)
class Viewing:
    """One time that somebody played the stream: from where, what, how many pictures were sent, if it still runs."""

    peer: str
    path: str
    pictures: int = 0
    running: bool = True


@dataclass(slots=True)
class Record:
    """What a site keeps of one device beyond its restarts."""

    orders: Orders = field(default_factory=Orders)
    viewings: list[Viewing] = field(default_factory=list)
    failed_logins: int = 0

    def open(self, peer: str, path: str) -> Viewing:
        """Note that somebody plays the stream."""
        viewing = Viewing(peer, path)
        self.viewings.append(viewing)
        return viewing

    def note_failed_login(self) -> None:
        """Note a user or password that was wrong; a stale nonce is none."""
        self.failed_logins += 1

    def seen(self) -> tuple[Viewing, ...]:
        """Every viewing so far in order, as they stand now."""
        return tuple(replace(each) for each in tuple(self.viewings))


def orders_of(persona: Persona) -> Orders:
    """How the persona's stream begins. Raises `ValueError` for a wrong option."""
    options = persona.options
    return Orders(StreamMode(options.get("stream_mode", "normal")), int(options.get("stream_after", "25")),
                  options.get("stream_target", ELSEWHERE))
