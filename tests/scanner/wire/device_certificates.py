"""Authorities and device certificates of the tests' own making, in the form of IEEE 802.1AR."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)        # section 8.7: a device certificate does not expire


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())


def make(common_name, now, *, signed_by=None, organisation="", serial="", authority=False, until=NEVER, since=None,
         module=b""):
    """A certificate signed by `signed_by`, or by itself; `module` is the DER of a hardware module name."""
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [(NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name),
             (NameOID.SERIAL_NUMBER, serial)]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts if text])
    builder = (x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
               .issuer_name(signed_by.certificate.subject if signed_by else subject)
               .serial_number(x509.random_serial_number())
               .not_valid_before(since or now - timedelta(days=400)).not_valid_after(until))
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if module:
        other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), module)
        builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
    return Made(builder.sign(signed_by.key if signed_by else key, hashes.SHA256()), key)
