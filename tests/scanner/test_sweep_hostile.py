"""Devices that misbehave on purpose: the sweep ends, says what happened, and goes nowhere it was not sent."""

import asyncio
import time
from contextlib import AsyncExitStack

import pytest

from scanner.dossier import Dossier
from scanner.interview import Interview
from scanner.journal import Journal
from scanner.login import LoginPass
from scanner.logins import Logins
from scanner.observation import AttemptStatus, Reason
from scanner.pace import PACES, Profile, RateLimit
from scanner.plan import nothing_more
from scanner.scope import Scope, ScopeError
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, Quiet, Settings
from scanner.sweep import sweep
from scanner.transport.exchange import PortMap
from scanner.wire.auth import Credentials

HERE = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\n"


async def serve(stack, handler):
    tasks = set()

    async def on_connect(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(on_connect, HERE, 0)

    async def stop():
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stack.push_async_callback(stop)
    return server.sockets[0].getsockname()[1]


async def unused_ports(count):
    async with AsyncExitStack() as stack:
        async def nothing(_reader, _writer):
            return
        return [await serve(stack, nothing) for _ in range(count)]


def answers(*parts, pause=0.0):
    async def handler(reader, writer):
        handler.requests.append(await reader.readuntil(b"\r\n\r\n"))
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    handler.requests = []
    return handler


def interviewed(services, *, credentials=None, meddle=None, profile=Profile.FAST, prepare=None):
    """The dossier of one device that offers `services`: nominal port to handler; the other base ports are closed."""
    async def scene():
        async with AsyncExitStack() as stack:
            if prepare:
                await prepare(stack)
            closed = [port for port in (*BASE_PORTS, *HYGIENE_PORTS) if port not in services]
            ports = dict(zip(closed, await unused_ports(len(closed)), strict=True))
            for nominal, handler in services.items():
                ports[nominal] = await serve(stack, handler)
            settings = Settings(profile=profile, port_map=PortMap(ports),
                                credentials=Logins(default=credentials) if credentials else None)
            dossier = Dossier(HERE, PACES[profile])
            if meddle:
                meddle(dossier)
            dossier.gate.begin()
            interview = Interview(dossier, settings, nothing_more, RateLimit(5000))
            await interview.run()
            if credentials:
                await LoginPass(interview, settings, credentials).run()
            return dossier
    return asyncio.run(scene())


def outcome(dossier, probe):
    return [(one.status, one.reason) for one in dossier.attempts if one.probe == probe]


def test_garbage_everywhere_is_malformed_everywhere():
    dossier = interviewed({80: answers(b"\xff\xfe\x00garbage\r\n\r\n"), 554: answers(b"\x00\x01\x02\x03\r\n\r\n")})
    for probe in ("http.root", "rtsp.options", "rtsp.describe", "onvif.GetSystemDateAndTime"):
        assert outcome(dossier, probe) == [(AttemptStatus.FAILED, Reason.MALFORMED)]
    assert outcome(dossier, "onvif.GetScopes") == [(AttemptStatus.NOT_ATTEMPTED, Reason.NOT_APPLICABLE)]


def test_a_flood_is_cut_and_its_headers_are_kept():
    async def flood(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Server: Flood/1\r\nContent-Length: 104857600\r\n\r\n")
        while True:
            writer.write(b"A" * 65_536)
            await writer.drain()

    dossier = interviewed({80: flood})
    assert outcome(dossier, "http.root") == [(AttemptStatus.FAILED, Reason.TOO_LARGE)]
    assert "Flood/1" in {one.text("server") for one in dossier.seen}
    assert all(len(one.raw) <= 16_384 for one in dossier.seen)


def test_a_redirect_is_evidence_and_is_not_followed():
    visited, target = [], []

    async def visit(_reader, _writer):
        visited.append(True)

    async def prepare(stack):
        target.append(await serve(stack, visit))

    async def redirect(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:%d/secret\r\n\r\n"
                     % target[0])
        await writer.drain()

    dossier = interviewed({80: redirect}, prepare=prepare)
    root = next(one for one in dossier.seen if one.probe == "http.root")
    assert root.text("location") == f"http://127.0.0.1:{target[0]}/secret"
    assert outcome(dossier, "http.root") == [(AttemptStatus.COMPLETED, None)]
    assert not visited


def test_an_xaddr_gives_its_path_and_never_its_host():
    handler = answers(OK + b"Content-Length: 0\r\n\r\n")

    def meddle(dossier):
        dossier.observe("wsd", "wsd.probe", 3702, {"xaddrs": (
            "http://203.0.113.9/onvif/device_service_x", "http://[fe80::1]:80/onvif/device_y", "gopher://x", "http://[",
        )}, b"x")

    interviewed({80: handler}, meddle=meddle)
    paths = [request.split(b" ")[1] for request in handler.requests]
    assert b"/onvif/device_service_x" in paths
    assert not any(b"203.0.113.9" in request for request in handler.requests)
    assert all(b"Host: 127.0.0.1\r\n" in request for request in handler.requests)


def test_death_after_the_first_answer_opens_the_circuit():
    async def dies(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET / "):
            writer.write(OK + b"Content-Length: 2\r\n\r\nok")
            await writer.drain()

    dossier = interviewed({80: dies, 554: dies})
    assert outcome(dossier, "http.root") == [(AttemptStatus.COMPLETED, None)]
    left_alone = [one for one in dossier.attempts if one.reason is Reason.CIRCUIT_OPEN]
    assert {one.status for one in left_alone} == {AttemptStatus.NOT_ATTEMPTED}
    assert {"rtsp.describe_random_path", "onvif.GetSystemDateAndTime"} <= {one.probe for one in left_alone}


ONVIF_CALLS = ("GetScopes", "GetServices", "GetDeviceInformation", "GetProfiles", "GetCapabilities")


def test_a_busy_device_stays_busy_and_is_never_said_to_lack_a_service():
    busy = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    full = b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 1\r\n\r\n"
    dossier = interviewed({80: answers(busy), 554: answers(full)}, credentials=Credentials("admin", "s3cret-word"))
    assert outcome(dossier, "onvif.GetSystemDateAndTime") == [(AttemptStatus.FAILED, Reason.BUSY)]
    for probe in (*(f"onvif.{name}" for name in ONVIF_CALLS), "auth.onvif.GetDeviceInformation",
                  "rtsp.describe_told_path"):
        assert outcome(dossier, probe) == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUSY)], probe


def test_a_busy_answer_for_the_profiles_does_not_say_that_strangers_get_none():
    async def soap(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length")), 0)
        await reader.readexactly(length)
        body = (b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetScopesResponse/></e:Body>'
                b"</e:Envelope>")
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" if b"GetProfiles" in head
                     else OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    dossier = interviewed({80: soap})
    assert outcome(dossier, "onvif.GetScopes") == [(AttemptStatus.COMPLETED, None)]
    for probe in ("onvif.GetStreamUri", "rtsp.describe_told_path"):
        assert outcome(dossier, probe) == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUSY)]


def test_every_question_to_a_device_that_is_spared_says_that_it_is():
    asked = answers(OK + b"Content-Length: 0\r\n\r\n")
    dossier = interviewed({80: asked, 554: asked, 443: asked}, credentials=Credentials("admin", "s3cret-word"),
                          meddle=lambda dossier: dossier.gate.trip("the first device like it stopped answering"))
    assert not asked.requests
    assert {"http.root", "http.favicon", "tls.handshake", "rtsp.options", "rtsp.describe_told_path", "tcp.connect",
            "onvif.GetScopes", "auth.onvif.GetDeviceInformation"} <= {one.probe for one in dossier.attempts}
    assert {(one.status, one.reason) for one in dossier.attempts} == {
        (AttemptStatus.NOT_ATTEMPTED, Reason.CIRCUIT_OPEN)}
    assert {one.detail for one in dossier.attempts} == {"the first device like it stopped answering"}


def test_a_port_that_was_found_closed_stays_closed_when_the_device_is_left_alone_later():
    dossier = Dossier(HERE, PACES[Profile.FAST])
    dossier.gate.trip("it fell silent")
    dossier.skipped("rtsp.options", None, Reason.PORT_CLOSED, "no open RTSP port")
    dossier.skipped("http.favicon", None, Reason.NOT_APPLICABLE, "no web server answered")
    dossier.skipped("auth.isapi.device_info", 80, Reason.BUDGET_SPENT, "the one login attempt did not succeed")
    assert [one.reason for one in dossier.attempts] == [Reason.PORT_CLOSED, Reason.CIRCUIT_OPEN, Reason.BUDGET_SPENT]


def test_the_gentle_budget_is_ten_requests():
    asked = []

    async def soap(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        body = (b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetScopesResponse/></e:Body>'
                b"</e:Envelope>")
        start = b"RTSP/1.0 200 OK\r\n" if b"RTSP/1.0" in head else OK
        writer.write(start + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    dossier = interviewed({80: soap, 554: soap}, profile=Profile.GENTLE)
    assert len(asked) == 10
    assert outcome(dossier, "onvif.GetCapabilities") == [(AttemptStatus.COMPLETED, None)]
    assert outcome(dossier, "http.favicon") == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUDGET_SPENT)]


def fault(status, code, reason, *headers):
    body = (f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Sender'
            f"</e:Value><e:Subcode><e:Value>{code}</e:Value></e:Subcode></e:Code><e:Reason><e:Text>{reason}</e:Text>"
            "</e:Reason></e:Fault></e:Body></e:Envelope>").encode()
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 {status} No\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


NOW = (b"<UTCDateTime><Time><Hour>%d</Hour><Minute>%d</Minute><Second>%d</Second></Time>"
       b"<Date><Year>%d</Year><Month>%d</Month><Day>%d</Day></Date></UTCDateTime>")


def onvif(refusal, refusal_with_login, *, offset_s=0.0):
    """A device whose GetDeviceInformation is refused, before a login and with one."""
    async def handler(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                           if line.startswith(b"content-length")), 0)
            asked = head + await reader.readexactly(length)
            if b"GetSystemDateAndTime" in asked:
                at = time.gmtime(time.time() + offset_s)
                inner = NOW % (at.tm_hour, at.tm_min, at.tm_sec, at.tm_year, at.tm_mon, at.tm_mday)
                body = (b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
                        b"<GetSystemDateAndTimeResponse>" + inner
                        + b"</GetSystemDateAndTimeResponse></e:Body></e:Envelope>")
                writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            elif b"Password" in asked or b"Authorization:" in asked:
                handler.logins.append(asked)
                writer.write(refusal_with_login)
            else:
                writer.write(refusal)
            await writer.drain()
    handler.logins = []
    return handler


PLAIN = fault(400, "ter:NotAuthorized", "Sender not authorized")
DIGEST = fault(401, "ter:NotAuthorized", "no", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')
UNREADABLE = fault(401, "ter:NotAuthorized", "no", 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA3-999')
BASIC = fault(401, "ter:NotAuthorized", "no", 'WWW-Authenticate: Basic realm="r"')


@pytest.mark.parametrize(("refusal", "with_login", "offset", "reason", "logins"), [
    (PLAIN, PLAIN, 0, Reason.AUTH_REJECTED, 1),
    (DIGEST, DIGEST, 0, Reason.AUTH_REJECTED, 1),
    (DIGEST, fault(401, "ter:NotAuthorized", "You still have 4 attempt(s)", "WWW-Authenticate: Digest nonce=\"m\""), 0,
     Reason.AUTH_REJECTED, 1),
    (UNREADABLE, PLAIN, 0, Reason.AUTH_NOT_UNDERSTOOD, 0),
    (BASIC, PLAIN, 0, Reason.AUTH_NOT_UNDERSTOOD, 0),
    (PLAIN, fault(400, "ter:NotAuthorized", "Wsse authorized time check failed"), 0, Reason.CLOCK_SKEW, 1),
    (PLAIN, PLAIN, 36_000, Reason.CLOCK_SKEW, 1),
    (PLAIN, PLAIN, 77, Reason.AUTH_REJECTED, 1),
    (DIGEST, fault(401, "ter:NotAuthorized", "too many users"), 0, Reason.BUSY, 1),
    (DIGEST, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 0, Reason.BUSY, 1),
    (DIGEST, fault(401, "x", "y", 'WWW-Authenticate: Digest realm="r", nonce="o", qop="auth", stale=true'), 0,
     Reason.AUTH_REJECTED, 2),
])
def test_four_ways_a_login_ends(refusal, with_login, offset, reason, logins):
    handler = onvif(refusal, with_login, offset_s=offset)
    dossier = interviewed({80: handler}, credentials=Credentials("admin", "s3cret-word"))
    assert outcome(dossier, "auth.onvif.GetDeviceInformation") == [(AttemptStatus.FAILED, reason)]
    assert len(handler.logins) == logins
    assert not any(b"s3cret-word" in sent for sent in handler.logins)


class Notes(Quiet):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_cancelling_keeps_what_was_finished_and_says_what_was_not(tmp_path):
    async def stuck(_reader, _writer):
        await asyncio.sleep(60)

    scope = Scope.of(["127.0.0.1"], owner="tests", lab=True)

    async def scene():
        async with AsyncExitStack() as stack:
            settings = Settings(profile=Profile.FAST, port_map=PortMap({80: await serve(stack, stuck)}))
            journal = Journal.open(tmp_path, scope, settings)
            task = asyncio.create_task(sweep(scope, settings, nothing_more, journal, Notes()))
            await asyncio.sleep(2.5)
            task.cancel()
            return await task

    result = asyncio.run(scene())
    assert result.interrupted
    assert [one.reason for one in result.attempts if one.probe == "interview"] == [Reason.INTERRUPTED]
    assert [path.suffixes for path in tmp_path.iterdir()] == [[".jsonl"]]


def test_outside_its_window_nothing_starts():
    from datetime import UTC, datetime
    scope = Scope.of(["10.0.0.1"], owner="tests", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(ScopeError, match="window"):
        asyncio.run(sweep(scope, Settings(), nothing_more, Journal.none(), Quiet()))


def test_what_the_planner_wants_is_asked_within_the_rules():
    from scanner.plan import Ask, Plan
    asked = []

    async def web(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b" ")[1].decode())
        start = b"RTSP/1.0 404 No\r\n" if b"RTSP/1.0" in head else (
            b"HTTP/1.1 302 F\r\nLocation: http://203.0.113.1/\r\n" if b"/moved" in head else b"HTTP/1.1 404 No\r\n")
        writer.write(start + b"Content-Length: 0\r\n\r\n")
        await writer.drain()

    wishes = Plan(tcp_ports=(9000,), rtsp_paths=("/live",), asks=(
        Ask("upnp", "/desc.xml"), Ask("psia", "/moved"), Ask("lapi", "/secret", login=True),
        Ask("reolink", "/x", port=81)))

    async def scene():
        async with AsyncExitStack() as stack:
            ports = dict(zip((*BASE_PORTS, *HYGIENE_PORTS, 9000), await unused_ports(11), strict=True))
            ports |= {80: await serve(stack, web), 554: await serve(stack, web)}
            dossier = Dossier(HERE, PACES[Profile.FAST])
            await Interview(dossier, Settings(profile=Profile.FAST, port_map=PortMap(ports)), lambda _a, _s: wishes,
                            RateLimit(5000)).run()
            return dossier

    dossier = asyncio.run(scene())
    assert "/desc.xml" in asked
    assert "/secret" not in asked
    assert any(path.endswith("/live") for path in asked)
    assert outcome(dossier, "http.psia") == [(AttemptStatus.FAILED, Reason.REDIRECTED)]
    assert outcome(dossier, "http.reolink") == [(AttemptStatus.NOT_ATTEMPTED, Reason.PORT_CLOSED)]
    assert dossier.ports[9000] == "closed"
