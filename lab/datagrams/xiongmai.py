"""Xiongmai ("Sofia", XMEye) discovery on UDP 34569: a 20-byte header, message 1530 asks, 1531 answers with JSON.

The JSON gives addresses as little-endian hexadecimal words. Messages 1532 and up write settings and get no answer.
Options: ``host_name``, ``xm_other_function``.
"""

from __future__ import annotations

import json
import struct

from lab.datagrams.layout import gateway_of, ip_bytes, netmask_of
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 34569
HEADER = struct.Struct("<BBHIIHHI")
MAGIC = 0xFF
SEARCH, FOUND = 1530, 1531


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One NetWork.NetCommon document for a search, silence for anything else."""
    if len(data) < HEADER.size:
        return []
    magic, _version, _reserved, _session, _sequence, _info, message, length = HEADER.unpack_from(data)
    if magic != MAGIC or message != SEARCH or length != len(data) - HEADER.size:
        return []
    body = json.dumps(_net_common(persona, address)).encode() + b"\n\0"
    return [HEADER.pack(MAGIC, 1, 0, 0, 0, 0, FOUND, len(body)) + body]


def _net_common(persona: Persona, address: str) -> dict[str, object]:
    options = persona.options
    return {
        "NetWork.NetCommon": {
            "BuildDate": options.get("xm_build_date", "2019-05-28 10:44:25"),
            "ChannelNum": len(persona.channels) or 1,
            "DeviceType": 1,
            "GateWay": _word(gateway_of(address)),
            "HostIP": _word(address),
            "HostName": options.get("host_name", "LocalHost"),
            "HttpPort": 80,
            "MAC": persona.mac.lower(),
            "MaxBps": 0,
            "MonMode": "TCP",
            "NetConnectState": 0,
            "OtherFunction": options.get("xm_other_function", f"D=2025-11-02 09:15:00 V={persona.hardware or '0'}"),
            "SN": persona.serial,
            "SSLPort": 8443,
            "Submask": _word(netmask_of(address)),
            "TCPMaxConn": 10,
            "TCPPort": 34567,
            "TransferPlan": "Quality",
            "UDPPort": 34568,
            "UseHSDownLoad": False,
            "Version": persona.firmware,
        },
        "Ret": 100,
        "SessionID": "0x00000000",
    }


def _word(address: str) -> str:
    return f"0x{int.from_bytes(ip_bytes(address), 'little'):08X}"
