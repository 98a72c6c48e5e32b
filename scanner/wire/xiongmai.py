"""Xiongmai (XMEye, "Sofia") discovery, UDP 34569 broadcast: a 20-byte header and JSON; both ends use port 34569.

Message 1530 asks and 1531 answers. 1532 and 1533 change settings and are never sent.
"""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import json
from scanner.wire.binary import address
from scanner.wire.fields import Fields, build, mac, number

__all__ = ["PORT", "parse", "request"]

PORT = 34569
_HEADER = struct.Struct("<BBHIIHHI")
_ASK, _ANSWER = 1530, 1531


def request() -> bytes:
    """One search without a body."""
    return _HEADER.pack(0xFF, 0, 0, 0, 0, 0, _ASK, 0)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one ``NetWork.NetCommon`` reply; addresses are little-endian hexadecimal text (``0x0A01A8C0``)."""
    if len(data) < _HEADER.size:
        return Refusal("truncated")
    head, _, _, _, _, _, message, _length = _HEADER.unpack_from(data)
    if head != 0xFF or message != _ANSWER:
        return Refusal("not_xiongmai")
    value = json.read(data[_HEADER.size:])
    if isinstance(value, Refusal):
        return value
    common = json.find(value, "NetWork.NetCommon")
    if not isinstance(common, dict):
        return Refusal("malformed", "no NetWork.NetCommon")

    def own(key: str) -> str:
        return " / ".join(dict.fromkeys(json.texts(common, key)))

    return build(
        serial=own("SN"), mac=mac(own("MAC")), ipv4=_address(own("HostIP")), host_name=own("HostName"),
        http_port=number(own("HttpPort"), high=65_535), port=number(own("TCPPort"), high=65_535),
        ssl_port=number(own("SSLPort"), high=65_535), channels=number(own("ChannelNum"), high=65_535),
        device_type=own("DeviceType"), other_function=own("OtherFunction"), firmware=own("Version"))


def _address(text: str) -> str:
    digits = text.lower().removeprefix("0x")
    if not 1 <= len(digits) <= 8 or not all(digit in "0123456789abcdef" for digit in digits):
        return ""
    return address(int(digits, 16).to_bytes(4, "big"), 0, little=True)
