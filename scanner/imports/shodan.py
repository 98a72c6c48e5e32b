"""Shodan-type JSON: one banner an object, an object a line or all in a list."""

from __future__ import annotations

import json as plain
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from scanner.imports import MOST_ROWS, Imported, address_of
from scanner.observation import Refusal
from scanner.wire import json, replies

__all__ = ["looks_like", "read"]

_RTSP_PORTS = (554, 8554)


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
    return found


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
