"""Xiongmai white labels: ``uc-httpd 1.0.0``, NETSurveillance, ONVIF on 8899, telnet and streams without a login."""

from __future__ import annotations

from lab.persona import Persona
from lab.services.family import Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]

# Telnet negotiation before the prompt: WILL ECHO, WILL SUPPRESS-GO-AHEAD (RFC 857, RFC 858).
NEGOTIATION = b"\xff\xfb\x01\xff\xfb\x03"


def _realm(_persona: Persona) -> str:
    return "Surveillance Server"


def _challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}"',)


def _root(_persona: Persona) -> Reply:
    return html("NETSurveillance WEB", '<object id="ocx"></object>', '<script src="m.jsp"></script>')


FAMILY = Family(
    name="xiongmai",
    web=Web(login=Login(_realm, _challenges), root=_root, server="uc-httpd 1.0.0", keep_alive=False),
    onvif=Onvif(
        login=Login(_realm, _challenges),
        refusal=Refusal.FAULT,
        prefix="SOAP-ENV",
        open_operations=frozenset({"GetScopes", "GetDeviceInformation"}),
        media_path="/onvif/media_service",
        profiles=("PROFILE_000", "PROFILE_001"),
    ),
    rtsp=Rtsp(
        login=Login(_realm, _challenges),
        paths=("/",            # this firmware plays its main stream to whoever asks for none in particular
               "/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
               "/user=admin_password=tlJwpbo6_channel=1_stream=1.sdp"),
        query="real_stream",
        public="OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE",
        session="RTSP Session",
        track="trackID={number}",
        lines=("a=type:broadcast",),
    ),
    telnet=NEGOTIATION + b"\r\nLocalHost login: ",
)
