"""Order files in and out: CSV and XLSX, the same table with columns added, formulas defused.

A file is read and checked to its end before anything is made of it, and written beside its place before it takes it, so
that nobody ever reads half a file.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from camvet.context import UsageError
from rules.tables import MOST_BYTES, MOST_ROWS, TableError, column_of, read_rows, text_of

__all__ = ["Sheet", "defused", "read_sheet", "write_sheet"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHEET_SUFFIXES = {".xlsx", ".xlsm"}
_MOST_UNPACKED = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its header, its rows with their numbers in the file, and the index of the column that is screened."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    column: int


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe before it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def read_sheet(path: Path, column: str | None) -> Sheet:
    """The table of a file. Without `column` it is the only one there is.

    Raises:
        UsageError: one line with the file, the row, the column and what was expected.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"{path}: expected at most {MOST_BYTES // 1024 // 1024} MB")
    try:
        return _sheet(data, path, column)
    except TableError as error:
        raise UsageError(str(error)) from error


def _sheet(data: bytes, path: Path, column: str | None) -> Sheet:
    found = list(_from_workbook(data, path.name) if path.suffix.lower() in _SHEET_SUFFIXES
                 else read_rows(text_of(data, path.name), path.name))
    if not found:
        raise TableError(path.name, "a header row", 1)
    header = found[0][1]
    if column is None and len(header) > 1:
        raise TableError(path.name, f"--column, one of {', '.join(header[:20])}")
    index = 0 if column is None else column_of(header, column, path.name)
    return Sheet(tuple(header), tuple((number, tuple(row)) for number, row in found[1:]), index)


def _from_workbook(data: bytes, file: str) -> list[tuple[int, list[str]]]:
    """The first sheet of a workbook; what formulas last came to stands for them."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
                raise TableError(file, f"a workbook of at most {_MOST_UNPACKED // 1024 // 1024} MB unpacked")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(file, "an XLSX workbook") from error
    try:
        if not book.worksheets:
            raise TableError(file, "a workbook with a sheet of cells")
        book.worksheets[0].reset_dimensions()         # what a file claims of its size is not believed
        rows = [(number, ["" if cell is None else str(cell) for cell in row])
                for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), 1)]
    finally:
        book.close()
    rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    if len(rows) > MOST_ROWS:
        raise TableError(file, f"at most {MOST_ROWS} rows")
    width = len(rows[0][1]) if rows else 0
    while rows and width and not any(row[width - 1].strip() for _, row in rows if len(row) >= width):
        width -= 1                                    # columns that were only ever formatted
    for number, row in rows:
        if any(cell.strip() for cell in row[width:]):
            raise TableError(file, f"{width} cells as in the first row, found {len(row)}", number)
    return [(number, (row + [""] * width)[:width]) for number, row in rows]


def write_sheet(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table as XLSX or CSV, by the suffix, whole or not at all. Raises `UsageError`."""
    data = _workbook(header, rows) if path.suffix.lower() in _SHEET_SUFFIXES else _delimited(header, rows)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _delimited(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for row in (header, *rows):
        writer.writerow([defused(cell) for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _workbook(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("screened")
    for row in (header, *rows):
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value)[:32_767])
            cell.data_type = "s"                     # a text stays one, even where it begins like a formula
            cells.append(cell)
        sheet.append(cells)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
