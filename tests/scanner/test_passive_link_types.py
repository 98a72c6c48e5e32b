"""Announcements under every link layer that a capture may have, and what LLDP says of its sender."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.datagrams import wsd
from lab.personas import persona
from rules.identity import identify
from rules.makers import load
from scanner import passive
from scanner.observation import Endpoint
from scanner.wire import lldp

CAMERA, CHASSIS = "AC:CC:8E:00:00:26", "AC:CC:8E:00:00:27"
HERE, GROUP = bytes([10, 0, 0, 5]), bytes([239, 255, 255, 250])


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def part(kind, value):
    return struct.pack("!H", kind << 9 | len(value)) + value


def lldpdu(*more):
    return b"".join((part(1, b"\x04" + mac(CHASSIS)), part(2, b"\x05eth0"), part(3, b"\0x"), part(5, b"cam-lobby"),
                     part(6, b"AXIS M3045-V 10.12.1"), part(8, b"\x05\x01\x0a\x00\x00\x05\x02" + bytes(5)), *more,
                     part(0, b"")))


def udp(data):
    segment = struct.pack("!HHHH", 3702, 3702, 8 + len(data), 0) + data
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 17, 0) + HERE + GROUP + segment


ARP = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(CAMERA) + HERE + bytes(10)
HELLO = wsd.hello(persona("axis"), "10.0.0.5")
BODIES = ((0x0806, ARP), (0x0800, udp(HELLO)), (0x88CC, lldpdu()))


def ethernet(kind, body):
    return b"\xff" * 6 + mac(CAMERA) + struct.pack("!H", kind) + body


def cooked(kind, body):
    return struct.pack("!HHH", 1, 1, 6) + mac(CAMERA) + bytes(2) + struct.pack("!H", kind) + body


def cooked2(kind, body):
    return struct.pack("!HHIHBB", kind, 0, 2, 1, 1, 6) + mac(CAMERA) + bytes(2) + body


def wireless(kind, body):
    return (b"\x08\x02\0\0" + b"\xff" * 6 + mac("02:00:00:00:00:01") + mac(CAMERA) + bytes(2)
            + b"\xaa\xaa\x03\0\0\0" + struct.pack("!H", kind) + body)


def radiotap(kind, body):
    return b"\0\0\x08\0" + bytes(4) + wireless(kind, body)


def capture(link, *frames):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return io.BytesIO(head + b"".join(struct.pack("<IIII", 1_700_000_000, 0, len(one), len(one)) + one
                                      for one in frames))


def told(found):
    return {(one.device, one.transport, tuple(sorted(one.fields.items()))) for one in found.observations}


@pytest.mark.parametrize(("link", "wrapped"), [(113, cooked), (276, cooked2), (105, wireless), (127, radiotap)])
def test_every_link_layer_tells_what_ethernet_tells(link, wrapped):
    plain = passive.read(capture(1, *(ethernet(*one) for one in BODIES)))
    found = passive.read(capture(link, *(wrapped(*one) for one in BODIES)))
    assert {transport for _, transport, _ in told(plain)} == {"link", "wsd", "lldp"}
    assert told(found) == told(plain)
    assert (found.packets, found.dropped, found.refused) == (3, 0, [])


@pytest.mark.parametrize("link", [101, 12, 228])
def test_without_a_link_layer_the_address_says_who_it_is(link):
    found = passive.read(capture(link, udp(HELLO)))
    assert [(one.device, one.transport) for one in found.observations] == [("10.0.0.5", "wsd")]


def test_an_unknown_link_layer_is_counted_and_nobody_is_invented():
    found = passive.read(capture(147, cooked(*BODIES[0])))
    assert (found.observations, found.dropped, found.packets) == ([], 1, 1)


def test_a_capture_without_announcements_says_how_much_it_held():
    quiet = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 6, 0) + HERE + GROUP + bytes(8)
    found = passive.read(capture(1, *[ethernet(0x0800, quiet)] * 7))
    assert (found.observations, found.packets, found.refused) == ([], 7, [])


@given(st.sampled_from([0, 9, 12, 51, 101, 105, 113, 127, 276]), st.lists(st.binary(max_size=120), max_size=6))
def test_hostile_frames_of_any_link_layer_are_read_without_an_error(link, frames):
    assert passive.read(capture(link, *frames)).packets == len(frames)


def test_lldp_is_a_label_its_frame_a_link_and_its_chassis_only_a_word():
    found = passive.read(capture(1, ethernet(0x88CC, lldpdu())))
    identity = identify(CAMERA, found.observations, load())
    assert (identity.maker, identity.model, identity.firmware) == ("axis", "M3045-V", "10.12.1")
    basis = {(item.value, str(item.basis)) for item in identity.evidence if item.claim == "maker"}
    assert basis == {("axis", "label"), ("axis", "hardware")}
    (link,) = [one for one in found.observations if one.transport == "link"]
    assert link.text("mac") == CAMERA
    blocks = {item.because[:17]: str(item.strength) for item in identity.evidence if item.signal == "oui.maker"}
    assert blocks == {CHASSIS: "weak", CAMERA: "strong"}


def test_the_inventory_of_lldp_med_is_read():
    inventory = [part(127, b"\x00\x12\xbb" + bytes([kind]) + text) for kind, text in (
        (5, b"A1"), (6, b"boot 2"), (7, b"V5.7.3 build 220112"), (8, b"SN123456"), (9, b"Acme"), (10, b"C-100"))]
    said = lldp.parse(lldpdu(*inventory), Endpoint(CAMERA), None)
    assert {key: said[key] for key in ("firmware", "serial", "manufacturer", "model")} == {
        "firmware": "V5.7.3 build 220112", "serial": "SN123456", "manufacturer": "Acme", "model": "C-100"}
    others = lldp.parse(lldpdu(part(127, b"\x00\x80\xc2\x07x"), part(127, b"\x00")), Endpoint(CAMERA), None)
    assert "serial" not in others
