"""Axis: realm ``AXIS_<MAC>``, VAPIX under Digest, a GStreamer RTSP server, its own certificate, a UPnP description."""

from __future__ import annotations

import json
from html import escape

from lab.persona import Persona
from lab.services.family import (
    Document,
    Family,
    Onvif,
    Refusal,
    Rtsp,
    Subject,
    Web,
    declared_firmware,
    declared_mac,
    declared_serial,
    html,
)
from lab.services.login import Login, axis_nonce
from lab.services.message import Reply, Request

__all__ = ["FAMILY"]

DESCRIPTION_PORT = 49152


def realm(persona: Persona) -> str:
    """``AXIS_`` and the MAC in capitals."""
    return f"AXIS_{_plain_mac(persona)}"


def _plain_mac(persona: Persona) -> str:
    return declared_mac(persona).replace(":", "").upper()


def _short_model(persona: Persona) -> str:
    return persona.model.removeprefix("AXIS ")


def _product(persona: Persona) -> str:
    return persona.options.get("product", f"AXIS {_short_model(persona)} Network Camera")


def _web_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", algorithm=MD5, qop="auth"',)


def _rtsp_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", stale=FALSE',)


def _root(_persona: Persona) -> Reply:
    return html("AXIS", '<div id="root"></div>', '<link rel="icon" href="/favicon.ico">')


def _basic_device_info(persona: Persona, _request: Request) -> Reply:
    properties = {
        "Architecture": "armv7hf", "Brand": "AXIS", "HardwareID": persona.hardware, "ProdFullName": _product(persona),
        "ProdNbr": _short_model(persona), "ProdShortName": f"AXIS {_short_model(persona)}",
        "SerialNumber": declared_serial(persona), "Soc": "Axis Artpec-7", "Version": declared_firmware(persona),
        "WebURL": "http://www.axis.com",
    }
    document = {"apiVersion": "1.3", "method": "getAllProperties", "data": {"propertyList": properties}}
    return Reply(200, json.dumps(document).encode(), "application/json")


def _parameters(persona: Persona, _request: Request) -> Reply:
    values = {
        "Brand.Brand": "AXIS", "Brand.ProdFullName": _product(persona), "Brand.ProdNbr": _short_model(persona),
        "Brand.ProdShortName": f"AXIS {_short_model(persona)}", "Brand.ProdType": "Network Camera",
        "Properties.Firmware.Version": declared_firmware(persona),
        "Properties.System.SerialNumber": declared_serial(persona),
        "Properties.System.HardwareID": persona.hardware, "Properties.System.Soc": "Axis Artpec-7",
    }
    return Reply(200, "".join(f"root.{key}={value}\n" for key, value in values.items()).encode(), "text/plain")


def _description(persona: Persona, _request: Request) -> Reply:
    """UPnP Device Architecture 1.0, §2.1."""
    mac, name = _plain_mac(persona), escape(_short_model(persona))
    return Reply(200, (
        '<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">'
        "<specVersion><major>1</major><minor>0</minor></specVersion><device>"
        "<deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType>"
        f"<friendlyName>AXIS {name} - {mac}</friendlyName><manufacturer>AXIS</manufacturer>"
        f"<manufacturerURL>http://www.axis.com/</manufacturerURL><modelDescription>{escape(_product(persona))}"
        f"</modelDescription><modelName>AXIS {name}</modelName><modelNumber>{name}</modelNumber>"
        f"<serialNumber>{mac}</serialNumber><UDN>uuid:Upnp-BasicDevice-1_0-{mac}</UDN></device></root>\n").encode(),
        "text/xml")


def _subject(persona: Persona) -> Subject:
    return ("O", "Axis Communications AB"), ("CN", f"axis-{_plain_mac(persona).lower()}")


FAMILY = Family(
    name="axis",
    web=Web(
        login=Login(realm, _web_challenges),
        root=_root,
        server="Apache",
        documents={
            "/axis-cgi/basicdeviceinfo.cgi": Document(_basic_device_info),
            "/axis-cgi/param.cgi": Document(_parameters),
            "/rootdesc1.xml": Document(_description, login=False),
        },
        protected=("/axis-cgi/",),
        ports=(DESCRIPTION_PORT,),
    ),
    onvif=Onvif(
        login=Login(realm, _web_challenges),
        refusal=Refusal.BOTH,
        prefix="SOAP-ENV",
        media_path="/onvif/services",
        profiles=("profile_1_h264", "profile_1_jpeg"),
        model=_short_model,
    ),
    rtsp=Rtsp(
        login=Login(realm, _rtsp_challenges, nonce=axis_nonce),
        paths=("/axis-media/media.amp",),
        server="GStreamer RTSP server",
        public="OPTIONS, DESCRIBE, ANNOUNCE, GET_PARAMETER, PAUSE, PLAY, RECORD, SETUP, SET_PARAMETER, TEARDOWN",
        session="Session streamed with GStreamer",
        control="{uri}",
        track="{uri}/stream=0",
        lines=("i=rtsp-server", "a=tool:GStreamer", "a=type:broadcast", "a=range:npt=now-"),
    ),
    subject=_subject,
)
