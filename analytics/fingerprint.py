"""What makes a device this device: read at approval, read again at every connection, compared without mercy.

A trait that was read at approval and reads differently now, or cannot be read any more, is a difference: a swapped
device often shows less than the one it replaces. A trait that nobody could read at approval proves nothing and is
listed as unread.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from scanner.observation import Observation

__all__ = ["LEAST_TRAITS", "TRAITS", "Fingerprint", "differences", "of_observations"]

TRAITS = ("mac", "serial", "firmware", "tls_key", "endpoint_reference")
LEAST_TRAITS = 2
"""Fewer readable traits than this cannot hold a device to its identity, so it cannot be approved."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The traits of one device; ``None`` where a trait could not be read.

    ``mac`` as seen on the link layer, ``tls_key`` the SHA-256 of the certificate's public key, ``endpoint_reference``
    the UUID of WS-Discovery.
    """

    mac: str | None = None
    serial: str | None = None
    firmware: str | None = None
    tls_key: str | None = None
    endpoint_reference: str | None = None

    @property
    def readable(self) -> tuple[str, ...]:
        """The names of the traits that were read."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is not None)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all traits: the subject of an attestation."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, str | None]:
        """The traits by name."""
        return {name: getattr(self, name) for name in TRAITS}

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Fingerprint:
        """The inverse of `to_json`; what is no text counts as unread."""
        return cls(**{name: value for name in TRAITS if isinstance(value := document.get(name), str) and value})


# Where each trait is read, best source first. Serial and firmware are the device's own word, but a word that must not
# change; the MAC counts only as the link layer showed it.
_SOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "mac": (("link", "mac"),),
    "serial": (("onvif", "serial"), ("sadp", "serial"), ("dhip", "serial"), ("gvcp", "serial"), ("http", "serial")),
    "firmware": (("onvif", "firmware"), ("sadp", "firmware"), ("dhip", "firmware"), ("gvcp", "firmware"),
                 ("http", "firmware")),
    "tls_key": (("tls", "spki_sha256"),),
    "endpoint_reference": (("wsd", "endpoint_reference"),),
}


def of_observations(observations: Iterable[Observation]) -> Fingerprint:
    """The traits that one device's observations show; of several sources the best one that speaks."""
    seen = sorted(observations, key=lambda o: (o.at, o.id))
    read: dict[str, str] = {}
    for trait, sources in _SOURCES.items():
        for transport, name in sources:
            texts = [o.text(name) for o in seen if o.transport == transport and o.text(name)]
            if texts:
                read[trait] = texts[-1].strip()
                break
    return Fingerprint(**read)


def differences(approved: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """The traits that were read at approval and are not the same now, each as ``trait: before -> now``."""
    return tuple(f"{name}: {getattr(approved, name)} -> {getattr(now, name) or 'not readable'}"
                 for name in approved.readable if getattr(approved, name) != getattr(now, name))
