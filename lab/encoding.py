"""Encodes a scene group by group with FFmpeg's encoders (PyAV): no picture refers across a key picture.

Loads PyAV, which nothing of the lab needs before somebody watches: import it where it is used.
"""

from __future__ import annotations

from typing import Final

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from lab.bitstream import is_parameter_set, nal_units
from lab.scenery import Painter
from lab.scenes import Codec, Scene

__all__ = ["encode_group", "parameter_sets"]

NAMES: Final = {Codec.H264: "libx264", Codec.H265: "libx265"}
QUALITY: Final = {Codec.H264: 24, Codec.H265: 27}
STILL_QUANTISER: Final = 26


def encode_group(scene: Scene, painter: Painter, number: int) -> bytes:
    """Group `number` of the scene, counted from 0, as an Annex B stream with access unit delimiters.

    It begins with the parameter sets and a key picture, has no B-frames, and one slice a picture.
    """
    encoder = _encoder(scene)
    first = number * scene.group
    pieces: list[bytes] = []
    for place in range(first, min(first + scene.group, scene.pictures)):
        frame = av.VideoFrame.from_ndarray(painter.picture(place), format="yuv420p")
        frame.pts = place - first
        pieces += [bytes(packet) for packet in encoder.encode(frame)]
    pieces += [bytes(packet) for packet in encoder.encode(None)]
    return b"".join(pieces)


def parameter_sets(scene: Scene) -> tuple[bytes, ...]:
    """The parameter sets of the scene, as they stand in every group; no picture is drawn for them."""
    encoder = _encoder(scene)
    encoder.flags |= Flags.global_header
    encoder.open()
    return tuple(nal for nal in nal_units(encoder.extradata or b"") if is_parameter_set(scene.codec, nal))


def _encoder(scene: Scene) -> VideoCodecContext:
    encoder = av.CodecContext.create(NAMES[scene.codec], "w")
    if not isinstance(encoder, VideoCodecContext):
        raise TypeError(f"{NAMES[scene.codec]} is no video encoder")
    encoder.width, encoder.height, encoder.pix_fmt = scene.width, scene.height, "yuv420p"
    encoder.framerate, encoder.time_base = scene.fps, 1 / scene.fps
    encoder.thread_count = 1                    # more would cut a picture into slices
    # A still scene is intra only, with a fixed quantiser: equal pictures come out equal, as from a frozen camera.
    quality = f"qp={STILL_QUANTISER}" if scene.still else f"crf={QUALITY[scene.codec]}"
    apart = 1 if scene.still else scene.group
    common = f"{quality}:keyint={apart}:min-keyint={apart}:scenecut=0:aud=1:bframes=0"
    if scene.codec is Codec.H264:
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "main", "x264-params": common}
    else:
        quiet = "repeat-headers=1:open-gop=0:pools=none:frame-threads=1:info=0:log-level=none"
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": f"{common}:{quiet}"}
    return encoder
