"""TCP to one pinned address: connect, send, read up to a cap, within a deadline that the caller holds.

The address is always the one that was scanned. No name is resolved here, no proxy is used, no redirect is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, deadline
from scanner.transport.sent import Kind, note

__all__ = ["Stream", "banner", "connect", "open_stream"]

_CHUNK = 65_536


@dataclass(slots=True)
class Stream:
    """An open connection. `close` it; `read_some` returns nothing at the end of the stream."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self.writer.write(data)
        await self.writer.drain()

    async def read_some(self, most: int = _CHUNK) -> bytes:
        """What has arrived, at most `most` bytes; empty at the end."""
        return await self.reader.read(min(most, _CHUNK))

    @property
    def usable(self) -> bool:
        """Whether the other side has not closed it yet, as far as is known without asking."""
        return not self.writer.is_closing() and not self.reader.at_eof()

    async def close(self) -> None:
        """Drop the connection without waiting for the device to agree."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self.writer.wait_closed()


async def open_stream(address: str, port: int, context: ssl.SSLContext | None = None) -> Stream:
    """Connect, with TLS where a context is given. Raises `OSError`; call it under `deadline`."""
    # A server name is never sent: the address is what was authorised, and a name could select another tenant.
    note(Kind.CONNECTION)
    reader, writer = await asyncio.open_connection(address, port, ssl=context, limit=_CHUNK,
                                                   server_hostname="" if context else None)
    return Stream(reader, writer)


async def connect(address: str, port: int, seconds: float) -> None:
    """Open and close one connection. Raises `ExchangeError`: refused (closed) or timeout (filtered)."""
    async with deadline(seconds, f"connect to {port}/tcp"):
        stream = await open_stream(address, port)
    await stream.close()


async def banner(address: str, port: int, seconds: float, *, listen: float, most: int = 512) -> bytes:
    """Connect and return what the device says first within `listen` seconds, without sending anything.

    Raises:
        ExchangeError: when the port does not open within `seconds`.
    """
    async with deadline(seconds, f"connect to {port}/tcp"):
        stream = await open_stream(address, port)
    heard = b""
    try:
        async with deadline(listen, f"banner of {port}/tcp"):
            # One read: a banner is one write of the device, and waiting for more holds its only login slot.
            heard = await stream.read_some(most)
    except ExchangeError as error:
        if error.reason not in (Reason.TIMEOUT, Reason.RESET):
            raise
    finally:
        await stream.close()
    return heard
