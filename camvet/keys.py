"""Signing keys: Ed25519 in the data folder, readable by their owner alone.

The newest key signs; older ones keep verifying what they signed for as long as their public half lies in the folder.
Whoever can write there decides what is trusted, so a folder that others can write to is not used at all. A private key
never leaves its file and never appears in a log, a report or the database.
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
        """Make the first key. Raises `UsageError` where one signs already: `rotate` is what is meant then."""
        if any(key.signs for key in self.list()):
            raise UsageError(f"{self._folder} holds a signing key already; camvet keys rotate makes a new one")
        return self._make(now)

    def rotate(self, now: datetime) -> Key:
        """Make a new signing key; the old ones go on verifying what they signed."""
        if not any(key.signs for key in self.list()):
            raise UsageError("no signing key yet: camvet keys init")
        return self._make(now)

    def list(self) -> list[Key]:
        """All keys, oldest first; the last one signs. Raises `UsageError` where others could have put them there."""
        self._refuse_shared()
        names = sorted(path.stem for path in self._folder.glob("*.pub"))
        signing = [name for name in names if (self._folder / f"{name}.pem").is_file()]
        return [Key(name.rpartition("-")[2], name.rpartition("-")[0], bool(signing) and name == signing[-1])
                for name in names]

    def signing(self) -> Ed25519PrivateKey:
        """The key that signs. Raises `UsageError` where there is none or it cannot be read."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self._refuse_shared()
        paths = sorted(self._folder.glob("*.pem"))
        if not paths:
            raise UsageError("no signing key: camvet keys init makes one")
        path = paths[-1]
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path} can be read by others: chmod 600 it, or rotate")
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, OSError) as error:      # TypeError: it has a passphrase
            raise UsageError(f"{path} is not a readable private key") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError(f"{path} is not an Ed25519 key")
        return key

    def trusted(self) -> dict[str, Ed25519PublicKey]:
        """Every public key by its id: what attestations of this installation may be signed with.

        Raises `UsageError` where the folder or a key cannot be relied on.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        from rules.dsse import key_id

        self._refuse_shared()
        keys = {}
        for path in sorted(self._folder.glob("*.pub")):
            try:
                key = load_pem_public_key(path.read_bytes())
            except (ValueError, UnsupportedAlgorithm, OSError) as error:
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
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        # The public half first: a crash in between leaves a key that signs nothing, not one whose word nobody takes.
        for suffix, content, mode in ((".pub", public, 0o644), (".pem", private, 0o600)):
            # Created with its final mode: there is no moment in which others could read or write it.
            handle = os.open(f"{stem}{suffix}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        return Key(name, made, signs=True)

    def _refuse_shared(self) -> None:
        """Raise `UsageError` where others than the owner can write to the folder."""
        if self._folder.is_dir() and self._folder.stat().st_mode & 0o022:
            raise UsageError(f"{self._folder} can be written to by others: chmod 700 it, and check what lies in it")
