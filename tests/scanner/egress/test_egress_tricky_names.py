"""Names in captures that make them hard to find; and what is no name, or nobody's destination, stays that."""

import io
import shutil
import struct

import pytest
import wirecraft as craft
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner import egress
from scanner.egress.announcements import read_mdns, read_xaddrs, url_host
from scanner.egress.names import http_host, next_request, read_dns
from tests.scanner.egress import score_names, tricky_captures

CAMERA, CLOUD, RESOLVER = "10.0.0.10", "203.0.113.8", "10.0.0.1"


@pytest.mark.parametrize("seed", [5, 6, 7])
@pytest.mark.parametrize("kind", tricky_captures.KINDS, ids=lambda kind: kind.__name__)
def test_every_name_is_found_and_none_invented(tmp_path, kind, seed):
    frames, names = kind(tricky_captures.Site(f"{seed}|{kind.__name__}"))
    path = tmp_path / "names.pcap"
    path.write_bytes(craft.pcap(frames))
    assert score_names.by_camvet(path) == set(names)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark")
def test_what_tshark_finds_is_found(tmp_path):
    frames = [frame for kind, (made, _) in tricky_captures.tricky(8).items() for frame in made if kind != "none"]
    path = tmp_path / "all.pcap"
    path.write_bytes(craft.pcap(frames))
    wanted, found = score_names.by_tshark(path), score_names.by_camvet(path)
    assert len(wanted) > 40
    assert not wanted.keys() - found


def test_names_beyond_the_question_are_kept_and_name_no_destination():
    name = craft.dns_name
    reply = tricky_captures.message(
        "cam.maker.example", 1, [tricky_captures.record(b"\xc0\x0c", 1, craft.address(CLOUD))],
        [tricky_captures.record(name("maker.example"), 2, name("ns.maker.example"))],
        [tricky_captures.record(name("ns.maker.example"), 1, craft.address("203.0.113.53"))])
    frames = [craft.packet(reply, RESOLVER, CAMERA, 53, 40_000, macs=(craft.GATEWAY, craft.CAMERA)),
              craft.packet(b"x", CAMERA, CLOUD, 40_001, 8800), craft.packet(b"x", CAMERA, "203.0.113.53", 40_001, 8800)]
    capture = egress.read(io.BytesIO(craft.pcap(frames)))
    named = {talk.destination: talk.names for talk in capture.conversations}
    assert (named[CLOUD], named["203.0.113.53"]) == (("cam.maker.example",), ())
    assert capture.names[craft.CAMERA].told == ("dns-record:maker.example", "dns-record:ns.maker.example")
    assert set(capture.names[craft.CAMERA].dns) == {"cam.maker.example"}


def test_records_never_crowd_out_what_a_device_calls_itself():
    replies = [craft.packet(tricky_captures.message(f"{n}.example", 2, [
        tricky_captures.record(b"\xc0\x0c", 2, craft.dns_name(f"ns{n}.example"))]), RESOLVER, CAMERA, 53, 40_000,
        macs=(craft.GATEWAY, craft.CAMERA)) for n in range(400)]
    own = struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + tricky_captures.record(
        craft.dns_name("cam.local"), 1, craft.address(CAMERA))
    capture = egress.read(io.BytesIO(craft.pcap([*replies, craft.packet(own, CAMERA, "224.0.0.251", 5353, 5353)])))
    told = capture.names[craft.CAMERA].told
    assert "mdns:cam.local" in told
    assert len(told) == 256 + 1


@pytest.mark.parametrize(("flags", "others"), [
    (0x2800, ("zone.example", "cam.zone.example")),                    # an update (RFC 2136)
    (0x2000, ("zone.example", "cam.zone.example")),                    # a notice (RFC 1996)
])
def test_what_is_no_query_asks_for_nothing(flags, others):
    update = tricky_captures.message("zone.example", 6, [
        tricky_captures.record(craft.dns_name("cam.zone.example"), 1, craft.address(CAMERA))], flags=flags)
    answer = read_dns(update)
    assert (answer.question, answer.names, answer.others) == ("", (), others)


def test_further_questions_are_seen():
    asked = struct.pack(">HHHHHH", 1, 0x0100, 2, 0, 0, 0) + b"".join(
        craft.dns_name(name) + b"\0\1\0\1" for name in ("one.example", "two.example"))
    answer = read_dns(asked)
    assert (answer.question, answer.others) == ("one.example", ("two.example",))


def test_a_probe_is_for_a_name_of_ones_own():
    question = craft.dns_name("cam.local") + struct.pack(">HH", 255, 1)
    record = tricky_captures.record(b"\xc0\x0c", 1, craft.address(CAMERA))
    assert read_mdns(struct.pack(">HHHHHH", 0, 0, 1, 0, 1, 0) + question + record) == {"cam.local": True}
    assert read_mdns(struct.pack(">HHHHHH", 0, 0, 1, 1, 0, 0) + question + record) == {"cam.local": False}


@pytest.mark.parametrize(("head", "name"), [
    (b"GET / HTTP/1.1\r\nHost: whole.exam", None),                     # it may go on
    (b"GET / HTTP/1.1\r\nHost: whole.example\r\n", "whole.example"),
    (b"GET / HTTP/1.1\nHost: whole.example\n\n", "whole.example"),
    (b"GET / HTTP/1.1\r\nX-Host: other.example\r\n\r\n", None),
    (b"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n", None),
])
def test_only_a_whole_line_names_a_host(head, name):
    assert http_host(head) == name


@pytest.mark.parametrize(("octets", "rest"), [
    (b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n", b"GET /2 HTTP/1.1\r\n"),
    (b"POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2", b"GET /2"),
    (b"POST /1 HTTP/1.1\r\nContent-Length: -3\r\n\r\nabcGET /2", b""),
    (b"POST /1 HTTP/1.1\r\nContent-Length: 999999999999999\r\n\r\nGET /2", b""),
    (b"POST /1 HTTP/1.1\r\n\r\nabcGET /2", b""),
    (b"GET /1 HTTP/1.1\r\n", b""),
])
def test_where_the_next_request_begins(octets, rest):
    assert next_request(octets) == rest


@pytest.mark.parametrize(("url", "host"), [
    ("http://a.example:80/x", "a.example"), ("HTTP://user:pw@A.example", "a.example"), ("http://10.0.0.1/", ""),
    ("http://[fe80::1]/", ""), ("/relative", ""), ("http:///x", ""), ("", "")])
def test_the_host_of_a_url(url, host):
    assert url_host(url) == host


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_none_of_it_raises(data):
    read_mdns(b"\0\0\x84\0\0\1\0\4\0\2\0\2" + data)
    read_dns(b"\0\1\x84\0\0\1\0\4\0\2\0\2" + data)
    read_xaddrs(b"<d:XAddrs>" + data + b"</d:XAddrs>")
    next_request(b"POST / HTTP/1.1\r\nContent-Length: " + data)
    next_request(data + b"\r\n\r\n" + data)
