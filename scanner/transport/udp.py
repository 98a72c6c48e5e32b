"""Datagrams to one device, to one link, and on the fixed ports that some protocols answer to.

A unicast probe asks the kernel for ICMP errors, so a refusal is seen; its answer may come from any port of the device,
since some firmware answers from another than it was asked on. Answers are capped in size, number and time. A `Listener`
holds a bound reply port: what comes there is told apart by its sender.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.observation import Endpoint, Reason
from scanner.transport.addresses import Interface
from scanner.transport.exchange import ExchangeError, reason_of
from scanner.transport.sent import Kind, note

__all__ = ["MOST_ANSWERS", "Datagram", "Listener", "ask"]

MOST_BYTES = 65_535
MOST_ANSWERS = 16              # of one device to one probe: a flood ends here
_MOST_HELD = 4096              # on a listener, over all devices
_MOST_BYTES_HELD = 16 << 20
_AFTER_FIRST = 0.25            # seconds a device that answered may use to say more
_TTL = 1                       # multicast stays on the link: what is beyond it was not authorised by way of this link
_IP_RECVERR, _IPV6_RECVERR = 11, 25        # linux/in.h, linux/in6.h


@dataclass(frozen=True, slots=True)
class Datagram:
    """One datagram as it came, and from where."""

    data: bytes
    source: Endpoint


class _Inbox(asyncio.DatagramProtocol):
    """Collects datagrams up to a cap and counts the rest."""

    def __init__(self, most: int, most_bytes: int, only_from: str = "") -> None:
        self.held: list[Datagram] = []
        self.dropped = 0
        self.error: OSError | None = None
        self.stirred = asyncio.Event()
        self._only_from = only_from
        self._most = most
        self._room = most_bytes

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        if self._only_from and str(addr[0]).partition("%")[0] != self._only_from:
            return                                  # nobody else was asked on this socket
        if len(self.held) >= self._most or len(data) > self._room:
            self.dropped += 1
            return
        self._room -= len(data)
        self.held.append(Datagram(data, Endpoint(str(addr[0]), int(addr[1]))))
        self.stirred.set()

    def error_received(self, exc: Exception) -> None:
        self.error = self.error or (exc if isinstance(exc, OSError) else OSError(str(exc)))
        self.stirred.set()


async def ask(address: str, port: int, payloads: Sequence[bytes], *, listen: float, gap: float) -> list[Datagram]:
    """Send `payloads` in turn until one is answered; `port` is the actual port.

    Each payload but the last is given `gap` seconds before the next one goes out; after the last, and in total since
    the first, `listen` seconds. Once an answer came, only stragglers are waited for.

    Raises:
        ExchangeError: refused (an ICMP error came), unreachable, or no_answer.
    """
    loop = asyncio.get_running_loop()
    try:
        sock = _reporting_socket(address)
    except OSError as error:
        raise ExchangeError(reason_of(error), f"{port}/udp: {error.strerror}") from error
    transport, inbox = await loop.create_datagram_endpoint(
        lambda: _Inbox(MOST_ANSWERS, MOST_ANSWERS * MOST_BYTES, only_from=address), sock=sock)
    try:
        for number, payload in enumerate(payloads, 1):
            transport.sendto(payload, (address, port))
            note(Kind.DATAGRAM)
            if await _stirred(inbox, listen if number == len(payloads) else gap):
                break
        if inbox.held:
            await asyncio.sleep(min(_AFTER_FIRST, listen))
            return inbox.held
        if inbox.error:
            raise ExchangeError(reason_of(inbox.error), f"{port}/udp: {inbox.error.strerror}")
        raise ExchangeError(Reason.NO_ANSWER, f"{port}/udp: silent for {listen:g} s")
    finally:
        transport.close()


def _reporting_socket(address: str) -> socket.socket:
    """A socket of no fixed peer, whose reads still fail with the ICMP errors that its datagrams brought back."""
    six = ":" in address
    sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if six:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            sock.bind(("::", 0))
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            sock.bind(("", 0))
    except OSError:
        sock.close()
        raise
    return sock


async def _stirred(inbox: _Inbox, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await inbox.stirred.wait()
    except TimeoutError:
        return False
    return True


@dataclass(slots=True)
class Listener:
    """A socket on one local port of one link (or all), from which probes go out and on which answers are collected."""

    transport: asyncio.DatagramTransport
    inbox: _Inbox
    interface: Interface | None = None

    @classmethod
    async def open(cls, port: int = 0, *, interface: Interface | None = None, groups: Sequence[str] = (),
                   hears_all: bool = False) -> Listener:
        """Bind `port` (0: any) and join `groups` on `interface`; `hears_all`: also what is sent by broadcast.

        Raises:
            ExchangeError: when the port is taken or the link takes no multicast.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if interface:
                own = socket.inet_aton(interface.address)
                request = struct.pack("=4s4si", bytes(4), own, interface.index)       # struct ip_mreqn
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
                for group in groups:
                    member = struct.pack("=4s4si", socket.inet_aton(group), own, interface.index)
                    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
                    note(Kind.MEMBERSHIP)
            # A fixed port must hear what is sent to a group or to broadcast, so it cannot be bound to one address.
            own_only = interface and not port and not groups and not hears_all
            sock.bind((interface.address if interface and own_only else "", port))
            transport, inbox = await loop.create_datagram_endpoint(
                lambda: _Inbox(_MOST_HELD, _MOST_BYTES_HELD), sock=sock)
        except OSError as error:
            sock.close()
            where = f" on {interface.name}" if interface else ""
            raise ExchangeError(reason_of(error), f"{port}/udp{where}: {error.strerror}") from error
        return cls(transport, inbox, interface)

    @classmethod
    async def open6(cls, interface: Interface) -> Listener:
        """An IPv6 socket on any port whose multicast leaves by the link of `interface`, and no further than it.

        Raises:
            ExchangeError: where the link takes no IPv6.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            sock.bind(("::", 0))
            transport, inbox = await loop.create_datagram_endpoint(
                lambda: _Inbox(_MOST_HELD, _MOST_BYTES_HELD), sock=sock)
        except OSError as error:
            sock.close()
            raise ExchangeError(reason_of(error), f"IPv6 on {interface.name}: {error.strerror}") from error
        return cls(transport, inbox, interface)

    def send(self, data: bytes, address: str, port: int) -> None:
        """Send one datagram to `port` (actual). Raises `ExchangeError` where an earlier one failed locally."""
        error, self.inbox.error = self.inbox.error, None
        if error and error.errno in (errno.ENETUNREACH, errno.EPERM, errno.EACCES):
            raise ExchangeError(reason_of(error), f"{port}/udp: {error.strerror}")
        self.transport.sendto(data, (address, port))
        note(Kind.DATAGRAM)

    def collect(self) -> list[Datagram]:
        """What came since the last call."""
        held, self.inbox.held = self.inbox.held, []
        return held

    @property
    def dropped(self) -> int:
        """Datagrams that were not kept because the cap was reached."""
        return self.inbox.dropped

    def close(self) -> None:
        """Give the port back."""
        self.transport.close()
