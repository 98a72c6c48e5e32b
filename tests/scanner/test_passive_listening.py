"""Hearing a link: what the kernel's filter lets in, what a frame tells, and what stays bounded."""

import io
import socket
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.datagrams import wsd
from lab.personas import persona
from scanner import passive
from scanner.observation import Reason
from scanner.transport import packets
from scanner.transport.ears import MOST_PORTS, Ear, announcements
from scanner.transport.exchange import ExchangeError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MAC, ALL, GROUP = "3C:EF:8C:00:00:01", "FF:FF:FF:FF:FF:FF", "01:00:5E:7F:FF:FA"
OTHER = "3C:EF:8C:00:00:02"


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def frame(kind, body, target=ALL, source=MAC):
    return mac(target) + mac(source) + struct.pack("!H", kind) + body


def udp4(data, sport, dport, *, fragment=0, protocol=17, options=b""):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    words = 5 + len(options) // 4
    return struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, 4 * words + len(segment), 0, fragment, 64, protocol, 0,
                       socket.inet_aton("10.0.0.5"), socket.inet_aton("239.255.255.250")) + options + segment


def udp6(data, sport, dport, protocol=17):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return struct.pack("!IHBB16s16s", 6 << 28, len(segment), protocol, 64, socket.inet_pton(socket.AF_INET6, "fe80::5"),
                       socket.inet_pton(socket.AF_INET6, "ff02::c")) + segment


def arp(address="10.0.0.5", source=MAC):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(source) + socket.inet_aton(address) + bytes(10)


def lets_through(program, data):
    """Run a classic filter program over one frame; reading beyond its end drops it, as in the kernel."""
    at, value, index = 0, 0, 0
    for _ in range(len(program)):
        code, yes, no, operand = program[at]
        at += 1
        where = operand + (index if code == 0x48 else 0)
        width = {0x28: 2, 0x48: 2, 0x30: 1}.get(code)
        if width and where + width > len(data):
            return False
        if width:
            value = int.from_bytes(data[where:where + width], "big")
        elif code == 0xB1:
            index = 4 * (data[operand] & 15)
        elif code == 0x15:
            at += yes if value == operand else no
        elif code == 0x45:
            at += yes if value & operand else no
        elif code == 0x05:
            at += operand
        elif code == 0x06:
            return bool(operand)
        else:
            raise AssertionError(f"instruction {code:#x}")
    raise AssertionError("the program does not end")


PROGRAM = announcements(passive.PORTS)


@pytest.mark.parametrize(("data", "through"), [
    (frame(0x0806, arp()), True), (frame(0x0806, arp(), target=OTHER), True), (frame(0x88CC, b"x" * 20), True),
    (frame(0x0800, udp4(b"x", 50000, 3702), GROUP), True), (frame(0x0800, udp4(b"x", 3702, 50000), GROUP), True),
    (frame(0x0800, udp4(b"x", 68, 67)), True), (frame(0x0800, udp4(b"x", 37020, 37020, options=bytes(4)), GROUP), True),
    (frame(0x86DD, udp6(b"x", 5353, 5353), "33:33:00:00:00:FB"), True),
    (frame(0x0800, udp4(b"x", 50000, 3702), OTHER), False),                 # from one station to another
    (frame(0x0800, udp4(b"x", 50000, 50001), GROUP), False), (frame(0x0800, udp4(b"x", 3702, 1, protocol=6)), False),
    (frame(0x0800, udp4(b"x", 3702, 3702, fragment=5), GROUP), False),      # a fragment's tail has no port
    (frame(0x86DD, udp6(b"x", 5353, 5353, protocol=58), "33:33:00:00:00:FB"), False),
    (frame(0x86DD, udp6(b"x", 5353, 5353), OTHER), False), (frame(0x0800, b"\x45"), False),
    (frame(0x1234, b"x" * 60), False),
])
def test_the_filter_lets_in_announcements_and_nothing_else(data, through):
    assert lets_through(PROGRAM, data) is through


@pytest.mark.parametrize("port", passive.PORTS)
def test_every_port_is_let_in_both_ways_over_both_versions(port):
    for sport, dport in ((port, 1), (1, port)):
        assert lets_through(PROGRAM, frame(0x0800, udp4(b"x", sport, dport), GROUP))
        assert lets_through(PROGRAM, frame(0x86DD, udp6(b"x", sport, dport), "33:33:00:00:00:0C"))


def test_no_jump_is_longer_than_a_program_can_say():
    program = announcements(range(1, MOST_PORTS + 1))
    assert all(0 <= yes < 256 and 0 <= no < 256 for _, yes, no, _ in program)
    with pytest.raises(ValueError, match="ports"):
        announcements(range(1, MOST_PORTS + 2))


def capture(*frames):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return io.BytesIO(head + b"".join(struct.pack("<IIII", 1_700_000_000, 0, len(one), len(one)) + one
                                      for one in frames))


def test_an_announcement_over_ipv6_belongs_to_the_mac_and_so_to_its_ipv4_address():
    hello = frame(0x86DD, udp6(wsd.hello(persona("axis"), "10.0.0.5"), 3702, 3702), "33:33:00:00:00:0C")
    alone = passive.read(capture(hello))
    assert alone.devices == [MAC]
    both = passive.read(capture(hello, frame(0x0806, arp())))
    assert both.devices == ["10.0.0.5"]
    (said,) = [one for one in both.observations if one.transport == "wsd"]
    assert (said.text("action"), said.text("ipv6")) == ("Hello", "fe80::5")


def test_part_of_a_datagram_is_not_read_as_a_whole_one():
    hello = wsd.hello(persona("axis"), "10.0.0.5")
    for fragment in (0x2000, 100):
        assert passive.read(capture(frame(0x0800, udp4(hello, 3702, 3702, fragment=fragment)))).observations == []


def test_a_tag_within_a_tag_is_looked_through():
    double = struct.pack("!HHH", 20, 0x8100, 30) + struct.pack("!H", 0x0806) + arp()
    assert passive.read(capture(frame(0x88A8, double))).devices == ["10.0.0.5"]


def test_a_station_that_says_ever_new_things_is_cut_and_counted():
    hearing = passive.Hearing()
    for number in range(400):
        hearing.add(frame(0x0806, arp(f"10.0.{number // 250}.{number % 250 + 1}")), NOW)
    hearing.add(frame(0x0806, arp("10.9.9.9", OTHER), source=OTHER), NOW)
    assert len(hearing.observations()) == 201
    assert hearing.dropped == 200
    assert hearing.devices == 201


class FakeEar:
    """An ear on a link where somebody presses Ctrl-C."""

    def __init__(self, _interface, _ports):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def frames(self, _seconds):
        yield frame(0x0806, arp())
        raise KeyboardInterrupt

    def dropped(self):
        return 7


def test_ctrl_c_keeps_what_was_heard(monkeypatch):
    monkeypatch.setattr(passive, "Ear", FakeEar)
    found, lost = passive.listen("eth0", 60)
    assert (found.devices, lost) == (["10.0.0.5"], 7)


def test_who_may_not_listen_is_told_in_one_line(monkeypatch):
    def refused(*_words):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(packets.socket, "socket", refused)
    with pytest.raises(ExchangeError) as error:
        Ear("eth0", passive.PORTS)
    assert error.value.reason is Reason.UNPRIVILEGED
    assert "run as root" in error.value.detail
    assert "\n" not in error.value.detail


@given(st.binary(max_size=300), st.sampled_from([0x0800, 0x0806, 0x86DD, 0x88CC, 0x8100, 0x88A8]))
def test_any_frame_is_heard_without_a_fault(data, kind):
    hearing = passive.Hearing()
    hearing.add(frame(kind, data), NOW)
    assert hearing.devices <= 2
    passive.read(capture(frame(kind, data)))
