"""A second set of conversations, written from the published descriptions alone and after the reader was.

Where `p2p_traffic` makes each form once, these follow whole sessions as the descriptions tell them: PPPP with a
registration under its own cipher, IOTC with what it carries, Dahua's requests with signatures, Baichuan with its
scrambled XML and the sleeping cameras' heartbeat, TVT between recorder and viewer, Tuya over both transports of the
local protocol. The innocent ones are protocols that begin with fixed octets too, or count, or carry their length.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from random import Random

from tests.scanner.egress.p2p_traffic import Made, Talk

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
PPPP_KINDS = {0x00: (0,), 0x10: (40,), 0x12: (44,), 0x13: (8,), 0x18: (20,), 0x30: (0,), 0x31: (20,), 0x3F: (20, 36),
              0x40: (16,), 0x41: (20,), 0x42: (20,), 0x52: (8, 20), 0x55: (20,), 0xDB: (4, 16), 0xDC: (4, 16),
              0xE0: (0,), 0xE1: (0,), 0xF0: (0,), 0xF9: (84,)}


def port(chance: Random, *usual: int) -> int:
    return chance.choice((*usual, chance.randrange(1024, 65536)))


def pppp_message(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xF1, kind, len(body)) + body


def make_pppp_session(chance: Random) -> Made:
    """A device that registers under the registration's own cipher, then anything its receiving loop is said to take."""
    talk: Talk = [(pppp_message(0x00, b""), True), (pppp_message(0x12, chance.randbytes(44)), True),
                  (pppp_message(0x13, chance.randbytes(8)), False)]
    kinds = list(PPPP_KINDS)
    for _ in range(chance.randint(2, 10)):
        kind = chance.choice(kinds)
        talk.append((pppp_message(kind, chance.randbytes(chance.choice(PPPP_KINDS[kind]))), chance.random() < 0.6))
    return Made("pppp", port(chance, 32100, 32108), talk[chance.randrange(3):])


def make_pppp_late(chance: Random) -> Made:
    """Only one message seen, of those a session is kept alive or held with, or that end it."""
    kind = chance.choice((0x3F, 0x52, 0x55, 0xDB, 0xDC, 0xE0, 0xE1, 0xF0))
    body = chance.randbytes(chance.choice(PPPP_KINDS[kind]))
    return Made("pppp-late", port(chance, 32100), [(pppp_message(kind, body), True)])


def iotc(chance: Random, mode: int, command: int, body: bytes) -> bytes:
    return struct.pack("<BBBBHHHHI", 4, 2, 0x1A, mode, len(body), chance.randrange(1 << 16), command, 0x21,
                       chance.getrandbits(32)) + body


def make_iotc_session(chance: Random) -> Made:
    uid = "".join(chance.choices(LETTERS + "123456789", k=20)).encode()
    number = chance.randbytes(8)
    find = uid + bytes(16) + number + bytes([chance.choice((1, 2))]) + bytes(11) + chance.randbytes(8)
    talk: Talk = [(iotc(chance, 0x02, 0x0601, find), True), (iotc(chance, 0x02, 0x0602, find), False),
                  (iotc(chance, 0x0A, 0x0402, uid + number + bytes(4) + chance.randbytes(4)), True)]
    for _ in range(chance.randint(1, 8)):
        record = bytes([chance.choice((20, 22, 23))]) + b"\xfe\xfd" + chance.randbytes(chance.randint(20, 1200))
        talk.append((iotc(chance, 0x0B, 0x0407, number[:2] + b"\0\1\x0c\0\0\0" + number + record), True))
    return Made("tutk", port(chance, 32761, 10001), talk[chance.randrange(len(talk) - 1):])


def make_iotc_new(chance: Random) -> Made:
    def framed(command: int, body: bytes) -> bytes:
        rest = struct.pack("<HH", chance.randrange(4), chance.getrandbits(16)) + body + chance.randbytes(20)
        return struct.pack("<HHHHHH", 0xCC51, 0, command, len(rest), 0, 0) + rest
    talk = [(framed(0x1002, chance.randbytes(16)), True), (framed(0x1002, chance.randbytes(16)), False)]
    talk += [(framed(0x1502, b"\x17\xfe\xfd" + chance.randbytes(chance.randint(30, 1100))), True) for _ in range(3)]
    return Made("tutk-cc51", port(chance, 32761), talk[chance.randrange(3):])


def make_dahua_session(chance: Random) -> Made:
    """Requests with their signature header, answers, the inverted STUN of the punch, and the phony TCP behind it."""
    serial = "".join(chance.choices("0123456789ABCDEF", k=15))
    talk: Talk = []
    for path in (f"/online/p2psrv/{serial}", f"/device/{serial}/p2p-channel", "/online/relay"):
        body = f"<body><Identify>{chance.randbytes(8).hex()}</Identify></body>" if "channel" in path else ""
        ask = (f"{'DHPOST' if body else 'DHGET'} {path} HTTP/1.1\r\nCSeq: {chance.randrange(1 << 31)}\r\n"
               'Authorization: WSSE profile="UsernameToken"\r\nX-WSSE: UsernameToken Username="P2PClient", '
               f'Nonce="{chance.randrange(1 << 31)}"\r\n\r\n{body}')
        talk += [(ask.encode(), True), (b"HTTP/1.1 200 OK\r\nContent-Type: \r\n\r\n<body/>", False)]
    return Made("dahua", port(chance, 8800), talk)


def make_dahua_punch(chance: Random) -> Made:
    attributes = struct.pack(">HH", 0x0001, 8) + chance.randbytes(8) + struct.pack(">HH", 0x7F, 8) + chance.randbytes(8)
    message = struct.pack(">HH", chance.choice((0x0001, 0x0101)), len(attributes)) + chance.randbytes(16) + attributes
    head = b"PTCP" + struct.pack(">IIIII", 0, 0, 0x2FFFF, 0, 0)
    talk = [(bytes(octet ^ 0xFF for octet in message), chance.random() < 0.5) for _ in range(2)]
    talk += [(head + b"\0\3\1\0", True), (head + b"\x10\0\0\5" + chance.randbytes(4) + bytes(4) + b"RTSP/", True)]
    return Made("dahua-punch", port(chance), talk[chance.randrange(3):])


BAICHUAN = struct.unpack("<8I", bytes.fromhex("4b3c2d1f8d7f6c5a4b2e17385a6371822b1a3f86d8f7c6a5b4e17183a5d3f217"))


def make_reolink_session(chance: Random) -> Made:
    number = chance.getrandbits(24)
    uid = "95270" + "".join(chance.choices("0123456789ABCDEF", k=11))
    xml = f'<P2P><{chance.choice(("C2M_Q", "D2R_HB", "R2D_C"))}><uid>{uid}</uid><p>WIN</p></></P2P>'.encode()
    key = b"".join(struct.pack("<I", word + number & 0xFFFFFFFF) for word in BAICHUAN)
    body = bytes(octet ^ key[place % 32] for place, octet in enumerate(xml))
    ask = b"\x3a\xcf\x87\x2a" + struct.pack("<IIII", len(body), 1, number, zlib.crc32(body)) + body
    talk: Talk = [(ask, True)] * chance.randint(1, 3)
    for sent in range(chance.randint(0, 6)):
        data = chance.randbytes(chance.randint(24, 1330))
        talk += [(b"\x10\xcf\x87\x2a" + struct.pack("<iIII", number, 0, sent, len(data)) + data, True),
                 (b"\x20\xcf\x87\x2a" + struct.pack("<iIIIIII", number, 0, 0, sent, 0, 0, 0), False)]
    return Made("reolink", port(chance, 9999, 58200), talk if chance.random() < 0.6 or len(talk) < 5 else talk[3:])


def make_tvt_server(chance: Random) -> Made:
    """A recorder at its rendezvous: opening, the list of servers as XML, and the end."""
    own = chance.getrandbits(31)
    ids = [struct.pack("<I", own + step & 0xFFFFFFFF) for step in (0, 1, 1, 2)]
    number = str(chance.getrandbits(40))
    xml = f'<Nat version="0.4.0.1"><Cmd id="10002"><DeviceNo>{number}</DeviceNo></Cmd></Nat>'.encode() + b"\0"
    talk: Talk = [(b"\2\0\1\0" + ids[0] + bytes(8) + ids[0] + bytes(4) + b"\xfe\xfe\0\1", True),
                  (b"\2\0\1\0" + ids[0] + ids[1] + bytes(4) + ids[0] * 2 + b"\xfe\xfe\0\1", False),
                  (b"\2\1\1\0" + ids[0] * 3 + ids[1] * 2 + b"\0\1\0\0" + struct.pack("<I", len(xml)) + xml, True),
                  (b"\2\3\1\0" + ids[0] * 2 + ids[1] + bytes(8), True)]
    return Made("tvt", port(chance, 8989, 7968, 8866, 9969), talk[chance.randrange(4):])


def make_tvt_viewer(chance: Random) -> Made:
    """The same recorder and a viewer outside, once they have found each other."""
    own = chance.getrandbits(31)

    def ids(*steps: int) -> bytes:
        return b"".join(struct.pack("<I", own + step & 0xFFFFFFFF) for step in steps)
    data = chance.randbytes(chance.randint(60, 1200))
    talk: Talk = [(b"\1\0\1\0" + ids(0, 0, 0, 1, 0) + b"\xfe\xfe\0\1", True)]
    for step in range(2, 2 + chance.randint(1, 8)):
        talk += [(b"\1\1\1\0" + ids(0, step, step + 2, step + 1, step + 3) + b"1111" + struct.pack("<I", len(data))
                  + data, True), (b"\1\2\1\0" + ids(0, step, step + 1) + bytes(8), False)]
    return Made("tvt-viewer", port(chance), talk[chance.randrange(3):])


def make_tuya_local(chance: Random) -> Made:
    body = chance.randbytes(chance.randint(12, 300))
    if chance.random() < 0.5:
        inner = struct.pack(">III", chance.getrandbits(12), chance.choice((0x07, 0x09, 0x13, 0x23)), len(body) + 8)
        frame = b"\0\0\x55\xaa" + inner + body
        frame += struct.pack(">I", zlib.crc32(frame)) + b"\0\0\xaa\x55"
    else:
        inner = struct.pack(">HIII", 0, chance.getrandbits(12), chance.choice((0x13, 0x23, 0x40)), len(body) + 28)
        frame = b"\0\0\x66\x99" + inner + chance.randbytes(12) + body + chance.randbytes(16) + b"\0\0\x99\x66"
    return Made("tuya", port(chance, 6667, 7000), [(frame, True)] * chance.randint(1, 4))


POSITIVES: tuple[Callable[[Random], Made], ...] = (
    make_pppp_session, make_pppp_late, make_iotc_session, make_iotc_new, make_dahua_session, make_dahua_punch,
    make_reolink_session, make_tvt_server, make_tvt_viewer, make_tuya_local)


# What is none of it ---------------------------------------------------------------------------------------------------

def many(kind: str, at: int, chance: Random, make: Callable[[int], bytes], count: int = 60) -> Made:
    return Made(kind, at, [(make(number), chance.random() < 0.6) for number in range(count)])


def make_webrtc(chance: Random) -> Made:
    """STUN checks, DTLS, SRTP and SRTCP on one port, as RFC 7983 mixes them."""
    source = chance.randbytes(4)

    def one(number: int) -> bytes:
        if number < 3:
            return struct.pack(">HHI", chance.choice((1, 0x101)), 24, 0x2112A442) + chance.randbytes(36)
        if number < 6:
            return b"\x16\xfe\xff\0\0" + chance.randbytes(6) + b"\0\x40" + chance.randbytes(64)
        if chance.random() < 0.2:
            return b"\x81\xc8\0\6" + source + chance.randbytes(34)
        head = struct.pack(">BBHI", 0x90, 96, number, number * 3000)
        return head + source + chance.randbytes(chance.randint(20, 1100))
    return many("webrtc", 50_000 + chance.randrange(9000), chance, one)


def make_zoom(chance: Random) -> Made:
    return many("zoom", 8801, chance, lambda n: bytes([5, chance.choice((0x0F, 0x10))]) + struct.pack(">HI", n, n * 90)
                + chance.randbytes(chance.randint(24, 1100)))


def make_quic_multi(chance: Random) -> Made:
    own = chance.randbytes(8)
    return many("quic", 443, chance, lambda n: bytes([0x40 | chance.randrange(64)]) + own
                + chance.randbytes(chance.randint(17, 1200)))


def make_enet(chance: Random) -> Made:
    own = struct.pack(">H", 0x8000 | chance.randrange(4096))
    return many("enet", 7777, chance, lambda n: own + struct.pack(">HBBH", n * 16, chance.choice((1, 6, 0x86)), 0, n)
                + chance.randbytes(chance.randint(0, 500)))


def make_kcp(chance: Random) -> Made:
    own = chance.randbytes(4)

    def one(number: int) -> bytes:
        data = chance.randbytes(chance.randint(0, 1300))
        return own + struct.pack("<BBHIIII", chance.choice((81, 82)), 0, 128, number, number, number, len(data)) + data
    return many("kcp", chance.randrange(1024, 65536), chance, one)


def make_srt(chance: Random) -> Made:
    own = chance.randbytes(4)
    return many("srt", 9000, chance, lambda n: struct.pack(">III", n if n % 9 else 1 << 31, 0xC0000000 | n, n * 900)
                + own + chance.randbytes(chance.choice((0, 188 * 7))))


def make_snmp(chance: Random) -> Made:
    return many("snmp", 161, chance, lambda n: b"\x30\x29\2\1\1\4\6public\xa0\x1c\2\4" + chance.randbytes(4)
                + b"\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08+\6\1\2\1\1\1\0\5\0", 12)


def make_iperf(chance: Random) -> Made:
    return many("iperf", 5001, chance, lambda n: struct.pack(">III", n, 1_790_000_000, n * 1000) + bytes(1458))


def make_flows(chance: Random) -> Made:
    return many("netflow", 2055, chance, lambda n: struct.pack(">HHIIII", 9, 12, n, 1_790_000_000, n, 1)
                + chance.randbytes(chance.randint(60, 1300)))


def make_radius(chance: Random) -> Made:
    def one(number: int) -> bytes:
        body = chance.randbytes(chance.randint(20, 200))
        return struct.pack(">BBH", chance.choice((1, 2, 4, 5)), number, len(body) + 20) + chance.randbytes(16) + body
    return many("radius", 1812, chance, one)


def make_own_lengths(chance: Random) -> Made:
    """Somebody's own binary protocol with a fixed first octet or two, a type, and a length in any place and order."""
    magic, order, extra = chance.randbytes(chance.choice((1, 2))), chance.choice("<>"), chance.randrange(0, 17)

    def one(number: int) -> bytes:
        body = chance.randbytes(chance.choice((0, 4, 16, 20, 36, 44, chance.randint(0, 300))))
        return magic + bytes([chance.randrange(256)]) + struct.pack(order + "H", len(body) + extra) + body
    return many("own lengths", chance.randrange(1024, 65536), chance, one, 100)


def make_zeros(chance: Random) -> Made:
    """Keeping a line open with next to nothing, and words that only differ in a counter."""
    word = chance.choice((b"\0", b"\0\0\0\0", b"\1\0\0\0", b"\2\0\1\0", b"\xff\xff\xff\xff", b"ping", b"\0\0\0\1"))
    return many("keeping open", chance.randrange(1024, 65536), chance, lambda n: word * chance.randint(1, 8)
                + struct.pack("<I", n)[:chance.randrange(5)], 60)


INNOCENTS: tuple[Callable[[Random], Made], ...] = (
    make_webrtc, make_zoom, make_quic_multi, make_enet, make_kcp, make_srt, make_snmp, make_iperf, make_flows,
    make_radius, make_own_lengths, make_zeros)
