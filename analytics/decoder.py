"""Decodes access units in a child process that is killed when it takes too long, too much, or says something odd.

One child a stream: whatever a hostile stream does to FFmpeg stays in a process with no address, no file and a memory
limit, and ends with it.
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
from scanner.wire.rtp import AccessUnit, Codec

__all__ = ["MAX_PIXELS", "Decoder", "DecoderError"]

MAX_PIXELS = 34_000_000          # 8K; a 100-megapixel picture is an attack, not a camera
CLOCK_HZ = 90_000
_START = ("import sys; sys.path[:0] = sys.argv.pop(1).split(':'); "
          "from analytics.decoder_child import main; main(sys.argv[1:])")


class DecoderError(Exception):
    """The child was ended: the named rule (``decoder.timeout decoder.died decoder.too_large decoder.nonsense``)."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule = rule


class Decoder:
    """Grey, downscaled frames of one video stream.

    Args:
        codec: H.264 or H.265.
        width: of the grey pictures, at most; the height follows.
        seconds: the time one access unit may take before the child is killed.
        most_corrupt: undecodable access units in a row before it is given up.

    Use as a context manager: the child ends with it, whatever happened.
    """

    def __init__(self, codec: Codec, *, width: int = 480, seconds: float = 5.0, most_corrupt: int = 50,
                 max_pixels: int = MAX_PIXELS) -> None:
        self._width, self._seconds, self._most_corrupt = width, seconds, most_corrupt
        self._corrupt_in_a_row = 0
        self._first: int | None = None
        self._last = 0
        self.corrupt = 0
        # A fixed, empty-handed environment: no proxy, no FFmpeg option, no secret of the parent reaches the child.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own module, no shell
            [sys.executable, "-I", "-c", _START, ":".join(p for p in sys.path if p), str(codec), str(max_pixels),
             str(width)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"},
            bufsize=0)
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
        deadline = time.monotonic() + self._seconds
        self._write(child.REQUEST.pack(len(unit.data), wanted, unit.timestamp) + unit.data, deadline)
        status, timestamp, width, height, wide, high = child.ANSWER.unpack(self._read(child.ANSWER.size, deadline))
        if status == child.TOO_LARGE:
            raise self._end("decoder.too_large", "a picture has more pixels than any camera that is supported")
        if status == child.CORRUPT:
            self.corrupt += 1
            self._corrupt_in_a_row += 1
            if self._corrupt_in_a_row > self._most_corrupt:
                raise self._end("decoder.nonsense", f"{self._corrupt_in_a_row} access units in a row were undecodable")
            return None
        self._corrupt_in_a_row = 0
        if status != child.PICTURE:
            return None
        if wide > self._width or wide * high == 0:
            raise self._end("decoder.nonsense", "the child answered out of form")
        grey = np.frombuffer(self._read(wide * high, deadline), np.uint8).reshape(high, wide)
        return Frame(grey, self._seconds_of(timestamp), width, height)

    def _seconds_of(self, timestamp: int) -> float:
        """RTP time as seconds since the first picture, across the wrap of 32 bits, never running backwards."""
        if self._first is None:
            self._first = self._last = timestamp
        step = (timestamp - self._last) & 0xFFFFFFFF
        if step < 0x80000000:
            self._first -= 0x100000000 if timestamp < self._last else 0
            self._last = timestamp
        return (self._last - self._first) / CLOCK_HZ

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, deadline, writing=True)
            try:
                view = view[os.write(self._in, view):]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._end("decoder.died", "the decoding process ended") from None

    def _read(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._out, deadline, writing=False)
            if not (piece := os.read(self._out, size - len(data))):
                raise self._end("decoder.died", "the decoding process ended")
            data += piece
        return bytes(data)

    def _wait(self, descriptor: int, deadline: float, *, writing: bool) -> None:
        left = max(0.0, deadline - time.monotonic())
        ready = select.select([] if writing else [descriptor], [descriptor] if writing else [], [], left)
        if not any(ready):
            raise self._end("decoder.timeout", f"one access unit took longer than {self._seconds} s")

    def _end(self, rule: str, because: str) -> DecoderError:
        self.close()
        return DecoderError(rule, because)

    def close(self) -> None:
        """End the child. Safe to repeat."""
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
