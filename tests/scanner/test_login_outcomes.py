"""How a login ends: what is no wrong password is never called one, and after a refusal no protocol sends another."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from test_sweep_hostile import HERE, OK, PLAIN, answers, fault, interviewed, onvif, outcome, serve, unused_ports

from camvet.prose import told_logins
from scanner.dossier import Dossier
from scanner.interview import Interview
from scanner.login import LoginPass
from scanner.observation import AttemptStatus, Reason
from scanner.pace import PACES, Profile, RateLimit
from scanner.plan import Ask, Plan
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, Settings
from scanner.transport.exchange import PortMap
from scanner.wire.auth import Credentials

LOGIN = Credentials("admin", "s3cret-word")
PACE = PACES[Profile.FAST]
ASKS = Plan(asks=(Ask("isapi-device-info", "/ISAPI/System/deviceInfo", login=True),
                  Ask("isapi-channels", "/ISAPI/ContentMgmt/InputProxy/channels", login=True)))
CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'


def reply(status, body="", *headers):
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def web(with_login, without=None):
    """A web server that challenges every request and answers every login alike; it has no ONVIF."""
    async def handler(reader, writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            if b"Authorization:" in head:
                handler.logins.append(head)
                writer.write(with_login)
            else:
                writer.write(reply(404) if head.startswith(b"POST") else without or reply(401, "", CHALLENGE))
            await writer.drain()
    handler.logins = []
    return handler


def logged_in(services, planned=ASKS):
    """The dossier after an interview and the login pass, with documents that want a login."""
    async def scene():
        async with AsyncExitStack() as stack:
            closed = [port for port in (*BASE_PORTS, *HYGIENE_PORTS) if port not in services]
            ports = dict(zip(closed, await unused_ports(len(closed)), strict=True))
            ports |= {nominal: await serve(stack, handler) for nominal, handler in services.items()}
            settings = Settings(profile=Profile.FAST, port_map=PortMap(ports))
            dossier = Dossier(HERE, PACE, LOGIN)
            dossier.gate.begin()
            interview = Interview(dossier, settings, lambda _address, _seen: planned, RateLimit(5000))
            await interview.run()
            await LoginPass(interview, settings, LOGIN).run()
            return dossier
    return asyncio.run(scene())


KNOWN = ('<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><GetDeviceInformationResponse>'
         "<Model>X-1</Model></GetDeviceInformationResponse></e:Body></e:Envelope>")
PAGE = "<html><title>Unauthorized</title></html>"
INFORMATION = "auth.onvif.GetDeviceInformation"
FIRST, SECOND = "auth.isapi.device_info", "auth.recorder.channels"


@pytest.mark.parametrize(("refusal", "reason"), [
    (reply(401, "", CHALLENGE), Reason.AUTH_REJECTED),
    (reply(403, "<html><title>Forbidden</title></html>"), Reason.AUTH_REJECTED),
    (reply(401, '<html><meta name="viewport" content="maximum-scale=1"><p>Example Technology Limited</p></html>',
           CHALLENGE), Reason.AUTH_REJECTED),                                # words of a page are no limit
    (reply(401, "<html><script>var t=new Date(); clock(); lockStatus='locked out';</script>Error</html>", CHALLENGE),
     Reason.AUTH_REJECTED),
    (reply(401, "<p>Your session clock is wrong</p>", CHALLENGE), Reason.AUTH_REJECTED),   # Digest carries no time
    (reply(401, "<ResponseStatus><statusString>userLocked</statusString><unlockTime>1800</unlockTime></ResponseStatus>",
           CHALLENGE), Reason.BUSY),
    (reply(401, '{"error": {"message": "Account is locked, try again later"}}', CHALLENGE), Reason.BUSY),
    (reply(401, "Connection limit reached", CHALLENGE), Reason.BUSY),        # Dahua's full table of connections
    (reply(429), Reason.BUSY),
    (reply(503), Reason.BUSY),
    (reply(200, "<ResponseStatus><statusCode>4</statusCode><subStatusCode>notAuthorized</subStatusCode>"
                "</ResponseStatus>"), Reason.AUTH_REJECTED),                # an error sent as a success
    (reply(200, '[{"error": {"detail": "login failed", "rspCode": -7}}]'), Reason.AUTH_REJECTED),
])
def test_a_digest_login_that_fails_says_how_and_is_the_last(refusal, reason):
    handler = web(refusal)
    dossier = logged_in({80: handler})
    assert outcome(dossier, FIRST) == [(AttemptStatus.FAILED, reason)]
    assert outcome(dossier, SECOND) == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUDGET_SPENT)]
    assert len(handler.logins) == 1


@pytest.mark.parametrize("without", [
    reply(401, "", 'WWW-Authenticate: Basic realm="r"'), reply(401, "", 'WWW-Authenticate: Negotiate'), reply(401),
    reply(401, "", 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-512-256'),
    reply(401, "", 'WWW-Authenticate: Digest realm="r", qop="auth"'), reply(403, "no"),
])
def test_a_challenge_that_cannot_be_answered_gets_no_login_and_is_no_wrong_password(without):
    handler = web(reply(200), without)
    dossier = logged_in({80: handler})
    assert outcome(dossier, FIRST) == [(AttemptStatus.FAILED, Reason.AUTH_NOT_UNDERSTOOD)]
    assert not handler.logins


def test_a_login_that_succeeds_goes_on():
    handler = web(reply(200, "<DeviceInfo><model>X-1</model></DeviceInfo>"))
    dossier = logged_in({80: handler})
    assert outcome(dossier, FIRST) == [(AttemptStatus.COMPLETED, None)]
    assert outcome(dossier, SECOND) == [(AttemptStatus.COMPLETED, None)]


def test_a_refusal_over_onvif_spends_the_login_of_http_too():
    handler = onvif(PLAIN, PLAIN)
    dossier = logged_in({80: handler})
    assert outcome(dossier, "auth.onvif.GetDeviceInformation") == [(AttemptStatus.FAILED, Reason.AUTH_REJECTED)]
    assert outcome(dossier, FIRST) == [(AttemptStatus.NOT_ATTEMPTED, Reason.BUDGET_SPENT)]
    assert len(handler.logins) == 1


@pytest.mark.parametrize(("code", "said", "status", "offset", "reason"), [
    ("wsse:FailedAuthentication", "The security token could not be authenticated", 500, 0, Reason.AUTH_REJECTED),
    ("ter:NotAuthorized", "Wsse authorized time check failed", 400, 0, Reason.CLOCK_SKEW),
    ("wsse:MessageExpired", "not authorized: message expired", 400, 0, Reason.CLOCK_SKEW),
    ("ter:NotAuthorized", "The password has expired", 400, 0, Reason.AUTH_REJECTED),
    ("ter:NotAuthorized", "The account is locked", 400, 0, Reason.BUSY),
    ("ter:NotAuthorized", "Too many connections", 400, 0, Reason.BUSY),
    ("ter:NotAuthorized", "You still have 0 attempt(s)", 400, 0, Reason.AUTH_REJECTED),
    ("ter:NotAuthorized", "Sender not authorized", 400, 1, Reason.AUTH_REJECTED),          # one second is no skew
    ("ter:NotAuthorized", "Sender not authorized", 400, -7_200, Reason.CLOCK_SKEW),        # local time sent as UTC
])
def test_what_a_soap_fault_says_decides(code, said, status, offset, reason):
    handler = onvif(PLAIN, fault(status, code, said), offset_s=offset)
    dossier = interviewed({80: handler}, credentials=LOGIN)
    assert outcome(dossier, "auth.onvif.GetDeviceInformation") == [(AttemptStatus.FAILED, reason)]
    assert len(handler.logins) == 1


def test_without_credentials_nothing_is_ever_sent_not_even_to_an_rtsp_challenge():
    async def rtsp(reader, writer):
        while True:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"RTSP/1.0 401 Unauthorized\r\n" + CHALLENGE.encode() + b"\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

    heard, page = [], answers(OK + b"Content-Length: 2\r\n\r\nok")
    dossier = interviewed({80: page, 554: rtsp})
    assert not any(b"authorization" in one.lower() for one in (*heard, *page.requests))
    assert not any(one.probe.startswith("auth.") for one in dossier.attempts)
    assert outcome(dossier, "rtsp.describe") == [(AttemptStatus.COMPLETED, None)]          # 401 is an answer


def test_explain_says_which_of_the_four_it_was():
    handler = web(reply(401, "Connection limit reached", CHALLENGE))
    dossier = logged_in({80: handler})
    told = list(told_logins(dossier.attempts))
    assert any("isapi.device_info" in line and "device was busy" in line and "limit" in line for line in told)
    assert any("recorder.channels" in line and "not sent" in line for line in told)
    failed = next(one for one in dossier.attempts if one.probe == FIRST)
    words = {next(iter(told_logins([replace(failed, reason=reason, detail="")]))) for reason in (
        Reason.AUTH_REJECTED, Reason.AUTH_NOT_UNDERSTOOD, Reason.CLOCK_SKEW, Reason.BUSY)}
    assert len(words) == 4
    assert next(iter(told_logins([]))).endswith("no credentials were given")


@pytest.mark.parametrize("body", ["", PAGE])
@pytest.mark.parametrize(("with_login", "end"), [
    (reply(200, KNOWN), (AttemptStatus.COMPLETED, None)),
    (reply(401, "", CHALLENGE), (AttemptStatus.FAILED, Reason.AUTH_REJECTED)),
    (reply(401, PAGE, CHALLENGE), (AttemptStatus.FAILED, Reason.AUTH_REJECTED)),
    (reply(403), (AttemptStatus.FAILED, Reason.AUTH_REJECTED)),
])
def test_a_digest_challenge_without_soap_is_answered_over_onvif(body, with_login, end):
    handler = onvif(reply(401, body, CHALLENGE), with_login)
    dossier = interviewed({80: handler}, credentials=LOGIN)
    assert outcome(dossier, INFORMATION) == [end]
    assert len(handler.logins) == 1
    assert b"Authorization: Digest" in handler.logins[0]
    assert b"UsernameToken" not in handler.logins[0]


@pytest.mark.parametrize("scheme", ["Negotiate", 'Basic realm="r"'])
@pytest.mark.parametrize("body", ["", PAGE])
def test_a_challenge_without_soap_that_is_not_understood_says_so_over_onvif(scheme, body):
    handler = onvif(reply(401, body, f"WWW-Authenticate: {scheme}"), reply(200, KNOWN))
    dossier = interviewed({80: handler}, credentials=LOGIN)
    assert outcome(dossier, INFORMATION) == [(AttemptStatus.FAILED, Reason.AUTH_NOT_UNDERSTOOD)]
    assert not handler.logins


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_challenge_gets_the_token(status):
    handler = onvif(reply(status), reply(200, KNOWN))
    dossier = interviewed({80: handler}, credentials=LOGIN)
    assert outcome(dossier, INFORMATION) == [(AttemptStatus.COMPLETED, None)]
    assert b"UsernameToken" in handler.logins[0]


def test_what_everybody_may_read_is_no_login_that_was_accepted():
    handler = web(reply(200), reply(200, "<DeviceInfo><model>X-1</model></DeviceInfo>"))
    dossier = logged_in({80: handler})
    assert outcome(dossier, FIRST) == [(AttemptStatus.NOT_ATTEMPTED, Reason.NOT_APPLICABLE)]
    made = next(one for one in dossier.attempts if one.probe == FIRST)
    assert made.observations
    assert "asked for no login" in made.detail
    assert not handler.logins
    assert not [line for line in told_logins(dossier.attempts) if "accepted" in line]


def test_a_device_that_answers_onvif_without_a_login_gets_none():
    handler = onvif(reply(200, KNOWN), reply(200, KNOWN))
    dossier = interviewed({80: handler}, credentials=LOGIN)
    assert outcome(dossier, INFORMATION) == [(AttemptStatus.NOT_ATTEMPTED, Reason.NOT_APPLICABLE)]
    assert not handler.logins
