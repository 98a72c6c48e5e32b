"""Dahua: no ``Server`` header, the serial in the login realm, ``onvif-digest:`` in the ONVIF nonce.

Rebrands change the label and keep all of it.
"""

from __future__ import annotations

import hashlib
import re

from lab.persona import Persona
from lab.services.family import Document, Family, Onvif, Refusal, Rtsp, Web, declared_firmware, declared_serial, html
from lab.services.login import Login, decimal_nonce, hex_nonce, onvif_digest_nonce
from lab.services.message import Reply, Request

__all__ = ["FAMILY", "spoken_firmware"]

BUILD = re.compile(r"^(.+)\.(\d{2})(\d{2})(\d{2})$")


def realm(persona: Persona) -> str:
    """``Login to`` and the serial, or 32 hex digits on newer firmware."""
    return f"Login to {persona.options.get('realm', persona.serial)}"


def spoken_firmware(firmware: str) -> str:
    """The form in which the firmware names itself in ONVIF and CGI: version, then the build date."""
    found = BUILD.match(firmware)
    return f"{found[1]}, Build Date 20{found[2]}-{found[3]}-{found[4]}" if found else firmware


def _web_challenges(name: str, nonce: str) -> tuple[str, ...]:
    opaque = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    return (f'Digest realm="{name}",qop="auth",nonce="{nonce}",opaque="{opaque}"',)


def _onvif_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}",qop="auth",nonce="{nonce}", opaque="", stale="false"',)


def _rtsp_challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}"',)


def _root(_persona: Persona) -> Reply:
    return html("WEB SERVICE", '<div id="login"></div>', '<script src="/js/loader.js"></script>')


def _magic_box(persona: Persona, request: Request) -> Reply:
    """``key=value`` lines for the read-only actions; an unknown action is an error in the firmware's own form."""
    action = next((part.partition("=")[2] for part in request.query.split("&") if part.startswith("action=")), "")
    answers = {
        "getDeviceType": {"type": persona.model},
        "getSerialNo": {"sn": declared_serial(persona)},
        "getSoftwareVersion": {"version": spoken_firmware(persona.firmware).replace(", Build Date ", ",build:")},
        "getVendor": {"vendor": persona.brand},
        "getMachineName": {"name": persona.serial},
        "getSystemInfo": {"deviceType": persona.model, "hardwareVersion": persona.hardware,
                          "processor": "CV22", "serialNumber": declared_serial(persona)},
    }
    fields = answers.get(action)
    if fields is None:
        return Reply(400, b"Error\r\nBad Request!\r\n", "text/plain")
    lines = "".join(f"{key}={value}\r\n" for key, value in fields.items())
    return Reply(200, lines.encode(), "text/plain;charset=utf-8")


def _refuse_session(_persona: Persona, _request: Request) -> Reply:
    """The JSON-RPC login page wants a POST; a GET tells nothing but that it is there."""
    return Reply(400, b'{"error":{"code":268894210,"message":"invalid request"},"result":false}\n', "application/json")


FAMILY = Family(
    name="dahua",
    web=Web(
        login=Login(realm, _web_challenges, nonce=decimal_nonce),
        root=_root,
        documents={
            "/cgi-bin/magicBox.cgi": Document(_magic_box),
            "/RPC2_Login": Document(_refuse_session, login=False),
        },
        protected=("/cgi-bin/",),
        keep_alive=False,
    ),
    onvif=Onvif(
        login=Login(realm, _onvif_challenges, nonce=onvif_digest_nonce),
        refusal=Refusal.CHALLENGE,
        open_operations=frozenset({"GetScopes"}),
        reason="Invalid username or password, {left} attempt(s) left",
        profiles=("MediaProfile00000", "MediaProfile00001"),
        firmware=lambda persona: spoken_firmware(declared_firmware(persona)),
    ),
    rtsp=Rtsp(
        login=Login(realm, _rtsp_challenges, nonce=hex_nonce),
        paths=("/cam/realmonitor",),
        query="channel=1&subtype={number}&unicast=true&proto=Onvif",
        server="Rtsp Server/3.0",
        public="OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, PAUSE, TEARDOWN, SET_PARAMETER, GET_PARAMETER",
        session="Media Server",
        track="trackID={number}",
        names_itself_refusing=False,
        lines=("a=packetization-supported:DH", "a=rtppayload-supported:DH", "a=range:npt=now-"),
    ),
    subject=lambda persona: (("C", "CN"), ("ST", "Zhejiang"), ("O", "General"), ("CN", persona.serial)),
)
