"""Frames one HTTP or RTSP response from a hostile stream: head, body, and every byte as it came.

RFC 9112 sections 2 to 7 and RFC 2326 section 4.4, with the one leniency that real cameras need: bare line feeds.
Nothing is decompressed, so a compression bomb stays small. What the headers mean is `scanner.wire`'s trade.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from enum import StrEnum

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError
from scanner.transport.tcp import Stream

__all__ = ["MOST_BODY", "MOST_HEAD", "Protocol", "Response", "ResponseReader"]

MOST_HEAD = 32_768
MOST_BODY = 1_048_576
_MOST_WIRE = MOST_HEAD + 2 * MOST_BODY      # chunked coding of one-byte chunks could multiply what is sent
_MOST_INTERIM = 4                           # 1xx answers before the real one
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"(?:HTTP|RTSP)/\d\.\d ([1-9]\d\d)(?: |\r|\n|\Z)")


class Protocol(StrEnum):
    """Whose response it is: they differ in how a body without a length ends."""

    HTTP = "HTTP"
    RTSP = "RTSP"


@dataclass(frozen=True, slots=True)
class Response:
    """One framed response: the head as it came, the body with chunking undone, and all bytes as they came."""

    status: int
    head: bytes
    body: bytes
    wire: bytes

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in order."""
        wanted = name.lower()
        found = []
        for line in self.head.splitlines()[1:]:
            key, _, value = line.decode("latin-1").partition(":")
            if key.strip().lower() == wanted:
                found.append(value.strip())
        return tuple(found)


class ResponseReader:
    """Reads one response from a stream and knows afterwards whether the connection can be used again."""

    def __init__(self, stream: Stream, protocol: Protocol, method: str = "GET") -> None:
        self._stream = stream
        self._protocol = protocol
        self._method = method
        self._start = f"{protocol}/".encode()
        self._buffer = b""
        self.wire = bytearray()
        self.reusable = False

    async def read(self) -> Response:
        """The response. Raises `ExchangeError`, or `OSError` where not one byte came."""
        try:
            return await self._read()
        except (ConnectionError, ssl.SSLError) as error:
            if not self.wire:
                raise
            raise self._error(Reason.RESET, "the connection broke in mid-answer") from error

    def _error(self, reason: Reason, detail: str) -> ExchangeError:
        return ExchangeError(reason, detail, bytes(self.wire[:MOST_HEAD + MOST_BODY]))

    async def _read(self) -> Response:
        for _ in range(_MOST_INTERIM):
            head = await self._head()
            status = _status(head) if head.startswith(self._start) else None
            if status is None:
                raise self._error(Reason.MALFORMED, f"the answer is not {self._protocol}")
            if status >= 200:
                break
            self.wire = bytearray(self._buffer)     # an interim answer says nothing of the device
        else:
            raise self._error(Reason.MALFORMED, "only interim answers")
        body = await self._body(status, head)
        if self._buffer:
            self.reusable = False       # more than was framed: the next answer could be a smuggled one
        return Response(status, head, body, bytes(self.wire))

    async def _fill(self) -> bool:
        data = await self._stream.read_some()
        self.wire += data
        self._buffer += data
        if len(self.wire) > _MOST_WIRE:
            raise self._error(Reason.TOO_LARGE, f"more than {_MOST_WIRE} bytes")
        return bool(data)

    async def _head(self) -> bytes:
        while not (end := _HEAD_END.search(self._buffer)):
            begun = self._buffer[:len(self._start)]
            if not self._start.startswith(begun):
                raise self._error(Reason.MALFORMED, f"the answer is not {self._protocol}")
            if len(self._buffer) > MOST_HEAD:
                raise self._error(Reason.TOO_LARGE, f"headers of more than {MOST_HEAD} bytes")
            if not await self._fill():
                raise self._error(Reason.RESET, "closed in the middle of the headers" if self.wire
                                  else "closed without an answer")
        head, self._buffer = self._buffer[:end.start()], self._buffer[end.end():]
        return head

    async def _body(self, status: int, head: bytes) -> bytes:
        """The body; where it had an end of its own, the connection may be used again."""
        said = _named(head)
        length = said.get("content-length", "")
        if self._protocol is Protocol.RTSP:
            body = await self._sized(int(length[:12])) if _is_number(length) else b""
        elif self._method == "HEAD" or status in (204, 304):
            body = b""
        elif "chunked" in said.get("transfer-encoding", "").lower():
            body = await self._chunks()
        elif _is_number(length):
            body = await self._sized(int(length[:12]))
        else:
            return await self._rest()
        self.reusable = _keeps(head, said.get("connection", "").lower())
        return body

    async def _rest(self) -> bytes:
        """A body that ends with the connection."""
        while len(self._buffer) <= MOST_BODY:
            if not await self._fill():
                body, self._buffer = self._buffer, b""
                return body
        raise self._error(Reason.TOO_LARGE, f"more than {MOST_BODY} bytes")

    async def _sized(self, length: int) -> bytes:
        while len(self._buffer) < min(length, MOST_BODY + 1):
            if not await self._fill():
                raise self._error(Reason.RESET, f"closed after {len(self._buffer)} of {length} bytes")
        if length > MOST_BODY:
            raise self._error(Reason.TOO_LARGE, f"more than {MOST_BODY} bytes")
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    async def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            digits = (await self._line()).split(b";", 1)[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", digits):
                raise self._error(Reason.MALFORMED, "broken chunked coding")
            length = int(digits, 16)
            if length == 0:
                while await self._line():
                    pass
                return bytes(body)
            if len(body) + length > MOST_BODY:
                raise self._error(Reason.TOO_LARGE, f"more than {MOST_BODY} bytes")
            while len(self._buffer) < length + 2:
                if not await self._fill():
                    raise self._error(Reason.RESET, "closed inside a chunk")
            body += self._buffer[:length]
            self._buffer = self._buffer[length + 2:]

    async def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > 4096 or not await self._fill():
                raise self._error(Reason.MALFORMED, "broken chunked coding")
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line


def _status(head: bytes) -> int | None:
    found = _STATUS.match(head)
    return int(found[1]) if found else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _named(head: bytes) -> dict[str, str]:
    """The first value of every header, names in lower case."""
    named: dict[str, str] = {}
    for line in head.splitlines()[1:]:
        key, _, value = line.decode("latin-1").partition(":")
        named.setdefault(key.strip().lower(), value.strip())
    return named


def _keeps(head: bytes, connection: str) -> bool:
    """Whether the device keeps the connection (RFC 9112 section 9.3; RTSP keeps it unless it says otherwise)."""
    return "close" not in connection and (not head.startswith(b"HTTP/1.0") or "keep-alive" in connection)
