"""Order files in and out: CSV and XLSX, the same file with columns added.

A workbook comes back as it was (styles, widths, formulas, other sheets) with cells added to its first sheet; a CSV with
its own delimiter, encoding, line ends and quoting, and with cells that begin like a formula defused. A file is read and
checked to its end before anything is made of it, and written beside its place before it takes it, so that nobody ever
reads half a file.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError
from camvet.headings import MOST_ABOVE, has_column, heading_at, plain_column
from rules.tables import (
    DELIMITERS,
    MOST_BYTES,
    MOST_ROWS,
    Dialect,
    TableError,
    column_of,
    dialect_of,
    read_head,
    read_rows,
    text_of,
)

if TYPE_CHECKING:
    from openpyxl import Workbook

__all__ = ["Sheet", "defused", "is_workbook", "read_sheet", "write_beside"]

_USUAL = Dialect()
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHEET_SUFFIXES = {".xlsx", ".xlsm"}
_NARROWEST, _LONGEST_CELL = 14, 32_767
_MOST_UNPACKED = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its header, its rows with their numbers in the file, and the index of the column that is screened.

    ``book`` are the bytes of the workbook it came from, ``head`` the number of its header row; ``dialect`` says how a
    CSV was written. ``above`` are the rows before the headings (a title, an address), kept and never screened;
    ``remarks`` is what the reader of the file should be told.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    column: int
    book: bytes | None = None
    head: int = 1
    dialect: Dialect = _USUAL
    above: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe before it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook by what it holds. Raises `OSError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False


def read_sheet(path: Path, column: str | None, encoding: str | None = None, *,
               is_heading: Callable[[Sequence[str]], bool] | None = None) -> Sheet:
    """The table of a file. Without `column` it is the only one there is, or the one that plainly says what is bought.

    The headings are the first row of the first `MOST_ABOVE` that has the named column, or that `is_heading`; where
    none has, and for a column by its number, they are the first row. `encoding` is that of a CSV that is not UTF.

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
        return _sheet(data, path, column, encoding, is_heading or partial(has_column, wanted=column))
    except TableError as error:
        raise UsageError(str(error)) from error


def _sheet(data: bytes, path: Path, column: str | None, encoding: str | None,
           is_heading: Callable[[Sequence[str]], bool]) -> Sheet:
    book, dialect = None, _USUAL
    if path.suffix.lower() in _SHEET_SUFFIXES or _begins_like_a_workbook(data):
        book = data
        above, found = _from_workbook(data, path.name, is_heading)
    else:
        above, found, dialect = _from_text(data, path.name, encoding, is_heading)
    if not found:
        raise TableError(path.name, "a header row", 1)
    head, header = found[0]
    rows = tuple((number, tuple(row)) for number, row in found[1:])
    index, remarks = 0, [f"{path.name}: the headings are in row {head}; what stands above is kept and not screened"
                         ] if above else []
    if column is not None:
        index = column_of(header, column, path.name)
    elif len(header) > 1:
        plain = plain_column(header, (row for _, row in rows))
        if plain is None:
            raise TableError(path.name, f"--column, one of {', '.join(header[:20])}")
        index = plain
        remarks.append(f"{path.name}: screened by the column {header[plain].strip()!r}; --column names another")
    return Sheet(tuple(header), rows, index, book, head, dialect, tuple(tuple(row) for row in above), tuple(remarks))


def _from_text(data: bytes, file: str, encoding: str | None, is_heading: Callable[[Sequence[str]], bool],
               ) -> tuple[list[list[str]], list[tuple[int, list[str]]], Dialect]:
    """What stands above the headings of a CSV, the table from there on, and how it is written."""
    text = text_of(data, file, encoding)
    dialect = dialect_of(data, text, encoding)
    for delimiter in dict.fromkeys((dialect.delimiter, *DELIMITERS)):    # a title may have commas of its own
        head = list(read_head(text, delimiter, MOST_ABOVE))
        at = heading_at([row for _, row in head], is_heading) if head else 0
        if not any(any(cell.strip() for cell in row) for _, row in head[:at]):
            if head and is_heading(head[at][1]):
                break                                                    # the first row has them, as is usual
            continue
        lines = head[at][0]
        below = "".join(islice(io.StringIO(text, newline=""), lines, None))
        return ([row for _, row in head[:at]], list(read_rows(below, file, delimiter=delimiter, above=lines)),
                replace(dialect_of(data, below, encoding), delimiter=delimiter))
    return [], list(read_rows(text, file)), dialect


def _begins_like_a_workbook(data: bytes) -> bool:
    """Whether a file without the suffix is one all the same: no text begins as a ZIP archive does."""
    return data.startswith(b"PK\x03\x04")


def _from_workbook(data: bytes, file: str, is_heading: Callable[[Sequence[str]], bool],
                   ) -> tuple[list[list[str]], list[tuple[int, list[str]]]]:
    """What stands above the headings of a workbook's first sheet, and the table; formulas as what they last came to."""
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
    head = [row for number, row in rows if number <= MOST_ABOVE]
    at = heading_at(head, is_heading) if head else 0
    above, rows = [row for _, row in rows[:at]], rows[at:]
    width = len(rows[0][1]) if rows else 0
    while rows and width and not any(row[width - 1].strip() for _, row in rows if len(row) >= width):
        width -= 1                                    # columns that were only ever formatted
    for number, row in rows:
        if any(cell.strip() for cell in row[width:]):
            first = "heading" if above else "first"
            raise TableError(file, f"{width} cells as in the {first} row, found {len(row)}", number)
    return above, [(number, (row + [""] * width)[:width]) for number, row in rows]


def write_beside(path: Path, sheet: Sheet, columns: Sequence[str], answers: Sequence[Sequence[str]]) -> None:
    """Write the file again with `columns` beside, a row of `answers` for each row of `sheet`, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    if path.suffix.lower() in _SHEET_SUFFIXES:
        data = _new_book(sheet, columns, answers) if sheet.book is None else (
            _beside_in_book(sheet.book, sheet, columns, answers, macros=path.suffix.lower() == ".xlsm"))
    else:
        data = _delimited(sheet, columns, answers)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _rows(sheet: Sheet, columns: Sequence[str], answers: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    yield from sheet.above
    yield (*sheet.header, *columns)
    for (_, row), answer in zip(sheet.rows, answers, strict=True):
        yield (*row, *answer)


def _delimited(sheet: Sheet, columns: Sequence[str], answers: Sequence[Sequence[str]]) -> bytes:
    dialect = sheet.dialect
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=dialect.delimiter, lineterminator=dialect.newline,
                        quoting=csv.QUOTE_ALL if dialect.quotes_all else csv.QUOTE_MINIMAL)
    for row in _rows(sheet, columns, answers):
        writer.writerow([defused(cell) for cell in row])
    # what an old code page has no letter for (a Chinese name, say) is written as its number and never as another letter
    return text.getvalue().encode(dialect.encoding, "backslashreplace")


def _beside_in_book(book: bytes, sheet: Sheet, columns: Sequence[str], answers: Sequence[Sequence[str]], *,
                    macros: bool) -> bytes:
    """The workbook as it was, with cells added right of its first sheet; texts stay texts."""
    from openpyxl import load_workbook
    from openpyxl.utils import get_column_letter

    whole = load_workbook(io.BytesIO(book), keep_vba=macros)
    table = whole.worksheets[0]
    merged = [one.max_col for one in table.merged_cells.ranges if one.max_row >= sheet.head]    # nothing fits in there
    first = 1 + max((len(sheet.header), *merged))
    model = table.cell(sheet.head, len(sheet.header))
    for number, texts in ((sheet.head, columns), *((row[0], answer) for row, answer in
                                                   zip(sheet.rows, answers, strict=True))):
        for at, text in enumerate(texts, first):
            cell = table.cell(number, at)
            cell.value = _kept(text)
            cell.data_type = "s"                     # a text stays one, even where it begins like a formula
            if number == sheet.head and model.has_style:
                cell._style = copy(model._style)     # the library's own way to give a cell another's style
    for at, name in enumerate(columns, first):
        table.column_dimensions[get_column_letter(at)].width = max(_NARROWEST, len(name) + 2)
    return _saved(whole)


def _new_book(sheet: Sheet, columns: Sequence[str], answers: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    table = book.create_sheet("screened")
    for row in _rows(sheet, columns, answers):
        cells = []
        for value in row:
            cell = WriteOnlyCell(table, value=_kept(value))
            cell.data_type = "s"
            cells.append(cell)
        table.append(cells)
    return _saved(book)


def _kept(text: str) -> str:
    """A text as a workbook can hold it."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    kept: str = ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_CELL]
    return kept


def _saved(book: Workbook) -> bytes:
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
