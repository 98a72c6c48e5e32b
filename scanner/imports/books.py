"""Which book this is, found from its content and never from its file name, and whom it knows.

A reader a kind: neighbour reports, leases, Zeek logs, flow records, headed tables and workbooks, copied switch tables.
"""

from __future__ import annotations

import io
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from scanner import clock, passive
from scanner.imports import address_of, flow_logs, leases, neighbours, switches, tables, workbooks, zeek
from scanner.imports.known import Book, Known
from scanner.imports.words import mac_of, moment_of
from scanner.wire.text import clean

__all__ = ["EXPECTED", "read"]

EXPECTED = ("a switch MAC table, LLDP or CDP neighbours, DHCP leases, an ARP table, NetFlow or IPFIX, a firewall or "
            "Zeek log, a capture, or a table (CSV, XLSX) whose heading names ip, mac, serial or model")
"""What a census takes, in words."""

_SITES = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                          "169.254.0.0/16", "fc00::/7", "fe80::/10")))
_NOBODY_ANSWERED = frozenset({"S0", "REJ", "RSTOS0", "SH", "OTH"})       # Zeek's conn_state without an answer


def read(data: bytes, now: datetime) -> Book:
    """Every device a book names.

    A book that is none names nobody, and its first refusal, of row 0, says what was expected. `now` dates log lines
    that leave out the year.
    """
    if workbooks.looks_like(data):
        return _table(data, "workbook")
    if zeek.looks_like(data):
        return _zeek(data)
    text = tables.text_of(data)
    if "\0" in text[:65_536]:
        return _flows(data, now) or _nothing()
    if neighbours.looks_like(text):
        return neighbours.read(text)
    if leases.looks_like(text):
        return leases.read(text)
    if not switches.form_of(text) and tables.headed(text):
        return _table(data, "table")
    book = (None if switches.form_of(text) else _flows(data, now)) or switches.read(text)
    return book if book.known else _nothing(book)


def _nothing(book: Book | None = None) -> Book:
    found = Book("nothing that is known")
    found.refuse(0, EXPECTED)
    for one in book.refused if book else ():
        found.refuse(one.row, one.expected)
    return found


def _table(data: bytes, form: str) -> Book:
    book = Book(form)
    listed = tables.table(data)
    if isinstance(listed, str):
        book.refuse(0, listed)
        return book
    book.take(_rows(listed, book))
    if not book.known and not book.refused:
        book.refuse(0, "at least one row under the heading")
    return book


def _rows(listed: Iterable[tuple[int, dict[str, str]]], book: Book) -> Iterator[Known]:
    last: dict[tuple[str, str], Known] = {}
    for row, cells in listed:
        mac, address = cells.get("mac", ""), cells.get("address", "")
        serial, model = clean(cells.get("serial", ""), 128), clean(cells.get("model", ""), 256)
        if "wrong" in cells:
            book.refuse(row, f"row {row}, {cells['wrong']}")
            continue
        if "error" in cells or not (mac or address or serial or model):
            book.refuse(row, f"row {row}: an IP address, a MAC, a serial number or a model")
            continue
        quantity = tables.quantity_of(cells["quantity"]) if "quantity" in cells else 1
        if not quantity:
            book.refuse(row, f"row {row}: a quantity from 1 to 100000")
            continue
        one = Known(row, mac, address, serial, clean(cells.get("name", ""), 128), model,
                    clean(cells.get("manufacturer", ""), 128), clean(cells.get("where", ""), 128), quantity,
                    moment_of(clean(cells.get("when", ""), 64)))
        if mac and not serial:
            last[mac, address] = one                     # a lease file repeats a client; its last row counts
        else:
            yield one
    yield from last.values()


def _zeek(data: bytes) -> Book:
    book = Book("Zeek log")
    found: dict[tuple[str, str], Known] = {}
    for row, cells in zeek.rows(data):
        if "error" in cells:
            book.refuse(row, f"line {row}: {cells['error']}")
            continue
        here = [*_zeek_hosts(row, cells)]
        if not here:
            book.others += 1                              # hosts of elsewhere, or a line that names none
        for one in here:
            found[one.mac, one.address] = one
    book.take(found.values())
    if not book.known:
        book.refuse(0, "lines of conn, dhcp, known_hosts or known_devices with a private address or a MAC")
    return book


def _zeek_hosts(row: int, cells: Mapping[str, str]) -> Iterator[Known]:
    """The site's own hosts of one line: who asked, and who answered it."""
    name, when = clean(cells.get("host_name", ""), 128), moment_of(clean(cells.get("ts", ""), 32))
    mac = mac_of(cells.get("mac", ""))
    leased = next(filter(None, (address_of(cells.get(key, "")) for key in (
        "assigned_addr", "client_addr", "requested_addr", "host", "dhcp_host_name"))), "")
    if mac or leased:
        if mac or _of_the_site(leased):
            yield Known(row, mac, leased, name=name, when=when)
        return
    asked, answered = address_of(cells.get("id.orig_h", "")), address_of(cells.get("id.resp_h", ""))
    if _of_the_site(asked):
        yield Known(row, mac_of(cells.get("orig_l2_addr", "")), asked, when=when)
    if _of_the_site(answered) and cells.get("conn_state", "OTH") not in _NOBODY_ANSWERED:
        yield Known(row, mac_of(cells.get("resp_l2_addr", "")), answered, when=when)


def _of_the_site(address: str) -> bool:
    """Whether an address is one of a site's own: private, unique-local or link-local, and no group."""
    if not address:
        return False
    value = ipaddress.ip_address(address)
    return any(value in network for network in _SITES if network.version == value.version)


def _flows(data: bytes, now: datetime) -> Book | None:
    """Flow records, firewall and resolver logs, and captures: the stations they name; `None` for anything else."""
    kind = flow_logs.kind_of(data[:65_536], now)
    if not kind:
        return None
    stations, sources = flow_logs.known_from(io.BytesIO(data), now=now)
    book = Book("capture" if kind == "packets" else next((one.form for one in sources), kind))
    if kind == "packets":
        heard = passive.read(io.BytesIO(data))
        book.take(Known(0, one.text("mac"), one.device if "." in one.device else "", when=clock.stamp(one.at))
                  for one in heard.observations if one.transport == "link")
        book.dropped += heard.dropped
        for refused in heard.refused:
            book.refuse(refused.row, refused.expected)
    book.take(Known(one.row, mac_of(one.mac), one.address, name=clean(one.name, 128), when=_when(one.last_ns))
              for one in stations)
    for source in sources:
        for row in source.first_unread:
            book.refuse(0, row)
        book.dropped += max(0, source.unread - len(source.first_unread))
    return book


def _when(nanoseconds: int) -> str:
    return clock.stamp(datetime.fromtimestamp(nanoseconds / 1e9, UTC)) if 0 < nanoseconds < 1 << 62 else ""
