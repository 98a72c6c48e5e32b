"""Hikvision and its affiliates: ``App-webs/``, ISAPI under Digest, realm ``IP Camera(<part of the serial>)``."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from lab.persona import Persona
from lab.services.family import Document, Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login, hex_nonce
from lab.services.message import Reply, Request

__all__ = ["FAMILY"]

SCHEMA = "http://www.hikvision.com/ver20/XMLSchema"
SHORT_SERIAL = re.compile(r"([A-Z])(\d{4})\d{4}\d*[A-Z]?$")
FIRMWARE = re.compile(r"^(V[\d.]+) (build \d+)$")
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def realm(persona: Persona) -> str:
    """``IP Camera(`` and the letter and four digits of the serial's last part."""
    found = SHORT_SERIAL.search(persona.serial)
    return f"IP Camera({found[1]}{found[2]})" if found else "IP Camera"


def _web_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest qop="auth", realm="{name}", nonce="{nonce}", stale="false", opaque="", domain="::"',)


def _rtsp_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", stale="FALSE"', f'Basic realm="{name}"')


def _root(_persona: Persona) -> Reply:
    return html("", "", '<script>location.href = "/doc/page/login.asp?_" + Date.now();</script>')


def _login_page(_persona: Persona, _request: Request) -> Reply:
    return html("Login", '<div ng-app="login"></div>', '<script src="/doc/script/lib/seajs/seajs.js"></script>')


def _status(code: int, text: str, sub: str) -> bytes:
    return (f'{XML}<ResponseStatus version="2.0" xmlns="{SCHEMA}">\n<statusCode>{code}</statusCode>\n'
            f"<statusString>{text}</statusString>\n<subStatusCode>{sub}</subStatusCode>\n</ResponseStatus>\n").encode()


def _device_info(persona: Persona, _request: Request) -> Reply:
    found = FIRMWARE.match(persona.firmware)
    version, build = (found[1], found[2]) if found else (persona.firmware, "")
    manufacturer = persona.options.get("isapi_manufacturer", persona.manufacturer.lower())
    fields = {
        "deviceName": "IP CAMERA", "deviceID": f"{persona.mac.replace(':', '').lower():0>32}",
        "deviceDescription": "IPCamera", "deviceLocation": "hangzhou", "systemContact": "Hikvision.China",
        "model": persona.model, "serialNumber": persona.serial, "macAddress": persona.mac.lower(),
        "firmwareVersion": version, "firmwareReleasedDate": build, "encoderVersion": "V7.3",
        "deviceType": "IPCamera", "telecontrolID": persona.hardware, "manufacturer": manufacturer,
        "OEMCode": persona.options.get("oem_code", "1"),
    }
    lines = "\n".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())
    return Reply(200, f'{XML}<DeviceInfo version="2.0" xmlns="{SCHEMA}">\n{lines}\n</DeviceInfo>\n'.encode(),
                 "application/xml")


def _channels(persona: Persona, _request: Request) -> Reply:
    if not persona.channels:
        return Reply(403, _status(4, "Invalid Operation", "notSupport"), "application/xml")
    rows = "\n".join(
        f"<InputProxyChannel><id>{camera.number}</id><name>Camera {camera.number:02d}</name>"
        f"<sourceInputPortDescriptor><proxyProtocol>{escape(camera.protocol)}</proxyProtocol>"
        f"<addressingFormatType>ipaddress</addressingFormatType><ipAddress>{camera.address}</ipAddress>"
        f"<managePortNo>8000</managePortNo><model>{escape(camera.model)}</model>"
        f"<serialNumber>{escape(camera.serial)}</serialNumber><firmwareVersion>{escape(camera.firmware)}"
        "</firmwareVersion></sourceInputPortDescriptor></InputProxyChannel>"
        for camera in persona.channels)
    return Reply(200, (f'{XML}<InputProxyChannelList version="1.0" size="{len(persona.channels)}" xmlns="{SCHEMA}">\n'
                       f"{rows}\n</InputProxyChannelList>\n").encode(), "application/xml")


FAMILY = Family(
    name="hikvision",
    web=Web(
        login=Login(realm, _web_challenges, nonce=lambda: hex_nonce() + hex_nonce()),
        root=_root,
        server="App-webs/",
        documents={
            "/doc/page/login.asp": Document(_login_page, login=False),
            "/ISAPI/System/deviceInfo": Document(_device_info),
            "/ISAPI/ContentMgmt/InputProxy/channels": Document(_channels),
        },
        protected=("/ISAPI/", "/SDK/", "/PSIA/"),
        refused=Reply(401, _status(4, "Invalid Operation", "invalidOperation"), "application/xml"),
    ),
    onvif=Onvif(
        login=Login(realm, _web_challenges),
        refusal=Refusal.BOTH,
        prefix="env",
        reason="The action requested requires authorization and the sender is not authorized",
        media_path="/onvif/Media",
    ),
    rtsp=Rtsp(
        login=Login(realm, _rtsp_challenges, basic=True),
        paths=("/Streaming/Channels/101", "/Streaming/Channels/102", "/ISAPI/Streaming/channels/101"),
        public="OPTIONS, DESCRIBE, PLAY, PAUSE, SETUP, TEARDOWN, SET_PARAMETER, GET_PARAMETER",
        session="Media Presentation",
        control="{uri}/",
        track="{uri}/trackID={number}",
        lines=("e=NONE", "a=appversion:1.0"),
    ),
    subject=lambda _persona: (("C", "CN"), ("ST", "ZheJiang"), ("L", "HangZhou"), ("O", "HIKVISION"),
                              ("OU", "DVRNVR"), ("CN", "www.hikvision.com")),
)
