"""Device identity certificates (IEEE 802.1AR-2018): does a chain that a device showed lead to a maker's own root?

The handshake is the challenge: whoever finishes it holds the private key of the first certificate. What is judged here
is the rest, against the anchors that the user gave and none else: every signature up to one of them, every validity on
the day given, no certificate authority in the place of a device, and a serial number in the certificate (section 8.6:
the subject's ``serialNumber``; or RFC 4108's ``hardwareModuleName``). Names of hosts play no part: a device has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from scanner.wire.fields import Fields, build

__all__ = ["MAX_CERTIFICATES", "Anchor", "hardware_module", "judge"]

MAX_CERTIFICATES = 8
"""Certificates of one handshake that are looked at."""
MAX_BYTES = 65_536
MAX_DEPTH = 4
"""Authorities between the device and the anchor; makers use one or two."""

_HARDWARE_MODULE = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
_SEQUENCE, _OBJECT, _OCTETS = 0x30, 0x06, 0x04
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion,
               x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate authority that the user trusts to sign device certificates, and whose it is.

    ``maker`` is the maker's slug, as the caller knows it; empty for an authority of the user's own, which proves that a
    device is one of his and says nothing of who built it.
    """

    certificate: x509.Certificate
    maker: str = ""


def judge(chain: Sequence[bytes], anchors: Sequence[Anchor], now: datetime, *, legacy: bool = False) -> Fields:
    """What the anchors say of the certificates (DER, the device's own first) of a finished handshake.

    Args:
        chain: as the device sent them.
        anchors: what may end a chain; with none, nothing is judged and nothing is said.
        now: the moment that every certificate must be valid at.
        legacy: the handshake only succeeded with outdated parameters, so it proves no possession of a key.

    Returns:
        ``chain_verified``, ``chain_anchor``, ``chain_anchor_sha256``, ``device_serial`` and ``chain_until`` of a chain
        that holds, else ``chain_refused``: one word why.
    """
    if not anchors:
        return {}
    certificates = _read(chain)
    if not certificates:
        return {"chain_refused": "malformed"}
    if legacy:
        return {"chain_refused": "legacy_handshake"}
    try:
        return _verified(certificates, anchors, now)
    except _UNREADABLE:
        return {"chain_refused": "malformed"}


def _read(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates that can be read, the device's own first; none where that one cannot."""
    found: list[x509.Certificate] = []
    for der in chain[:MAX_CERTIFICATES]:
        try:
            if len(der) > MAX_BYTES:
                raise ValueError("too large")
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.subject, certificate.issuer, certificate.not_valid_after_utc
        except _UNREADABLE:
            if not found:
                return []
            continue
        found.append(certificate)
    return found


def _verified(certificates: Sequence[x509.Certificate], anchors: Sequence[Anchor], now: datetime) -> Fields:
    own, *others = certificates
    verifier = (PolicyBuilder().store(Store([one.certificate for one in anchors])).time(now.astimezone(UTC))
                .max_chain_depth(MAX_DEPTH).extension_policies(ca_policy=_AUTHORITY, ee_policy=_DEVICE)
                .build_client_verifier())
    try:
        path = verifier.verify(own, list(others)).chain
    except VerificationError:
        return {"chain_refused": _why(certificates, anchors, now)}
    if len(path) < 2:                              # the user's anchor itself: nobody but the device signed it
        return {"chain_refused": "self_signed"}
    serial = _serial(own)
    if not serial:
        return {"chain_refused": "no_device_serial"}
    anchor = next(one for one in anchors if one.certificate == path[-1])
    until = min(one.not_valid_after_utc for one in path)
    return build(chain_verified=anchor.maker, chain_anchor=anchor.certificate.subject.rfc4514_string(),
                 chain_anchor_sha256=anchor.certificate.fingerprint(SHA256()).hex(), device_serial=serial,
                 chain_until=until.isoformat().replace("+00:00", "Z"))


def _why(certificates: Sequence[x509.Certificate], anchors: Sequence[Anchor], now: datetime) -> str:
    """The plainest reason that no path was found."""
    own = certificates[0]
    if _authority(own):
        return "authority_in_place_of_device"
    issuers = (*certificates[1:], *(anchor.certificate for anchor in anchors))
    for one in (own, *_line(own, issuers)):
        if now > one.not_valid_after_utc:
            return "expired"
        if now < one.not_valid_before_utc:
            return "not_yet_valid"
    return "self_signed" if own.subject == own.issuer else "unknown_issuer"


def _line(own: x509.Certificate, issuers: Sequence[x509.Certificate]) -> Iterable[x509.Certificate]:
    """The certificates above `own` by name alone, to say what is wrong with them."""
    by_name = {one.subject: one for one in reversed(issuers)}
    below = own
    for _ in range(MAX_DEPTH + 1):
        above = by_name.get(below.issuer)
        if above is None or above == below:
            return
        yield above
        below = above


def _authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


# ---- what the extensions must say (RFC 5280 section 4.2.1) -----------------------------------------------------------

def _may_sign(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("no certificate authority")


def _signs_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("its key may sign no certificate")


def _is_device(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("a certificate authority is no device")


# Looser than the web's rules, which ask for host names and for purposes that no device certificate states.
_AUTHORITY = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, _may_sign).may_be_present(
    x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
_DEVICE = ExtensionPolicy.permit_all().may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_device)


# ---- the serial number -----------------------------------------------------------------------------------------------

def _serial(certificate: x509.Certificate) -> str:
    """Section 8.6: the subject's serial number; else that of the hardware module (section 8.10.4, RFC 4108)."""
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER):
        return str(attribute.value)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    for name in list(names)[:MAX_CERTIFICATES]:
        if isinstance(name, x509.OtherName) and name.type_id == _HARDWARE_MODULE:
            return hardware_module(name.value)
    return ""


def hardware_module(der: bytes) -> str:
    """The serial number in an RFC 4108 section 5 ``HardwareModuleName``: text, or its octets in hex; empty if none.

    ``SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }``, in short and definite lengths.
    """
    inner, after = _element(der, 0, _SEQUENCE)
    if inner is None or after != len(der):
        return ""
    kind, at = _element(inner, 0, _OBJECT)
    octets, end = _element(inner, at, _OCTETS)
    if not kind or not octets or end != len(inner):
        return ""
    text = octets.decode("latin-1")
    return text if text.isascii() and text.isprintable() else octets.hex().upper()


def _element(der: bytes, at: int, tag: int) -> tuple[bytes | None, int]:
    """The content of the element of this tag at `at`, and where it ends; lengths under 128 hold any such name."""
    head = der[at:at + 2]
    if len(head) < 2 or head[0] != tag or head[1] > 127 or at + 2 + head[1] > len(der):
        return None, at
    end = at + 2 + head[1]
    return der[at + 2:end], end
