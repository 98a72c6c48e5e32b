"""WS-Discovery as ONVIF uses it: Probe out, ProbeMatches, Hello, Bye or a fault in; UDP 3702.

WS-Discovery of April 2005 with WS-Addressing of August 2004: other years are met with silence. Three shapes of probe
are sent since no single one reaches every device; each is one line, because some firmware calls a line break "the xml
format error". A fault proves presence. The addresses inside a reply are evidence, never targets: the sender's address
is the truth, and a reply may come from any port.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from scanner.observation import Endpoint, Refusal
from scanner.wire import scopes, xml
from scanner.wire.fields import Fields, build

__all__ = ["GROUP", "GROUP_V6", "PORT", "Shape", "parse", "request", "requests"]

GROUP = "239.255.255.250"
GROUP_V6 = "ff02::c"
PORT = 3702
MAX_MATCHES = 16

_ACTIONS = ("ProbeMatches", "ResolveMatches", "Hello", "Bye", "Fault")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Shape(StrEnum):
    """What a probe asks for."""

    TRANSMITTER = "NetworkVideoTransmitter"
    DEVICE = "Device"
    ANY = ""


_TYPES = {
    Shape.TRANSMITTER: '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types>',
    Shape.DEVICE: '<d:Types xmlns:tds="http://www.onvif.org/ver10/device/wsdl">tds:Device</d:Types>',
    Shape.ANY: "",
}


def request(shape: Shape, message_id: UUID) -> bytes:
    """One Probe without Scopes (a scope filter would hide devices). Every probe needs a message id of its own."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><e:Header>'
        f"<w:MessageID>urn:uuid:{message_id}</w:MessageID>"
        '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>'
        '<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>'
        f"</e:Header><e:Body><d:Probe>{_TYPES[shape]}</d:Probe></e:Body></e:Envelope>"
    ).encode()


def requests(message_ids: Sequence[UUID]) -> tuple[bytes, bytes, bytes]:
    """The three probes, to be sent half a second apart; takes three different message ids."""
    transmitter, device, any_device = message_ids
    return request(Shape.TRANSMITTER, transmitter), request(Shape.DEVICE, device), request(Shape.ANY, any_device)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """One datagram. ``relates_to`` is the bare UUID of the probe it answers, with or without ``urn:`` on the wire.

    Several matches in one reply are read together: lists are joined, the first match gives the single fields.
    """
    if len(data) > 65_535:
        return Refusal("too_large")
    document = xml.read(data)
    if isinstance(document, Refusal):
        return document
    whole = xml.Outline(document.root)
    body = next(iter(whole.all("Body", 1)), None)
    payload = next(xml.children(body), None) if body is not None else document.root
    action = xml.local(payload) if payload is not None else ""
    if action not in _ACTIONS:
        return Refusal("not_discovery", action[:40])
    out = build(action=action, relates_to=_uuid(whole.value("RelatesTo")),
                recovered=True if document.recovered else None)
    if action == "Fault":
        return out | build(fault_code=" ".join(xml.values(payload, "Value", "faultcode", limit=3)),
                           fault_reason=xml.value(payload, "Text", "faultstring"))
    matches = xml.find_all(payload, "ProbeMatch", "ResolveMatch", limit=MAX_MATCHES) or [payload]
    reference, types, scope_list, xaddrs = "", list[str](), list[str](), list[str]()
    for match in map(xml.Outline, matches):
        found = next(iter(match.all("EndpointReference", 1)), None)
        reference = reference or (xml.value(found, "Address") if found is not None else "")
        types += _words(match, "Types")
        scope_list += _words(match, "Scopes")
        xaddrs += _words(match, "XAddrs")
    return out | scopes.parse(scope_list) | build(
        endpoint_reference=reference, types=tuple(t.rpartition(":")[2] for t in types), xaddrs=tuple(xaddrs),
        namespaces=document.namespaces())


def _words(match: xml.Outline, name: str) -> list[str]:
    """The space-separated words in all elements of this name."""
    return [word for child in match.all(name, 8) for word in xml.text(child, 16_384).split()][:256]


def _uuid(text: str) -> str:
    match = _UUID.search(text)
    return match[0].lower() if match else ""
