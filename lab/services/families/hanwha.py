"""Hanwha Vision: SUNAPI under Digest, offered as SHA-256 and MD5 in two headers; recorders list their cameras."""

from __future__ import annotations

import json

from lab.persona import ChannelCamera, Persona
from lab.services.family import Document, Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply, Request

__all__ = ["FAMILY"]


def realm(persona: Persona) -> str:
    """``iPolis_`` and the MAC with dashes."""
    return f"iPolis_{persona.mac.replace(':', '-')}"


def _web_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return tuple(f'Digest realm="{name}", charset="UTF-8", algorithm="{algorithm}", nonce="{nonce}", qop="auth"'
                 for algorithm in ("SHA-256", "MD5"))


def _rtsp_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", qop="auth"',)


def _root(_persona: Persona) -> Reply:
    return html("Hanwha Techwin", '<div id="app"></div>', '<base href="/wmf/index.html">')


def _asked(request: Request, submenu: str) -> bool:
    return f"msubmenu={submenu}" in request.query.split("&") and "action=view" in request.query.split("&")


def _not_supported() -> Reply:
    return Reply(200, b"NG\r\nError Code: 608\r\nError Details: Feature Not Implemented\r\n", "text/plain")


def _system(persona: Persona, request: Request) -> Reply:
    """Device information: ``key=value`` lines, or JSON where the client accepts it."""
    if not _asked(request, "deviceinfo"):
        return _not_supported()
    fields = {
        "Model": persona.model, "SerialNumber": persona.serial, "FirmwareVersion": persona.firmware,
        "DeviceType": "NVR" if persona.channels else "NWC", "ConnectedMACAddress": persona.mac,
        "DeviceName": persona.model, "Language": "English",
    }
    return _in_form_asked(request, fields, "".join(f"{key}={value}\r\n" for key, value in fields.items()))


def _media(persona: Persona, request: Request) -> Reply:
    """The recorder's list of registered cameras; SUNAPI numbers channels from zero."""
    if not (persona.channels and _asked(request, "cameraregister")):
        return _not_supported()
    rows = [_registered(camera) for camera in persona.channels]
    lines = "".join(f"Channel.{row['Channel']}.{key}={value}\r\n"
                    for row in rows for key, value in row.items() if key != "Channel")
    return _in_form_asked(request, {"RegisteredCameras": rows}, lines)


def _registered(camera: ChannelCamera) -> dict[str, str | int | bool]:
    return {
        "Channel": camera.number - 1, "Title": f"CAM {camera.number:02d}", "Status": "Success",
        "Model": camera.model, "Protocol": camera.protocol, "AddressType": "IPv4", "IPAddress": camera.address,
        "MACAddress": camera.mac, "HTTPPort": 80, "UserID": "admin", "IsBypassSupported": camera.protocol != "ONVIF",
    }


def _in_form_asked(request: Request, document: object, lines: str) -> Reply:
    if "application/json" in request.header("Accept"):
        return Reply(200, json.dumps(document, indent=1).encode(), "application/json")
    return Reply(200, lines.encode(), "text/plain")


FAMILY = Family(
    name="hanwha",
    web=Web(
        login=Login(realm, _web_challenges, algorithms=frozenset({"MD5", "SHA-256"})),
        root=_root,
        server="nginx",
        documents={"/stw-cgi/system.cgi": Document(_system), "/stw-cgi/media.cgi": Document(_media)},
        protected=("/stw-cgi/",),
    ),
    onvif=Onvif(
        login=Login(realm, _web_challenges, algorithms=frozenset({"MD5", "SHA-256"})),
        refusal=Refusal.FAULT,
        prefix="SOAP-ENV",
        profiles=("DefaultProfile-01", "DefaultProfile-02"),
    ),
    rtsp=Rtsp(
        login=Login(lambda _persona: "iPOLiS", _rtsp_challenges),
        paths=("/profile2/media.smp", "/profile1/media.smp"),
        session="RTSP Session",
        track="trackID=v",
        lines=("a=recvonly",),
    ),
    subject=lambda persona: (("C", "KR"), ("O", "Hanwha Vision"), ("CN", f"Wisenet-{persona.mac.replace(':', '')}")),
)
