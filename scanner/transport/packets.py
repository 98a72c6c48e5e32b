"""ARP over a packet socket (RFC 826): who is on the link, with the MAC that no firmware setting hides.

Needs CAP_NET_RAW. Frames are built once and sent at the pace of the caller; nothing but ARP requests leaves here.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from scanner.transport.addresses import Interface
from scanner.transport.exchange import ExchangeError, reason_of

__all__ = ["ArpReply", "arp_request", "ask", "parse_arp"]

_ETHERTYPE_ARP = 0x0806
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET = 14
_MOST_REPLIES = 65_536


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


async def ask(interface: Interface, addresses: Iterable[str], turn: Callable[[], Awaitable[None]], *,
              listen: float) -> dict[str, ArpReply]:
    """Ask the link of `interface` for every address, one frame a `turn`, and listen `listen` seconds longer.

    Only addresses that were asked for are returned; the first answer counts, a second one from another MAC too, under
    its own key ``address MAC`` (two devices that claim one address are a finding, never merged).

    Raises:
        ExchangeError: unprivileged, or the link is down.
    """
    try:
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETHERTYPE_ARP))
    except (OSError, AttributeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else reason_of(PermissionError(1, ""))
        raise ExchangeError(reason, "ARP needs CAP_NET_RAW") from error
    with link:
        link.setblocking(False)
        wanted: set[str] = set()
        heard: dict[str, ArpReply] = {}

        def hear() -> None:
            try:
                reply = parse_arp(link.recv(2048))
            except OSError:        # the link went down: the sender below sees it too and reports it
                return
            if not reply or reply.address not in wanted or len(heard) >= _MOST_REPLIES:
                return
            first = heard.setdefault(reply.address, reply)
            if first.mac != reply.mac:
                heard.setdefault(f"{reply.address} {reply.mac}", reply)

        loop = asyncio.get_running_loop()
        try:
            link.bind((interface.name, _ETHERTYPE_ARP))
            own_mac = link.getsockname()[4]
            if len(own_mac) != 6:
                raise ExchangeError(reason_of(OSError(0, "")), f"{interface.name} has no Ethernet address")
            loop.add_reader(link, hear)
            for address in addresses:
                await turn()
                wanted.add(address)
                link.send(arp_request(own_mac, interface.address, address))
            await asyncio.sleep(listen)
        except OSError as error:
            raise ExchangeError(reason_of(error), f"ARP on {interface.name}: {error.strerror}") from error
        finally:
            loop.remove_reader(link)
        return heard
