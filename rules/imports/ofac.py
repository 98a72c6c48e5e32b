"""OFAC's lists as it publishes them: ``cons_prim.csv`` (or ``sdn.csv``), and the aliases in another file beside it.

No file has a header, ``-0-`` stands for nothing: twelve columns of parties, five of aliases (number of the party,
number of the alias, kind, name, remarks). The dates of the Chinese military-industrial companies are in the remarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from rules.imports import Listed, Programme, names_of, regime_of
from rules.tables import TableError, read_rows

__all__ = ["ALIAS_FILES", "read_aliases", "read_prim", "with_aliases"]

ALIAS_FILES: Mapping[str, str] = {"cons_prim.csv": "cons_alt.csv", "sdn.csv": "alt.csv"}
_COLUMNS, _ALIAS_COLUMNS = 12, 5
_NUMBER, _NAME, _KIND, _PROGRAMME, _REMARKS = 0, 1, 2, 3, 11
_LISTED = re.compile(r"Listing Date(?: \([^)]*\))? (\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})")
_ALIAS = re.compile(r"(?:a\.k\.a\.|f\.k\.a\.) '([^']+)'")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_prim(text: str, file: str) -> Iterator[Listed]:
    """The parties that are no persons, ships or aircraft. Raises `TableError`."""
    for number, row in read_rows(text.rstrip("\x1a \r\n"), file, delimiter=","):
        if len(row) != _COLUMNS:
            raise TableError(file, f"{_COLUMNS} cells, found {len(row)}", number)
        cells = ["" if cell.strip() == "-0-" else cell.strip() for cell in row]
        if not cells[_NUMBER].isdigit():
            raise TableError(file, f"a number, found {cells[_NUMBER][:20]!r}", number, "1 (ent_num)")
        if cells[_KIND].casefold() in {"individual", "vessel", "aircraft"}:
            continue
        names = names_of((cells[_NAME], *_ALIAS.findall(cells[_REMARKS])))
        if not names:
            raise TableError(file, "a name", number, "2 (name)")
        listed = _LISTED.search(cells[_REMARKS])
        programmes = [part.strip() for part in cells[_PROGRAMME].replace("] [", ";").split(";") if part.strip()]
        yield Listed(f"OFAC:{cells[_NUMBER]}", names, (), tuple(
            Programme(name, regime_of(name), _day(listed, file, number)) for name in programmes or ["OFAC non-SDN"]))


def read_aliases(text: str, file: str) -> dict[str, tuple[str, ...]]:
    """The aliases of a file, by the number of their party. Raises `TableError`."""
    found: dict[str, list[str]] = {}
    for number, row in read_rows(text.rstrip("\x1a \r\n"), file, delimiter=","):
        if len(row) != _ALIAS_COLUMNS:
            raise TableError(file, f"{_ALIAS_COLUMNS} cells, found {len(row)}", number)
        party, _, _, name, _ = (cell.strip() for cell in row)
        if not party.isdigit():
            raise TableError(file, f"a number, found {party[:20]!r}", number, "1 (ent_num)")
        if name and name != "-0-":
            found.setdefault(party, []).append(name)
    return {party: tuple(names) for party, names in found.items()}


def with_aliases(parties: tuple[Listed, ...], aliases: Mapping[str, tuple[str, ...]]) -> tuple[Listed, ...]:
    """The parties with their aliases; those of persons and ships, which are not read, are left out."""
    return tuple(replace(party, names=names_of((*party.names, *aliases.get(party.id.removeprefix("OFAC:"), ()))))
                 for party in parties)


def _day(found: re.Match[str] | None, file: str, number: int) -> date | None:
    if found is None:
        return None
    day, month, year = found.groups()
    try:
        return date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError as error:
        raise TableError(file, f"a date, found {found.group()!r}", number, "12 (remarks)") from error
