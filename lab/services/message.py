"""Requests and replies in the framing that HTTP/1.1 (RFC 9112) and RTSP 1.0 (RFC 2326) share.

The lab meets scanners under test and fuzzers: what is too long or malformed ends the connection instead of the server.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote

__all__ = ["MAX_BODY", "Reply", "Request", "encode", "read_request"]

MAX_HEADER_LINES = 100
MAX_BODY = 256 * 1024

REASONS = {
    200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 454: "Session Not Found", 455: "Method Not Valid in This State",
    461: "Unsupported Transport", 500: "Internal Server Error", 501: "Not Implemented",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: header names keep their spelling, the target is not decoded."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target's path, decoded, without query; an absolute URI loses its scheme and host."""
        address = self.target.partition("?")[0]
        if "://" in address:
            address = "/" + address.partition("://")[2].partition("/")[2]
        return unquote(address) or "/"

    @property
    def query(self) -> str:
        """What follows the first question mark, as sent."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """The first header of that name whatever its case, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a device sends back; ``Content-Length`` is added where there is a body or HTTP wants one."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


async def read_request(reader: asyncio.StreamReader, begun: bytes = b"") -> Request | None:
    """The next request, or None where the peer closed, stalled in mid-message or sent what is no request.

    `begun` is what was already read of it.
    """
    try:
        first = begun if begun == b"\n" else begun + await reader.readline()
        while first in (b"\r\n", b"\n"):          # RFC 9112 §2.2: a server may skip empty lines before the request
            first = await reader.readline()
        words = first.decode("latin-1").split()
        headers = await _read_headers(reader)
        if len(words) != 3 or headers is None:
            return None
        length = next((value for key, value in headers if key.lower() == "content-length"), "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
            return None
        body = await reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):     # ValueError: a line longer than the limit
        return None
    return Request(words[0], words[1], words[2], tuple(headers), body)


async def _read_headers(reader: asyncio.StreamReader) -> list[tuple[str, str]] | None:
    headers: list[tuple[str, str]] = []
    for _ in range(MAX_HEADER_LINES):
        line = (await reader.readline()).decode("latin-1")
        if line in ("\r\n", "\n"):
            return headers
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers.append((name.strip(), value.strip()))
    return None


def encode(version: str, reply: Reply, *, with_body: bool = True) -> bytes:
    """A reply in wire form. Where `with_body` is false (HEAD) the length is told and the body left out."""
    lines = [f"{version} {reply.status} {REASONS.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if reply.content_type:
        lines.append(f"Content-Type: {reply.content_type}")
    if reply.body or version.startswith("HTTP"):
        lines.append(f"Content-Length: {len(reply.body)}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return head + (reply.body if with_body else b"")
