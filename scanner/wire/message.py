"""Start line, headers and body: the shape that HTTP, RTSP, SSDP and SIP share (RFC 9112, RFC 2326 section 4).

Read leniently, since firmware folds header lines, forgets reason phrases and lies about lengths; every count is capped.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field

from scanner.observation import Refusal
from scanner.wire.text import clean

__all__ = ["MAX_BODY", "MAX_HEAD", "Response", "build", "is_complete", "read", "read_headers"]

MAX_HEAD = 32_768
MAX_HEADERS = 100
MAX_BODY = 1 << 20
MAX_VALUE = 4_096

_STATUS = re.compile(r"([A-Z]{2,8})(?:/(\d{1,2}\.\d{1,2}))?[ \t]+(\d{3})(?!\d)(?:[ \t]+(.{0,256}))?")
_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Response:
    """One reply: protocol, status, reason, headers in order (names in lower case) and the body, chunks joined.

    ``complete`` is false where less came than was announced; ``trailing`` is how many bytes came after the body.
    """

    protocol: str
    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    complete: bool = True
    trailing: int = 0

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
    for line in re.split(r"\r\n|\n|\r", text):
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
    for _ in range(5):
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
        body, complete, used = _body(status, headers, rest)
        return Response(match[1], match[2] or "", status, clean(match[4] or ""), headers, body, complete and ended,
                        max(0, len(rest) - used))
    return Refusal("malformed", "only interim replies")


def is_complete(data: bytes, *, expects_body: bool = True) -> bool:
    """Whether a whole reply has arrived; false also where only the peer's close will tell.

    ``expects_body=False`` is for HEAD and for RTSP, where no Content-Length means no body.
    """
    head, rest, ended = _split(data.lstrip(b"\r\n"))
    if not ended:
        return False
    lines = head.decode("latin-1")
    match = _STATUS.match(lines.strip())
    status = int(match[3]) if match else 0
    if 100 <= status < 200 and status != 101:
        return bool(rest) and is_complete(rest[-MAX_BODY - MAX_HEAD:], expects_body=expects_body)
    headers = read_headers(lines.replace("\r\n", "\n").partition("\n")[2])
    named = dict(headers)
    if status in (204, 304):
        return True
    if "chunked" in named.get("transfer-encoding", "").lower():
        return _chunks(rest)[1]
    length = _length(headers)
    if length is None:
        return not expects_body
    return len(rest) >= min(length, MAX_BODY)


def _length(headers: tuple[tuple[str, str], ...]) -> int | None:
    """Content-Length, or None where it is absent or no number; of several the smallest is believed."""
    lengths = [int(value) for name, value in headers
               if name == "content-length" and value.isascii() and value.isdigit() and len(value) <= 12]
    return min(lengths) if lengths else None


def _body(status: int, headers: tuple[tuple[str, str], ...], rest: bytes) -> tuple[bytes, bool, int]:
    """Body, whether it is complete, and how many bytes of `rest` it took."""
    named = dict(headers)
    if status in (204, 304):
        return b"", True, 0
    if "chunked" in named.get("transfer-encoding", "").lower():
        body, complete, used = _chunks(rest)
    else:
        length = _length(headers)
        used = len(rest) if length is None else min(length, len(rest))
        complete = length is None or (length <= len(rest) and length <= MAX_BODY)
        body = rest[:min(used, MAX_BODY)]
    coding = named.get("content-encoding", "").lower()
    if coding in ("gzip", "x-gzip", "deflate"):
        inflated = _inflate(body)
        return (inflated, complete, used) if inflated is not None else (body, False, used)
    return body, complete, used


def _chunks(rest: bytes) -> tuple[bytes, bool, int]:
    """RFC 9112 section 7.1: what the chunks hold, whether the last one came, and how many bytes were used."""
    out = bytearray()
    at = 0
    while len(out) <= MAX_BODY:
        line_end = rest.find(b"\n", at, at + 256)
        if line_end < 0:
            return bytes(out[:MAX_BODY]), False, len(rest)
        digits = rest[at:line_end].split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
            return bytes(out[:MAX_BODY]), False, len(rest)
        size = int(digits, 16)
        at = line_end + 1
        if size == 0:
            return bytes(out[:MAX_BODY]), True, len(rest)
        out += rest[at:at + size]
        if at + size > len(rest):
            return bytes(out[:MAX_BODY]), False, len(rest)
        at += size
        at += 2 if rest[at:at + 2] == b"\r\n" else 1
    return bytes(out[:MAX_BODY]), False, at


def _inflate(body: bytes) -> bytes | None:
    """One layer of gzip or zlib, never more than `MAX_BODY` bytes out; None where it is neither."""
    for window in (47, -15):
        try:
            return zlib.decompressobj(window).decompress(body, MAX_BODY)
        except zlib.error:
            continue
    return None
