"""Tiny servers that behave as badly as devices do. Each serves one loopback port for the length of a test."""

import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def tcp_server(handler, address="127.0.0.1", port=0, tls=None):
    """Serve `handler(reader, writer)`; yields the port and the list of what each connection sent first."""
    tasks = set()

    async def on_connect(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(on_connect, address, port, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(*parts, then_close=True, pause=0.0):
    """A handler that reads one request, then sends `parts`, `pause` seconds apart."""
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if not then_close:
            await asyncio.sleep(30)
    return handler


def floods(head, megabytes):
    """A handler that sends `head` and then as many megabytes as the peer takes; `sent` counts them."""
    async def handler(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        for _ in range(megabytes * 16):
            writer.write(b"A" * 65_536)
            await writer.drain()
            handler.sent += 65_536
    handler.sent = 0
    return handler
