"""What the fast scanners write as JSON: masscan (``-oJ``, ``-oD``) and zgrab2, whose banners our own parsers read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime

from scanner.imports import MOST_ROWS, Imported, address_of, seen
from scanner.observation import Refusal
from scanner.wire import json, replies
from scanner.wire.fields import build, number

__all__ = ["form_of", "read_masscan", "read_zgrab"]

_HTTP = re.compile(rb"HTTP/\d|RTSP/\d")
_MOST_HEADERS = 64


def form_of(head: bytes) -> str:
    """``masscan`` or ``zgrab`` where a file begins like one of theirs, else empty."""
    start = head.lstrip()[:1]
    if start not in (b"{", b"[") or b'"ip"' not in head[:4096]:
        return ""
    if b'"ports"' in head[:4096] or (b'"rec_type"' in head[:4096]):
        return "masscan"
    return "zgrab" if b'"data"' in head[:4096] else ""


def read_masscan(data: bytes, now: datetime) -> Imported:
    """Ports and banners, an object a line; masscan's list may end in a comma."""
    found = Imported("masscan")
    for row, value in _objects(data):
        address = address_of(json.scalar(value.get("ip"))) if isinstance(value, dict) else ""
        if not isinstance(value, dict) or not address:
            found.refuse(row, f"line {row}: a JSON object with ip and ports")
            continue
        listed = value.get("ports")
        ports = listed if isinstance(listed, list) else [{**value, **_inner(value.get("data"))}]
        for one in ports:
            if isinstance(one, dict):
                _port(one, address, found, now)
    _say_if_empty(found, "masscan -oJ: objects with ip and ports")
    return found


def _inner(value: json.Json) -> dict[str, json.Json]:
    """``-oD`` puts a banner into ``data``."""
    if not isinstance(value, dict):
        return {}
    return {**value, "service": {"name": value.get("service_name"), "banner": value.get("banner")}}


def _port(one: dict[str, json.Json], address: str, found: Imported, now: datetime) -> None:
    port = number(one.get("port"), 1, 65_535)
    if port is None:
        return
    told = one.get("service")
    service = told if isinstance(told, dict) else {}
    name, banner = json.scalar(service.get("name")), json.scalar(service.get("banner")).encode()
    transport = json.scalar(one.get("proto")) or "tcp"
    status = json.scalar(one.get("status")) or "open"
    if transport == "tcp" and status in ("open", "closed"):
        fields = build(state=status)
        found.observations.append(seen(address, "tcp", fields, status.encode(), now, port=port, probe="tcp.connect"))
    if banner:
        kind = {"http": "http", "http.server": "http-header", "title": "html-title"}.get(name, "tcp-banner")
        if _HTTP.match(banner):
            kind = "rtsp" if banner.startswith(b"RTSP") else "http"
        elif kind == "http-header":
            banner = b"Server: " + banner
        elif transport == "udp":
            kind = "udp-payload"
        found.observations += replies.read(kind, port, banner, device=address, now=now)


def read_zgrab(data: bytes, now: datetime) -> Imported:
    """Each module's result that was a success: HTTP responses, and banners."""
    found = Imported("zgrab")
    for row, value in _objects(data):
        address = address_of(json.scalar(value.get("ip"))) if isinstance(value, dict) else ""
        modules = value.get("data") if isinstance(value, dict) else None
        if not address or not isinstance(modules, dict):
            found.refuse(row, f"line {row}: a JSON object with ip and data")
            continue
        for name, module in modules.items():
            if isinstance(module, dict) and json.scalar(module.get("status")) == "success":
                protocol = json.scalar(module.get("protocol")) or name
                result = module.get("result")
                if isinstance(result, dict):
                    _result(protocol, number(module.get("port"), 1, 65_535), result, address, found, now)
    _say_if_empty(found, "zgrab2 output: objects with ip and data of a module that succeeded")
    return found


def _result(protocol: str, port: int | None, result: dict[str, json.Json], address: str, found: Imported,
            now: datetime) -> None:
    response = result.get("response")
    if protocol in ("http", "https") and isinstance(response, dict):
        port = port or (443 if protocol == "https" else 80)
        found.observations += replies.read("http", port, _message(response), device=address, now=now)
        return
    banner = json.scalar(result.get("banner")).encode()
    if not banner and result.get("hex"):
        try:
            banner = binascii.unhexlify(json.scalar(result.get("hex")))
        except (binascii.Error, ValueError):
            return
    if banner:
        found.observations += replies.read("tcp-banner", port, banner, device=address, now=now)


def _message(response: dict[str, json.Json]) -> bytes:
    """The response as it was on the wire, as far as zgrab kept it: names of headers come in lower case with ``_``."""
    status = json.scalar(response.get("status_line")) or f"{json.scalar(response.get('status_code'))} "
    lines = [f"HTTP/1.1 {status}"]
    headers = response.get("headers")
    for name, values in list(headers.items())[:_MOST_HEADERS] if isinstance(headers, dict) else ():
        if isinstance(values, list) and name != "unknown":
            lines += [f"{name.replace('_', '-')}: {json.scalar(one)}" for one in values[:8]]
    body = json.scalar(response.get("body")).encode()
    if not body and response.get("body_base64"):
        try:
            body = base64.b64decode(json.scalar(response.get("body_base64")))
        except (binascii.Error, ValueError):
            body = b""
    kept = [re.sub(r"[\r\n]", " ", line) for line in lines if not line.startswith(("content-length:",
                                                                                   "transfer-encoding:"))]
    return "\r\n".join(kept).encode() + b"\r\n\r\n" + body


def _objects(data: bytes) -> Iterator[tuple[int, json.Json]]:
    for row, line in enumerate(data.splitlines()[:MOST_ROWS], start=1):
        text = line.strip().strip(b",").strip()
        if text.startswith(b"[") and not text.endswith(b"]"):
            text = text[1:].strip()
        if text in (b"", b"[", b"]", b"{finished: 1}"):
            continue
        value = json.read(text)
        if isinstance(value, list):
            yield from ((row, one) for one in value)
        else:
            yield row, None if isinstance(value, Refusal) else value


def _say_if_empty(found: Imported, expected: str) -> None:
    if not found.observations and not found.refused:
        found.refuse(0, expected)
