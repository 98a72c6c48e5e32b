"""Start line, headers and body: the shape that HTTP, RTSP, SSDP and SIP share (RFC 9112, RFC 2326 section 4).

Read leniently, since firmware folds header lines, forgets reason phrases and lies about lengths; every count is capped.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

from scanner.observation import Refusal
from scanner.wire.text import clean

__all__ = ["MAX_BODY", "MAX_HEAD", "Response", "build", "read", "read_headers"]

MAX_HEAD = 32_768
MAX_HEADERS = 100
MAX_BODY = 1 << 20
MAX_VALUE = 4_096
MAX_INTERIM = 5

_STATUS = re.compile(r"([A-Z]{2,8})(?:/(\d{1,2}\.\d{1,2}))?[ \t]+(\d{3})(?!\d)(?:[ \t]+(.{0,256}))?")
_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Response:
    """One reply: protocol, status, reason, headers in order (names in lower case) and the body, chunks joined.

    ``complete`` is false where less came than was announced.
    """

    protocol: str
    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    complete: bool = True

    def header(self, name: str) -> str:
        """The first value of a header; empty where it is absent."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key == wanted)


def build(start: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request from its start line. Raises `ValueError` for a control character: no value may split a request."""
    lines = [start, *(f"{name}: {value}" for name, value in headers.items())]
    for line in lines:
        if not line.isprintable():
            raise ValueError("control character in a request line")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8") + body


def read_headers(text: str) -> tuple[tuple[str, str], ...]:
    """Header lines as pairs, names in lower case; folded lines are joined, lines that are no header are left out."""
    pairs: list[tuple[str, str]] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line[:1] in (" ", "\t") and pairs:
            folded = line.strip()
            inner, colon, value = folded.partition(":")
            if colon and _TOKEN.fullmatch(inner) and value[:1] == " ":
                pairs.append((inner.lower(), value.strip()[:MAX_VALUE]))   # an indented header, not a continuation
            else:
                name, before = pairs[-1]
                pairs[-1] = (name, f"{before} {folded}"[:MAX_VALUE])
            continue
        name, colon, value = line.partition(":")
        if colon and _TOKEN.fullmatch(name.strip()):
            pairs.append((name.strip().lower(), value.strip()[:MAX_VALUE]))
        if len(pairs) >= MAX_HEADERS:
            break
    return tuple(pairs)


def _split(data: bytes) -> tuple[bytes, bytes, bool]:
    """Head, rest, and whether the head had come to its end."""
    end = _HEAD_END.search(data, 0, MAX_HEAD + 4)
    if end is None:
        return data[:MAX_HEAD], b"", False
    return data[:end.start()], data[end.end():], True


def read(data: bytes, *protocols: str) -> Response | Refusal:
    """One whole reply of one of these protocols (``HTTP``, ``RTSP``); interim 1xx replies before it are skipped."""
    for _ in range(MAX_INTERIM):
        head, rest, ended = _split(data.lstrip(b"\r\n"))
        status_line, _sep, header_text = head.decode("latin-1").replace("\r\n", "\n").partition("\n")
        match = _STATUS.match(status_line.strip())
        if match is None or (protocols and match[1] not in protocols):
            return Refusal("malformed", f"no {'/'.join(protocols) or 'status'} line")
        status = int(match[3])
        if 100 <= status < 200 and ended and rest.strip():
            data = rest
            continue
        headers = read_headers(header_text)
        body, complete = _body(status, headers, rest)
        return Response(match[1], match[2] or "", status, clean(match[4] or ""), headers, body, complete and ended)
    return Refusal("malformed", "only interim replies")


def _length(headers: tuple[tuple[str, str], ...]) -> int | None:
    """Content-Length, or None where it is absent or no number; of several the smallest is believed."""
    lengths = [int(value) for name, value in headers
               if name == "content-length" and value.isascii() and value.isdigit() and len(value) <= 12]
    return min(lengths) if lengths else None


def _body(status: int, headers: tuple[tuple[str, str], ...], rest: bytes) -> tuple[bytes, bool]:
    """The body, and whether all of it is here."""
    named = dict(headers)
    if status in (204, 304):
        return b"", True
    if "chunked" in named.get("transfer-encoding", "").lower():
        body, complete = _chunks(rest)
    else:
        length = _length(headers)
        body = rest[:MAX_BODY if length is None else min(length, MAX_BODY)]
        complete = length is None or len(body) == length
    if named.get("content-encoding", "").lower() in ("gzip", "x-gzip", "deflate"):
        inflated = _inflate(body)
        return (body, False) if inflated is None else (inflated, complete)
    return body, complete


def _chunks(rest: bytes) -> tuple[bytes, bool]:
    """RFC 9112 section 7.1: what the chunks hold, and whether the last one came."""
    out = bytearray()
    at = 0
    while len(out) <= MAX_BODY:
        line_end = rest.find(b"\n", at, at + 256)
        digits = rest[at:max(line_end, 0)].split(b";")[0].strip()
        if line_end < 0 or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
            break
        size, at = int(digits, 16), line_end + 1
        if size == 0:
            return bytes(out), True
        out += rest[at:at + size]
        at += size
        if at > len(rest):
            break
        at += 2 if rest[at:at + 2] == b"\r\n" else 1
    return bytes(out[:MAX_BODY]), False


def _inflate(body: bytes) -> bytes | None:
    """One layer of gzip or zlib, never more than `MAX_BODY` bytes out; None where it is neither."""
    for window in (47, -15):
        try:
            return zlib.decompressobj(window).decompress(body, MAX_BODY)
        except zlib.error:
            continue
    return None
