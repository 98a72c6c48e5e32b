"""Bosch discovery: twelve bytes to UDP 1757 by broadcast; the reply comes to UDP 1758, in 32 bytes or as XML."""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import xml
from scanner.wire.binary import address, hardware_address
from scanner.wire.fields import Fields, build, ipv4, mac, number

__all__ = ["MAGIC", "PORT", "REPLY_PORT", "parse", "request"]

PORT = 1757
REPLY_PORT = 1758
MAGIC = b"\x99\x39\xa4\x27"


def request(transaction: int) -> bytes:
    """One question with a 32-bit transaction number that the reply repeats."""
    return MAGIC + struct.pack(">I", transaction & 0xFFFFFFFF) + b"\xff\x00\x06\xde"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply of either form."""
    if data[:4] == MAGIC:
        if len(data) < 28:
            return Refusal("truncated")
        return build(transaction=int.from_bytes(data[4:8], "big"), mac=hardware_address(data, 8),
                     ipv4=address(data, 16))
    document = xml.read(data)
    if isinstance(document, Refusal):
        return Refusal("not_bosch", document.reason)
    root = document.root
    guid, name = xml.value(root, "deviceGUID"), xml.value(root, "friendlyName")
    if not (guid or name):
        return Refusal("not_bosch", document.name[:40])
    return build(
        friendly_name=name, device_name=xml.value(root, "unitName"), device_guid=guid,
        serial=xml.value(root, "serialNumber"), mac=mac(xml.value(root, "physAddress")),
        ipv4=ipv4(xml.value(root, "unitIPAddress")), rcp_port=number(xml.value(root, "RCPPort"), high=65_535),
        http_port=number(xml.value(root, "HTTPPort"), high=65_535),
        device_type=xml.value(root, "deviceTypeIDs"), recovered=True if document.recovered else None)
