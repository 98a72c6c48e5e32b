"""A device that is slow to answer ARP, as sleepy or busy ones are: the reply comes a given time after each request.

``python -m lab.arp INTERFACE ADDRESS SECONDS`` answers in the kernel's place, which must have been told to keep quiet
(``arp_ignore`` 8). Needs CAP_NET_RAW.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import socket
import struct
from collections.abc import Sequence

from lab import frames
from lab.frames import Station

__all__ = ["asks_for", "serve"]

ETH_P_ARP = 0x0806
REQUEST = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)


def asks_for(frame: bytes, address: ipaddress.IPv4Address) -> Station | None:
    """Who asks for `address` in this frame, or None where it is no such request."""
    if len(frame) < 42 or frame[12:22] != ETH_P_ARP.to_bytes(2, "big") + REQUEST or frame[38:42] != address.packed:
        return None
    return Station(frame[22:28], ipaddress.IPv4Address(frame[28:32]))


async def serve(interface: str, address: ipaddress.IPv4Address, seconds: float) -> None:
    """Answer every request for `address` after `seconds`, until cancelled; requests do not wait for one another."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP)) as link:
        link.bind((interface, ETH_P_ARP))
        link.setblocking(False)
        own = Station(link.getsockname()[4], address)
        while True:
            asker = asks_for(await loop.sock_recv(link, 2048), address)
            if asker is not None:
                loop.call_later(seconds, link.send, frames.arp(own, asker.address, reply_to=asker))


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="lab.arp", description="Answer ARP late.")
    parser.add_argument("interface")
    parser.add_argument("address", type=ipaddress.IPv4Address)
    parser.add_argument("seconds", type=float)
    told = parser.parse_args(arguments)
    asyncio.run(serve(told.interface, told.address, told.seconds))


if __name__ == "__main__":
    main()
