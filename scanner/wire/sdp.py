"""SDP as cameras write it (RFC 8866 section 5, read leniently): session lines, media lines, control URLs.

Firmware truncates ``c=`` and ``o=``, repeats ``s=``, invents payload types and names other hosts in ``a=control``.
"""

from __future__ import annotations

import re
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build
from scanner.wire.text import decode

__all__ = ["parse"]

MAX_BYTES = 65_536
MAX_LINES = 2_000
MAX_OWN = 80                    # characters kept of an attribute of a maker's own

_LINE = re.compile(r"^\s{0,4}([a-z])\s{0,2}=(.{0,1024})")
_OWN = ("packetization-supported", "rtppayload-supported", "Media_header")
"""Attributes that no standard knows and that makers' firmware adds of itself; of each the first counts."""
_KEPT = frozenset(("tool", "charset", *_OWN))
_RTPMAP = re.compile(r"rtpmap:\s{0,4}(\d{1,3})\s{1,8}([\w.-]{1,40})")


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """The session and its tracks; ``sdp_media`` is ``video H264``, an entry a track, ``-`` for an unknown codec."""
    session: dict[str, str] = {}
    controls: list[str] = []
    tracks: list[tuple[str, str]] = []          # kind, codec
    charset = ""
    for line in re.split(r"\r\n|\n|\r", decode(data[:MAX_BYTES])[0])[:MAX_LINES]:
        match = _LINE.match(line)
        if match is None:
            continue
        key, value = match[1], match[2].strip()
        if key == "m":
            kind, _, rest = value.partition(" ")
            tracks.append((kind[:40], _static_codec(rest)))
        elif key == "a":
            name, _, detail = value.partition(":")
            codec = _RTPMAP.match(value)
            if codec and tracks:
                tracks[-1] = (tracks[-1][0], codec[2].upper())
            elif name == "control":
                controls.append(detail)
            elif name in _KEPT:
                session.setdefault(name, detail)
        elif key in "soi":
            session.setdefault(key, value)
    charset = session.get("charset", "")
    if not session and not tracks:
        return Refusal("malformed", "no SDP line")
    if charset:
        for key in ("s", "i"):
            session[key] = _recode(session.get(key, ""), data, key, charset)
    own = tuple(f"{name}:{session[name][:MAX_OWN]}" for name in _OWN if name in session)
    return build(
        sdp=True, sdp_session=session.get("s"), sdp_info=session.get("i"), sdp_tool=session.get("tool"),
        sdp_origin=session.get("o"), sdp_control=tuple(controls), sdp_attributes=own,
        sdp_media=tuple(f"{kind} {codec or '-'}" for kind, codec in tracks))


def _static_codec(rest: str) -> str:
    """The codec of a static payload type (RFC 3551 section 6); empty for a dynamic one."""
    payload = next(iter(rest.split()[-1:]), "")
    return {"0": "PCMU", "8": "PCMA", "26": "JPEG", "32": "MPV", "9": "G722", "14": "MPA"}.get(payload, "")


def _recode(text: str, data: bytes, key: str, charset: str) -> str:
    """A session line again in its declared charset, where UTF-8 could not read it."""
    match = re.search(rb"(?m)^" + key.encode() + rb"=([^\r\n]{0,1024})", data[:MAX_BYTES])
    return decode(match[1], charset)[0] if match and "\ufffd" in text else text
