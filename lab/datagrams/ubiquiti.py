"""Ubiquiti discovery: four bytes asked on UDP 10001, records of type, length and value answered."""

from __future__ import annotations

import struct

from lab.datagrams.layout import ip_bytes, mac_bytes
from lab.persona import Persona

__all__ = ["GROUP", "PORT", "answer"]

PORT = 10001
GROUP = "233.89.188.1"
REQUEST = b"\x01\x00\x00\x00"
REPLY_VERSION, REPLY_COMMAND = 2, 6
MAC, MAC_AND_ADDRESS, FIRMWARE, UPTIME, HOST, PLATFORM = 0x01, 0x02, 0x03, 0x0A, 0x0B, 0x0C


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One reply to the one request there is."""
    if data != REQUEST:
        return []
    mac = mac_bytes(persona.mac)
    told = ((MAC, mac), (MAC_AND_ADDRESS, mac + ip_bytes(address)), (FIRMWARE, persona.firmware.encode()),
            (UPTIME, struct.pack(">I", 86_400)), (HOST, persona.name.encode()), (PLATFORM, persona.model.encode()))
    body = b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in told)
    return [struct.pack(">BBH", REPLY_VERSION, REPLY_COMMAND, len(body)) + body]
