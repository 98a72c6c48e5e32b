"""The Consolidated Screening List of trade.gov, as CSV (with or without ``_id``) and as JSON.

Several values stand in one cell, joined by ``; ``. ``start_date`` is the publication; the list has no s.889, FCC or
1260H, and removed parties simply vanish from it, which is why snapshots are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rules.imports import Listed, Programme, day_of, json_of, names_of, regime_of
from rules.tables import TableError, column_of, read_rows

__all__ = ["read_csv", "read_json"]

_NEEDED = ("source", "name", "alt_names", "start_date", "end_date", "federal_register_notice", "addresses",
           "entity_number")


def read_csv(text: str, file: str) -> Iterator[Listed]:
    """The rows of ``consolidated.csv``. Raises `TableError`."""
    rows = read_rows(text, file, delimiter=",")
    _, header = next(rows)
    at = {name: column_of(header, name, file) for name in _NEEDED}
    own_id = [name.strip() for name in header].index("_id") if "_id" in [name.strip() for name in header] else None
    for number, row in rows:
        cell = {name: row[index].strip() for name, index in at.items()}
        countries = tuple(part.rsplit(",", 1)[-1].strip() for part in cell["addresses"].split(";") if part.strip())
        yield _listed(cell, cell["alt_names"].split(";"), countries, row[own_id] if own_id is not None else "",
                      file, number)


def read_json(text: str, file: str) -> Iterator[Listed]:
    """The objects of ``consolidated.json``. Raises `TableError`."""
    document = json_of(text, file, 1)
    results = document.get("results") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(results, Sequence) or isinstance(results, str):
        raise TableError(file, 'an object with a list called "results"')
    _check_whole(document, len(results), file)
    for number, one in enumerate(results, 1):
        if not isinstance(one, Mapping):
            raise TableError(file, "an object", number, "results")
        cell = {name: _text(one.get(name)) for name in _NEEDED}
        addresses = one.get("addresses") or ()
        countries = tuple(_text(a.get("country")) for a in addresses if isinstance(a, Mapping) and a.get("country"))
        names = one.get("alt_names") or ()
        if not isinstance(names, Sequence) or isinstance(names, str):
            raise TableError(file, "a list", number, "alt_names")
        yield _listed(cell, [_text(name) for name in names], countries, _text(one.get("id")), file, number)


def _check_whole(document: Mapping[str, object], found: int, file: str) -> None:
    """A page of the service says how many results there are; one that has fewer would remove every other party."""
    total, offset = document.get("total"), document.get("offset")
    if isinstance(total, int) and total > found:
        raise TableError(file, f"all {total} results, found {found}: this is a page of the list, and no whole list")
    if isinstance(offset, int) and offset > 0:
        raise TableError(file, f"all results, found those from number {offset + 1} on: no whole list")


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _listed(cell: Mapping[str, str], aliases: Sequence[str], countries: tuple[str, ...], own_id: str, file: str,
            number: int) -> Listed:
    names = names_of((cell["name"], *aliases))
    if not names:
        raise TableError(file, "a name", number, "name")
    if not cell["source"]:
        raise TableError(file, "the name of a list", number, "source")
    programme = Programme(cell["source"], regime_of(cell["source"]),
                          day_of(cell["start_date"], file, number, "start_date"),
                          day_of(cell["end_date"], file, number, "end_date"), cell["federal_register_notice"])
    key = own_id.strip() or cell["entity_number"] or names[0]
    codes = tuple(dict.fromkeys(code for code in countries if len(code) == 2))  # ISO codes; anything else is an address
    return Listed(f"{cell['source'].partition(' - ')[0]}:{key}", names, codes, (programme,))
