"""HTTP out and in: requests that cannot be split, replies whatever their faults."""

import base64
import gzip
import zlib

import mmh3
import pytest
from wire_samples import HTTP_REPLY, NOW, SOURCE

from scanner.observation import Refusal
from scanner.wire import favicon, http, message

BOMB = gzip.compress(b"A" * 20_000_000, mtime=0)


def test_a_request_asks_for_nothing_fancy():
    sent = http.request("GET", "/a", "10.0.0.1")
    assert sent.startswith(b"GET /a HTTP/1.1\r\nHost: 10.0.0.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in sent
    assert sent.endswith(b"\r\n\r\n")
    assert b"Content-Length: 2\r\n" in http.request("POST", "/", "h", {"X": "y"}, b"ab")


@pytest.mark.parametrize(
    ("path", "host", "headers"),
    [
        ("/a b", "h", {}),
        ("a", "h", {}),
        ("/\r\nX: y", "h", {}),
        ("/", "h\r\nX: y", {}),
        ("/", "h", {"X": "a\nb"}),
        ("/\0", "h", {}),
    ],
)
def test_a_request_cannot_be_split(path, host, headers):
    with pytest.raises(ValueError, match="request"):
        http.request("GET", path, host, headers)


def body_of(raw):
    response = http.read(raw)
    assert not isinstance(response, Refusal)
    return response.body, response.complete


@pytest.mark.parametrize(
    ("raw", "body", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabXX", b"ab", True),
        (b"HTTP/1.0 200\r\n\r\nto the end", b"to the end", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 9\n\nshort", b"short", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab", b"ab", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", b"ab", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nab", b"a", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde", b"abcde", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", b"", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc", b"abc", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", b"x", True),
        (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nabcde", b"", True),
        (b"HTTP/1.1 304 No\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"zipped", mtime=0), b"zipped", True),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"zipped"), b"zipped", True),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip", b"not gzip", False),
    ],
)
def test_bodies_are_framed_leniently(raw, body, complete):
    assert body_of(raw) == (body, complete)


def test_a_compression_bomb_stays_small():
    body, _ = body_of(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + BOMB)
    assert len(body) == message.MAX_BODY


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 2000 x\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 100 C\r\n\r\n" * 9,
    ],
)
def test_what_is_no_reply_is_refused(raw):
    found = http.read(raw)
    assert isinstance(found, Refusal) or found.status == 100


def test_a_flood_of_interim_replies_is_refused():
    flood = b"HTTP/1.1 100 C\r\n\r\n" * 50_000
    assert isinstance(http.read(flood + b"HTTP/1.1 200 OK\r\n\r\n"), Refusal)


def test_folded_and_indented_header_lines():
    pairs = message.read_headers("A: one\r\n two\r\nServer: x\r\n Date: Sat\r\nnonsense\r\n: empty\r\nB:3\r\n")
    assert pairs == (("a", "one two"), ("server", "x"), ("date", "Sat"), ("b", "3"))


def test_headers_are_capped():
    response = http.read(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n")
    assert not isinstance(response, Refusal)
    assert len(response.headers) == message.MAX_HEADERS
    assert len(message.read_headers("X: " + "y" * 50_000)[0][1]) == message.MAX_VALUE


def test_fields_of_a_refused_login():
    fields = http.parse(HTTP_REPLY, SOURCE, NOW, path="/doc")
    assert not isinstance(fields, Refusal)
    assert fields["status"] == 401
    assert fields["path"] == "/doc"
    assert fields["server"] == "nginx"
    assert fields["realm"] == ("Login to 7E0A", "x")
    assert fields["scheme"] == ("digest", "basic")
    assert fields["title"] == "Yard & Gate"


def test_control_characters_of_a_server_header_are_gone_and_a_redirect_is_only_evidence():
    fields = http.parse(
        b"HTTP/1.1 302 x\r\nServer: a\0b\x1b[31mc\r\nLocation: http://u:p@127.0.0.1:22/\r\n\r\n", SOURCE, NOW
    )
    assert not isinstance(fields, Refusal)
    assert fields["server"] == "ab[31mc"
    assert fields["location"] == "http://***@127.0.0.1:22/"


def test_binary_bodies_are_measured_not_kept():
    fields = http.parse(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\0\0", SOURCE, NOW)
    assert not isinstance(fields, Refusal)
    assert fields["body_bytes"] == 4
    assert "body" not in fields


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"<TITLE id=x>A &lt;b&gt;</TITLE>", "A <b>"),
        (b"<title>\r\n two\tlines \n</title>", "two lines"),
        (b"<title>open", "open"),
        ("<title>网络</title>".encode("gbk"), "网络"),
        (b"no title", ""),
        (b"<title><script>", ""),
    ],
)
def test_titles(body, title):
    assert http.title(body, "gbk") == title


def test_favicon_hashes_are_those_of_public_lists():
    icon = bytes(range(256))
    fields = favicon.parse(icon, SOURCE, NOW)
    assert not isinstance(fields, Refusal)
    assert fields["favicon_md5"] == "e2c865db4162bed963bfaa9ef6ac18f0"
    assert fields["favicon_mmh3"] == str(mmh3.hash(base64.encodebytes(icon)))
    assert base64.encodebytes(icon).count(b"\n") > 1


@pytest.mark.parametrize(
    "data", [b"", b"<html>login</html>", b"  <!DOCTYPE html>", b'{"error":404}', b"x" * (favicon.MAX_BYTES + 1)]
)
def test_a_page_in_place_of_an_icon_has_no_hash(data):
    assert isinstance(favicon.parse(data, SOURCE, NOW), Refusal)
