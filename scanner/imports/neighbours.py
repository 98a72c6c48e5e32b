"""Who hangs on which port, as switches and hosts write down what LLDP (IEEE 802.1AB) or CDP told them, in detail.

Read are reports of ``Name: value`` lines (Cisco, Aruba, Junos, Huawei, H3C, lldpctl), and lldpcli's JSON and key=value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scanner.imports import MOST_ROWS
from scanner.imports.known import Book, Known
from scanner.imports.words import address_in, mac_at_end, mac_in, mac_of, port_in
from scanner.observation import Refusal
from scanner.wire import json
from scanner.wire.text import clean

__all__ = ["looks_like", "read"]

_KEYS: Mapping[str, tuple[str, ...]] = {
    "where": ("localintf", "localport", "localportid", "localinterface", "interface", "localintrfce"),
    "chassis": ("chassisid", "chassisidentifier", "peersourcemac", "peermac", "sourcemac"),
    "port_id": ("portid",),
    "name": ("sysname", "systemname", "deviceid", "neighborname"),
    "address": ("ip", "ipaddress", "ipv4address", "mgmtip", "managementaddress", "address", "managementip",
                "managementipv4address", "remotemanagementaddress", "mgmtaddress", "ipv4managementaddress"),
    "serial": ("serialnumber", "serialnum", "serialno", "medserialnumber", "medserialnum"),
    "model": ("model", "modelname", "medmodelname", "platform"),
    "manufacturer": ("manufacturer", "manufacturername", "vendorname", "medvendorname", "manufname"),
}
_MEANS = {spelling: meaning for meaning, spellings in _KEYS.items() for spelling in spellings}
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9 /().-]{0,47}?)\s*(?:\(\w+\))?\s*[:=](?!//)\s*(.{0,1000})$")
_RULE = re.compile(r"^\s*[-=*]{16,}\s*$")
_HAS = re.compile(r"^\s*(\S{2,40}) has \d+ neighbor", re.IGNORECASE)
_H3C = re.compile(r"^\s*LLDP neighbor-information of port \d+\s*\[([^\]]{1,40})\]", re.IGNORECASE)
_BEGINS = frozenset({"where", "chassis", "name"})
_LOOKS = re.compile(r"^\s*(?:Chassis ?-?ID|ChassisID|Device ID)\s*(?:\(\w+\))?\s*:", re.IGNORECASE | re.MULTILINE)
_KEYVALUE = re.compile(r"^lldp\.([^.=\s]{1,40})\.([a-z0-9.-]{1,80})=(.{0,1000})$", re.MULTILINE)
_NOTHING = frozenset({"", "-", "--", "n/a", "not advertised", "- not advertised", "null", "(not advertised)"})


def looks_like(text: str) -> bool:
    """Whether this is such a report."""
    head = text[:262_144]
    return bool(_LOOKS.search(head) or _KEYVALUE.search(head[:4096])) or (
        head.lstrip().startswith("{") and re.match(r'\s*\{\s*"lldp"\s*:', head) is not None)


def read(text: str) -> Book:
    """Every neighbour of a report, with the port it was heard on."""
    if text.lstrip().startswith("{"):
        return _json(text)
    if _KEYVALUE.search(text[:65_536]):
        return _keyvalue(text)
    cisco = re.search(r"^\s*Device ID\s*:", text[:262_144], re.IGNORECASE | re.MULTILINE)
    book = Book("CDP neighbours in detail" if cisco else "LLDP neighbours in detail")
    book.take(_known(_blocks(text, book), book))
    return book


def _blocks(text: str, book: Book) -> Iterator[tuple[int, dict[str, list[str]]]]:
    """``(line, what was said)`` of each neighbour: a new one begins at a rule, or where its first words come again."""
    said: dict[str, list[str]] = {}
    began, place = 1, ""
    for row, line in enumerate(text.splitlines(), start=1):
        if row > MOST_ROWS:
            book.dropped += 1
            continue
        header = _HAS.match(line) or _H3C.match(line)
        if _RULE.match(line) or header:
            if said:
                yield began, said
            said, began, place = {}, row, header[1] if header else place
            if header:
                place = header[1]
            continue
        found = _LINE.match(line[:1200])
        meaning = _MEANS.get(re.sub(r"[^a-z0-9]", "", found[1].casefold()), "") if found else ""
        if not found or not meaning or not found[2].strip():
            book.others += bool(line.strip())
            continue
        if meaning in _BEGINS and meaning in said and not _goes_on(meaning, found[1]):
            yield began, said
            said, began = {}, row
        if place and "where" not in said:
            said["where"] = [place]
        if meaning == "where" and place and said.get("where") == [place]:
            continue                                  # the block's heading names the port
        said.setdefault(meaning, []).append(found[2].strip())
    if said:
        yield began, said


def _goes_on(meaning: str, key: str) -> bool:
    """Whether a word that was said already still belongs to the same neighbour."""
    if meaning == "name":
        return "Device" not in key                     # NX-OS gives a System Name beside the Device ID
    return meaning == "chassis" and "eer" in key       # "Peer Source MAC" repeats the chassis


def _known(blocks: Iterator[tuple[int, dict[str, list[str]]]], book: Book) -> Iterator[Known]:
    for row, said in blocks:
        chassis, ports = said.get("chassis", []), said.get("port_id", [])
        names = [one for one in said.get("name", []) if one.casefold() not in _NOTHING]
        name = names[-1] if names else ""
        mac = next(filter(None, (_mac(one) for one in (*chassis, *ports))), "") or next(
            filter(None, (mac_at_end(one) for one in names)), "")
        address = next(filter(None, (address_in(one) for one in said.get("address", []))), "")
        serial = next((one for one in said.get("serial", []) if one.casefold() not in _NOTHING), "")
        if not (mac or address or serial or name):
            book.refuse(row, f"line {row}: a neighbour with a MAC, an address or a name")
            continue
        yield Known(row, mac, address, clean(serial, 128), clean(name, 128), _first(said, "model"),
                    _first(said, "manufacturer"), clean(_port(said), 64))


def _port(said: Mapping[str, list[str]]) -> str:
    text = next((one for one in said.get("where", []) if one), "")
    return port_in(text.partition(",")[0]) or text.partition(",")[0].strip()


def _first(said: Mapping[str, list[str]], key: str) -> str:
    text = next((one for one in said.get(key, []) if one.casefold() not in _NOTHING), "")
    return clean(text.partition(",")[0], 128)


def _mac(text: str) -> str:
    return mac_of(text) or mac_in(text)[0]


def _keyvalue(text: str) -> Book:
    """``lldpcli -f keyvalue``; an interface with several neighbours repeats its keys from ``.via`` on."""
    book = Book("lldpcli key=value")
    groups: list[tuple[int, str, dict[str, str]]] = []
    for row, line in enumerate(text.splitlines()[:MOST_ROWS], start=1):
        found = _KEYVALUE.match(line)
        if not found:
            book.others += bool(line.strip())
            continue
        if not groups or groups[-1][1] != found[1] or found[2] == "via":
            groups.append((row, found[1], {}))
        groups[-1][2].setdefault(found[2], found[3])
    for row, place, said in groups:
        _neighbour(book, row, place, mac_of(said.get("chassis.mac", "")) or mac_of(said.get("port.mac", "")),
                   said.get("chassis.mgmt-ip", ""), said.get("chassis.name", ""),
                   {key.rpartition(".")[2]: value for key, value in said.items() if ".inventory." in key})
    return book


def _json(text: str) -> Book:
    """``lldpcli -f json`` and ``-f json0``: the second wraps every value in lists and objects."""
    book = Book("lldpcli JSON")
    value = json.read(text.encode())
    top = value.get("lldp") if isinstance(value, dict) else None
    if isinstance(value, Refusal) or top is None:
        book.refuse(0, "lldpcli -f json: an object with lldp")
        return book
    tops = top if isinstance(top, list) else [top]
    found = [each for one in tops if isinstance(one, dict) for each in _interfaces(one.get("interface"))]
    for row, (place, said) in enumerate(found[:MOST_ROWS], start=1):
        chassis, name = _chassis(said.get("chassis"))
        inventory = json.find(said.get("lldp-med"), "inventory")
        inventory = inventory[0] if isinstance(inventory, list) and inventory else inventory
        _neighbour(book, row, place, _json_mac(chassis.get("id")) or _json_mac(json.find(said.get("port"), "id")),
                   _texts(chassis.get("mgmt-ip")), name or _texts(chassis.get("name")),
                   {key: _texts(inner) for key, inner in inventory.items()} if isinstance(inventory, dict) else {})
    return book


def _interfaces(value: json.Json) -> Iterator[tuple[str, dict[str, json.Json]]]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one["name"], one
        elif isinstance(one, dict):
            for name, inner in one.items():
                for each in inner if isinstance(inner, list) else [inner]:
                    if isinstance(each, dict):
                        yield name.partition("#")[0], each


def _chassis(value: json.Json) -> tuple[dict[str, json.Json], str]:
    """The chassis, and the name under which it may be put."""
    one = value[0] if isinstance(value, list) and value else value
    if not isinstance(one, dict):
        return {}, ""
    if "id" in one:
        return one, ""
    name, inner = next(iter(one.items()), ("", {}))
    return (inner, name) if isinstance(inner, dict) else ({}, "")


def _json_mac(value: json.Json) -> str:
    for one in json.walk(value):
        if one.get("type") == "mac":
            return mac_of(json.scalar(one.get("value")))
    return ""


def _texts(value: json.Json) -> str:
    one = value[0] if isinstance(value, list) and value else value
    return json.scalar(one.get("value")) if isinstance(one, dict) else json.scalar(one)


def _neighbour(book: Book, row: int, place: str, mac: str, address: str, name: str,
               inventory: Mapping[str, str]) -> None:
    serial, model, maker = (clean(inventory.get(key, ""), 128) for key in ("serial", "model", "manufacturer"))
    known = Known(row, mac or mac_at_end(name), address_in(address), serial, clean(name, 128), model, maker,
                  clean(place, 64))
    if known.mac or known.address or known.serial or known.name:
        book.take([known])
    else:
        book.refuse(row, f"neighbour {row}: a MAC, an address or a name")
