"""Reads anew what makes one device itself, live and at its pinned address: whether it is still the one that was seen.

Asked is only what identifies: the endpoint reference of WS-Discovery, the key of the TLS certificate, the maker's own
discovery protocol where it answered before, and GetDeviceInformation with one login. The login comes last, and the
caller may withhold it: a device that is visibly another one by then gets no credentials to guess with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanner import clock
from scanner.dossier import Dossier, PortState
from scanner.interview import Interview
from scanner.login import LoginPass
from scanner.observation import Attempt, Endpoint, Observation, Reason, Refusal
from scanner.onvif import FIRST, call, doors, no_soap
from scanner.pace import Pace, RateLimit
from scanner.plan import nothing_more
from scanner.ports import connect_all
from scanner.protocols import PROTOCOLS, Protocol
from scanner.question import Door
from scanner.scope import Scope
from scanner.settings import Settings
from scanner.transport import neighbours, udp
from scanner.transport.exchange import ExchangeError, PortMap
from scanner.wire.auth import Credentials
from scanner.wire.fields import Fields

__all__ = ["DEADLINE_S", "Recognition", "anyone", "recognise"]

DEADLINE_S = 3.0
"""All of it together; a device that takes longer is not recognised this time."""

_PACE = Pace(arp_rate=10, datagram_rate=20, connect_rate=20, gap=0.02, requests=8, devices=1, canary_recheck=None,
             connect_timeout=1.0, exchange_deadline=2.0, device_deadline=DEADLINE_S, listen=1.0, repeat_gap=0.25)
_ALWAYS = frozenset({"wsd"})
_WHERE_SEEN = frozenset({"sadp", "dhip", "gvcp"})
_SECURE_PORTS = (443, 8443)
_OPERATION = "GetDeviceInformation"
_LOGIN_PROBE = f"auth.onvif.{_OPERATION}"

Trusting = Callable[[Sequence[Observation]], bool]


def anyone(_seen: Sequence[Observation]) -> bool:
    """Withhold the login from nobody: for a first reading, when there is nothing to compare with."""
    return True


@dataclass(frozen=True, slots=True)
class Recognition:
    """What one reading brought: observations as a sweep would have made them, and every attempt with its end."""

    observations: Sequence[Observation]
    attempts: Sequence[Attempt]

    @property
    def present(self) -> bool:
        """Whether the device itself said anything; an entry in a table or a closed port is nothing said."""
        return any(seen.transport not in ("link", "tcp") or seen.fields.get("state") == "open"
                   for seen in self.observations)

    @property
    def login(self) -> Attempt | None:
        """The login, where one was due; ``None`` where there were no credentials or nothing to log in to."""
        return next((one for one in self.attempts if one.probe == _LOGIN_PROBE), None)


@dataclass(frozen=True, slots=True)
class _Settings(Settings):
    """A sweep's settings at the pace of a single device that is asked a handful of things."""

    @property
    def pace(self) -> Pace:
        """The numbers of a recognition."""
        return _PACE


async def recognise(address: str, known: Sequence[Observation], *, credentials: Credentials | None = None,
                    port_map: PortMap | None = None, neighbour_table: Path | None = None, trusting: Trusting = anyone,
                    deadline_s: float = DEADLINE_S) -> Recognition:
    """Read the identifying traits of the device at `address`.

    Args:
        address: the pinned address; nothing else is contacted.
        known: what a sweep saw of the device: which protocols and ports are worth asking.
        credentials: for one login at the ONVIF device service; it is made at most once, and only where the device does
            not tell a stranger who it is.
        port_map: where a lab serves the well-known ports.
        neighbour_table: a router's or switch's table, for a MAC this machine cannot see itself.
        trusting: asked with all that was seen so far before the credentials go out; false keeps them back.
        deadline_s: for everything together; what did not come until then counts as not readable.
    """
    settings = _Settings(port_map=port_map or PortMap(), neighbours=neighbour_table)
    dossier = Dossier(address, settings.pace)
    dossier.gate.begin()
    begun = time.monotonic()
    past = _remembered(address, known, settings)
    interview = Interview(dossier, settings, nothing_more, RateLimit(settings.pace.connect_rate))
    try:
        async with asyncio.timeout(deadline_s):
            await _ask(interview, past, settings, trusting if credentials else None)
            if interview.door is not None and credentials is not None:
                await LoginPass(interview, settings, credentials).run()
    except TimeoutError:
        late = int((time.monotonic() - begun) * 1000)
        dossier.failed("recognition", None, Reason.TIMEOUT, f"not done within {deadline_s:g} s", elapsed_ms=late)
        if interview.door is not None and not dossier.tried(_LOGIN_PROBE):
            dossier.failed(_LOGIN_PROBE, interview.door.port, Reason.TIMEOUT, "it may have gone out", elapsed_ms=late)
        _read_tables(dossier, settings)
    finally:
        await interview.client.close()
    return Recognition(dossier.seen, tuple(dossier.attempts))


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What earlier observations say about where to ask: datagram protocols, HTTPS ports, the ONVIF door."""

    protocols: Sequence[Protocol]
    secure: Sequence[int]
    door: Door | None


def _remembered(address: str, known: Sequence[Observation], settings: Settings) -> _Remembered:
    past = Dossier(address, settings.pace)
    past.observations = {one.id: one for one in known if one.device == address}
    spoken = {one.transport for one in past.seen} & _WHERE_SEEN | _ALWAYS
    secure = [one.port for one in past.seen if one.transport == "tls" and one.port is not None]
    answered = [one.port for one in past.seen if one.transport == "onvif" and no_soap(dict(one.fields)) is None]
    for one in past.seen:
        if one.port is not None and one.transport in ("onvif", "tcp") and one.fields.get("state", "open") == "open":
            past.ports.setdefault(one.port, PortState.OPEN)
    found = sorted(doors(past, settings), key=lambda door: door.port not in answered) if answered else []
    return _Remembered([one for one in PROTOCOLS if one.transport in spoken and one.unicast],
                       list(dict.fromkeys((*secure, _SECURE_PORTS[0]))), found[0] if found else None)


async def _ask(interview: Interview, past: _Remembered, settings: Settings, trusting: Trusting | None) -> None:
    """Everything that needs no login; the interview has a door afterwards only where a login is due."""
    dossier = interview.dossier
    async with asyncio.TaskGroup() as group:
        for protocol in past.protocols:
            group.create_task(_datagram(dossier, protocol, settings))
        group.create_task(_connect(interview, past, settings))
    _read_tables(dossier, settings)                        # connecting made the kernel learn who is on the link
    if past.door is None or past.door.port not in dossier.open_ports:
        return
    for operation in (FIRST, _OPERATION):
        await call(dossier, interview.client, past.door, operation)
    if trusting is None:
        return
    if trusting(dossier.seen):
        interview.door = past.door
    else:
        dossier.skipped(_LOGIN_PROBE, past.door.port, Reason.NOT_APPLICABLE,
                        "what it showed so far is another device's: it gets no login")


async def _connect(interview: Interview, past: _Remembered, settings: Settings) -> None:
    wanted = [*past.secure, *([past.door.port] if past.door else [])]
    await connect_all(interview.dossier, wanted, settings, RateLimit(settings.pace.connect_rate))
    await interview.handshake()


async def _datagram(dossier: Dossier, protocol: Protocol, settings: Settings) -> None:
    """One datagram protocol by unicast; answers to a group would not be heard, and are not waited for."""
    if not Scope.private(dossier.address):
        dossier.skipped(protocol.probe, protocol.port, Reason.OUT_OF_SCOPE, "UDP goes to private addresses only")
        return
    try:
        heard = await udp.ask(dossier.address, settings.port_map.udp.get(protocol.port, protocol.port),
                              protocol.payloads(), listen=settings.pace.listen, gap=settings.pace.repeat_gap)
    except ExchangeError as error:
        dossier.failed(protocol.probe, protocol.port, error.reason, error.detail)
        return
    source = Endpoint(dossier.address, protocol.port)
    read = [(protocol.parse(one.data, source, clock.now()), one.data) for one in heard]
    seen = [dossier.observe(protocol.transport, protocol.probe, protocol.port, fields, data,
                            raw=None if protocol.keep_raw else b"")
            for fields, data in read if not isinstance(fields, Refusal)]
    if seen:
        dossier.completed(protocol.probe, protocol.port, seen)
    else:
        dossier.failed(protocol.probe, protocol.port, Reason.MALFORMED, "answered in no form that could be read")


def _read_tables(dossier: Dossier, settings: Settings) -> None:
    """The MAC, of this machine's own table where the device is on its link, else of the table that was given."""
    for path, via in ((neighbours.KERNEL_TABLE, "neighbours"), (settings.neighbours, "import")):
        if path is None or dossier.answered("link.neighbour"):
            continue
        try:
            entries = [one for one in neighbours.read_table(path) if one.address == dossier.address]
        except OSError as error:
            dossier.failed("link.neighbour", None, Reason.INTERNAL, f"{path}: {error.strerror}")
            continue
        for entry in entries[-1:]:
            fields: Fields = {"mac": entry.mac, "via": via}
            seen = dossier.observe("link", "link.neighbour", None, fields, f"{entry.address} {entry.mac}".encode())
            dossier.completed("link.neighbour", None, [seen])
