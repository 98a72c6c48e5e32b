"""What the devices of a site heard: every byte of every connection, out of its TLS if it had one, every datagram.

Who claims to send nothing but questions can be held to it, byte by byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import SupportsIndex

__all__ = ["Ear", "Heard", "Hearing", "Listening"]


@dataclass(slots=True)
class Heard:
    """One connection or one datagram: at which device, on which port (its own number), what came."""

    device: str
    transport: str                 # tcp, tls (out of it) or udp; hello: how a TLS connection begins, as it came
    port: int
    data: bytearray = field(default_factory=bytearray)


Listening = Callable[[str, int], Callable[[bytes], None]]
"""Begins a `Heard` on a transport and port of one device; what it gives back takes the bytes as they come."""


class Hearing:
    """Everything that was heard on a site, in the order in which it began."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def of(self, device: str) -> Listening:
        """The ear of one device."""
        def begin(transport: str, port: int) -> Callable[[bytes], None]:
            one = Heard(device, transport, port)
            self.heard.append(one)
            return one.data.extend
        return begin


class Ear(asyncio.StreamReader):
    """A stream reader that tells what arrives before anybody reads it."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._hear = hear

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Take what arrived."""
        data = bytes(data)
        self._hear(data)
        super().feed_data(data)
