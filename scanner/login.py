"""The opt-in second pass with credentials: one login attempt a device, whatever the protocol, none after a refusal.

Last of all, where a WS-UsernameToken was taken, the very same one is shown once more: a device that takes it twice
remembers no nonce, and whoever heard it once can use it too. It is our own token and reads what it read before.

Cameras lock accounts and addresses after a few wrong logins, so nothing is guessed and nothing tried twice. A refusal
is only called wrong credentials where an understood challenge was answered: a skewed clock, a full connection table
and an unreadable challenge look the same from afar. Basic is never answered, since it hands the password to anybody.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from scanner import clock
from scanner.dossier import Dossier
from scanner.interview import Interview
from scanner.observation import AttemptStatus, Endpoint, Reason, Refusal
from scanner.onvif import no_service, no_soap, parse_reply
from scanner.plan import Ask
from scanner.question import BUSY, Answer, Door, Verdict, put
from scanner.settings import Settings
from scanner.transport.http import request_target
from scanner.transport.response import Response
from scanner.wire import http, soap
from scanner.wire.auth import Credentials, authorization, challenges, strongest, username_token
from scanner.wire.fields import Fields

__all__ = ["REPLAY", "LoginPass", "speaks_of_a_lock"]

REPLAY = "auth.onvif.replay"
_OPERATION = "GetDeviceInformation"
_ALLOWANCE = 10                  # requests of this pass, beside the budget of the first one
_REQUESTS_OF_ONE = 3             # a challenge, its answer, and one more where a nonce was stale
_DENIED_WORDS = re.compile(
    r"(?i)not ?authori[sz]ed|unauthori[sz]ed|failed ?authentication|authentication (?:has )?fail|authority failure|"
    r"invalid ?security|could not be authenticated|log ?in (?:failed|error)|"
    r"(?:wrong|invalid|incorrect) (?:user ?name|user|password)|password (?:is )?(?:error|wrong|incorrect|invalid)")
_SKEW_WORDS = re.compile(r"(?i)time ?check|time ?stamp|clock|wsu:created|(?:message|token) ?(?:has )?expired|too old|"
                         r"time ?(?:is )?(?:not |in)valid|time (?:difference|skew)")
_LOCKED_WORDS = re.compile(r"(?i)(?:\b|user|account|ip)_?lock(?:ed|out)\b|\bblocked\b|illegal ?login|unlock ?time|"
                           r"(?:retry|try again) (?:later|after|in)\b")
_BUSY_WORDS = re.compile(r"(?i)too many|\blimits?\b|\bexceed|\bmaximum(?!-scale)|\bbusy\b|\bin use\b|overload")
_MARKUP = re.compile(r"(?is)<(script|style)\b.{0,4096}?</\1\s{0,8}>|<[^>]{0,512}>")
_PAGE = re.compile(r"(?i)\s{0,64}<(?:!doctype html|html|head|body)\b")
_MOST_READ = 4_096               # characters of a refusal in which its reason is looked for
_HALF_HOUR = timedelta(minutes=30)
_LEEWAY = timedelta(seconds=20)


class LoginPass:
    """The credentialed questions to one device after its interview."""

    def __init__(self, interview: Interview, settings: Settings, credentials: Credentials) -> None:
        self._interview = interview
        self._dossier: Dossier = interview.dossier
        self._settings = settings
        self._credentials = credentials
        self._answered = False           # credentials went out in the present exchange
        self._refused = ""               # why no more are sent
        self._unreadable = ""            # a challenge that could not be answered
        self._signed = b""               # the envelope whose token the device took

    async def run(self) -> None:
        """Ask ONVIF who the device is, what the planner wants to read with a login, then the token once more."""
        self._dossier.gate.grant(_ALLOWANCE, self._settings.pace.device_deadline)
        try:
            await self._onvif(f"auth.onvif.{_OPERATION}")
            for ask in self._asks():
                await self._read(ask, _probe_of(ask))
            await self._replay()
        finally:
            await self._interview.client.close()

    async def run_once(self, probe: str) -> None:
        """One login over one protocol, noted as `probe`: the first document that wants one, else ONVIF."""
        self._dossier.gate.grant(_REQUESTS_OF_ONE, self._settings.pace.device_deadline)
        try:
            ask = next((ask for ask in self._asks()
                        if not ask.document.endswith("-channels") and self._interview.door_of(ask)), None)
            if ask:
                await self._read(ask, probe)
            else:
                await self._onvif(probe)
        finally:
            await self._interview.client.close()

    def _asks(self) -> Sequence[Ask]:
        plan = self._interview.planner(self._dossier.address, self._dossier.seen)
        return [ask for ask in dict.fromkeys(plan.asks) if ask.login]

    # -- ONVIF ---------------------------------------------------------------------------------------------------------

    async def _onvif(self, probe: str) -> None:
        door = self._interview.door
        if not door:
            self._dossier.skipped(probe, None, *no_service(self._dossier))
            return
        stranger = [seen.fields for seen in self._dossier.seen if seen.probe == f"onvif.{_OPERATION}"]
        if any(_answers_it(fields) for fields in stranger):
            self._dossier.skipped(probe, door.port, Reason.NOT_APPLICABLE, "it answers this without a login")
            return
        challenged = any(fields.get("www_authenticate") for fields in stranger)
        headers = list(soap.http_headers(_OPERATION).items())
        signed = b""

        async def send() -> Response:
            nonlocal signed
            if challenged:
                return await self._with_digest("POST", door, headers, soap.request(_OPERATION))
            token = username_token(self._credentials, self._device_now(), secrets.token_bytes(16))
            self._answered, signed = True, soap.request(_OPERATION, header=token)
            return await self._interview.client.request("POST", door.port, door.path, headers=headers, tls=door.context,
                                                        body=signed)

        self._answered, self._unreadable = False, ""
        answer = await self._put(probe, "onvif", door, send, parse_reply(_OPERATION, self._dossier.address, door.port),
                                 signed_time=not challenged)
        if answer and _answers_it(answer.fields) and not self._refused:
            self._signed = signed

    async def _replay(self) -> None:
        """The token that was taken, byte for byte, once more; whatever comes of it, no login follows it."""
        door = self._interview.door
        if not door or not self._signed or self._refused:
            why = self._refused or "no WS-UsernameToken was sent that it took"
            self._dossier.skipped(REPLAY, door.port if door else None, Reason.NOT_APPLICABLE if not self._refused
                                  else Reason.BUDGET_SPENT, why)
            return
        where, signed = door, self._signed
        self._refused = "the login was shown a second time, on purpose"

        def send() -> Awaitable[Response]:
            return self._interview.client.request("POST", where.port, where.path, body=signed, tls=where.context,
                                                  headers=list(soap.http_headers(_OPERATION).items()))

        await put(self._dossier, REPLAY, "onvif", where.port, send,
                  parse_reply(_OPERATION, self._dossier.address, where.port), weigh=no_soap)

    def _skew(self) -> timedelta | None:
        """How far the device's clock was from ours when it was asked; ``None`` where it did not say."""
        for seen in self._dossier.seen:
            text = seen.text("device_time") if seen.transport == "onvif" else ""
            if text:
                return datetime.fromisoformat(text) - seen.at
        return None

    def _device_now(self) -> datetime:
        try:
            return clock.now() + (self._skew() or timedelta())
        except OverflowError:                  # a clock at the edge of the calendar: ours will have to do
            return clock.now()

    # -- documents -----------------------------------------------------------------------------------------------------

    async def _read(self, ask: Ask, probe: str) -> None:
        door = self._interview.door_of(ask)
        if self._refused:
            self._dossier.skipped(probe, ask.port, Reason.BUDGET_SPENT, self._refused)
            return
        if not door:
            self._dossier.skipped(probe, ask.port, Reason.PORT_CLOSED)
            return

        async def send() -> Response:
            return await self._with_digest("GET", door, (), b"")

        def read(wire: bytes) -> Fields | Refusal:
            fields = http.parse(wire, Endpoint(self._dossier.address, door.port), clock.now(), path=ask.path,
                                document=ask.document)
            return fields if isinstance(fields, Refusal) else {"document": ask.document, **fields}

        self._answered, self._unreadable = False, ""
        answer = await self._put(probe, "http", door, send, read)
        if answer and answer.response.status == 200:
            self._keep_channels(probe, door, answer)

    def _keep_channels(self, probe: str, door: Door, answer: Answer) -> None:
        """Every camera behind a recorder becomes a device of its own: a listed maker may hide there."""
        for fields in http.channels(answer.response.body):
            number = fields.get("channel")
            if isinstance(number, int):
                self._dossier.observe("channel", probe, door.port, {**fields, "recorder": self._dossier.address},
                                      answer.response.wire, channel=number, raw=b"")

    # -- one login -----------------------------------------------------------------------------------------------------

    async def _with_digest(self, method: str, door: Door, headers: Sequence[tuple[str, str]], body: bytes) -> Response:
        """Ask for a challenge and answer it on the same connection, where some firmware binds its nonce to that."""
        client = self._interview.client
        reply = await client.request(method, door.port, door.path, headers=headers, body=body, tls=door.context)
        for _ in range(2):
            if reply.status != 401:
                return reply
            offered = challenges(reply.headers("www-authenticate"))
            chosen = strongest(offered)
            if self._answered and not (chosen and chosen.parameters.get("stale", "").lower() == "true"):
                return reply                     # a stale nonce is no refusal; anything else is
            if not chosen:
                only = ", ".join(sorted({one.scheme for one in offered})) or "no challenge"
                self._unreadable = f"offers {only}; nothing was sent"
                return reply
            proof = authorization(chosen, self._credentials, method, request_target(door.path),
                                  cnonce=secrets.token_hex(8), body=body)
            if isinstance(proof, Refusal):
                self._unreadable = f"{proof.reason} {proof.detail}".strip()
                return reply
            await asyncio.sleep(self._settings.pace.gap)
            self._answered = True
            reply = await client.request(method, door.port, door.path, body=body, tls=door.context,
                                         headers=[*headers, ("Authorization", proof)])
        return reply

    async def _put(self, probe: str, transport: str, door: Door, send: Callable[[], Awaitable[Response]],
                   read: Callable[[bytes], Fields | Refusal], *, signed_time: bool = False) -> Answer | None:
        """One credentialed exchange; a login that was sent and did not clearly succeed is the last one."""
        verdict: Verdict = None

        def weigh(fields: Fields) -> Verdict:
            nonlocal verdict
            verdict = self._weigh(fields, signed_time=signed_time)
            return verdict

        answer = await put(self._dossier, probe, transport, door.port, send, read, weigh=weigh)
        if self._answered and (answer is None or verdict or answer.response.status >= 500
                               or answer.response.status in BUSY):
            self._refused = f"the one login attempt went to {probe} and did not succeed"
        made = self._dossier.attempts[-1]
        if answer and not self._answered and made.status is AttemptStatus.COMPLETED:
            # An answer to a question with which no login went out is no login that was taken.
            self._dossier.attempts[-1] = replace(
                made, status=AttemptStatus.NOT_ATTEMPTED, reason=Reason.NOT_APPLICABLE,
                detail=f"it asked for no login, and answered with status {answer.response.status}")
        return answer

    def _weigh(self, fields: Fields, *, signed_time: bool) -> Verdict:
        said = _said(fields)
        denied = fields.get("status") in (401, 403)
        if not denied and not (_DENIED_WORDS.search(said) and not _PAGE.match(str(fields.get("body", "")))):
            return (Reason.MALFORMED, f"no SOAP: {fields['refusal']}") if "refusal" in fields else None
        if self._unreadable:
            return Reason.AUTH_NOT_UNDERSTOOD, self._unreadable
        if not self._answered:
            return Reason.AUTH_NOT_UNDERSTOOD, "refused without a challenge; nothing was sent"
        if _LOCKED_WORDS.search(said):
            return Reason.BUSY, "refused, and it speaks of a lock: the login may be right, and is not tried again"
        if _BUSY_WORDS.search(said):
            return Reason.BUSY, "refused, and it speaks of a limit"
        if signed_time and _SKEW_WORDS.search(said):
            return Reason.CLOCK_SKEW, "refused for the time of the login"
        if signed_time and (doubt := self._doubtful_clock()):
            return Reason.CLOCK_SKEW, doubt
        left = fields.get("attempts_left")
        if left is not None:
            return Reason.AUTH_REJECTED, f"the device says that {left} attempts are left"
        return Reason.AUTH_REJECTED, "understood, but this account may not (403)" if fields.get("status") == 403 else ""

    def _doubtful_clock(self) -> str:
        """Why a signed time may have been wrong: unknown, or off by half hours as where local time is sent as UTC."""
        skew = self._skew()
        if skew is None:
            return "refused, and the device did not tell its time"
        away = abs(skew)
        if away >= _HALF_HOUR - _LEEWAY and min(away % _HALF_HOUR, _HALF_HOUR - away % _HALF_HOUR) <= _LEEWAY:
            return "refused, and the device seems to give local time as UTC"
        return ""


def _answers_it(fields: Mapping[str, object]) -> bool:
    """Whether a reply is the answer to the call, and neither its refusal nor a body that nobody could read."""
    return (fields.get("operation") == _OPERATION and "refusal" not in fields
            and fields.get("status") not in (401, 403))


def speaks_of_a_lock(fields: Mapping[str, object]) -> str:
    """Where a reply says that somebody is locked out, what it says; else nothing. A page of documents says anything."""
    if fields.get("status") not in (401, 403, 423, 429) and "fault_reason" not in fields:
        return ""
    found = _LOCKED_WORDS.search(_said(fields))
    return found[0] if found else ""


def _said(fields: Mapping[str, object]) -> str:
    """What a refusal says to a reader: the fault, the status, and the text of its body without markup."""
    words = [str(fields.get(name, "")) for name in ("fault_code", "fault_reason", "reason", "status_string",
                                                    "sub_status")]
    return " ".join((*words, _MARKUP.sub(" ", str(fields.get("body", ""))[:_MOST_READ])))[:_MOST_READ]


def _probe_of(ask: Ask) -> str:
    if ask.document.endswith("-channels"):
        return "auth.recorder.channels"
    return "auth.isapi.device_info" if ask.document == "isapi-device-info" else f"auth.{ask.document}"
