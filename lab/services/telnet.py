"""Ports that speak first or not at all: a telnet prompt, or a private protocol that waits for its own client."""

from __future__ import annotations

import asyncio

__all__ = ["hold"]

HOLD_SECONDS = 60.0
READ_SIZE = 4096


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, banner: bytes = b"") -> None:
    """Send `banner`, then listen without a word until the peer leaves or a minute passes."""
    writer.write(banner)
    await writer.drain()
    async with asyncio.timeout(HOLD_SECONDS):
        while await reader.read(READ_SIZE):
            pass
