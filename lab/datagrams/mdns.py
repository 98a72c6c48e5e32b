"""Multicast DNS and DNS-SD on UDP 5353 (RFC 6762, RFC 6763): PTR, SRV, TXT and A records of a device's own services.

A legacy query (non-zero id, RFC 6762 §6.7) gets its id and question back and short lifetimes. Names are written
without compression. Options: ``mdns_services`` (types separated by spaces), ``mdns_instance``, ``mdns_txt``
(``key=value`` separated by spaces), ``hostname``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lab.datagrams.layout import ip_bytes
from lab.persona import Persona

__all__ = ["GROUP", "PORT", "answer"]

PORT = 5353
GROUP = "224.0.0.251"
A, PTR, TXT, SRV, ANY = 1, 12, 16, 33, 255
IN, FLUSH = 1, 0x8000
LIFETIME, LEGACY_LIFETIME = 4500, 10
MAX_QUESTIONS = 32
BROWSE = "_services._dns-sd._udp.local"
SERVICES: dict[str, tuple[str, ...]] = {
    "axis": ("_axis-video._tcp", "_http._tcp", "_rtsp._tcp"),
    "flir": ("_flir-ircam._tcp", "_http._tcp"),
    "hikvision": ("_psia._tcp", "_CGI._tcp", "_http._tcp"),
    "printer": ("_ipp._tcp", "_printer._tcp", "_http._tcp"),
}
SERVICE_PORTS = {"_rtsp._tcp": 554, "_ipp._tcp": 631, "_printer._tcp": 515}


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    kind: int
    data: bytes


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One response with the records asked for and what a client will ask next; silence where none is ours."""
    query = _read(data)
    if query is None:
        return []
    identifier, questions, question_bytes = query
    types = _types(persona)
    records = [record for service in types for record in _records(persona, service, address)]
    asked = [record for name, kind in questions for record in records if _fits(record, name, kind)]
    if any(_same(name, BROWSE) and kind in (PTR, ANY) for name, kind in questions):
        asked += [_Record(BROWSE, PTR, _name(f"{service}.local")) for service in types]
    if not asked:
        return []
    answers = list(dict.fromkeys(asked))
    additional = [record for record in dict.fromkeys(records) if record.kind != PTR and record not in answers]
    lifetime = LEGACY_LIFETIME if identifier else LIFETIME
    legacy = question_bytes if identifier else b""
    header = struct.pack(">6H", identifier, 0x8400, len(questions) if legacy else 0, len(answers), 0, len(additional))
    return [header + legacy + b"".join(_encode(record, lifetime) for record in answers + additional)]


def _types(persona: Persona) -> tuple[str, ...]:
    chosen = persona.options.get("mdns_services")
    return tuple(chosen.split()) if chosen else SERVICES.get(persona.family, ("_http._tcp",))


def _instance(persona: Persona) -> str:
    plain_mac = persona.mac.replace(":", "").upper()
    match persona.family:
        case "axis":
            default = f"AXIS {persona.model.removeprefix('AXIS ')} - {plain_mac}"
        case "hikvision":
            default = f"{persona.brand.upper()} {persona.model} - {persona.serial[-9:]}"
        case _:
            default = _product(persona)
    return persona.options.get("mdns_instance", default)


def _product(persona: Persona) -> str:
    """Brand and model, the brand once only."""
    return persona.model if persona.model.startswith(persona.brand) else f"{persona.brand} {persona.model}"


def _texts(persona: Persona) -> tuple[str, ...]:
    chosen = persona.options.get("mdns_txt")
    if chosen is not None:
        return tuple(chosen.split())
    match persona.family:
        case "axis":
            return (f"macaddress={persona.mac.replace(':', '').upper()}",)
        case "flir":
            return (f"serial={persona.serial}",)
        case "printer":
            return ("txtvers=1", f"ty={_product(persona)}", "rp=ipp/print")
        case _:
            return ("txtvers=1",)


def _hostname(persona: Persona) -> str:
    plain_mac = persona.mac.replace(":", "").lower()
    return persona.options.get("hostname", f"{persona.family}-{plain_mac}") + ".local"


def _records(persona: Persona, service: str, address: str) -> list[_Record]:
    kind, instance, host = f"{service}.local", f"{_label(_instance(persona))}.{service}.local", _hostname(persona)
    target = struct.pack(">HHH", 0, 0, SERVICE_PORTS.get(service, 80)) + _name(host)
    texts = b"".join(bytes([len(text.encode())]) + text.encode() for text in _texts(persona))
    return [
        _Record(kind, PTR, _name(instance)),
        _Record(instance, SRV, target),
        _Record(instance, TXT, texts or b"\0"),
        _Record(host, A, ip_bytes(address)),
    ]


def _label(text: str) -> str:
    """One DNS-SD instance label; its dots are kept apart from the separators by an escape, as in RFC 6763 §4.3."""
    return text.replace("\\", "\\\\").replace(".", "\\.")


def _fits(record: _Record, name: str, kind: int) -> bool:
    return _same(record.name, name) and kind in (record.kind, ANY)


def _same(left: str, right: str) -> bool:
    return left.rstrip(".").lower() == right.rstrip(".").lower()


def _name(text: str) -> bytes:
    """A name in wire form; `_label` escapes are undone here."""
    labels: list[str] = []
    current, escaped = "", False
    for char in text:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\":
            escaped = True
        elif char == ".":
            labels, current = [*labels, current], ""
        else:
            current += char
    encoded = [label.encode()[:63] for label in [*labels, current] if label]
    return b"".join(bytes([len(label)]) + label for label in encoded) + b"\0"


def _encode(record: _Record, lifetime: int) -> bytes:
    unique = record.kind != PTR and lifetime != LEGACY_LIFETIME     # a legacy reply must not set the cache-flush bit
    return (_name(record.name) + struct.pack(">HHIH", record.kind, IN | (FLUSH if unique else 0), lifetime,
                                             len(record.data)) + record.data)


def _read(data: bytes) -> tuple[int, list[tuple[str, int]], bytes] | None:
    """Id, questions and their bytes of a query; None for a response, garbage, or a compressed question."""
    if len(data) < 12:
        return None
    identifier, flags, count = struct.unpack_from(">HHH", data)
    if flags & 0x8000 or not 0 < count <= MAX_QUESTIONS:
        return None
    questions, offset = [], 12
    for _ in range(count):
        labels: list[str] = []
        while offset < len(data) and 0 < data[offset] < 64:
            labels.append(_label(data[offset + 1:offset + 1 + data[offset]].decode("utf-8", "replace")))
            offset += 1 + data[offset]
        if offset + 5 > len(data) or data[offset]:
            return None
        kind, _class = struct.unpack_from(">HH", data, offset + 1)
        questions.append((".".join(labels), kind))
        offset += 5
    return identifier, questions, data[12:offset]
