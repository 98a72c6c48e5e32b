"""SNMP v1 and v2c on UDP 161, as far as a GetRequest of sysDescr goes (RFC 1157, RFC 3416).

Option ``snmp_community`` (default ``public``): any other word is met with silence, as RFC 1157 section 4.1 has it.
"""

from __future__ import annotations

import re

from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 161
# version, community, GetRequest-PDU, request id: short lengths only, which is what any scanner sends.
QUESTION = re.compile(rb"\x30[\x00-\x7f]\x02\x01([\x00\x01])\x04([\x00-\x7f])(.{1,127}?)\xa0[\x00-\x7f]"
                      rb"(\x02[\x01-\x04].{1,4}?)\x02\x01\x00\x02\x01\x00\x30", re.DOTALL)
SYS_DESCR = bytes.fromhex("2b06010201010100")


def answer(persona: Persona, data: bytes, _address: str) -> list[bytes]:
    """One Response-PDU with sysDescr to a GetRequest with the right community; silence for all else."""
    found = QUESTION.match(data)
    community = persona.options.get("snmp_community", "public").encode()
    if found is None or found[3] != community or found[2][0] != len(community):
        return []
    text = f"{persona.model} {persona.firmware}".encode()[:64]
    binding = _tlv(0x30, _tlv(6, SYS_DESCR) + _tlv(4, text))
    pdu = _tlv(0xA2, found[4] + b"\x02\x01\x00\x02\x01\x00" + _tlv(0x30, binding))
    return [_tlv(0x30, b"\x02\x01" + found[1] + _tlv(4, community) + pdu)]


def _tlv(tag: int, body: bytes) -> bytes:
    size = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + size + body
