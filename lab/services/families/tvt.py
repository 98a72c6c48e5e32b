"""TVT white labels: ``Cross Web Server``, the label on the page, the maker nowhere but in its own protocol."""

from __future__ import annotations

from html import escape

from lab.persona import Persona
from lab.services.family import Family, Onvif, Refusal, Rtsp, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]


def realm(_persona: Persona) -> str:
    """One realm for all."""
    return "IPC"


def _challenges(name: str, nonce: str) -> tuple[str, ...]:
    return (f'Digest realm="{name}", nonce="{nonce}", algorithm="MD5"',)


def _root(persona: Persona) -> Reply:
    return html(f"{escape(persona.brand)} Web Client", '<form id="login"></form>')


FAMILY = Family(
    name="tvt",
    web=Web(login=Login(realm, _challenges), root=_root, server="Cross Web Server", protected=("/GetDeviceInfo",)),
    onvif=Onvif(
        login=Login(realm, _challenges),
        refusal=Refusal.FAULT,
        prefix="SOAP-ENV",
        open_operations=frozenset({"GetScopes"}),
        media_path="/onvif/media",
        profiles=("profile_token_0", "profile_token_1"),
    ),
    rtsp=Rtsp(
        login=Login(realm, _challenges),
        paths=("/profile1", "/profile2"),
        session="streaming",
        track="trackID={number}",
    ),
    subject=lambda _persona: (("O", "IPC"), ("CN", "IPC")),
)
