"""LLDP (IEEE 802.1AB-2016, clause 8): what a device or switch says of itself to its neighbour on the cable.

Of the extensions only the inventory of LLDP-MED (ANSI/TIA-1057 section 10.2.6) is read: maker, model, versions, serial.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.binary import hardware_address
from scanner.wire.fields import Fields, build

__all__ = ["ETHERTYPE", "parse"]

ETHERTYPE = 0x88CC
_END, _CHASSIS, _PORT, _PORT_NAME, _NAME, _DESCRIPTION, _ADDRESS = 0, 1, 2, 4, 5, 6, 8
_ORGANISATION, _MED = 127, b"\x00\x12\xbb"
_INVENTORY = {6: "firmware_revision", 7: "firmware", 8: "serial", 9: "manufacturer", 10: "model"}   # 7: of the software
_MAC_SUBTYPE = {_CHASSIS: 4, _PORT: 3}
_MOST = 64


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one LLDPDU, after the Ethernet header; the chassis must come first."""
    found: dict[int, bytes] = {}
    inventory: dict[str, str] = {}
    at = parts = 0
    while at + 2 <= len(data) and parts < _MOST:
        head = int.from_bytes(data[at:at + 2], "big")
        kind, value = head >> 9, data[at + 2:at + 2 + (head & 0x1FF)]
        if kind == _END or len(value) < head & 0x1FF:
            break
        found.setdefault(kind, value)
        if kind == _ORGANISATION and value[:3] == _MED and value[3:4] and (name := _INVENTORY.get(value[3])):
            inventory.setdefault(name, value[4:].rstrip(b"\0").decode("utf-8", "replace"))
        at, parts = at + 2 + len(value), parts + 1
    if not found or next(iter(found)) != _CHASSIS:
        return Refusal("not_lldp")

    def said(kind: int) -> str:
        return found.get(kind, b"").rstrip(b"\0").decode("utf-8", "replace")

    def identity(kind: int) -> str:
        value = found.get(kind, b"")
        if value[:1] == bytes((_MAC_SUBTYPE[kind],)) and len(value) == 7:
            return hardware_address(value, 1)
        return value[1:].decode("utf-8", "replace") if value[1:].isascii() else ""

    address = found.get(_ADDRESS, b"")
    here = str(ipaddress.IPv4Address(address[2:6])) if address[:2] == b"\x05\x01" and len(address) >= 6 else ""
    built_in = inventory.pop("firmware_revision", "")
    inventory.setdefault("firmware", built_in)
    return build(mac=identity(_CHASSIS) if found[_CHASSIS][:1] == b"\x04" else None, device_name=said(_NAME),
                 sys_descr=said(_DESCRIPTION), port_id=identity(_PORT), port_name=said(_PORT_NAME), ipv4=here,
                 **inventory)
