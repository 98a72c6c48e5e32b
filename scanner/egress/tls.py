"""The server name that a TLS ClientHello asks for (RFC 8446 section 4.1.2, RFC 6066 section 3).

The hello may be spread over several records and, in the stream that is handed in, over several segments. All of it is
pure and capped; octets that make no sense are an answer, never an exception.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from scanner.egress.names import is_host

__all__ = ["HANDSHAKE", "MAX_HELLO", "NOTHING", "Reading", "hello_name", "server_name"]

MAX_HELLO = 16_384
"""Octets of a ClientHello; with post-quantum keys and tickets real ones stay below a quarter of it."""
HANDSHAKE = 22
"""The type of a TLS record that carries handshake messages, its first octet."""
_CLIENT_HELLO = 1
_RECORD = struct.Struct(">BBxH").unpack_from       # type, major version, minor version, length
_WIDTHS, _COOKIE_WIDTHS = (1, 2, 1), (1, 1, 2, 1)  # of the lengths of session id, cookie, cipher suites, compressions
_EXTENSION = struct.Struct(">HH").unpack_from      # type, length


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
    if stream[0] != HANDSHAKE:                    # as most streams that are no TLS begin
        return NOTHING
    message, at, present = b"", 0, len(stream)
    while at < present:
        if at + 5 > present:                       # the beginning of a record's header
            could = stream[at] == HANDSHAKE and stream[at + 1:at + 2] in {b"", b"\x03"}
            return _MORE if could else NOTHING
        kind, major, size = _RECORD(stream, at)
        if kind != HANDSHAKE or major != 3 or size == 0:
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
    whole = len(message)
    if whole < 4:
        return _MORE if message[:1] in {b"", b"\x01"} else NOTHING
    if message[0] != _CLIENT_HELLO:
        return NOTHING
    size = message[1] << 16 | message[2] << 8 | message[3]
    if size > MAX_HELLO or size < 38:
        return NOTHING
    present = min(whole, 4 + size)
    rest = _MORE if whole < 4 + size else NOTHING
    at = 38                                        # behind type, length, version and 32 random octets
    for width in _COOKIE_WIDTHS if cookie else _WIDTHS:
        if at + width > present:
            return rest
        at += width + (message[at] if width == 1 else message[at] << 8 | message[at + 1])
    if at + 2 > present:
        return rest
    end = at + 2 + (message[at] << 8 | message[at + 1])
    at += 2
    last = min(end, present) - 4
    while at <= last:
        kind, length = _EXTENSION(message, at)
        following = at + 4 + length
        if following > present:
            return rest
        if kind == 0:
            return Reading(_host_name(message[at + 4:following]))
        at = following
    return rest if at < end else NOTHING


def _host_name(extension: bytes) -> str | None:
    if len(extension) < 5 or extension[2] != 0:    # the one defined name type is host_name
        return None
    size = int.from_bytes(extension[3:5], "big")
    host = extension[5:5 + size]
    if len(host) < size:
        return None
    name = host.decode("ascii", "replace").lower().rstrip(".")
    return name if is_host(name) else None
