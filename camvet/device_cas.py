"""``--device-ca [MAKER=]PATH``: the authorities that the user trusts to sign device certificates.

None is shipped: which root is a maker's own is for the user to fetch and to believe. Whose an authority is says the
user (``axis=root.pem``) or the name in the certificate itself, where exactly one maker answers to it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from camvet.context import UsageError
from rules import makers
from rules.identity import suspects
from scanner import clock
from scanner.observation import Observation
from scanner.wire.devid import Anchor

if TYPE_CHECKING:
    from rules.makers import Makers

__all__ = ["read"]

_MOST_BYTES = 1 << 20
_MOST_ANCHORS = 256
_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})


def read(given: Sequence[str], note: Callable[[str], None]) -> tuple[Anchor, ...]:
    """Every certificate of these files and folders, each once; `note` is told what a person should know of them.

    Raises:
        UsageError: a path that cannot be read or holds no certificate, an unknown maker, a certificate that is no
            authority or no longer valid.
    """
    known = makers.load()
    found: dict[x509.Certificate, Anchor] = {}
    for word in given:
        maker, path = _split(word, known)
        for file in _files(path):
            for certificate in _certificates(file):
                _authority(certificate, file)
                owner = maker or _owner(certificate, known)
                if not owner:
                    note(f"{file}: {certificate.subject.rfc4514_string()} names no known maker: a device that chains "
                         "to it proves its key, not who made it (write MAKER=PATH where you know)")
                found.setdefault(certificate, Anchor(certificate, owner))
    if len(found) > _MOST_ANCHORS:
        raise UsageError(f"--device-ca: more than {_MOST_ANCHORS} certificates")
    return tuple(found.values())


def _split(word: str, known: Makers) -> tuple[str, Path]:
    maker, equals, rest = word.partition("=")
    if not equals or Path(word).exists():
        return "", Path(word)
    if maker not in known.by_slug:
        raise UsageError(f"--device-ca {word}: {maker!r} is no maker that the rules know")
    return maker, Path(rest)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    files = sorted(one for one in path.iterdir() if one.suffix.lower() in _SUFFIXES and one.is_file())
    if not files:
        raise UsageError(f"--device-ca {path}: no {', '.join(sorted(_SUFFIXES))} file in this folder")
    yield from files


def _certificates(file: Path) -> list[x509.Certificate]:
    try:
        with file.open("rb") as source:
            data = source.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--device-ca {file}: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"--device-ca {file}: more than {_MOST_BYTES >> 20} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")          # what is odd about an anchor is said by its own check, in one line
            if b"-----BEGIN" in data:
                return x509.load_pem_x509_certificates(data)
            return [x509.load_der_x509_certificate(data)]
    except (ValueError, TypeError) as error:
        raise UsageError(f"--device-ca {file}: no certificate in PEM or DER") from error


def _authority(certificate: x509.Certificate, file: Path) -> None:
    name = certificate.subject.rfc4514_string()
    try:
        signs = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        signs = False
    if not signs:
        raise UsageError(f"--device-ca {file}: {name} is no certificate authority")
    if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
        raise UsageError(f"--device-ca {file}: {name} is not valid today")


def _owner(certificate: x509.Certificate, known: Makers) -> str:
    """The one maker that the authority's own name names; empty for none or several."""
    def said(oid: x509.ObjectIdentifier) -> str:
        return next((str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)), "")

    named = Observation.of(device="", transport="tls", probe="", port=None, at=clock.now(), wire=b"", fields={
        name: value for name, value in (("subject_o", said(NameOID.ORGANIZATION_NAME)),
                                        ("subject_cn", said(NameOID.COMMON_NAME))) if value})
    owners = suspects([named], known)
    return owners[0] if len(owners) == 1 else ""
