"""A router's list of opened ports, read and never changed: UPnP Internet Gateway Device (WANIPConnection:1 and :2).

Two things are asked: the device description, by GET, and ``GetGenericPortMappingEntry`` (section 2.4.16), one entry by
its place in the list until the router says that there is no such place (error 713). AddPortMapping, DeletePortMapping
and every Set are not in this file, so nothing can send them.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from scanner.observation import Endpoint, Refusal
from scanner.wire import xml
from scanner.wire.fields import Fields, build, number

__all__ = ["END_OF_LIST", "OPERATION", "http_headers", "parse_description", "parse_mapping", "request"]

OPERATION = "GetGenericPortMappingEntry"
END_OF_LIST = frozenset({713, 714})
"""SpecifiedArrayIndexInvalid; some routers say NoSuchEntryInArray instead."""

_SERVICE = re.compile(r"urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:\d{1,2}")
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_MOST_SERVICES = 4


def request(service: str, index: int) -> bytes:
    """The envelope that asks for entry `index` of the list of `service`. Raises `ValueError` for any other service."""
    if not _SERVICE.fullmatch(service) or not 0 <= index < 65_536:
        raise ValueError("a WAN connection service and a place in its list are needed")
    return (f'<?xml version="1.0"?><s:Envelope xmlns:s="{_ENVELOPE}" s:encodingStyle="http://schemas.xmlsoap.org/soap/'
            f'encoding/"><s:Body><u:{OPERATION} xmlns:u="{service}"><NewPortMappingIndex>{index}'
            f"</NewPortMappingIndex></u:{OPERATION}></s:Body></s:Envelope>").encode()


def http_headers(service: str) -> dict[str, str]:
    """The HTTP headers that go with `request`."""
    return {"Content-Type": 'text/xml; charset="utf-8"', "SOAPAction": f'"{service}#{OPERATION}"'}


def parse_description(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """A device description: ``services`` that keep a list of opened ports, and ``control_paths`` in the same order.

    Of a control address only the path is kept. A device without such a service is no gateway and is refused.
    """
    document = xml.read(data)
    if isinstance(document, Refusal):
        return document
    found: dict[str, str] = {}
    for service in xml.find_all(document.root, "service", limit=64):
        kind, control = xml.value(service, "serviceType").strip(), xml.value(service, "controlURL").strip()
        if _SERVICE.fullmatch(kind) and control and len(found) < _MOST_SERVICES:
            path = _path(control)
            if path:
                found.setdefault(kind, path)
    if not found:
        return Refusal("no_gateway")
    return build(services=tuple(found), control_paths=tuple(found.values()),
                 manufacturer=xml.value(document.root, "manufacturer"), model=xml.value(document.root, "modelName"))


def _path(control: str) -> str:
    try:
        parts = urlsplit(control)
    except ValueError:
        return ""
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path


def parse_mapping(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """One entry, or the error in its place.

    An entry: ``external_port``, ``protocol``, ``internal_client``, ``internal_port``, ``enabled``, ``description``,
    ``remote_host``, ``lease``. An error: ``error_code`` and ``error``.
    """
    document = xml.read(data)
    if isinstance(document, Refusal):
        return document
    code = number(xml.value(document.root, "errorCode"))
    if code is not None:
        return build(error_code=code, error=xml.value(document.root, "errorDescription"))
    body = xml.Outline(document.root)
    client = body.value("NewInternalClient")
    if not client:
        return Refusal("no_mapping")
    return build(
        external_port=number(body.value("NewExternalPort")), protocol=body.value("NewProtocol").lower(),
        internal_client=client, internal_port=number(body.value("NewInternalPort")),
        enabled=body.value("NewEnabled").lower() not in ("0", "false", "no"),
        description=body.value("NewPortMappingDescription"), remote_host=body.value("NewRemoteHost"),
        lease=number(body.value("NewLeaseDuration")))
