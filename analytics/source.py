"""A source of frames from one admitted camera. Only `analytics.gate.Gate` makes one; a test holds the code to that.

It plays one session and never reconnects: a lost session ends the source, and whoever wants to go on asks the gate
again. While frames flow a second thread repeats the gate's check; from the moment it fails no frame is given out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from analytics.decoder import Decoder, DecoderError
from analytics.detections import Frame
from scanner.transport.stream import Stream, StreamError

__all__ = ["CameraSource", "SourceLost"]

Recheck = Callable[[], tuple[str, str] | None]


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
        rate: pictures per second of the stream's clock to give out; `slow_down` lowers it.
    """

    def __init__(self, stream: Stream, *, ends: datetime, now: Callable[[], datetime], recheck: Recheck,
                 recheck_s: float, rate: float) -> None:
        self._stream, self._ends, self._now = stream, ends, now
        self._recheck, self._recheck_s = recheck, recheck_s
        self.rate = rate
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
        except BaseException:
            self._stream.close()
            raise
        self._guard.start()
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

    def frames(self) -> Iterator[Frame]:
        """Pictures at about `rate` per second of the stream's own clock. Ends only by `SourceLost`."""
        if self._decoder is None:
            raise SourceLost("stream.closed", "the source was not opened")
        wanted_at, previous = 0.0, None
        clock_at = 0.0
        try:
            for unit in self._stream.units():
                self._hold()
                if previous is not None:
                    clock_at += ((unit.timestamp - previous) & 0xFFFFFFFF) / 90_000
                previous = unit.timestamp
                wanted = clock_at >= wanted_at
                frame = self._decoder.decode(unit, wanted=wanted)
                if frame is not None:
                    wanted_at = clock_at + 1 / self.rate - 0.001
                    self._hold()
                    yield frame
        except StreamError as error:
            self._hold()                     # a failed check is the truer reason than the connection it ended
            raise SourceLost(error.rule, error.because) from error
        except DecoderError as error:
            raise SourceLost(error.rule, str(error)) from error

    def _hold(self) -> None:
        """Raise `SourceLost` where the last check failed or the attestation has ended."""
        if self._refused is not None:
            raise SourceLost(*self._refused)
        if self._now() >= self._ends:
            raise SourceLost("attestation.expired", "the attestation ended while the camera was attached")
