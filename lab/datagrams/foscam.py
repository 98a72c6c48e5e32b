"""Foscam discovery: ``MO_I`` and an operation, asked and answered on UDP 10000.

Option ``foscam_key`` (16 hex digits): the reply's body is scrambled with it.
"""

from __future__ import annotations

import struct

from lab.datagrams.layout import gateway_of, ip_bytes, netmask_of, padded
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 10000
MAGIC = b"MO_I"
SEARCH, FOUND = 0, 1
HEADER = 0x17


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One reply of 88 bytes to a search; silence for any other operation."""
    if len(data) != 27 or data[:4] != MAGIC or data[4:6] != struct.pack("<H", SEARCH):
        return []
    key = bytes.fromhex(persona.options.get("foscam_key", ""))
    body = padded(persona.serial, 13) + padded(persona.name, 21)
    body += b"".join(ip_bytes(one) for one in (address, netmask_of(address), gateway_of(address), gateway_of(address)))
    body += bytes(4) + _numbers(persona.firmware) + _numbers(persona.hardware) + struct.pack(">HB", 88, 0)
    if key:
        body = bytes(byte ^ key[at % 8] for at, byte in enumerate(body))
    head = MAGIC + struct.pack("<HB", FOUND, bool(key)) + key.ljust(8, b"\0") + bytes([len(body)])
    return [head.ljust(HEADER, b"\0") + body]


def _numbers(version: str) -> bytes:
    """Four bytes of a dotted version; what is no number is 0."""
    parts = [int(part) & 0xFF if part.isdecimal() else 0 for part in version.split(".")[:4]]
    return bytes(parts).ljust(4, b"\0")
