"""RTSP 1.0 as far as a scan needs it: OPTIONS, DESCRIBE and TEARDOWN out, any reply in (RFC 2326).

OPTIONS may already be refused with 401 (Dahua), and that is an answer: the realm names the maker.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import http, message, sdp
from scanner.wire.auth import challenge_fields
from scanner.wire.fields import Fields, build
from scanner.wire.message import Response

__all__ = ["READ_ONLY", "Response", "parse", "parse_headers", "read", "request"]

READ_ONLY = frozenset({"OPTIONS", "DESCRIBE", "TEARDOWN", "SETUP", "PLAY", "GET_PARAMETER"})
"""Methods that may be sent: three for a sweep, the rest for an admitted stream. No ANNOUNCE, no RECORD."""


def request(method: str, uri: str, cseq: int, headers: dict[str, str] | None = None) -> bytes:
    """One request for exactly this URI, its letters' case kept.

    Raises:
        ValueError: the method may not be sent, or `uri` carries credentials, a space or a control character.
    """
    if method not in READ_ONLY:
        raise ValueError(f"RTSP method {method} is never sent")
    authority = uri.partition("://")[2].partition("/")[0]
    if "@" in authority or " " in uri:
        raise ValueError("an RTSP URI is sent without credentials and spaces")
    lines = {"CSeq": str(cseq), "User-Agent": "camvet"}
    if method == "DESCRIBE":
        lines["Accept"] = "application/sdp"
    return message.build(f"{method} {uri} RTSP/1.0", lines | (headers or {}))


def read(data: bytes) -> Response | Refusal:
    """One whole reply."""
    return message.read(data, "RTSP")


def parse(data: bytes, source: Endpoint, now: datetime, *, path: str = "") -> Fields | Refusal:
    """The fields of one reply, with those of the session description if it carries one."""
    response = read(data)
    if isinstance(response, Refusal):
        return response
    out = build(status=response.status, reason=response.reason, path=path) | _fields(response.headers)
    described = sdp.parse(response.body, source, now) if response.body.strip() else {}
    return out | ({} if isinstance(described, Refusal) else described)


def parse_headers(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Header lines alone, with or without the status line before them."""
    pairs = message.read_headers(data[:message.MAX_HEAD].decode("latin-1"))
    return _fields(pairs) if pairs else Refusal("malformed", "no header line")


def _fields(pairs: tuple[tuple[str, str], ...]) -> Fields:
    named = dict(reversed(pairs))
    methods = tuple(part.strip() for name, value in pairs if name == "public" for part in value.split(","))
    out = http.header_fields(pairs) | challenge_fields([value for name, value in pairs if name == "www-authenticate"])
    return out | build(public=methods, content_base=named.get("content-base"))
