"""Self-signed certificates with the subject a family writes, and the TLS contexts that present them.

Keys are EC P-256, which take a millisecond to make. A certificate is made once per persona and kept beside the site's
files, so that the same device keeps its key from start to start as a real one does.
"""

from __future__ import annotations

import hashlib
import ssl
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.persona import Persona
from lab.services.families import look_of
from lab.services.family import Subject

__all__ = ["certificate_file", "server_context"]

LIFETIME = timedelta(days=3650)
ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME, "ST": NameOID.STATE_OR_PROVINCE_NAME, "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "CN": NameOID.COMMON_NAME,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
}


def server_context(persona: Persona, folder: Path) -> ssl.SSLContext:
    """A server context for TLS 1.2 and above with the persona's certificate, made in `folder` where it is missing.

    With the option ``legacy_tls`` it speaks TLS 1.0 and 1.1 beside them, as firmware does that nobody cleaned up.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if persona.options.get("legacy_tls") == "yes":
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)     # it is deprecated: that is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate_file(persona, folder))
    return context


def certificate_file(persona: Persona, folder: Path) -> Path:
    """The PEM file (key, then certificate) of the persona; another subject under the same name is another file.

    With the option ``fleet_certificate`` all devices that name the same fleet show one certificate and hold one key.
    The option ``device_certificate`` names a file of the persona's own instead: key, certificate and those above it.
    """
    if "device_certificate" in persona.options:
        return Path(persona.options["device_certificate"])
    fleet = persona.options.get("fleet_certificate")
    subject = (("CN", fleet),) if fleet else look_of(persona).subject(persona)
    mark = hashlib.sha256(repr(subject).encode()).hexdigest()[:8]
    path = folder / f"{fleet or persona.name}-{mark}.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_make(subject))
        path.chmod(0o600)
    return path


def _make(subject: Subject) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(ATTRIBUTES[part], value) for part, value in subject])
    start = datetime.fromtimestamp(time.time(), tz=UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + LIFETIME)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.NoEncryption())
    return secret + certificate.public_bytes(serialization.Encoding.PEM)
