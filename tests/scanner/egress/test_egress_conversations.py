"""Conversations, names, and what is handed over as observations and attempts."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.destinations import is_outside
from scanner import egress
from scanner.egress import tables
from scanner.egress.names import http_host, is_name, read_dns
from scanner.egress.tls import server_name
from scanner.observation import AttemptStatus, Reason

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAMERA, CLOUD, RESOLVER = "10.0.0.10", "203.0.113.8", "10.0.0.1"
SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "samples" / "captures"
GOOGLE = {"ndpi_http_ipv6.pcap": {"www.google.it"}}      # found by nDPI in the hello of Google's QUIC, not by tshark
ANSWERED = {"ndpi_dns.pcap": {"www.l.google.com"}}       # the question of an answer whose query is not in the capture
SYN, SYN_ACK, PUSH = 0x02, 0x12, 0x18


def out(payload, destination, port, protocol="udp", source_port=40000, flags=PUSH, source=CAMERA):
    return craft.packet(payload, source, destination, source_port, port, protocol, flags)


def back(payload, origin, port, protocol="udp", source_port=40000, flags=PUSH, to=CAMERA):
    return craft.packet(payload, origin, to, port, source_port, protocol, flags,
                        macs=(craft.GATEWAY, craft.CAMERA))


def capture_of(*frames, **options):
    return egress.read(io.BytesIO(craft.pcap(list(frames), **options)))


def test_a_reply_belongs_to_the_conversation_it_answers():
    capture = capture_of(out(b"hello", CLOUD, 8800), back(b"hi", CLOUD, 8800), out(b"again", CLOUD, 8800))
    (talk,) = capture.conversations
    assert (talk.mac, talk.source, talk.destination, talk.protocol, talk.port) == (
        craft.CAMERA, CAMERA, CLOUD, "udp", 8800)
    assert (talk.packets, talk.packets_out) == (3, 2)
    assert talk.bytes == sum(len(f) for f in (out(b"hello", CLOUD, 8800), back(b"hi", CLOUD, 8800),
                                              out(b"again", CLOUD, 8800)))
    assert (talk.last_ns - talk.first_ns) == 2_000_000_000


@pytest.mark.parametrize("frames", [
    (back(b"x", CLOUD, 443, "tcp"), out(b"y", CLOUD, 443, "tcp")),          # capture starts in mid-flow, reply first
    (out(b"", CLOUD, 60000, "tcp", 80, SYN), back(b"", CLOUD, 60000, "tcp", 80, SYN_ACK)),   # odd ports, but a SYN
    (back(b"", CLOUD, 60000, "tcp", 80, SYN_ACK), out(b"", CLOUD, 60000, "tcp", 80, 0x10)),  # only the SYN+ACK seen
])
def test_who_opened_a_connection(frames):
    (talk,) = capture_of(*frames).conversations
    assert (talk.mac, talk.destination) == (craft.CAMERA, CLOUD)


def test_a_visitor_is_the_one_who_opened():
    visit = craft.packet(b"", "10.0.0.20", CAMERA, 50000, 554, "tcp", SYN,
                         macs=(craft.LAPTOP, craft.CAMERA))
    reply = craft.packet(b"", CAMERA, "10.0.0.20", 554, 50000, "tcp", SYN_ACK, macs=(craft.CAMERA, craft.LAPTOP))
    (talk,) = capture_of(visit, reply).conversations
    assert (talk.mac, talk.destination, talk.port) == (craft.LAPTOP, CAMERA, 554)


def test_a_name_learned_by_dns_stays_with_the_device_that_asked():
    answer = craft.dns_answer("p2p.maker.example", [
        ("@", 5, craft.dns_name("edge.host.example")), ("edge.host.example", 1, craft.address(CLOUD))])
    stranger = craft.packet(b"x", "10.0.0.20", CLOUD, 40000, 8800, macs=(craft.LAPTOP, craft.GATEWAY))
    capture = capture_of(out(craft.dns_query("p2p.maker.example"), RESOLVER, 53), back(answer, RESOLVER, 53),
                         out(b"x", CLOUD, 8800), stranger)
    talks = {(c.mac, c.destination): c for c in capture.conversations}
    assert talks[craft.CAMERA, CLOUD].dns == ("p2p.maker.example", "edge.host.example")
    assert talks[craft.LAPTOP, CLOUD].names == ()
    assert capture.names[craft.CAMERA].dns == {"p2p.maker.example": 1}


def test_a_record_the_alias_chain_does_not_reach_is_not_believed():
    answer = craft.dns_answer("time.example.org", [("www.bank.example", 1, craft.address(CLOUD)),
                                                   ("@", 1, craft.address("203.0.113.99"))])
    message = read_dns(answer)
    assert message is not None
    assert message.addresses == ("203.0.113.99",)
    assert message.names == ("time.example.org",)


def test_names_in_tls_and_http():
    capture = capture_of(
        out(craft.client_hello("Device.Cloud.Example"), CLOUD, 443, "tcp"),
        out(b"GET / HTTP/1.1\r\nHost: plain.cloud.example:8080\r\n\r\n", "203.0.113.9", 80, "tcp"),
        out(b"GET / HTTP/1.1\r\nHost: 203.0.113.10\r\n\r\n", "203.0.113.10", 80, "tcp"),
        out(b"\x1b" + bytes(47), "203.0.113.11", 123),
    )
    names = {c.destination: c.names for c in capture.conversations}
    assert names[CLOUD] == ("device.cloud.example",)
    assert names["203.0.113.9"] == ("plain.cloud.example",)
    assert names["203.0.113.10"] == ()        # an address literal is no name
    assert capture.names[craft.CAMERA].ntp == {"203.0.113.11": 1}
    assert capture.names[craft.CAMERA].sni == {"device.cloud.example": 1}


def test_a_raw_capture_keeps_devices_apart_by_address():
    frames = [craft.ipv4(craft.udp(b"x", 40000, 8800), CAMERA, CLOUD, 17)]
    capture = capture_of(*frames, link=101)
    (talk,) = capture.conversations
    assert (talk.mac, talk.source) == ("", CAMERA)
    (seen,) = egress.observations(capture, {CAMERA: "cam"}, NOW)
    assert seen.device == "cam"


def test_a_reply_seen_before_its_device_joins_it():
    def cooked(packet_type, sender, body):
        return bytes([0, packet_type, 0, 1, 0, 6]) + craft.mac(sender) + b"\0\0\x08\0" + body
    reply = craft.ipv4(craft.udp(b"r", 8800, 40000), CLOUD, CAMERA, 17)
    query = craft.ipv4(craft.udp(b"q", 40000, 8800), CAMERA, CLOUD, 17)
    capture = capture_of(cooked(0, craft.GATEWAY, reply), cooked(4, craft.CAMERA, query), link=113)
    (talk,) = capture.conversations
    assert (talk.mac, talk.packets) == (craft.CAMERA, 2)


def test_observations_follow_the_vocabulary():
    capture = capture_of(out(craft.client_hello("a.cloud.example"), CLOUD, 443, "tcp"))
    (seen,) = egress.observations(capture, {craft.CAMERA: CAMERA}, NOW)
    assert (seen.device, seen.transport, seen.probe, seen.port) == (CAMERA, "egress", "egress.capture", 443)
    size = seen.fields["bytes"]
    assert seen.fields == {"destination": CLOUD, "protocol": "tcp", "packets": 1, "bytes": size, "packets_out": 1,
                           "bytes_out": size, "seconds": 0.0, "names": ("a.cloud.example",)}
    assert seen.at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert egress.observations(capture, {}, NOW) == []


def test_a_stamp_from_the_future_is_not_believed():
    capture = capture_of(out(b"x", CLOUD, 8800), start=4_000_000_000)
    (seen,) = egress.observations(capture, {craft.CAMERA: CAMERA}, NOW)
    assert seen.at == NOW


def test_attempts_say_what_the_capture_can_prove():
    devices = {craft.CAMERA: CAMERA, craft.LAPTOP: "10.0.0.20"}
    whole = capture_of(out(b"x", CLOUD, 8800))
    by_device = {a.device: a for a in egress.attempts(whole, devices, NOW)}
    (seen,) = egress.observations(whole, devices, NOW)
    assert by_device[CAMERA].status is AttemptStatus.COMPLETED
    assert by_device[CAMERA].observations == (seen.id,)
    assert by_device["10.0.0.20"].reason is Reason.NO_ANSWER
    cut = egress.read(io.BytesIO(craft.pcap([out(b"x", CLOUD, 8800)] * 2)[:-3]))
    assert all(a.status is AttemptStatus.FAILED for a in egress.attempts(cut, devices, NOW))
    assert egress.attempts(cut, devices, NOW)[0].detail == "cut short in a frame"


def test_full_tables_drop_and_count(monkeypatch):
    monkeypatch.setattr(tables, "MAX_CONVERSATIONS", 2)
    capture = capture_of(*(out(b"x", f"203.0.113.{n}", 8800) for n in range(5)))
    assert len(capture.conversations) == 2
    assert capture.drops == {"conversations": 3}
    assert not capture.complete


def test_what_says_least_makes_room_first(monkeypatch):
    monkeypatch.setattr(tables, "MAX_CONVERSATIONS", 4)
    named = out(craft.client_hello("kept.example"), "203.0.113.200", 443, "tcp")
    capture = capture_of(named, *(out(b"x", f"203.0.113.{n}", 8800) for n in range(40)))
    assert "kept.example" in {name for c in capture.conversations for name in c.names}


def test_a_router_is_no_device_and_those_behind_it_are():
    frames = [craft.packet(b"x", f"10.0.{n}.5", CLOUD, 40000, 8800, macs=(craft.GATEWAY, craft.LAPTOP))
              for n in range(6)]
    capture = capture_of(*frames)
    assert capture.routers == (craft.GATEWAY,)
    assert {c.device for c in capture.conversations} == {f"10.0.{n}.5" for n in range(6)}


@pytest.mark.parametrize(("text", "expected"), [
    ("a.example", True), ("_srv.example", True), ("localhost", False), ("10.0.0.1", False), ("fd00::1", False),
    ("", False), ("a..b", True), ("a b.example", False), ("bücher.example", False), ("x" * 254 + ".a", False),
])
def test_what_a_name_is(text, expected):
    assert is_name(text) is expected


def test_dns_pointers_that_loop_or_lead_forward_are_refused():
    head = craft.dns_query("x")[:12]
    assert read_dns(head + b"\xc0\x0c" + bytes(8)) is None
    assert read_dns(head + b"\xc0\x20" + bytes(30)) is None
    assert read_dns(head + b"\x3f" + b"a" * 10) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_name_readers_never_raise(data):
    for reader in (read_dns, server_name, http_host):
        reader(data)
    read_dns(b"\0\7\x81\x80\0\1\0\xff\0\0\0\0" + data)
    server_name(b"\x16\x03\x01\x01\x00\x01" + data)
    http_host(b"GET " + data)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 120))
def test_a_cut_client_hello_gives_the_name_or_nothing(kept):
    hello = craft.client_hello("a.cloud.example")
    cut = server_name(hello[:kept])
    assert cut.name in {None, "a.cloud.example"}
    assert cut.name or cut.more
    assert server_name(hello).name == "a.cloud.example"


@pytest.mark.skipif(not (SAMPLES / "MANIFEST.json").exists(), reason="the sample captures are not here")
def test_real_camera_captures_agree_with_their_answer_keys():
    manifest = json.loads((SAMPLES / "MANIFEST.json").read_text())
    compared = 0
    for entry in manifest["files"]:
        if "fuzz" in entry["file"]:
            continue
        capture, answer = egress.read(SAMPLES / entry["file"]), entry["answer"]
        assert capture.complete
        assert capture.packets == answer["packets"], entry["file"]
        assert sorted({n for d in capture.names.values() for n in d.dns}) == sorted(
            {q["name"].lower() for q in answer["dns_queries"]} | ANSWERED.get(entry["file"], set())), entry["file"]
        assert sorted({n for d in capture.names.values() for n in d.sni}) == sorted(
            {q["name"] for q in answer["tls_sni"]} | GOOGLE.get(entry["file"], set())), entry["file"]
        outside = {c.destination for c in capture.conversations
                   if is_outside(c.destination) and not is_outside(c.source) and not c.inbound}
        assert outside == {d["dst"] for d in answer["external_destinations"]}, entry["file"]
        compared += 1
    assert compared >= 25
