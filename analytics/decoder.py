"""Decodes access units in a child process that is killed when it takes too long, too much, or says something odd.

One child a stream: whatever a hostile stream does to FFmpeg stays in a process with no address, no file and a memory
limit, and ends with it. Why, stands in ``docs/decisions/0005-decoding-in-a-child.md``.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import numpy as np

from analytics import decoder_child as child
from analytics.detections import Frame
from scanner.wire.rtp import AccessUnit, Codec, MediaClock

__all__ = ["MAX_PIXELS", "Decoder", "DecoderError"]

MAX_PIXELS = 34_000_000          # 8K; a 100-megapixel picture is an attack, not a camera
START_S = 30.0                   # to load Python and FFmpeg on a busy machine
_START = "import sys; sys.path[:0] = {!r}; from analytics.decoder_child import main; main(sys.argv[1:])"


class DecoderError(Exception):
    """The child was ended: the named rule (``decoder.timeout decoder.died decoder.too_large decoder.nonsense``)."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


class Decoder:
    """Grey, downscaled frames of one video stream.

    Args:
        codec: H.264 or H.265.
        width: of the grey pictures, at most; the height follows.
        seconds: the time one access unit may take before the child is killed.
        most_corrupt: access units in a row without a picture before it is given up: a stream that shows nothing must
            not look like an empty scene.
        max_pixels: of one picture; a larger one ends the child.

    Use as a context manager: the child ends with it, whatever happened. Raises `DecoderError` (``decoder.died``) where
    no child can be started.
    """

    def __init__(self, codec: Codec, *, width: int = 480, seconds: float = 5.0, most_corrupt: int = 50,
                 max_pixels: int = MAX_PIXELS) -> None:
        self._width, self._seconds, self._most_corrupt = width, seconds, most_corrupt
        self._without = 0
        self._clock = MediaClock()
        self._ready = False
        self.corrupt = 0
        # A fixed, empty-handed environment: no proxy, no FFmpeg option, no secret of the parent reaches the child.
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own module, no shell
                [sys.executable, "-I", "-c", _START.format([path for path in sys.path if path]), str(codec),
                 str(max_pixels), str(width)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"},
                cwd="/", bufsize=0)
        except OSError as error:
            raise DecoderError("decoder.died", f"no process for it could be started: {error.strerror}") from error
        self._out = self._process.stdout.fileno() if self._process.stdout else -1
        self._in = self._process.stdin.fileno() if self._process.stdin else -1
        os.set_blocking(self._in, False)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def decode(self, unit: AccessUnit, *, wanted: bool = True) -> Frame | None:
        """Decode one access unit; its picture when `wanted` and complete, else ``None``.

        Raises:
            DecoderError: the child was killed or died; the stream's session is over.
        """
        if not self._ready:
            self._answer(time.monotonic() + START_S)           # the child says once that it has loaded everything
            self._ready = True
        deadline = time.monotonic() + self._seconds
        at = self._clock.seconds(unit.timestamp)
        self._write(child.REQUEST.pack(len(unit.data), wanted, unit.timestamp) + unit.data, deadline)
        status, _, width, height, wide, high = self._answer(deadline)
        if status == child.TOO_LARGE:
            raise self._end("decoder.too_large", "a picture has more pixels than any camera that is supported")
        self.corrupt += status == child.CORRUPT
        self._without = 0 if status in (child.DECODED, child.PICTURE) else self._without + 1
        if self._without > self._most_corrupt:
            raise self._end("decoder.nonsense", f"{self._without} access units in a row gave no picture")
        if status != child.PICTURE:
            return None
        if wide > self._width or wide * high == 0:
            raise self._end("decoder.nonsense", "the child answered out of form")
        grey = np.frombuffer(self._read(wide * high, deadline), np.uint8).reshape(high, wide)
        return Frame(grey, at, width, height)

    def _answer(self, deadline: float) -> tuple[int, int, int, int, int, int]:
        status, timestamp, width, height, wide, high = child.ANSWER.unpack(self._read(child.ANSWER.size, deadline))
        return status, timestamp, width, height, wide, high

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._in, view):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._end("decoder.died", "the decoding process ended") from None

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._out, select.POLLIN, deadline)
            if not (piece := os.read(self._out, size - len(data))):
                raise self._end("decoder.died", "the decoding process ended")
            data += piece
        return bytes(data)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        if descriptor < 0:
            raise DecoderError("decoder.died", "the decoder was closed")
        waiting = select.poll()                                # `select` ends at descriptor 1023
        waiting.register(descriptor, event)
        if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise self._end("decoder.timeout", "one access unit took longer than it may")

    def _end(self, rule: str, because: str) -> DecoderError:
        self.close()
        return DecoderError(rule, because)

    def close(self) -> None:
        """End the child. Safe to repeat."""
        self._in = self._out = -1                              # the numbers may soon be somebody else's
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
