"""Captures of the project's own making in which names are hard to find: cut up, out of order, hidden or only hinted at.

Each is a list of frames with the names that must be found by whoever reads it well; `score_names` holds both camvet and
tshark against them: ``python -m tests.scanner.egress.tricky_captures FOLDER`` writes the files.
"""

import os
import struct
import sys
from itertools import pairwise
from pathlib import Path
from random import Random

import wirecraft as craft

CAMERA, CLOUD, RESOLVER = "10.0.0.10", "203.0.113.8", "10.0.0.1"
CAMERA6, CLOUD6 = "2001:db8::10", "2001:db8:1::8"
BACK = (craft.GATEWAY, craft.CAMERA)
SYN = 0x02


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def server_name(name):
    host = name.encode()
    return extension(0, struct.pack(">HBH", len(host) + 3, 0, len(host)) + host)


def hello(name, chance, *, hidden=False, large=0):
    """A ClientHello as a browser sends it: GREASE first and last, the name anywhere between, an encrypted inner one."""
    grease = struct.pack(">H", 0x0A0A + 0x1010 * chance.randrange(16))
    parts = [server_name(name), extension(0x2B, b"\x05" + grease + b"\x03\x04\x03\x03"),
             extension(0x33, struct.pack(">HHH", 36 + large, 0x11EC, 32 + large) + chance.randbytes(32 + large)),
             extension(0x10, b"\0\x03\x02h2"), extension(0x0D, b"\0\x02\x04\x03"), extension(0x17, b"")]
    if hidden:                                     # encrypted client hello, outer: its own name is the one to be seen
        parts.append(extension(0xFE0D, b"\0\0\1\0\1\x42\0\x20" + chance.randbytes(32) + b"\0\xb0"
                               + chance.randbytes(176)))
    chance.shuffle(parts)
    extensions = extension(int.from_bytes(grease, "big"), b"") + b"".join(parts) + extension(0xBABA, b"\0")
    suites = grease + b"\x13\x01\x13\x02\xc0\x2b"
    body = (b"\x03\x03" + chance.randbytes(32) + b"\x20" + chance.randbytes(32) + struct.pack(">H", len(suites))
            + suites + b"\x01\0" + struct.pack(">H", len(extensions)) + extensions)
    return b"\x01" + len(body).to_bytes(3, "big") + body


class Site:
    """Hands out ports and puts frames together."""

    def __init__(self, seed):
        self.chance = Random(seed)
        self.port = 40_000

    def stream(self, octets, cuts, port, *, syn=True, ends=(CAMERA, CLOUD)):
        """One connection whose octets come in these pieces and in this order."""
        self.port += 1
        base = self.chance.getrandbits(32)
        frames = [craft.packet(b"", *ends, self.port, port, "tcp", SYN, sequence=base)] if syn else []
        return frames + [craft.packet(octets[a:b], *ends, self.port, port, "tcp", sequence=base + 1 + a & 0xFFFFFFFF)
                         for a, b in cuts]

    def cuts(self, size, pieces, *, shuffled=False, again=0):
        """So many pieces of a whole, some of them sent again."""
        places = sorted({0, size, *(self.chance.randrange(1, size) for _ in range(pieces - 1))})
        found = list(pairwise(places))
        found += [self.chance.choice(found) for _ in range(again)]
        if shuffled:
            self.chance.shuffle(found)
        return found

    def datagram(self, octets, port, *, ends=(CAMERA, CLOUD)):
        self.port += 1
        return [craft.packet(octets, *ends, self.port, port)]

    def reply(self, octets, port=53):
        return [craft.packet(octets, RESOLVER, CAMERA, port, 41_000, macs=BACK)]


def tls(site):
    frames, names, chance = [], [], site.chance
    for number in range(12):
        name = f"tls{number}.cloud.example"
        message = hello(name, chance, hidden=number % 2 == 0, large=chance.choice((0, 1184)))
        octets = craft.records(message, [chance.randrange(1, 200) for _ in range(number % 4)])
        cuts = site.cuts(len(octets), 1 + number % 5, shuffled=number % 3 == 1, again=number % 3)
        frames += site.stream(octets, cuts, chance.choice((443, 8883, 8443)))
        names.append(name)
    late = hello("again.cloud.example", chance)              # after a request to try again, behind a dummy message
    octets = craft.records(late, []) + b"\x14\x03\x03\0\1\1" + craft.records(late, [])
    return frames + site.stream(octets, [(0, len(octets))], 443), [*names, "again.cloud.example"]


def quic(site):
    from scanner.egress.quic import V2
    frames, names = [], []
    for number, version in enumerate((1, V2, 0xFF00001D, 1, V2, 1)):
        name = f"quic{number}.cloud.example"
        message = hello(name, site.chance, hidden=number % 2 == 0, large=1184)
        datagrams = quic_datagrams(message, version, site.chance, token=site.chance.randbytes((0, 70, 900)[number % 3]))
        site.port += 1
        ends = (CAMERA6, CLOUD6) if number == 3 else (CAMERA, CLOUD)
        frames += [craft.packet(octets, *ends, site.port, 443) for octets in datagrams]
        names.append(name)
    return frames, names


def varint(number, size=2):
    return (number | {1: 0, 2: 1, 4: 2}[size] << (size * 8 - 2)).to_bytes(size, "big")


def quic_datagrams(message, version, chance, *, token=b""):
    """Initial packets with the hello in many frames, out of order, among padding, pings and acknowledgements."""
    from scanner.egress.quic import V2, _keys
    own, keys = chance.randbytes(8), None
    keys = _keys(version, own)
    places = sorted({0, len(message), *(chance.randrange(1, len(message)) for _ in range(9))})
    pieces = [(a, message[a:b]) for a, b in pairwise(places)]
    chance.shuffle(pieces)
    halves = pieces[:len(pieces) // 2], pieces[len(pieces) // 2:]
    sealed = []
    for number, half in enumerate(halves):
        payload = b""
        for at, data in half:
            payload += chance.choice((b"", b"\0" * 7, b"\1", b"\2" + varint(3) + varint(9) + varint(0) + varint(0)))
            payload += b"\6" + varint(at, 4) + varint(len(data)) + data
        payload = payload.ljust(1000, b"\0")
        sealed.append(seal(keys, version, V2, own, token, number, payload))
    other = struct.pack(">BI", 0xD0 if version == V2 else 0xE0, version) + b"\x08" + own + b"\0" + varint(40)
    other += bytes(40)
    return [sealed[1] + other, sealed[0]]          # a packet of another kind behind it; the second half comes first


def seal(keys, version, second, own, token, number, payload):
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    head = (struct.pack(">BI", 0xC1 | (0x10 if version == second else 0), version) + bytes([len(own)]) + own + b"\0"
            + varint(len(token)) + token + varint(len(payload) + 18) + struct.pack(">H", number))
    nonce = (int.from_bytes(keys.iv, "big") ^ number).to_bytes(12, "big")
    sealed = AESGCM(keys.key).encrypt(nonce, payload, head)
    mask = Cipher(algorithms.AES(keys.mask), modes.ECB()).encryptor().update(sealed[2:18])
    return (bytes([head[0] ^ mask[0] & 0x0F]) + head[1:-2]
            + bytes(a ^ b for a, b in zip(head[-2:], mask[1:3], strict=True)) + sealed)


def dtls(site):
    frames, names = [], []
    for number in range(4):
        name = f"dtls{number}.cloud.example"
        inner = hello(name, site.chance)[4:]
        body = b"\xfe\xfd" + inner[2:67] + bytes([8 * (number % 2)]) + bytes(8 * (number % 2)) + inner[67:]
        cuts = site.cuts(len(body), 1 + number, shuffled=number > 1)
        site.port += 1
        for sequence, (a, b) in enumerate(cuts):
            piece = (b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + a.to_bytes(3, "big") + (b - a).to_bytes(3, "big")
                     + body[a:b])
            record = b"\x16\xfe\xfd\0\0" + sequence.to_bytes(6, "big") + struct.pack(">H", len(piece)) + piece
            frames += [craft.packet(record, CAMERA, CLOUD, site.port, 4433)]
        names.append(name)
    return frames, names


def http(site):
    requests = {
        "GET / HTTP/1.1\r\nhOsT:\t  Odd.Case.Example.  \r\n\r\n": ["odd.case.example"],
        "GET / HTTP/1.0\nAccept: */*\nHost: bare.feeds.example\n\n": ["bare.feeds.example"],
        "GET /1 HTTP/1.1\r\nHost: first.pipe.example\r\n\r\nGET /2 HTTP/1.1\r\nHost: second.pipe.example\r\n\r\n": [
            "first.pipe.example", "second.pipe.example"],
        "POST /1 HTTP/1.1\r\nHost: body.pipe.example\r\nContent-Length: 21\r\n\r\nHost: not.a.example\r\n"
        "GET /2 HTTP/1.1\r\nHost: behind.pipe.example\r\n\r\n": ["body.pipe.example", "behind.pipe.example"],
        "GET http://absolute.proxy.example:8080/x HTTP/1.1\r\nAccept: a\r\n\r\n": ["absolute.proxy.example"],
        "CONNECT tunnel.proxy.example:443 HTTP/1.1\r\n\r\n": ["tunnel.proxy.example"],
        "PROPFIND / HTTP/1.1\r\nHost: dav_server.files.example:8080\r\n\r\n": ["dav_server.files.example"],
        "GET /?u=http://query.example/ HTTP/1.1\r\nReferer: http://referer.example/\r\nHost: asked.example\r\n\r\n": [
            "asked.example"],
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nX-Forwarded-Host: forwarded.example\r\n"
        "Host: socket.example\r\n\r\n": ["socket.example"],
    }
    frames, names = [], []
    for number, (text, wanted) in enumerate(requests.items()):
        octets = text.encode()
        cuts = site.cuts(len(octets), 1 + number % 3 * 2, shuffled=number % 2 == 1, again=number % 3)
        if "pipe" in text:
            cuts = [(0, len(octets))]
        frames += site.stream(octets, cuts, site.chance.choice((80, 8080, 3128, 5000)))
        names += wanted
    return frames, names


def pointer(at):
    return struct.pack(">H", 0xC000 | at)


def record(owner, kind, data):
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def message(question, kind, answers=(), authority=(), additional=(), flags=0x8180):
    head = struct.pack(">HHHHHH", 9, flags, 1, len(answers), len(authority), len(additional))
    return head + craft.dns_name(question) + struct.pack(">HH", kind, 1) + b"".join((*answers, *authority, *additional))


def dns(site):
    name = craft.dns_name
    own = pointer(12)
    edns = record(b"\0", 41, b"\0\x0a\0\x08" + bytes(8))
    soa = name("ns0.zone.example") + name("hostmaster.zone.example") + bytes(20)
    replies = [
        message("chain.cams.example", 1, [record(own, 5, name("alias.cdn.example")),
                                          record(name("alias.cdn.example"), 5, name("edge.cdn.example")),
                                          record(name("edge.cdn.example"), 1, craft.address(CLOUD))],
                [record(name("cdn.example"), 2, name("ns1.cdn.example"))],
                [record(name("ns1.cdn.example"), 1, craft.address("203.0.113.53")), edns]),
        message("_sip._udp.voice.example", 33,
                [record(own, 33, struct.pack(">HHH", 1, 1, 5060) + name("sip1.voice.example"))], (),
                [record(name("sip1.voice.example"), 1, craft.address("203.0.113.60"))]),
        message("8.113.0.203.in-addr.arpa", 12, [record(own, 12, name("reverse.host.example"))]),
        message("svcb.cams.example", 65, [record(own, 65, b"\0\1" + name("target.svcb.example") + b"\0\1\0\3\2h3")]),
        message("mail.cams.example", 15, [record(own, 15, b"\0\x0a" + name("mx1.mail.example"))]),
        message("gone.cams.example", 1, (), [record(name("zone.example"), 6, soa)], flags=0x8183),
    ]
    asked = ["chain.cams.example", "_sip._udp.voice.example", "8.113.0.203.in-addr.arpa", "svcb.cams.example",
             "mail.cams.example", "gone.cams.example", "over.tcp.example", "split.tcp.example", "v6.edns.example"]
    seen = ["alias.cdn.example", "edge.cdn.example", "ns1.cdn.example", "cdn.example", "sip1.voice.example",
            "reverse.host.example", "target.svcb.example", "mx1.mail.example", "zone.example", "ns0.zone.example"]
    frames = [frame for octets in replies for frame in site.reply(octets)]
    queries = b"".join(struct.pack(">H", len(octets)) + octets for octets in map(
        craft.dns_query, ("over.tcp.example", "split.tcp.example")))
    frames += site.stream(queries, site.cuts(len(queries), 5, shuffled=True, again=2), 53, ends=(CAMERA, RESOLVER))
    query = message("v6.edns.example", 28, additional=[edns], flags=0x0120)
    return frames + site.datagram(query, 53, ends=(CAMERA6, CLOUD6)), asked + seen


def local(site):
    name = craft.dns_name
    service = name("cam-7._rtsp._tcp.local")
    announced = struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 3) + b"".join((
        record(name("_rtsp._tcp.local"), 12, service), record(service, 33, bytes(6) + name("cam-7.local")),
        record(service, 16, b"\0"), record(name("cam-7.local"), 1, craft.address(CAMERA))))
    probe = (struct.pack(">HHHHHH", 0, 0, 1, 0, 1, 0) + name("cam-8.local") + struct.pack(">HH", 255, 1)
             + record(pointer(12), 1, craft.address(CAMERA)))
    known = (struct.pack(">HHHHHH", 0, 0, 1, 1, 0, 0) + name("_http._tcp.local") + struct.pack(">HH", 12, 1)
             + record(pointer(12), 12, name("other._http._tcp.local")))
    ssdp = (b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nLOCATION: http://cam-7.site.example:49152/d.xml\r\n"
            b"NTS: ssdp:alive\r\n\r\n")
    wsd = (b"<a><d:XAddrs>http://10.0.0.10/onvif http://onvif.site.example/onvif/device_service</d:XAddrs></a>")
    frames = [craft.packet(octets, CAMERA, group, port, port) for octets, group, port in (
        (announced, "224.0.0.251", 5353), (probe, "224.0.0.251", 5353), (known, "224.0.0.251", 5353),
        (ssdp, "239.255.255.250", 1900), (wsd, "239.255.255.250", 3702))]
    frames += [craft.packet(announced.replace(b"cam-7", b"cam-9"), CAMERA, "10.0.0.20", 5353, 51_000)]
    return frames, ["_rtsp._tcp.local", "cam-7._rtsp._tcp.local", "cam-7.local", "cam-8.local", "_http._tcp.local",
                    "other._http._tcp.local", "cam-7.site.example", "onvif.site.example", "cam-9.local",
                    "cam-9._rtsp._tcp.local"]


def none(site):
    """What looks like a name to a careless reader."""
    texts = (b"220 mail.banner.example ESMTP\r\n", b"Host: not.a.request.example\r\n\r\n", b"\x16\x03\x01 tls.example",
             b"GETTY HTTP/1.1\r\nHost: no.method.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nHost: answer.example\r\n\r\n")
    frames = [frame for text in texts for frame in site.stream(text, [(0, len(text))], 9000)]
    serverside = hello("server.said.example", site.chance)
    octets = craft.records(serverside, [])
    frames += [craft.packet(octets, CLOUD, CAMERA, 443, 39_000, "tcp", macs=BACK)]
    fragment = b"\x16\x03\x01\x20\0" + hello("cut.off.example", site.chance)[:40]
    return frames + site.stream(fragment, [(0, len(fragment))], 443), []


KINDS = (tls, quic, dtls, http, dns, local, none)


def tricky(seed=1):
    """By kind: the frames, and the names in them."""
    return {kind.__name__: kind(Site(f"{seed}|{kind.__name__}")) for kind in KINDS}


def main(arguments):
    """Write a capture of each kind into a folder."""
    seed = arguments[1] if len(arguments) > 1 else 1
    for kind, (frames, _) in tricky(seed).items():
        Path(arguments[0], f"{kind}.pcap").write_bytes(craft.pcap(frames))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
