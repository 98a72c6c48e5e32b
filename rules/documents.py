"""Reads the rule data: YAML 1.2 files validated by pydantic models, each with the digest of what was read.

YAML 1.2 is deliberate: ``no`` stays a text (Norway), and firmware versions are quoted because ``5.7`` is a number.
A file that does not fit its model is refused with its path and the field; nothing is half-loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = [
    "DATA", "LAW", "RULES", "DataError", "Document", "digest_of", "folder_of", "law_from", "read", "read_all",
    "read_law_from",
]

DATA = Path(str(files("rules"))) / "data"
LAW = ("regimes", "entities", "buyers", "purposes", "effects", "delivery")
"""The folders that travel in signed bundles: what is law, and who is meant by it."""
RULES = ("makers", "chipsets", "checks", "endpoints", "advisories", "policies", "standards")
"""What else a verdict rests on: it travels along, so that an old verdict can be judged again by all that it used."""

_law_from: list[Path] = []


class DataError(ValueError):
    """A rule file that cannot be used: the path, and what is wrong with it in one line."""


class Document(BaseModel):
    """Base of every model of rule data: immutable, and unknown keys are an error rather than a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


Model = TypeVar("Model", bound=Document)


@cache
def _load(path: Path) -> object:
    from rules.trees import TreeError, tree

    try:
        return tree(path.read_bytes())
    except (OSError, TreeError, ValueError) as error:         # a day that no calendar has is a ValueError
        raise DataError(f"{path}: {str(error).splitlines()[0]}") from error


def read(path: Path, model: type[Model]) -> Model:
    """One file as `model`. Raises `DataError` with the path and the first field that does not fit."""
    try:
        return model.model_validate(_load(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{path}: {where}: {told}" if where else f"{path}: {told}") from error


def read_law_from(folder: Path | None) -> None:
    """Read a bundle's folders from here instead of the shipped ones; ``None`` goes back. For `rules.bundle.use`."""
    _law_from[:] = [] if folder is None else [folder]


def law_from() -> Path | None:
    """The folder that laws are read from instead of the shipped ones, where there is one."""
    return _law_from[0] if _law_from else None


def folder_of(name: str) -> Path:
    """Where the files of one folder are read from; what a bundle does not carry is the shipped one's."""
    carried = _law_from[0] / name if _law_from and name in (*LAW, *RULES) else None
    return carried if carried is not None and carried.is_dir() else DATA / name


def read_all(folder: str, model: type[Model]) -> Iterator[tuple[Path, Model]]:
    """Every ``*.yaml`` of one folder under ``rules/data``, by name, so that the order never varies."""
    for path in sorted(folder_of(folder).glob("*.yaml")):
        yield path, read(path, model)


def digest_of(*folders: str) -> str:
    """Twelve hex digits over all files of these folders: the version of a list or rule set as it was used."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder_of(folder).glob("**/*.yaml")):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]
