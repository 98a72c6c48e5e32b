"""Frames that the sweep builds itself, and the kernel's tables it reads, byte by byte."""

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from scanner.transport.addresses import interfaces6, neighbours6, read_addresses6, read_neighbours6
from scanner.transport.filters import ARP_REPLIES, tcp_answers
from scanner.transport.syn import parse_answer, syn_frame

OWN_MAC, PEER_MAC = "02:00:00:00:00:01", "3c:ef:8c:00:00:01"
OWN, PEER = "10.0.0.1", "10.0.0.5"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def answer(flags="SA", ack=8, sport=554, **ip):
    return bytes(Ether(src=PEER_MAC, dst=OWN_MAC) / IP(src=PEER, dst=OWN, **ip)
                 / TCP(sport=sport, dport=40000, flags=flags, seq=1, ack=ack))


def test_a_syn_is_what_an_independent_library_builds():
    built = syn_frame(mac(OWN_MAC), mac(PEER_MAC), OWN, PEER, 40000, 554, 7)
    expected = bytes(Ether(src=OWN_MAC, dst=PEER_MAC) / IP(src=OWN, dst=PEER, id=0, flags="DF")
                     / TCP(sport=40000, dport=554, seq=7, window=1024, flags="S", options=[("MSS", 1460)]))
    assert built == expected


@pytest.mark.parametrize(("frame", "expected"), [
    (answer(), (PEER, 554, 8, True)),
    (answer("RA"), (PEER, 554, 8, False)),
    (answer("R"), None), (answer("A"), None), (answer("FA"), None), (answer("S"), None),
    (answer()[:40], None), (b"", None), (answer()[:12] + b"\x86\xdd" + answer()[14:], None),
])
def test_answers_to_a_syn(frame, expected):
    assert parse_answer(frame) == expected


@given(st.binary(max_size=120))
def test_any_frame_is_read_without_a_fault(frame):
    assert parse_answer(frame) is None or len(frame) >= 54


def passes(program, frame):
    """The filter, run as the kernel runs it: accumulator, index register, relative jumps."""
    accumulator = index = at = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        place = value + (index if code == 0x48 else 0)
        sizes = {0x28: 2, 0x48: 2, 0x30: 1, 0x20: 4}
        if code in sizes:
            if place + sizes[code] > len(frame):
                return False
            accumulator = int.from_bytes(frame[place:place + sizes[code]], "big")
        elif code == 0xB1:
            if value >= len(frame):
                return False
            index = (frame[value] & 15) * 4
        elif code == 0x15:
            at += yes if accumulator == value else no
        elif code == 0x45:
            at += yes if accumulator & value else no
        else:
            return bool(value)


def arp(operation):
    return (mac(OWN_MAC) + mac(PEER_MAC) + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + bytes(20))


@pytest.mark.parametrize(("frame", "wanted"), [(arp(2), True), (arp(1), False), (answer(), False), (b"\0" * 14, False)])
def test_only_arp_replies_reach_the_arp_socket(frame, wanted):
    assert passes(ARP_REPLIES, frame) is wanted


@pytest.mark.parametrize(("frame", "wanted"), [
    (answer(), True), (answer("R"), True), (answer(frag=3), False), (arp(2), False), (answer()[:30], False),
    (bytes(Ether() / IP(src=PEER, dst="10.0.0.2") / TCP(sport=554, dport=40000)), False),
    (bytes(Ether() / IP(src=PEER, dst=OWN) / TCP(sport=554, dport=40001)), False),
    (bytes(Ether() / IP(src=PEER, dst=OWN, proto=17) / TCP(sport=554, dport=40000)), False),
    (bytes(Ether() / IP(src=PEER, dst=OWN, options=b"\x01" * 4) / TCP(sport=554, dport=40000, flags="SA")), True),
])
def test_only_answers_to_our_port_reach_the_syn_socket(frame, wanted):
    assert passes(tcp_answers(OWN, 40000), frame) is wanted


def message(kind, body, *attributes):
    for number, value in attributes:
        body += struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def neighbour(address, lladdr, state=2, family=socket.AF_INET6):
    return message(28, struct.pack("=BxHiHBB", family, 0, 2, state, 0, 1),
                   (1, ipaddress.ip_address(address).packed), (2, lladdr))


@pytest.mark.parametrize(("reply", "expected"), [
    (neighbour("fe80::1", mac(PEER_MAC)), [("fe80::1", "3C:EF:8C:00:00:01")]),
    (neighbour("fe80::1", mac(PEER_MAC), state=0x20), []), (neighbour("fe80::1", mac(PEER_MAC), state=1), []),
    (neighbour("fe80::1", bytes(6)), []), (neighbour("ff02::1", bytes.fromhex("333300000001")), []),
    (neighbour("10.0.0.1", mac(PEER_MAC), family=socket.AF_INET), []), (b"\x10\0\0\0", []), (b"", []),
    (neighbour("fe80::1", mac(PEER_MAC))[:-3], []),
])
def test_ipv6_neighbours(reply, expected):
    assert read_neighbours6(reply) == expected


def address6(text, flags=0x80, family=socket.AF_INET6):
    return message(20, struct.pack("=BBBBI", family, 64, flags, 253, 3), (1, ipaddress.ip_address(text).packed))


@pytest.mark.parametrize(("reply", "expected"), [
    (address6("fe80::1"), [(3, "fe80::1", "fe80::/64")]), (address6("fe80::1", flags=0x40), []),
    (address6("2001:db8::1"), []), (address6("10.0.0.1", family=socket.AF_INET), []), (b"x", []),
])
def test_own_ipv6_addresses(reply, expected):
    assert read_addresses6(reply) == expected


@given(st.binary(max_size=200))
def test_any_dump_is_read_without_a_fault(reply):
    assert isinstance(read_neighbours6(reply), list)
    assert isinstance(read_addresses6(reply), list)


def test_this_machine_is_read():
    assert all(ipaddress.ip_address(one.address).is_link_local for one in interfaces6())
    assert all(ipaddress.ip_address(address).version == 6 for address, _ in neighbours6())
