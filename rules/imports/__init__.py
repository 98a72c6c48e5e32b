"""Lists of others, read into parties: one module a format, all of them pure (bytes in, parties or a `TableError` out).

Nothing is half-imported: a file with one row that does not fit is refused with the row, the column and what was
expected. The user brings the file and its licence; none is shipped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from rules.documents import Document, read
from rules.names import FOLDER
from rules.tables import TableError, text_of

__all__ = ["FORMATS", "ImportedList", "Listed", "Programme", "day_of", "parse", "parties_of", "regime_of"]

MOST_PARTIES = 1_000_000
MOST_NAME = 500
MOST_NAMES = 200
_NOISE = re.compile(r"(?i)[,;]?\s*(?:and|including)?\s*any successor,? sub-?unit,? (?:or|and) subsidiar(?:y|ies)"
                    r"(?: thereof)?\s*$")


@dataclass(frozen=True, slots=True)
class Programme:
    """One listing of a party: the list's own name for it, the regime it belongs to ("" where none is modelled here)."""

    name: str
    regime: str
    listed_on: date | None = None
    removed_on: date | None = None
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One party of a list: its id there, its names (the first is the main one), country codes, and its listings."""

    id: str
    names: tuple[str, ...]
    countries: tuple[str, ...]
    programmes: tuple[Programme, ...]


@dataclass(frozen=True, slots=True)
class ImportedList:
    """A list as it was read: its format, its name here, the day of its facts, the digest of the file, its parties."""

    format: str
    source: str
    dated: date
    digest: str
    parties: tuple[Listed, ...]


class _Programme(Document):
    matches: str
    regime: str


class _Programmes(Document):
    source: str
    programmes: tuple[_Programme, ...]


@cache
def _programmes() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = read(FOLDER / "programmes.yaml", _Programmes)
    return tuple((re.compile(one.matches), one.regime) for one in found.programmes)


@cache
def regime_of(programme: str) -> str:
    """The id of the regime a programme belongs to, or ""."""
    return next((regime for pattern, regime in _programmes() if pattern.search(programme)), "")


def day_of(text: str, file: str, row: int, column: str) -> date | None:
    """An ISO date (a longer time stamp is cut), nothing for nothing. Raises `TableError`."""
    text = text.strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise TableError(file, f"a date as YYYY-MM-DD, found {text[:30]!r}", row, column) from error


def names_of(names: Iterable[str]) -> tuple[str, ...]:
    """Names without the noise that lists add, each once, capped."""
    clean = (" ".join(_NOISE.sub("", name).split()).strip(" ;,")[:MOST_NAME] for name in names)
    told = (name for name in clean if name and not re.fullmatch(r"(?i)address \d+", name))
    return tuple(dict.fromkeys(told))[:MOST_NAMES]


def parties_of(rows: Iterable[Listed], file: str) -> tuple[Listed, ...]:
    """The parties of a file; several rows of one id are one party. Raises `TableError` for none, or too many."""
    by_id: dict[str, Listed] = {}
    for row in rows:
        known = by_id.get(row.id)
        by_id[row.id] = row if known is None else Listed(
            row.id, tuple(dict.fromkeys((*known.names, *row.names))),
            tuple(dict.fromkeys((*known.countries, *row.countries))),
            tuple(dict.fromkeys((*known.programmes, *row.programmes))))
        if len(by_id) > MOST_PARTIES:
            raise TableError(file, f"at most {MOST_PARTIES} parties")
    if not by_id:
        raise TableError(file, "at least one party")
    return tuple(by_id.values())


def _formats() -> dict[str, Callable[[str, str], Iterator[Listed]]]:
    from rules.imports import csl, ofac, opensanctions, own

    return {"csl-csv": csl.read_csv, "csl-json": csl.read_json, "opensanctions-csv": opensanctions.read_csv,
            "opensanctions-ftm": opensanctions.read_ftm, "ofac-cons": ofac.read_prim, "own-csv": own.read_csv}


FORMATS = ("csl-csv", "csl-json", "opensanctions-csv", "opensanctions-ftm", "ofac-cons", "own-csv")


def parse(data: bytes, file: str, *, source: str, dated: date, kind: str | None = None,
          aliases: bytes | None = None, aliases_file: str = "") -> ImportedList:
    """A file as a list.

    Args:
        data: the bytes of the file.
        file: its name, for messages.
        source: what the list is called here.
        dated: the day of its facts, usually that of the download.
        kind: one of `FORMATS`; without it the file itself tells.
        aliases: the file of aliases that OFAC publishes beside its list.
        aliases_file: the name of that file, for messages.

    Raises:
        TableError: the row, the column and what was expected.
    """
    text = text_of(data, file)
    chosen = kind or _detect(text, file)
    readers = _formats()
    if chosen not in readers:
        raise TableError(file, f"a format of {', '.join(FORMATS)}, not {chosen!r}")
    parties = parties_of(readers[chosen](text, file), file)
    digest = hashlib.sha256(data)
    if aliases is not None:
        from rules.imports import ofac

        if chosen != "ofac-cons":
            raise TableError(file, f"a list of OFAC beside {aliases_file}, found {chosen}")
        parties = ofac.with_aliases(parties, ofac.read_aliases(text_of(aliases, aliases_file), aliases_file))
        digest.update(aliases)
    return ImportedList(chosen, source, dated, digest.hexdigest(), parties)


def _detect(text: str, file: str) -> str:
    head = text.lstrip()[:4096]
    first = head.partition("\n")[0].strip().strip("\r")
    if head.startswith("{"):
        return "opensanctions-ftm" if '"schema"' in first and '"results"' not in first[:40] else "csl-json"
    columns = {column.strip().strip('"').casefold() for column in re.split(r"[,;\t|]", first)}
    if {"source", "entity_number", "alt_names"} <= columns:
        return "csl-csv"
    if {"schema", "aliases", "program_ids"} <= columns or {"schema", "aliases", "dataset"} <= columns:
        return "opensanctions-csv"
    if "name" in columns:
        return "own-csv"
    if re.match(r'"?\d+"?,', first) and first.count(",") >= 11 and "-0-" in head:
        return "ofac-cons"
    raise TableError(file, f"one of the formats {', '.join(FORMATS)}; an own CSV has a column called name", 1)


def json_of(text: str, file: str, row: int) -> object:
    """One JSON value. Raises `TableError` with the row."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "lineno", 1)
        raise TableError(file, "JSON", row + at - 1) from error
    return value
