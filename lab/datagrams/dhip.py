"""Dahua DHIP discovery on UDP 37810: a 32-byte header, then JSON, the same frame each way.

The firmware answers a well-framed `DHDiscover.search` only: bare JSON and a reversed magic get nothing. Options:
``dhip_vendor`` (the label), ``dhip_model`` (a model that is not the label's), ``dhip_manufacturer``, ``dhip_port``,
``dhip_class``, ``dhip_init``.
"""

from __future__ import annotations

import json
import struct

from lab.datagrams.layout import gateway_of, link_local, netmask_of
from lab.persona import Persona

__all__ = ["PORT", "answer", "frame"]

PORT = 37810
HEADER = struct.Struct("<I4sIIQQ")


def frame(document: object) -> bytes:
    """A JSON document behind the DHIP header; both length fields count the JSON with its line feed."""
    body = json.dumps(document).encode() + b"\n"
    return HEADER.pack(HEADER.size, b"DHIP", 0, 0, len(body), len(body)) + body


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """`client.notifyDevInfo` for a search, silence for anything else."""
    return [frame(_device(persona, address))] if _is_search(data) else []


def _is_search(data: bytes) -> bool:
    if len(data) < HEADER.size:
        return False
    size, magic, _session, _sequence, length, total = HEADER.unpack_from(data)
    body = data[HEADER.size:]
    if size != HEADER.size or magic != b"DHIP" or length != total or length != len(body):
        return False
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("method") == "DHDiscover.search"


def _device(persona: Persona, address: str) -> dict[str, object]:
    options, channels = persona.options, len(persona.channels)
    return {
        "mac": persona.mac.lower(),
        "method": "client.notifyDevInfo",
        "params": {
            "deviceInfo": {
                "AlarmInputChannels": 0,
                "AlarmOutputChannels": 0,
                "DeviceClass": options.get("dhip_class", "NVR" if channels else "IPC"),
                "DeviceType": options.get("dhip_model", persona.model),
                "Find": "BC",
                "FindVersion": 1,
                "HttpPort": 80,
                "IPv4Address": {
                    "DefaultGateway": gateway_of(address),
                    "DhcpEnable": False,
                    "IPAddress": address,
                    "SubnetMask": netmask_of(address),
                },
                "IPv6Address": {
                    "DefaultGateway": "", "DhcpEnable": False, "IPAddress": "/0",
                    "LinkLocalAddress": f"{link_local(persona.mac)}/64",
                },
                "Init": int(options.get("dhip_init", "1162")),
                "MachineName": persona.serial,
                "Manufacturer": options.get("dhip_manufacturer", "Private"),
                "Port": int(options.get("dhip_port", "37777")),
                "RemoteVideoInputChannels": channels,
                "SerialNo": persona.serial,
                "UnLoginFuncMask": 1,
                "Vendor": options.get("dhip_vendor", persona.brand),
                "Version": persona.firmware,
                "VideoInputChannels": 0 if channels else 1,
                "VideoOutputChannels": 0,
            },
        },
    }
