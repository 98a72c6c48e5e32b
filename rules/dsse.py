"""DSSE, the Dead Simple Signing Envelope, with Ed25519: how camvet signs what others must be able to check.

Specification: the secure-systems-lab DSSE v1 protocol. What is signed is the pre-authentication encoding of type and
payload, so a signature over one kind of document can never be passed off as one over another. The envelope
is verified before its payload is parsed; a signature by an unknown key counts for nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["IN_TOTO", "EnvelopeError", "Opened", "encode", "key_id", "open_envelope", "seal"]

IN_TOTO = "application/vnd.in-toto+json"
MOST_BYTES = 1024 * 1024
MOST_SIGNATURES = 16


class EnvelopeError(ValueError):
    """An envelope that proves nothing: the named rule it broke, and why in a sentence."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload whose signature held, and the ids of the keys that signed it."""

    payload: bytes
    signed_by: Sequence[str]


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 (hex) of the key's SubjectPublicKeyInfo: the same for the same key everywhere."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def encode(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed (DSSE v1, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, key: Ed25519PrivateKey) -> dict[str, Any]:
    """An envelope with one signature, as the JSON object of the specification."""
    signature = key.sign(encode(payload_type, payload))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def open_envelope(text: bytes | str, payload_type: str, trusted: Mapping[str, Ed25519PublicKey]) -> Opened:
    """The payload of an envelope that at least one trusted key signed.

    Args:
        text: the envelope as JSON.
        payload_type: the only type that is accepted.
        trusted: public keys by `key_id`.

    Raises:
        EnvelopeError: ``envelope.malformed``, ``envelope.type``, ``envelope.unknown_key`` or ``envelope.signature``.
    """
    payload, signatures = _parse(text, payload_type)
    signed = encode(payload_type, payload)
    good = []
    known = False
    for name, signature in signatures:
        key = trusted.get(name)
        if key is None:
            continue
        known = True
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        good.append(name)
    if not good:
        if known:
            raise EnvelopeError("envelope.signature", "the signature does not match: the document was changed")
        raise EnvelopeError("envelope.unknown_key", "no key that is trusted here has signed it")
    return Opened(payload, tuple(good))


def _parse(text: bytes | str, payload_type: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    if len(text) > MOST_BYTES:
        raise EnvelopeError("envelope.malformed", f"larger than {MOST_BYTES} bytes")
    try:
        document = json.loads(text)
        found = document["payloadType"]
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = [(str(one["keyid"]), base64.b64decode(one["sig"], validate=True))
                      for one in document["signatures"][:MOST_SIGNATURES]]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise EnvelopeError("envelope.malformed", "not a DSSE envelope") from error
    if found != payload_type:
        raise EnvelopeError("envelope.type", f"holds {str(found)[:60]!r}, expected {payload_type!r}")
    return payload, signatures
