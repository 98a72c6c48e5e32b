"""The media tracks of a session description (RFC 8866) and the paths to set them up by (RFC 2326 appendix C.1).

A camera's ``Content-Base`` and ``a=control`` are evidence. What is taken from them is a path on the pinned address; a
control that names another host, or is no RTSP at all, is refused by name, because a stream that points elsewhere is not
the stream that was vetted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scanner.observation import Refusal
from scanner.wire.rtp import Codec
from scanner.wire.text import decode

__all__ = ["Track", "path_of", "read", "video"]

MOST_BYTES = 65_536
MOST_TRACKS = 16
MOST_PATH = 1024
# How devices name themselves when they do not know their own address.
_ITSELF = frozenset({"", "0.0.0.0", "127.0.0.1", "localhost", "::", "::1"})  # noqa: S104 - compared, never bound
_RTPMAP = re.compile(r"rtpmap:\s{0,4}(\d{1,3})\s{1,8}([\w.-]{1,40})/(\d{1,7})")
_FMTP = re.compile(r"fmtp:\s{0,4}(\d{1,3})\s{1,8}(.{1,4096})")
_MEDIA = re.compile(r"(\w{1,40})\s{1,8}\d{1,5}(?:/\d{1,5})?\s{1,8}[\w/]{1,40}\s{1,8}(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Track:
    """One media section: kind (``video``), payload type, encoding name, clock rate, fmtp and control as sent."""

    kind: str
    payload_type: int
    encoding: str = ""
    clock: int = 0
    fmtp: str = ""
    control: str = ""


def read(data: bytes) -> tuple[str, tuple[Track, ...]]:
    """The session's control and its tracks; what cannot be read is left out, never guessed."""
    session, tracks = "", list[Track]()
    for line in re.split(r"\r\n|\n|\r", decode(data[:MOST_BYTES])[0]):
        key, equals, value = line.strip().partition("=")
        if not equals:
            continue
        if key == "m":
            if (media := _MEDIA.match(value.strip())) and len(tracks) < MOST_TRACKS:
                tracks.append(Track(media[1].lower(), int(media[2])))
            continue
        if key != "a":
            continue
        if not tracks:
            session = value[8:].strip() if value.startswith("control:") else session
        else:
            tracks[-1] = _attribute(tracks[-1], value.strip())
    return session, tuple(tracks)


def _attribute(track: Track, value: str) -> Track:
    if value.startswith("control:"):
        return _with(track, control=value[8:].strip())
    if (found := _RTPMAP.match(value)) and int(found[1]) == track.payload_type:
        return _with(track, encoding=found[2].upper(), clock=int(found[3]))
    if (found := _FMTP.match(value)) and int(found[1]) == track.payload_type:
        return _with(track, fmtp=found[2])
    return track


def _with(track: Track, *, encoding: str | None = None, clock: int | None = None, fmtp: str | None = None,
          control: str | None = None) -> Track:
    return Track(track.kind, track.payload_type, track.encoding if encoding is None else encoding,
                 track.clock if clock is None else clock, track.fmtp if fmtp is None else fmtp,
                 track.control if control is None else control)


def video(tracks: Sequence[Track]) -> tuple[Track, Codec] | None:
    """The first video track in a codec that is read; ``None`` where there is none."""
    names = {"H264": Codec.H264, "H265": Codec.H265, "HEVC": Codec.H265}
    for track in tracks:
        if track.kind == "video" and track.encoding in names:
            return track, names[track.encoding]
    return None


def path_of(control: str, base: str, address: str) -> str | Refusal:
    """The request path for `control`, resolved against the path `base`.

    Args:
        control: ``a=control`` or ``Content-Base`` as the device sent it: ``*``, a relative or an absolute URL.
        base: the path it is relative to, beginning with a slash.
        address: the pinned address; an absolute URL may name it, or the device itself, and nobody else.

    Returns:
        A path (with query) beginning with a slash, or a `Refusal`: ``foreign_scheme``, ``foreign_host``, ``malformed``.
    """
    if control in ("", "*"):
        return base
    if len(control) > MOST_PATH or not control.isprintable() or " " in control:
        return Refusal("malformed", "control")
    if "://" in control or control.startswith(("file:", "//")):
        try:
            parts = urlsplit(control)
            host = (parts.hostname or "").lower()
        except ValueError:
            return Refusal("malformed", "control")
        if parts.scheme.lower() not in ("rtsp", "rtspu", "rtsps"):
            return Refusal("foreign_scheme", parts.scheme[:20])
        if host not in _ITSELF and host != address.lower():
            return Refusal("foreign_host", host[:80])
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if control.startswith("/"):
        return control
    # Not RFC 3986: every camera and player joins with a slash, whatever the base ends in, and before its query.
    return f"{base.rstrip('/')}/{control}"
