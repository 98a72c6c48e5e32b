"""The RTSP 1.0 server of a simulated device (RFC 2326): its family's words and login, and its film over TCP.

A device whose persona has a scene streams it, interleaved with the replies; others describe a stream and set none up.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, replace

from lab.bitstream import forge_size
from lab.clips import Studio
from lab.persona import Persona
from lab.scenes import Codec, scene_of
from lab.services import sdp
from lab.services.families import firmware_of, look_of
from lab.services.family import Place, at_own_path
from lab.services.login import Doorkeeper
from lab.services.message import Reply, Request, encode, read_request
from lab.services.playback import HUGE, Line, Player
from lab.streams import StreamMode

__all__ = ["RtspServer"]

SESSION_SECONDS = "60"             # the option ``session_timeout`` shortens it
INTERLEAVED = re.compile(r"RTP/AVP/TCP(?=[;,]|$)(?:[^,]*;interleaved=(\d{1,3})-(\d{1,3})(?=[;,]|$))?", re.IGNORECASE)
NEEDS_SESSION = frozenset({"PLAY", "PAUSE"})


@dataclass(slots=True)
class _Visit:
    """One connection: its session once it is set up, and what plays."""

    line: Line
    session: str = ""
    sounds: bool = False
    player: Player | None = None
    playing: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """End what plays. Raises what went wrong in it, if it was not the connection."""
        if self.playing is None:
            return
        self.playing.cancel()
        (outcome,) = await asyncio.gather(self.playing, return_exceptions=True)
        self.playing = None
        if isinstance(outcome, Exception):
            raise outcome


class RtspServer:
    """One device's RTSP server. Raises `ValueError` for a family without one, or a scene that cannot be."""

    def __init__(self, persona: Persona, place: Place, studio: Studio | None = None) -> None:
        firmware, look = firmware_of(persona).rtsp, look_of(persona).rtsp
        if firmware is None or look is None:
            raise ValueError(f"the family {persona.family} has no RTSP")
        # A relabelled device names the label in realm and server; paths, nonce and SDP stay the firmware's.
        self._rtsp = replace(at_own_path(persona, firmware), server=look.server,
                             login=replace(firmware.login, realm=look.login.realm))
        self._persona, self._place, self._record = persona, place, place.record
        self._door = Doorkeeper(self._rtsp.login, persona, place.record.note_failed_login)
        self._studio = studio or Studio()
        self._scene = scene_of(persona) if self._studio.is_equipped() else None
        self._timeout = persona.options.get("session_timeout", SESSION_SECONDS)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the peer leaves, says nothing for too long or tears down."""
        visit = _Visit(Line(writer))
        try:
            while (request := await self._next(reader)) is not None:
                reply = await self._answer(request, visit)
                await visit.line.send(encode("RTSP/1.0", self._label(request, reply)))
                if request.method == "TEARDOWN":
                    return
                if request.method == "PLAY" and reply.status == 200 and visit.player and visit.playing is None:
                    viewing = self._record.open(visit.line.peer, request.path.rstrip("/"))
                    visit.playing = asyncio.create_task(visit.player.run(viewing))
        finally:
            await visit.stop()

    async def _next(self, reader: asyncio.StreamReader) -> Request | None:
        """The next request; interleaved packets between them, a receiver's reports, only show that it lives."""
        while True:
            async with asyncio.timeout(float(self._timeout)):
                try:
                    first = await reader.readexactly(1)
                    if first != b"$":
                        return await read_request(reader, first)
                    header = await reader.readexactly(3)
                    await reader.readexactly(int.from_bytes(header[1:], "big"))
                except asyncio.IncompleteReadError:
                    return None

    async def _answer(self, request: Request, visit: _Visit) -> Reply:
        """The reply to one request, without the headers every reply has."""
        orders = self._record.orders
        if not request.version.startswith("RTSP/"):
            return Reply(400)
        if request.method == "OPTIONS":
            return Reply(200, headers=(("Public", self._rtsp.public),))
        if orders.mode is StreamMode.REDIRECT:
            rest = f"{request.path}?{request.query}".removesuffix("?")
            return Reply(302, headers=(("Location", f"rtsp://{orders.target}{rest}"),))
        if not (self._persona.anonymous_rtsp or self._door.admits(request)):
            return Reply(401, headers=self._door.challenge())
        if not self._knows(request.path):
            return Reply(404)
        if request.method in NEEDS_SESSION and self._scene is None:
            return Reply(501)
        asked = request.header("Session").partition(";")[0].strip()
        if asked != visit.session and (asked or request.method in NEEDS_SESSION):
            return Reply(454)
        if request.method in NEEDS_SESSION and visit.player is None:
            return Reply(455)
        return await self._serve(request, visit)

    async def _serve(self, request: Request, visit: _Visit) -> Reply:
        """The reply to a request that is let in."""
        session = (("Session", visit.session),) if visit.session else ()
        match request.method:
            case "DESCRIBE":
                return await self._describe(request)
            case "SETUP":
                return self._set_up(request, visit)
            case "PLAY":
                return Reply(200, headers=(*session, *_where(request, visit)))
            case "PAUSE" | "TEARDOWN":
                await visit.stop()
                return Reply(200, headers=session)
            case "GET_PARAMETER" | "SET_PARAMETER":
                return Reply(200, headers=session)
            case _:
                return Reply(501)

    async def _describe(self, request: Request) -> Reply:
        base = request.target.partition("?")[0].rstrip("/") + "/"
        codec = Codec.H264 if self._scene is None else self._scene.codec
        sets: tuple[bytes, ...] = ()
        if self._scene is not None:
            sets = await asyncio.to_thread(self._studio.clip(self._scene).parameter_sets)
        if self._record.orders.mode is StreamMode.HUGE:
            sets = tuple(forge_size(codec, each, *HUGE) for each in sets)
        body = sdp.describe(self._rtsp, self._place, request, codec, sets, self._record.orders)
        return Reply(200, body, "application/sdp", headers=(("Content-Base", base),))

    def _set_up(self, request: Request, visit: _Visit) -> Reply:
        transport = INTERLEAVED.search(request.header("Transport"))
        if self._scene is None or transport is None:
            return Reply(461)
        channels = int(transport[1] or 0), int(transport[2] or 1)
        if max(channels) > 255:
            return Reply(461)
        if visit.playing is not None:
            return Reply(455)
        silent = self._record.orders.mode is StreamMode.NO_VIDEO
        if request.target.rpartition("/")[2] != (sdp.AUDIO if silent else sdp.track_name(self._rtsp)):
            return Reply(404)
        visit.session = visit.session or secrets.token_hex(4).upper()
        visit.player = Player(visit.line, self._scene, self._studio, self._record, channels)
        chosen = (f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]};ssrc={visit.player.source:08X};"
                  'mode="PLAY"')
        return Reply(200, headers=(("Session", f"{visit.session};timeout={self._timeout}"), ("Transport", chosen)))

    def _label(self, request: Request, reply: Reply) -> Reply:
        named = self._rtsp.server and (self._rtsp.names_itself_refusing or reply.status != 401)
        server = (("Server", self._rtsp.server),) if named else ()
        return replace(reply, headers=(("CSeq", request.header("CSeq")), *server, *reply.headers))

    def _knows(self, path: str) -> bool:
        if self._persona.options.get("rtsp_any_path") == "yes":
            return True
        return any(path == known or path.startswith(known + "/") for known in self._rtsp.paths)


def _where(request: Request, visit: _Visit) -> tuple[tuple[str, str], ...]:
    """Where in RTP time the first packet stands (RFC 2326 §12.33)."""
    if visit.player is None or visit.playing is not None:
        return ()
    place = f"seq={visit.player.sequence & 0xFFFF};rtptime={visit.player.timestamp & 0xFFFFFFFF}"
    return ("Range", "npt=0.000-"), ("RTP-Info", f"url={request.target};{place}")
