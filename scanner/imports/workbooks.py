"""XLSX workbooks as rows of text: the first sheet that has cells; what formulas last came to stands for them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from scanner.imports import MOST_ROWS
from scanner.observation import Refusal

__all__ = ["looks_like", "rows"]

_ARCHIVE = b"PK\x03\x04"
_MOST_UNPACKED = 512 << 20
_MOST_COLUMNS = 512


def looks_like(data: bytes) -> bool:
    """Whether this is an archive as workbooks are."""
    return data.startswith(_ARCHIVE)


def rows(data: bytes) -> list[tuple[int, list[str]]] | Refusal:
    """``(row, cells)`` of every row that is not empty."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
                return Refusal("too_large", f"a workbook of at most {_MOST_UNPACKED >> 20} MB unpacked")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError, OSError) as error:
        return Refusal("no_workbook", f"an XLSX workbook ({type(error).__name__})")
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()                # what a file claims of its size is not believed
            found = [(number, cells) for number, cells in _rows(sheet.iter_rows(max_row=MOST_ROWS, values_only=True))
                     if any(cells)]
            if found:
                return found
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
        return Refusal("no_workbook", f"readable sheets ({type(error).__name__})")
    finally:
        book.close()
    return Refusal("empty", "a workbook with a sheet of cells")


def _rows(source: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(source, start=1):
        yield number, ["" if cell is None else _text(cell) for cell in row[:_MOST_COLUMNS]]


def _text(cell: object) -> str:
    """A whole number stays one: spreadsheets keep 3 as 3.0."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
