"""The imported advisories of this installation, and the one book that every verb judges by.

``advisories/<source>.json`` in the data folder are lists as `rules.advisory_lists` keeps them. `use` names the folder
once a command begins; `held` reads it when the first question is asked, so that a verb without one pays nothing.
"""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from rules.advisories import Book
    from rules.advisory_lists import AdvisoryList
    from rules.vocabulary import ListVersion

__all__ = ["MOST_BYTES", "book", "documents_of", "files", "held", "keep", "read_all", "use", "versions"]

MOST_BYTES = 64 * 1024 * 1024               # of one document
MOST_TOTAL = 4 * 1024 * 1024 * 1024         # of all documents of an archive, unpacked
MOST_FILES = 500_000
_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_folder: list[Path] = []
_books: dict[tuple[tuple[str, int, int], ...], tuple[Book, Book]] = {}      # shipped as read, and with the lists beside


def use(folder: Path) -> None:
    """Judge by the lists under `folder` from now on, in this process."""
    _folder[:] = [folder]


def files() -> list[Path]:
    """Where every imported list lies."""
    return sorted(_folder[0].glob("*.json")) if _folder and _folder[0].is_dir() else []


def held() -> list[AdvisoryList]:
    """Every imported list. Raises `UsageError` for a file that is none."""
    try:
        return read_all({path.name: path.read_bytes() for path in files()})
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error


def read_all(lists: Mapping[str, bytes]) -> list[AdvisoryList]:
    """Lists by their file names. Raises `UsageError` for one that is none."""
    from rules.advisory_lists import AdvisoryListError, load

    try:
        return [load(data, name) for name, data in lists.items()]
    except AdvisoryListError as error:
        raise UsageError(str(error)) from error


def versions() -> list[ListVersion]:
    """The edition of every imported list, as verdicts pin them."""
    if not files():
        return []
    from rules.advisory_lists import version_of

    return [version_of(one) for one in held()]


def book() -> Book:
    """The shipped advisories with every imported list beside them; read once as long as no file changes."""
    from rules import advisories

    paths, shipped = files(), advisories.load()
    if not paths:
        return shipped
    key = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    if key not in _books or _books[key][0] is not shipped:      # a bundle may bring other ones
        from rules.advisory_lists import with_lists
        from rules.advisory_vendors import maker_named

        _books.clear()
        _books[key] = (shipped, with_lists(shipped, held(), maker_named))
    return _books[key][1]


def keep(one: AdvisoryList) -> None:
    """Store a list in the place of the last edition of its source; beside its place first."""
    from rules.advisory_lists import dump

    folder = _folder[0]
    name = f"{re.sub(r'[^a-z0-9._-]+', '-', one.source.casefold()).strip('-.') or 'list'}.json"
    if any(path.name == name and old.source != one.source for path, old in zip(files(), held(), strict=True)):
        raise UsageError(f"--source {one.source!r}: another list is kept as {name} already")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(dump(one))
        Path(temporary).replace(folder / name)
    except OSError as error:
        raise UsageError(f"{folder / name}: {error.strerror}") from error


def documents_of(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Every document of a file, folder or ZIP archive by name; None for one that is too large to be read.

    An archive within an archive is not opened, a link out of a folder not followed. Raises `UsageError`.
    """
    try:
        if path.is_dir():
            yield from _of_folder(path)
        elif zipfile.is_zipfile(path):
            yield from _of_archive(path)
        else:
            yield path.name, path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count >= MOST_FILES:
            raise UsageError(f"{folder}: more than {MOST_FILES} files")
        if path.suffix.casefold() in _SUFFIXES and path.is_file() and not path.is_symlink():
            name = str(path.relative_to(folder))
            yield name, path.read_bytes() if path.stat().st_size <= MOST_BYTES else None


def _of_archive(path: Path) -> Iterator[tuple[str, bytes | None]]:
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES:
                raise UsageError(f"{path}: more than {MOST_FILES} files")
            for entry in entries:
                if Path(entry.filename).suffix.casefold() not in _SUFFIXES or entry.is_dir():
                    continue
                if entry.file_size > MOST_BYTES:
                    yield entry.filename, None
                    continue
                with archive.open(entry) as stream:
                    data = stream.read(MOST_BYTES + 1)      # what an archive says of its sizes may be wrong
                total += len(data)
                if total > MOST_TOTAL:
                    raise UsageError(f"{path}: more than {MOST_TOTAL // 1024 ** 3} GiB when unpacked")
                yield entry.filename, data if len(data) <= MOST_BYTES else None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path}: an archive that cannot be read ({str(error)[:80]})") from error
