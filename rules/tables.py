"""Delimited text as a table: every row with as many cells as the header, or a refusal that names row and column.

Pure: bytes in, rows out. Nothing is half-read: the caller gets rows one at a time but a fault raises before the end,
and whoever imports keeps nothing then.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["DELIMITERS", "MOST_BYTES", "MOST_ROWS", "Dialect", "TableError", "column_of", "dialect_of", "read_head",
           "read_rows", "text_of"]

MOST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 2_000_000
MOST_COLUMNS = 512
MOST_CELL = 1_000_000
DELIMITERS = ",;\t|"
_SNIFFED = 64 * 1024
_LOOKED_AT = 5                  # lines that have to be quoted throughout before a file is taken for one that is

csv.field_size_limit(MOST_CELL)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited file is written, so that it can be written again the same way."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    newline: str = "\r\n"
    quotes_all: bool = False


class TableError(ValueError):
    """A file that cannot be used: where (``row``, ``column``, one-based, where known) and what was expected."""

    def __init__(self, file: str, expected: str, row: int | None = None, column: str | None = None) -> None:
        place = "".join((f", row {row}" if row is not None else "", f", column {column}" if column is not None else ""))
        super().__init__(f"{file}{place}: expected {expected}")
        self.file, self.expected, self.row, self.column = file, expected, row, column


def text_of(data: bytes, file: str, encoding: str | None = None) -> str:
    """The bytes as text: UTF-8, UTF-16 with its byte order mark, or as told. Raises `TableError`."""
    if len(data) > MOST_BYTES:
        raise TableError(file, f"at most {MOST_BYTES // 1024 // 1024} MB, found {len(data) // 1024 // 1024} MB")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    told = encoding or ("utf-16" if wide else "utf-8-sig")
    try:
        text = data.decode(told)
    except LookupError as error:
        raise TableError(file, f"a known encoding, not {told[:30]!r}") from error
    except UnicodeDecodeError as error:
        row = data[:error.start].count(b"\n") + 1
        name = encoding or "UTF-8"
        raise TableError(file, f"{name} text, found the byte 0x{data[error.start]:02x}", row) from error
    if "\x00" in text:
        raise TableError(file, "text without NUL bytes", text[:text.index("\x00")].count("\n") + 1)
    return text


def read_rows(text: str, file: str, *, delimiter: str | None = None, above: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Rows with their number in the file (the line where each ends), the header first; empty lines are left out.

    The delimiter is a comma, semicolon, tab or bar: the one that the first line has most of outside quotes. Raises
    `TableError` for a row with another number of cells than the first, for broken quoting and for no rows at all.
    `above` lines of the file stand before `text`.
    """
    chosen = delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=chosen, strict=True)
    width: int | None = None
    count, first = 0, "heading" if above else "first"
    try:
        for row in reader:
            if not row or not any(cell.strip() for cell in row):
                continue
            count += 1
            if width is None:
                width = len(row)
                if width > MOST_COLUMNS:
                    raise TableError(file, f"at most {MOST_COLUMNS} columns, found {width}", above + reader.line_num)
            if len(row) != width:
                raise TableError(file, f"{width} cells as in the {first} row, found {len(row)}",
                                 above + reader.line_num)
            if count > MOST_ROWS:
                raise TableError(file, f"at most {MOST_ROWS} rows", above + reader.line_num)
            yield above + reader.line_num, row
    except csv.Error as error:
        raise TableError(file, f"well-formed CSV ({error})", above + reader.line_num) from error
    if width is None:
        raise TableError(file, "a header row", above + 1)


def read_head(text: str, delimiter: str, most: int) -> Iterator[tuple[int, list[str]]]:
    """The first rows of a text, of any width and empty ones too, with the number of the line before each.

    Ends where what is there is no well-formed CSV any more.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for _ in range(most):
        before = reader.line_num
        try:
            row = next(reader, None)
        except csv.Error:
            return
        if row is None or len(row) > MOST_COLUMNS:
            return
        yield before, row


def dialect_of(data: bytes, text: str, encoding: str | None = None) -> Dialect:
    """How `data`, which reads as `text`, is written: delimiter, encoding, line ends, quotes everywhere or not."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    own = "utf-16" if wide else "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    delimiter = _delimiter(text)
    head = [line for line in text[:_SNIFFED].splitlines()[:_LOOKED_AT] if line]
    quoted = bool(head) and all(line.startswith('"') and line.endswith('"') for line in head) and (
        delimiter not in text[:_SNIFFED] or f'"{delimiter}"' in head[0])
    return Dialect(delimiter, encoding or own, "\r\n" if "\r\n" in text[:_SNIFFED] else "\n", quoted)


def column_of(header: Sequence[str], wanted: str, file: str) -> int:
    """The index of the column of that name (case and outer spaces are free) or one-based number."""
    names = [name.strip().casefold() for name in header]
    if (key := wanted.strip().casefold()) in names:
        return names.index(key)
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(header):
        return int(wanted) - 1
    shown = ", ".join(name.strip() or "(empty)" for name in header[:20])
    raise TableError(file, f"one of {shown}", 1, repr(wanted))


def _delimiter(text: str) -> str:
    head = text[:_SNIFFED]
    quoted = False
    counts = dict.fromkeys(DELIMITERS, 0)
    for character in head:
        if character == '"':
            quoted = not quoted
        elif character == "\n" and not quoted and any(counts.values()):
            break
        elif character in counts and not quoted:
            counts[character] += 1
    return max(counts, key=lambda one: counts[one]) if any(counts.values()) else ","
