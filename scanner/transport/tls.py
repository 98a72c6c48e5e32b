"""TLS to one device for its identity: a modern handshake first, then one marked legacy attempt.

Certificates are read, not trusted: a camera's is self-signed as a rule, so verification would only hide it. The
legacy context speaks what old firmware speaks (TLS 1.0, small keys); credentials never travel over it.
"""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from functools import cache

from scanner.observation import Reason
from scanner.transport.exchange import ExchangeError, PortMap, deadline
from scanner.transport.tcp import open_stream

__all__ = ["Handshake", "context", "handshake"]

_LEGACY_SERVER_CONNECT = 0x4      # OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT; Python names it from 3.12 on


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a handshake showed: protocol version, cipher, the leaf certificate (DER), and whether it was legacy."""

    version: str
    cipher: str
    certificate: bytes
    legacy: bool


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
        return Handshake(link.version() or "", cipher[0], certificate, legacy)
    finally:
        await stream.close()
