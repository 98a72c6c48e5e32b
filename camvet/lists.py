"""The lists of this installation: imported snapshots and the signed bundle in use, in the data folder.

``lists/<source>.json`` are snapshots, ``lists/state.json`` says which bundle is installed, and ``lists/law/`` has its
laws. A file is written beside its place before it takes it. Only signed bundles bring laws; imports bring names.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import HTTPSHandler, OpenerDirector, Request

from camvet import advisory_store, listings
from camvet.context import Context, UsageError
from camvet.listings import STATE

if TYPE_CHECKING:
    import ssl

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from rules.bundle import Bundle
    from rules.imported import Imported
    from rules.imports import ImportedList
    from rules.snapshots import Changes, Snapshot
    from rules.vocabulary import ListVersion

__all__ = ["Store", "aged", "fetch", "known_lists", "opened", "public_key", "trusted_keys", "use_bundle"]

MOST_DOWNLOAD = 512 * 1024 * 1024
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of lists of one installation."""

    folder: Path

    @classmethod
    def of(cls, context: Context) -> Store:
        """The store of this installation."""
        return cls(context.settings.state / "lists")

    def state(self) -> dict[str, Any]:
        """What bundle is installed (``number made digest signed_by``), and the last number signed here."""
        path = self.folder / STATE
        if not path.is_file():
            return {"number": 0, "signed": 0}
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error
        return {"number": 0, "signed": 0} | state

    def remember(self, **values: object) -> None:
        """Keep these values of the state."""
        self._write(STATE, json.dumps(self.state() | values, sort_keys=True).encode())

    def snapshots(self) -> list[Snapshot]:
        """Every imported list. Raises `UsageError` for a file that is none."""
        return _snapshots({path.name: path.read_bytes() for path in sorted(self.folder.glob("*.json"))
                           if path.name != STATE})

    def keep(self, new: ImportedList) -> Changes:
        """Lay an imported list over what is kept of it. Raises `UsageError` where it is older."""
        from rules.snapshots import SnapshotError, dump, lay_over

        old = next((one for one in self.snapshots() if one.source == new.source), None)
        try:
            snapshot, changes = lay_over(old, new)
        except SnapshotError as error:
            raise UsageError(str(error)) from error
        self._write(_file_of(new.source), dump(snapshot))
        return changes

    def install(self, bundle: Bundle) -> None:
        """Put a verified bundle in use: its laws, and its lists and advisories in the place of those kept."""
        from rules.bundle import BundleError, unpack_law

        _snapshots(bundle.lists)                # a list that cannot be read stops this before anything is kept
        advisories = advisory_store.read_all(bundle.advisories)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = Path(tempfile.mkdtemp(dir=self.folder, prefix=".law-"))
        try:
            unpack_law(bundle, fresh)
        except BundleError as error:
            shutil.rmtree(fresh)
            raise UsageError(str(error)) from error
        law, before = self.folder / "law", fresh.with_name(f"{fresh.name}-before")
        if law.exists():
            law.rename(before)                  # in one step: who judges meanwhile meets no part of either
        fresh.rename(law)
        shutil.rmtree(before, ignore_errors=True)
        for name, data in bundle.lists.items():
            self._write(name, data)
        for one in advisories:
            advisory_store.keep(one)
        self.remember(number=bundle.number, made=bundle.made, digest=bundle.digest, signed_by=list(bundle.signed_by))

    def files(self) -> dict[str, bytes]:
        """What a bundle of this installation holds: the laws and rules in use and everything imported."""
        from rules.bundle import law_files, rule_files
        from rules.snapshots import dump

        return (law_files() | rule_files() | {f"lists/{_file_of(one.source)}": dump(one) for one in self.snapshots()}
                | {f"advisories/{path.name}": path.read_bytes() for path in advisory_store.files()})

    def _write(self, name: str, data: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(self.folder / name)
        except OSError as error:
            raise UsageError(f"{self.folder / name}: {error.strerror}") from error


def _file_of(source: str) -> str:
    return f"{re.sub(r'[^a-z0-9._-]+', '-', source.casefold()).strip('-.') or 'list'}.json"


def _snapshots(files: Mapping[str, bytes]) -> list[Snapshot]:
    from rules.snapshots import SnapshotError, load

    try:
        return [load(data, name) for name, data in files.items()]
    except SnapshotError as error:
        raise UsageError(str(error)) from error


def aged(versions: Iterable[ListVersion], today: date) -> list[str]:
    """One remark for every list whose facts do not reach the day that is asked about, or are stale."""
    remarks = []
    for version in versions:
        days = version.age_days(today)
        if version.stale(today):
            remarks.append(f"{version.name}: the facts are of {version.dated}, {days} days before {today}: stale, so "
                           "that no answer from them is current")
        elif days > 0:
            remarks.append(f"{version.name}: the facts are of {version.dated}, {days} days before {today}")
    return remarks


def public_key(path: Path) -> dict[str, Ed25519PublicKey]:
    """A public key in PEM, by its id. Raises `UsageError`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from rules.dsse import key_id

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: expected an Ed25519 public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path}: expected an Ed25519 public key in PEM")
    return {key_id(key): key}


def trusted_keys(context: Context, keys: Iterable[Path] = ()) -> dict[str, Ed25519PublicKey]:
    """The keys of this installation, those of others that it trusts, and `keys`, by id. Raises `UsageError`."""
    from camvet.decisions import key_store

    trusted = dict(key_store(context).trusted())
    for path in (*keys, *sorted((Store.of(context).folder / "trusted").glob("*.pub"))):
        trusted |= public_key(path)
    return trusted


def opened(context: Context, data: bytes, keys: Iterable[Path] = ()) -> Bundle:
    """A bundle that a key trusted here, or one of `keys`, signed. Raises `UsageError` with the rule it broke."""
    from rules.bundle import BundleError, open_bundle

    try:
        return open_bundle(data, trusted_keys(context, keys))
    except BundleError as error:
        raise UsageError(str(error)) from error


def use_bundle(context: Context, path: Path) -> Bundle:
    """Judge by a signed bundle alone in this process, without installing it: laws, rules, lists, advisories.

    Raises `UsageError`.
    """
    import atexit

    from rules import bundle as bundles

    try:
        found = opened(context, path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    folder = Path(tempfile.mkdtemp(prefix="camvet-law-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        bundles.unpack(found, folder)
    except bundles.BundleError as error:
        raise UsageError(str(error)) from error
    bundles.use(folder)
    for name, kept in (("lists", found.lists), ("advisories", found.advisories)):
        (folder / "imported" / name).mkdir(parents=True)
        for file, data in kept.items():
            (folder / "imported" / name / file).write_bytes(data)
    listings.use(folder / "imported" / "lists")
    advisory_store.use(folder / "imported" / "advisories")
    return found


def known_lists(context: Context, path: Path | None = None) -> Imported | None:
    """The imported lists to screen against: of a bundle where one is given, else of this installation.

    Where a bundle is given, its laws are judged by too.
    """
    from rules import catalog
    from rules.imported import Imported

    store = Store.of(context)
    snapshots = store.snapshots() if path is None else _snapshots(use_bundle(context, path).lists)
    return Imported(snapshots, catalog.load()) if snapshots else None


def fetch(url: str, *, tls: ssl.SSLContext | None = None) -> bytes:
    """The bytes behind an HTTPS URL; nothing but HTTPS is spoken, redirects are not followed. Raises `UsageError`."""
    if not url.startswith("https://"):
        raise UsageError(f"{url}: expected a file or an https:// address")
    opener = OpenerDirector()                           # it knows HTTPS alone: no redirect, file, FTP or proxy
    opener.add_handler(HTTPSHandler(context=tls))
    try:
        request = Request(url, headers={"User-Agent": "camvet"})  # noqa: S310 - the opener speaks HTTPS only
        answer = opener.open(request, timeout=_TIMEOUT_S)
        if answer is None or answer.status != 200:
            raise UsageError(f"{url}: expected the file itself, found HTTP {answer.status if answer else 'error'}")
        with answer:
            data: bytes = answer.read(MOST_DOWNLOAD + 1)
    except (URLError, OSError, ValueError) as error:
        raise UsageError(f"{url}: {getattr(error, 'reason', error)}") from error
    if len(data) > MOST_DOWNLOAD:
        raise UsageError(f"{url}: more than {MOST_DOWNLOAD // 1024 // 1024} MB")
    return data
