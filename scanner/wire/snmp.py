"""SNMP v1 and v2c: one GetRequest of the system group out, its answer in (RFC 1157, RFC 3416; RFC 3418 for the names).

Only GetRequest is ever made, and only with the community ``public``: asking with it is a login of sorts, so a sweep
does so only where it was told to. `parse` reads what other tools recorded of sysDescr as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build
from scanner.wire.text import decode

__all__ = ["COMMUNITY", "PORT", "SYS_DESCR", "SYS_OBJECT_ID", "V1", "V2C", "parse", "parse_response", "request"]

PORT = 161
COMMUNITY = "public"
V1, V2C = 0, 1
SYS_DESCR = "1.3.6.1.2.1.1.1.0"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"

_INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
_GET_REQUEST, _GET_RESPONSE = 0xA0, 0xA2
_MOST_BYTES = 4_096
_MOST_BINDINGS = 16
_MOST_ARCS = 64


def request(number: int, version: int = V2C) -> bytes:
    """One GetRequest of sysDescr and sysObjectID with the community ``public``.

    `number` is the request id, 0 to 2^31-1; `version` is `V1` or `V2C`. Raises `ValueError` for any other.
    """
    if version not in (V1, V2C) or not 0 <= number < 1 << 31:
        raise ValueError("a version of 0 or 1 and a request id of 31 bits are needed")
    bindings = b"".join(_tlv(_SEQUENCE, _tlv(_OID, _oid_bytes(name)) + _tlv(_NULL, b""))
                        for name in (SYS_DESCR, SYS_OBJECT_ID))
    pdu = _tlv(_GET_REQUEST, _integer(number) + _integer(0) + _integer(0) + _tlv(_SEQUENCE, bindings))
    return _tlv(_SEQUENCE, _integer(version) + _tlv(_OCTETS, COMMUNITY.encode("ascii")) + pdu)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """``sys_descr``, and ``sys_object_id`` where the text is an object identifier."""
    text = decode(data[:_MOST_BYTES])[0].strip()
    if text and set(text) <= set("0123456789.") and text.count(".") > 4:
        return build(sys_object_id=text.lstrip("."))
    return build(sys_descr=text) or Refusal("empty")


def parse_response(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """One Response-PDU: ``version`` (``v1`` or ``v2c``), ``sys_descr``, ``sys_object_id``, ``error`` where one is told.

    The community that comes back is not read: it is our own word.
    """
    if len(data) > _MOST_BYTES:
        return Refusal("too_large", f"{len(data)} bytes")
    message = _only(data, _SEQUENCE)
    outer = list(_items(message)) if message is not None else []
    if len(outer) < 3 or [tag for tag, _ in outer[:3]] != [_INTEGER, _OCTETS, _GET_RESPONSE]:
        return Refusal("not_snmp")
    version = {V1: "v1", V2C: "v2c"}.get(int.from_bytes(outer[0][1][:4], "big", signed=True), "")
    inner = list(_items(outer[2][1]))
    if not version or [tag for tag, _ in inner[:4]] != [_INTEGER, _INTEGER, _INTEGER, _SEQUENCE]:
        return Refusal("not_snmp", "no response of version 1 or 2c")
    error = int.from_bytes(inner[1][1][:4], "big", signed=True)
    found = dict(_bindings(inner[3][1]))
    return build(version=version, error=error or None, sys_descr=found.get(SYS_DESCR),
                 sys_object_id=found.get(SYS_OBJECT_ID))


def _bindings(data: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of each binding whose value is text or an object identifier."""
    for count, (tag, body) in enumerate(_items(data)):
        parts = list(_items(body)) if tag == _SEQUENCE else []
        if count >= _MOST_BINDINGS:
            return
        if len(parts) != 2 or parts[0][0] != _OID:
            continue
        kind, value = parts[1]
        if kind == _OCTETS:
            yield _oid_text(parts[0][1]), decode(value)[0].strip("\0 \r\n\t")
        elif kind == _OID:
            yield _oid_text(parts[0][1]), _oid_text(value)


# -- BER (X.690), as little of it as the above needs ------------------------------------------------------------------

def _tlv(tag: int, body: bytes) -> bytes:
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(length))) + length + body


def _integer(value: int) -> bytes:
    return _tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _only(data: bytes, tag: int) -> bytes | None:
    first = next(_items(data), None)
    return first[1] if first and first[0] == tag else None


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each element in turn; ends at the first one that does not fit, so it always ends."""
    at = 0
    while at + 2 <= len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or at + size > len(data):
                return
            length, at = int.from_bytes(data[at:at + size], "big"), at + size
        if at + length > len(data):
            return
        yield tag, data[at:at + length]
        at += length


def _oid_bytes(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    return b"".join(_arc(number) for number in (first * 40 + second, *rest))


def _arc(number: int) -> bytes:
    low = [number & 0x7F]
    while number := number >> 7:
        low.append(number & 0x7F | 0x80)
    return bytes(reversed(low))


def _oid_text(data: bytes) -> str:
    """The dotted form; empty where it is none, and cut where it is longer than any real one."""
    arcs: list[int] = []
    number = 0
    for byte in data[:_MOST_ARCS * 5]:
        number = number << 7 | byte & 0x7F
        if number >= 1 << 32:
            return ""
        if byte & 0x80:
            continue
        if not arcs:
            arcs.extend(divmod(number, 40) if number < 80 else (2, number - 80))
        else:
            arcs.append(number)
        number = 0
    return ".".join(map(str, arcs[:_MOST_ARCS]))
