"""Takes one frame apart: link layer, IP, and the TCP or UDP header. What cannot be read is named, never skipped.

Link types: Ethernet (1) with stacked VLAN tags, Linux cooked v1 (113) and v2 (276), raw IP (12, 14, 101, 228, 229),
BSD loopback (0, 108). IPv4 is RFC 791, IPv6 with its extension headers RFC 8200.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from scanner.egress.readers import Frame

__all__ = ["Packet", "Undecoded", "dissect"]

_VLAN = frozenset({0x8100, 0x88A8, 0x9100})
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58
_EXTENSIONS = frozenset({0, 43, 60, 135})   # hop-by-hop, routing, destination options, mobility
_FRAGMENT, _NO_NEXT = 44, 59
_MAX_NESTING = 8
_RAW = frozenset({12, 14, 101, 228, 229})
_LOOPBACK = frozenset({0, 108})             # four octets of address family, whose numbers differ per system
_KNOWN = _RAW | _LOOPBACK | {113, 276}


@dataclass(frozen=True, slots=True)
class Packet:
    """One decoded packet. MACs are upper case with colons, or empty where the link layer does not carry them.

    Attributes:
        protocol: ``tcp``, ``udp``, ``icmp`` or ``ip-N`` for another IP protocol.
        source_port, destination_port: 0 where the protocol has none.
        flags: the TCP flag octet (RFC 9293 section 3.1), 0 for other protocols.
        payload: what follows the transport header, as far as it was captured.
        length: octets of the frame on the wire.
    """

    at_ns: int
    source_mac: str
    destination_mac: str
    source: str
    destination: str
    protocol: str
    source_port: int
    destination_port: int
    flags: int
    payload: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Undecoded:
    """A frame that was counted but not understood, and why in a word or two."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Link:
    source: str
    destination: str
    ethertype: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Ip:
    source: str
    destination: str
    protocol: int
    body: bytes


def dissect(frame: Frame) -> Packet | Undecoded:
    """One frame as a packet, or why it is none; never raises, whatever the octets."""
    link = _link(frame)
    if isinstance(link, Undecoded):
        return link
    if link.ethertype == _IPV4:
        ip = _ipv4(link.body)
    elif link.ethertype == _IPV6:
        ip = _ipv6(link.body)
    else:
        return Undecoded("arp" if link.ethertype == 0x0806 else "not ip")
    if isinstance(ip, Undecoded):
        return ip
    return _transport(frame, link, ip)


def _link(frame: Frame) -> _Link | Undecoded:
    data = frame.data
    if frame.link == 1:
        return _ethernet(data)
    if frame.link == 113 and len(data) >= 16:
        size, kind = struct.unpack_from(">H", data, 4)[0], struct.unpack_from(">H", data, 14)[0]
        return _untagged(_Link(_mac(data[6:12]) if size == 6 else "", "", kind, data[16:]))
    if frame.link == 276 and len(data) >= 20:
        kind, size = struct.unpack_from(">H", data, 0)[0], data[11]
        return _untagged(_Link(_mac(data[12:18]) if size == 6 else "", "", kind, data[20:]))
    body = data[4:] if frame.link in _LOOPBACK else data
    if frame.link in _RAW | _LOOPBACK and body:
        return _Link("", "", {4: _IPV4, 6: _IPV6}.get(body[0] >> 4, 0), body)
    return Undecoded("short frame" if frame.link in _KNOWN else f"link type {frame.link}")


def _ethernet(data: bytes) -> _Link | Undecoded:
    if len(data) < 14:
        return Undecoded("short frame")
    return _untagged(_Link(_mac(data[6:12]), _mac(data[:6]), struct.unpack_from(">H", data, 12)[0], data[14:]))


def _untagged(link: _Link) -> _Link | Undecoded:
    kind, body = link.ethertype, link.body
    for _ in range(_MAX_NESTING):
        if kind not in _VLAN:
            return _Link(link.source, link.destination, kind, body)
        if len(body) < 4:
            return Undecoded("short frame")
        kind, body = struct.unpack_from(">H", body, 2)[0], body[4:]
    return Undecoded("too many vlan tags")


def _mac(octets: bytes) -> str:
    return octets.hex(":").upper()


def _ipv4(data: bytes) -> _Ip | Undecoded:
    if len(data) < 20 or data[0] >> 4 != 4:
        return Undecoded("short ip")
    header, total = (data[0] & 0x0F) * 4, struct.unpack_from(">H", data, 2)[0]
    if header < 20 or header > len(data):
        return Undecoded("short ip")
    if struct.unpack_from(">H", data, 6)[0] & 0x1FFF:
        return Undecoded("fragment")
    # A zero total length is segmentation offload on the capturing host; otherwise what follows it is Ethernet padding.
    body = data[header:total] if total >= header else data[header:]
    return _Ip(_address(data[12:16]), _address(data[16:20]), data[9], body)


def _ipv6(data: bytes) -> _Ip | Undecoded:
    if len(data) < 40 or data[0] >> 4 != 6:
        return Undecoded("short ip")
    length, following = struct.unpack_from(">H", data, 4)[0], data[6]
    body = data[40:40 + length] if length else data[40:]
    for _ in range(_MAX_NESTING):
        if following == _FRAGMENT:
            if len(body) < 8:
                return Undecoded("short ip")
            if struct.unpack_from(">H", body, 2)[0] & 0xFFF8:
                return Undecoded("fragment")
            following, body = body[0], body[8:]
        elif following in _EXTENSIONS:
            if len(body) < 8:
                return Undecoded("short ip")
            following, body = body[0], body[(body[1] + 1) * 8:]
        else:
            return _Ip(_address(data[8:24]), _address(data[24:40]), following, body)
    return Undecoded("too many ip headers")


def _address(octets: bytes) -> str:
    address = ipaddress.ip_address(octets)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _transport(frame: Frame, link: _Link, ip: _Ip) -> Packet | Undecoded:
    source_port = destination_port = flags = 0
    payload, name = ip.body, f"ip-{ip.protocol}"
    if ip.protocol == _UDP:
        if len(ip.body) < 8:
            return Undecoded("short transport")
        source_port, destination_port = struct.unpack_from(">HH", ip.body)
        name, payload = "udp", ip.body[8:]
    elif ip.protocol == _TCP:
        if len(ip.body) < 20:
            return Undecoded("short transport")
        source_port, destination_port = struct.unpack_from(">HH", ip.body)
        header, flags = (ip.body[12] >> 4) * 4, ip.body[13]
        if header < 20:
            return Undecoded("short transport")
        name, payload = "tcp", ip.body[header:]
    elif ip.protocol in {_ICMP, _ICMP6}:
        name = "icmp"
    elif ip.protocol == _NO_NEXT:
        return Undecoded("no transport")
    return Packet(frame.at_ns, link.source, link.destination, ip.source, ip.destination, name,
                  source_port, destination_port, flags, payload, frame.wire_length)
