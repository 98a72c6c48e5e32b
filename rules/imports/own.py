"""A list of one's own, as CSV: a column ``name``, and if wanted the others of `COLUMNS`.

Several aliases stand in one cell, joined by ``;``. Several rows may be one party: they share an id or, without one, the
name.
"""

from __future__ import annotations

from collections.abc import Iterator

from rules.imports import Listed, Programme, day_of, names_of, regime_of
from rules.tables import TableError, column_of, read_rows

__all__ = ["COLUMNS", "read_csv"]

COLUMNS = ("id", "name", "aliases", "country", "programme", "listed_on", "removed_on", "citation")


def read_csv(text: str, file: str) -> Iterator[Listed]:
    """The parties of a list of one's own. Raises `TableError`."""
    rows = read_rows(text, file)
    _, header = next(rows)
    if unknown := [name for name in header if name.strip().casefold() not in COLUMNS]:
        raise TableError(file, f"columns of {', '.join(COLUMNS)}", 1, repr(unknown[0]))
    at = {name.strip().casefold(): index for index, name in enumerate(header)}
    column_of(header, "name", file)
    for number, row in rows:
        cell = {name: row[at[name]].strip() if name in at else "" for name in COLUMNS}
        names = names_of((cell["name"], *cell["aliases"].split(";")))
        if not cell["name"] or not names:
            raise TableError(file, "a name", number, "name")
        country = cell["country"].upper()
        if country and not (len(country) == 2 and country.isalpha()):
            raise TableError(file, f"a two-letter country code, found {cell['country'][:20]!r}", number, "country")
        programme = cell["programme"] or "own list"
        yield Listed(cell["id"] or names[0], names, (country,) if country else (), (Programme(
            programme, regime_of(programme), day_of(cell["listed_on"], file, number, "listed_on"),
            day_of(cell["removed_on"], file, number, "removed_on"), cell["citation"]),))
