"""TLS to one device for its identity: a modern handshake first, then one marked legacy attempt.

Certificates are read, not trusted: a camera's is self-signed as a rule, so verification would only hide it. That the
device holds the key of what it shows is checked in every handshake all the same (RFC 8446 section 4.4.3), and what the
user's anchors say of the chain is asked afterwards (`scanner.wire.devid`): one connection serves both, and no clock but
ours counts. The legacy context speaks what old firmware speaks (TLS 1.0, small keys); credentials never travel over it.

Whether a device that speaks a current version accepts an old one beside it is asked with a hello of our own
(`scanner.wire.tls_hello`), since no current library offers old versions alone with every suite of their time.
"""

from __future__ import annotations

import secrets
import ssl
import warnings
from dataclasses import dataclass
from functools import cache

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap, deadline
from scanner.transport.tcp import open_stream
from scanner.wire import tls_hello

__all__ = ["Handshake", "context", "handshake", "offer_legacy"]

_MOST_CERTIFICATES = 8
_LEGACY_SERVER_CONNECT = 0x4      # OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT; Python names it from 3.12 on


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a handshake showed: protocol version, cipher, every certificate sent (DER), and whether it was legacy."""

    version: str
    cipher: str
    chain: tuple[bytes, ...]
    legacy: bool

    @property
    def certificate(self) -> bytes:
        """The device's own."""
        return self.chain[0]


@cache
def context(*, legacy: bool = False) -> ssl.SSLContext:
    """The client context for devices; `legacy` for identity only, never for credentials."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if legacy:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.options |= _LEGACY_SERVER_CONNECT
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)     # it is deprecated: that is the point
            made.minimum_version = ssl.TLSVersion.TLSv1
    else:
        made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


async def handshake(address: str, port: int, port_map: PortMap, seconds: float, *, legacy: bool) -> Handshake:
    """One handshake with `port` (nominal) and nothing after it. Raises `ExchangeError`."""
    async with deadline(seconds, f"TLS on {port}/tcp"):
        stream = await open_stream(address, port_map.tcp.get(port, port), context(legacy=legacy))
    try:
        link = stream.writer.get_extra_info("ssl_object")
        certificate = link.getpeercert(binary_form=True)
        cipher = link.cipher()
        if not certificate or not cipher:
            raise ExchangeError(Reason.TLS_FAILED, f"TLS on {port}/tcp: no certificate was shown")
        return Handshake(link.version() or "", cipher[0], _sent(link, certificate), legacy)
    finally:
        await stream.close()


async def offer_legacy(address: str, port: int, port_map: PortMap, seconds: float) -> bytes:
    """Send `port` (nominal) one hello that offers nothing newer than TLS 1.1, and return what came first.

    No handshake is finished: the connection is dropped once a ServerHello or an alert is there. Nothing at all where
    the device closed without a word. Raises `ExchangeError`.
    """
    heard = b""
    async with deadline(seconds, f"a legacy hello to {port}/tcp"):
        stream = await open_stream(address, port_map.tcp.get(port, port))
        try:
            await stream.send(tls_hello.request(secrets.token_bytes(32)))
            while not tls_hello.answered(heard):
                piece = await stream.read_some(tls_hello.MAX_ANSWER - len(heard))
                if not piece:
                    break
                heard += piece
        finally:
            await stream.close()
    return heard


def _sent(link: ssl.SSLObject, own: bytes) -> tuple[bytes, ...]:
    """Every certificate the device sent, its own first; the others are needed to reach an anchor.

    Python 3.13 publishes what 3.10 to 3.12 keep on the inner object. Without either, only the device's own is known.
    """
    ask = getattr(link, "get_unverified_chain", None) or getattr(
        getattr(link, "_sslobj", None), "get_unverified_chain", None)
    shown = ask() if ask else None
    ders = [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in shown or ()]
    return (own, *[der for der in ders[:_MOST_CERTIFICATES] if der != own])
