"""The datagram side of a simulated device: one socket a protocol, each answering with `lab.datagrams.answer`.

On loopback a socket is bound to the device's own address and sees unicast only. With an interface it is bound to any
address, joins the protocol's multicast groups there, and so hears multicast and broadcast like a real device. Thermal
Dahua units are known to be deaf to multicast: the option ``dhip_unicast_only`` binds that port to the address alone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import cast

from lab import datagrams
from lab.datagrams import dhip, wsd
from lab.hearing import Listening
from lab.persona import Persona

__all__ = ["DatagramDevice", "serve_datagrams"]

IP_MULTICAST_ALL = 49          # linux/in.h: with 0, only groups joined on this very socket are heard


class DatagramDevice:
    """The running UDP sockets of one device. `close` ends them; closing twice is harmless."""

    def __init__(self, transports: Iterable[asyncio.DatagramTransport]) -> None:
        self._transports = list(transports)

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports this device answers on, ascending."""
        return tuple(sorted(t.get_extra_info("sockname")[1] for t in self._transports))

    def close(self) -> None:
        """Close every socket."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()


class _Responder(asyncio.DatagramProtocol):
    """Answers each datagram at once; the answer itself is pure, so a hostile datagram cannot change the device."""

    def __init__(self, persona: Persona, port: int, address: str, ear: Listening | None, *, multicast: bool) -> None:
        self._ear = ear
        self._persona, self._port, self._address = persona, port, address
        self._group = datagrams.REPLY_GROUPS.get(port) if multicast else None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)   # its class says so only from Python 3.12 on

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is None or addr[0] == self._address:
            return
        if self._ear is not None:
            self._ear("udp", self._port)(data)
        fixed = datagrams.reply_port(self._port)
        for reply in datagrams.answer(self._persona, self._port, data, self._address):
            self._transport.sendto(reply, (addr[0], fixed or addr[1]))
            if self._group is not None and addr[1] == self._port:
                self._transport.sendto(reply, (self._group, self._port))


def _socket(address: str, port: int, groups: tuple[str, ...]) -> socket.socket:
    """A bound UDP socket; with groups it is bound to any address and joined on the interface that has `address`."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        # A scanner on the same machine binds some of these ports too (SADP, Xiongmai), on another address.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(("" if groups else address, port))
        if groups:
            own = socket.inet_aton(address)
            sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            for group in groups:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                struct.pack("4s4s", socket.inet_aton(group), own))
    except OSError:
        sock.close()
        raise
    return sock


def _groups(persona: Persona, port: int, interface: str | None) -> tuple[str, ...]:
    if interface is None or (port == dhip.PORT and persona.options.get("dhip_unicast_only") == "yes"):
        return ()
    # Broadcast protocols need the socket bound to any address as well; the all-hosts group is always joined anyway.
    return datagrams.GROUPS.get(port, ("224.0.0.1",))


async def serve_datagrams(persona: Persona, address: str, interface: str | None = None,
                          ear: Listening | None = None) -> DatagramDevice:
    """Start the UDP protocols of one device at `address`.

    With `interface` (the name of the link that has the address) the device hears multicast and broadcast, and says
    Hello once if it speaks WS-Discovery. Raises `OSError` where a port cannot be bound; nothing stays open then.
    """
    transports: list[asyncio.DatagramTransport] = []
    try:
        silent = {int(port): "" for port in persona.options.get("open_udp", "").split()}
        for port, protocol in {**silent, **datagrams.PORTS}.items():
            if protocol not in persona.protocols and port not in silent:
                continue
            transport = await _open(persona, address, port, interface, ear)
            transports.append(transport)
            if interface is not None and protocol == "wsd":
                transport.sendto(wsd.hello(persona, address), (wsd.GROUP, wsd.PORT))
    except OSError:
        DatagramDevice(transports).close()
        raise
    return DatagramDevice(transports)


async def _open(persona: Persona, address: str, port: int, interface: str | None,
                ear: Listening | None) -> asyncio.DatagramTransport:
    responder = _Responder(persona, port, address, ear, multicast=interface is not None)
    bound = int(persona.options.get(f"udp_{port}", port))        # where the lab serves a port that needs a privilege
    sock = _socket(address, bound, _groups(persona, port, interface))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: responder, sock=sock)
    return transport
