"""Zeek logs (conn, dns, ssl, dhcp), as tab-separated text with its ``#fields`` line or as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scanner.imports import MOST_ROWS, Imported, address_of, seen
from scanner.observation import Refusal
from scanner.wire import json, oui
from scanner.wire.fields import build, number
from scanner.wire.text import clean, decode

__all__ = ["looks_like", "read", "rows"]

_UNSET = ("-", "(empty)", "")
_MOST_NAMES = 64


def looks_like(data: bytes) -> bool:
    """Whether this begins like a Zeek log."""
    head = data[:4096].lstrip()
    if head.startswith(b"{"):
        return b'"id.orig_h"' in head or (b'"ts"' in head and b'"mac"' in head)
    return head.startswith(b"#separator") or b"\n#fields" in head[:2048]


def rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """``(line, fields)``; a line that is none has the field ``error``."""
    names: list[str] = []
    for row, line in enumerate(decode(data)[0].splitlines()[:MOST_ROWS], start=1):
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif line.startswith("{"):
            value = json.read(line.encode())
            if isinstance(value, Refusal) or not isinstance(value, dict):
                yield row, {"error": "a JSON object"}
            else:
                yield row, {key: "\t".join(map(json.scalar, inner)) if isinstance(inner, list) else json.scalar(inner)
                            for key, inner in value.items()}
        elif line.strip() and not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) != len(names):
                yield row, {"error": f"{len(names)} tab-separated fields, as the #fields line names them"}
            else:
                yield row, {name: cell for name, cell in zip(names, cells, strict=True) if cell not in _UNSET}


def read(data: bytes, now: datetime) -> Imported:
    """Where devices talk to, under which names, and what they called themselves when they asked for an address."""
    found = Imported("zeek")
    talks: dict[tuple[str, str, str, str], list[int]] = {}
    names: dict[tuple[str, str], dict[str, None]] = {}
    for row, cells in rows(data):
        if "error" in cells:
            found.refuse(row, f"line {row}: {cells['error']}")
            continue
        device, peer = address_of(cells.get("id.orig_h", "")), address_of(cells.get("id.resp_h", ""))
        if "mac" in cells and ("client_addr" in cells or "assigned_addr" in cells or "requested_addr" in cells):
            _lease(cells, found, now, row)
        elif device and "query" in cells:
            for answer in cells.get("answers", "").replace(",", "\t").split("\t"):
                if address_of(answer):
                    names.setdefault((device, address_of(answer)), {})[clean(cells["query"], 253)] = None
        elif device and peer:
            if cells.get("server_name"):
                names.setdefault((device, peer), {})[clean(cells["server_name"], 253)] = None
            key = (device, peer, cells.get("proto", "tcp"), cells.get("id.resp_p", ""))
            count = talks.setdefault(key, [0, 0])
            count[0] += number(cells.get("orig_pkts", "1")) or 1
            count[1] += number(cells.get("orig_bytes", "0")) or 0
        else:
            found.refuse(row, f"line {row}: id.orig_h with id.resp_h or query, or a mac with an address")
    for (device, peer, protocol, port), (packets, octets) in talks.items():
        called = tuple(names.get((device, peer), {}))[:_MOST_NAMES]
        fields = build(destination=peer, names=called, protocol=protocol, packets=packets, bytes=octets)
        found.observations.append(seen(device, "egress", fields, repr(sorted(fields.items())).encode(), now,
                                       port=number(port, 0, 65_535), probe="egress.capture"))
    return found


def _lease(cells: dict[str, str], found: Imported, now: datetime, row: int) -> None:
    mac = oui.normalise(cells["mac"])
    address = next(filter(None, (address_of(cells.get(name, "")) for name in (
        "assigned_addr", "client_addr", "requested_addr"))), "")
    if not mac:
        found.refuse(row, f"line {row}: a MAC in the field mac")
        return
    wire = "\t".join(f"{key}={value}" for key, value in sorted(cells.items())).encode()
    found.observations.append(seen(address or mac, "link", {"mac": mac, "via": "import"}, wire, now))
    said = build(hostname=cells.get("host_name") or cells.get("client_fqdn"))
    if said:
        found.observations.append(seen(address or mac, "dhcp", said, wire, now))
