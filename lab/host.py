"""One simulated device: all its TCP and UDP services at one address.

``python -m lab.host PERSONA ADDRESS`` runs it alone, as a device in a network namespace of its own does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.clips import Studio
from lab.hearing import Ear, Listening
from lab.persona import Persona
from lab.personas import persona as persona_named
from lab.services.families import firmware_of, look_of
from lab.services.family import Place
from lab.services.http import WebServer
from lab.services.rtsp import RtspServer
from lab.services.telnet import hold
from lab.services.tls import server_context
from lab.streams import Record, orders_of
from lab.udp import DatagramDevice, serve_datagrams

__all__ = ["Device", "main", "serve", "shifted_ports", "tcp_ports"]

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PRIVATE_PORTS = {"dhip": 37777, "sadp": 8000, "xiongmai": 34567, "mhed": 9008, "bosch": 1756}
"""The TCP port of a maker's private protocol, by the name of its discovery: open, and silent to strangers."""

BACKLOG = 64
ACCEPT_PAUSE_SECONDS = 0.05
RESET_ON_CLOSE = struct.pack("ii", 1, 0)            # struct linger: on, zero seconds
PRIVILEGED = 1024
PEEK = 4096


class Device:
    """A running device. `close` ends every socket at once; closing twice is harmless."""

    def __init__(self, ear: Listening | None = None) -> None:
        self._ear = ear
        self._listening: dict[socket.socket, asyncio.Task[None]] = {}
        self._connections: dict[asyncio.Task[None], socket.socket] = {}
        self._datagrams: DatagramDevice | None = None

    def listen(self, address: str, port: int, handler: Handler, context: ssl.SSLContext | None = None, *,
               number: int = 0) -> None:
        """Serve one TCP port, whose own number is `number` where that differs. Raises `OSError` where it is taken."""
        listening = socket.create_server((address, port), backlog=BACKLOG)
        listening.setblocking(False)
        self._listening[listening] = asyncio.create_task(self._accept(listening, handler, context, number or port))

    async def answer_datagrams(self, persona: Persona, address: str, interface: str | None) -> None:
        """Serve the persona's UDP protocols. Raises `OSError` where a port cannot be bound."""
        self._datagrams = await serve_datagrams(persona, address, interface, self._ear)

    # Connections are accepted here rather than by `asyncio.start_server`, whose connections are out of reach until
    # their TLS handshake is done: a device whose plug is pulled would keep them.
    async def _accept(self, listening: socket.socket, handler: Handler, context: ssl.SSLContext | None,
                      number: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:                # aborted by the peer, or no file descriptor left: neither ends the device
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            hear = self._ear("tls" if context else "tcp", number) if self._ear else None
            hello = self._ear("hello", number) if self._ear and context else None
            task = asyncio.create_task(_serve_connection(connection, handler, context, hear, hello))
            self._connections[task] = connection
            task.add_done_callback(self._connections.pop)

    async def close(self) -> None:
        """Stop listening and break open connections with a reset, as when the plug is pulled."""
        ended = [*self._listening.values(), *self._connections]
        for connection in self._connections.values():
            if connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        for task in ended:
            task.cancel()
        for listening in self._listening:
            listening.close()
        self._listening.clear()
        if self._datagrams is not None:
            self._datagrams.close()
        await asyncio.gather(*ended, return_exceptions=True)
        await asyncio.sleep(0)             # the turn in which the transports close their sockets


async def _serve_connection(connection: socket.socket, handler: Handler, context: ssl.SSLContext | None,
                            hear: Callable[[bytes], None] | None, hello: Callable[[bytes], None] | None) -> None:
    """One connection from its TLS handshake, where it has one, to its end; `hello` is told how that begins."""
    loop = asyncio.get_running_loop()
    if hello:
        try:
            hello(await _first_bytes(connection))
        except asyncio.CancelledError:
            connection.close()
            raise
    reader = Ear(hear) if hear else asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    # What a peer does to its own connection ends that connection and nothing else.
    with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await handler(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()


async def _first_bytes(connection: socket.socket) -> bytes:
    """What a peer sends first, left where it is for the handshake to read; nothing where it leaves without a word."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
        return connection.recv(PEEK, socket.MSG_PEEK)
    except ConnectionError:
        return b""
    finally:
        loop.remove_reader(connection)


def tcp_ports(persona: Persona) -> tuple[int, ...]:
    """The TCP ports the persona holds open, by their own numbers, ascending."""
    return tuple(sorted({*_web_ports(persona), *_silent_ports(persona), *_other_ports(persona)}))


def shifted_ports(persona: Persona, offset: int) -> dict[int, int]:
    """The persona's TCP ports with those below 1024 moved up by `offset`, which needs no privilege."""
    return {number: number + offset if number < PRIVILEGED else number for number in tcp_ports(persona)}


def _web_ports(persona: Persona) -> set[int]:
    if not persona.protocols & {"http", "onvif"}:
        return set()
    extra = {int(persona.options["onvif_port"])} if "onvif_port" in persona.options else set()
    return {80, *extra, *firmware_of(persona).web.ports, *look_of(persona).web.ports}


def _silent_ports(persona: Persona) -> set[int]:
    ports = {port for protocol, port in PRIVATE_PORTS.items() if protocol in persona.protocols}
    if "dhip" in persona.protocols and "dhip_port" in persona.options:
        ports = ports - {PRIVATE_PORTS["dhip"]} | {int(persona.options["dhip_port"])}
    return ports | {int(port) for port in persona.options.get("open_ports", "").split()}


def _other_ports(persona: Persona) -> set[int]:
    named = {"https": 443, "rtsp": 554, "telnet": 23}
    return {port for protocol, port in named.items() if protocol in persona.protocols}


async def serve(persona: Persona, address: str, port_map: Mapping[int, int] | None = None,
                interface: str | None = None, certificates: Path | None = None, studio: Studio | None = None,
                record: Record | None = None, ear: Listening | None = None) -> Device:
    """Start one device.

    Args:
        persona: who it is; only the protocols it lists are served.
        address: its IPv4 address, already configured on this host.
        port_map: a TCP port's own number to the one to bind, where they differ.
        interface: the link that has the address, for multicast and broadcast; None on loopback.
        certificates: where its TLS certificate is kept; None makes one for this run only.
        studio: where films come from; None draws them for this device alone and keeps nothing.
        record: how its stream is to behave, and where its visitors are noted; None begins a new one.
        ear: told every byte that arrives; None listens to nothing.

    Raises:
        OSError: a port cannot be bound; nothing stays open then.
    """
    place = Place(address, dict(port_map or {}), record or Record(orders_of(persona)))
    device = Device(ear)
    try:
        if web_ports := _web_ports(persona) | ({443} if "https" in persona.protocols else set()):
            web = WebServer(persona, place)
            for port in sorted(web_ports):
                context = _context(persona, certificates) if port == 443 else None
                device.listen(address, place.port(port), web.handle, context, number=port)
        if "rtsp" in persona.protocols:
            device.listen(address, place.port(554), RtspServer(persona, place, studio).handle, number=554)
        if "telnet" in persona.protocols:
            banner = firmware_of(persona).telnet
            device.listen(address, place.port(23), partial(hold, banner=banner), number=23)
        for port in sorted(_silent_ports(persona)):
            device.listen(address, place.port(port), hold, number=port)
        await device.answer_datagrams(persona, address, interface)
    except OSError:
        await device.close()
        raise
    return device


def _context(persona: Persona, certificates: Path | None) -> ssl.SSLContext:
    if certificates is not None:
        return server_context(persona, certificates)
    with TemporaryDirectory() as folder:
        return server_context(persona, Path(folder))


async def _run(arguments: argparse.Namespace) -> None:
    persona = persona_named(arguments.persona)
    device = await serve(persona, arguments.address, shifted_ports(persona, arguments.port_offset),
                         interface=arguments.interface, certificates=arguments.certificates,
                         studio=Studio(arguments.films))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await device.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Run one device until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m lab.host", description="Run one simulated device alone.")
    parser.add_argument("persona", help="a name from lab.personas")
    parser.add_argument("address", help="an IPv4 address of this host")
    parser.add_argument("--interface", help="the link that has the address, for multicast and broadcast")
    parser.add_argument("--port-offset", type=int, default=0, help="added to TCP ports below 1024")
    parser.add_argument("--certificates", type=Path, help="folder that keeps the TLS certificate")
    parser.add_argument("--films", type=Path, help="folder that keeps what its stream shows, once it was encoded")
    asyncio.run(_run(parser.parse_args(argv)))


if __name__ == "__main__":
    main()
