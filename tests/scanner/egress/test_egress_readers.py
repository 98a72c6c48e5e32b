"""Capture files: byte orders, resolutions, link types, and every kind of damage."""

import io

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import egress
from scanner.egress.dissect import Packet, Undecoded, dissect
from scanner.egress.readers import MAX_FRAME, Frame, PcapReader

QUERY = craft.packet(craft.dns_query("time.example.org"), "10.0.0.10", "10.0.0.1", 40000, 53)


def read(data):
    return egress.read(io.BytesIO(data))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nanoseconds", "expected"), [
    (False, 1_700_000_000_000_005_000), (True, 1_700_000_000_000_000_005)])
def test_both_orders_and_both_resolutions(order, nanoseconds, expected):
    capture = read(craft.pcap([QUERY], order, nanoseconds))
    assert capture.complete
    assert capture.packets == 1
    assert capture.first_ns == expected


def test_by_path_and_a_missing_file(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(craft.pcap([QUERY]))
    assert egress.read(path).packets == 1
    assert egress.read(str(path)).packets == 1
    with pytest.raises(FileNotFoundError):
        egress.read(tmp_path / "none.pcap")


@pytest.mark.parametrize(("data", "trouble"), [
    (b"", "empty file"),
    (b"GIF89a", "not a pcap file"),
    (b"\x0a\x0d\x0d\x0a" + bytes(40), "pcapng is not read yet"),
    (craft.pcap([QUERY])[:20], "cut short in the file header"),
    (craft.pcap([QUERY, QUERY])[:-1], "cut short in a frame"),
    (craft.pcap([QUERY]) + b"\0\0\0", "cut short in a record header"),
    (craft.pcap([QUERY]) + b"\0" * 8 + b"\xff" * 8, f"damaged record: {0xFFFFFFFF} octets in one frame"),
])
def test_damage_gives_a_partial_answer_that_says_so(data, trouble):
    capture = read(data)
    assert capture.trouble == trouble
    assert not capture.complete
    assert capture.packets == (1 if len(data) > 40 and data[:1] == b"\xd4" else 0)


def test_a_frame_of_the_largest_size_is_read_and_one_octet_more_is_damage():
    largest = QUERY + bytes(MAX_FRAME - len(QUERY))
    assert read(craft.pcap([largest])).packets == 1
    assert read(craft.pcap([largest + b"\0"])).trouble.startswith("damaged record")


def link(number, data):
    return dissect(Frame(0, number, data, len(data)))


UDP4 = craft.ipv4(craft.udp(b"x", 1000, 53), "10.0.0.10", "10.0.0.1", 17)
UDP6 = craft.ipv6(craft.udp(b"x", 1000, 53), "fd00::10", "fd00::1", 17)
SLL = b"\0\0\0\1\0\6" + craft.mac(craft.CAMERA) + b"\0\0" + b"\x08\x00"
SLL2 = b"\x86\xdd\0\0\0\0\0\2\0\1\4\6" + craft.mac(craft.CAMERA) + b"\0\0"


@pytest.mark.parametrize(("number", "data", "source", "mac"), [
    (1, craft.ethernet(UDP4), "10.0.0.10", craft.CAMERA),
    (1, craft.ethernet(UDP4, vlans=[(0x8100, 20)]), "10.0.0.10", craft.CAMERA),
    (1, craft.ethernet(UDP6, kind=0x86DD, vlans=[(0x88A8, 5), (0x8100, 20)]), "fd00::10", craft.CAMERA),
    (113, SLL + UDP4, "10.0.0.10", craft.CAMERA),
    (276, SLL2 + UDP6, "fd00::10", craft.CAMERA),
    (101, UDP4, "10.0.0.10", ""),
    (101, UDP6, "fd00::10", ""),
    (228, UDP4, "10.0.0.10", ""),
    (229, UDP6, "fd00::10", ""),
    (0, b"\x02\0\0\0" + UDP4, "10.0.0.10", ""),
])
def test_link_types(number, data, source, mac):
    packet = link(number, data)
    assert isinstance(packet, Packet)
    assert (packet.source, packet.source_mac, packet.protocol, packet.destination_port) == (source, mac, "udp", 53)
    assert packet.payload == b"x"


@pytest.mark.parametrize(("number", "data", "reason"), [
    (1, b"", "short frame"),
    (1, craft.ethernet(b"", kind=0x0806), "arp"),
    (1, craft.ethernet(b"", kind=0x88CC), "not ip"),
    (1, craft.ethernet(b"\x45"), "short ip"),
    (1, craft.ethernet(b"\x41" + UDP4[1:]), "short ip"),
    (1, craft.ethernet(UDP4, vlans=[(0x8100, 1)] * 9), "too many vlan tags"),
    (1, craft.ethernet(craft.ipv4(b"later part", "10.0.0.1", "10.0.0.2", 17, fragment=100)), "fragment"),
    (1, craft.ethernet(craft.ipv4(b"xx", "10.0.0.1", "10.0.0.2", 6)), "short transport"),
    (1, craft.ethernet(craft.ipv6(b"", "fd00::1", "fd00::2", 59), kind=0x86DD), "no transport"),
    (113, b"\0" * 15, "short frame"),
    (127, b"\0" * 60, "link type 127"),
])
def test_what_is_not_decoded_is_named(number, data, reason):
    assert link(number, data) == Undecoded(reason)


def test_ipv6_extension_headers_are_walked():
    hop = b"\x2c\x00" + bytes(6)                      # hop-by-hop, then a fragment header at offset 0
    first_fragment = b"\x11\x00\x00\x01" + bytes(4)
    data = craft.ipv6(craft.udp(b"x", 1, 53), "fd00::1", "fd00::2", 17, extensions=hop + first_fragment, first=0)
    packet = link(229, data)
    assert isinstance(packet, Packet)
    assert packet.destination_port == 53


def test_ethernet_padding_is_no_payload():
    packet = link(1, craft.ethernet(UDP4) + bytes(30))
    assert isinstance(packet, Packet)
    assert packet.payload == b"x"


def test_a_mapped_address_is_read_as_ipv4():
    packet = link(229, craft.ipv6(craft.udp(b"", 1, 2), "::ffff:10.0.0.1", "::ffff:203.0.113.5", 17))
    assert isinstance(packet, Packet)
    assert (packet.source, packet.destination) == ("10.0.0.1", "203.0.113.5")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([0, 1, 12, 101, 113, 228, 229, 276, 999]))
def test_no_octets_make_a_frame_raise(data, number):
    assert isinstance(link(number, data), Packet | Undecoded)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_octets_make_a_file_raise(tail):
    data = craft.pcap([QUERY]) + tail
    capture = read(data)
    assert capture.packets >= 1
    assert sum(capture.undecoded.values()) + sum(c.packets for c in capture.conversations) == capture.packets


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_flipped_octet_never_raises(data):
    octets = bytearray(craft.pcap([QUERY, craft.packet(craft.client_hello("a.example.org"), "10.0.0.10", "203.0.113.9",
                                                       40000, 443, "tcp")]))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    assert read(bytes(octets)).packets <= 2


def test_a_reader_says_nothing_of_trouble_where_there_is_none():
    reader = PcapReader(io.BytesIO(craft.pcap([])))
    assert list(reader) == []
    assert reader.trouble == ""
