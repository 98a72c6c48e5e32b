"""Challenges and their answers: Digest (RFC 7616, RFC 2069), Basic (RFC 7617), and ONVIF's WS-Security UsernameToken.

Firmware puts commas into realms, several challenges into one header or one challenge into several headers, forgets
quotes and qop. A challenge that cannot be read is never called a wrong password. Secrets never show in a repr.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scanner.observation import Refusal
from scanner.wire.fields import Fields, build
from scanner.wire.text import clean
from scanner.wire.xml import escape

__all__ = ["Challenge", "Credentials", "authorization", "challenge_fields", "challenges", "strongest", "username_token"]

MAX_CHALLENGES = 16
MAX_PARAMETERS = 32
MAX_HEADER = 8_192

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_EQUALS = re.compile(r"\s{0,8}=\s{0,8}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"?')
_BARE = re.compile(r"[^,\s]*(?:[ \t]+(?![!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}\s{0,8}=)[^,\s]+)*+")
_SPACE = re.compile(r"[\s,]*+")
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA256": "sha256"}
_RANK = {"SHA-256": 3, "SHA256": 3, "MD5": 2}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and password for one device; the password never appears in a repr."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One offer of a device: scheme in lower case (``digest``) and its parameters, names in lower case."""

    scheme: str
    parameters: Mapping[str, str]

    @property
    def realm(self) -> str:
        """The protection space, as sent; Dahua and Hanwha print a serial or MAC here."""
        return self.parameters.get("realm", "")

    @property
    def algorithm(self) -> str:
        """``MD5`` where nothing is said (RFC 7616 section 3.3), upper case, with ``-SESS`` where it applies."""
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def qop(self) -> tuple[str, ...]:
        """The qualities of protection on offer; empty means RFC 2069."""
        return tuple(part.strip().lower() for part in self.parameters.get("qop", "").split(",") if part.strip())

    @property
    def supported(self) -> bool:
        """Whether `authorization` can answer it."""
        if self.scheme == "basic":
            return True
        known = self.algorithm.removesuffix("-SESS") in _HASHES
        return self.scheme == "digest" and known and bool(self.parameters.get("nonce"))


def challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Every challenge in the values of the ``WWW-Authenticate`` headers of one reply, in order; never raises."""
    found: list[Challenge] = []
    for value in values:
        for challenge in _challenges(value[:MAX_HEADER]):
            found.append(challenge)
            if len(found) == MAX_CHALLENGES:
                return tuple(found)
    return tuple(found)


def _challenges(text: str) -> list[Challenge]:
    found: list[Challenge] = []
    scheme, parameters, at = "", dict[str, str](), 0
    while at < len(text):
        at = _skip(text, at)
        name = _NAME.match(text, at)
        if name is None:
            at += 1
            continue
        equals = _EQUALS.match(text, name.end())
        if equals is None:
            if scheme or parameters:
                found.append(Challenge(scheme, parameters))
            scheme, parameters, at = name[0].lower(), {}, name.end()
            continue
        value, at = _value(text, equals.end())
        if len(parameters) < MAX_PARAMETERS:
            parameters.setdefault(name[0].lower(), value)
    if scheme or parameters:
        found.append(Challenge(scheme or ("digest" if "nonce" in parameters else "basic"), parameters))
    return found[:MAX_CHALLENGES]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int) -> tuple[str, int]:
    """A parameter's value and where it ends: quoted, or bare up to a comma or the next ``name=``."""
    quoted = _QUOTED.match(text, at)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    bare = _BARE.match(text, at)
    return (bare[0].strip(), bare.end()) if bare else ("", at)


def strongest(offered: Sequence[Challenge], *, allow_basic: bool = False) -> Challenge | None:
    """The best challenge that can be answered: Digest SHA-256 before MD5, qop before none; Basic only where allowed."""
    def rank(challenge: Challenge) -> tuple[int, bool]:
        digest = _RANK.get(challenge.algorithm.removesuffix("-SESS"), 0) if challenge.scheme == "digest" else 1
        return digest, bool(challenge.qop)

    usable = [c for c in offered if c.supported and (c.scheme == "digest" or allow_basic)]
    return max(usable, key=rank) if usable else None


def authorization(challenge: Challenge, credentials: Credentials, method: str, uri: str, *, cnonce: str, count: int = 1,
                  body: bytes = b"") -> str | Refusal:
    """The value of the ``Authorization`` header for exactly this method and request target.

    Args:
        challenge: what the device offered, best from `strongest`.
        credentials: whose login.
        method: HTTP or RTSP method.
        uri: the request target as it stands in the request line, percent-encoding included.
        cnonce: client nonce, fresh and random.
        count: how often this nonce was used, from 1.
        body: only hashed where the device insists on ``auth-int``.
    """
    if challenge.scheme == "basic":
        token = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode("ascii")
        return f"Basic {token}"
    if not challenge.supported:
        return Refusal("unsupported", f"{clean(challenge.scheme, 40)} {clean(challenge.algorithm, 40)}")
    qop = "auth" if "auth" in challenge.qop else next(iter(challenge.qop), "")
    if qop not in ("", "auth", "auth-int"):
        return Refusal("unsupported", f"qop {clean(qop, 40)}")

    def digest(text: str | bytes) -> str:
        name = _HASHES[challenge.algorithm.removesuffix("-SESS")]
        return hashlib.new(name, text if isinstance(text, bytes) else text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce, nc = challenge.realm, challenge.parameters["nonce"], f"{count:08x}"
    secret = digest(f"{credentials.user}:{realm}:{credentials.password}")
    if challenge.algorithm.endswith("-SESS"):
        secret = digest(f"{secret}:{nonce}:{cnonce}")
    target = digest(f"{method}:{uri}:{digest(body)}" if qop == "auth-int" else f"{method}:{uri}")
    proof = digest(f"{secret}:{nonce}:{nc}:{cnonce}:{qop}:{target}" if qop else f"{secret}:{nonce}:{target}")
    userhash = challenge.parameters.get("userhash", "").lower() == "true"
    user = digest(f"{credentials.user}:{realm}") if userhash else credentials.user
    parts = [("username", _quote(user)), ("realm", _quote(realm)), ("nonce", _quote(nonce)), ("uri", _quote(uri))]
    if "algorithm" in challenge.parameters:
        parts.append(("algorithm", challenge.parameters["algorithm"]))
    parts.append(("response", _quote(proof)))
    if "opaque" in challenge.parameters:
        parts.append(("opaque", _quote(challenge.parameters["opaque"])))
    if qop:
        parts += [("qop", qop), ("nc", nc), ("cnonce", _quote(cnonce))]
    if userhash:
        parts.append(("userhash", "true"))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in parts)


def _quote(value: str) -> str:
    kept = "".join(char for char in value if char.isprintable())
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def username_token(credentials: Credentials, device_time: datetime, nonce: bytes) -> str:
    """A ``wsse:Security`` SOAP header with a password digest (WSS UsernameToken Profile 1.1, section 3.1).

    ``device_time`` is the device's own clock, since it refuses what its clock calls old; ``nonce`` is 16 random bytes.
    """
    created = device_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    proof = hashlib.sha1(nonce + created.encode() + credentials.password.encode(), usedforsecurity=False).digest()
    wss = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
    return (f'<wsse:Security xmlns:wsse="{wss}-wssecurity-secext-1.0.xsd" xmlns:wsu="{wss}-wssecurity-utility-1.0.xsd">'
            f"<wsse:UsernameToken><wsse:Username>{escape(credentials.user)}</wsse:Username>"
            f'<wsse:Password Type="{wss}-username-token-profile-1.0#PasswordDigest">{base64.b64encode(proof).decode()}'
            f'</wsse:Password><wsse:Nonce EncodingType="{wss}-soap-message-security-1.0#Base64Binary">'
            f"{base64.b64encode(nonce).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created></wsse:UsernameToken>"
            "</wsse:Security>")


def challenge_fields(values: Sequence[str]) -> Fields:
    """What ``WWW-Authenticate`` headers show: themselves, realms, schemes, nonces and what nonces decode to."""
    if not values:
        return {}
    offered = challenges(values)
    return build(
        www_authenticate=tuple(values),
        realm=tuple(c.realm for c in offered),
        scheme=tuple(c.scheme for c in offered),
        nonce=tuple(c.parameters.get("nonce", "") for c in offered),
        nonce_text=tuple(_nonce_text(c.parameters.get("nonce", "")) for c in offered),
        algorithm=tuple(c.parameters.get("algorithm", "") for c in offered),
    )


def _nonce_text(nonce: str) -> str:
    """The text inside a Base64 nonce (Dahua's ONVIF server writes ``onvif-digest:<n>``); empty where it is not text."""
    if not 12 <= len(nonce) <= 512 or len(nonce) % 4:
        return ""
    try:
        inner = base64.b64decode(nonce, validate=True).decode("ascii")
    except ValueError:
        return ""
    return inner if inner.isprintable() else ""
