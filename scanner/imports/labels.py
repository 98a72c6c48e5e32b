"""Devices known from their label, an order or a list: what is printed, under the transport ``label``."""

from __future__ import annotations

from datetime import datetime

from scanner.imports import Imported, books, seen
from scanner.imports.known import Known
from scanner.wire.fields import Fields, build

__all__ = ["read"]


def read(data: bytes, now: datetime) -> Imported:
    """One device a row of a headed table (CSV, XLSX); rows with a quantity stand for that many."""
    found = Imported("label")
    book = books.read(data, now)
    if book.form not in ("table", "workbook"):
        found.refuse(1, "a heading with brand, model, serial, mac or quantity, and one row for each device")
        return found
    for row in book.refused:
        found.refuse(row.row, row.expected)
    found.dropped += book.dropped
    for one in book.known:
        said = _label(one)
        if said:
            wire = repr(sorted(said.items())).encode()
            found.observations.append(seen(f"label:{one.row}", "label", said, wire, now))
        else:
            found.refuse(one.row, f"row {one.row}: a brand, a model, a serial number or a MAC")
    return found


def _label(known: Known) -> Fields:
    said = build(manufacturer=known.manufacturer, model=known.model, serial=known.serial, mac=known.mac,
                 device_name=known.name)
    return said | build(quantity=known.quantity) if said else {}
