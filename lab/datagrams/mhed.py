"""TVT "MHED" discovery on UDP 23456: a 140-byte search, a 240-byte announce, little endian but for the addresses.

Commands 3 and up change settings; the lab's device ignores them like a search with a broken header. Options:
``mhed_manufacturer``, ``mhed_build`` (YYYYMMDD), ``mhed_type`` (2 = IP camera), ``mhed_product``.
"""

from __future__ import annotations

import re
import struct

from lab.datagrams.layout import gateway_of, ip_bytes, mac_bytes, netmask_of, padded
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 23456
MAGIC = b"MHED"
VERSION = 0x0001_0009
SEARCH, INFO = 1, 2
SIZE = 240
HEADER = struct.Struct("<4sII")


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One announce for a search of any protocol version 1.x, silence for anything else."""
    if len(data) < HEADER.size:
        return []
    magic, version, command = HEADER.unpack_from(data)
    if magic != MAGIC or version >> 16 != VERSION >> 16 or command != SEARCH:
        return []
    return [_announce(persona, address)]


def _announce(persona: Persona, address: str) -> bytes:
    options = persona.options
    reply = bytearray(SIZE)
    HEADER.pack_into(reply, 0, MAGIC, VERSION, INFO)
    reply[12:32] = padded(options.get("device_name", persona.model), 20)
    reply[32:38] = mac_bytes(persona.mac)
    struct.pack_into("<H", reply, 38, 9008)
    reply[40:44] = ip_bytes(address)
    reply[44:48] = ip_bytes(netmask_of(address))
    reply[48:52] = ip_bytes(gateway_of(address))
    struct.pack_into("<II", reply, 52, _version_word(persona.firmware), int(options.get("mhed_build", "20200615")))
    struct.pack_into("<HH", reply, 60, 80, 554)
    struct.pack_into("<II", reply, 64, int(options.get("mhed_type", "2")), int(options.get("mhed_product", "0")))
    reply[112:116] = ip_bytes(gateway_of(address))
    reply[140:156] = padded(persona.serial, 16)
    reply[156:172] = padded(persona.firmware, 16)
    reply[196:212] = padded(persona.model, 16)
    reply[212:228] = padded(options.get("mhed_manufacturer", persona.brand), 16)
    struct.pack_into("<I", reply, 228, len(persona.channels) or 1)
    return bytes(reply)


def _version_word(firmware: str) -> int:
    """The first three numbers of a version, a byte each from the top: 4.2.1 is 0x04020100."""
    numbers = [int(number) & 0xFF for number in re.findall(r"\d+", firmware)[:3]]
    return sum(number << shift for number, shift in zip(numbers, (24, 16, 8), strict=False))
