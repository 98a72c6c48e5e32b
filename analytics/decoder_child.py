"""The decoding half that may be killed: access units on stdin, small grey pictures on stdout.

Run by `analytics.decoder` with the words CODEC MAX_PIXELS WIDTH. It uses libavcodec alone: no demuxer, no protocol,
no file and no address ever reaches FFmpeg, so nothing in a stream can make it open one. Memory is capped by the
kernel; time is the parent's business, who kills it.

Request:  ``!IBI`` length, 1 to get the picture (else decode only), timestamp; then the access unit.
Answer:   ``!BIHHHH`` status, timestamp, width, height, grey width, grey height; then the grey picture where one was
asked for and came (status `PICTURE`).
"""

from __future__ import annotations

import resource
import struct
import sys
from typing import BinaryIO

__all__ = ["ANSWER", "CORRUPT", "DECODED", "NOTHING", "PICTURE", "REQUEST", "TOO_LARGE", "main"]

REQUEST = struct.Struct("!IBI")
ANSWER = struct.Struct("!BIHHHH")
NOTHING, DECODED, PICTURE, CORRUPT, TOO_LARGE = range(5)
MEMORY = 1536 * 1024 * 1024            # of address space: enough for a 4K picture's references and FFmpeg itself


def main(words: list[str]) -> None:
    """Decode until stdin ends."""
    codec, max_pixels, width = words[0], int(words[1]), int(words[2])
    _confine()
    _serve(codec, max_pixels, width, sys.stdin.buffer, sys.stdout.buffer)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))        # it has no business writing a file
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))


def _serve(codec: str, max_pixels: int, width: int, requests: BinaryIO, answers: BinaryIO) -> None:
    import av
    from av.error import FFmpegError
    from av.video.codeccontext import VideoCodecContext

    context = VideoCodecContext.create({"H264": "h264", "H265": "hevc"}[codec], "r")
    if not isinstance(context, VideoCodecContext):
        raise TypeError(f"{codec} is no video codec")
    # Far larger pictures are refused by libavcodec before it allocates them (they read as corrupt); what is somewhat
    # too large is seen below and told apart.
    context.options = {"max_pixels": str(4 * max_pixels)}
    context.thread_count = 1
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        size, wanted, timestamp = REQUEST.unpack(head)
        unit = requests.read(size)
        if len(unit) < size:
            return
        status, grey, shape = NOTHING, b"", (0, 0, 0, 0)
        try:
            for frame in context.decode(av.Packet(unit)):
                if frame.width * frame.height > max_pixels:
                    status = TOO_LARGE
                    continue
                status, shape = DECODED, (frame.width, frame.height, 0, 0)
                if wanted:
                    high = max(2, round(frame.height * min(width, frame.width) / frame.width / 2) * 2)
                    small = frame.reformat(width=min(width, frame.width), height=high, format="gray")
                    grey = small.to_ndarray().tobytes()
                    status, shape = PICTURE, (frame.width, frame.height, small.width, small.height)
        except (FFmpegError, ValueError, MemoryError):
            status = CORRUPT
        answers.write(ANSWER.pack(status, timestamp, *shape))
        answers.write(grey)
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
