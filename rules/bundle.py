"""Signed bundles: laws, rules and imported lists in one file that cannot be altered, mixed or rolled back unseen.

Under ``law/`` lies what an installation judges by once it is installed; under ``rules/`` what else a verdict rests on
(makers, checks, policies …), so that an old verdict can be judged again by all that it used; under ``lists/`` and
``advisories/`` what was imported beside. A bundle is a ZIP. Its ``manifest.json`` is a DSSE envelope (`rules.dsse`)
over a number that only ever grows and the SHA-256 of every other file; a file that the manifest does not name, or that
does not fit it, makes the whole unusable. Nothing is read from a bundle before its signature held.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rules.documents import LAW, RULES, folder_of, law_from, read_law_from
from rules.dsse import EnvelopeError, open_envelope, seal

__all__ = [
    "PAYLOAD_TYPE", "Bundle", "BundleError", "law_files", "make", "newer", "open_bundle", "rule_files", "unpack",
    "unpack_law", "use",
]

PAYLOAD_TYPE = "application/vnd.camvet.lists+json"
MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 5000
_MANIFEST = "manifest.json"
_NEEDED = frozenset(LAW) - {"delivery"}      # bundles made before there were places of delivery have none
_NAME = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}\.yaml"
_FILE = re.compile(rf"law/(?:{'|'.join(LAW)})/{_NAME}|rules/(?:{'|'.join(RULES)})/{_NAME}|"
                   r"(?:lists|advisories)/[a-z0-9][a-z0-9._-]{0,99}\.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)          # the same content makes the same bytes


class BundleError(ValueError):
    """A bundle that is refused: the named rule it broke, and why."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signature and digests held."""

    number: int
    made: str
    digest: str
    signed_by: tuple[str, ...]
    files: Mapping[str, bytes]

    @property
    def lacks(self) -> tuple[str, ...]:
        """The folders that it does not carry, so that those of this installation are used in their place."""
        carried = {name.split("/")[1] for name in self.files if name.startswith(("law/", "rules/"))}
        return tuple(folder for folder in (*LAW, *RULES) if folder not in carried)

    @property
    def lists(self) -> dict[str, bytes]:
        """The imported lists in it, by file name."""
        return self._under("lists/")

    @property
    def advisories(self) -> dict[str, bytes]:
        """The imported lists of advisories in it, by file name."""
        return self._under("advisories/")

    def _under(self, top: str) -> dict[str, bytes]:
        return {name.removeprefix(top): data for name, data in self.files.items() if name.startswith(top)}


def law_files() -> dict[str, bytes]:
    """The laws and parties in use, as the files of a bundle."""
    return _files("law", LAW)


def rule_files() -> dict[str, bytes]:
    """The makers, checks, policies and other rules in use, as the files of a bundle."""
    return _files("rules", RULES)


def _files(top: str, folders: Iterable[str]) -> dict[str, bytes]:
    return {f"{top}/{folder}/{path.name}": path.read_bytes()
            for folder in folders for path in sorted(folder_of(folder).glob("*.yaml"))}


def make(files: Mapping[str, bytes], *, number: int, made: str, key: Ed25519PrivateKey) -> bytes:
    """A signed bundle of `files`. Raises `BundleError` for a name that has no place in one, or a number below 1."""
    if number < 1:
        raise BundleError("bundle.number", f"{number}: expected 1 or more")
    if wrong := [name for name in files if not _FILE.fullmatch(name)]:
        raise BundleError("bundle.file", f"{wrong[0]!r} has no place in a bundle")
    manifest = json.dumps({
        "camvet": "lists/1", "number": number, "made": made,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }, sort_keys=True).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        envelope = json.dumps(seal(manifest, PAYLOAD_TYPE, key)).encode()
        for name, data in ((_MANIFEST, envelope), *sorted(files.items())):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def open_bundle(data: bytes, trusted: Mapping[str, Ed25519PublicKey]) -> Bundle:
    """The content of a bundle that a trusted key signed.

    Raises:
        BundleError: ``bundle.malformed``, ``bundle.signature`` (unsigned, unknown key, altered manifest) or
            ``bundle.altered`` (a file that the manifest does not name, lacks or describes otherwise).
    """
    raw = _unpacked(data)
    envelope = raw.pop(_MANIFEST, None)
    if envelope is None:
        raise BundleError("bundle.signature", "it is not signed: there is no manifest in it")
    try:
        opened = open_envelope(envelope, PAYLOAD_TYPE, trusted)
    except EnvelopeError as error:
        raise BundleError("bundle.signature", error.because) from error
    number, made, files = _manifest(opened.payload)
    for name, digest in files.items():
        if name not in raw:
            raise BundleError("bundle.altered", f"{name} is missing")
        if hashlib.sha256(raw[name]).hexdigest() != digest:
            raise BundleError("bundle.altered", f"{name} is not what was signed")
    if extra := sorted(set(raw) - set(files)):
        raise BundleError("bundle.altered", f"{extra[0]!r} was put in after the signature")
    return Bundle(number, made, hashlib.sha256(data).hexdigest(), tuple(opened.signed_by), raw)


def newer(bundle: Bundle, installed: int) -> None:
    """Raise `BundleError` (``bundle.older``) unless the bundle's number is above the installed one."""
    if bundle.number <= installed:
        raise BundleError("bundle.older", f"number {bundle.number} is not above {installed}, which is installed")


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise BundleError("bundle.malformed", f"more than {MOST_FILES} files or {MOST_BYTES} bytes")
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names):
                raise BundleError("bundle.malformed", "a file name stands in it twice")
            wrong = [name for name in names if name != _MANIFEST and not _FILE.fullmatch(name)]
            if wrong:
                raise BundleError("bundle.malformed", f"{wrong[0][:100]!r} has no place in a bundle")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BundleError("bundle.malformed", "not a bundle of camvet") from error


def _manifest(payload: bytes) -> tuple[int, str, dict[str, str]]:
    try:
        document: Any = json.loads(payload)
        number, made, files = document["number"], document["made"], document["files"]
        if document["camvet"] != "lists/1" or not isinstance(number, int) or not isinstance(files, dict):
            raise BundleError("bundle.malformed", "a manifest of another kind")
        return number, str(made), {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError("bundle.malformed", "a manifest that cannot be read") from error


def unpack_law(bundle: Bundle, folder: Path) -> None:
    """Write the laws of a bundle under `folder`, for `use`. Raises `BundleError` where it carries none."""
    _write(bundle, folder, ("law/",))


def unpack(bundle: Bundle, folder: Path) -> None:
    """Write the laws and the rules of a bundle under `folder`, for `use`. Raises `BundleError` where it has no laws."""
    _write(bundle, folder, ("law/", "rules/"))


def _write(bundle: Bundle, folder: Path, tops: tuple[str, ...]) -> None:
    carried = {name.split("/")[1] for name in bundle.files if name.startswith("law/")}
    if not carried >= _NEEDED:
        raise BundleError("bundle.law", "it does not carry all of " + ", ".join(sorted(_NEEDED)))
    for name, data in bundle.files.items():
        if name.startswith(tops):
            path = folder / name.partition("/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def use(folder: Path | None) -> None:
    """Judge by what lies under `folder` from now on, in this process; ``None`` goes back to the shipped rules."""
    if folder is None and law_from() is None:
        return
    read_law_from(folder)
    # Everything that was read is forgotten, whichever module remembers it: two editions must never be mixed.
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] == "rules":
            for value in tuple(vars(module).values()):
                forget = getattr(value, "cache_clear", None)
                if callable(forget):
                    forget()
