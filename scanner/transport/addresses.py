"""The addresses of this machine and its neighbours, asked of the kernel over rtnetlink: where a probe may go out.

Multicast leaves by the default route unless a socket is told otherwise, so every link is named and every link that is
not used is named with its reason. Message layout: rtnetlink(7), ``struct ifaddrmsg``, ``struct ndmsg`` and
``struct rtattr``.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Interface", "interfaces", "interfaces6", "neighbours6", "read_addresses", "read_addresses6",
           "read_neighbours6"]

_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_NEIGHBOUR = struct.Struct("=BxHiHBB")
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD_UNANSWERED = 0x01 | 0x20           # incomplete, failed
_IFA_F_TENTATIVE = 0x40
_ATTRIBUTE = struct.Struct("=HH")
_MOST_BYTES = 1 << 20
_SIOCGIFHWADDR, _ARPHRD_ETHER = 0x8927, 1
_REQUEST, _HARDWARE = struct.Struct("=16s24s"), struct.Struct("=H6s")


@dataclass(frozen=True, slots=True)
class Interface:
    """One address of one link: name, kernel index, own address, network (CIDR); broadcast address and MAC if any."""

    name: str
    index: int
    address: str
    network: str
    broadcast: str = ""
    mac: str = ""

    @property
    def loopback(self) -> bool:
        """Whether it never leaves this machine."""
        return ipaddress.ip_address(self.address).is_loopback

    def holds(self, address: str) -> bool:
        """Whether `address` is on this link."""
        return ipaddress.ip_address(address) in ipaddress.ip_network(self.network)


def interfaces() -> list[Interface]:
    """Every IPv4 address of this machine. Empty where the kernel offers no rtnetlink."""
    names = dict(socket.if_nameindex())
    try:
        reply = _dump(_RTM_GETADDR, _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0))
    except (OSError, AttributeError):      # not Linux, or a sandbox without netlink
        return []
    return [Interface(names.get(index, str(index)), index, address, network, broadcast, _mac(names.get(index, "")))
            for index, address, network, broadcast in read_addresses(reply)]


def _mac(name: str) -> str:
    """The link's own hardware address, upper case with colons; empty where it is no Ethernet (netdevice(7)).

    Asked of the kernel over a socket, which answers for its own network namespace. The files under ``/sys`` are those
    of the namespace that mounted them, and a question would then carry the MAC of another machine's link.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            told = fcntl.ioctl(asking, _SIOCGIFHWADDR, _REQUEST.pack(name.encode(), b""))
    except OSError:
        return ""
    kind, address = _HARDWARE.unpack_from(told, 16)
    return address.hex(":").upper() if kind == _ARPHRD_ETHER and any(address) else ""


def interfaces6() -> list[Interface]:
    """Every link-local IPv6 address of this machine that is in use, but for loopback. Empty without rtnetlink."""
    names = dict(socket.if_nameindex())
    try:
        reply = _dump(_RTM_GETADDR, _ADDRESS.pack(socket.AF_INET6, 0, 0, 0, 0))
    except (OSError, AttributeError):
        return []
    return [Interface(names.get(index, str(index)), index, address, network, "", _mac(names.get(index, "")))
            for index, address, network in read_addresses6(reply)]


def neighbours6() -> list[tuple[str, str]]:
    """``(address, MAC)`` of every IPv6 neighbour the kernel has heard. Empty without rtnetlink."""
    try:
        return read_neighbours6(_dump(_RTM_GETNEIGH, _NEIGHBOUR.pack(socket.AF_INET6, 0, 0, 0, 0, 0)))
    except (OSError, AttributeError):
        return []


def _dump(request: int, body: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.bind((0, 0))
        link.settimeout(2)
        link.send(_HEADER.pack(_HEADER.size + len(body), request, _NLM_F_REQUEST | _NLM_F_DUMP, 1, 0) + body)
        reply = b""
        while len(reply) < _MOST_BYTES:
            part = link.recv(65_536)
            reply += part
            if not part or any(kind in (_NLMSG_DONE, _NLMSG_ERROR) for kind, _ in _messages(part)):
                break
        return reply


def read_addresses(reply: bytes) -> list[tuple[int, str, str, str]]:
    """``(index, address, network, broadcast)`` of every IPv4 address in an rtnetlink dump, without what is broken."""
    found = []
    for kind, body in _messages(reply):
        if kind != _RTM_NEWADDR or len(body) < _ADDRESS.size:
            continue
        family, prefix, _, _, index = _ADDRESS.unpack_from(body)
        attributes = dict(_attributes(body[_ADDRESS.size:]))
        own = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS, b"")
        if family != socket.AF_INET or len(own) != 4 or prefix > 32:
            continue
        address = socket.inet_ntoa(own)
        cast = attributes.get(_IFA_BROADCAST, b"")
        found.append((index, address, str(ipaddress.ip_network(f"{address}/{prefix}", strict=False)),
                      socket.inet_ntoa(cast) if len(cast) == 4 else ""))
    return found


def read_addresses6(reply: bytes) -> list[tuple[int, str, str]]:
    """``(index, address, network)`` of every settled link-local IPv6 address in an rtnetlink dump."""
    found = []
    for kind, body in _messages(reply):
        if kind != _RTM_NEWADDR or len(body) < _ADDRESS.size:
            continue
        family, prefix, flags, _, index = _ADDRESS.unpack_from(body)
        raw = dict(_attributes(body[_ADDRESS.size:])).get(_IFA_ADDRESS, b"")
        if family != socket.AF_INET6 or len(raw) != 16 or prefix > 128 or flags & _IFA_F_TENTATIVE:
            continue
        address = ipaddress.IPv6Address(raw)
        if address.is_link_local:
            found.append((index, str(address), str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))))
    return found


def read_neighbours6(reply: bytes) -> list[tuple[str, str]]:
    """``(address, MAC)`` of every IPv6 neighbour in an rtnetlink dump that answered; no groups, no null MACs."""
    found = []
    for kind, body in _messages(reply):
        if kind != _RTM_NEWNEIGH or len(body) < _NEIGHBOUR.size:
            continue
        family, _, _, state, _, _ = _NEIGHBOUR.unpack_from(body)
        attributes = dict(_attributes(body[_NEIGHBOUR.size:]))
        raw, mac = attributes.get(_NDA_DST, b""), attributes.get(_NDA_LLADDR, b"")
        if family != socket.AF_INET6 or len(raw) != 16 or len(mac) != 6 or state & _NUD_UNANSWERED:
            continue
        if any(mac) and not mac[0] & 1:
            found.append((str(ipaddress.IPv6Address(raw)), mac.hex(":").upper()))
    return found


def _messages(reply: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(reply):
        length, kind, _, _, _ = _HEADER.unpack_from(reply, at)
        if length < _HEADER.size or at + length > len(reply):
            return
        yield kind, reply[at + _HEADER.size:at + length]
        at += (length + 3) & ~3


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size or at + length > len(body):
            return
        yield kind, body[at + _ATTRIBUTE.size:at + length]
        at += (length + 3) & ~3
