"""The gate: the only way from a device to its pictures.

Whoever wants frames needs an order and an attestation, and gets a `CameraSource` only where everything holds at this
moment: signature, term, revocation, purpose, today's verdict, and the fingerprint read anew from the live device. The
same is checked before every further connection and on a timer while frames flow. A refusal names its rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from analytics import apps, attestation
from analytics.apps import AppError
from analytics.attestation import Attestation, AttestationError
from analytics.fingerprint import Fingerprint, differences
from analytics.source import CameraSource
from rules.vocabulary import Outcome, Verdict
from scanner.transport.exchange import PortMap
from scanner.transport.stream import Stream, StreamLimits
from scanner.wire.auth import Credentials

__all__ = ["MOST_RETENTION_DAYS", "Admission", "AppOrder", "AttachOrder", "Gate", "Refused", "World"]

MOST_RETENTION_DAYS = 366


class Refused(Exception):  # noqa: N818 - a refusal is the gate's ordinary answer, not a fault of the program
    """The gate stays shut: the rule that decided, and why in a sentence."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


@dataclass(frozen=True, slots=True)
class AppOrder:
    """One app to run and its configuration, as `analytics.apps.make` takes it."""

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttachOrder:
    """What somebody asks to be let in, and what for.

    ``dpia`` names the data protection impact assessment, ``credentials`` a reference (never a secret),
    ``retention_days`` how long metrics are kept, ``path`` the stream on the device, ``port`` its nominal RTSP port.
    """

    device: str
    address: str
    purpose: str
    apps: Sequence[AppOrder]
    retention_days: int
    dpia: str
    credentials: str
    path: str = "/"
    port: int = 554


@dataclass(frozen=True, slots=True)
class Admission:
    """What the gate has just established, and when."""

    attestation: Attestation
    fingerprint: Fingerprint
    at: datetime


class World(Protocol):
    """What the gate asks of the floors above and below it; each answer is asked for anew, never remembered."""

    def now(self) -> datetime:
        """The time, UTC."""

    def trusted_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """The public keys whose signatures count."""

    def revoked(self) -> Collection[str]:
        """The ids of revoked attestations."""

    def verdict(self, device: str, policy: str) -> Verdict | None:
        """Today's verdict on the device under today's lists; ``None`` where the device is not known."""

    def read_fingerprint(self, order: AttachOrder) -> Fingerprint | None:
        """The traits read from the live device at its pinned address; ``None`` where nobody answers there."""

    def login(self, order: AttachOrder) -> Credentials | None:
        """The credentials behind the order's reference."""

    def ports(self) -> PortMap:
        """Where a lab serves the well-known ports."""


class Gate:
    """Decides, and is the only place that makes a `CameraSource`."""

    def __init__(self, world: World, *, limits: StreamLimits | None = None, allow_basic: bool = False) -> None:
        self._world, self._limits, self._allow_basic = world, limits, allow_basic

    def admit(self, order: AttachOrder, envelope: str) -> Admission:
        """Check everything, cheapest first, the live device last. Raises `Refused` with the first rule that fails."""
        self._check_order(order)
        found = self._check_attestation(order, envelope)
        self._check_verdict(order, found)
        now = self._world.read_fingerprint(order)
        if now is None:
            raise Refused("gate.unreachable", f"nobody answers at {order.address}, so nobody can be recognised there")
        changed = differences(found.fingerprint, now)
        if changed:
            raise Refused("gate.fingerprint", "this is not the device that was approved, or not as it was: "
                          + "; ".join(changed))
        return Admission(found, now, self._world.now())

    def open(self, order: AttachOrder, envelope: str, *, recheck_s: float = 30.0, rate: float = 5.0) -> CameraSource:
        """A source of frames, after `admit`; the same check runs again every `recheck_s` seconds while it is open."""
        admission = self.admit(order, envelope)

        def recheck() -> tuple[str, str] | None:
            try:
                self.admit(order, envelope)
            except Refused as refused:
                return refused.rule, refused.because
            return None

        stream = Stream(order.address, order.path, self._world.login(order), port=order.port,
                        ports=self._world.ports(), limits=self._limits, allow_basic=self._allow_basic)
        return CameraSource(stream, ends=admission.attestation.expires, now=self._world.now, recheck=recheck,
                            recheck_s=recheck_s, rate=rate)

    def _check_order(self, order: AttachOrder) -> None:
        if not order.purpose.strip():
            raise Refused("gate.purpose", "no purpose is stated: a camera without a purpose is not attached")
        if not order.dpia.strip():
            raise Refused("gate.dpia", "no data protection impact assessment is named")
        if not order.apps:
            raise Refused("gate.apps", "no app is named: there is nothing to be done with the pictures")
        for one in order.apps:
            try:
                apps.make(one.name, one.config)
            except AppError as error:
                raise Refused("gate.apps", str(error)) from error
        if not order.path.startswith("/"):
            raise Refused("gate.path", "the stream's path begins with a slash; a URL is never taken")
        if not 0 <= order.retention_days <= MOST_RETENTION_DAYS:
            raise Refused("gate.retention", f"metrics are kept at most {MOST_RETENTION_DAYS} days")

    def _check_attestation(self, order: AttachOrder, envelope: str) -> Attestation:
        try:
            found = attestation.verify(envelope, trusted=self._world.trusted_keys(), now=self._world.now(),
                                       revoked=self._world.revoked())
        except AttestationError as error:
            raise Refused(error.rule, error.because) from error
        if found.device != order.device:
            raise Refused("gate.other_device", "the attestation was given to another device")
        if found.address != order.address:
            raise Refused("gate.other_address", f"the attestation was given for {found.address}, not {order.address}")
        return found

    def _check_verdict(self, order: AttachOrder, found: Attestation) -> None:
        verdict = self._world.verdict(order.device, found.policy)
        if verdict is None:
            raise Refused("gate.unknown_device", "the device is not in the inventory")
        if verdict.outcome is Outcome.APPROVED:
            return
        if verdict.outcome is Outcome.CONDITIONAL:
            open_rules = [rule for rule in verdict.rules if rule not in found.waived]
            if verdict.rules and not open_rules:
                return
            if not verdict.rules:
                raise Refused("gate.verdict", "today's verdict is conditional and does not say on what")
            raise Refused(open_rules[0], f"today's verdict is conditional and nobody waived {', '.join(open_rules)}")
        rule = verdict.rules[0] if verdict.rules else "gate.verdict"
        raise Refused(rule, f"today's verdict is {verdict.outcome}: {verdict.reasons[0] if verdict.reasons else rule}")
