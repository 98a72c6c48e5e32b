"""Names that are hidden by being cut up, and protocols that are told by their form."""

import io
import struct
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import egress
from scanner.egress import announcements, openings
from scanner.egress.names import stun_realm
from scanner.egress.quic import V2, Initials
from scanner.egress.tls import hello_name, server_name

CAMERA, CLOUD = "10.0.0.10", "203.0.113.8"
HELLO = craft.client_hello("device.cloud.example")
MESSAGE = HELLO[5:]


def capture_of(*frames):
    return egress.read(io.BytesIO(craft.pcap(list(frames))))


def names_in(capture, kind="sni"):
    return {name for names in capture.names.values() for name in getattr(names, kind)}


def segments(octets, cuts, base=1000, syn=True):
    """One connection to port 443 whose first octets come in these pieces, in the order of `cuts`."""
    frames = [craft.packet(b"", CAMERA, CLOUD, 40000, 443, "tcp", 0x02, sequence=base)] if syn else []
    for start, end in cuts:
        frames.append(craft.packet(octets[start:end], CAMERA, CLOUD, 40000, 443, "tcp", sequence=base + 1 + start
                                   & 0xFFFFFFFF))
    return frames


@pytest.mark.parametrize("cuts", [
    [(0, len(HELLO))],
    [(0, 40), (40, len(HELLO))],
    [(40, len(HELLO)), (0, 40)],                             # out of order
    [(0, 40), (0, 40), (40, len(HELLO))],                    # sent again
    [(0, 60), (30, len(HELLO))],                             # overlapping
])
@pytest.mark.parametrize("base", [1000, 0xFFFFFFE0])
def test_a_hello_in_segments(cuts, base):
    assert names_in(capture_of(*segments(HELLO, cuts, base))) == {"device.cloud.example"}


def test_a_hello_that_begins_with_a_single_octet():
    assert names_in(capture_of(*segments(HELLO, [(0, 1), (1, 5), (5, len(HELLO))]))) == {"device.cloud.example"}


def test_a_hello_in_mid_capture_and_in_two_segments():
    assert names_in(capture_of(*segments(HELLO, [(0, 70), (70, len(HELLO))], syn=False))) == {"device.cloud.example"}


@pytest.mark.parametrize("sizes", [(1,), (4,), (40, 20), (10,) * 8])
def test_a_hello_in_several_records(sizes):
    assert server_name(craft.records(MESSAGE, sizes)).name == "device.cloud.example"


def test_a_request_head_in_segments_and_a_second_request():
    first = b"GET /a HTTP/1.1\r\nHost: one.example\r\n\r\n"
    second = b"GET /b HTTP/1.1\r\nHost: two.example\r\n\r\n"
    cuts = [(0, 20), (20, len(first)), (len(first), len(first) + len(second))]
    capture = capture_of(*segments(first + second, cuts))
    assert names_in(capture, "http") == {"one.example", "two.example"}


def test_a_name_said_by_a_server_is_not_the_devices():
    frames = [craft.packet(b"", CAMERA, CLOUD, 40000, 443, "tcp", 0x02),
              craft.packet(HELLO, CLOUD, CAMERA, 443, 40000, "tcp", macs=(craft.GATEWAY, craft.CAMERA))]
    assert names_in(capture_of(*frames)) == set()


def test_unread_openings_that_make_room_are_counted(monkeypatch):
    monkeypatch.setattr(openings, "MAX_OPENINGS", 3)
    frames = [craft.packet(HELLO[:50], CAMERA, CLOUD, 40000 + n, 443, "tcp") for n in range(8)]
    assert capture_of(*frames).drops == {"unread openings": 5}


@pytest.mark.parametrize("version", [1, V2, 0xFF00001D, 0xFF000017])
@pytest.mark.parametrize("pieces", [1, 3])
def test_quic_initials(version, pieces):
    datagrams = list(craft.quic_initial(MESSAGE, version, pieces))
    frames = [craft.packet(d, CAMERA, CLOUD, 40000, 443) for d in reversed(datagrams)]
    capture = capture_of(*frames)
    assert names_in(capture) == {"device.cloud.example"}
    assert capture.conversations[0].sni == ("device.cloud.example",)


def test_a_published_client_initial_key():
    """The keys of RFC 9001 appendix A.1 for the connection id 8394c8f03e515708."""
    from scanner.egress.quic import _keys
    keys = _keys(1, bytes.fromhex("8394c8f03e515708"))
    assert keys.key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert keys.iv.hex() == "fa044b2f42a3fd3b46fb255c"
    assert keys.mask.hex() == "9f50449e04a0e810283a1e9933adedd2"


def test_a_quic_packet_that_was_changed_says_nothing():
    (datagram,) = craft.quic_initial(MESSAGE)
    assert Initials().read(1, datagram[:-1] + bytes([datagram[-1] ^ 1])) is None
    assert Initials().read(1, datagram) == "device.cloud.example"


def test_googles_quic_before_it_was_encrypted():
    values = b"old.quic.example"
    chlo = b"CHLO\x01\0\0\0SNI\0" + struct.pack("<I", len(values)) + values
    datagram = b"\x09" + bytes(8) + b"Q043" + b"\x01" + bytes(12) + chlo
    capture = capture_of(craft.packet(datagram.ljust(200, b"\0"), CAMERA, CLOUD, 40000, 443))
    assert names_in(capture) == {"old.quic.example"}


PPPP_HELLO, PPPP_LOGIN = b"\xf1\x00\0\0", b"\xf1\x10\0\x28" + bytes(40)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
TUTK = b"\x04\x02\x19\x0a\x08\0\0\0\x28\x04\x12\0" + bytes(12)
REOLINK = b"\x3a\xcf\x87\x2a\x04\0\0\0\1\0\0\0" + bytes(8) + b"xxxx"
TURNED = bytes(255 - b for b in b"\0\1\0\x18\x21\x12\xa4\x42" + bytes(36))


@pytest.mark.parametrize(("payload", "port", "signs"), [
    (PPPP_HELLO, 32100, ("pppp",)), (PPPP_LOGIN, 40123, ("pppp",)),
    (b"\xf1\x00\0\1", 32100, ("not-pppp",)),                 # the length does not fit
    (b"\xf1\x5f\0\0", 32100, ("not-pppp",)),                 # no such message
    (b"\x80\x60" + bytes(900), 32100, ("not-pppp",)), (b"\x04\0\0\0" + bytes(92), 32108, ("not-pppp",)),
    (b"", 32100, ()),
    (b"DHGET /probe/p2psrv HTTP/1.1\r\n\r\n", 8800, ("dahua-p2p",)), (b"PTCP" + bytes(20), 9000, ("dahua-p2p",)),
    (TURNED, 8800, ("dahua-p2p",)), (TUTK, 10001, ("tutk",)), (TUTK + b"x", 10001, ()),
    (REOLINK, 9999, ("reolink-p2p",)), (REOLINK + b"x", 9999, ()),
    (b"\x02\0\1\0" + b"\x6d\xd3\x82\x21" + bytes(16) + b"\xfe\xfe\0\1", 8989, ("tvt-nat",)),
    (b"\0\0\x55\xaa" + bytes(8) + b"\0\0\0\x28" + bytes(36) + b"\0\0\xaa\x55", 6667, ("tuya",)),
    (b"\0\0\x55\xaa" + bytes(48) + b"\0\0\xaa\x55", 6667, ()),                           # nor does this
    (STUN, 3478, ("stun",)), (STUN[:8] + b"\0" * 3, 3478, ()),
    (b"\0\1\0\0\x0f\xa0\x0f\xa0\0\0\x0e\x10", 5351, ("port-mapping",)),
    (b"M-SEARCH * HTTP/1.1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n", 1900,
     ("gateway-search",)),
    (b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n", 1900, ()),
    (bytes(64), 40000, ()),
])
def test_wire_forms(payload, port, signs):
    (talk,) = capture_of(craft.packet(payload, CAMERA, CLOUD, 20000, port)).conversations
    assert talk.signs == signs


@pytest.mark.parametrize(("kept", "payload", "unlike"), [
    (42, b"\xf1\x10\0\x28" + bytes(40), False),                # headers alone: nothing was seen
    (50, b"\xf1\x10\0\x28" + bytes(40), False),                # begins like it, and was cut short
    (50, b"\x80\x60\0\1" + bytes(40), True),                    # RTP, however little of it
    (99, b"\x80\x60\0\1" + bytes(40), True),
])
def test_what_is_on_a_port_of_pppp_and_is_none_is_said_only_where_it_was_seen(kept, payload, unlike):
    frame = craft.packet(payload, CAMERA, CLOUD, 20000, 32100)
    capture = egress.read(io.BytesIO(craft.pcap([frame[:kept]])))
    (seen,) = egress.observations(capture, {craft.CAMERA: "cam"}, datetime(2026, 11, 22, tzinfo=UTC))
    assert bool(seen.values("unlike")) is unlike
    assert not seen.values("signs")


def test_wire_forms_over_tcp():
    mapping = (b'POST /ctl HTTP/1.1\r\nHost: 10.0.0.1\r\nSOAPAction: "urn:schemas-upnp-org:service:WANIPConnection:1'
               b'#AddPortMapping"\r\n\r\n')
    mqtt = b"\x10\x20\0\x04MQTT\x04\x02" + bytes(30)
    talks = {c.port: c.signs for c in capture_of(
        craft.packet(mapping, CAMERA, "10.0.0.1", 40000, 5000, "tcp"),
        craft.packet(mqtt, CAMERA, CLOUD, 40001, 1883, "tcp"),
        craft.packet(b"\x16\x03\1\0\0", CAMERA, CLOUD, 40002, 853, "tcp"),
        craft.packet(b"\xf0\xde\xbc\x0a" + bytes(20), CAMERA, "10.0.0.9", 40003, 9000, "tcp")).conversations}
    assert talks == {5000: ("port-mapping",), 1883: ("mqtt",), 853: ("dot",), 9000: ()}


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=4, max_size=64).filter(lambda data: data[0] not in {0xF1, 4}))
def test_chance_octets_show_no_p2p(payload):
    (talk,) = capture_of(craft.packet(payload, CAMERA, CLOUD, 20000, 40000)).conversations
    assert set(talk.signs) <= {"stun"}


def test_stun_servers_and_their_realm():
    realm = b"turn.cloud.example"
    attribute = b"\0\x14" + struct.pack(">H", len(realm)) + realm + bytes(-len(realm) % 4)
    answer = b"\x01\x13" + struct.pack(">H", len(attribute)) + b"\x21\x12\xa4\x42" + bytes(12) + attribute
    capture = capture_of(craft.packet(STUN, CAMERA, CLOUD, 20000, 3478),
                         craft.packet(answer, CLOUD, CAMERA, 3478, 20000, macs=(craft.GATEWAY, craft.CAMERA)))
    assert capture.names[craft.CAMERA].stun == {CLOUD: 1, "turn.cloud.example": 1}


def test_what_a_device_says_of_itself():
    options = b"\x35\1\3\x0c\x05cam-7\x3c\x07udhcp 1\xff"
    dhcp = bytes([1, 1, 6, 0]) + bytes(24) + craft.mac(craft.CAMERA) + bytes(202) + b"\x63\x82\x53\x63" + options
    mdns = (struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + craft.dns_name("_http._tcp.local")
            + struct.pack(">HHIH", 12, 1, 60, 18) + craft.dns_name("Garden cam.local"))
    ssdp = b"NOTIFY * HTTP/1.1\r\nSERVER: Linux UPnP/1.0 Cam/2\r\nNTS: ssdp:alive\r\n\r\n"
    capture = capture_of(craft.packet(dhcp, "0.0.0.0", "255.255.255.255", 68, 67),
                         craft.packet(mdns, CAMERA, "224.0.0.251", 5353, 5353),
                         craft.packet(ssdp, CAMERA, "239.255.255.250", 50000, 1900))
    assert set(capture.names[craft.CAMERA].told) == {
        "dhcp:cam-7", "dhcp-class:udhcp 1", "mdns:garden cam.local", "mdns:_http._tcp.local",
        "ssdp:Linux UPnP/1.0 Cam/2"}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_name_readers_never_raise(data):
    hello_name(b"\x01" + data)
    server_name(b"\x16\x03\x01" + data)
    Initials().read(1, b"\xc3\0\0\0\1" + data)
    Initials().read(1, b"\x09" + data[:20] + b"CHLO" + data)
    announcements.read_dhcp(bytes([1, 1, 6, 0]).ljust(236, b"\0") + b"\x63\x82\x53\x63" + data)
    announcements.read_mdns(b"\0\0\x84\0\0\0\0\4\0\0\0\0" + data)
    announcements.read_ssdp(b"NOTIFY " + data)
    stun_realm(STUN + data)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, len(HELLO) - 1), max_size=6, unique=True), st.randoms(use_true_random=False))
def test_any_segmentation_gives_the_name(cuts, order):
    edges = [0, *sorted(cuts), len(HELLO)]
    pieces = list(pairwise(edges))
    order.shuffle(pieces)
    assert names_in(capture_of(*segments(HELLO, pieces))) == {"device.cloud.example"}
