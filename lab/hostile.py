"""Devices that mean harm, for tests: each breaks one thing a careless client would trust.

A `HostileHost` listens on loopback ports, behaves as its `Behaviour` says on each of them, and keeps count of what was
done to it. Where a behaviour points elsewhere, it points at a trap: a port of its own that should never be visited.
What a port speaks follows from its own number: 554 is RTSP, every other TCP port HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from lab import payloads
from lab.payloads import BODY_BYTES, ECHOED_PASSWORD, ECHOED_USER, JSON, XML, Behaviour

__all__ = ["ECHOED_PASSWORD", "ECHOED_USER", "Behaviour", "HostileHost", "hostile", "serve_hostile"]

CHUNK = b"\0" * 65_536
SILENCE_SECONDS = 3600.0
LARGEST_DATAGRAM = 65_507
RTSP_PORT, WSD_PORT, SADP_PORT, DHIP_PORT = 554, 3702, 37020, 37810
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class HostileHost:
    """A running hostile device.

    Attributes:
        address: where it listens.
        behaviour: what it does.
        ports: a TCP port's own number to the one that is bound.
        udp_ports: the UDP ports it answers on.
        connections: TCP connections taken, by own port number, in order.
        datagrams: datagrams heard, as own port number and bytes.
        requests: the first bytes each TCP client sent.
        trap_port: the port nobody should ever visit.
        visits: what visitors of the trap sent; empty is good.
        sent: bytes handed to the network on all TCP connections.
    """

    address: str
    behaviour: Behaviour
    ports: dict[int, int] = field(default_factory=dict)
    udp_ports: tuple[int, ...] = ()
    connections: list[int] = field(default_factory=list)
    datagrams: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    trap_port: int = 0
    visits: list[bytes] = field(default_factory=list)
    sent: int = 0
    _servers: list[asyncio.Server] = field(default_factory=list, repr=False)
    _transports: list[asyncio.DatagramTransport] = field(default_factory=list, repr=False)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)

    @property
    def trap(self) -> str:
        """The trap as host and port, the way it is written into what this host hands out."""
        return f"{self.address}:{self.trap_port}"

    def close(self) -> None:
        """Stop listening and cut every connection; closing twice is harmless."""
        for server in self._servers:
            server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for transport in self._transports:
            transport.close()
        self._servers.clear()
        self._transports.clear()


async def serve_hostile(behaviour: Behaviour, address: str, port_map: Mapping[int, int],
                        udp_ports: Iterable[int] = (), *, pace_s: float = 1.0) -> HostileHost:
    """Start one hostile device.

    Args:
        behaviour: what it does on every port.
        address: a loopback address; each test takes one of its own.
        port_map: TCP ports by their own number, with the port to bind; 0 takes any free one, see `HostileHost.ports`.
        udp_ports: UDP ports to answer on, as they are.
        pace_s: seconds between two bytes or header lines of the slow behaviours.

    Raises:
        OSError: a port cannot be bound; nothing stays open then.
        ValueError: the address is not loopback.
    """
    if not address.startswith("127."):
        raise ValueError(f"{address} is not a loopback address")
    host = HostileHost(address, behaviour, udp_ports=tuple(udp_ports))
    try:
        host.trap_port = await _listen(host, 0, partial(_spring, host))
        for own, bound in port_map.items():
            host.ports[own] = await _listen(host, bound, partial(_serve, host, own, pace_s))
        for port in host.udp_ports:
            await _answer_datagrams(host, port)
    except OSError:
        host.close()
        raise
    return host


@contextlib.contextmanager
def hostile(behaviour: Behaviour, address: str, port_map: Mapping[int, int], udp_ports: Iterable[int] = (), *,
            pace_s: float = 1.0) -> Iterator[HostileHost]:
    """`serve_hostile` in a thread of its own, for tests that are not asynchronous."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"hostile-{behaviour}", daemon=True)
    thread.start()
    try:
        starting = serve_hostile(behaviour, address, port_map, udp_ports, pace_s=pace_s)
        host = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
        try:
            yield host
        finally:
            asyncio.run_coroutine_threadsafe(_end(host), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(host: HostileHost) -> None:
    host.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


# -- TCP ------------------------------------------------------------------------------------------------------------

async def _listen(host: HostileHost, port: int, handler: Handler) -> int:
    server = await asyncio.start_server(handler, host.address, port)
    host._servers.append(server)
    bound: int = server.sockets[0].getsockname()[1]
    return bound


async def _spring(host: HostileHost, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The trap: note the visit, answer something plausible, so that a visitor betrays all it would do."""
    visit = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(1.0):
            visit = await reader.read(4096)
    host.visits.append(visit)
    with contextlib.suppress(ConnectionError):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ntrapped")
        await writer.drain()
    writer.close()


async def _serve(host: HostileHost, own: int, pace_s: float, reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter) -> None:
    host.connections.append(own)
    host._writers.add(writer)
    # A client that hangs up has done the right thing: that is the end of the story, not an error.
    try:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if host.behaviour in (Behaviour.GARBAGE, Behaviour.SILENT):     # whatever is spoken to them, TLS as well
                request = await reader.read(4096)
            else:
                request = await reader.readuntil(b"\r\n\r\n")
            host.requests.append(request)
            await _misbehave(host, own, request, pace_s, writer)
    finally:
        host._writers.discard(writer)
        writer.close()


async def _misbehave(host: HostileHost, own: int, request: bytes, pace_s: float, writer: asyncio.StreamWriter) -> None:
    protocol = "RTSP/1.0" if own == RTSP_PORT else "HTTP/1.1"
    head = f"{protocol} 200 OK\r\nCSeq: {_cseq(request)}\r\n"
    match host.behaviour:
        case Behaviour.SILENT:
            await asyncio.sleep(SILENCE_SECONDS)
        case Behaviour.DRIP:
            body = "<html><title>drip</title></html>" * 100
            for byte in f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode():
                await _send(host, writer, bytes([byte]))
                await asyncio.sleep(pace_s)
        case Behaviour.ENDLESS_HEADERS:
            await _send(host, writer, head.encode())
            while True:
                await _send(host, writer, b"X-More: and more\r\n" * 64)
        case Behaviour.ENDLESS_LINE:
            await _send(host, writer, head.encode() + b"Server: ")
            while True:
                await _send(host, writer, b"A" * 65_536)
        case Behaviour.FLOOD:
            await _send(host, writer, f"{head}Content-Length: {BODY_BYTES}\r\n\r\n".encode())
            for _ in range(BODY_BYTES // len(CHUNK)):
                await _send(host, writer, CHUNK)
            await _send(host, writer, CHUNK[:BODY_BYTES % len(CHUNK)])
        case Behaviour.CLOSE_MID_REPLY:
            await _send(host, writer, f"{head}Content-Length: 1000\r\n\r\n<html>".encode())
            _reset(writer)
        case _:
            await _send(host, writer, _reply(host, own, request, head))


async def _send(host: HostileHost, writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    host.sent += len(data)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End with a reset, so that the client sees a broken connection and not an orderly end."""
    sock = cast(socket.socket, writer.get_extra_info("socket"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cseq(request: bytes) -> str:
    for line in request.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "cseq":
            return value.strip()
    return "1"


def _reply(host: HostileHost, own: int, request: bytes, head: str) -> bytes:
    """A whole reply of the behaviours that send one."""
    behaviour = host.behaviour
    if behaviour is Behaviour.GARBAGE:
        return payloads.garbage(4096)
    if behaviour is Behaviour.REDIRECT:
        scheme = "rtsp" if own == RTSP_PORT else "http"
        return (head.replace("200 OK", "302 Found", 1)
                + f"Location: {scheme}://{host.trap}/elsewhere\r\nContent-Length: 0\r\n\r\n").encode()
    if behaviour is Behaviour.RTSP_ECHO:
        return payloads.echo(host.address, request, head)
    if behaviour is Behaviour.GZIP_BOMB:
        body, kind, extra = payloads.bomb(), "text/html", "Content-Encoding: gzip\r\n"
    elif behaviour in XML:
        inner = payloads.device_information(behaviour)
        body, kind, extra = payloads.document(behaviour, host.trap, inner), "application/soap+xml", ""
    else:
        body, kind, extra = payloads.json_frame(behaviour), "application/octet-stream", ""
    return f"{head}Content-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


# -- UDP ------------------------------------------------------------------------------------------------------------

class _Ear(asyncio.DatagramProtocol):
    """Answers every datagram with the worst this behaviour has for that port."""

    def __init__(self, host: HostileHost, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._host.datagrams.append((self._port, data))
        reply = _datagram(self._host, self._port, data)
        if reply and self._transport is not None:
            self._transport.sendto(reply, addr)


async def _answer_datagrams(host: HostileHost, port: int) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)      # a scanner may bind this port elsewhere
    try:
        sock.bind((host.address, port))
    except OSError:
        sock.close()
        raise
    ear = _Ear(host, port)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: ear, sock=sock)
    host._transports.append(transport)


def _datagram(host: HostileHost, port: int, data: bytes) -> bytes:
    behaviour = host.behaviour
    if behaviour is Behaviour.GARBAGE:
        return payloads.garbage(1400)
    if behaviour is Behaviour.FLOOD:
        return b"A" * LARGEST_DATAGRAM
    if behaviour in JSON and port == DHIP_PORT:
        return payloads.json_frame(behaviour)
    if behaviour is Behaviour.REDIRECT and port == WSD_PORT:
        elsewhere = f"http://{host.trap}/onvif/device_service"
        return payloads.document(behaviour, host.trap, payloads.probe_match(data, elsewhere, "Elsewhere"))
    if behaviour in XML:
        name = "Da<!-- -->hua" if behaviour is Behaviour.XML_SPLIT_VENDOR else "Odd"
        inner = (payloads.sadp_match(name) if port == SADP_PORT
                 else payloads.probe_match(data, f"http://{host.address}/onvif/device_service", name))
        return payloads.document(behaviour, host.trap, inner)[:LARGEST_DATAGRAM]
    return b""
