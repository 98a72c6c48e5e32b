"""Turns a reference to credentials into credentials: ``env:NAME`` or ``file:PATH``, each holding ``user:password``.

Only the reference is ever written on a command line, in a setting or in the log. The value lives in memory for one
command.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from scanner.wire.auth import Credentials

__all__ = ["resolve"]

MOST_BYTES = 4096


def resolve(reference: str) -> Credentials:
    """The credentials behind `reference`. Raises `UsageError`, which never repeats a value."""
    from scanner.wire.auth import Credentials

    scheme, _, where = reference.partition(":")
    if scheme == "env" and where:
        text = os.environ.get(where)
        if text is None:
            raise UsageError(f"credentials {reference}: no such variable in the environment")
    elif scheme == "file" and where:
        text = _read(Path(where), reference)
    else:
        raise UsageError("credentials are given as env:NAME or file:PATH, never as a value")
    user, colon, password = text.partition(":")
    if not colon or not user:
        raise UsageError(f"credentials {reference}: expected user:password")
    return Credentials(user, password)


def _read(path: Path, reference: str) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise UsageError(f"credentials {reference}: the file can be read by others (chmod 600 it)")
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"credentials {reference}: {getattr(error, 'strerror', None) or 'not text'}") from error
