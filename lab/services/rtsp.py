"""The RTSP 1.0 server of a simulated device: OPTIONS and DESCRIBE as its family answers them; it sends no media."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lab.persona import Persona
from lab.services.families import firmware_of, look_of
from lab.services.family import Place, Rtsp
from lab.services.login import Doorkeeper
from lab.services.message import Reply, Request, encode, read_request

__all__ = ["RtspServer"]

IDLE_SECONDS = 60.0


class RtspServer:
    """One device's RTSP server. Raises `ValueError` for a family without one."""

    def __init__(self, persona: Persona, place: Place) -> None:
        firmware, look = firmware_of(persona).rtsp, look_of(persona).rtsp
        if firmware is None or look is None:
            raise ValueError(f"the family {persona.family} has no RTSP")
        # A relabelled device names the label in realm and server; paths, nonce and SDP stay the firmware's.
        self._rtsp = replace(firmware, server=look.server, login=replace(firmware.login, realm=look.login.realm))
        self._persona, self._place = persona, place
        self._door = Doorkeeper(self._rtsp.login, persona)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the peer leaves, stalls or tears down."""
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                request = await read_request(reader)
            if request is None:
                return
            writer.write(encode("RTSP/1.0", self._label(request, self.answer(request))))
            await writer.drain()
            if request.method == "TEARDOWN":
                return

    def answer(self, request: Request) -> Reply:
        """The reply to one request, without the headers every reply has."""
        if not request.version.startswith("RTSP/"):
            return Reply(400)
        if request.method == "OPTIONS":
            return Reply(200, headers=(("Public", self._rtsp.public),))
        if not (self._persona.anonymous_rtsp or self._door.admits(request)):
            return Reply(401, headers=self._door.challenge())
        if not self._knows(request.path):
            return Reply(404)
        match request.method:
            case "DESCRIBE":
                base = request.target.partition("?")[0].rstrip("/") + "/"
                return Reply(200, self._describe(request), "application/sdp", headers=(("Content-Base", base),))
            case "SETUP":
                return Reply(461)
            case "TEARDOWN" | "GET_PARAMETER" | "SET_PARAMETER":
                return Reply(200)
            case _:
                return Reply(501)

    def _label(self, request: Request, reply: Reply) -> Reply:
        named = self._rtsp.server and (self._rtsp.names_itself_refusing or reply.status != 401)
        server = (("Server", self._rtsp.server),) if named else ()
        return replace(reply, headers=(("CSeq", request.header("CSeq")), *server, *reply.headers))

    def _knows(self, path: str) -> bool:
        return any(path == known or path.startswith(known + "/") for known in self._rtsp.paths)

    def _describe(self, request: Request) -> bytes:
        return _sdp(self._rtsp, self._place, request.target).encode()


def _sdp(rtsp: Rtsp, place: Place, uri: str) -> str:
    """Session description (RFC 4566) of one H.264 video track."""
    uri = uri.partition("?")[0].rstrip("/")
    early = [line for line in rtsp.lines if line[0] in "ie"]         # RFC 4566 §5: i= and e= stand before t=
    late = [line for line in rtsp.lines if line[0] not in "ie"]
    return "\r\n".join([
        "v=0", f"o={rtsp.origin} 2251938210 1 IN IP4 {place.address}", f"s={rtsp.session}", *early,
        "c=IN IP4 0.0.0.0", "t=0 0", f"a=control:{rtsp.control.format(uri=uri)}", *late,
        "m=video 0 RTP/AVP 96", "b=AS:2048", "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;profile-level-id=4D4028",
        f"a=control:{rtsp.track.format(uri=uri, number=1)}", "",
    ])
