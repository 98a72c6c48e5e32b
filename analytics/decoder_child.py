"""The decoding half that may be killed: access units on stdin, small grey pictures on stdout.

Run by `analytics.decoder` with the words CODEC MAX_PIXELS WIDTH. It uses libavcodec alone: no demuxer, no protocol,
no file and no address ever reaches FFmpeg, so nothing in a stream can make it open one. Before the first byte of a
stream is read, the kernel is told to hand out no further descriptor: no file and no socket can be opened any more.
Memory is capped by the kernel too; time is the parent's business, who kills it.

Request:  ``!IBI`` length, 1 to get the picture (else decode only), timestamp; then the access unit.
Answer:   ``!BIHHHH`` status, timestamp, width, height, grey width, grey height; then the grey picture where one was
asked for and came (status `PICTURE`). The first answer (status `READY`) comes unasked, once everything is loaded.
"""

from __future__ import annotations

import resource
import struct
import sys
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

__all__ = ["ANSWER", "CORRUPT", "DECODED", "NOTHING", "PICTURE", "READY", "REQUEST", "TOO_LARGE", "main"]

REQUEST = struct.Struct("!IBI")
ANSWER = struct.Struct("!BIHHHH")
NOTHING, DECODED, PICTURE, CORRUPT, TOO_LARGE, READY = range(6)
MEMORY = 1536 * 1024 * 1024            # of address space: enough for an 8K picture's references and FFmpeg itself
MOST_SIDE = 16_384

Shape = tuple[int, int, int, int]
NO_SHAPE: Shape = (0, 0, 0, 0)


def main(words: list[str]) -> None:
    """Decode until stdin ends."""
    codec, max_pixels, width = words[0], int(words[1]), int(words[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))        # it has no business writing a file
    context, scaler = _prepare(codec, max_pixels)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))       # nor opening one, nor a socket: what is open stays open
    _serve(context, scaler, max_pixels, width, sys.stdin.buffer, sys.stdout.buffer)


def _prepare(codec: str, max_pixels: int) -> tuple[VideoCodecContext, VideoReformatter]:
    """Decoder and scaler, with all they load: later on nothing can be loaded."""
    import av
    from av.video.codeccontext import VideoCodecContext
    from av.video.reformatter import VideoReformatter

    context = VideoCodecContext.create({"H264": "h264", "H265": "hevc"}[codec], "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} is no video codec")
    # Far larger pictures are refused by libavcodec before it allocates them (they read as corrupt); what is somewhat
    # too large is seen in `_decode` and told apart.
    context.options = {"max_pixels": str(4 * max_pixels)}
    context.thread_count = 1
    context.open()
    scaler = VideoReformatter()
    _grey(av.VideoFrame(64, 64, "yuv420p"), scaler, 32)
    return context, scaler


def _serve(context: VideoCodecContext, scaler: VideoReformatter, max_pixels: int, width: int,
           requests: BinaryIO, answers: BinaryIO) -> None:
    from av.error import FFmpegError

    status, timestamp, shape, grey = READY, 0, NO_SHAPE, b""
    while True:
        answers.write(ANSWER.pack(status, timestamp, *shape) + grey)
        answers.flush()
        head = requests.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        size, wanted, timestamp = REQUEST.unpack(head)
        unit = requests.read(size)
        if len(unit) < size:
            return
        shape, grey = NO_SHAPE, b""
        try:
            status, frame = _decode(context, unit, max_pixels)
            if frame is not None and wanted:
                wide, high, grey = _grey(frame, scaler, width)
                status, shape = PICTURE, (frame.width, frame.height, wide, high)
        except (FFmpegError, ValueError, MemoryError):
            status, shape, grey = CORRUPT, NO_SHAPE, b""


def _decode(context: VideoCodecContext, unit: bytes, max_pixels: int) -> tuple[int, VideoFrame | None]:
    """The status and the newest picture that `unit` completed."""
    from av import Packet

    frames = context.decode(Packet(unit))
    if any(f.width * f.height > max_pixels or max(f.width, f.height) > MOST_SIDE for f in frames):
        return TOO_LARGE, None
    if any(f.is_corrupt for f in frames):
        return CORRUPT, None
    return (DECODED, frames[-1]) if frames else (NOTHING, None)


def _grey(frame: VideoFrame, scaler: VideoReformatter, width: int) -> tuple[int, int, bytes]:
    """Width, height and rows of the picture in grey, at most `width` wide."""
    wide = min(width, frame.width)
    high = max(2, round(frame.height * wide / frame.width / 2) * 2)
    small = scaler.reformat(frame, width=wide, height=high, format="gray", interpolation="AREA", threads=1)
    plane = small.planes[0]
    rows = bytes(plane)
    if plane.line_size != wide:
        rows = b"".join(rows[at:at + wide] for at in range(0, high * plane.line_size, plane.line_size))
    return wide, high, rows


if __name__ == "__main__":
    main(sys.argv[1:])
