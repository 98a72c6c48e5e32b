"""A kept connection to one pinned address: send a request, frame the answer, reuse the connection where both may.

Every exchange has one total deadline that covers connecting, TLS, sending and reading.
"""

from __future__ import annotations

import ssl

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap, deadline
from scanner.transport.response import Protocol, Response, ResponseReader
from scanner.transport.sent import Kind, note
from scanner.transport.tcp import Stream, open_stream

__all__ = ["Conversation"]


class Conversation:
    """At most one open connection to one device, and the exchanges held on it."""

    def __init__(self, address: str, port_map: PortMap, seconds: float) -> None:
        self._address = address
        self._port_map = port_map
        self._seconds = seconds
        self._stream: Stream | None = None
        self._at: tuple[int, bool] | None = None
        self._reader: ResponseReader | None = None

    async def exchange(self, message: bytes, protocol: Protocol, method: str, port: int,
                       tls: ssl.SSLContext | None = None) -> Response:
        """Send `message` to `port` (nominal) and read one response; a status of any kind is an answer.

        Raises:
            ExchangeError: with the bytes that came, when the response is late, broken, too large or not `protocol`.
        """
        self._reader = None
        done = False
        try:
            async with deadline(self._seconds, f"{method} on {port}/tcp"):
                response = await self._on_any(message, protocol, method, port, tls)
            done = self._reader is not None and self._reader.reusable
        except ExchangeError as error:
            if self._reader and not error.partial:
                error.partial = bytes(self._reader.wire)
            raise
        finally:
            if not done:
                await self.close()
        return response

    async def close(self) -> None:
        """Drop the open connection, if any."""
        stream, self._stream, self._at = self._stream, None, None
        if stream:
            await stream.close()

    async def _on_any(self, message: bytes, protocol: Protocol, method: str, port: int,
                      tls: ssl.SSLContext | None) -> Response:
        """On the open connection; where the device had closed that one before a byte came, once on a new one."""
        at = (port, tls is not None)
        if self._stream and self._at == at and self._stream.usable:
            try:
                return await self._on(self._stream, message, protocol, method)
            except (ConnectionError, ExchangeError) as error:
                other = isinstance(error, ExchangeError) and error.reason is not Reason.RESET
                if other or (self._reader and self._reader.wire):
                    raise
        await self.close()
        self._stream = await open_stream(self._address, self._port_map.tcp.get(port, port), tls)
        self._at = at
        return await self._on(self._stream, message, protocol, method)

    async def _on(self, stream: Stream, message: bytes, protocol: Protocol, method: str) -> Response:
        self._reader = ResponseReader(stream, protocol, method)
        note(Kind.REQUEST)
        await stream.send(message)
        return await self._reader.read()
