"""Devices known from their label, an order or a list: what is printed, under the transport ``label``."""

from __future__ import annotations

from datetime import datetime

from scanner.imports import Imported, seen
from scanner.imports.known import Known, read_known
from scanner.wire.fields import Fields, build
from scanner.wire.text import clean, decode

__all__ = ["read"]


def read(data: bytes, now: datetime) -> Imported:
    """One device a row of a headed CSV; rows with a quantity stand for that many."""
    found = Imported("label")
    if "\n" not in decode(data)[0].strip():
        found.refuse(1, "a heading with brand, model, serial, mac or quantity, and one row for each device")
        return found
    known, refused = read_known(data)
    for row in refused:
        found.refuse(row.row, row.expected)
    for one in known:
        said = _label(one)
        if said:
            wire = repr(sorted(said.items())).encode()
            found.observations.append(seen(f"label:{one.row}", "label", said, wire, now))
    return found


def _label(known: Known) -> Fields:
    said = build(manufacturer=known.manufacturer, model=known.model, serial=known.serial, mac=known.mac,
                 device_name=clean(known.name, 128))
    return said | build(quantity=known.quantity) if said else {}
