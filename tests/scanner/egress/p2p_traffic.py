"""Traffic of the project's own making: peer-to-peer as the published forms have it, and what looks a little like it.

Every maker of a conversation takes a source of chance and gives the datagrams (payload, outward) of one conversation
and the server's port. The scrambling is written here a second time, from the sender's side, so that the reader is not
tested against itself. Sources of each form are in ``docs/egress.md``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from scanner.egress.scrambled import PPPP_KEYS, PPPP_TABLE

Talk = list[tuple[bytes, bool]]
LETTERS = "BCDEFGHJKLMNPRSTUVWXYZ"


class Made(NamedTuple):
    """One conversation: its kind, the server's port, and datagrams with whether the device sent them."""

    kind: str
    port: int
    datagrams: Talk


# PPPP -----------------------------------------------------------------------------------------------------------------

def pppp(kind: int, payload: bytes = b"") -> bytes:
    return bytes([0xF1, kind]) + struct.pack(">H", len(payload)) + payload


def uid(chance: Random) -> bytes:
    prefix = "".join(chance.choices(LETTERS, k=chance.randint(3, 7))).encode()
    check = "".join(chance.choices(LETTERS, k=5)).encode()
    return prefix.ljust(8, b"\0") + struct.pack(">I", chance.randrange(1_000_000)) + check.ljust(8, b"\0")


def endpoint(chance: Random) -> bytes:
    return struct.pack("<HH", 2, chance.randrange(1024, 65536)) + chance.randbytes(4) + bytes(8)


def pppp_talk(chance: Random) -> Talk:
    """Hello, login and keeping alive; with luck somebody calls, and video follows."""
    own = uid(chance)
    talk = [(pppp(0x00), True), (pppp(0x01, endpoint(chance)), False),
            (pppp(0x10, own + bytes(4) + endpoint(chance)), True), (pppp(0x11, bytes(4)), False)]
    for _ in range(chance.randint(1, 6)):
        talk += [(pppp(0xE0), True), (pppp(0xE1), False)]
    if chance.random() < 0.4:
        talk += [(pppp(0x40, endpoint(chance)), False), (pppp(0x41, own), True), (pppp(0x42, own), True)]
        for number in range(chance.randint(1, 20)):
            body = b"\xd1\x01" + struct.pack(">H", number) + chance.randbytes(chance.randint(4, 1024))
            talk += [(pppp(0xD0, body), True), (pppp(0xD1, b"\xd1\x01\0\1" + struct.pack(">H", number)), False)]
    return talk


def pppp_scramble(data: bytes, key: str) -> bytes:
    """The sender's side of CS2's scrambling: each octet sent chooses for the next."""
    octets = key.encode()
    folded = 0
    for octet in octets:
        folded ^= octet
    numbers = [sum(octets), -sum(octets), sum(octet // 3 for octet in octets), folded]
    out = bytearray()
    for octet in data:
        last = out[-1] if out else 0
        out.append(octet ^ int(PPPP_TABLE[(numbers[last & 3] + last) & 0xFF]))
    return bytes(out)


def make_pppp(chance: Random) -> Made:
    return Made("pppp", chance.choice((32100, 32100, chance.randrange(1024, 65536))), pppp_talk(chance))


def make_pppp_scrambled(chance: Random) -> Made:
    key = chance.choice(PPPP_KEYS)
    return Made("pppp-scrambled", chance.choice((32100, chance.randrange(1024, 65536))),
                [(pppp_scramble(data, key), out) for data, out in pppp_talk(chance)])


def make_ilnk(chance: Random) -> Made:
    own = uid(chance)
    talk = [(pppp(0x10, own + chance.randbytes(20)), True), (pppp(0x11, bytes(4)), False)]
    talk += [(b"\xa1\0\0\x14" + own, True)] * chance.randint(1, 4)
    return Made("ilnk", chance.choice((32100, 32101, chance.randrange(1024, 65536))), talk)


# ThroughTek -----------------------------------------------------------------------------------------------------------

SWAP = (11, 9, 8, 15, 13, 10, 12, 14, 2, 1, 5, 0, 6, 4, 7, 3)
SENTENCE = b"Charlie is the designer of P2P!!"


def right(word: int, by: int) -> int:
    return (word >> by | word << 32 - by) & 0xFFFFFFFF


def iotc_scramble(data: bytes) -> bytes:
    """The sender's side: turn, XOR with the sentence, swap, turn; what is left of 16 octets is XORed alone."""
    out = b""
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        words = struct.unpack("<4I", data[at:at + 16])
        turned = struct.pack("<4I", *(right(word, 4 * n + 1) for n, word in enumerate(words)))
        mixed = bytes(a ^ b for a, b in zip(turned, SENTENCE, strict=False))
        swapped = bytes(mixed[place] for place in SWAP)
        out += struct.pack("<4I", *(right(word, 4 * n + 3) for n, word in enumerate(struct.unpack("<4I", swapped))))
    return out + bytes(a ^ b for a, b in zip(data[whole:], SENTENCE, strict=False))


def iotc(chance: Random, command: int, body: bytes, mode: int = 0x0A) -> bytes:
    return struct.pack("<BBBBHHHHI", 4, 2, chance.choice((0x12, 0x16, 0x19, 0x1A)), mode, len(body),
                       chance.randrange(4), command, 0x12, chance.getrandbits(32)) + body


def iotc_talk(chance: Random) -> Talk:
    own = "".join(chance.choices(LETTERS + "123456789", k=20)).encode()
    talk = [(iotc(chance, 0x0601, own + chance.randbytes(44), 0x02), True),
            (iotc(chance, 0x0402, own + chance.randbytes(16)), True),
            (iotc(chance, 0x0404, chance.randbytes(24)), False)]
    for _ in range(chance.randint(1, 5)):
        talk += [(iotc(chance, 0x0427, chance.randbytes(8)), True), (iotc(chance, 0x0428, chance.randbytes(8)), False)]
    if chance.random() < 0.3:
        talk += [(iotc(chance, 0x0407, chance.randbytes(chance.randint(32, 1200)), 0x0B), True) for _ in range(5)]
    return talk


def make_tutk(chance: Random) -> Made:
    return Made("tutk", chance.choice((10001, 10240, chance.randrange(1024, 65536))), iotc_talk(chance))


def make_tutk_scrambled(chance: Random) -> Made:
    return Made("tutk-scrambled", chance.choice((10001, chance.randrange(1024, 65536))),
                [(iotc_scramble(data), out) for data, out in iotc_talk(chance)])


def make_tutk_cc51(chance: Random) -> Made:
    def frame(command: int, number: int, body: bytes) -> bytes:
        rest = struct.pack("<HH", number, chance.getrandbits(16)) + chance.randbytes(8) + body + chance.randbytes(20)
        return struct.pack("<HHHHHH", 0xCC51, 0, command, len(rest), 0, 0) + rest
    talk = [(frame(0x1002, number, b"\0\x08\x03\x04\x1d\0\0\0"), number % 2 == 0) for number in range(4)]
    talk += [(frame(0x1502, 0x10, b"\1\0\0\0" + chance.randbytes(chance.randint(40, 900))), True) for _ in range(4)]
    return Made("tutk-cc51", chance.choice((32761, chance.randrange(1024, 65536))), talk)


# Others ---------------------------------------------------------------------------------------------------------------

def make_dahua(chance: Random) -> Made:
    serial = "".join(chance.choices("0123456789ABCDEF", k=15))
    path = chance.choice(("/probe/p2psrv", f"/online/p2psrv/{serial}", f"/probe/device/{serial}", "/online/relay"))
    ask = f"{chance.choice(('DHGET', 'DHPOST'))} {path} HTTP/1.1\r\nCSeq: {chance.randrange(1, 1 << 31)}\r\n\r\n"
    return Made("dahua", chance.choice((8800, chance.randrange(1024, 65536))),
                [(ask.encode(), True), (b"HTTP/1.1 200 OK\r\nCSeq: 1\r\n\r\n", False)] * chance.randint(1, 4))


def make_dahua_relay(chance: Random) -> Made:
    def frame(body: bytes) -> bytes:
        return b"PTCP" + struct.pack(">5I", *(chance.getrandbits(16) for _ in range(5))) + body
    data = [chance.randbytes(chance.randint(1, 1200)) for _ in range(5)]
    talk = [(frame(b"\0\3\1\0"), True)]
    talk += [(frame(struct.pack(">III", 0x10000000 | len(d), chance.getrandbits(32), 0) + d), True) for d in data]
    return Made("dahua-relay", chance.randrange(1024, 65536), talk)


def make_dahua_stun(chance: Random) -> Made:
    attributes = b"".join(struct.pack(">HH", kind, 8) + chance.randbytes(8) for kind in (0x0001, 0x8022))
    message = struct.pack(">HHI", 1, len(attributes), 0x2112A442) + chance.randbytes(12) + attributes
    return Made("dahua-stun", chance.choice((8800, chance.randrange(1024, 65536))),
                [(bytes(255 - octet for octet in message), True)] * 3)


def make_reolink(chance: Random) -> Made:
    xml = chance.randbytes(chance.randint(60, 400))
    talk = [(b"\x3a\xcf\x87\x2a" + struct.pack("<IIII", len(xml), 1, chance.getrandbits(32), chance.getrandbits(32))
             + xml, True)]
    for number in range(chance.randint(0, 8)):
        data = chance.randbytes(chance.randint(20, 1350))
        talk += [(b"\x10\xcf\x87\x2a" + struct.pack("<IIII", 7, 0, number, len(data)) + data, True),
                 (b"\x20\xcf\x87\x2a" + struct.pack("<IIIIII", 7, 0, 0, number, 0, 0), False)]
    return Made("reolink", chance.choice((9999, 58200, chance.randrange(1024, 65536))), talk)


def make_tvt(chance: Random) -> Made:
    own, other = chance.randbytes(4), chance.randbytes(4)
    number = str(chance.getrandbits(40)).encode()
    xml = b'<Nat version="0.4.0.1"><Cmd id="10002"><DeviceNo>' + number + b"</DeviceNo></Cmd></Nat>\0"
    talk = [(b"\2\0\1\0" + own + bytes(8) + own + bytes(4) + b"\xfe\xfe\0\1", True),
            (b"\2\0\1\0" + own + other + bytes(4) + own + own + b"\xfe\xfe\0\1", False),
            (b"\2\1\1\0" + own + other + own + other + own + b"\0\1\0\0" + struct.pack("<I", len(xml)) + xml, True)]
    return Made("tvt", chance.choice((8989, 8990, chance.randrange(1024, 65536))), talk[chance.randrange(3):])


def make_tuya(chance: Random) -> Made:
    body = chance.randbytes(chance.randint(12, 240))
    older = struct.pack(">IIII", 0x55AA, chance.getrandbits(16), 19, len(body) + 8) + body
    older += chance.randbytes(4) + b"\0\0\xaa\x55"
    newer = b"\0\0\x66\x99" + struct.pack(">HIII", 0, chance.getrandbits(16), 19, len(body)) + body + b"\0\0\x99\x66"
    return Made("tuya", chance.choice((6667, 7000, chance.randrange(1024, 65536))),
                [(chance.choice((older, newer)), True)] * 3)


POSITIVES: tuple[Callable[[Random], Made], ...] = (
    make_pppp, make_pppp_scrambled, make_ilnk, make_tutk, make_tutk_scrambled, make_tutk_cc51, make_dahua,
    make_dahua_relay, make_dahua_stun, make_reolink, make_tvt, make_tuya)


# What is none of it ---------------------------------------------------------------------------------------------------

def make_quic(chance: Random) -> Made:
    first = bytes([0xC0 | chance.randrange(16)]) + b"\0\0\0\1\x08" + chance.randbytes(8)
    first += b"\0\0\x44\xd0" + chance.randbytes(1180)
    short = [(bytes([0x40 | chance.randrange(64)]) + chance.randbytes(chance.randint(21, 1200)), chance.random() < 0.5)
             for _ in range(60)]
    return Made("quic", 443, [(first, True), *short])


def make_dtls(chance: Random) -> Made:
    def record(kind: int, body: bytes, epoch: int) -> bytes:
        head = bytes([kind]) + b"\xfe\xfd" + struct.pack(">HHI", epoch, 0, chance.getrandbits(32))
        return head + struct.pack(">H", len(body)) + body
    return Made("dtls", 4433, [(record(chance.choice((20, 22, 23)), chance.randbytes(chance.randint(1, 900)), 1), True)
                               for _ in range(40)])


def make_rtp(chance: Random) -> Made:
    source, start = chance.randbytes(4), chance.getrandbits(15)
    return Made("rtp", 5004, [(struct.pack(">BBHI", 0x80, 96 | (n % 8 == 0) << 7, start + n, n * 3000) + source
                               + chance.randbytes(chance.choice((160, 320, 1200, 1388))), True) for n in range(80)])


def make_wireguard(chance: Random) -> Made:
    talk = [(b"\1\0\0\0" + chance.randbytes(144), True), (b"\2\0\0\0" + chance.randbytes(88), False)]
    talk += [(b"\4\0\0\0" + chance.randbytes(4) + struct.pack("<Q", n) + chance.randbytes(16 * chance.randint(1, 80)),
              chance.random() < 0.5) for n in range(60)]
    return Made("wireguard", 51820, talk)


def make_openvpn(chance: Random) -> Made:
    return Made("openvpn", 1194, [(bytes([0x38 if n < 2 else 0x48]) + chance.randbytes(chance.randint(13, 1200)), True)
                                  for n in range(60)])


def make_ipsec(chance: Random) -> Made:
    return Made("ipsec", 4500, [(chance.choice((bytes(4), b"")) + chance.randbytes(4 * chance.randint(8, 300)), True)
                                for _ in range(60)])


def make_dns(chance: Random) -> Made:
    name = b"".join(bytes([n]) + bytes(chance.choices(range(97, 123), k=n)) for n in (5, 9, 3)) + b"\0"
    return Made("dns", 53, [(chance.randbytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1", True)
                            for _ in range(8)])


def make_ntp(chance: Random) -> Made:
    return Made("ntp", 123, [(b"\x23" + bytes(39) + chance.randbytes(8), True),
                             (b"\x24\2\3\xe8" + chance.randbytes(44), False)] * 4)


def make_dht(chance: Random) -> Made:
    return Made("dht", chance.randrange(1024, 65536), [
        (b"d1:ad2:id20:" + chance.randbytes(20) + b"9:info_hash20:" + chance.randbytes(20) + b"e1:q9:get_peers1:t2:"
         + chance.randbytes(2) + b"1:y1:qe", chance.random() < 0.5) for _ in range(30)])


def make_utp(chance: Random) -> Made:
    return Made("utp", chance.randrange(1024, 65536), [
        (bytes([chance.choice((0x01, 0x11, 0x21, 0x31, 0x41)), 0]) + chance.randbytes(18)
         + chance.choice((b"", chance.randbytes(chance.randint(1, 1380)))), True) for _ in range(60)])


def make_game(chance: Random) -> Made:
    heads = (b"\xff\xff\xff\xffTSource Engine Query\0",
             b"\x05\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78", b"\x84" + chance.randbytes(3),
             b"\xc0\0\1\1" + chance.randbytes(3), b"SAMP" + chance.randbytes(7))
    return Made("game", chance.choice((27015, 19132, 7777)),
                [(chance.choice(heads) + chance.randbytes(chance.randint(0, 300)), True) for _ in range(60)])


def make_coap(chance: Random) -> Made:
    return Made("coap", 5683, [(bytes([chance.choice((0x40, 0x44, 0x50, 0x60)), chance.choice((1, 2, 0x45, 0x84))])
                                + struct.pack(">H", n) + chance.randbytes(chance.randint(0, 80)), True)
                               for n in range(30)])


def make_text(chance: Random) -> Made:
    words = (b"<134>1 2026-11-22T10:00:00Z cam - - - ok", b"OPTIONS sip:a@203.0.113.8 SIP/2.0\r\n\r\n", b"{\"seq\":%d}",
             b"HELLO", b"M-SEARCH * HTTP/1.1\r\n\r\n", b"ping", b"\0\1boot.img\0octet\0", b"PING %d")
    return Made("text", chance.choice((514, 5060, 69, 9000)),
                [(chance.choice(words) + str(n).encode(), True) for n in range(20)])


def make_counters(chance: Random) -> Made:
    """Binary of somebody's own: a magic, a count, a length that agrees, and numbers."""
    magic = chance.randbytes(2)
    talk = []
    for number in range(40):
        body = chance.randbytes(chance.randint(0, 120))
        talk.append((magic + struct.pack(chance.choice(("<HI", ">HI")), len(body), number) + body, True))
    return Made("counters", chance.randrange(1024, 65536), talk)


def make_noise(chance: Random) -> Made:
    most = chance.choice((8, 24, 64, 200, 1200))
    return Made("noise", chance.randrange(1024, 65536),
                [(chance.randbytes(chance.randint(1, most)), chance.random() < 0.5) for _ in range(100)])


INNOCENTS: tuple[Callable[[Random], Made], ...] = (
    make_quic, make_dtls, make_rtp, make_wireguard, make_openvpn, make_ipsec, make_dns, make_ntp, make_dht, make_utp,
    make_game, make_coap, make_text, make_counters, make_noise)


def conversations(seed: int, each: int, makers: tuple[Callable[[Random], Made], ...]) -> Iterator[Made]:
    """`each` conversations of every maker, of one seed."""
    for maker in makers:
        chance = Random(f"{seed}|{maker.__name__}")
        for _ in range(each):
            yield maker(chance)
