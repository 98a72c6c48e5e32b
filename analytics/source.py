"""A source of frames from one admitted camera. Only `analytics.gate.Gate` makes one; a test holds the code to that.

It plays one session and never reconnects: a lost session ends the source, and whoever wants to go on asks the gate
again. While frames flow a second thread repeats the gate's check; from the moment it fails no frame is given out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from analytics.decoder import Decoder, DecoderError
from analytics.detections import Frame
from scanner.transport.stream import Stream, StreamError
from scanner.wire.rtp import MediaClock

__all__ = ["CameraSource", "SourceLost"]

Recheck = Callable[[], tuple[str, str] | None]
OVERDUE_S = 60.0                   # how long one check of the live device may take beyond its turn


class SourceLost(Exception):  # noqa: N818 - every session ends once; the rule says whether that was a fault
    """The session is over: the named rule (``stream.… decoder.… gate.… attestation.…``) and why."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


class CameraSource:
    """Frames of one session; a context manager.

    Args:
        stream: the unopened stream of the pinned address.
        ends: when the attestation ends; no frame is given out from then on.
        now: the clock.
        recheck: the gate's check; the refused rule and why, or ``None`` where all holds.
        recheck_s: how often it runs.
        rate: pictures per second of the stream's clock to give out; it may be changed at any time.
        ticks: a monotonic clock in seconds.

    A check that cannot be made is a check that failed: where it is overdue, or its thread has ended, no frame is given
    out either.
    """

    def __init__(self, stream: Stream, *, ends: datetime, now: Callable[[], datetime], recheck: Recheck,
                 recheck_s: float, rate: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._ends, self._now = stream, ends, now
        self._recheck, self._recheck_s = recheck, recheck_s
        self._ticks = ticks
        self.rate = rate
        self._checked = ticks()
        self._refused: tuple[str, str] | None = None
        self._over = threading.Event()
        self._guard = threading.Thread(target=self._watch, name="gate-recheck", daemon=True)
        self._decoder: Decoder | None = None

    def __enter__(self) -> Self:
        try:
            self._stream.__enter__()
        except StreamError as error:
            raise SourceLost(error.rule, error.because) from error
        try:
            self._decoder = Decoder(self._stream.codec)
            self._guard.start()
        except DecoderError as error:
            self.close()
            raise SourceLost(error.rule, error.because) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    @property
    def dropped(self) -> int:
        """Pictures of this session that were lost or could not be decoded."""
        return self._stream.counters.units_dropped + (self._decoder.corrupt if self._decoder else 0)

    def close(self) -> None:
        """End the session, the decoder and the guard. Safe to repeat."""
        self._over.set()
        self._stream.close()
        if self._decoder is not None:
            self._decoder.close()
        if self._guard.is_alive() and self._guard is not threading.current_thread():
            self._guard.join(timeout=self._recheck_s)

    def _watch(self) -> None:
        while not self._over.wait(self._recheck_s):
            refused = self._recheck()
            if refused is not None:
                self._refused = refused
                return
            self._checked = self._ticks()

    def frames(self) -> Iterator[Frame]:
        """Pictures at about `rate` per second of the stream's own clock. Ends only by `SourceLost`."""
        if self._decoder is None:
            raise SourceLost("stream.closed", "the source was not opened")
        clock, wanted_at = MediaClock(), 0.0
        try:
            for unit in self._stream.units():
                self._hold()
                at = clock.seconds(unit.timestamp)
                frame = self._decoder.decode(unit, wanted=at >= wanted_at - 0.001)
                if frame is not None:
                    # On a grid, so that 12.5 pictures a second give 5 and not 4.2; a gap begins a new grid.
                    step = 1 / self.rate
                    wanted_at = wanted_at + step if at < wanted_at + step else at + step
                    self._hold()
                    yield frame
        except StreamError as error:
            self._hold()                     # a failed check is the truer reason than the connection it ended
            raise SourceLost(error.rule, error.because) from error
        except DecoderError as error:
            self._hold()
            raise SourceLost(error.rule, error.because) from error

    def _hold(self) -> None:
        """Raise `SourceLost` where the last check failed or is overdue, or the attestation has ended."""
        alive = self._guard.is_alive()               # asked first: a guard that has just ended has left its reason
        if self._refused is not None:
            raise SourceLost(*self._refused)
        if not alive and not self._over.is_set():
            raise SourceLost("gate.recheck", "the check of the live device broke down, so nothing vouches for it")
        if self._ticks() - self._checked > self._recheck_s + OVERDUE_S:
            raise SourceLost("gate.recheck", "the check of the live device is overdue, so nothing vouches for it")
        if self._now() >= self._ends:
            raise SourceLost("attestation.expired", "the attestation ended while the camera was attached")
