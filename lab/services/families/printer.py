"""A network printer: no camera, though it answers WS-Discovery."""

from __future__ import annotations

from html import escape

from lab.persona import Persona
from lab.services.family import Family, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]


def _root(persona: Persona) -> Reply:
    name = escape(f"{persona.brand} {persona.model}")
    return html(name, f"<h1>{name}</h1><p>Embedded web server. Ready.</p>")


FAMILY = Family(
    name="printer",
    web=Web(
        login=Login(lambda _persona: "Printer", lambda name, _nonce: (f'Basic realm="{name}"',), basic=True),
        root=_root,
        server="HP HTTP Server",
        protected=("/hp/device/",),
    ),
)
