"""Which ports are open, from the first two packets of a TCP handshake (RFC 9293 section 3.5), on this machine's links.

Needs CAP_NET_RAW. A SYN goes to hosts that answered ARP and to nobody else; the kernel, which knows of no connection,
resets what opens, so no application on the device ever sees it. Where raw packets are not to be had, a connect does.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Mapping, Sequence

from scanner.transport.addresses import Interface
from scanner.transport.exchange import ExchangeError, reason_of
from scanner.transport.filters import tcp_answers
from scanner.transport.packets import packet_socket, send_all, until
from scanner.transport.sent import Kind

__all__ = ["parse_answer", "probe", "syn_frame"]

_IPV4 = 0x0800
_ETHERNET = 14
_TCP = struct.Struct("!HHIIBBHHH")
_OPTIONS = struct.pack("!BBH", 2, 4, 1460)              # maximum segment size: some stacks answer no SYN without it
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_AT_ONCE = 256
_ROUNDS = 2


def syn_frame(own_mac: bytes, mac: bytes, own: str, address: str, own_port: int, port: int, sequence: int) -> bytes:
    """An Ethernet frame with one SYN."""
    source, target = socket.inet_aton(own), socket.inet_aton(address)
    bare = _TCP.pack(own_port, port, sequence, 0, 6 << 4, _SYN, 1024, 0, 0) + _OPTIONS
    check = _checksum(source + target + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(bare)) + bare)
    segment = bare[:16] + struct.pack("!H", check) + bare[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, socket.IPPROTO_TCP, 0, source,
                       target)
    head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    return mac + own_mac + struct.pack("!H", _IPV4) + head + segment


def parse_answer(frame: bytes) -> tuple[str, int, int, bool] | None:
    """``(address, port, acknowledged number, open)`` of an answer to a SYN; ``None`` for any other frame."""
    if len(frame) < _ETHERNET + 20 or frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4:
        return None
    at = _ETHERNET + (frame[14] & 15) * 4
    if frame[23] != socket.IPPROTO_TCP or len(frame) < at + _TCP.size:
        return None
    port, _, _, acknowledged, _, flags, *_ = _TCP.unpack_from(frame, at)
    if not flags & _ACK or flags & _FIN or not flags & (_SYN | _RST):
        return None
    return socket.inet_ntoa(frame[26:30]), port, acknowledged, not flags & _RST


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def probe(interface: Interface, hosts: Mapping[str, str], ports: Sequence[int], rate: float, *,
                listen: float, gap: float = 0.0) -> dict[tuple[str, int], bool]:
    """Send a SYN to every port of every host (address to MAC), and once more to what stays silent.

    It goes port by port over all hosts, `rate` frames a second and at least `gap` seconds between two to one host; at
    the end it listens `listen` seconds.

    Returns:
        True for an open port, False for one that was reset; a port that is not there said nothing.

    Raises:
        ExchangeError: unprivileged, or the link is down.
    """
    own_port, sequence = 32_768 + secrets.randbelow(28_000), secrets.randbits(32)
    found: dict[tuple[str, int], bool] = {}
    with packet_socket(_IPV4, tcp_answers(interface.address, own_port), "SYN needs CAP_NET_RAW") as link:

        def hear() -> None:
            for _ in range(_AT_ONCE):
                try:
                    answer = parse_answer(link.recv(2048))
                except OSError:        # nothing more for now, or the link went down: the sender below reports that
                    return
                # A number that was not sent is a forged answer or an old one.
                if answer and answer[2] == (sequence + 1) & 0xFFFFFFFF and answer[0] in hosts and answer[1] in wanted:
                    found.setdefault(answer[:2], answer[3])

        wanted = frozenset(ports)
        loop = asyncio.get_running_loop()
        try:
            link.bind((interface.name, _IPV4))
            own_mac = link.getsockname()[4]
            macs = {address: bytes.fromhex(mac.replace(":", "")) for address, mac in hosts.items()}
            loop.add_reader(link, hear)
            for left in range(_ROUNDS, 0, -1):
                for port in ports:
                    begun = loop.time()
                    await send_all(link, [syn_frame(own_mac, mac, interface.address, address, own_port, port, sequence)
                                          for address, mac in macs.items() if (address, port) not in found], rate,
                                   Kind.SYN)
                    await asyncio.sleep(max(0.0, begun + gap - loop.time()))
                await until(lambda: len(found) >= len(macs) * len(wanted), loop.time() + listen / left)
        except OSError as error:
            raise ExchangeError(reason_of(error), f"SYN on {interface.name}: {error.strerror}") from error
        finally:
            loop.remove_reader(link)
    return found
