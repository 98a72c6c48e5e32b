"""Frames by hand: Ethernet II, ARP, IPv4, UDP, TCP with right checksums, and the payloads cameras put in them.

Only what the simulated site sends is here: no fragments, no options beyond the TCP segment size.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

__all__ = [
    "ACK", "FIN", "PSH", "SYN", "Station", "arp", "client_hello", "dns_answer", "dns_query", "ntp", "server_hello",
    "tcp", "udp",
]

FIN, SYN, PSH, ACK = 0x01, 0x02, 0x08, 0x10
BROADCAST_MAC = b"\xff" * 6


@dataclass(frozen=True, slots=True)
class Station:
    """One end of a frame: its MAC on this link (for an outside host, the gateway's) and its IPv4 address."""

    mac: bytes
    address: ipaddress.IPv4Address


def _checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ethernet(source: bytes, destination: bytes, ethertype: int, payload: bytes) -> bytes:
    return (destination + source + struct.pack(">H", ethertype) + payload).ljust(60, b"\0")


def arp(sender: Station, target: ipaddress.IPv4Address, reply_to: Station | None = None) -> bytes:
    """An ARP request for `target` to everybody, or, with `reply_to`, the reply that says where `sender` is."""
    operation, mac = (2, reply_to.mac) if reply_to else (1, BROADCAST_MAC)
    wanted = Station(mac if reply_to else bytes(6), reply_to.address if reply_to else target)
    packet = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    packet += sender.mac + sender.address.packed + wanted.mac + wanted.address.packed
    return _ethernet(sender.mac, mac, 0x0806, packet)


def _ipv4(source: Station, destination: Station, protocol: int, identification: int, payload: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification & 0xFFFF, 0x4000, 64, protocol, 0,
                       source.address.packed, destination.address.packed)
    head = head[:10] + struct.pack(">H", _checksum(head)) + head[12:]
    return _ethernet(source.mac, destination.mac, 0x0800, head + payload)


def _pseudo(source: Station, destination: Station, protocol: int, length: int) -> bytes:
    return source.address.packed + destination.address.packed + struct.pack(">BBH", 0, protocol, length)


def udp(source: Station, source_port: int, destination: Station, port: int, payload: bytes,
        identification: int) -> bytes:
    """One UDP datagram in an Ethernet frame; a checksum of zero is sent as all ones (RFC 768)."""
    segment = struct.pack(">HHHH", source_port, port, 8 + len(payload), 0) + payload
    checksum = _checksum(_pseudo(source, destination, 17, len(segment)) + segment) or 0xFFFF
    return _ipv4(source, destination, 17, identification, segment[:6] + struct.pack(">H", checksum) + payload)


def tcp(source: Station, source_port: int, destination: Station, port: int, numbers: tuple[int, int], flags: int,
        payload: bytes, identification: int) -> bytes:
    """One TCP segment in an Ethernet frame; `numbers` are sequence and acknowledgement.

    A SYN tells the segment size, 1460.
    """
    options = b"\x02\x04\x05\xb4" if flags & SYN else b""
    sequence, acknowledgement = numbers
    head = struct.pack(">HHIIBBHHH", source_port, port, sequence & 0xFFFFFFFF, acknowledgement & 0xFFFFFFFF,
                       (20 + len(options)) // 4 << 4, flags, 29200, 0, 0) + options
    checksum = _checksum(_pseudo(source, destination, 6, len(head) + len(payload)) + head + payload)
    return _ipv4(source, destination, 6, identification, head[:16] + struct.pack(">H", checksum) + head[18:] + payload)


def _qname(host: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"


def dns_query(identifier: int, host: str) -> bytes:
    """A recursive query for the A record of `host` (RFC 1035)."""
    return struct.pack(">6H", identifier, 0x0100, 1, 0, 0, 0) + _qname(host) + struct.pack(">HH", 1, 1)


def dns_answer(identifier: int, host: str, address: ipaddress.IPv4Address, ttl: int) -> bytes:
    """The answer to `dns_query` with one A record."""
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, ttl, 4) + address.packed
    return (struct.pack(">6H", identifier, 0x8180, 1, 1, 0, 0) + _qname(host) + struct.pack(">HH", 1, 1) + record)


def ntp(mode: int, seconds: int) -> bytes:
    """A 48-byte NTPv4 packet (RFC 5905): `mode` 3 asks, 4 answers; `seconds` is the Unix time it claims."""
    stratum = 2 if mode == 4 else 0
    stamp = struct.pack(">II", seconds + 2_208_988_800, 0)
    return struct.pack(">BBbbII4s", 4 << 3 | mode, stratum, 6, -20, 0, 0, b"\0" * 4) + bytes(24) + stamp


def client_hello(host: str, random: bytes) -> bytes:
    """A TLS 1.2 ClientHello record with `host` as server name (RFC 5246 §7.4.1.2, RFC 6066 §3)."""
    name = host.encode()
    server_name = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = b"".join(struct.pack(">HH", kind, len(body)) + body for kind, body in (
        (0x0000, server_name),
        (0x000A, bytes.fromhex("0004001d0017")),                        # supported groups
        (0x000B, bytes.fromhex("0100")),                                # uncompressed points
        (0x000D, bytes.fromhex("0006040304010201")),                    # signature algorithms
    ))
    suites = bytes.fromhex("c02bc02fc013009c002f00ff")
    body = b"\x03\x03" + random[:32].ljust(32, b"\0") + b"\0" + struct.pack(">H", len(suites)) + suites + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def server_hello(random: bytes) -> bytes:
    """A TLS 1.2 ServerHello record; no certificate follows, the lab's outside hosts have none."""
    body = b"\x03\x03" + random[:32].ljust(32, b"\0") + b"\0" + b"\xc0\x2f" + b"\0"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + struct.pack(">H", len(message)) + message
