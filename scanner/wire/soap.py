"""ONVIF over SOAP: read operations only, in an envelope of our own, and any reply a device may give.

The envelope carries no WS-Addressing, which breaks several firmwares, and exists in SOAP 1.1 for devices that answer
1.2 with nothing. A fault may come with status 200, an HTML login page in place of SOAP, prefixes unbound, bodies empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from scanner.observation import Endpoint, Refusal
from scanner.wire import http, scopes, xml
from scanner.wire.auth import challenge_fields
from scanner.wire.fields import Fields, build, firmware_and_build, ipv4, mac, number
from scanner.wire.message import Response

__all__ = ["OPERATIONS", "Operation", "http_headers", "parse", "parse_response", "request"]

_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
_SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True, slots=True)
class Operation:
    """A read operation: its namespace, the usual path of its service, and its fixed inner XML."""

    name: str
    namespace: str = _DEVICE
    path: str = "/onvif/device_service"
    inner: str = ""


_STREAM = ('<t:StreamSetup><s:Stream xmlns:s="http://www.onvif.org/ver10/schema">RTP-Unicast</s:Stream>'
           '<s:Transport xmlns:s="http://www.onvif.org/ver10/schema"><s:Protocol>RTSP</s:Protocol></s:Transport>'
           "</t:StreamSetup>")

OPERATIONS: Mapping[str, Operation] = {operation.name: operation for operation in (
    Operation("GetSystemDateAndTime"), Operation("GetScopes"), Operation("GetDeviceInformation"),
    Operation("GetHostname"),
    Operation("GetServices", inner="<t:IncludeCapability>false</t:IncludeCapability>"),
    Operation("GetCapabilities", inner="<t:Category>All</t:Category>"), Operation("GetNetworkInterfaces"),
    Operation("GetProfiles", _MEDIA, "/onvif/media_service"),
    Operation("GetVideoSources", _MEDIA, "/onvif/media_service"),
    Operation("GetStreamUri", _MEDIA, "/onvif/media_service", _STREAM),
)}
"""Every operation that may be sent; all of access class PRE_AUTH, READ_SYSTEM or READ_MEDIA, none writes."""

_ATTEMPTS = re.compile(r"(?i)(\d{1,3})\s{0,3}(?:more\s{1,3})?(?:login\s{1,3})?(?:attempts?|tries|times)\b|"
                       r"(?:remaining\s{1,3}attempts?|attempts?\s{1,3}(?:left|remain\w{0,5}))\D{0,4}(\d{1,3})")


def request(operation: str, *, header: str = "", soap11: bool = False,
            arguments: Mapping[str, str] | None = None) -> bytes:
    """The envelope of one read operation, on one line.

    Args:
        operation: a name in `OPERATIONS`; ``KeyError`` for any other.
        header: XML for the SOAP header, from `scanner.wire.auth.username_token`.
        soap11: the retry form for devices that answer SOAP 1.2 with nothing.
        arguments: elements with text below the operation (``ProfileToken``); values are escaped.
    """
    given = tuple((arguments or {}).items())
    return _envelope(operation, soap11) if not (header or given) else _fill(operation, header, soap11, given)


def _fill(operation: str, header: str, soap11: bool, given: Iterable[tuple[str, str]]) -> bytes:
    what = OPERATIONS[operation]
    inner = what.inner + "".join(f"<t:{name}>{xml.escape(value)}</t:{name}>" for name, value in given)
    head = f"<e:Header>{header}</e:Header>" if header else ""
    return (f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{_SOAP11 if soap11 else _SOAP12}">{head}'
            f'<e:Body><t:{what.name} xmlns:t="{what.namespace}">{inner}</t:{what.name}></e:Body></e:Envelope>').encode()


@cache
def _envelope(operation: str, soap11: bool) -> bytes:
    """The envelope that every device of a site gets."""
    return _fill(operation, "", soap11, ())


def http_headers(operation: str, *, soap11: bool = False) -> dict[str, str]:
    """The HTTP headers that go with `request`: the media type carries the action in SOAP 1.2, SOAPAction in 1.1."""
    what = OPERATIONS[operation]
    action = f"{what.namespace}/{what.name}"
    if soap11:
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}


def parse_response(response: Response, operation: str, source: Endpoint, now: datetime) -> Fields:
    """A whole HTTP reply to `operation`: status and challenges always, and what the body says where it is SOAP.

    ``refusal`` names why a body was not read (``html``, ``empty``), so that a login page is never taken for an answer;
    ``operation`` is what a body that was read answers, and absent where none was: the question is no answer.
    """
    out = build(status=response.status, server=response.header("server"))
    out |= challenge_fields(response.all("www-authenticate"))
    found = parse(response.body, source, now)
    if isinstance(found, Refusal):
        return out | build(refusal=found.reason)
    return build(operation=operation) | found | out


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """One SOAP document: any reply or fault. ``operation`` is the name of the reply without ``Response``."""
    if not data.strip(b"\0 \t\r\n"):
        return Refusal("empty")
    document = xml.read(data)
    if isinstance(document, Refusal):
        page = http.title(data)
        return Refusal("html", page) if b"<html" in data[:2048].lower() else document
    if document.name.casefold() == "html":
        return Refusal("html", http.title(data))
    body = xml.find(document.root, "Body")
    payload = next(xml.children(body), None) if body is not None else document.root
    namespaces = document.namespaces()
    out: Fields = {"namespaces": namespaces} if namespaces else {}
    if document.recovered:
        out["recovered"] = True
    fault = xml.find(document.root, "Fault") if document.mentions("Fault") else None
    if fault is not None:
        return out | _fault(fault)
    if payload is None:
        return Refusal("empty", "SOAP without a body")
    name = xml.local(payload)
    if body is None and not name.endswith("Response"):
        return Refusal("not_soap", name[:40])
    operation = name.removesuffix("Response")
    reader = _READERS.get(operation)
    return out | build(operation=operation) | (reader(xml.Outline(payload)) if reader else {})


def _fault(fault: xml.Element) -> Fields:
    """SOAP 1.2 section 5.4 and SOAP 1.1 section 4.4; codes are kept with their prefix, which is often unbound."""
    codes = xml.values(fault, "Value", "faultcode", limit=4)
    reason = " ".join(dict.fromkeys(xml.values(fault, "Text", "faultstring", "Detail", limit=4)))
    left = _ATTEMPTS.search(reason)
    remaining = number(left[1] or left[2]) if left else None
    return build(operation="Fault", fault_code=" ".join(codes), fault_reason=reason, attempts_left=remaining)


def _device_information(payload: xml.Outline) -> Fields:
    """Device service 8.1.6; a maker named twice is shown twice, since hiding one would be the easiest disguise."""
    def every(name: str) -> str:
        return " / ".join(dict.fromkeys(payload.values(name, limit=4)))

    return firmware_and_build(every("FirmwareVersion")) | build(
        manufacturer=every("Manufacturer"), model=every("Model"), serial=every("SerialNumber"),
        hardware=every("HardwareId"))


def _date_and_time(payload: xml.Outline) -> Fields:
    """The device's UTC clock as ISO text; some put local time there, which only a refused login reveals."""
    moments = payload.all("UTCDateTime")
    if not moments:
        return {}
    moment = xml.Outline(moments[0])
    parts = [number(moment.value(name)) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
    try:
        year, month, day, hour, minute, second = (-1 if part is None else part for part in parts)
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return {}
    return build(device_time=at.isoformat().replace("+00:00", "Z"), time_zone=payload.value("TZ"),
                 time_source=payload.value("DateTimeType"))


def _services(payload: xml.Outline) -> Fields:
    return build(services=payload.values("Namespace"), xaddrs=payload.values("XAddr"))


def _capabilities(payload: xml.Outline) -> Fields:
    owners = [xml.local(found.getparent()) for found in payload.all("XAddr")]
    return build(services=tuple(owners), xaddrs=payload.values("XAddr"))


def _scopes(payload: xml.Outline) -> Fields:
    return scopes.parse(word for item in payload.values("ScopeItem", limit=256) for word in item.split())


def _interfaces(payload: xml.Outline) -> Fields:
    addresses = [ipv4(text) for text in payload.values("Address")]
    macs = [found for found in (mac(text) for text in payload.values("HwAddress")) if found]
    return build(mac=macs[0] if macs else None, macs=tuple(macs), ipv4=next((a for a in addresses if a), None))


def _profiles(payload: xml.Outline) -> Fields:
    return build(profiles=tuple(str(found.get("token", "")) for found in payload.all("Profiles")))


def _stream_uri(payload: xml.Outline) -> Fields:
    return build(stream_uri=payload.value("Uri"))


def _snapshot_uri(payload: xml.Outline) -> Fields:
    return build(snapshot_uri=payload.value("Uri"))


def _hostname(payload: xml.Outline) -> Fields:
    return build(hostname=payload.value("Name"))


_READERS = {
    "GetDeviceInformation": _device_information, "GetSystemDateAndTime": _date_and_time, "GetServices": _services,
    "GetCapabilities": _capabilities, "GetScopes": _scopes, "GetNetworkInterfaces": _interfaces,
    "GetProfiles": _profiles, "GetStreamUri": _stream_uri, "GetSnapshotUri": _snapshot_uri, "GetHostname": _hostname,
}
