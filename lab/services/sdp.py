"""Session descriptions (RFC 4566) of a simulated camera: one video track in the words of its family."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from lab.rtp import PAYLOAD_TYPE
from lab.scenes import Codec
from lab.services.family import Place, Rtsp
from lab.services.message import Request
from lab.streams import Orders, StreamMode

__all__ = ["AUDIO", "describe", "track_name"]

AUDIO = "audio"
PASSWORDS = "file:///etc/passwd"
UNKNOWN_PROFILE = "4D4028"          # of a device that describes a stream and never sends one


def track_name(rtsp: Rtsp) -> str:
    """The last part of the video track's control address, in whatever form the family writes it."""
    return rtsp.track.format(uri="", number=1).lstrip("/")


def describe(rtsp: Rtsp, place: Place, request: Request, codec: Codec, sets: Sequence[bytes], orders: Orders) -> bytes:
    """The description of what `request` asks for; without `sets` that of a device which never streams."""
    uri = request.target.partition("?")[0].rstrip("/")
    early = [line for line in rtsp.lines if line[0] in "ie"]         # RFC 4566 §5: i= and e= stand before t=
    late = [line for line in rtsp.lines if line[0] not in "ie"]
    if orders.mode is StreamMode.NO_VIDEO:
        medium = ["m=audio 0 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", f"a=control:{AUDIO}"]
    else:
        medium = [f"m=video 0 RTP/AVP {PAYLOAD_TYPE}", "b=AS:2048", *_format(codec, sets),
                  f"a=control:{_control(rtsp, uri, request.path, orders)}"]
    return "\r\n".join([
        "v=0", f"o={rtsp.origin} 2251938210 1 IN IP4 {place.address}", f"s={rtsp.session}", *early,
        "c=IN IP4 0.0.0.0", "t=0 0", f"a=control:{rtsp.control.format(uri=uri)}", *late, *medium, "",
    ]).encode()


def _control(rtsp: Rtsp, uri: str, path: str, orders: Orders) -> str:
    match orders.mode:
        case StreamMode.FOREIGN_CONTROL:
            return f"rtsp://{orders.target}{path.rstrip('/')}/{track_name(rtsp)}"
        case StreamMode.FILE_CONTROL:
            return PASSWORDS
        case _:
            return rtsp.track.format(uri=uri, number=1)


def _format(codec: Codec, sets: Sequence[bytes]) -> list[str]:
    """How the track is coded, with the parameter sets (RFC 6184 §8.1, RFC 7798 §7.1)."""
    texts = [b64encode(each).decode() for each in sets]
    if codec is Codec.H265:
        named = ";".join(f"sprop-{kind}={text}" for kind, text in zip(("vps", "sps", "pps"), texts, strict=True))
        return [f"a=rtpmap:{PAYLOAD_TYPE} H265/90000", f"a=fmtp:{PAYLOAD_TYPE} {named}"]
    named = f"packetization-mode=1;profile-level-id={sets[0][1:4].hex().upper() if sets else UNKNOWN_PROFILE}"
    if sets:
        named += f";sprop-parameter-sets={','.join(texts)}"
    return [f"a=rtpmap:{PAYLOAD_TYPE} H264/90000", f"a=fmtp:{PAYLOAD_TYPE} {named}"]
