import asyncio

import pytest
from hostile_servers import floods, says, tcp_server
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap
from scanner.transport.http import HttpClient, authority, request_target
from scanner.transport.response import MOST_BODY, MOST_HEAD

OK = b"HTTP/1.1 200 OK\r\nServer: cam\r\n"


def get(handler, *, seconds=3.0, times=1, method="GET"):
    """The responses (or the error) of `times` requests to a server with this handler."""
    async def scene():
        async with tcp_server(handler) as port:
            client = HttpClient("127.0.0.1", PortMap({80: port}), seconds)
            try:
                return [await client.request(method, 80, "/") for _ in range(times)]
            finally:
                await client.close()
    return asyncio.run(scene())


def error_of(handler, **more):
    with pytest.raises(ExchangeError) as caught:
        get(handler, **more)
    return caught.value


@pytest.mark.parametrize(("wire", "status", "body"), [
    (OK + b"Content-Length: 5\r\n\r\nhello", 200, b"hello"),
    (OK + b"\r\nto the end", 200, b"to the end"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", 200, b"abcde"),
    (b"HTTP/1.0 401 Unauthorized\nWWW-Authenticate: Basic\n\nno", 401, b"no"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", 200, b"ok"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:22/\r\nContent-Length: 0\r\n\r\n", 302, b""),
    (OK + b"Content-Length: -5\r\n\r\nx", 200, b"x"),
    (OK + b"Content-Length: \xb2\r\n\r\nx", 200, b"x"),
])
def test_frames_what_cameras_send(wire, status, body):
    response = get(says(wire))[0]
    assert (response.status, response.body) == (status, body)
    assert not response.wire.startswith(b"HTTP/1.1 100")


@pytest.mark.parametrize(("wire", "reason"), [
    (b"", Reason.RESET),
    (b"SSH-2.0-dropbear\r\n", Reason.MALFORMED),
    (b"\x00\xff\xfe garbage \r\n\r\n", Reason.MALFORMED),
    (b"HTTP/1.1 banana\r\n\r\n", Reason.MALFORMED),
    (b"HTTP/1.1 20", Reason.RESET),
    (OK + b"Content-Length: 50\r\n\r\nhalf", Reason.RESET),
    (OK + b"Content-Length: 99999999999999999999\r\n\r\nhalf", Reason.RESET),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.MALFORMED),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", Reason.MALFORMED),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", Reason.RESET),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", Reason.TOO_LARGE),
    (OK + b"X: " + b"a" * (MOST_HEAD + 10), Reason.TOO_LARGE),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, Reason.MALFORMED),
])
def test_says_why_there_is_no_answer(wire, reason):
    assert error_of(says(wire)).reason is reason


def test_death_in_mid_body_keeps_what_came():
    failed = error_of(says(OK + b"Content-Length: 50\r\n\r\nhalf"))
    assert failed.partial == OK + b"Content-Length: 50\r\n\r\nhalf"


def test_one_byte_at_a_time_ends_at_the_deadline_with_what_came():
    body = [b"x"] * 200
    failed = error_of(says(OK + b"Content-Length: 200\r\n\r\n", *body, pause=0.05), seconds=0.4)
    assert failed.reason is Reason.TIMEOUT
    assert failed.partial.startswith(OK)
    assert 0 < failed.partial.count(b"x") < 20


def test_silence_is_a_timeout():
    assert error_of(says(then_close=False), seconds=0.2).reason is Reason.TIMEOUT


@pytest.mark.parametrize("head", [
    OK + b"Content-Length: 104857600\r\n\r\n", OK + b"\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n6400000\r\n",
    b"HTTP/1.1 200 OK\r\nX: ",
])
def test_a_flood_is_cut_at_the_cap(head):
    handler = floods(head, 100)
    failed = error_of(handler, seconds=5)
    assert failed.reason is Reason.TOO_LARGE
    assert len(failed.partial) <= MOST_BODY + MOST_HEAD
    assert handler.sent < 16 << 20


def test_refused_and_closed_port():
    async def scene():
        async with tcp_server(says(b"")) as port:
            pass
        await HttpClient("127.0.0.1", PortMap({80: port}), 2).request("GET", 80, "/")

    with pytest.raises(ExchangeError) as caught:
        asyncio.run(scene())
    assert caught.value.reason is Reason.REFUSED


def counting(reply, limit=99):
    """Answers `limit` requests a connection, then closes; counts connections and requests."""
    async def handler(reader, writer):
        handler.connections += 1
        for _ in range(limit):
            handler.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply)
            await writer.drain()
    handler.connections, handler.requests = 0, []
    return handler


@pytest.mark.parametrize(("reply", "limit", "connections"), [
    (OK + b"Content-Length: 2\r\n\r\nok", 99, 1),                              # kept open: one connection
    (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", 99, 4),         # told to close
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 99, 4),                # 1.0 closes unless it says otherwise
    (OK + b"Content-Length: 2\r\n\r\nok", 2, 2),                               # closes without a word after two
    (OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", 99, 4),       # smuggles a second answer
])
def test_connections_are_reused_where_both_sides_may(reply, limit, connections):
    handler = counting(reply, limit)
    assert [response.body for response in get(handler, times=4)] == [b"ok"] * 4
    assert (handler.connections, len(handler.requests)) == (connections, 4)


def test_the_request_asks_for_nothing_fancy():
    handler = counting(OK + b"Content-Length: 0\r\n\r\n")
    get(handler)
    request = handler.requests[0]
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in request
    assert b"\r\nHost: 127.0.0.1\r\n" in request


def test_a_proxy_in_the_environment_is_ignored(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert get(says(OK + b"Content-Length: 2\r\n\r\nok"))[0].body == b"ok"


@pytest.mark.parametrize(("path", "target"), [
    ("/a b", "/a%20b"), ("evil\r\nHost: x", "/evil%0D%0AHost:%20x"), ("", "/"), ("//other/x", "//other/x"),
    ("/ü", "/%C3%BC"),
])
def test_request_targets_carry_no_line(path, target):
    assert request_target(path) == target


@pytest.mark.parametrize(("address", "port", "text"), [
    ("10.0.0.1", 80, "10.0.0.1"), ("10.0.0.1", 8080, "10.0.0.1:8080"), ("fd00::1", 8080, "[fd00::1]:8080")])
def test_authority(address, port, text):
    assert authority(address, port, (80, 443)) == text


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_end_in_a_response_or_an_exchange_error(data, as_http):
    try:
        ended = get(says((OK if as_http else b"") + data), seconds=2)[0].status >= 200
    except ExchangeError as failed:
        ended = failed.reason in (Reason.MALFORMED, Reason.RESET, Reason.TOO_LARGE)
    assert ended
