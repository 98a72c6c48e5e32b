"""VXLAN: the frames that a mirror port wraps are read with the MACs of their own; the wrapping stays visible."""

import io

import pytest
import wirecraft as craft
from hypothesis import given
from hypothesis import strategies as st

from scanner import egress

TAP, COLLECTOR = "02:00:00:00:0A:01", "02:00:00:00:0A:02"
QUERY = craft.packet(craft.dns_query("p2p.cloud.example"), "10.0.0.10", "10.0.0.1", 40000, 53)
CALL = craft.packet(b"x", "10.0.0.10", "203.0.113.8", 40000, 8800)


def vxlan(frame, *, flags=0x08, port=4789, source="192.0.2.1", vlans=()):
    body = craft.udp(bytes([flags, 0, 0, 0, 0, 0, 7, 0]) + frame, 50000, port)
    if ":" in source:
        return craft.ethernet(craft.ipv6(body, source, "2001:db8::2", 17), TAP, COLLECTOR, 0x86DD, vlans)
    return craft.ethernet(craft.ipv4(body, source, "192.0.2.2", 17), TAP, COLLECTOR, vlans=vlans)


def read(*frames):
    return egress.read(io.BytesIO(craft.pcap(list(frames))))


def talks(capture):
    return {(c.mac, c.source, c.destination, c.port, c.packets, c.tunnel) for c in capture.conversations}


INNER = (craft.CAMERA, "10.0.0.10", "203.0.113.8", 8800, 1, True)


@pytest.mark.parametrize(("outer", "source"), [
    (vxlan(CALL), "192.0.2.1"), (vxlan(CALL, source="2001:db8::1"), "2001:db8::1"),
    (vxlan(CALL, vlans=[(0x8100, 3)]), "192.0.2.1"), (vxlan(CALL, vlans=[(0x88A8, 3), (0x8100, 4)]), "192.0.2.1"),
    (vxlan(craft.ethernet(CALL[14:], vlans=[(0x8100, 20)])), "192.0.2.1"), (vxlan(CALL, flags=0x88), "192.0.2.1")])
def test_the_inner_frame_belongs_to_the_inner_station(outer, source):
    capture = read(outer)
    collector = "2001:db8::2" if ":" in source else "192.0.2.2"
    assert talks(capture) == {(TAP, source, collector, 4789, 1, False), INNER}
    assert capture.addresses == {TAP: (source,), craft.CAMERA: ("10.0.0.10",)}
    assert (capture.packets, capture.undecoded) == (1, {})


def test_names_inside_are_the_inner_stations():
    capture = read(vxlan(QUERY), vxlan(craft.packet(craft.client_hello("a.cloud.example"), "10.0.0.10", "203.0.113.8",
                                                    40000, 443, "tcp")))
    assert capture.names[craft.CAMERA].dns == {"p2p.cloud.example": 1}
    assert capture.names[craft.CAMERA].sni == {"a.cloud.example": 1}
    assert TAP not in capture.names


def test_arp_inside_tells_an_address_and_is_no_frame_of_its_own():
    arp = craft.ethernet(bytes.fromhex("0001080006040001") + craft.mac(craft.CAMERA) + craft.address("10.0.0.10")
                         + bytes(6) + craft.address("10.0.0.99"), kind=0x0806)
    capture = read(vxlan(arp))
    assert (capture.arp, capture.packets, capture.undecoded) == (0, 1, {})
    assert capture.addresses[craft.CAMERA] == ("10.0.0.10",)
    assert capture.asked == {craft.CAMERA: 1}


@pytest.mark.parametrize(("outer", "undecoded"), [
    (vxlan(CALL, flags=0), {}), (vxlan(CALL, port=4790), {}), (vxlan(b""), {}),
    (vxlan(CALL[:9]), {"short frame": 1}), (vxlan(CALL[:30]), {"short ip": 1}),
    (vxlan(craft.ethernet(b"", kind=0x88CC)), {"ethertype 88cc": 1})])
def test_what_carries_no_frame_stays_a_conversation_of_its_own(outer, undecoded):
    capture = read(outer)
    assert {talk[:3] for talk in talks(capture)} == {(TAP, "192.0.2.1", "192.0.2.2")}
    assert capture.undecoded == undecoded


def test_frames_in_frames_are_opened_to_a_bound():
    frame, depth = CALL, 0
    while depth < 4:
        frame, depth = vxlan(frame), depth + 1
    assert INNER in talks(read(frame))
    deeper = read(vxlan(frame))
    assert INNER not in talks(deeper)
    assert deeper.undecoded == {"too many tunnels": 1}


@given(st.binary(max_size=80), st.integers(0, 255))
def test_no_octets_inside_raise(octets, flags):
    assert read(vxlan(octets, flags=flags), QUERY).packets == 2
