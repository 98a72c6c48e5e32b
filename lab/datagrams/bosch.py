"""Bosch discovery: 12 bytes asked on UDP 1757, answered to port 1758 with 32 bytes, then an XML device sheet.

Options: ``unit_name``, ``bosch_xml`` (``no`` for older units, which send the binary reply alone).
"""

from __future__ import annotations

import struct
import uuid
from xml.sax.saxutils import escape

from lab.datagrams.layout import gateway_of, ip_bytes, link_local, mac_bytes, netmask_of
from lab.persona import Persona

__all__ = ["PORT", "REPLY_PORT", "answer"]

PORT, REPLY_PORT = 1757, 1758
REQUEST = struct.Struct(">III")
MAGIC = 0x9939_A427
SEARCH = 0xFF00_06DE
REPLY_SIZE = 32


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """The binary reply with the asker's transaction, and the XML sheet; silence for anything but a search."""
    if len(data) != REQUEST.size:
        return []
    magic, transaction, command = REQUEST.unpack(data)
    if magic != MAGIC or command != SEARCH:
        return []
    reply = bytearray(REPLY_SIZE)
    struct.pack_into(">II", reply, 0, MAGIC, transaction)
    reply[0x08:0x0E] = mac_bytes(persona.mac)
    reply[0x10:0x14] = ip_bytes(address)
    reply[0x14:0x18] = ip_bytes(netmask_of(address))
    reply[0x18:0x1C] = ip_bytes(gateway_of(address))
    sheets = [] if persona.options.get("bosch_xml") == "no" else [_sheet(persona, address)]
    return [bytes(reply), *sheets]


def _sheet(persona: Persona, address: str) -> bytes:
    fields = {
        "friendlyName": persona.model,
        "unitName": persona.options.get("unit_name", ""),
        "deviceGUID": str(uuid.uuid5(uuid.NAMESPACE_OID, persona.mac)),
        "serialNumber": persona.serial,
        "physAddress": persona.mac.lower().replace(":", "-"),
        "unitIPAddress": address,
        "unitIPv6Address": link_local(persona.mac),
        "RCPPort": "1756",
        "HTTPPort": "80",
        "HTTPSPort": "443",
        "cameraFrontendID": "1",
    }
    body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f'<?xml version="1.0"?><device xmlns="OEMExt00:device-1-0">{body}</device>'.encode()
