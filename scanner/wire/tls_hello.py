"""One ClientHello that offers nothing newer than TLS 1.1, and the first answer to it (RFC 4346, RFC 6101).

A device that speaks TLS 1.3 to a current client may still speak TLS 1.0 to an old one, which only an old client finds
out. The hello names the weakest suites first: who goes by the client's order shows the worst that he would take. What
comes back is a ServerHello, whose version and suite are all that is read, or an alert. Nothing follows either.

The hello stays below 256 bytes, since servers with an old load balancer in front hang on longer ones, and carries no
server name and no fallback signal (RFC 7507): that would make a server refuse which otherwise accepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build

__all__ = ["LEGACY_VERSIONS", "MAX_ANSWER", "answered", "is_weak_suite", "parse", "request"]

MAX_ANSWER = 16_384
"""More is not read: a ServerHello comes first and takes less than 300 bytes."""
LEGACY_VERSIONS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"})
"""Versions that RFC 7568 and RFC 8996 forbid, in every spelling that an observation may carry."""

_ALERT, _HANDSHAKE = 21, 22
_SERVER_HELLO = 2
_FATAL = 2
_OFFERED = {0x0300: "SSLv3", 0x0301: "TLSv1.0", 0x0302: "TLSv1.1"}
_SUITES: Mapping[int, str] = MappingProxyType({
    # Without encryption, without authentication, and those once weakened for export.
    0x0001: "TLS_RSA_WITH_NULL_MD5", 0x0002: "TLS_RSA_WITH_NULL_SHA", 0xC010: "TLS_ECDHE_RSA_WITH_NULL_SHA",
    0x0017: "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", 0x0019: "TLS_DH_anon_EXPORT_WITH_DES40_CBC_SHA",
    0x0018: "TLS_DH_anon_WITH_RC4_128_MD5", 0x001B: "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA",
    0x0034: "TLS_DH_anon_WITH_AES_128_CBC_SHA", 0x003A: "TLS_DH_anon_WITH_AES_256_CBC_SHA",
    0xC018: "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", 0xC019: "TLS_ECDH_anon_WITH_AES_256_CBC_SHA",
    0x0003: "TLS_RSA_EXPORT_WITH_RC4_40_MD5", 0x0006: "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5",
    0x0008: "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x0014: "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA",
    # Broken or short ciphers.
    0x0009: "TLS_RSA_WITH_DES_CBC_SHA", 0x0015: "TLS_DHE_RSA_WITH_DES_CBC_SHA",
    0x0004: "TLS_RSA_WITH_RC4_128_MD5", 0x0005: "TLS_RSA_WITH_RC4_128_SHA",
    0xC011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA", 0xC007: "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x0013: "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA",
    0x0016: "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", 0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC008: "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", 0x0007: "TLS_RSA_WITH_IDEA_CBC_SHA",
    # The rest of what those versions speak, so that no device refuses for want of a suite.
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    0x0032: "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", 0x0038: "TLS_DHE_DSS_WITH_AES_256_CBC_SHA",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x0041: "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", 0x0084: "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    0x0096: "TLS_RSA_WITH_SEED_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
})
"""The suites offered, in this order, with the names of the IANA registry."""
_NO_RENEGOTIATION = 0x00FF                 # RFC 5746 section 3.3: some servers close without it
_EXTENSIONS = (b"\x00\x0a\x00\x08\x00\x06\x00\x17\x00\x18\x00\x19"      # curves P-256, P-384, P-521 (RFC 8422)
               b"\x00\x0b\x00\x02\x01\x00")                             # points uncompressed
_ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 40: "handshake_failure", 47: "illegal_parameter",
    50: "decode_error", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
    86: "inappropriate_fallback", 90: "user_canceled", 112: "unrecognized_name",
}
# In the names of the IANA registry and of OpenSSL alike.
_WEAK = re.compile(r"NULL|EXP(?:ORT)?[-_0-9]|RC[24]|(?:^|[-_])(?:3?DES|DES3)(?:40)?(?:[-_]|$)|anon|A(?:EC)?DH-|IDEA")


def request(random: bytes) -> bytes:
    """The hello as one record; `random` are its 32 random bytes. Raises `ValueError` for another number of them."""
    if len(random) != 32:
        raise ValueError("a ClientHello has 32 random bytes")
    suites = b"".join(code.to_bytes(2, "big") for code in (*_SUITES, _NO_RENEGOTIATION))
    body = b"\x03\x02" + random + b"\x00" + _sized(suites, 2) + b"\x01\x00" + _sized(_EXTENSIONS, 2)
    return b"\x16\x03\x01" + _sized(b"\x01" + _sized(body, 3), 2)


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data


def answered(data: bytes) -> bool:
    """Whether nothing more needs to be read: a ServerHello or a fatal alert is there, or what is no TLS at all."""
    read = _read(data)
    return not (isinstance(read, Refusal) and read.reason == "incomplete")


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """What came back: ``version`` and ``cipher`` that were chosen, or ``refused`` with the alert's name.

    A version that was not offered is ``malformed``: such an answer says nothing of the versions asked about.
    """
    if not data:
        return Refusal("empty")
    found = _read(data)
    if isinstance(found, Refusal) and found.reason == "incomplete":
        # A warning and then nothing: it said why, and did not go on.
        for kind, body in _records(data):
            if kind == _ALERT and len(body) == 2:
                return build(refused=_alert(body[1]))
    return found


def _read(data: bytes) -> Fields | Refusal:
    message = b""
    if data[0:1] not in {b"", b"\x15", b"\x16"} or data[1:2] not in {b"", b"\x03"}:
        return Refusal("malformed", "no TLS record")
    for kind, body in _records(data[:MAX_ANSWER]):
        if kind == _ALERT and len(body) == 2:
            if body[0] == _FATAL:
                return build(refused=_alert(body[1]))
        elif kind == _HANDSHAKE:
            message += body
            found = _server_hello(message)
            if found is not None:
                return found
        else:
            return Refusal("malformed", "neither a ServerHello nor an alert")
    return Refusal("incomplete") if len(data) < MAX_ANSWER else Refusal("too_large")


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The content type and body of each record, of the last one as much as is there."""
    at = 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at + 3:at + 5], "big")
        yield data[at], data[at + 5:at + 5 + size]
        at += 5 + size


def _server_hello(message: bytes) -> Fields | Refusal | None:
    """Version and suite of a ServerHello, or ``None`` where more of it is needed (RFC 4346 section 7.4.1.3)."""
    if message[:1] not in {b"", bytes([_SERVER_HELLO])}:
        return Refusal("malformed", "another handshake message than a ServerHello")
    suite_at = 39 + message[38] if len(message) > 38 else len(message)
    if len(message) < suite_at + 2:
        return None
    version = int.from_bytes(message[4:6], "big")
    if version not in _OFFERED:
        return Refusal("malformed", f"version {version:04x} was not offered")
    suite = int.from_bytes(message[suite_at:suite_at + 2], "big")
    return build(version=_OFFERED[version], cipher=_SUITES.get(suite, f"0x{suite:04X}"))


def _alert(number: int) -> str:
    return _ALERTS.get(number, f"alert {number}")


def is_weak_suite(name: str) -> bool:
    """Whether a suite, as IANA or OpenSSL name it, has no or broken encryption, or does not say who answers."""
    return bool(_WEAK.search(name))
