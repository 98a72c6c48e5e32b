"""HTTP/1.1 to one pinned address: no redirect is followed, no proxy used, nothing decompressed."""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence

from scanner.transport.conversation import Conversation
from scanner.transport.exchange import PortMap
from scanner.transport.response import Protocol, Response
from scanner.wire import http

__all__ = ["HttpClient", "authority", "request_target"]

_SAFE = re.compile("[!-~]*")

Headers = Sequence[tuple[str, str]]


class HttpClient:
    """The HTTP conversation with one device, over whatever of its ports; one connection is open at a time."""

    def __init__(self, address: str, port_map: PortMap, seconds: float, *, agent: str = "camvet") -> None:
        self._address = address
        self._conversation = Conversation(address, port_map, seconds)
        self._agent = agent

    async def request(self, method: str, port: int, path: str, *, headers: Headers = (), body: bytes = b"",
                      tls: ssl.SSLContext | None = None) -> Response:
        """One exchange with `port` (nominal), over TLS where a context is given. Raises `ExchangeError`."""
        lines = {"User-Agent": self._agent, "Connection": "keep-alive", **dict(headers)}
        message = http.request(method, request_target(path), authority(self._address, port, (80, 443)), lines, body)
        return await self._conversation.exchange(message, Protocol.HTTP, method, port, tls)

    async def close(self) -> None:
        """Drop the open connection, if any."""
        await self._conversation.close()


def authority(address: str, port: int, usual: Sequence[int]) -> str:
    """``10.0.0.1``, ``10.0.0.1:8080`` or ``[fe80::1]:8080``; the port is left out where it is the usual one."""
    host = f"[{address}]" if ":" in address else address
    return host if port in usual else f"{host}:{port}"


def request_target(path: str) -> str:
    """`path` as an origin-form request target: what a device or a data file wrote can add neither line nor host."""
    safe = path if _SAFE.fullmatch(path) else "".join(
        char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
        for char in path)
    return safe if safe.startswith("/") else f"/{safe}"
