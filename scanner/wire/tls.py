"""X.509 certificates as a device showed them (RFC 5280): names, key, validity. Nothing is verified here.

A common name is whatever its owner typed; only a challenged and chained device certificate proves anything, and that is
decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build, mac
from scanner.wire.text import clean, decode

__all__ = ["parse", "parse_chain", "parse_name"]

MAX_BYTES = 65_536
MAX_SAN = 32

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion,
               x509.UnsupportedGeneralNameType)
_NAMES = {"2.5.4.5": "SERIALNUMBER", "1.2.840.113549.1.9.1": "EMAILADDRESS"}
_PART = re.compile(r"\s{0,4}([A-Za-z][\w.]{0,30})\s{0,4}=\s{0,4}"
                   r"((?:\\.|[^,+/\\]|/(?![A-Za-z]{1,20}=)|,(?!\s{0,4}[A-Za-z][\w.]{0,30}\s{0,4}=))*+)")
_LABEL = re.compile(r"(?i)^\s{0,8}(subject|issuer)\s{0,4}[:=]\s{0,4}(?=[A-Za-z/])")


def parse(data: bytes, source: Endpoint, now: datetime) -> Fields | Refusal:
    """One certificate in DER or PEM, or the text form of a subject or issuer."""
    head = data[:MAX_BYTES].lstrip()
    if head[:1] == b"\x30" and b"=" not in head[:16]:
        return parse_chain([data], source, now)
    if b"-----BEGIN" in head:
        try:
            certificates = x509.load_pem_x509_certificates(head)
        except _UNREADABLE:
            return Refusal("malformed", "PEM")
        return parse_chain([c.public_bytes(serialization.Encoding.DER) for c in certificates[:1]], source, now)
    return parse_name(decode(head)[0])


def parse_chain(certificates: Sequence[bytes], _source: Endpoint, _now: datetime, *, version: str = "",
                cipher: str = "") -> Fields | Refusal:
    """The first certificate of a handshake in DER; ``chain`` is how many came. Odd ones give what can be read."""
    known = build(version=version, cipher=cipher, chain=len(certificates))
    if not certificates:
        return known if version or cipher else Refusal("empty")
    if len(certificates[0]) > MAX_BYTES:
        return Refusal("too_large")
    try:
        certificate = x509.load_der_x509_certificate(certificates[0])
        subject, issuer = certificate.subject, certificate.issuer
    except _UNREADABLE as error:
        return Refusal("malformed", clean(str(error), 120))
    return known | _name("subject", subject) | _name("issuer", issuer) | _rest(certificate) | build(
        serial_number=f"{certificate.serial_number:x}", self_signed=subject == issuer)


def _name(role: str, name: x509.Name) -> Fields:
    def first(oid: x509.ObjectIdentifier) -> str:
        return next((str(attribute.value) for attribute in name.get_attributes_for_oid(oid)), "")

    text = name.rfc4514_string(attr_name_overrides={x509.ObjectIdentifier(k): v for k, v in _NAMES.items()})
    out = build(**{role: text, f"{role}_cn": first(NameOID.COMMON_NAME), f"{role}_o": first(NameOID.ORGANIZATION_NAME)})
    if role == "subject":          # IEEE 802.1AR section 8.6: a device's own serial stands in its subject
        out |= build(serial=first(NameOID.SERIAL_NUMBER), mac=mac(first(NameOID.COMMON_NAME)))
    return out


def _rest(certificate: x509.Certificate) -> Fields:
    """Validity, key and alternative names, each left out where this certificate's form of it cannot be read."""
    out: Fields = {}
    for read in (_validity, _key, _signature, _alternatives):
        try:
            out |= read(certificate)
        except (*_UNREADABLE, x509.ExtensionNotFound, OverflowError):
            continue
    return out


def _validity(certificate: x509.Certificate) -> Fields:
    return build(not_before=_stamp(certificate.not_valid_before_utc), not_after=_stamp(certificate.not_valid_after_utc))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _key(certificate: x509.Certificate) -> Fields:
    key = certificate.public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
    match key:
        case rsa.RSAPublicKey():
            kind = f"RSA-{key.key_size}"
        case ec.EllipticCurvePublicKey():
            kind = f"EC-{key.curve.name}"
        case dsa.DSAPublicKey():
            kind = f"DSA-{key.key_size}"
        case ed25519.Ed25519PublicKey():
            kind = "Ed25519"
        case ed448.Ed448PublicKey():
            kind = "Ed448"
        case _:
            kind = type(key).__name__
    return build(key=kind, spki_sha256=digest.finalize().hex())


def _signature(certificate: x509.Certificate) -> Fields:
    algorithm = certificate.signature_hash_algorithm
    return build(signature=algorithm.name if algorithm else "")


def _alternatives(certificate: x509.Certificate) -> Fields:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return build(san=tuple(str(name.value) for name in list(names)[:MAX_SAN] if not isinstance(name, x509.OtherName)))


def parse_name(text: str) -> Fields | Refusal:
    """A distinguished name in text, ``CN=…,OU=…,O=…`` or ``/C=…/O=…``, as banner corpora keep it.

    Without a label nobody can tell subject from issuer, so both are filled; with ``issuer=`` only the issuer is.
    """
    label = _LABEL.match(text)
    body = text[label.end():] if label else text
    parts: dict[str, str] = {}
    for match in list(_PART.finditer(body[:4_096]))[:64]:
        parts.setdefault(match[1].casefold(), re.sub(r"\\(.)", r"\1", match[2]).strip())
    if not parts:
        return Refusal("malformed", "no distinguished name")
    roles = (label[1].casefold(),) if label else ("subject", "issuer")
    out: Fields = {}
    for role in roles:
        out |= build(**{role: body.strip(), f"{role}_cn": parts.get("cn"), f"{role}_o": parts.get("o")})
    if "subject" in roles:
        serial = parts.get("serialnumber") or parts.get("2.5.4.5")
        out |= build(serial=serial, mac=mac(parts.get("cn", "")))
    return out
