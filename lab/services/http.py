"""The web server of a simulated device: its family's pages and documents, logins for real, ONVIF where it has it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lab.persona import Persona
from lab.services.families import firmware_of, look_of
from lab.services.family import Place, favicon
from lab.services.login import Doorkeeper
from lab.services.message import Reply, Request, encode, read_request
from lab.services.soap import OnvifService

__all__ = ["IDLE_SECONDS", "WebServer"]

IDLE_SECONDS = 60.0


class WebServer:
    """One device's web server; the same object answers on all its ports, with and without TLS."""

    def __init__(self, persona: Persona, place: Place) -> None:
        firmware, look = firmware_of(persona), look_of(persona)
        self._persona, self._web, self._name = persona, look.web, look.name
        self._documents = {**firmware.web.documents, **look.web.documents}
        self._protected = firmware.web.protected + look.web.protected
        self._keep_alive = firmware.web.keep_alive
        self._door = Doorkeeper(look.web.login, persona, place.record.note_failed_login)
        self._onvif = None
        if "onvif" in persona.protocols and firmware.onvif is not None:
            self._onvif = OnvifService(persona, place, firmware, look)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side has enough."""
        port: int = writer.get_extra_info("sockname")[1]
        scheme = "http" if writer.get_extra_info("ssl_object") is None else "https"
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                request = await read_request(reader)
            if request is None:
                return
            again = self._keep_alive and request.header("Connection").lower() != "close"
            again = again and request.version == "HTTP/1.1"
            reply = self._label(self.answer(request, f"{scheme}://{{address}}:{port}"), again)
            writer.write(encode("HTTP/1.1", reply, with_body=request.method != "HEAD"))
            await writer.drain()
            if not again:
                return

    def answer(self, request: Request, base: str) -> Reply:
        """The reply to one request; `base` is the origin it came in on, ``{address}`` standing for the device's."""
        if self._onvif is not None and request.path.startswith("/onvif/"):
            return self._onvif.answer(request, base)
        if request.method not in ("GET", "HEAD", "POST"):
            return Reply(405)
        if request.path in ("/", "/index.html"):
            return self._web.root(self._persona)
        if request.path == "/favicon.ico":
            return Reply(200, favicon(self._name), "image/x-icon")
        document = self._documents.get(request.path)
        closed = request.path.startswith(self._protected) if document is None else document.login
        if closed and not self._door.admits(request):
            return replace(self._web.refused, headers=(*self._web.refused.headers, *self._door.challenge()))
        if document is None:
            return Reply(self._web.missing, b"", "text/html")
        return document.render(self._persona, request)

    def _label(self, reply: Reply, again: bool) -> Reply:
        server = (("Server", self._web.server),) if self._web.server else ()
        return replace(reply, headers=(*server, *reply.headers, ("Connection", "keep-alive" if again else "close")))
