"""VStarcam discovery: four bytes asked on UDP 8600, 528 bytes answered to the asker."""

from __future__ import annotations

import struct

from lab.datagrams.layout import gateway_of, mac_bytes, netmask_of, padded
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 8600
REQUEST, REPLY = b"DH\x01\x01", b"DH\x01\x08"
SIZE = 0x210


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One reply to the one request there is."""
    if data != REQUEST:
        return []
    reply = bytearray(SIZE)
    reply[:4] = REPLY
    for at, text in ((0x04, address), (0x14, netmask_of(address)), (0x24, gateway_of(address))):
        reply[at:at + 16] = padded(text, 16)
    reply[0x54:0x5A] = mac_bytes(persona.mac)
    reply[0x5A:0x5C] = struct.pack("<H", 81)
    for at, text in ((0x5C, persona.serial), (0x7C, persona.name), (0xCC, persona.firmware)):
        reply[at:at + 32] = padded(text, 32)
    return [bytes(reply)]
