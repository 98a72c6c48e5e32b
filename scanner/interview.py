"""The questions put to one device without a login, one after the other, within its budget.

Order matters where the budget is small: identity first, then what shows whether the device is open to strangers, then
what a suspected maker's data wants to read, then what only repeats.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from scanner import clock
from scanner.dossier import Dossier
from scanner.legacy_tls import ask_legacy
from scanner.observation import Endpoint, Reason, Refusal
from scanner.onvif import declared_doors, no_stream, pre_auth, repeat, told_stream
from scanner.pace import RateLimit, Stopped
from scanner.plan import Ask, Planner
from scanner.ports import connect_all
from scanner.protocols import CAMERA_TRANSPORTS
from scanner.question import Answer, Door, Verdict, put
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, Settings
from scanner.transport import tls, udp
from scanner.transport.exchange import ExchangeError
from scanner.transport.http import HttpClient
from scanner.transport.response import Response
from scanner.transport.rtsp import RtspClient
from scanner.wire import devid, favicon, http, rtsp, snmp
from scanner.wire import tls as certificates
from scanner.wire.fields import Fields

__all__ = ["Interview", "looks_like_camera"]

_WEB_PORTS = (80, 8080, 8000)
_SECURE_PORTS = (443, 8443)
_RTSP_PORTS = (554, 8554)
_TOLD = "rtsp.describe_told_path"
_RTSP_PROBES = ("rtsp.options", "rtsp.describe", "rtsp.describe_random_path", _TOLD)
# A camera answers on one of these even where it pretends to be a printer.
_CAMERA_PORTS = frozenset({554, 8554, 34567, 37777, 8899})
_MOST_DECLARED_PORTS = 4
_MOST_ASKS = 12


def looks_like_camera(dossier: Dossier) -> bool:
    """False only for a host that says in WS-Discovery that it is something else, and shows no sign of a camera.

    Windows, printers and storage answer WS-Discovery too: camera protocols are not opened to them.
    """
    if _CAMERA_PORTS & set(dossier.open_ports):
        return True
    if any(seen.transport in CAMERA_TRANSPORTS for seen in dossier.seen):
        return True
    found = [seen for seen in dossier.seen if seen.transport == "wsd" and seen.fields.get("types")]
    if not found:
        return True
    said = " ".join(f"{seen.text('types')} {seen.text('scopes')}" for seen in found).lower()
    return any(word in said for word in ("networkvideo", "onvif", "tds:device", "recorder"))


class Interview:
    """One device, from its ports to its last question."""

    def __init__(self, dossier: Dossier, settings: Settings, planner: Planner, rate: RateLimit) -> None:
        self.dossier = dossier
        self.settings = settings
        self.planner = planner
        self.door: Door | None = None
        self._rate = rate
        self._asked: set[Ask] = set()
        self.client = HttpClient(dossier.address, settings.port_map, settings.pace.exchange_deadline)

    async def run(self) -> None:
        """Ask everything that needs no login."""
        try:
            await self._find_ports()
            if looks_like_camera(self.dossier):
                await self._full()
            else:
                await self._light()
        finally:
            await self.client.close()

    async def _find_ports(self) -> None:
        dossier = self.dossier
        declared = [value for value in dossier.declared("http_port", "rtsp_port", "port", "command_port")
                    if isinstance(value, int)]
        declared += [door.port for door in declared_doors(dossier, self.settings)]
        nominal = [self.settings.port_map.nominal_tcp(port) for port in declared]
        extra = [port for port in dict.fromkeys(nominal) if port not in BASE_PORTS][:_MOST_DECLARED_PORTS]
        planned = self.planner(dossier.address, dossier.seen).tcp_ports
        await connect_all(dossier, (*BASE_PORTS, *HYGIENE_PORTS, *extra, *planned), self.settings, self._rate)

    async def _light(self) -> None:
        await self.handshake()
        await self._root()
        await ask_legacy(self.dossier, self.settings, self._rate, _SECURE_PORTS)
        why = "says it is no camera and shows no sign of one"
        for probe in ("http.favicon", *_RTSP_PROBES,
                      *(f"onvif.{name}" for name in ("GetSystemDateAndTime", "GetScopes", "GetServices",
                                                     "GetDeviceInformation", "GetProfiles", "GetStreamUri",
                                                     "GetCapabilities"))):
            self.dossier.skipped(probe, None, Reason.NOT_APPLICABLE, why)

    async def _full(self) -> None:
        await self.handshake()
        await self._snmp()
        page = await self._root()
        await self._rtsp()
        self.door = await pre_auth(self.dossier, self.client, self.settings)
        await self._told_stream()
        await self._planned()
        await repeat(self.dossier, self.client, self.door)
        await self._favicon(page)
        await ask_legacy(self.dossier, self.settings, self._rate, _SECURE_PORTS)

    # -- TLS ---------------------------------------------------------------------------------------------------------

    async def handshake(self) -> None:
        """One TLS handshake with the first open HTTPS port, and one marked legacy attempt where that fails."""
        port = next((port for port in self.dossier.open_ports if port in _SECURE_PORTS), None)
        if port is None:
            self.dossier.skipped("tls.handshake", None, Reason.PORT_CLOSED, "no open HTTPS port")
            return
        for legacy in (False, True):
            try:
                async with self.dossier.gate.turn(request=False):
                    shown = await tls.handshake(self.dossier.address, port, self.settings.port_map,
                                                self.settings.pace.exchange_deadline, legacy=legacy)
            except Stopped as stop:
                self.dossier.skipped("tls.handshake", port, stop.reason, stop.detail)
                return
            except ExchangeError as error:
                self.dossier.gate.failed(error.reason)
                self.dossier.failed("tls.handshake", port, error.reason, error.detail)
                if error.reason not in (Reason.TLS_FAILED, Reason.RESET):
                    return
                continue
            self.dossier.gate.answered()
            now = clock.now()
            read = certificates.parse_chain(shown.chain, Endpoint(self.dossier.address, port), now,
                                            version=shown.version, cipher=shown.cipher)
            if isinstance(read, Refusal):
                self.dossier.failed("tls.handshake", port, Reason.MALFORMED, f"{read.reason} {read.detail}".strip())
                return
            fields: Fields = {**read, "legacy": True} if legacy else read
            fields = {**fields, **devid.judge(shown.chain, self.settings.device_anchors, now, legacy=legacy)}
            seen = self.dossier.observe("tls", "tls.handshake", port, fields, b"".join(shown.chain))
            self.dossier.completed("tls.handshake", port, [seen], detail="legacy parameters only" if legacy else "")
            return

    # -- SNMP --------------------------------------------------------------------------------------------------------

    async def _snmp(self) -> None:
        """One GetRequest with the community ``public``, in v2c and, where that is met with silence, in v1; opt-in."""
        if not self.settings.snmp_public:
            return
        address, number = self.dossier.address, secrets.randbits(31)
        try:
            async with self.dossier.gate.turn(request=False):
                heard = await udp.ask(address, self.settings.port_map.udp.get(snmp.PORT, snmp.PORT),
                                      [snmp.request(number, snmp.V2C), snmp.request(number, snmp.V1)],
                                      listen=self.settings.pace.listen, gap=self.settings.pace.listen)
        except Stopped as stop:
            self.dossier.skipped("snmp.get", snmp.PORT, stop.reason, stop.detail)
            return
        except ExchangeError as error:
            self.dossier.failed("snmp.get", snmp.PORT, error.reason, error.detail)
            return
        self.dossier.gate.answered()
        read = snmp.parse_response(heard[0].data, heard[0].source, clock.now())
        if isinstance(read, Refusal):
            self.dossier.failed("snmp.get", snmp.PORT, Reason.MALFORMED, f"{read.reason} {read.detail}".strip())
            return
        # The reply carries the community, a login of sorts: its fields are kept, its bytes are not.
        seen = self.dossier.observe("snmp", "snmp.get", snmp.PORT, read, heard[0].data, raw=b"")
        self.dossier.completed("snmp.get", snmp.PORT, [seen])

    # -- HTTP --------------------------------------------------------------------------------------------------------

    def _web_doors(self) -> list[Door]:
        ports = self.dossier.open_ports
        declared = [self.settings.port_map.nominal_tcp(value) for value in self.dossier.declared("http_port")
                    if isinstance(value, int)]
        plain = [port for port in dict.fromkeys((80, *declared)) if port in ports]
        secure = [port for port in _SECURE_PORTS if port in ports]
        rest = [port for port in _WEB_PORTS if port in ports and port not in plain]
        return [Door(port, "/", port in secure) for port in dict.fromkeys((*plain, *secure, *rest))]

    async def _root(self) -> Door | None:
        """The front page of the first port that answers as a web server; of the secure one where it points there."""
        doors = self._web_doors()
        if not doors:
            self.dossier.skipped("http.root", None, Reason.PORT_CLOSED, "no open web port")
            return None
        for door in doors:
            answer = await self._get("http.root", door, "/")
            if not answer:
                continue
            secure = next((other for other in doors if other.secure), None)
            if str(answer.fields.get("location", "")).startswith("https:") and secure and not door.secure:
                await self._get("http.root", secure, "/")
                return secure
            return door
        return None

    async def _favicon(self, door: Door | None) -> None:
        if not door:
            self.dossier.skipped("http.favicon", None, Reason.NOT_APPLICABLE, "no web server answered")
            return

        def read(wire: bytes) -> Fields | Refusal:
            reply = http.read(wire)
            if isinstance(reply, Refusal):
                return reply
            shown = favicon.parse(reply.body, Endpoint(self.dossier.address, door.port), clock.now()) \
                if reply.status == 200 and reply.body else {}
            return {"status": reply.status, "path": "/favicon.ico", **({} if isinstance(shown, Refusal) else shown)}

        await put(self.dossier, "http.favicon", "http", door.port, self._getter(door, "/favicon.ico"), read)

    async def _get(self, probe: str, door: Door, path: str, *, document: str = "",
                   weigh: Callable[[Fields], Verdict] | None = None) -> Answer | None:
        def read(wire: bytes) -> Fields | Refusal:
            fields = http.parse(wire, Endpoint(self.dossier.address, door.port), clock.now(), path=path,
                                document=document)
            return fields if isinstance(fields, Refusal) or not document else {"document": document, **fields}

        return await put(self.dossier, probe, "http", door.port, self._getter(door, path), read, weigh=weigh)

    def _getter(self, door: Door, path: str) -> Callable[[], Awaitable[Response]]:
        def send() -> Awaitable[Response]:
            return self.client.request("GET", door.port, path, tls=door.context)
        return send

    # -- RTSP --------------------------------------------------------------------------------------------------------

    def _rtsp_ports(self) -> list[int]:
        declared = [value for value in self.dossier.declared("rtsp_port") if isinstance(value, int)]
        return [port for port in (*_RTSP_PORTS, *declared) if port in self.dossier.open_ports]

    def _rtsp_client(self, port: int) -> RtspClient:
        return RtspClient(self.dossier.address, port, self.settings.port_map, self.settings.pace.exchange_deadline)

    async def _rtsp(self) -> None:
        port = next(iter(self._rtsp_ports()), None)
        if port is None:
            for probe in _RTSP_PROBES[:-1]:
                self.dossier.skipped(probe, None, Reason.PORT_CLOSED, "no open RTSP port")
            return
        client = self._rtsp_client(port)
        try:
            await self._rtsp_ask(client, port, "rtsp.options", "OPTIONS", "/")
            planned = self.planner(self.dossier.address, self.dossier.seen).rtsp_paths
            for path in (planned or ("/",))[:2]:
                await self._rtsp_ask(client, port, "rtsp.describe", "DESCRIBE", path)
            await self._random_path(client, port)
        finally:
            await client.close()

    async def _told_stream(self) -> None:
        """DESCRIBE where the device itself says that its picture is: on the pinned address, after the random path."""
        told, ports = told_stream(self.dossier, self.settings), self._rtsp_ports()
        asked = {seen.text("path") for seen in self.dossier.seen if seen.probe == "rtsp.describe"}
        if told is None:
            self.dossier.skipped(_TOLD, None, *no_stream(self.dossier, self.door))
        elif not ports:
            self.dossier.skipped(_TOLD, None, Reason.PORT_CLOSED, "no open RTSP port")
        elif told.names_login:
            self.dossier.skipped(_TOLD, ports[0], Reason.NO_CREDENTIALS, "the path it tells carries a login")
        elif told.path in asked:
            self.dossier.skipped(_TOLD, ports[0], Reason.NOT_APPLICABLE, "the path it tells was asked already")
        else:
            port = told.port if told.port in self.dossier.open_ports else ports[0]
            client = self._rtsp_client(port)
            try:
                if port != ports[0]:
                    await self._random_path(client, port)
                await self._rtsp_ask(client, port, _TOLD, "DESCRIBE", told.path)
            finally:
                await client.close()

    async def _random_path(self, client: RtspClient, port: int) -> None:
        """Some servers describe anything: only a path that cannot exist tells an open stream from a talkative one."""
        await self._rtsp_ask(client, port, "rtsp.describe_random_path", "DESCRIBE", f"/{secrets.token_hex(8)}")

    async def _rtsp_ask(self, client: RtspClient, port: int, probe: str, method: str, path: str) -> None:
        def send() -> Awaitable[Response]:
            return client.request(method, path)

        def read(wire: bytes) -> Fields | Refusal:
            return rtsp.parse(wire, Endpoint(self.dossier.address, port), clock.now(), path=path)

        await put(self.dossier, probe, "rtsp", port, send, read)

    # -- what the planner wants --------------------------------------------------------------------------------------

    async def _planned(self) -> None:
        """What a suspected maker's data wants to read; new evidence may bring new wishes, twice at most."""
        for _ in range(2):
            plan = self.planner(self.dossier.address, self.dossier.seen)
            await connect_all(self.dossier, plan.tcp_ports, self.settings, self._rate)
            new = [ask for ask in plan.asks if not ask.login and ask not in self._asked]
            if not new:
                return
            for ask in new[:_MOST_ASKS - len(self._asked)]:
                self._asked.add(ask)
                door = self.door_of(ask)
                if door:
                    await self._get(f"http.{ask.document}", door, ask.path, document=ask.document, weigh=_pointed_away)
                else:
                    self.dossier.skipped(f"http.{ask.document}", ask.port, Reason.PORT_CLOSED)

    def door_of(self, ask: Ask) -> Door | None:
        """Where an ask goes: its own port if open; an ask of port 80 may go wherever the device has its web server."""
        if ask.port in self.dossier.open_ports:
            return Door(ask.port, ask.path, ask.port in _SECURE_PORTS)
        doors = self._web_doors() if ask.port == 80 else []
        return Door(doors[0].port, ask.path, doors[0].secure) if doors else None


def _pointed_away(fields: Fields) -> Verdict:
    status = fields.get("status")
    if isinstance(status, int) and 300 <= status < 400:
        return Reason.REDIRECTED, "points elsewhere; not followed"
    return None
