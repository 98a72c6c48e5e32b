"""Foscam discovery, UDP 10000 broadcast both ways: the operation header ``MO_I``, then fixed fields.

Vivotek shares the port; the first bytes tell the two apart. Where byte 6 is set, everything from 0x17 on is XORed with
the eight bytes before it. Only operation 0 (search) is ever sent: others set addresses.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import address, text
from scanner.wire.fields import Fields, build

__all__ = ["MAGIC", "PORT", "parse", "request"]

PORT = 10000
MAGIC = b"MO_I"
_SCRAMBLED_AT, _KEY_AT, _BODY_AT, _SIZE = 6, 7, 0x17, 0x57
_REQUEST = MAGIC + bytes(11) + b"\x04" + bytes(3) + b"\x04" + bytes(6) + b"\x01"


def request() -> bytes:
    """One search of 27 bytes; nothing in it varies."""
    return _REQUEST


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: serial, name, addresses, two versions of four numbers each, and the web port."""
    if data[:4] != MAGIC:
        return Refusal("not_foscam")
    if len(data) < _SIZE:
        return Refusal("not_a_reply" if len(data) == len(_REQUEST) else "truncated")
    body = data
    if data[_SCRAMBLED_AT]:
        key = data[_KEY_AT:_KEY_AT + 8]
        body = data[:_BODY_AT] + bytes(byte ^ key[at % 8] for at, byte in enumerate(data[_BODY_AT:_SIZE + 1]))
    serial = text(body, _BODY_AT, 13)
    if not serial.isprintable():
        return Refusal("malformed", "serial is no text")
    return build(serial=serial, device_name=text(body, 0x24, 21), ipv4=address(body, 0x39),
                 firmware=_dotted(body[0x4D:0x51]), web_firmware=_dotted(body[0x51:0x55]),
                 http_port=int.from_bytes(body[0x55:0x57], "big") or None)


def _dotted(numbers: bytes) -> str:
    return ".".join(map(str, numbers)) if any(numbers) else ""
