"""Logins as devices ask for them: HTTP and RTSP Digest (RFC 2069, 2617, 7616), Basic (RFC 7617), WS-UsernameToken.

A family says how its challenge reads, letter for letter, and which forms of nonce it makes; whether an answer is right
is worked out here for real with the persona's user and password. Nonces are remembered, so an invented one is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lab.persona import Persona
from lab.services.message import Request

__all__ = [
    "Doorkeeper", "Login", "Token", "axis_nonce", "decimal_nonce", "hex_nonce", "onvif_digest_nonce", "read_token",
    "token_fits",
]

REMEMBERED_NONCES = 512
CLOCK_TOLERANCE = timedelta(minutes=5)          # as far as a UsernameToken may be from the device's clock

Challenges = Callable[[str, str], tuple[str, ...]]

PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
TOKEN_PART = {
    name: re.compile(rf"<(?:[\w-]+:)?{name}\b([^>]*)>\s*([^<]{{0,512}}?)\s*</".encode())
    for name in ("Username", "Password", "Nonce", "Created")
}


def hex_nonce() -> str:
    """32 hex digits: what most firmware sends."""
    return secrets.token_hex(16)


def decimal_nonce() -> str:
    """A decimal number, as Dahua's web server counts them."""
    return str(secrets.randbelow(2**31))


def onvif_digest_nonce() -> str:
    """Base64 of ``onvif-digest:`` and a number: the mark of Dahua's ONVIF stack, whatever the label says."""
    return base64.b64encode(f"onvif-digest:{secrets.randbelow(10**11):011d}".encode()).decode()


def axis_nonce() -> str:
    """Eight hex digits, a Y and a time, then 32 hex digits: the RTSP nonce of an Axis."""
    return f"{secrets.token_hex(4)}Y{secrets.randbelow(10**10):010d}{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Login:
    """How one family asks for a login.

    Attributes:
        realm: the realm for a persona.
        challenges: realm and nonce to the values of the ``WWW-Authenticate`` headers, in order, as the firmware writes.
        nonce: makes a nonce in the firmware's form.
        algorithms: the digest algorithms offered.
        basic: whether a Basic answer is accepted.
    """

    realm: Callable[[Persona], str]
    challenges: Challenges
    nonce: Callable[[], str] = hex_nonce
    algorithms: frozenset[str] = frozenset({"MD5"})
    basic: bool = False


class Doorkeeper:
    """One device's door for one service: hands out challenges and says whether an answer opens it."""

    def __init__(self, login: Login, persona: Persona, on_failure: Callable[[], None] = lambda: None) -> None:
        self._login, self._persona, self._on_failure = login, persona, on_failure
        self._realm = login.realm(persona)
        self._issued: deque[str] = deque(maxlen=REMEMBERED_NONCES)

    def challenge(self) -> tuple[tuple[str, str], ...]:
        """The ``WWW-Authenticate`` headers of a refusal, with a fresh nonce."""
        nonce = self._login.nonce()
        self._issued.append(nonce)
        return tuple(("WWW-Authenticate", value) for value in self._login.challenges(self._realm, nonce))

    def admits(self, request: Request) -> bool:
        """Whether the request carries the right answer to a challenge of ours; a wrong one is a failed login.

        An answer to a challenge that is not ours, or no longer, is refused but proves no wrong password.
        """
        scheme, _, rest = request.header("Authorization").partition(" ")
        match scheme.lower():
            case "basic" if self._login.basic:
                fits = self._basic_fits(rest)
            case "digest" if _parameters(rest).get("nonce", "") in self._issued:
                fits = self._digest_fits(request, _parameters(rest))
            case _:
                return False
        if not fits:
            self._on_failure()
        return fits

    def _basic_fits(self, credentials: str) -> bool:
        expected = f"{self._persona.user}:{self._persona.password}".encode()
        try:
            given = base64.b64decode(credentials.strip(), validate=True)
        except binascii.Error:
            return False
        return hmac.compare_digest(given, expected)

    def _digest_fits(self, request: Request, given: Mapping[str, str]) -> bool:
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm not in self._login.algorithms:
            return False
        if given.get("username") != self._persona.user or given.get("realm") != self._realm:
            return False
        if given.get("uri") != request.target:
            return False
        qop = given.get("qop", "")
        if qop not in ("", "auth"):
            return False
        expected = _digest(algorithm, self._persona, self._realm, request.method, given)
        return hmac.compare_digest(expected.encode(), given.get("response", "").encode())


def _parameters(text: str) -> dict[str, str]:
    return {name.lower(): quoted or bare for name, quoted, bare in PARAMETER.findall(text)}


def _digest(algorithm: str, persona: Persona, realm: str, method: str, given: Mapping[str, str]) -> str:
    """RFC 7616 §3.4.1; without qop the form of RFC 2069."""
    def h(*parts: str) -> str:
        return hashlib.new("sha256" if algorithm == "SHA-256" else "md5", ":".join(parts).encode()).hexdigest()

    secret, action = h(persona.user, realm, persona.password), h(method, given["uri"])
    if not given.get("qop"):
        return h(secret, given["nonce"], action)
    return h(secret, given["nonce"], given.get("nc", ""), given.get("cnonce", ""), given["qop"], action)


@dataclass(frozen=True, slots=True)
class Token:
    """A WS-UsernameToken as it came (Web Services Security UsernameToken Profile 1.0)."""

    username: str
    password: str
    digest: bool
    nonce: bytes
    created: str


def read_token(envelope: bytes) -> Token | None:
    """The UsernameToken in a SOAP envelope, or None where there is none that can be read."""
    found = {name: pattern.search(envelope) for name, pattern in TOKEN_PART.items()}
    user, password = found["Username"], found["Password"]
    if user is None or password is None:
        return None
    nonce, created = found["Nonce"], found["Created"]
    try:
        salt = base64.b64decode(nonce[2], validate=True) if nonce else b""
        return Token(user[2].decode(), password[2].decode(), b"PasswordDigest" in password[1], salt,
                     created[2].decode() if created else "")
    except (binascii.Error, UnicodeDecodeError):
        return None


def token_fits(token: Token, persona: Persona, device_time: datetime) -> bool:
    """Whether the token is right and made within five minutes of the device's own clock.

    A password in clear is refused, since the ONVIF Core Specification asks for the digest form.
    """
    if not token.digest or token.username != persona.user or not _is_fresh(token.created, device_time):
        return False
    proof = hashlib.sha1(token.nonce + token.created.encode() + persona.password.encode(), usedforsecurity=False)
    return hmac.compare_digest(base64.b64encode(proof.digest()), token.password.encode())


def _is_fresh(created: str, device_time: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return abs(moment - device_time) <= CLOCK_TOLERANCE
