"""Bosch: ``VCS-VideoJet-Webserver``, RCP+ under Digest, a certificate that names the MAC."""

from __future__ import annotations

from html import escape

from lab.persona import Persona
from lab.services.family import Document, Family, Onvif, Refusal, Rtsp, Subject, Web, html
from lab.services.login import Login
from lab.services.message import Reply, Request

__all__ = ["FAMILY"]


def realm(persona: Persona) -> str:
    """The unit's default name: the facts show no realm of this maker, so this one is the lab's."""
    return f"BOSCH-{persona.serial}"


def _challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", algorithm=MD5, qop="auth"',)


def _root(persona: Persona) -> Reply:
    return html(escape(persona.model), '<div id="live"></div>', '<meta http-equiv="refresh" content="0;url=/view.htm">')


def _rcp(persona: Persona, _request: Request) -> Reply:
    return Reply(200, (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rcp><command><hex>0x002e</hex><dec>46</dec></command>'
        f"<type>P_STRING</type><direction>READ</direction><result><str>{escape(persona.firmware)}</str></result></rcp>\n"
    ).encode(), "text/xml")


def _subject(persona: Persona) -> Subject:
    return (("C", "DE"), ("L", "Grasbrunn"), ("O", "Bosch Sicherheitssysteme GmbH"), ("OU", "ST-VS"),
            ("CN", persona.mac.replace(":", "-").lower()), ("SERIALNUMBER", persona.serial))


FAMILY = Family(
    name="bosch",
    web=Web(
        login=Login(realm, _challenges),
        root=_root,
        server="VCS-VideoJet-Webserver",
        documents={"/rcp.xml": Document(_rcp)},
        protected=("/rcp.xml", "/view.htm"),
    ),
    onvif=Onvif(
        login=Login(realm, _challenges),
        refusal=Refusal.BOTH,
        prefix="SOAP-ENV",
        media_path="/onvif/media_service",
        profiles=("0", "1"),
    ),
    rtsp=Rtsp(
        login=Login(realm, _challenges),
        paths=("/rtsp_tunnel",),
        session="LIVE VIEW",
        control="*",
        track="stream={number}",
        lines=("a=range:npt=0-",),
    ),
    subject=_subject,
)
