"""Replies in the form real devices give them, made up for the tests: what makers' devices say, and what no camera says.

The rows stand in ``data/unseen_replies.yaml``. A row is one reply of one device: text (``data``), bytes (``hex``), or
built by one of the functions here (``as``, with ``of`` and ``more`` as its arguments).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from scanner.observation import Observation
from scanner.wire import replies

__all__ = ["CAMERAS", "INNOCENT", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One reply and what a careful reader concludes from it.

    ``maker`` is a slug, or None where a careful reader names nobody; ``brand``, ``model``, ``firmware`` and ``kind``
    are what the bytes carry, None for nothing to say. ``house`` is the company behind what is no camera, where it
    builds cameras too: naming it is right there, calling the thing a camera is not.
    """

    name: str
    maker: str | None
    transport: str
    data: bytes
    port: int | None = None
    brand: str | None = None
    model: str | None = None
    firmware: str | None = None
    kind: str | None = None
    house: str | None = None

    def seen(self, device: str, now: datetime) -> list[Observation]:
        """Its observations, as ``camvet identify`` reads them; of an ``egress`` row the one name it calls."""
        if self.transport == "egress":
            return [
                Observation.of(
                    device=device,
                    transport="egress",
                    probe="egress.capture",
                    port=None,
                    at=now,
                    fields={"destination": "203.0.113.7", "names": (self.data.decode(),), "protocol": "tcp"},
                    wire=self.data,
                )
            ]
        return replies.read(self.transport, self.port, self.data, device=device, now=now)


def onvif(manufacturer: str, model: str, firmware: str, serial: str = "0000000001", hardware: str = "1.0") -> bytes:
    """A GetDeviceInformation answer."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Body><tds:GetDeviceInformationResponse>'
        f"<tds:Manufacturer>{manufacturer}</tds:Manufacturer><tds:Model>{model}</tds:Model>"
        f"<tds:FirmwareVersion>{firmware}</tds:FirmwareVersion><tds:SerialNumber>{serial}</tds:SerialNumber>"
        f"<tds:HardwareId>{hardware}</tds:HardwareId></tds:GetDeviceInformationResponse></s:Body></s:Envelope>"
    ).encode()


def wsd(*scopes: str, types: str = "dn:NetworkVideoTransmitter") -> bytes:
    """A WS-Discovery answer with ONVIF scopes; a scope with ``://`` is taken as it is."""
    listed = " ".join(s if "://" in s else f"onvif://www.onvif.org/{s}" for s in scopes)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        f'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        f'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><env:Header>'
        f"<a:MessageID>uuid:00000000-0000-4000-8000-00000000a001</a:MessageID>"
        f"<a:RelatesTo>uuid:00000000-0000-4000-8000-00000000b001</a:RelatesTo>"
        f"<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></env:Header><env:Body>"
        f"<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:00000000-0000-4000-8000-"
        f"0000000000c1</a:Address></a:EndpointReference><d:Types>{types}</d:Types><d:Scopes>{listed}</d:Scopes>"
        f"<d:XAddrs>http://192.0.2.7/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
        f"</d:ProbeMatch></d:ProbeMatches></env:Body></env:Envelope>"
    ).encode()


def page(body: str = "", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer; underscores in header names stand for dashes."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def titled(title: str, **headers: str) -> bytes:
    """A whole HTTP answer with a page of that title."""
    return page(f"<html><head><title>{title}</title></head><body></body></html>", Content_Type="text/html", **headers)


def refused(realm: str, scheme: str = "Digest", **headers: str) -> bytes:
    """An HTTP 401 with that realm."""
    more = ', nonce="00c0ffee00c0ffee00c0ffee00c0ffee", qop="auth"' if scheme == "Digest" else ""
    return page("", "401 Unauthorized", WWW_Authenticate=f'{scheme} realm="{realm}"{more}', **headers)


def rtsp(status: str = "200 OK", body: str = "", **headers: str) -> bytes:
    """A whole RTSP answer."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 {status}\r\nCSeq: 2\r\n{lines}{length}\r\n{body}".encode()


def rtsp_refused(realm: str, scheme: str = "Digest", **headers: str) -> bytes:
    """An RTSP 401 with that realm."""
    more = ', nonce="00c0ffee00c0ffee00c0ffee00c0ffee"' if scheme == "Digest" else ""
    return rtsp("401 Unauthorized", WWW_Authenticate=f'{scheme} realm="{realm}"{more}', **headers)


def sdp(*lines: str, session: str = "Media Presentation") -> str:
    """A session description of one H.264 track."""
    return "\r\n".join(
        (
            "v=0",
            "o=- 1 1 IN IP4 192.0.2.7",
            f"s={session}",
            "t=0 0",
            *lines,
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 H264/90000",
            "",
        )
    )


def upnp(manufacturer: str, model: str, name: str = "device", kind: str = "Basic", **more: str) -> bytes:
    """A UPnP device description."""
    extra = "".join(f"<{key}>{value}</{key}>" for key, value in more.items())
    return (
        f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
        f"<deviceType>urn:schemas-upnp-org:device:{kind}:1</deviceType><friendlyName>{name}</friendlyName>"
        f"<manufacturer>{manufacturer}</manufacturer><modelName>{model}</modelName>{extra}"
        f"</device></root>"
    ).encode()


def fields(transport: str, **said: object) -> bytes:
    """Fields that another program parsed, in the vocabulary of ``docs/observations.md``."""
    return json.dumps({"transport": transport, "fields": said}).encode()


def dhip(vendor: str, device_class: str, model: str, version: str, serial: str, mac: str) -> bytes:
    """A DHIP search answer."""
    body = (
        json.dumps(
            {
                "mac": mac,
                "method": "client.notifyDevInfo",
                "params": {
                    "deviceInfo": {
                        "DeviceClass": device_class,
                        "DeviceType": model,
                        "HttpPort": 80,
                        "Port": 37777,
                        "SerialNo": serial,
                        "Vendor": vendor,
                        "Version": version,
                        "IPv4Address": {"IPAddress": "192.0.2.7"},
                    }
                },
            }
        ).encode()
        + b"\n\0"
    )
    size = len(body).to_bytes(8, "little")
    return b"\x20\0\0\0DHIP" + bytes(8) + size + size + body


def sadp(description: str, serial: str, software: str, mac: str, **more: str) -> bytes:
    """A SADP answer."""
    extra = "".join(f"<{key}>{value}</{key}>" for key, value in more.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ProbeMatch><Uuid>00000000-0000-4000-8000-00000000d001</Uuid>'
        f"<Types>inquiry</Types><DeviceType>1</DeviceType><DeviceDescription>{description}</DeviceDescription>"
        f"<DeviceSN>{serial}</DeviceSN><CommandPort>8000</CommandPort><HttpPort>80</HttpPort><MAC>{mac}</MAC>"
        f"<IPv4Address>192.0.2.7</IPv4Address><DSPVersion>V7.3 build 200108</DSPVersion>"
        f"<SoftwareVersion>{software}</SoftwareVersion><Activated>true</Activated>{extra}</ProbeMatch>"
    ).encode()


def gvcp(manufacturer: str, model: str, version: str = "1.0.0", serial: str = "00000001") -> bytes:
    """A GigE Vision discovery acknowledge."""
    said = bytearray(248)
    said[0:4] = b"\0\x02\0\0"
    said[10:16] = bytes.fromhex("020000000001")
    for at, size, text in ((72, 32, manufacturer), (104, 32, model), (136, 32, version), (216, 16, serial)):
        said[at : at + size] = text.encode()[:size].ljust(size, b"\0")
    return bytes.fromhex("0000000300f80001") + bytes(said)


def tplink(**result: object) -> bytes:
    """A TP-Link discovery answer (UDP 20002): sixteen bytes, then JSON."""
    return bytes.fromhex("020000010177000001000000463cb5d3") + json.dumps({"result": result, "error_code": 0}).encode()


_BUILDERS: Mapping[str, Callable[..., bytes]] = {
    "onvif": onvif,
    "wsd": wsd,
    "page": page,
    "titled": titled,
    "refused": refused,
    "rtsp_refused": rtsp_refused,
    "upnp": upnp,
    "fields": fields,
    "dhip": dhip,
    "sadp": sadp,
    "gvcp": gvcp,
    "tplink": tplink,
}


def _row(said: dict[str, Any]) -> Row:
    built, arguments, more = said.pop("as", None), said.pop("of", ()), said.pop("more", {})
    text, bare = said.pop("data", ""), said.pop("hex", "")
    data = _BUILDERS[built](*arguments, **more) if built else bytes.fromhex(bare) or text.encode()
    return Row(name=said.pop("name"), maker=said.pop("maker", None), transport=said.pop("transport"), data=data, **said)


_ROWS = YAML(typ="safe").load((Path(__file__).parent / "data" / "unseen_replies.yaml").read_bytes())
CAMERAS = tuple(_row(said) for said in (*_ROWS["first"], *_ROWS["second"], *_ROWS["third"]))
INNOCENT = tuple(_row(said) for said in _ROWS["innocent"])
