"""OpenSanctions: ``targets.simple.csv`` and ``entities.ftm.json`` (JSON lines of the Follow-the-Money model).

Its data is licensed by its publisher for some uses only: the user brings the file and the licence. In the simple file
several values stand in one cell, joined by ``;`` and quoted as CSV. In the model, sanctions are objects of their own
that point to a company.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rules.imports import Listed, Programme, day_of, json_of, names_of, regime_of
from rules.tables import TableError, column_of, read_rows

__all__ = ["read_csv", "read_ftm"]

_COMPANIES = {"Company", "Organization", "LegalEntity", "PublicBody"}


def read_csv(text: str, file: str) -> Iterator[Listed]:
    """Companies and organisations of ``targets.simple.csv``. Raises `TableError`."""
    rows = read_rows(text, file, delimiter=",")
    _, header = next(rows)
    needed = ("id", "schema", "name", "aliases", "countries", "first_seen")
    at = {name: column_of(header, name, file) for name in needed}
    also = {name.strip(): index for index, name in enumerate(header)}
    for number, row in rows:
        if row[at["schema"]] not in _COMPANIES:
            continue
        names = names_of((row[at["name"]], *_values(row[at["aliases"]])))
        if not names or not row[at["id"]].strip():
            raise TableError(file, "an id and a name", number, "name" if row[at["id"]].strip() else "id")
        listed = day_of(row[at["first_seen"]], file, number, "first_seen")
        lists = _values(row[also["program_ids"]]) if "program_ids" in also else []
        lists = lists or (_values(row[also["dataset"]]) if "dataset" in also else []) or ["OpenSanctions"]
        yield Listed(row[at["id"]].strip(), names, tuple(code.upper() for code in _values(row[at["countries"]])),
                     tuple(Programme(name, regime_of(name), listed) for name in lists))


def _values(cell: str) -> list[str]:
    try:
        return [value.strip() for value in next(csv.reader([cell], delimiter=";"), []) if value.strip()]
    except csv.Error:
        return [value.strip() for value in cell.split(";") if value.strip()]


@dataclass
class _Company:
    names: tuple[str, ...]
    countries: tuple[str, ...]
    datasets: tuple[str, ...]
    target: bool
    programmes: list[Programme] = field(default_factory=list)


def read_ftm(text: str, file: str) -> Iterator[Listed]:
    """The companies that are targets, with the sanctions that point to them. Raises `TableError`."""
    companies: dict[str, _Company] = {}
    pending: dict[str, list[Programme]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        one = json_of(line, file, number)
        if not isinstance(one, Mapping) or not isinstance(one.get("schema"), str) or not isinstance(one.get("id"), str):
            raise TableError(file, "an object with id, schema and properties", number)
        properties = one.get("properties")
        if not isinstance(properties, Mapping):
            raise TableError(file, "an object", number, "properties")
        if one["schema"] == "Sanction":
            for programme, party in _sanctions(properties, file, number):
                pending.setdefault(party, []).append(programme)
        elif one["schema"] in _COMPANIES:
            names = names_of((str(one.get("caption") or ""), *_list(properties, "name"), *_list(properties, "alias"),
                              *_list(properties, "previousName"), *_list(properties, "weakAlias")))
            if not names:
                raise TableError(file, "a name", number, "properties.name")
            countries = (*_list(properties, "country"), *_list(properties, "jurisdiction"))
            companies[one["id"]] = _Company(names, tuple(dict.fromkeys(code.upper() for code in countries)),
                                            tuple(_list(one, "datasets")), bool(one.get("target", True)))
    for key, company in companies.items():
        programmes = pending.get(key, [])
        if not programmes and company.target:
            programmes = [Programme(name, regime_of(name)) for name in company.datasets or ("OpenSanctions",)]
        if programmes:
            yield Listed(key, company.names, company.countries, tuple(dict.fromkeys(programmes)))


def _sanctions(properties: Mapping[str, object], file: str, number: int) -> Iterator[tuple[Programme, str]]:
    names = next(filter(None, (_list(properties, key) for key in ("programId", "program", "authority"))), ["sanction"])
    starts, ends = sorted(_list(properties, "startDate")), sorted(_list(properties, "endDate"))
    listed = day_of(_whole(starts[0]) if starts else "", file, number, "startDate")
    removed = day_of(_whole(ends[-1]) if ends else "", file, number, "endDate")
    citation = "; ".join(_list(properties, "authorityId"))
    for party in _list(properties, "entity"):
        for name in names:
            yield Programme(name, regime_of(name), listed, removed, citation), party


def _whole(day: str) -> str:
    """A date of a year or a month alone as its first day."""
    if not day.replace("-", "").isdigit():
        return day
    return {4: f"{day}-01-01", 7: f"{day}-01"}.get(len(day), day)


def _list(holder: Mapping[str, object], name: str) -> list[str]:
    value = holder.get(name)
    return [str(one).strip() for one in value if str(one).strip()] if isinstance(value, list) else []
