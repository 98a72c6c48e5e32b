"""Uniview: LAPI under Digest with JSON replies, and the status 599 for a path it does not know."""

from __future__ import annotations

import json

from lab.persona import Persona
from lab.services.family import Document, Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply, Request

__all__ = ["FAMILY"]


def realm(persona: Persona) -> str:
    """The MAC in lower case without separators: the facts show no realm of this maker, so this one is the lab's."""
    return persona.mac.replace(":", "").lower()


def _challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", qop="auth", algorithm="MD5"',)


def _answer(url: str, status: int, text: str, data: object) -> bytes:
    document = {"Response": {"ResponseURL": url, "ResponseCode": status, "ResponseString": text, "Data": data}}
    return json.dumps(document, indent=1).encode() + b"\r\n"


def _root(_persona: Persona) -> Reply:
    return html("Login", '<div id="login"></div>', '<script src="/script/login.js"></script>')


def _device_info(persona: Persona, request: Request) -> Reply:
    data = {
        "DeviceName": persona.model, "DeviceModel": persona.model, "SerialNumber": persona.serial,
        "FirmwareVersion": persona.firmware, "HardwareVersion": persona.hardware, "MAC": persona.mac.lower(),
        "Manufacturer": persona.manufacturer,
    }
    return Reply(200, _answer(request.path, 0, "Succeed", data), "application/json")


FAMILY = Family(
    name="uniview",
    web=Web(
        login=Login(realm, _challenges),
        root=_root,
        documents={"/LAPI/V1.0/System/DeviceInfo": Document(_device_info)},
        protected=("/LAPI/",),
        missing=599,
        refused=Reply(401, _answer("/LAPI", 401, "Not Authorized", None), "application/json"),
    ),
    onvif=Onvif(
        login=Login(realm, _challenges),
        refusal=Refusal.FAULT,
        prefix="SOAP-ENV",
        open_operations=frozenset({"GetScopes"}),
        reason="Sender not Authorized",
        media_path="/onvif/media_service",
        profiles=("media_profile1", "media_profile2"),
    ),
    rtsp=Rtsp(
        login=Login(realm, _challenges),
        paths=("/unicast/c1/s0/live", "/unicast/c1/s1/live", "/media/video1"),
        session="Realtime stream",
        origin="1001",
        control="{uri}",
        track="{uri}/video",
    ),
    subject=lambda persona: (("C", "CN"), ("O", "Zhejiang Uniview Technologies Co.,Ltd."), ("CN", persona.serial)),
)
