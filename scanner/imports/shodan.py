"""Shodan-type JSON: one banner an object, an object a line or all in a list.

Where the collector has parsed a reply itself, what it read stands in an object named after its module: of a binary
protocol that is all there is. Modules and fields are those of the published banner schema (``dahua dahua_dvr_web
hikvision snmp ubiquiti``), and those that others write in its shape.
"""

from __future__ import annotations

import json as plain
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scanner.imports import MOST_ROWS, Imported, address_of, seen
from scanner.observation import Observation, Refusal
from scanner.wire import json, replies
from scanner.wire.fields import Fields, build, firmware_and_build

__all__ = ["looks_like", "read"]

_RTSP_PORTS = (554, 8554)
_MODULES: Mapping[str, tuple[str, str]] = {
    "dahua": ("dhip", ""), "dahua_dvr_web": ("import", "Dahua"), "hikvision": ("import", "Hikvision"),
    "onvif": ("onvif", ""), "snmp": ("snmp", ""), "ubiquiti": ("ubiquiti", ""),
}
"""Under which transport a module's fields count: that of the protocol it can only have read by its being spoken, else
``import`` with the maker whose page it knows."""
_NAMED: Mapping[str, tuple[str, ...]] = {
    "manufacturer": ("manufacturer", "vendor", "brand"), "model": ("model", "device_model", "product", "device_type"),
    "serial": ("serial", "serial_number"), "mac": ("mac", "mac_address"),
    "firmware": ("firmware", "firmware_version", "device_version", "version"),
    "device_name": ("device_name", "hostname", "name"), "device_description": ("device_description",),
    "sys_descr": ("description",),
}


def looks_like(data: bytes) -> bool:
    """Whether this begins like an export of banners."""
    head = data[:65_536].lstrip()
    return head[:1] in (b"{", b"[") and b'"ip_str"' in head


def read(data: bytes, now: datetime) -> Imported:
    """The banners, each read by the parser of its protocol."""
    found = Imported("shodan")
    for row, value in _objects(data):
        address = address_of(json.scalar(value.get("ip_str"))) if isinstance(value, dict) else ""
        if not isinstance(value, dict) or not address:
            found.refuse(row, f"object {row}: a JSON object with ip_str")
            continue
        port = value.get("port") if isinstance(value.get("port"), int) else None
        banner = json.scalar(value.get("data")).encode("utf-8", "replace")
        found.observations += _read(banner, port, json.scalar(value.get("transport")), address, now)
        http = value.get("http")
        if isinstance(http, dict):
            for field, transport in (("title", "html-title"), ("server", "http-header"), ("html", "http-body")):
                text = json.scalar(http.get(field)).encode()
                if text:
                    found.observations += replies.read(transport, port, text, device=address, now=now)
            icon = http.get("favicon")
            if isinstance(icon, dict) and isinstance(icon.get("hash"), int):
                found.observations += replies.read("favicon-mmh3", port, str(icon["hash"]).encode(), device=address,
                                                   now=now)
        found.observations += _certificate(value.get("ssl"), port, address, now)
        found.observations += _parsed(value, port, address, now)
    return found


def _certificate(tls: json.Json, port: int | None, address: str, now: datetime) -> list[Observation]:
    """The device's own certificate, which is the first of the chain."""
    chain = tls.get("chain") if isinstance(tls, dict) else None
    first = json.scalar(chain[0]) if isinstance(chain, list) and chain else ""
    return list(replies.read("tls-cert", port, first.encode(), device=address, now=now)) if first else []


def _parsed(value: Mapping[str, json.Json], port: int | None, address: str, now: datetime) -> Iterator[Observation]:
    """What the collector's own modules read, as the reply that they read it from."""
    for module, (transport, maker) in _MODULES.items():
        read = value.get(module)
        if not isinstance(read, dict):
            continue
        said = {key.casefold(): json.scalar(one) for key, one in read.items() if not isinstance(one, dict | list)}
        fields: Fields = build(**{field: next((said[name] for name in names if said.get(name)), None)
                                  for field, names in _NAMED.items()})
        if transport != "snmp":
            fields.pop("sys_descr", None)
        if isinstance(version := fields.pop("firmware", None), str):
            fields |= firmware_and_build(version)
        if maker:
            fields.setdefault("manufacturer", maker)
        wire = f"{module} {sorted(said.items())!r}".encode()
        yield seen(address, transport, fields, wire, now, port=port)


def _read(banner: bytes, port: int | None, transport: str, address: str, now: datetime) -> list[Any]:
    if not banner.strip():
        return []
    if banner.startswith(b"HTTP/"):
        kind = "http"
    elif banner.startswith(b"RTSP/") or port in _RTSP_PORTS:
        kind = "rtsp"
    else:
        kind = "udp-payload" if transport == "udp" else "tcp-banner"
    return list(replies.read(kind, port, banner, device=address, now=now))


def _objects(data: bytes) -> Iterator[tuple[int, json.Json]]:
    if data.lstrip().startswith(b"["):
        try:
            values = plain.loads(data)
        except (ValueError, RecursionError):
            yield 1, None
            return
        yield from enumerate(values[:MOST_ROWS] if isinstance(values, list) else [None], start=1)
        return
    for row, line in enumerate(data.splitlines()[:MOST_ROWS], start=1):
        if line.strip():
            value = json.read(line)
            yield row, None if isinstance(value, Refusal) else value
