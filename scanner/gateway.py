"""The router's list of opened ports: which cameras of the scope can be reached from outside (opt-in).

A router is asked only where it is itself in the scope and answered SSDP; its list is read and never changed. What it
opens to a device is kept with that device, so that its owner finds it there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from scanner import clock
from scanner.dossier import Dossier
from scanner.observation import Endpoint, FieldValue, Observation, Reason, Refusal
from scanner.protocols import CAMERA_TRANSPORTS
from scanner.question import put
from scanner.settings import Settings
from scanner.transport.http import HttpClient
from scanner.transport.response import Response
from scanner.wire import http, igd
from scanner.wire.fields import Fields

__all__ = ["MAPPINGS", "MOST_DESCRIPTIONS", "MOST_GATEWAYS", "MOST_MAPPINGS", "read_mappings"]

MAPPINGS = "igd.mappings"
"""The attempt that says, on each device, whether a router's list was read."""
MOST_MAPPINGS = 128            # of one router; a list that is longer is said to be
MOST_GATEWAYS = 4
MOST_DESCRIPTIONS = 2
_NOT_READ = "no router in the scope showed its list of opened ports"


@dataclass(frozen=True, slots=True)
class _Control:
    """Where one router takes questions about its list."""

    port: int
    path: str
    service: str


async def read_mappings(dossiers: Mapping[str, Dossier], settings: Settings) -> None:
    """Read the list of every router in the scope, and note on each present device what is opened to it."""
    present = [one for one in dossiers.values() if one.showed_itself]
    outcomes = [await _read(gateway, dossiers, settings)
                for gateway in [one for one in present if _may_be_gateway(one)][:MOST_GATEWAYS]]
    asked = [one for one in outcomes if one is not None]
    whole = bool(asked) and all(reason is None for reason, _ in asked)
    for dossier in present:
        if dossier.tried(MAPPINGS):            # in the part of this sweep that was resumed
            continue
        own = [seen for seen in dossier.seen if seen.probe == MAPPINGS and seen.text("internal_client") ==
               dossier.address]
        if whole or own:
            dossier.completed(MAPPINGS, None, own)
        elif asked:
            reason, detail = next((reason, detail) for reason, detail in asked if reason is not None)
            dossier.failed(MAPPINGS, None, reason or Reason.INTERNAL, detail)
        else:
            dossier.failed(MAPPINGS, None, Reason.NO_ANSWER, _NOT_READ)


def _may_be_gateway(dossier: Dossier) -> bool:
    """It answered SSDP with the place of its description, and speaks no protocol that only cameras speak."""
    seen = dossier.seen
    return (any(one.transport == "ssdp" and one.text("location") for one in seen)
            and not any(one.transport in CAMERA_TRANSPORTS for one in seen))


async def _read(gateway: Dossier, dossiers: Mapping[str, Dossier],
                settings: Settings) -> tuple[Reason | None, str] | None:
    """How reading one router's list ended; ``None`` where it is no router."""
    client = HttpClient(gateway.address, settings.port_map, settings.pace.exchange_deadline)
    try:
        control = await _control_of(gateway, client, settings)
        if control is None:
            return None
        # Its owner asked for the list, so the list does not use up what the device may be asked of itself.
        gateway.gate.grant(MOST_MAPPINGS + 1, settings.pace.device_deadline)
        for index in range(MOST_MAPPINGS):
            fields = await _entry(gateway, client, control, index)
            if fields is None:
                return Reason.MALFORMED, f"the router {gateway.address} did not answer entry {index} of its list"
            if "error_code" in fields:
                if fields["error_code"] in igd.END_OF_LIST:
                    return None, ""
                return Reason.AUTH_REQUIRED if fields["error_code"] == 606 else Reason.MALFORMED, (
                    f"the router {gateway.address} answers with error {fields['error_code']}")
            _keep(gateway, dossiers, control, fields)
        return Reason.TOO_LARGE, f"the router {gateway.address} has more than {MOST_MAPPINGS} entries"
    finally:
        await client.close()


async def _control_of(gateway: Dossier, client: HttpClient, settings: Settings) -> _Control | None:
    """Its description, read where it says on its own address: another host in there is never asked."""
    for path, port in list(_descriptions(gateway))[:MOST_DESCRIPTIONS]:
        nominal = settings.port_map.nominal_tcp(port)

        def send(path: str = path, port: int = nominal) -> Awaitable[Response]:
            return client.request("GET", port, path)

        def read(wire: bytes, port: int = nominal) -> Fields | Refusal:
            reply = http.read(wire)
            if isinstance(reply, Refusal):
                return reply
            return igd.parse_description(reply.body, Endpoint(gateway.address, port), clock.now())

        answer = await put(gateway, "igd.description", "igd", nominal, send, read)
        if answer:
            return _Control(nominal, _first(answer.fields["control_paths"]), _first(answer.fields["services"]))
    return None


def _descriptions(gateway: Dossier) -> dict[tuple[str, int], None]:
    """Path and port of each description that it names on its own address."""
    found: dict[tuple[str, int], None] = {}
    for location in (seen.text("location") for seen in gateway.seen if seen.transport == "ssdp"):
        try:
            parts = urlsplit(location)
            port = parts.port or 80
        except ValueError:
            continue
        if parts.scheme == "http" and parts.hostname == gateway.address:
            found[parts.path or "/", port] = None
    return found


def _first(value: FieldValue) -> str:
    return str(value[0] if isinstance(value, tuple) else value)


async def _entry(gateway: Dossier, client: HttpClient, control: _Control, index: int) -> Fields | None:
    def send() -> Awaitable[Response]:
        return client.request("POST", control.port, control.path, body=igd.request(control.service, index),
                              headers=list(igd.http_headers(control.service).items()))

    def read(wire: bytes) -> Fields | Refusal:
        reply = http.read(wire)
        if isinstance(reply, Refusal):
            return reply
        return igd.parse_mapping(reply.body, Endpoint(gateway.address, control.port), clock.now())

    answer = await put(gateway, "igd.entry", "igd", control.port, send, read)
    return answer.fields if answer else None


def _keep(gateway: Dossier, dossiers: Mapping[str, Dossier], control: _Control, fields: Fields) -> Observation | None:
    """Beside the router's own copy, one with the device that the port leads to, where that is in the scope."""
    try:
        client = str(ipaddress.ip_address(str(fields.get("internal_client", "")).strip()))
    except ValueError:
        return None
    dossier = dossiers.get(client)
    if dossier is None:
        return None
    return dossier.observe("igd", MAPPINGS, control.port, {**fields, "internal_client": client,
                                                           "gateway": gateway.address},
                           repr(sorted(fields.items())).encode(), raw=b"")
