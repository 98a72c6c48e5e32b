"""A camera of no known maker: gSOAP, Basic logins, and names that say nothing (``IPCAM``, ``H264``)."""

from __future__ import annotations

from lab.persona import Persona
from lab.services.family import Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]


def _realm(_persona: Persona) -> str:
    return "IP Camera"


def _basic(name: str, _nonce: str) -> tuple[str, ...]:
    return (f'Basic realm="{name}"',)


def _digest(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}"',)


def _root(_persona: Persona) -> Reply:
    return html("IPCamera Login", '<form id="login"></form>')


FAMILY = Family(
    name="generic",
    web=Web(login=Login(_realm, _basic, basic=True), root=_root, server="thttpd/2.25b", protected=("/cgi-bin/",)),
    onvif=Onvif(
        login=Login(lambda _persona: "gSOAP Web Service", _basic, basic=True),
        refusal=Refusal.BOTH,
        prefix="SOAP-ENV",
        open_operations=frozenset({"GetScopes", "GetDeviceInformation"}),
        profiles=("Profile000", "Profile001"),
    ),
    rtsp=Rtsp(
        login=Login(lambda _persona: "RTSP SERVER", _digest),
        paths=("/live/ch0", "/live/ch1", "/11"),
        session="streamed by a media server",
        track="track{number}",
        lines=("a=tool:LIVE555 Streaming Media v2018.02.18", "a=type:broadcast"),
    ),
)
