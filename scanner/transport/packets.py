"""ARP over a packet socket (RFC 826): who is on the link, with the MAC that no firmware setting hides.

Needs CAP_NET_RAW. Frames are built once and sent at the pace of the caller; a filter in the kernel lets only ARP
replies in, so that a busy link costs nothing. `scanner.transport.syn` sends the other kind of frame.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from scanner.transport.addresses import Interface
from scanner.transport.exchange import ExchangeError, reason_of
from scanner.transport.filters import ARP_REPLIES, Instruction, attach_filter
from scanner.transport.sent import Kind, note

__all__ = ["ArpReply", "arp_request", "ask", "packet_socket", "parse_arp", "send_all", "until"]

_ETHERTYPE_ARP = 0x0806
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET = 14
_MOST_REPLIES = 65_536
_AT_ONCE = 256                 # frames read before others get their turn
_LOT_SECONDS = 0.002           # the shortest sleep that is worth its cost
_LATE_SECONDS = 0.08           # how much longer is listened while late answers keep coming
_LOOK_SECONDS = 0.02           # between two looks at what has been heard
_RECEIVE_BUFFER = 4 << 20


@dataclass(frozen=True, slots=True)
class ArpReply:
    """One answer: the address it claims, the MAC in the ARP payload, and the frame."""

    address: str
    mac: str
    frame: bytes


def arp_request(own_mac: bytes, own_address: str, address: str) -> bytes:
    """An Ethernet frame asking the link who has `address`, without padding (the driver pads)."""
    payload = _ARP.pack(1, 0x0800, 6, 4, 1, own_mac, socket.inet_aton(own_address), bytes(6), socket.inet_aton(address))
    return b"\xff" * 6 + own_mac + struct.pack("!H", _ETHERTYPE_ARP) + payload


def parse_arp(frame: bytes) -> ArpReply | None:
    """The sender of an ARP reply; ``None`` for any other frame, and where Ethernet and ARP name different senders."""
    if len(frame) < _ETHERNET + _ARP.size or frame[12:14] != struct.pack("!H", _ETHERTYPE_ARP):
        return None
    kind, protocol, hlen, plen, operation, mac, address, _, _ = _ARP.unpack_from(frame, _ETHERNET)
    if (kind, protocol, hlen, plen, operation) != (1, 0x0800, 6, 4, 2) or mac != frame[6:12] or mac[0] & 1:
        return None
    return ArpReply(socket.inet_ntoa(address), mac.hex(":").upper(), frame[:_ETHERNET + _ARP.size])


async def ask(interface: Interface, addresses: Iterable[str], rate: float, *, listen: float) -> dict[str, ArpReply]:
    """Ask the link of `interface` for every address at `rate` frames a second, and listen `listen` seconds longer.

    Who is silent is asked a second time after half of that, so that one lost frame loses no device. It ends early once
    everybody has answered, and later while late answers keep coming. Only addresses that were asked for are returned;
    the first answer counts, a second one from another MAC too, under its own key ``address MAC`` (two devices that
    claim one address are a finding, never merged).

    Raises:
        ExchangeError: unprivileged, or the link is down.
    """
    with packet_socket(_ETHERTYPE_ARP, ARP_REPLIES, "ARP needs CAP_NET_RAW") as link:
        heard: dict[str, ArpReply] = {}
        wanted: set[str] = set()
        last_new = 0.0
        loop = asyncio.get_running_loop()

        def hear() -> None:
            nonlocal last_new
            for _ in range(_AT_ONCE):
                try:
                    reply = parse_arp(link.recv(2048))
                except OSError:    # nothing more for now, or the link went down: the sender below sees that and reports
                    return
                if not reply or reply.address not in wanted or len(heard) >= _MOST_REPLIES:
                    continue
                if reply.address not in heard:
                    last_new = loop.time()
                first = heard.setdefault(reply.address, reply)
                if first.mac != reply.mac:
                    heard.setdefault(f"{reply.address} {reply.mac}", reply)

        try:
            link.bind((interface.name, _ETHERTYPE_ARP))
            own_mac = link.getsockname()[4]
            if len(own_mac) != 6:
                raise ExchangeError(reason_of(OSError(0, "")), f"{interface.name} has no Ethernet address")
            frames = {address: arp_request(own_mac, interface.address, address) for address in addresses}
            wanted.update(frames)
            loop.add_reader(link, hear)
            begun = loop.time()
            await send_all(link, frames.values(), rate, Kind.ARP)
            first = loop.time()
            await until(lambda: len(heard) >= len(frames), begun + listen / 2)
            await send_all(link, [frame for address, frame in frames.items() if address not in heard], rate,
                           Kind.ARP)
            # A sleepy host is heard on the first question; the second is for lost frames, and gets half the time.
            end = max(first + listen, loop.time() + listen / 2)
            await until(lambda: len(heard) >= len(frames), end)
            while len(heard) < len(frames) and end - last_new < _LATE_SECONDS and end < first + 2 * listen:
                end += _LATE_SECONDS            # somebody has just answered: where one is late, others are too
                await until(lambda: len(heard) >= len(frames), end)
        except OSError as error:
            raise ExchangeError(reason_of(error), f"ARP on {interface.name}: {error.strerror}") from error
        finally:
            loop.remove_reader(link)
        return heard


async def until(done: Callable[[], bool], end: float) -> None:
    """Wait until `done` or until the loop's clock shows `end`."""
    loop = asyncio.get_running_loop()
    while not done() and loop.time() < end:
        await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, end - loop.time())))


async def send_all(link: socket.socket, frames: Iterable[bytes], rate: float, kind: Kind) -> None:
    """Send frames of a kind at `rate` a second: evenly where it is slow, and in small lots where it is fast."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    lot = max(1, int(rate * _LOT_SECONDS))
    for sent, frame in enumerate(frames, start=1):
        while True:
            try:
                link.send(frame)
                note(kind)
                break
            except (BlockingIOError, InterruptedError):
                await asyncio.sleep(_LOT_SECONDS)           # the link's queue is full
        if sent % lot == 0:
            await asyncio.sleep(max(0.0, begun + sent / rate - loop.time()))


def packet_socket(ethertype: int, program: Sequence[Instruction], needs: str) -> socket.socket:
    """A packet socket that the kernel feeds only what `program` lets pass. Raises `ExchangeError`."""
    try:
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ethertype))
    except (OSError, AttributeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else reason_of(PermissionError(1, ""))
        raise ExchangeError(reason, needs) from error
    try:
        link.setblocking(False)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        attach_filter(link, program)
    except OSError as error:
        link.close()
        raise ExchangeError(reason_of(error), f"{needs}: {error.strerror}") from error
    return link
