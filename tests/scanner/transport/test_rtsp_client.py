import asyncio

import pytest
from hostile_servers import says, tcp_server

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap
from scanner.transport.rtsp import RtspClient

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n"


def ask(handler, requests, seconds=2.0):
    async def scene():
        async with tcp_server(handler) as port:
            client = RtspClient("127.0.0.1", 554, PortMap({554: port}), seconds)
            try:
                return [await client.request(method, path) for method, path in requests]
            finally:
                await client.close()
    return asyncio.run(scene())


def test_one_connection_serves_all_requests_where_the_device_keeps_it():
    async def handler(reader, writer):
        handler.connections += 1
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            handler.requests.append(request)
            body = b"v=0\r\n" if request.startswith(b"DESCRIBE") else b""
            length = b"Content-Length: %d\r\n" % len(body) if body else b""
            writer.write(b"RTSP/1.0 200 OK\r\n" + length + b"\r\n" + body)

    handler.connections, handler.requests = 0, []
    answers = ask(handler, [("OPTIONS", "/"), ("DESCRIBE", "/a b")])
    assert [answer.body for answer in answers] == [b"", b"v=0\r\n"]
    assert handler.connections == 1
    assert handler.requests[1].startswith(b"DESCRIBE rtsp://127.0.0.1:554/a%20b RTSP/1.0\r\nCSeq: 2\r\n")


def test_a_device_that_closes_after_each_answer_is_called_again():
    answers = ask(says(ANSWER), [("OPTIONS", "/"), ("DESCRIBE", "/")])
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize(("wire", "reason"), [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.MALFORMED),
    (b"RTSP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nv=0", Reason.RESET),
    (b"RTSP/1.0 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"v" * 1_100_000, Reason.TOO_LARGE),
    (b"$\x00\x00\x04abcd", Reason.MALFORMED),
    (b"", Reason.RESET),
])
def test_says_why_there_is_no_answer(wire, reason):
    with pytest.raises(ExchangeError) as caught:
        ask(says(wire), [("OPTIONS", "/")])
    assert caught.value.reason is reason


def test_a_redirect_is_an_answer_and_not_a_destination():
    answer = ask(says(b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1:22/\r\n\r\n"), [("DESCRIBE", "/")])[0]
    assert (answer.status, answer.header("location")) == (302, "rtsp://127.0.0.1:22/")
