"""Panasonic and i-PRO discovery: 52 bytes to UDP 10670 by broadcast; listen on 10669, and 10670 to be sure."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, hardware_address, records
from scanner.wire.fields import Fields, build
from scanner.wire.oui import normalise

__all__ = ["PORT", "REPLY_PORT", "parse", "request"]

PORT = 10670
REPLY_PORT = 10669
_RECORDS_AT = 53
_ADDRESS, _FULL_NAME, _SHORT_NAME, _VERSION = 0x0020, 0x00A7, 0x00A8, 0x00A9


def request(mac: str, ipv4: str) -> bytes:
    """One question naming the asking interface, to which the reply is addressed. Raises `ValueError` for no IPv4."""
    hardware = bytes.fromhex(normalise(mac).replace(":", "")) or bytes(6)
    head = bytes.fromhex("00010000000d000000000000") + hardware + ipaddress.IPv4Address(ipv4).packed
    tail = bytes.fromhex("000120111e11231f1e19130000020000")
    return (head + tail).ljust(46, b"\0") + bytes.fromhex("0000ffff0000")


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: MAC at 6, records of 16-bit type and length from byte 53."""
    if len(data) <= _RECORDS_AT:
        return Refusal("truncated")
    found = dict(records(data, _RECORDS_AT, type_size=2, length_size=2, limit=64))
    names = {kind: found.get(kind, b"").partition(b"\0")[0].decode("utf-8", "replace")
             for kind in (_FULL_NAME, _SHORT_NAME, _VERSION)}
    if not any(names.values()):
        return Refusal("not_panasonic")
    return build(mac=hardware_address(data, 6), ipv4=address(found.get(_ADDRESS, b""), 0),
                 device_name=names[_FULL_NAME], model=names[_SHORT_NAME] or names[_FULL_NAME], firmware=names[_VERSION])
