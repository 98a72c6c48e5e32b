"""Crafts frames and capture files octet by octet, so that the reader is tested on data of the project's own making."""

import ipaddress
import struct

CAMERA, GATEWAY, LAPTOP = "02:00:00:00:00:10", "02:00:00:00:00:01", "02:00:00:00:00:20"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(payload, source=CAMERA, destination=GATEWAY, kind=0x0800, vlans=()):
    tags = b"".join(struct.pack(">HH", tpid, vid) for tpid, vid in vlans)
    return mac(destination) + mac(source) + tags + struct.pack(">H", kind) + payload


def ipv4(payload, source, destination, protocol, fragment=0, identification=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, fragment, 64, protocol, 0,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    return head + payload


def ipv6(payload, source, destination, protocol, extensions=b"", first=None):
    following = protocol if first is None else first
    head = struct.pack(">IHBB16s16s", 0x60000000, len(extensions) + len(payload), following, 64,
                       ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed)
    return head + extensions + payload


def udp(payload, source_port, destination_port):
    return struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def tcp(payload, source_port, destination_port, flags=0x18, sequence=0):
    return struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, 0, 0x50, flags, 1024, 0, 0) + payload


def packet(payload, source, destination, source_port, destination_port, protocol="udp", flags=0x18,
           macs=(CAMERA, GATEWAY), sequence=0):
    body = (udp(payload, source_port, destination_port) if protocol == "udp"
            else tcp(payload, source_port, destination_port, flags, sequence))
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


def records(handshake, sizes):
    """A handshake message cut into TLS records of these sizes, the rest in a last one."""
    out = b""
    for size in (*sizes, len(handshake)):
        piece, handshake = handshake[:size], handshake[size:]
        if piece:
            out += b"\x16\x03\x01" + struct.pack(">H", len(piece)) + piece
    return out


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link=1, resolution=None, offset=None, order="<"):
    body = struct.pack(order + "HHI", link, 0, 0)
    if resolution is not None:
        body += struct.pack(order + "HHB3x", 9, 1, resolution)
    if offset is not None:
        body += struct.pack(order + "HHq", 14, 8, offset)
    return block(1, body, order)


def enhanced(frame, ticks, number=0, order="<"):
    return block(6, struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
                 + frame,
                 order)


def quic_initial(hello, version=1, pieces=1, destination=b"\x83\x94\xc8\xf0\x3e\x51\x57\x08"):
    """Initial packets of a client, each in a datagram of its own, protected as RFC 9001 section 5 says."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from scanner.egress.quic import V2, _keys
    keys = _keys(version, destination)
    step = -(-len(hello) // pieces)
    for number in range(pieces):
        data = hello[number * step:(number + 1) * step]
        frame = b"\x06" + struct.pack(">H", 0x4000 | number * step) + struct.pack(">H", 0x4000 | len(data)) + data
        frame += bytes(max(0, 1100 - len(frame)))
        first = 0xC0 | (0x10 if version == V2 else 0) | 0x03
        head = (bytes([first]) + struct.pack(">I", version) + bytes([len(destination)]) + destination + b"\0\0"
                + struct.pack(">H", 0x4000 | (len(frame) + 4 + 16)) + struct.pack(">I", number))
        nonce = (int.from_bytes(keys.iv, "big") ^ number).to_bytes(12, "big")
        sealed = AESGCM(keys.key).encrypt(nonce, frame, head)
        mask = Cipher(algorithms.AES(keys.mask), modes.ECB()).encryptor().update(sealed[:16])
        yield (bytes([head[0] ^ mask[0] & 0x0F]) + head[1:-4]
               + bytes(a ^ b for a, b in zip(head[-4:], mask[1:5], strict=True)) + sealed)
