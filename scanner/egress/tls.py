"""The server name that a TLS ClientHello asks for (RFC 8446 section 4.1.2, RFC 6066 section 3).

The hello may be spread over several records and, in the stream that is handed in, over several segments. All of it is
pure and capped; octets that make no sense are an answer, never an exception.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from scanner.egress.names import is_host

__all__ = ["MAX_HELLO", "NOTHING", "Reading", "hello_name", "server_name"]

MAX_HELLO = 16_384
"""Octets of a ClientHello; with post-quantum keys and tickets real ones stay below a quarter of it."""
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_EXTENSION = struct.Struct(">HH").unpack_from


@dataclass(frozen=True, slots=True)
class Reading:
    """What the octets so far say: a `name`, or that `more` octets could still bring one, or neither."""

    name: str | None = None
    more: bool = False


NOTHING = Reading()
_MORE = Reading(more=True)


def server_name(stream: bytes) -> Reading:
    """Read the first octets of a TCP stream as TLS records with a ClientHello in them."""
    if not stream:
        return _MORE
    if stream[0] != _HANDSHAKE:                    # as most streams that are no TLS begin
        return NOTHING
    message, at = b"", 0
    while at < len(stream):
        head = stream[at:at + 5]
        if head[0] != _HANDSHAKE or (len(head) > 1 and head[1] != 3):
            return NOTHING
        if len(head) < 5:
            return _MORE
        size = head[3] << 8 | head[4]
        if size == 0:
            return NOTHING
        message += stream[at + 5:at + 5 + size]
        at += 5 + size
        if message and message[0] != _CLIENT_HELLO:
            return NOTHING
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            break
    return hello_name(message)


def hello_name(message: bytes, *, cookie: bool = False) -> Reading:
    """Read a handshake message, or what there is of its beginning, as a ClientHello.

    With `cookie` it is that of DTLS, which has one more field (RFC 6347 section 4.2.1).
    """
    if message[:1] != bytes([_CLIENT_HELLO]):
        return NOTHING if message else _MORE
    if len(message) < 4:
        return _MORE
    size = int.from_bytes(message[1:4], "big")
    if size > MAX_HELLO or size < 38:
        return NOTHING
    body, more = message[4:4 + size], len(message) < 4 + size
    offset = 34                                    # version and 32 random octets
    widths = (1, 1, 2, 1) if cookie else (1, 2, 1)  # session id, cookie, cipher suites, compression methods
    rest = _MORE if more else NOTHING
    for width in widths:
        if offset + width > len(body):
            return rest
        offset += width + int.from_bytes(body[offset:offset + width], "big")
    if offset + 2 > len(body):
        return rest
    end = offset + 2 + int.from_bytes(body[offset:offset + 2], "big")
    offset += 2
    last, present = min(end, len(body)) - 4, len(body)
    while offset <= last:
        kind, length = _EXTENSION(body, offset)
        following = offset + 4 + length
        if following > present:
            return rest
        if kind == 0:
            return Reading(_host_name(body[offset + 4:following]))
        offset = following
    return _MORE if more and offset < end else NOTHING


def _host_name(extension: bytes) -> str | None:
    if len(extension) < 5 or extension[2] != 0:    # the one defined name type is host_name
        return None
    size = int.from_bytes(extension[3:5], "big")
    host = extension[5:5 + size]
    if len(host) < size:
        return None
    name = host.decode("ascii", "replace").lower().rstrip(".")
    return name if is_host(name) else None
