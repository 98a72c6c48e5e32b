import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.transport.addresses import interfaces, read_addresses
from scanner.transport.neighbours import parse_table
from scanner.transport.packets import arp_request, parse_arp


@pytest.mark.parametrize(("line", "address", "mac"), [
    ("10.0.0.5 dev eth0 lladdr 3c:ef:8c:00:00:01 REACHABLE", "10.0.0.5", "3C:EF:8C:00:00:01"),
    ("10.0.0.5         0x1         0x2         3c:ef:8c:00:00:01     *        eth0", "10.0.0.5", "3C:EF:8C:00:00:01"),
    ("cam.lan (10.0.0.5) at 3c:ef:8c:00:00:01 [ether] on eth0", "10.0.0.5", "3C:EF:8C:00:00:01"),
    ("Internet  10.0.0.5   12   3cef.8c00.0001  ARPA   Vlan20", "10.0.0.5", "3C:EF:8C:00:00:01"),
    ("  10.0.0.5   3c-ef-8c-00-00-01   dynamic", "10.0.0.5", "3C:EF:8C:00:00:01"),
    ("fe80::1 dev eth0 lladdr 3c:ef:8c:00:00:01 router STALE", "fe80::1", "3C:EF:8C:00:00:01"),
])
def test_reads_the_tables_people_have(line, address, mac):
    assert [(one.address, one.mac) for one in parse_table(line)] == [(address, mac)]


@pytest.mark.parametrize("line", [
    "10.0.0.5 dev eth0 FAILED", "10.0.0.5 dev eth0 lladdr 3c:ef:8c:00:00:01 FAILED",
    "10.0.0.5 0x1 0x0 00:00:00:00:00:00 * eth0", "10.0.0.5 dev eth0 lladdr ff:ff:ff:ff:ff:ff PERMANENT",
    "10.0.0.5 dev eth0 lladdr 01:00:5e:00:00:fb PERMANENT", "10.0.0.500 3c:ef:8c:00:00:01", "3c:ef:8c:00:00:01",
    "IP address HW type Flags HW address Mask Device", "", "10.0.0.5 3c:ef:8c:00:00",
])
def test_leaves_out_what_names_nobody(line):
    assert list(parse_table(line)) == []


@given(st.text(max_size=300))
def test_any_table_text_is_read_without_a_fault(text):
    assert all(one.mac.count(":") == 5 for one in parse_table(text))


OWN, PEER = bytes.fromhex("020000000001"), bytes.fromhex("3cef8c000001")


def reply(mac=PEER, sender=PEER, operation=2):
    return (OWN + mac + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
            + sender + bytes([10, 0, 0, 5]) + OWN + bytes([10, 0, 0, 1]) + bytes(18))


def test_arp_request_is_rfc_826():
    frame = arp_request(OWN, "10.0.0.1", "10.0.0.5")
    assert frame == (b"\xff" * 6 + OWN + b"\x08\x06" + bytes.fromhex("0001080006040001") + OWN + bytes([10, 0, 0, 1])
                     + bytes(6) + bytes([10, 0, 0, 5]))


def test_arp_reply():
    assert (parse_arp(reply()).address, parse_arp(reply()).mac) == ("10.0.0.5", "3C:EF:8C:00:00:01")


@pytest.mark.parametrize("frame", [
    b"", reply()[:41], reply(operation=1), reply(sender=OWN), reply(mac=b"\x01" * 6, sender=b"\x01" * 6),
    reply().replace(b"\x08\x06", b"\x08\x00", 1),
])
def test_what_is_no_arp_reply(frame):
    assert parse_arp(frame) is None


@given(st.binary(max_size=80))
def test_any_frame_is_read_without_a_fault(frame):
    assert parse_arp(frame) is None or len(frame) >= 42


def message(kind, body):
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body + bytes(-len(body) % 4)


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def test_rtnetlink_addresses():
    body = struct.pack("=BBBBI", 2, 24, 0, 0, 3) + attribute(2, bytes([10, 0, 0, 7])) + attribute(
        4, bytes([10, 0, 0, 255])) + attribute(3, b"eth0\0")
    six = struct.pack("=BBBBI", 10, 64, 0, 0, 3) + attribute(1, bytes(16))
    assert read_addresses(message(20, body) + message(20, six) + message(3, bytes(4))) == [
        (3, "10.0.0.7", "10.0.0.0/24", "10.0.0.255")]


@given(st.binary(max_size=200))
def test_any_netlink_bytes_are_read_without_a_fault(data):
    assert isinstance(read_addresses(message(20, data) + data), list)


def test_this_machine_has_a_loopback():
    found = {one.address: one for one in interfaces()}
    assert found["127.0.0.1"].loopback
    assert found["127.0.0.1"].holds("127.9.9.9")
