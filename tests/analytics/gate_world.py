"""A world the gate can be put into: one device, one clock, keys, lists and a stream that is made of nothing."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from analytics import attestation
from analytics.detections import Frame
from analytics.fingerprint import Fingerprint
from analytics.gate import AppOrder, AttachOrder
from rules import dsse
from rules.vocabulary import ListVersion, Outcome, Verdict
from scanner.transport.exchange import PortMap
from scanner.transport.stream import StreamError
from scanner.wire.auth import Credentials
from scanner.wire.rtp import AccessUnit, Codec, Counters

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(reversed(range(32))))
TRAITS = Fingerprint(mac="00:40:8C:11:22:33", serial="ACCC8E1", firmware="11.2.3", tls_key="ab" * 32,
                     endpoint_reference="0b6cd9a3-0000-0000-0000-000000000001")
ADDRESS = "192.0.2.10"


def public(*keys: Ed25519PrivateKey) -> dict[str, Ed25519PublicKey]:
    return {dsse.key_id(key.public_key()): key.public_key() for key in keys}


def verdict(outcome: Outcome = Outcome.APPROVED, *rules: str, expires: date = date(2027, 1, 1),
            reasons: tuple[str, ...] = ()) -> Verdict:
    return Verdict("cam-1", outcome, "default", "v1", NOON.date(), expires, rules=rules, reasons=reasons,
                   lists=(ListVersion("ndaa-889", "NDAA", "abc", date(2026, 11, 20)),))


def order(**changes: object) -> AttachOrder:
    wanted = {"device": "cam-1", "address": ADDRESS, "purpose": "count people at the gate", "retention_days": 30,
              "apps": (AppOrder("people_count", {"line": [[0.5, 0], [0.5, 1]]}),), "dpia": "DPIA-7",
              "credentials": "vault:cam-1", "path": "/stream"}
    return AttachOrder(**wanted | changes)


def envelope(**changes: object) -> str:
    given = {"device": "cam-1", "address": ADDRESS, "fingerprint": TRAITS, "verdict": verdict(), "actor": "alice",
             "now": NOON, "lasts": timedelta(days=90), "key": KEY}
    return attestation.issue(**given | changes)


@dataclass
class FakeWorld:
    """Answers the gate; every attribute may change between two questions."""

    at: datetime = NOON
    keys: dict[str, Ed25519PublicKey] = field(default_factory=lambda: public(KEY))
    gone: set[str] = field(default_factory=set)
    judged: Verdict | None = field(default_factory=verdict)
    live: Fingerprint | None = TRAITS
    asked: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def trusted_keys(self) -> dict[str, Ed25519PublicKey]:
        return self.keys

    def revoked(self) -> set[str]:
        return self.gone

    def verdict(self, device: str, policy: str) -> Verdict | None:
        self.asked.append("verdict")
        assert policy == "default"
        return self.judged if device == "cam-1" else None

    def read_fingerprint(self, order: AttachOrder) -> Fingerprint | None:
        self.asked.append("device")
        assert order.address == ADDRESS
        return self.live

    def login(self, order: AttachOrder) -> Credentials | None:
        return Credentials("viewer", "secret") if order.credentials else None

    def ports(self) -> PortMap:
        return PortMap()


class FakeStream:
    """A `Stream` of key pictures, 25 a second, that ends as it is told; `made` are all that were constructed."""

    made: ClassVar[list["FakeStream"]] = []
    ends_with: StreamError | None = None

    def __init__(self, address: str, path: str, credentials: Credentials | None, **options: object) -> None:
        self.address, self.path, self.credentials, self.options = address, path, credentials, options
        self.codec, self.counters = Codec.H264, Counters()
        self.open = False
        self.lost = False
        self.made.append(self)

    def __enter__(self) -> "FakeStream":
        if self.ends_with is not None:
            raise self.ends_with
        self.open = True
        return self

    def close(self) -> None:
        self.open = False

    def units(self):
        number = 0
        while True:
            if self.lost or not self.open:
                raise StreamError("stream.closed", "the device closed the connection")
            yield AccessUnit(b"x", number * 3600, key=True)
            number += 1


class FakeDecoder:
    """A `Decoder` whose every picture is noise, so that no picture looks frozen."""

    def __init__(self, codec: Codec) -> None:
        self.codec, self.corrupt, self.closed = codec, 0, False
        self._noise = np.random.default_rng(1)

    def decode(self, unit: AccessUnit, *, wanted: bool = True) -> Frame | None:
        if not wanted:
            return None
        grey = self._noise.integers(90, 110, (90, 160), np.uint8)
        return Frame(grey, unit.timestamp / 90_000, 640, 360)

    def close(self) -> None:
        self.closed = True
