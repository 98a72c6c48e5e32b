"""The imported lists that verdicts on devices rest on: those of this installation, or of a bundle that is judged by.

`use` names their folder once a command begins; they are read when the first verdict is asked for, and again once a file
changes, so that a process that watches for days judges by the lists of the day.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from rules.listings import Listings
    from rules.makers import Makers

__all__ = ["STATE", "held", "use"]

STATE = "state.json"
"""The one file in the folder that is no list: which bundle is installed."""

_Edition = tuple[tuple[str, int, int], ...]
_folder: list[Path] = []
_held: list[tuple[_Edition, Makers, Listings]] = []


def use(folder: Path) -> None:
    """Judge by the lists under `folder` from now on, in this process."""
    _folder[:] = [folder]


def held() -> Listings | None:
    """What the lists say of makers; ``None`` where nothing was imported. Raises `UsageError` for a damaged file."""
    files = [path for path in sorted(_folder[0].glob("*.json")) if path.name != STATE] if _folder else []
    if not files:
        return None
    from rules import catalog, makers
    from rules.listings import Listings
    from rules.snapshots import SnapshotError, load

    edition = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    known = makers.load()
    if not _held or _held[0][0] != edition or _held[0][1] is not known:     # a bundle may bring other makers
        try:
            snapshots = (load(path.read_bytes(), path.name) for path in files)
            _held[:] = [(edition, known, Listings.of(snapshots, known, catalog.load()))]
        except SnapshotError as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise UsageError(f"{error.filename}: {error.strerror}") from error
    return _held[0][2]
