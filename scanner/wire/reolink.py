"""Reolink's plain discovery: four bytes to UDP 2000 by broadcast, 388 bytes back to UDP 3000.

The official tools also broadcast an obfuscated BcUDP message to UDP 2015 and 2018; its body is not fully documented, so
it is not sent. Both questions are answered with the same plain reply.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import hardware_address, text
from scanner.wire.fields import Fields, build, ipv4, mac

__all__ = ["ECHO", "PORT", "REPLY_PORT", "SIZE", "parse", "request"]

PORT = 2000
REPLY_PORT = 3000
SIZE = 388
ECHO = b"\xaa\xaa\x00\x00"
_KINDS = {1: "IPC", 2: "NVR"}
_KIND_AT, _IDENT_AT, _MAC_AT, _ADDRESS_AT, _NAME_AT, _MAC_TEXT_AT, _UID_AT = 50, 58, 80, 108, 132, 164, 228


def request() -> bytes:
    """The word that a device repeats in its reply."""
    return ECHO


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply of exactly 388 bytes; the MAC in binary and in text must be there once and must not disagree."""
    if len(data) != SIZE:
        return Refusal("not_reolink" if len(data) > SIZE or len(data) < 4 else "truncated")
    binary, written = hardware_address(data, _MAC_AT), mac(text(data, _MAC_TEXT_AT, 18))
    if not (binary or written):
        return Refusal("not_reolink", "no MAC")
    shown = binary if not written or written == binary else f"{binary} / {written}" if binary else written
    return build(mac=shown if " / " not in shown else binary, macs=(binary, written) if " / " in shown else (),
                 ipv4=ipv4(text(data, _ADDRESS_AT, 16)), device_name=text(data, _NAME_AT, 32),
                 device_id=text(data, _UID_AT, 32), device_type=text(data, _IDENT_AT, 18) or _KINDS.get(data[_KIND_AT]))
