"""Crafts frames and capture files octet by octet, so that the reader is tested on data of the project's own making."""

import ipaddress
import struct

CAMERA, GATEWAY, LAPTOP = "02:00:00:00:00:10", "02:00:00:00:00:01", "02:00:00:00:00:20"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(payload, source=CAMERA, destination=GATEWAY, kind=0x0800, vlans=()):
    tags = b"".join(struct.pack(">HH", tpid, vid) for tpid, vid in vlans)
    return mac(destination) + mac(source) + tags + struct.pack(">H", kind) + payload


def ipv4(payload, source, destination, protocol, fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, fragment, 64, protocol, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    return head + payload


def ipv6(payload, source, destination, protocol, extensions=b"", first=None):
    following = protocol if first is None else first
    head = struct.pack(">IHBB16s16s", 0x60000000, len(extensions) + len(payload), following, 64,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    return head + extensions + payload


def udp(payload, source_port, destination_port):
    return struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def tcp(payload, source_port, destination_port, flags=0x18):
    return struct.pack(">HHIIBBHHH", source_port, destination_port, 0, 0, 0x50, flags, 1024, 0, 0) + payload


def packet(payload, source, destination, source_port, destination_port, protocol="udp", flags=0x18,
           macs=(CAMERA, GATEWAY)):
    body = (udp(payload, source_port, destination_port) if protocol == "udp"
            else tcp(payload, source_port, destination_port, flags))
    number = 17 if protocol == "udp" else 6
    if ":" in source:
        return ethernet(ipv6(body, source, destination, number), *macs, kind=0x86DD)
    return ethernet(ipv4(body, source, destination, number), *macs)


def pcap(frames, order="<", nanoseconds=False, link=1, start=1_700_000_000, snap=262_144):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, snap, link)
    for number, frame in enumerate(frames):
        out += struct.pack(order + "IIII", start + number, 5, len(frame), len(frame)) + frame
    return out


def dns_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def dns_query(name, kind=1):
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + dns_name(name) + struct.pack(">HH", kind, 1)


def dns_answer(name, records):
    """`records` are (owner, type, data); the owner ``@`` is a pointer to the question."""
    out = struct.pack(">HHHHHH", 7, 0x8180, 1, len(records), 0, 0) + dns_name(name) + struct.pack(">HH", 1, 1)
    for owner, kind, data in records:
        out += (b"\xc0\x0c" if owner == "@" else dns_name(owner)) + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return out


def address(text):
    return ipaddress.ip_address(text).packed


def client_hello(name):
    host = name.encode()
    entry = struct.pack(">BH", 0, len(host)) + host
    extension = struct.pack(">HH", 0, len(entry) + 2) + struct.pack(">H", len(entry)) + entry
    grease = struct.pack(">HH", 0x0A0A, 1) + b"\0"
    extensions = grease + extension
    body = (b"\x03\x03" + bytes(32) + b"\x00" + struct.pack(">H", 2) + b"\x13\x01" + b"\x01\x00"
            + struct.pack(">H", len(extensions)) + extensions)
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake
