"""The ONVIF calls of an interview: where the device service is, and what it says to a stranger.

An XAddr is a claim. Its path and port are used, its host never: every call goes to the pinned address.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from scanner import clock
from scanner.dossier import Dossier
from scanner.observation import Endpoint, Reason, Refusal
from scanner.question import Answer, Door, Verdict, put
from scanner.settings import Settings
from scanner.transport.http import HttpClient
from scanner.transport.response import Response
from scanner.wire import http, soap
from scanner.wire.fields import Fields

__all__ = [
    "DEVICE_PATH", "ToldStream", "call", "declared_doors", "doors", "no_service", "no_soap", "no_stream", "parse_reply",
    "pre_auth", "repeat", "told_stream",
]

DEVICE_PATH = "/onvif/device_service"
FALLBACK_PORTS = (80, 8899, 8080, 8000, 2020, 5000, 888, 10080)
FIRST = "GetSystemDateAndTime"
# What identifies comes first; GetProfiles shows whether a stranger gets media.
REST = ("GetScopes", "GetServices", "GetDeviceInformation", "GetProfiles")
REPEAT = "GetCapabilities"           # says what GetServices said; older firmware knows only this one
STREAM = "GetStreamUri"
_MOST_DOORS = 4
_UNDECIDED = frozenset({Reason.BUSY, Reason.BUDGET_SPENT})     # neither an answer nor the lack of a service
_LOGIN_IN_PATH = re.compile(r"(?i)pass|pwd|psw|\*\*\*")        # the last is what stands in place of a password


def declared_doors(dossier: Dossier, settings: Settings) -> Iterator[Door]:
    """The doors that the device's own XAddrs name, their hosts left out."""
    for seen in dossier.seen:
        for text in seen.values("xaddrs") if seen.transport in ("wsd", "onvif") else ():
            try:
                parts = urlsplit(text)
                port = parts.port or (443 if parts.scheme == "https" else 80)
            except ValueError:
                continue
            if parts.scheme in ("http", "https"):
                yield Door(settings.port_map.nominal_tcp(port), parts.path or DEVICE_PATH, parts.scheme == "https")


def doors(dossier: Dossier, settings: Settings) -> list[Door]:
    """Where to look for the device service, likeliest first: only ports that are open."""
    known = set(dossier.open_ports)
    named = [door for door in declared_doors(dossier, settings) if "device" in door.path]
    ports = [value for value in dossier.declared("http_port") if isinstance(value, int)]
    guessed = [Door(settings.port_map.nominal_tcp(port), DEVICE_PATH) for port in (*ports, *FALLBACK_PORTS)]
    found = [*named, *guessed, Door(443, DEVICE_PATH, secure=True)]
    return [door for door in dict.fromkeys(found) if door.port in known][:_MOST_DOORS]


def parse_reply(operation: str, address: str, port: int) -> Callable[[bytes], Fields | Refusal]:
    """The parser of a whole HTTP reply to `operation`."""
    def read(wire: bytes) -> Fields | Refusal:
        reply = http.read(wire)
        if isinstance(reply, Refusal):
            return reply
        return soap.parse_response(reply, operation, Endpoint(address, port), clock.now())
    return read


def no_soap(fields: Fields) -> Verdict:
    """An answer that is neither SOAP nor a demand for a login is none of ONVIF's."""
    if "refusal" in fields and fields.get("status") not in (401, 403):
        return Reason.MALFORMED, f"no SOAP: {fields['refusal']}"
    return None


async def call(dossier: Dossier, client: HttpClient, door: Door, operation: str, *, soap11: bool = False,
               probe: str = "", arguments: Mapping[str, str] | None = None) -> Answer | None:
    """One call of `operation` without a login."""
    body = soap.request(operation, soap11=soap11, arguments=arguments)
    headers = list(soap.http_headers(operation, soap11=soap11).items())

    def send() -> Awaitable[Response]:
        return client.request("POST", door.port, door.path, headers=headers, body=body, tls=door.context)

    return await put(dossier, probe or f"onvif.{operation}", "onvif", door.port, send,
                     parse_reply(operation, dossier.address, door.port), weigh=no_soap)


async def pre_auth(dossier: Dossier, client: HttpClient, settings: Settings) -> Door | None:
    """Find the device service and make the calls that need no login, once each; returns the door that answered."""
    candidates = doors(dossier, settings)
    if not candidates:
        _skip_all(dossier, (FIRST, *REST, REPEAT), Reason.PORT_CLOSED, "no open port where ONVIF could be")
        return None
    found: Door | None = None
    older = False
    for door in candidates:
        answer = await call(dossier, client, door, FIRST)
        if answer and answer.fields.get("refusal") == "empty" and answer.response.status == 200:
            # Some firmware speaks only SOAP 1.1 and answers 1.2 with nothing: asked once more in its own tongue.
            answer, older = await call(dossier, client, door, FIRST, soap11=True), True
        if answer and no_soap(answer.fields) is None:
            found = door
            break
        older = False
        if dossier.gate.tripped:
            break
    if not found:
        _skip_all(dossier, (*REST, REPEAT), *no_service(dossier))
        return None
    for operation in REST:
        await call(dossier, client, _door_of(operation, dossier, found, settings), operation, soap11=older)
    await _stream_address(dossier, client, _door_of("GetProfiles", dossier, found, settings), soap11=older)
    return found


def no_service(dossier: Dossier) -> tuple[Reason, str]:
    """Why a device has no ONVIF device service to ask: none is there, or it was not said whether one is.

    A port that was too busy, or that no request was left for, may have the service: nothing is concluded from it.
    """
    return _undecided(dossier, FIRST) or (Reason.NOT_APPLICABLE, "no port answered as an ONVIF device service")


def no_stream(dossier: Dossier, door: Door | None) -> tuple[Reason, str]:
    """Why it is not known where a device has its picture: it tells no stranger, or could not be asked at `door`."""
    return (_undecided(dossier, STREAM if door else FIRST)
            or (Reason.NOT_APPLICABLE, "it tells no stranger where its picture is"))


def _undecided(dossier: Dossier, operation: str) -> tuple[Reason, str] | None:
    """Why a call brought no answer, where that says nothing of the device, and what the call was."""
    for one in dossier.attempts:
        if one.probe == f"onvif.{operation}" and one.reason in _UNDECIDED:
            return one.reason, f"{operation} on port {one.port}: {one.detail}"
    return None


async def _stream_address(dossier: Dossier, client: HttpClient, door: Door, *, soap11: bool) -> None:
    """Where a stranger got the media profiles: whether he also gets the address of the picture."""
    handed = [seen for seen in dossier.seen if seen.probe == "onvif.GetProfiles" and not seen.text("fault_code")
              and seen.fields.get("status") == 200]
    token = next((profile for seen in handed for profile in seen.values("profiles") if profile), "")
    if token:
        await call(dossier, client, door, STREAM, soap11=soap11, arguments={"ProfileToken": token})
    else:
        reason, why = (_undecided(dossier, "GetProfiles")
                       or (Reason.NOT_APPLICABLE, "it hands its profiles to no stranger"))
        dossier.skipped(f"onvif.{STREAM}", door.port, reason, why)


@dataclass(frozen=True, slots=True)
class ToldStream:
    """Where a device tells a stranger that its picture is: path with query, and the port (nominal) if on its own host.

    ``names_login``: the path carries a password, so asking for it would be a login.
    """

    path: str
    port: int | None
    names_login: bool


def told_stream(dossier: Dossier, settings: Settings) -> ToldStream | None:
    """The first stream that GetStreamUri told of. Another host than the device's own is left out with its port."""
    for seen in dossier.seen:
        uri = seen.text("stream_uri") if seen.probe == f"onvif.{STREAM}" else ""
        try:
            parts = urlsplit(uri)
            port, host = parts.port or 554, parts.hostname
        except ValueError:
            continue
        if parts.scheme in ("rtsp", "rtspu"):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return ToldStream(path, settings.port_map.nominal_tcp(port) if host == dossier.address else None,
                              bool(_LOGIN_IN_PATH.search(path)))
    return None


async def repeat(dossier: Dossier, client: HttpClient, door: Door | None) -> None:
    """GetCapabilities, last: worth a request only where one is left."""
    if door:
        await call(dossier, client, door, REPEAT)


def _door_of(operation: str, dossier: Dossier, device: Door, settings: Settings) -> Door:
    """The media service is where the device says it is, if that port is open; many take media calls at one path."""
    if operation != "GetProfiles":
        return device
    known = set(dossier.open_ports)
    named = (door for door in declared_doors(dossier, settings)
             if "media" in door.path.lower() and "media2" not in door.path.lower() and door.port in known)
    return next(named, Door(device.port, soap.OPERATIONS[operation].path, device.secure))


def _skip_all(dossier: Dossier, operations: tuple[str, ...], reason: Reason, detail: str) -> None:
    for operation in operations:
        dossier.skipped(f"onvif.{operation}", None, reason, detail)
