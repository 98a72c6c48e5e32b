"""Teledyne FLIR thermal cameras of the A series: web and RTSP; who made it is told by GigE Vision and mDNS."""

from __future__ import annotations

from html import escape

from lab.persona import Persona
from lab.services.family import Family, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]


def realm(persona: Persona) -> str:
    """Model and serial: the facts show no realm of this maker, so this one is the lab's."""
    return f"FLIR {persona.model} {persona.serial}"


def _challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", algorithm=MD5, qop="auth"',)


def _root(persona: Persona) -> Reply:
    return html(f"FLIR {escape(persona.model)}", '<div id="app"></div>')


FAMILY = Family(
    name="flir",
    web=Web(login=Login(realm, _challenges), root=_root, server="nginx", protected=("/api/",)),
    rtsp=Rtsp(
        login=Login(realm, _challenges),
        paths=("/avc", "/avc/ch1", "/mjpg"),
        session="IR stream",
        lines=("a=range:npt=now-",),
    ),
    subject=lambda persona: (("C", "SE"), ("O", "FLIR Systems AB"), ("CN", f"FLIR {persona.model} {persona.serial}")),
)
