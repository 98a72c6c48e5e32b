"""Files and texts made to exhaust or to fool who reads them, beside those that the codecs' own tests hold."""

import gzip
import tracemalloc
import zlib

import pytest

from camvet.terminal import Terminal
from scanner import egress
from scanner.wire import message

FRAME = bytes(12) + b"\x08\x00" + b"\x45" + bytes(45)
RECORD = bytes(8) + len(FRAME).to_bytes(4, "little") * 2 + FRAME
PCAP = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + (65_535).to_bytes(4, "little") + (1).to_bytes(4, "little")
SECTION = (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0" + b"\xff" * 8 + b"\x1c\0\0\0"
           + b"\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0")
MOST = 48 << 20


def captured(tmp_path, data):
    """The capture in `data`, and the most memory that reading it took."""
    path = tmp_path / "capture"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        return egress.read(path), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_small_compressed_capture_of_very_many_packets_stays_small(tmp_path):
    packed = gzip.compress(PCAP + RECORD * 60_000)
    assert len(packed) < 40_000
    capture, taken = captured(tmp_path, packed)
    assert capture.packets == 60_000
    assert taken < MOST


@pytest.mark.parametrize("kind", [1, 3, 6, 0x0A0D0D0A, 0x0BAD])
def test_a_block_that_says_it_is_four_gigabytes_long_is_damage(tmp_path, kind):
    block = kind.to_bytes(4, "little") + b"\xfc\xff\xff\xff" + bytes(400)
    capture, taken = captured(tmp_path, SECTION + block)
    assert capture.trouble
    assert taken < MOST


@pytest.mark.parametrize("encoding", ["gzip, gzip, gzip", "gzip"])
def test_a_body_packed_three_times_is_unpacked_once_at_most(encoding):
    packed = b"A" * 20_000_000
    for _ in range(3):
        packed = gzip.compress(packed, mtime=0)
    tracemalloc.start()
    reply = message.read(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding.encode() + b"\r\n\r\n" + packed, "HTTP")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reply.body in (packed, zlib.decompress(packed, 47))
    assert taken < 4 << 20


@pytest.mark.parametrize("name", ["[link=http://192.0.2.1]click[/link]", "[/nope]", "[bold red]approved[/]"])
def test_what_a_device_is_called_is_never_read_as_markup(capsys, name):
    Terminal().text(name)
    Terminal().styled_text(("APPROVED", "green"), f" {name}")
    assert capsys.readouterr().out == f"{name}\nAPPROVED {name}\n"
