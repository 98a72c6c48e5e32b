"""Which row of a table holds its headings, and what its columns hold by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

__all__ = ["MAKERS", "MOST_ABOVE", "NOT", "PARTS", "has_column", "heading_at", "names_parts", "plain_column"]

MOST_ABOVE = 20                     # rows that are looked at for the headings: a title, a buyer's address, a date
MAKERS = re.compile(r"(?i)manufactur|maker|vendor|supplier|brand|hersteller|lieferant|marke|fabricant|fournisseur|"
                    r"fabricante|proveedor|mfr|oem|厂商|制造商|品牌|供应商")
PARTS = re.compile(r"(?i)part|model|item|article|artikel|description|bezeichnung|product|produkt|mpn|sku|name|"
                   r"désignation|modèle|descripción|modelo|component|bauteil|型号|名称|产品|料号")
NOT = re.compile(r"(?i)quantit|qty|price|cost|date|ref.?des|designator|footprint|position|lead|country|line.?no|url")
_PLAIN = {"description", "item", "name", "product", "item description", "item name", "product description",
          "product name", "bezeichnung", "beschreibung", "artikel", "produkt", "désignation", "produit", "descripción",
          "producto", "品名", "产品", "名称"}


def has_column(row: Sequence[str], wanted: str | None) -> bool:
    """Whether a row has a cell that is this heading, or, where none is asked for, one that plainly says what is bought.

    Case and outer spaces are free. A number is no heading: it may stand in any row. In a list of one column nothing
    but what is asked for is a heading below the first row, as its lines are what is to be screened.
    """
    if wanted is None:
        return _filled(row) > 1 and _is_plain(row)
    return not wanted.strip().isdigit() and wanted.strip().casefold() in (cell.strip().casefold() for cell in row)


def heading_at(rows: Sequence[Sequence[str]], is_heading: Callable[[Sequence[str]], bool]) -> int:
    """The index of the row that holds the headings; the first, where no row is one.

    Whatever stands above goes unscreened. So a row further down has to be fuller than the first filled one, as headings
    are that stand below a title, or to say plainly what is bought: a cell of an order may be what was asked for, too.
    """
    at = next((at for at, row in enumerate(rows) if is_heading(row)), 0)
    above = next((_filled(row) for row in rows[:at] if _filled(row)), 0)
    return at if above < _filled(rows[at]) or _is_plain(rows[at]) else 0


def names_parts(row: Sequence[str]) -> bool:
    """Whether a row of several filled cells has one that is a heading of makers or parts."""
    return _filled(row) > 1 and any(MAKERS.search(cell) or PARTS.search(cell) for cell in row)


def plain_column(header: Sequence[str], rows: Iterable[Sequence[str]]) -> int | None:
    """The one column that plainly says what is bought; ``None`` where there is none, or where a person has to choose.

    That is so where two could be meant, where another column names the maker (it would go unread), and where what
    stands below is numbers alone.
    """
    found = [at for at, name in enumerate(header) if _words(name) in _PLAIN]
    if len(found) != 1 or any(MAKERS.search(name) for at, name in enumerate(header) if at != found[0]):
        return None
    cells = [row[found[0]] for row in rows if row[found[0]].strip()]
    worded = sum(any(letter.isalpha() for letter in cell) for cell in cells)
    return found[0] if worded * 2 >= len(cells) else None


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_plain(row: Sequence[str]) -> bool:
    return any(_words(cell) in _PLAIN for cell in row)


def _words(heading: str) -> str:
    return re.sub(r"[\s_]+", " ", heading.strip().casefold())
