"""GigE Vision control protocol on UDP 3956: the discovery acknowledge with the bootstrap block (GVCP 1.2, §16.2).

Big endian throughout. Only DISCOVERY_CMD is answered; register reads and writes are not simulated.
Options: ``gvcp_info``, ``gvcp_user_name``.
"""

from __future__ import annotations

import struct

from lab.datagrams.layout import gateway_of, ip_bytes, mac_bytes, netmask_of, padded
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 3956
KEY = 0x42
DISCOVERY_CMD, DISCOVERY_ACK = 0x0002, 0x0003
PAYLOAD = 0xF8
HEADER = struct.Struct(">BBHHH")


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One DISCOVERY_ACK for an 8-byte DISCOVERY_CMD that wants one, silence for anything else."""
    if len(data) != HEADER.size:
        return []
    key, flags, command, length, request_id = HEADER.unpack(data)
    wants_ack = flags & 0x01
    if key != KEY or not wants_ack or command != DISCOVERY_CMD or length or not request_id:
        return []
    reply = bytearray(HEADER.size + PAYLOAD)
    struct.pack_into(">HHHH", reply, 0, 0, DISCOVERY_ACK, PAYLOAD, request_id)
    struct.pack_into(">HH", reply, 0x08, 2, 0)               # specification 2.0
    struct.pack_into(">I", reply, 0x0C, 0x8000_0001)         # big endian, UTF-8 texts
    reply[0x12:0x18] = mac_bytes(persona.mac)
    struct.pack_into(">II", reply, 0x18, 0x0000_0007, 0x0000_0005)   # persistent, DHCP and link-local; the first in use
    reply[0x2C:0x30] = ip_bytes(address)
    reply[0x3C:0x40] = ip_bytes(netmask_of(address))
    reply[0x4C:0x50] = ip_bytes(gateway_of(address))
    reply[0x50:0x70] = padded(persona.manufacturer, 32)
    reply[0x70:0x90] = padded(persona.model, 32)
    reply[0x90:0xB0] = padded(persona.firmware, 32)
    reply[0xB0:0xE0] = padded(persona.options.get("gvcp_info", persona.hardware), 48)
    reply[0xE0:0xF0] = padded(persona.serial, 16)
    reply[0xF0:0x100] = padded(persona.options.get("gvcp_user_name", ""), 16)
    return [bytes(reply)]
