"""Signing keys: Ed25519 in the data folder, readable by their owner alone.

The newest key signs; older ones keep verifying what they signed until they are revoked. A private key never leaves its
file and never appears in a log, a report or the database.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from camvet.context import UsageError
from scanner import clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["Key", "KeyStore"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is shown: its id, since when it signs, and whether it still does."""

    id: str
    made: str
    signs: bool


class KeyStore:
    """The keys of one folder. Files are ``<made>-<id>.pem`` (private) and ``.pub`` (public), mode 0600 and 0644."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def init(self, now: datetime) -> Key:
        """Make the first key. Raises `UsageError` where there is one already: `rotate` is what is meant then."""
        if self.list():
            raise UsageError(f"{self._folder} holds a signing key already; camvet keys rotate makes a new one")
        return self._make(now)

    def rotate(self, now: datetime) -> Key:
        """Make a new signing key; the old ones go on verifying what they signed."""
        if not self.list():
            raise UsageError("no signing key yet: camvet keys init")
        return self._make(now)

    def list(self) -> list[Key]:
        """All keys, oldest first; the last one signs."""
        names = sorted(path.stem for path in self._folder.glob("*.pub"))
        signing = [name for name in names if (self._folder / f"{name}.pem").is_file()]
        return [Key(name.rpartition("-")[2], name.rpartition("-")[0], bool(signing) and name == signing[-1])
                for name in names]

    def signing(self) -> Ed25519PrivateKey:
        """The key that signs. Raises `UsageError` where there is none or it cannot be read."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        paths = sorted(self._folder.glob("*.pem"))
        if not paths:
            raise UsageError("no signing key: camvet keys init makes one")
        path = paths[-1]
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path} can be read by others: chmod 600 it, or rotate")
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, OSError) as error:
            raise UsageError(f"{path} is not a readable private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError(f"{path} is not an Ed25519 key")
        return key

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        """Every public key by its id: what attestations of this installation may be signed with."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        from rules.dsse import key_id

        keys = {}
        for path in sorted(self._folder.glob("*.pub")):
            try:
                key = load_pem_public_key(path.read_bytes())
            except (ValueError, OSError) as error:
                raise UsageError(f"{path} is not a readable public key") from error
            if isinstance(key, Ed25519PublicKey):
                keys[key_id(key)] = key
        return keys

    def _make(self, now: datetime) -> Key:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )

        from rules.dsse import key_id

        key = Ed25519PrivateKey.generate()
        made, name = clock.stamp(now).replace(":", ""), key_id(key.public_key())
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem = self._folder / f"{made}-{name}"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # Created with its final mode: there is no moment in which others could read it.
        handle = os.open(f"{stem}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
        Path(f"{stem}.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return Key(name, made, signs=True)
