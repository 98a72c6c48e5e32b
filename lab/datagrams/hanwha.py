"""Hanwha (Wisenet) discovery: 0x106 bytes each way, asked on UDP 7701, answered to port 7711."""

from __future__ import annotations

from lab.datagrams.layout import gateway_of, netmask_of, padded
from lab.persona import Persona

__all__ = ["PORT", "REPLY_PORT", "answer"]

PORT, REPLY_PORT = 7701, 7711
SIZE = 0x106
REQUEST, REPLY = 0x01, 0x0B


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One reply block for a request block of the right size, silence for anything else."""
    if len(data) != SIZE or data[0] != REQUEST:
        return []
    reply = bytearray(SIZE)
    reply[0] = REPLY
    reply[0x13:0x25] = padded(persona.mac.upper(), 18)
    reply[0x25:0x35] = padded(address, 16)
    reply[0x35:0x45] = padded(netmask_of(address), 16)
    reply[0x45:0x55] = padded(gateway_of(address), 16)
    reply[0x6D:0x77] = padded(persona.model, 10)
    reply[0x85:0xAC] = padded(f"http://{address}/home/setup.cgi", 39)
    return [bytes(reply)]
