"""A managed switch: a login page over HTTP and nothing else."""

from __future__ import annotations

from html import escape

from lab.persona import Persona
from lab.services.family import Family, Web, html
from lab.services.login import Login
from lab.services.message import Reply

__all__ = ["FAMILY"]


def _root(persona: Persona) -> Reply:
    return html(escape(f"{persona.brand} {persona.model}"), '<form method="post" action="/login.cgi"></form>')


FAMILY = Family(
    name="switch",
    web=Web(
        login=Login(lambda _persona: "Switch", lambda name, _nonce: (f'Basic realm="{name}"',), basic=True),
        root=_root,
        protected=("/base/",),
    ),
)
