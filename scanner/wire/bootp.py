"""DHCP messages of clients (RFC 2131 section 2, RFC 2132): who asks for an address, and what it calls itself."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import dhcp
from scanner.wire.binary import address, hardware_address
from scanner.wire.fields import Fields, build

__all__ = ["CLIENT_PORT", "SERVER_PORT", "parse"]

CLIENT_PORT, SERVER_PORT = 68, 67
_COOKIE_AT, _OPTIONS_AT = 236, 240
_COOKIE = b"\x63\x82\x53\x63"
_HOST_NAME, _REQUESTED, _WANTED, _VENDOR_CLASS = 12, 50, 55, 60
_PAD, _END = 0, 255


def parse(data: bytes, source: Endpoint, now: datetime) -> Fields | Refusal:
    """Read one message of a client; options 12, 50, 55 and 60 are kept."""
    if len(data) < _OPTIONS_AT or data[_COOKIE_AT:_OPTIONS_AT] != _COOKIE:
        return Refusal("not_dhcp")
    if data[0] != 1 or data[1:3] != b"\x01\x06":
        return Refusal("not_a_client")
    options: dict[int, bytes] = {}
    at = _OPTIONS_AT
    while at < len(data) and data[at] != _END and len(options) < 128:
        if data[at] == _PAD:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        options.setdefault(data[at], data[at + 2:at + 2 + size])
        at += 2 + size
    spoken = dhcp.parse(options.get(_VENDOR_CLASS, b""), source, now)
    return build(mac=hardware_address(data, 28), hostname=options.get(_HOST_NAME, b"").decode("utf-8", "replace"),
                 ipv4=address(options.get(_REQUESTED, b""), 0) or address(data, 12),
                 wanted=",".join(map(str, options.get(_WANTED, b"")[:64]))) | (
        {} if isinstance(spoken, Refusal) else spoken)
