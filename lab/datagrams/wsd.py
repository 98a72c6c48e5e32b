"""WS-Discovery on UDP 3702: answers a Probe (SOAP 1.2, WS-Addressing 2004/08, WS-Discovery 2005/04) as firmware does.

Any other year of those three is met with silence, as is a Probe for types or scopes the device does not have. A
Hikvision ignores a Probe that spans several lines; a Hanwha drops ``urn:`` from RelatesTo; an Axis lists HTTPS and a
169.254 address, and a clone of no name lists its factory address: a scanner must treat all of them as hearsay.

Options: ``scopes`` (whole list, separated by spaces), ``scope_name``, ``xaddrs``, ``onvif_port``, ``endpoint_uuid``.
"""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote
from xml.sax.saxutils import escape

from lab.datagrams.layout import link_local, mac_bytes
from lab.persona import Persona

__all__ = ["GROUP", "PORT", "answer", "endpoint_reference", "hello", "scopes"]

PORT = 3702
GROUP = "239.255.255.250"

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
NAMESPACES = {
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "wsdp": "http://schemas.xmlsoap.org/ws/2006/02/devprof",
    "wprt": "http://schemas.microsoft.com/windows/2006/08/wdp/print",
    "pnpx": "http://schemas.microsoft.com/windows/pnpx/2005/10",
}
TRANSMITTER = ("dn", "NetworkVideoTransmitter")
DEVICE = ("tds", "Device")
TYPES: dict[str, tuple[tuple[str, str], ...]] = {
    "axis": (DEVICE, TRANSMITTER),
    "generic": (TRANSMITTER,),
    "xiongmai": (TRANSMITTER,),
    "printer": (("wsdp", "Device"), ("wprt", "PrintDeviceType")),
    "switch": (("wsdp", "Device"), ("pnpx", "NetworkInfrastructure")),
}
ROOT = "onvif://www.onvif.org"
MESSAGE_ID = re.compile(r"<(?:\w+:)?MessageID[^>]*>\s*([^<\s]{1,256})\s*<")
WANTED_TYPES = re.compile(r"<(?:\w+:)?Types[^>]*>([^<]*)<")
WANTED_SCOPES = re.compile(r"<(?:\w+:)?Scopes[^>]*>([^<]*)<")
PREFIX = re.compile(r"xmlns:(\w+)\s*=\s*[\"']([^\"']+)[\"']")


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One ProbeMatches for a Probe that fits this device, else silence."""
    probe = data.decode("utf-8", "replace")
    asked = MESSAGE_ID.search(probe)
    well_versioned = all(name in probe for name in (SOAP, ADDRESSING, f"{DISCOVERY}/Probe"))
    if asked is None or not well_versioned or "Probe" not in probe.partition("Body")[2]:
        return []
    if persona.family == "hikvision" and "\n" in probe.strip():
        return []
    if not _fits_types(persona, probe) or not _fits_scopes(persona, probe):
        return []
    relates_to = asked[1].removeprefix("urn:") if persona.family == "hanwha" else asked[1]
    return [_envelope(persona, "ProbeMatches", relates_to, _match(persona, address))]


def hello(persona: Persona, address: str) -> bytes:
    """The Hello a device multicasts when it boots: the same facts, unasked."""
    return _envelope(persona, "Hello", None, _match(persona, address))


def endpoint_reference(persona: Persona) -> str:
    """The ``urn:uuid:`` a device keeps for life, here made from its MAC; ``endpoint_uuid`` overrides it."""
    fixed = persona.options.get("endpoint_uuid")
    return f"urn:uuid:{fixed or uuid.uuid5(uuid.NAMESPACE_OID, persona.mac)}"


def scopes(persona: Persona) -> tuple[str, ...]:
    """The ONVIF scopes this maker's firmware lists, in its own order; GetScopes gives the same list."""
    override = persona.options.get("scopes")
    if override is not None:
        return tuple(override.split())
    name = persona.options.get("scope_name")
    return tuple(f"{ROOT}/{scope}" for scope in _scopes_of(persona, name))


def _scopes_of(persona: Persona, name: str | None) -> tuple[str, ...]:
    model, mac = quote(persona.model), persona.mac.lower()
    match persona.family:
        case "dahua":
            return ("location/country/china", f"name/{quote(name or persona.brand)}", f"hardware/{model}",
                    "Profile/Streaming", "type/Network_Video_Transmitter", "extension/unique_identifier/1",
                    "Profile/G", "Profile/T")
        case "hikvision":
            return ("type/video_encoder", "Profile/Streaming", "Profile/G", "Profile/T", f"MAC/{mac}",
                    f"hardware/{model}", f"name/{quote(name or f'{persona.brand.upper()} {persona.model}')}",
                    "location/city/hangzhou")
        case "uniview":
            return ("type/video_encoder", "type/audio_encoder", "location/country/china", "Profile/Streaming",
                    "type/Network_Video_Transmitter", f"hardware/{model}", f"name/{quote(name or 'UNV')}")
        case "axis":
            bare = persona.model.removeprefix("AXIS ")
            return ("Profile/Streaming", "Profile/G", f"hardware/{quote(bare)}",
                    f"name/{quote(name or f'AXIS {bare}')}", "Profile/M", "Profile/T", "location/")
        case "hanwha":
            return ("type/Network_Video_Transmitter", "type/video_encoder", "type/audio_encoder", "Profile/Streaming",
                    "Profile/T", f"manufacturer/{quote(persona.manufacturer)}", f"hardware/{model}",
                    f"name/{quote(name or persona.model)}", "location/", f"MAC/{mac}")
        case "bosch":
            return (f"name/BOSCH-{quote(persona.serial)}", "location/", f"hardware/{quote(persona.hardware) or model}",
                    "type/Network_Video_Transmitter", "Profile/Streaming", "Profile/G", "Profile/T")
        case "flir":
            return ("type/video_encoder", "Profile/Streaming", f"name/{quote(name or 'FLIR')}", f"hardware/{model}",
                    "location/")
        case "tvt":
            return ("type/video_encoder", "type/Network_Video_Transmitter", "Profile/Streaming",
                    f"hardware/{model}", f"name/{quote(name or persona.brand)}", "location/country/china")
        case "xiongmai":
            return ("type/video_encoder", "type/audio_encoder", f"hardware/{model}", f"name/{quote(name or model)}",
                    "location/country/china", "Profile/Streaming")
        case "printer" | "switch":
            return ()
        case _:
            return ("Profile/Streaming", f"Model/{model}", f"Name/{quote(name or persona.brand)}",
                    "location/country/china")


def _xaddrs(persona: Persona, address: str) -> str:
    override = persona.options.get("xaddrs")
    if override is not None:
        return override.replace("{address}", address)
    service = "onvif/device_service"
    match persona.family:
        case "axis":
            tail = mac_bytes(persona.mac)[-2:]
            zeroconf = f"169.254.{tail[0]}.{tail[1]}"
            return " ".join(f"{start}/{service}" for host in (address, zeroconf)
                            for start in (f"http://{host}", f"https://{host}"))
        case "hikvision":
            return f"http://{address}/{service} http://[{link_local(persona.mac)}]/{service}"
        case "xiongmai":
            return f"http://{address}:{persona.options.get('onvif_port', '8899')}/{service}"
        case "generic":
            return f"http://192.168.1.88:80/{service}"
        case "printer":
            return f"http://{address}:3911/"
        case "switch":
            return f"http://{address}:5357/"
        case _:
            port = persona.options.get("onvif_port")
            return f"http://{address}{f':{port}' if port else ''}/{service}"


def _types_of(persona: Persona) -> tuple[tuple[str, str], ...]:
    return TYPES.get(persona.family, (TRANSMITTER, DEVICE))


def _fits_types(persona: Persona, probe: str) -> bool:
    found = WANTED_TYPES.search(probe)
    names = dict(PREFIX.findall(probe))
    wanted = []
    for word in (found[1] if found else "").split():
        prefix, _, local = word.rpartition(":")
        wanted.append((names.get(prefix, ""), local))
    own = {(NAMESPACES[prefix], local) for prefix, local in _types_of(persona)}
    return all(pair in own for pair in wanted)


def _fits_scopes(persona: Persona, probe: str) -> bool:
    """A wanted scope fits one of the device's that it is a prefix of, path segment by segment (RFC 3986 rule, §5.1)."""
    found = WANTED_SCOPES.search(probe)
    own = [scope.rstrip("/") + "/" for scope in scopes(persona)]
    wanted = (found[1] if found else "").split()
    return all(any(scope.startswith(asked.rstrip("/") + "/") for scope in own) for asked in wanted)


def _match(persona: Persona, address: str) -> str:
    types = " ".join(f"{prefix}:{local}" for prefix, local in _types_of(persona))
    listed = escape(" ".join(scopes(persona)))
    declared = f"<d:Scopes>{listed}</d:Scopes>" if listed else ""
    return (f"<a:EndpointReference><a:Address>{endpoint_reference(persona)}</a:Address></a:EndpointReference>"
            f"<d:Types>{types}</d:Types>{declared}<d:XAddrs>{escape(_xaddrs(persona, address))}</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion>")


def _envelope(persona: Persona, action: str, relates_to: str | None, match: str) -> bytes:
    declared = "".join(f' xmlns:{prefix}="{NAMESPACES[prefix]}"' for prefix in dict(_types_of(persona)))
    message = uuid.uuid5(uuid.NAMESPACE_OID, f"{persona.mac}|{action}|{relates_to}")
    related = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    recipient = ANONYMOUS if relates_to else "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
    body = f"<d:ProbeMatches><d:ProbeMatch>{match}</d:ProbeMatch></d:ProbeMatches>"
    if action == "Hello":
        body = f"<d:Hello>{match}</d:Hello>"
    return (f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" '
            f'xmlns:d="{DISCOVERY}"{declared}><s:Header><a:MessageID>urn:uuid:{message}</a:MessageID>{related}'
            f"<a:To>{recipient}</a:To><a:Action>{DISCOVERY}/{action}</a:Action>"
            '<d:AppSequence InstanceId="1" MessageNumber="1"/></s:Header>'
            f"<s:Body>{body}</s:Body></s:Envelope>").encode()
