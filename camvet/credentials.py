"""Turns a reference to credentials into logins: ``env:NAME`` or ``file:PATH``.

Either holds ``user:password``; a file may hold a line a device or network instead, ``ADDRESS user:password`` or
``NETWORK user:password``, and at most one line without either for all others. Only the reference is ever written on a
command line, in a setting or in the log. The value lives in memory for one command.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError

if TYPE_CHECKING:
    from scanner.logins import Logins
    from scanner.wire.auth import Credentials

__all__ = ["resolve", "resolve_for"]

MOST_BYTES = 256 * 1024


def resolve_for(reference: str, address: str) -> Credentials:
    """The login behind `reference` for one device. Raises `UsageError` where there is none for it."""
    found = resolve(reference).of(address)
    if found is None:
        raise UsageError(f"credentials {reference}: no login for {address}")
    return found


def resolve(reference: str) -> Logins:
    """The logins behind `reference`. Raises `UsageError`, which never repeats a value."""
    from scanner.logins import Login, Logins

    entries, default = [], None
    for number, line in enumerate(_text(reference).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        network, login = _network_of(line)
        user, colon, password = login.partition(":")
        if not colon or not user:
            raise UsageError(f"credentials {reference}: line {number}: expected user:password")
        if network is not None:
            entries.append(Login(network, _credentials(user, password)))
        elif default is None:
            default = _credentials(user, password)
        else:
            raise UsageError(f"credentials {reference}: line {number}: a second login for all other devices")
    if not entries and default is None:
        raise UsageError(f"credentials {reference}: expected user:password")
    return Logins(entries, default)


def _credentials(user: str, password: str) -> Credentials:
    from scanner.wire.auth import Credentials

    return Credentials(user, password)


def _network_of(line: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network | None, str]:
    """The network a line begins with, and its login; a password may hold spaces, so only a real network counts."""
    first, _, rest = line.partition(" ")
    try:
        return ipaddress.ip_network(first, strict=False), rest.strip(" ")
    except ValueError:
        return None, line


def _text(reference: str) -> str:
    scheme, _, where = reference.partition(":")
    if scheme == "env" and where:
        text = os.environ.get(where)
        if text is None:
            raise UsageError(f"credentials {reference}: no such variable in the environment")
        return text
    if scheme == "file" and where:
        return _read(Path(where), reference)
    raise UsageError("credentials are given as env:NAME or file:PATH, never as a value")


def _read(path: Path, reference: str) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise UsageError(f"credentials {reference}: the file can be read by others (chmod 600 it)")
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"credentials {reference}: {getattr(error, 'strerror', None) or 'not text'}") from error
