"""GigE Vision control protocol: DISCOVERY_CMD and its acknowledgement, UDP 3956 (GigE Vision 2.x, section 16.1).

Reads only, needs no login, and the manufacturer string is the maker's own: the best signal for FLIR and other thermal
and industrial cameras.
"""

from __future__ import annotations

import ipaddress
import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build, ipv4, mac

__all__ = ["PORT", "parse", "request"]

PORT = 3956
_COMMAND = struct.Struct(">BBHHH")
_ACK = struct.Struct(">HHHH")
_DISCOVERY_CMD, _DISCOVERY_ACK = 0x0002, 0x0003
_PAYLOAD = 248


def request(request_id: int = 1) -> bytes:
    """One DISCOVERY_CMD asking for an acknowledgement, broadcast allowed; `request_id` is 1 to 65535, never 0."""
    if not 0 < request_id < 0x10000:
        raise ValueError("GVCP request ids run from 1 to 65535")
    return _COMMAND.pack(0x42, 0x11, _DISCOVERY_CMD, 0, request_id)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one DISCOVERY_ACK of 256 bytes; strings end at their first NUL."""
    if len(data) < _ACK.size:
        return Refusal("truncated")
    status, answer, length, request_id = _ACK.unpack_from(data)
    if answer != _DISCOVERY_ACK:
        return Refusal("not_gvcp")
    if len(data) < _ACK.size + _PAYLOAD or length < _PAYLOAD:
        return Refusal("truncated")
    payload = data[_ACK.size:]

    def text(at: int, size: int) -> str:
        return payload[at:at + size].partition(b"\0")[0].decode("utf-8", "replace")

    major, minor = struct.unpack_from(">HH", payload, 0)
    return build(
        version=f"{major}.{minor}", status=status, request_id=request_id, mac=mac(payload[10:16].hex()),
        ipv4=ipv4(str(ipaddress.IPv4Address(payload[36:40]))), manufacturer=text(0x48, 32), model=text(0x68, 32),
        firmware=text(0x88, 32), info=text(0xA8, 48), serial=text(0xD8, 16), user_name=text(0xE8, 16))
