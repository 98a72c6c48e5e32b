"""Tables with a heading of whatever spelling, as CSV or a workbook, and text whose lines name an address and a MAC."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from scanner.imports import MOST_ROWS, Imported, address_of, seen, switches, workbooks
from scanner.imports.words import is_nothing, mac_in, mac_of, place_of
from scanner.observation import Refusal
from scanner.wire.fields import Fields, build, firmware_and_build
from scanner.wire.text import clean

__all__ = ["COLUMNS", "headed", "quantity_of", "read_csv", "read_lines", "rows", "rows_of", "table", "text_of"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "address": (
        "ip", "ipaddress", "ipaddr", "ipv4", "ipv4address", "clientipaddress", "clientip", "leaseaddress",
        "hostaddress", "ipadresse", "ipv4adresse", "direccionip", "direccionipv4", "adresseip", "adresseipv4",
        "address", "adresse", "direccion", "host", "hardwareaddress", "deviceaddress", "managementip", "mgmtip", "uri",
        "url", "hostip"),
    "mac": (
        "mac", "macaddress", "macaddr", "hwaddress", "hwaddr", "physicaladdress", "clientmac", "ethernetaddress",
        "chaddr", "clientid", "uniqueid", "chassisid", "macadresse", "direccionmac", "adressemac", "lanmac", "wiredmac",
        "physischeadresse", "hardwareadresse", "direccionfisica", "adressephysique", "ethernet", "macid", "hwmac"),
    "serial": (
        "serial", "serialno", "serialnr", "serialnumber", "sn", "serialnum", "hardwareserial", "seriennummer",
        "seriennr", "numerodeserie", "numeroserie", "numserie", "nserie", "nroserie", "nodeserie", "noserie",
        "ndeserie", "devicesn", "deviceserial"),
    "model": (
        "model", "modelname", "modelno", "modelnumber", "productmodel", "hardwaremodel", "devicemodel", "cameramodel",
        "modell", "modelo", "modele", "modellname", "modellnummer", "partnumber", "partno", "mpn", "manufacturerpartno",
        "herstellerartikelnummer", "herstellernummer", "referencefabricant", "referencia", "reference", "productcode",
        "driverdisplayname", "product", "productname", "produkt", "producto", "produit", "article", "artikel",
        "articulo", "sku", "artikelbezeichnung", "bezeichnung", "designation", "descripcion", "description",
        "itemdescription", "beschreibung", "item"),
    "manufacturer": (
        "manufacturer", "manufacturername", "mfr", "brand", "make", "maker", "hersteller", "marke", "fabricante",
        "marca", "fabricant", "marque", "vendor", "supplier", "lieferant", "proveedor", "fournisseur"),
    "firmware": ("firmware", "firmwareversion", "fw", "fwversion", "softwareversion", "version", "versionfirmware",
                 "versiondefirmware", "versiondelfirmware", "versionmicrologiciel", "firmwarestand"),
    "name": (
        "name", "hostname", "devicename", "systemname", "displayname", "hardwarename", "cameraname", "computername",
        "sysname", "fqdn", "geratename", "gerat", "kameraname", "kamera", "nombre", "nombredeldispositivo",
        "nombredispositivo", "nom", "nomappareil", "nomdelappareil", "asset", "assetname", "assettag", "identity"),
    "where": (
        "port", "switchport", "interface", "portid", "location", "site", "standort", "ort", "raum", "ubicacion",
        "emplacement", "lieu", "vlan", "recordingservername", "recordingserver"),
    "quantity": (
        "quantity", "qty", "orderqty", "quantityordered", "menge", "bestellmenge", "anzahl", "stuck", "stk", "cantidad",
        "cant", "quantite", "qte", "unidades", "pieces", "pcs", "units", "count", "amount"),
    "when": ("lastseen", "leaseexpirytime", "leaseexpiration", "expire", "lastcontact", "zuletztgesehen",
             "ultimavez", "dernierevue"),
}
"""What a column means, by the spellings of its heading in English, German, Spanish and French: letters and digits only,
without accents. Where two columns mean the same, the spelling that stands first here counts."""

_MEANS = {spelling: (meaning, rank)
          for meaning, spellings in COLUMNS.items() for rank, spelling in enumerate(spellings)}
_NAMES_TOO = frozenset({"clientid", "uniqueid", "chassisid", "ethernet"})      # headings under which other things stand
_WHO = frozenset({"address", "mac", "serial", "model"})
_ALONE = frozenset({"address", "mac", "serial"})
_MOST_FIELD = 4096
_MOST_COLUMNS = 512
_HEADING_WITHIN = 40           # rows before the heading: titles, addresses, order numbers
_QUANTITY = re.compile(r"(\d{1,6})(?:[.,]0{1,2})?\s*(?:x|pcs?\.?|pieces|st(?:k|ck|uck|ück)?\.?|ea\.?|each|units?|"
                       r"uds?\.?|unidades|pi[eè]ces|pz\.?)?", re.IGNORECASE)


def text_of(data: bytes) -> str:
    """A text file as people have it: UTF-8 or UTF-16 with or without its mark, else Windows' Western code page."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _plain(heading: str) -> str:
    letters = unicodedata.normalize("NFKD", heading.casefold())
    return re.sub(r"[^a-z0-9]", "", letters)


def _meanings(cells: list[str]) -> list[tuple[str, int]]:
    """What each cell of a heading means, with its rank; no heading at all: an empty list."""
    cells = cells[:_MOST_COLUMNS]
    found = [_MEANS.get(_plain(cell[:64]), ("", 0)) for cell in cells]
    said = {meaning for meaning, _ in found}
    # One column alone is a list only where its heading is nothing but such a word.
    enough = said & _WHO if len(cells) > 1 else said & _ALONE and cells[0].strip(" \"'").replace(" ", "").isalpha()
    return found if enough and not any(mac_of(cell) or address_of(cell[:64]) for cell in cells) else []


def _split(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of delimited text; the separator is the one that the line of the heading uses most."""
    heads = _heads(text)
    separator = ","
    for line in heads:
        best = max(",;\t|", key=line.count)
        if _meanings([cell.strip().strip('"') for cell in line.split(best, _MOST_COLUMNS)]):
            separator = best
            break
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield reader.line_num, [f"\0{error}"]
            continue
        if row is None or reader.line_num > MOST_ROWS:
            return
        yield reader.line_num, row


def headed(text: str) -> bool:
    """Whether one of the first lines is a heading of which at least one column says who a device is."""
    return any(_meanings([cell.strip().strip('"') for cell in line.split(max(",;\t|", key=line.count))])
               for line in _heads(text))


def _heads(text: str) -> list[str]:
    """The lines among which a heading is looked for."""
    return [line[:16_384] for line in text[:262_144].splitlines() if line.strip()][:_HEADING_WITHIN]


def rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """``(line, cells by meaning)`` of a headed table; a row that is none has ``error``."""
    yield from rows_of(_split(text))


def rows_of(source: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, dict[str, str]]]:
    """The same of rows that are split already. What stands above the heading is left out."""
    meanings: list[tuple[str, int]] = []
    heads: list[str] = []
    for number, cells in source:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == 1 and cells[0].startswith("\0"):
            yield number, {"error": cells[0][1:]}
        elif not meanings:
            heads = [cell.strip() for cell in cells]
            meanings = _meanings(heads)
        elif not _meanings([cell.strip() for cell in cells[:_MOST_COLUMNS]]):    # a heading may come again
            yield number, _by_meaning(meanings, cells, heads)


def _by_meaning(meanings: list[tuple[str, int]], cells: list[str], heads: list[str]) -> dict[str, str]:
    """What each cell of a row means; ``wrong`` says of one that should be a MAC what was expected of it."""
    found: dict[str, tuple[int, str]] = {}
    for (heading, rank), cell in zip(meanings, cells, strict=False):
        meaning, value = heading, cell.strip()[:_MOST_FIELD]
        if meaning in ("mac", "address"):
            # "Hardware address" is a MAC in one book and an address in the other: the cell says which.
            mac, address = mac_of(value) or (mac_in(value)[0] if heading == "mac" else ""), place_of(value)
            meaning, value = ("mac", mac) if mac else ("address", address)
        if meaning and value and (meaning not in found or rank < found[meaning][0]):
            found[meaning] = (rank, value)
    wrong = next((column for (heading, _), column, cell in zip(meanings, heads, cells, strict=False)
                  if heading == "mac" and _plain(column) not in _NAMES_TOO and _no_mac(cell)), None)
    if wrong is not None and "mac" not in found:
        found["wrong"] = (0, f"column {clean(wrong, 64)}: a whole MAC of one device")
    return {meaning: value for meaning, (_, value) in found.items()}


def _no_mac(cell: str) -> bool:
    """Whether a cell under a heading that says MAC holds something, and neither a MAC nor an address."""
    value = cell.strip()[:_MOST_FIELD]
    return not (is_nothing(value) or mac_of(value) or mac_in(value)[0] or place_of(value))


def quantity_of(text: str) -> int:
    """A number of pieces: ``3``, ``3 pcs``, ``3,00 Stk.``; 0 for what is none or could be read in two ways."""
    found = _QUANTITY.fullmatch(text.strip())
    amount = int(found[1]) if found else 0
    return amount if amount <= 100_000 else 0


def table(data: bytes) -> Iterator[tuple[int, dict[str, str]]] | str:
    """The rows of a CSV or a workbook, or what was expected instead."""
    expected = "a heading with at least one of: ip, mac, serial, model (and one more column)"
    if workbooks.looks_like(data):
        found = workbooks.rows(data)
        if isinstance(found, Refusal):
            return found.detail
        return rows_of(found) if any(_meanings(cells) for _, cells in found[:_HEADING_WITHIN]) else expected
    text = text_of(data)
    return rows(text) if headed(text) else expected


def read_csv(data: bytes, now: datetime) -> Imported:
    """Devices of a headed CSV or workbook; a row needs an address or a MAC to be one."""
    found = Imported("csv")
    listed = table(data)
    if isinstance(listed, str):
        found.refuse(1, listed)
        return found
    for row, cells in listed:
        address, mac = cells.get("address", ""), cells.get("mac", "")
        if "wrong" in cells:
            found.refuse(row, f"row {row}, {cells['wrong']}")
            continue
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
    """arp-scan, ``ip neigh``, ``arp -an``, switch and lease tables: every line with an address and a MAC."""
    found = Imported("arp")
    book = switches.read(text_of(data))
    for one in book.known:
        if one.address and one.mac:
            found.observations.append(seen(one.address, "link", {"mac": one.mac, "via": "import"},
                                           f"{one.address} {one.mac}".encode(), now))
    for refused in book.refused:
        found.refuse(refused.row, refused.expected)
    if not found.observations:
        found.refuse(0, "lines with an IP address and a MAC, as arp-scan, ip neigh or a switch prints them, or a table "
                        "whose heading names ip or mac")
    return found

