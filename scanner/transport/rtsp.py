"""RTSP/1.0 OPTIONS and DESCRIBE (RFC 2326) over TCP to one pinned address: nothing is set up, nothing is played.

``Content-Base`` and ``a=control`` may point elsewhere or carry a password: they are evidence, never followed.
"""

from __future__ import annotations

from scanner.transport.conversation import Conversation
from scanner.transport.exchange import PortMap
from scanner.transport.http import Headers, authority, request_target
from scanner.transport.response import Protocol, Response
from scanner.wire import rtsp

__all__ = ["RtspClient"]


class RtspClient:
    """The RTSP conversation with one port of one device, on one connection where the device keeps it open."""

    def __init__(self, address: str, port: int, port_map: PortMap, seconds: float, *, agent: str = "camvet") -> None:
        self._address = address
        self._port = port
        self._conversation = Conversation(address, port_map, seconds)
        self._agent = agent
        self._sequence = 0

    def uri(self, path: str) -> str:
        """The request URI of `path` on this device; no credentials, no foreign host."""
        return f"rtsp://{authority(self._address, self._port, ())}{request_target(path)}"

    async def request(self, method: str, path: str, headers: Headers = ()) -> Response:
        """One exchange: ``OPTIONS`` or ``DESCRIBE`` of `path`. Raises `ExchangeError`."""
        self._sequence += 1
        lines = {"User-Agent": self._agent, **({"Accept": "application/sdp"} if method == "DESCRIBE" else {})}
        message = rtsp.request(method, self.uri(path), self._sequence, {**lines, **dict(headers)})
        return await self._conversation.exchange(message, Protocol.RTSP, method, self._port)

    async def close(self) -> None:
        """Drop the open connection, if any."""
        await self._conversation.close()
