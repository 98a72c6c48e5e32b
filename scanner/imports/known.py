"""Whom other books know: switch MAC tables, LLDP neighbours, leases, logs, asset and VMS exports, purchase orders.

A book is any table or text. What counts in a line is who it names: a MAC, an address, a serial number, a switch port.
Nothing is concluded from it but that somebody wrote this device down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.imports import MOST_ROWS, Refused, address_of, tables, zeek
from scanner.wire import oui
from scanner.wire.text import clean, decode

__all__ = ["Known", "read_known"]

_MAC = re.compile(r"(?i)(?<![0-9a-f:.-])(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|"
                  r"(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})(?![0-9a-f:.-])")
_PORT = re.compile(r"(?i)\b(?:(?:gi|te|fa|eth|hu|twe|ge|xe|po|port|ethernet|gigabitethernet|fastethernet)[ -]?"
                   r"\d{1,3}(?:[/.:]\d{1,3}){0,3})\b")
_LEASE = re.compile(r"lease\s+(\S+)\s*\{(.{0,2000}?)\}", re.DOTALL)
_HOST = re.compile(r'client-hostname\s+"([^"]{0,255})"')
_NOT_A_CLIENT = re.compile(r"(?i)\b(?:cpu|router|self|static-drop)\b")


@dataclass(frozen=True, slots=True)
class Known:
    """One device as one book knows it; what the book does not say is empty. `quantity` devices share one order line."""

    row: int
    mac: str = ""
    address: str = ""
    serial: str = ""
    name: str = ""
    model: str = ""
    manufacturer: str = ""
    where: str = ""
    quantity: int = 1


def read_known(data: bytes) -> tuple[list[Known], list[Refused]]:
    """Every device a book names, and the rows of a table that name none."""
    if zeek.looks_like(data):
        return _zeek(data)
    text = decode(data)[0]
    if tables.headed(text):
        return _table(text)
    if "lease " in text and "{" in text:
        return list(_leases(text)), []
    found = list(_lines(text))
    return found, [] if found else [Refused(0, "lines with a MAC, or a heading that names ip, mac, serial or model")]


def _table(text: str) -> tuple[list[Known], list[Refused]]:
    found, refused = [], []
    for row, cells in tables.rows(text):
        mac, address = oui.normalise(cells.get("mac", "")[:64]), address_of(cells.get("address", ""))
        serial, model = clean(cells.get("serial", ""), 128), clean(cells.get("model", ""), 128)
        if "error" in cells or not (mac or address or serial or model):
            refused.append(Refused(row, f"row {row}: an IP address, a MAC, a serial number or a model"))
            continue
        amount = cells.get("quantity", "1")
        quantity = int(amount) if amount.isascii() and amount.isdecimal() and 0 < int(amount[:9]) <= 100_000 else 0
        if not quantity:
            refused.append(Refused(row, f"row {row}: a quantity from 1 to 100000"))
            continue
        found.append(Known(row, mac, address, serial, clean(cells.get("name", ""), 128), model,
                           clean(cells.get("manufacturer", ""), 128), clean(cells.get("where", ""), 128), quantity))
    return found, refused


def _zeek(data: bytes) -> tuple[list[Known], list[Refused]]:
    found: dict[tuple[str, str], Known] = {}
    refused = []
    for row, cells in zeek.rows(data):
        mac = oui.normalise(cells.get("mac", "")) or oui.normalise(cells.get("orig_l2_addr", ""))
        address = next(filter(None, (address_of(cells.get(name, "")) for name in (
            "assigned_addr", "client_addr", "id.orig_h"))), "")
        if "error" in cells or not (mac or address):
            refused.append(Refused(row, f"line {row}: {cells.get('error', 'a mac or an address')}"))
        else:
            found.setdefault((mac, address), Known(row, mac, address, name=clean(cells.get("host_name", ""), 128)))
    return list(found.values()), refused


def _leases(text: str) -> Iterator[Known]:
    """ISC dhcpd's ``dhcpd.leases``; of several leases of a MAC the last one counts."""
    last: dict[str, Known] = {}
    for number, lease in enumerate(_LEASE.finditer(text), start=1):
        mac, host = _MAC.search(lease[2]), _HOST.search(lease[2])
        if mac and address_of(lease[1]):
            name = oui.normalise(mac[0])
            last[name] = Known(number, name, address_of(lease[1]), name=clean(host[1], 128) if host else "")
    yield from last.values()


def _lines(text: str) -> Iterator[Known]:
    """Switch tables (``show mac address-table``), ``lldpctl`` text, dnsmasq leases, firewall logs: line by line."""
    seen: set[tuple[str, str]] = set()
    for row, line in enumerate(text.splitlines()[:MOST_ROWS], start=1):
        match = _MAC.search(line[:2000])
        mac = oui.normalise(match[0]) if match else ""
        if not mac or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00" or _NOT_A_CLIENT.search(line):
            continue
        rest = line.replace(match[0], " ") if match else line
        address = next(filter(None, (address_of(word.strip("(),;")) for word in rest.split())), "")
        port = _PORT.search(rest)
        if (mac, address) not in seen:
            seen.add((mac, address))
            yield Known(row, mac, address, where=port[0] if port else "")
