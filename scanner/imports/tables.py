"""Tables: CSV with a heading of whatever spelling, and text whose lines name an address and a MAC."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from scanner.imports import MOST_ROWS, Imported, address_of, seen
from scanner.transport.neighbours import parse_table
from scanner.wire import oui
from scanner.wire.fields import Fields, build, firmware_and_build
from scanner.wire.text import decode

__all__ = ["COLUMNS", "headed", "read_csv", "read_lines", "rows"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "address": ("ip", "ipaddress", "ipv4", "ipv4address", "address", "host", "hostaddress", "clientip", "leaseaddress"),
    "mac": ("mac", "macaddress", "hwaddress", "hardwareaddress", "physicaladdress", "clientmac", "ethernet", "chaddr",
            "clientid", "chassisid"),
    "serial": ("serial", "serialno", "serialnumber", "sn", "seriennummer"),
    "model": ("model", "modelname", "productmodel", "modelnumber", "product", "hardwaremodel", "item", "article"),
    "manufacturer": ("manufacturer", "vendor", "brand", "make", "maker", "hersteller", "marke", "supplier"),
    "firmware": ("firmware", "firmwareversion", "softwareversion", "version"),
    "name": ("name", "hostname", "devicename", "systemname", "displayname", "hardwarename"),
    "where": ("port", "interface", "switchport", "location", "vlan", "portid", "site"),
    "quantity": ("quantity", "qty", "count", "menge", "anzahl", "amount"),
}
"""What a column means, by the spellings of its heading: small letters and digits only."""

_MEANS = {spelling: meaning for meaning, spellings in COLUMNS.items() for spelling in spellings}
_MOST_FIELD = 4096


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]", "", heading.casefold())


def headed(text: str) -> bool:
    """Whether the first line is a heading of which at least one column says who a device is."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = re.split(r"[,;\t]", first)
    meanings = {_MEANS.get(_plain(cell.strip().strip('"'))) for cell in cells}
    return len(cells) > 1 and bool(meanings & {"address", "mac", "serial", "model"})


def rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """``(line, cells by meaning)`` of a headed table; the separator is the one its heading uses most."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    meanings: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not meanings:
                meanings = [_MEANS.get(_plain(cell), "") for cell in cells]
                continue
            found: dict[str, str] = {}
            for meaning, cell in zip(meanings, cells, strict=False):
                if meaning and cell.strip():
                    found.setdefault(meaning, cell.strip()[:_MOST_FIELD])
            yield reader.line_num, found
            if reader.line_num > MOST_ROWS:
                return
    except csv.Error as error:
        yield reader.line_num, {"error": str(error)}


def read_csv(data: bytes, now: datetime) -> Imported:
    """Devices of a headed CSV; a row needs an address or a MAC to be one."""
    found = Imported("csv")
    text = decode(data)[0]
    if not headed(text):
        found.refuse(1, "a heading with at least one of: ip, mac, serial, model (and one more column)")
        return found
    for row, cells in rows(text):
        address, mac = address_of(cells.get("address", "")), oui.normalise(cells.get("mac", "")[:64])
        if "error" in cells or not (address or mac):
            why = f" ({cells['error']})" if "error" in cells else ""
            found.refuse(row, f"row {row}: an IP address or a MAC{why}")
            continue
        wire = "\t".join(f"{key}={value}" for key, value in sorted(cells.items())).encode()
        if mac:
            found.observations.append(seen(address or mac, "link", {"mac": mac, "via": "import"}, wire, now))
        said: Fields = build(manufacturer=cells.get("manufacturer"), model=cells.get("model"),
                             serial=cells.get("serial"), device_name=cells.get("name"))
        said |= firmware_and_build(cells["firmware"]) if "firmware" in cells else {}
        if said:
            found.observations.append(seen(address or mac, "import", said, wire, now))
    return found


def read_lines(data: bytes, now: datetime) -> Imported:
    """arp-scan, ``ip neigh``, ``arp -an``, switch tables: every line with an address and a MAC."""
    found = Imported("arp")
    for entry in parse_table(decode(data)[0]):
        found.observations.append(seen(entry.address, "link", {"mac": entry.mac, "via": "import"}, entry.line.encode(),
                                       now))
    if not found.observations:
        found.refuse(0, "lines with an IP address and a MAC, as arp-scan, ip neigh or a switch prints them")
    return found
