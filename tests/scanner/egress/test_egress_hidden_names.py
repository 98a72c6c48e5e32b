"""Names in the transports that are read last: DNS over TCP, DTLS, proxies, NetBIOS; and what other readers find."""

import io
import shutil
import struct
from pathlib import Path

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import egress
from scanner.egress import announcements
from scanner.egress.dns_streams import DnsStreams
from scanner.egress.dtls import Hellos
from scanner.egress.names import http_host
from tests.scanner.egress import score_names

CAMERA, CLOUD, RESOLVER = "10.0.0.10", "203.0.113.8", "10.0.0.1"
SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "samples" / "captures"
MESSAGE = craft.client_hello("device.cloud.example")[5:]
SYN = 0x02


def capture_of(*frames):
    return egress.read(io.BytesIO(craft.pcap(list(frames))))


def names_in(capture, kind="sni"):
    return {name for names in capture.names.values() for name in getattr(names, kind)}


def prefixed(*messages):
    return b"".join(struct.pack(">H", len(message)) + message for message in messages)


def stream(octets, cuts, source, destination, ports, macs, base=1000, syn=True):
    frames = [craft.packet(b"", source, destination, *ports, "tcp", SYN, macs, base)] if syn else []
    return frames + [craft.packet(octets[a:b], source, destination, *ports, "tcp", 0x18, macs,
                                  base + 1 + a & 0xFFFFFFFF) for a, b in cuts]


QUERIES = prefixed(craft.dns_query("one.maker.example"), craft.dns_query("two.maker.example"))
ANSWER = prefixed(craft.dns_answer("one.maker.example", [("@", 1, craft.address(CLOUD))] * 60))


@pytest.mark.parametrize("cuts", [
    [(0, len(QUERIES))],
    [(0, 1), (1, 2), (2, 20), (20, len(QUERIES))],           # the length itself is cut
    [(0, 20), (30, len(QUERIES)), (20, 30)],                 # out of order
    [(20, len(QUERIES)), (0, 20)],                           # the beginning comes last
    [(0, 20), (10, 40), (40, len(QUERIES))],                 # sent again in part
])
@pytest.mark.parametrize("base", [1000, 0xFFFFFFF0])
def test_questions_over_tcp_in_any_segments(cuts, base):
    frames = stream(QUERIES, cuts, CAMERA, RESOLVER, (40000, 53), (craft.CAMERA, craft.GATEWAY), base)
    assert names_in(capture_of(*frames), "dns") == {"one.maker.example", "two.maker.example"}


def test_an_answer_over_tcp_that_spans_segments_names_the_destination():
    answer = stream(ANSWER, [(0, 500), (500, len(ANSWER))], RESOLVER, CAMERA, (53, 40000),
                    (craft.GATEWAY, craft.CAMERA), syn=False)
    capture = capture_of(*answer, craft.packet(b"x", CAMERA, CLOUD, 40001, 8800))
    assert {c.destination: c.names for c in capture.conversations}[CLOUD] == ("one.maker.example",)


def test_what_is_no_dns_on_its_port_is_left_alone():
    streams = DnsStreams()
    assert streams.feed(1, -1, 0, b"\0\3abc") == []
    assert streams.feed(1, -1, 5, prefixed(b"m" * 12)) == [b"m" * 12]


def test_streams_that_make_room_are_counted():
    streams = DnsStreams()
    for key in range(300):
        streams.feed(key, -1, 0, b"\0\x40 unfinished")
    assert streams.evicted == 300 - 256


def hello13(cookie=b""):
    """The ClientHello with DTLS' extra field, without its handshake header."""
    body = MESSAGE[4:]
    return b"\xfe\xfd" + body[2:35] + bytes([len(cookie)]) + cookie + body[35:]


def dtls_records(body, cuts):
    for number, (start, end) in enumerate(cuts):
        head = (b"\1" + len(body).to_bytes(3, "big") + b"\0\0" + start.to_bytes(3, "big")
                + (end - start).to_bytes(3, "big"))
        piece = head + body[start:end]
        yield b"\x16\xfe\xff\0\0" + number.to_bytes(6, "big") + struct.pack(">H", len(piece)) + piece


@pytest.mark.parametrize("cookie", [b"", b"c" * 20])
@pytest.mark.parametrize("cuts", [[(0, None)], [(0, 30), (30, None)], [(30, None), (0, 30)], [(0, 30), (20, None)]])
def test_the_name_in_dtls(cookie, cuts):
    body = hello13(cookie)
    datagrams = dtls_records(body, [(a, len(body) if b is None else b) for a, b in cuts])
    capture = capture_of(*(craft.packet(d, CAMERA, CLOUD, 40000, 5349) for d in datagrams))
    assert names_in(capture) == {"device.cloud.example"}


def test_a_dtls_hello_of_the_server_is_not_the_devices():
    (datagram,) = dtls_records(hello13(), [(0, len(hello13()))])
    frames = [craft.packet(b"\0" * 30, CAMERA, CLOUD, 40000, 443),
              craft.packet(datagram, CLOUD, CAMERA, 443, 40000, macs=(craft.GATEWAY, craft.CAMERA))]
    assert names_in(capture_of(*frames)) == set()


@pytest.mark.parametrize(("head", "name"), [
    (b"CONNECT relay.cloud.example:443 HTTP/1.1\r\n\r\n", "relay.cloud.example"),
    (b"CONNECT 203.0.113.9:443 HTTP/1.1\r\nHost: relay.cloud.example:443\r\n\r\n", "relay.cloud.example"),
    (b"GET http://plain.cloud.example:8080/a?b HTTP/1.1\r\n\r\n", "plain.cloud.example"),
    (b"GET http://user:pw@plain.cloud.example HTTP/1.0\r\n\r\n", "plain.cloud.example"),
    (b"GET http://203.0.113.9/ HTTP/1.1\r\n\r\n", None),
    (b"GET /go?to=http://other.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", "a.example"),
    (b"GET /go?to=http://other.example/ HTTP/1.1\r\n\r\n", None),
    (b"SUBSCRIBE /events HTTP/1.1\r\nHOST: events.example:49152\r\n\r\n", "events.example"),
])
def test_whom_a_request_is_for(head, name):
    assert http_host(head) == name


def test_a_hello_behind_a_proxy_and_behind_starttls():
    hello = craft.client_hello("inner.cloud.example")
    proxied = b"CONNECT 203.0.113.9:443 HTTP/1.1\r\n\r\n"
    mail = b"EHLO cam\r\nSTARTTLS\r\n"
    for port, first in ((3128, proxied), (587, mail)):
        frames = [craft.packet(b"", CAMERA, CLOUD, 40000, port, "tcp", SYN, sequence=9)]
        at = 10
        for octets in (first, hello):
            frames.append(craft.packet(octets, CAMERA, CLOUD, 40000, port, "tcp", sequence=at))
            at += len(octets)
        assert names_in(capture_of(*frames)) == {"inner.cloud.example"}


def netbios(name, kind=0x20):
    octets = name.upper().encode().ljust(15)[:15] + bytes([kind])
    return b"\x20" + bytes(b for o in octets for b in (0x41 + (o >> 4), 0x41 + (o & 15))) + b"\0"


def test_what_a_device_calls_itself_in_netbios():
    register = struct.pack(">HHHHHH", 1, 0x2910, 1, 0, 0, 1) + netbios("CAM-7") + bytes(26)
    query = struct.pack(">HHHHHH", 2, 0x0110, 1, 0, 0, 0) + netbios("FILESERVER") + bytes(4)
    datagram = b"\x11\x02" + bytes(12) + netbios("CAM-7") + netbios("WORKGROUP", 0x1D) + bytes(20)
    frames = [craft.packet(octets, CAMERA, "10.0.0.255", port, port)
              for octets, port in ((register, 137), (query, 137), (datagram, 138))]
    assert set(capture_of(*frames).names[craft.CAMERA].told) == {
        "netbios:cam-7", "netbios-seeks:fileserver", "netbios-seeks:workgroup"}


def test_an_mdns_question_is_not_what_a_device_calls_itself():
    query = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + craft.dns_name("_airplay._tcp.local") + b"\0\x0c\0\1"
    capture = capture_of(craft.packet(query, CAMERA, "224.0.0.251", 5353, 5353))
    assert capture.names[craft.CAMERA].told == ("mdns-seeks:_airplay._tcp.local",)


def test_an_answer_to_a_question_before_the_capture_began():
    answer = craft.dns_answer("early.example.org", [("@", 1, craft.address(CLOUD))])
    reply = craft.packet(answer, RESOLVER, CAMERA, 53, 40000, macs=(craft.GATEWAY, craft.CAMERA))
    query = craft.packet(craft.dns_query("late.example.org"), CAMERA, RESOLVER, 40000, 53)
    capture = capture_of(reply, query, craft.packet(answer, RESOLVER, CAMERA, 53, 40000,
                                                    macs=(craft.GATEWAY, craft.CAMERA)))
    assert capture.names[craft.CAMERA].dns == {"early.example.org": 1, "late.example.org": 1}


@pytest.mark.parametrize("version", [0xFACEB002, 0xFF000016, int.from_bytes(b"T051", "big"), 0xFF020000])
def test_initials_of_other_versions(version):
    (datagram,) = craft.quic_initial(MESSAGE, version)
    assert names_in(capture_of(craft.packet(datagram, CAMERA, CLOUD, 40000, 443))) == {"device.cloud.example"}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_the_last_readers_never_raise(data, sequence):
    hellos, streams = Hellos(), DnsStreams()
    hellos.read(1, b"\x16\xfe\xfd" + data)
    hellos.read(1, b"\x16\xfe\xfd" + bytes(8) + struct.pack(">H", len(data)) + b"\1" + data)
    streams.feed(1, -1, sequence, data)
    streams.feed(1, -1, sequence + 7 & 0xFFFFFFFF, data)
    announcements.read_netbios(data)
    announcements.read_netbios(b"\0\1\x29\x10\0\1" + bytes(6) + b"\x20" + data)
    http_host(b"CONNECT " + data + b"\r\n")


@pytest.mark.skipif(not SAMPLES.exists() or shutil.which("tshark") is None, reason="no sample captures, or no tshark")
@pytest.mark.parametrize("file", ["iot_sentinel/D-LinkCam__Setup-A-1-STA.pcap", "ndpi_no_sni.pcap",
                                  "ndpi_quic-29.pcap"])
def test_names_agree_with_tshark(file):
    wanted = {name for name, by in score_names.by_tshark(SAMPLES / file).items() if "resp" not in by}
    assert wanted
    assert wanted <= score_names.by_camvet(SAMPLES / file)
