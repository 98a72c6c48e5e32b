"""Writes captures of a camera site for measuring: mixed traffic, video only, and a flood of spoofed 5-tuples.

All of it follows from a seed. The names that were put in are returned, so that a measurement can say how many were
found.
"""

import random
import struct
from dataclasses import dataclass, field

RESOLVER, GATEWAY = bytes([10, 0, 0, 1]), bytes.fromhex("020000000001")
STARTED = 1_795_161_600


@dataclass
class Written:
    """What a capture holds: packets, and the names in it by kind."""

    packets: int = 0
    dns: set = field(default_factory=set)
    sni: set = field(default_factory=set)
    http: set = field(default_factory=set)


class _File:
    def __init__(self, path):
        self.out = path.open("wb")
        self.out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self.micros, self.count = STARTED * 1_000_000, 0
        self.parts = []

    def frame(self, data):
        self.micros += 180
        self.count += 1
        self.parts.append(struct.pack("<IIII", self.micros // 1_000_000, self.micros % 1_000_000, len(data), len(data)))
        self.parts.append(data)
        if len(self.parts) > 20_000:
            self.out.write(b"".join(self.parts))
            self.parts = []

    def close(self):
        self.out.write(b"".join(self.parts))
        self.out.close()


def _ip(source, destination, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0, source, destination)
    return head + payload


def datagram(source, sport, destination, dport, payload):
    return _ip(source, destination, 17, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload)


def _tcp(source, sport, destination, dport, sequence, flags, payload=b""):
    head = struct.pack(">HHIIBBHHH", sport, dport, sequence, 0, 0x50, flags, 1024, 0, 0)
    return _ip(source, destination, 6, head + payload)


def _qname(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def client_hello(name):
    host = name.encode()
    entry = struct.pack(">BH", 0, len(host)) + host
    extensions = (struct.pack(">HH", 0x0A0A, 1) + b"\0" + struct.pack(">HH", 0x33, 1216) + bytes(1216)
                  + struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry)
    body = b"\x03\x03" + bytes(32) + b"\0" + struct.pack(">H", 2) + b"\x13\x01\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


class _Site:
    def __init__(self, path, cameras, seed):
        self.file, self.written, self.random = _File(path), Written(), random.Random(seed)
        self.cameras = [(bytes([2, 0, 0, 0, 1 + n // 250, n % 250]), bytes([10, 0, 1 + n // 250, n % 250 + 2]))
                        for n in range(cameras)]
        self.names = [f"host{n}.cloud{n % 37}.example" for n in range(400)]
        self.address = {name: bytes([203, 0, 113 + n // 250, n % 250 + 1]) for n, name in enumerate(self.names)}
        self.payload = self.random.randbytes(1400)

    def out(self, camera, packet):
        self.file.frame(GATEWAY + camera[0] + b"\x08\0" + packet)

    def back(self, camera, packet):
        self.file.frame(camera[0] + GATEWAY + b"\x08\0" + packet)

    def look_up(self, camera, name):
        port, query = self.random.randrange(32768, 60000), struct.pack(">H", self.random.randrange(65536))
        self.written.dns.add(name)
        question = _qname(name) + b"\0\x01\0\x01"
        self.out(camera, datagram(camera[1], port, RESOLVER, 53, query + b"\x01\0\0\x01\0\0\0\0\0\0" + question))
        answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + self.address[name]
        self.back(camera, datagram(RESOLVER, 53, camera[1], port, query + b"\x81\x80\0\x01\0\x01\0\0\0\0" + question
                               + answer))

    def session(self, camera, name, port, first, segments):
        sport, far = self.random.randrange(32768, 60000), self.address[name]
        sequence = self.random.randrange(1 << 31)
        self.out(camera, _tcp(camera[1], sport, far, port, sequence, 2))
        self.back(camera, _tcp(far, port, camera[1], sport, 7, 0x12))
        self.out(camera, _tcp(camera[1], sport, far, port, sequence + 1, 0x10))
        at = sequence + 1
        for piece in (first[:1200], first[1200:]):
            if piece:
                self.out(camera, _tcp(camera[1], sport, far, port, at, 0x18, piece))
                at += len(piece)
        for number in range(segments):
            if number % 3:
                self.back(camera, _tcp(far, port, camera[1], sport, 8 + number, 0x18, self.payload[:900]))
            else:
                self.out(camera, _tcp(camera[1], sport, far, port, at, 0x18, self.payload[:300]))
                at += 300
        self.out(camera, _tcp(camera[1], sport, far, port, at, 0x11))

    def video(self, camera, packets):
        viewer = bytes([10, 0, 0, 9])
        head = struct.pack(">BBHII", 0x80, 96, 1, 2, 3)
        for number in range(packets):
            self.file.frame(GATEWAY + camera[0] + b"\x08\0" + datagram(camera[1], 6970, viewer, 6970 + number % 2,
                                                                     head + self.payload[:1300]))

    def step(self):
        camera, name = self.random.choice(self.cameras), self.random.choice(self.names)
        kind = self.random.random()
        if kind < 0.25:
            self.look_up(camera, name)
        elif kind < 0.50:
            self.written.sni.add(name)
            self.session(camera, name, 443, client_hello(name), self.random.randrange(4, 24))
        elif kind < 0.62:
            self.written.http.add(name)
            head = f"POST /register HTTP/1.1\r\nHost: {name}\r\nContent-Length: 20\r\n\r\n".encode() + bytes(20)
            self.session(camera, name, 80, head, self.random.randrange(2, 8))
        elif kind < 0.80:
            for _ in range(6):
                self.out(camera, datagram(camera[1], 20000, self.address[name], 32100, b"\xf1\xe0\0\0"))
                self.back(camera, datagram(self.address[name], 32100, camera[1], 20000, b"\xf1\xe1\0\0"))
        elif kind < 0.9:
            self.out(camera, datagram(camera[1], 123, self.address[name], 123, b"\x23" + bytes(47)))
            self.back(camera, datagram(self.address[name], 123, camera[1], 123, b"\x24" + bytes(47)))
        else:
            self.file.frame(b"\xff" * 6 + camera[0] + b"\x08\x06\0\x01\x08\0\x06\x04\0\x01" + camera[0] + camera[1]
                            + bytes(6) + RESOLVER + bytes(18))

    def close(self):
        self.file.close()
        self.written.packets = self.file.count
        return self.written


def write_mixed(path, packets, cameras=64, seed=1, video=0.25):
    """A capture of at least `packets` packets, of which the share `video` is RTP."""
    site, streamed = _Site(path, cameras, seed), 0
    while site.file.count < packets:
        if streamed < video * site.file.count:
            site.video(site.random.choice(site.cameras), 25)
            streamed += 25
        else:
            site.step()
    return site.close()


def write_video(path, packets, cameras=16, seed=1):
    """A capture of video, with one step of other traffic to forty packets of it."""
    return write_mixed(path, packets, cameras, seed, video=0.97)


def write_flood(path, packets, seed=1):
    """A capture in which every packet has a 5-tuple of its own, from one MAC."""
    site = _Site(path, 1, seed)
    draw = site.random
    for _ in range(packets):
        numbers = draw.getrandbits(96)
        packet = datagram(struct.pack(">I", numbers & 0xFFFFFFFF), numbers >> 32 & 0xFFFF,
                      struct.pack(">I", numbers >> 48 & 0xFFFFFFFF), numbers >> 80, b"x" * 12)
        site.file.frame(GATEWAY + site.cameras[0][0] + b"\x08\0" + packet)
    return site.close()
