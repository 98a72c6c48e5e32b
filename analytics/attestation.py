"""An attestation: a verdict bound to a device's fingerprint, signed, with an end.

It is an in-toto Statement (v1) in a DSSE envelope. The subject is the fingerprint's digest; the predicate says what was
read, what could not be, the verdict, the policy, the edition of every list, who approved, and until when it holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from analytics.fingerprint import LEAST_TRAITS, TRAITS, Fingerprint
from rules import dsse
from rules.vocabulary import Outcome, Verdict
from rules.waivers import same_person
from scanner import clock

__all__ = ["PREDICATE", "Attestation", "AttestationError", "Waiver", "issue", "verify"]

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:camvet:attestation:v1"
LONGEST = timedelta(days=366)


class AttestationError(ValueError):
    """An attestation that is not given, or not accepted: the named rule (``attestation.…``) and why."""

    def __init__(self, rule: str, because: str) -> None:
        super().__init__(f"{rule}: {because}")
        self.rule, self.because = rule, because


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody other than the approver has accepted a rule's finding on a device, with a reason and an end."""

    rule: str
    reason: str
    actor: str
    expires: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it has not expired; an expired waiver counts as none."""
        return now < self.expires


@dataclass(frozen=True, slots=True)
class Attestation:
    """A verified attestation. `id` is the SHA-256 of the signed statement: what `revoke` names."""

    id: str
    device: str
    address: str
    fingerprint: Fingerprint
    outcome: Outcome
    policy: str
    issued: datetime
    expires: datetime
    actor: str
    waived: Sequence[str]
    lists: Mapping[str, str]


def issue(*, device: str, address: str, fingerprint: Fingerprint, verdict: Verdict, actor: str, now: datetime,
          lasts: timedelta, key: Ed25519PrivateKey, waivers: Sequence[Waiver] = ()) -> str:
    """Sign an attestation and return its envelope as JSON text.

    Only an ``approved`` verdict is signed, or a ``conditional`` one whose every deciding rule somebody else has waived.
    It ends after `lasts`, or with the first rule that no waiver covers any more.

    Raises:
        AttestationError: ``attestation.verdict``, ``attestation.waiver``, ``attestation.same_actor``,
            ``attestation.term``, ``attestation.verdict_expired`` or ``attestation.fingerprint``.
    """
    waived = _waived(verdict, waivers, actor, now)
    if lasts <= timedelta(0):
        raise AttestationError("attestation.term", "it must hold for some time")
    if len(fingerprint.readable) < LEAST_TRAITS:
        raise AttestationError("attestation.fingerprint", f"only {len(fingerprint.readable)} of {len(TRAITS)} traits "
                               "could be read: too little to tell the device from another one later")
    if verdict.expires < now.date():
        raise AttestationError("attestation.verdict_expired", f"the verdict held until {verdict.expires}: judge again")
    ends = [now + min(lasts, LONGEST), *waived.values()]
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": device, "digest": {"sha256": fingerprint.digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "address": address, "fingerprint": fingerprint.to_json(), "read": list(fingerprint.readable),
            "unread": [name for name in TRAITS if name not in fingerprint.readable],
            "verdict": {"outcome": str(verdict.outcome), "policy": verdict.policy,
                        "policy_version": verdict.policy_version, "as_of": verdict.as_of.isoformat(),
                        "rules": list(verdict.rules)},
            "waived": list(waived), "lists": {v.id: f"{v.version} of {v.dated.isoformat()}" for v in verdict.lists},
            "issued": clock.stamp(now), "expires": clock.stamp(min(ends)), "actor": actor,
        },
    }
    return json.dumps(dsse.seal(json.dumps(statement, sort_keys=True).encode(), dsse.IN_TOTO, key))


def _waived(verdict: Verdict, waivers: Sequence[Waiver], actor: str, now: datetime) -> dict[str, datetime]:
    """The waived rules of a conditional verdict, each with the end of the longest waiver by somebody else."""
    if verdict.outcome is Outcome.APPROVED:
        return {}
    if verdict.outcome is not Outcome.CONDITIONAL or not verdict.rules:
        raise AttestationError("attestation.verdict", f"the verdict is {verdict.outcome}: {'; '.join(verdict.rules)}")
    waived = {}
    for rule in verdict.rules:
        mine = [w for w in waivers if w.rule == rule and w.holds(now)]
        if not mine:
            raise AttestationError("attestation.waiver", f"{rule} decides against the device and nobody has waived it")
        if not (others := [w.expires for w in mine if not same_person(w.actor, actor)]):
            raise AttestationError("attestation.same_actor", f"{actor} waived {rule}, so somebody else must approve")
        waived[rule] = max(others)
    return waived


def verify(envelope: str | bytes, *, trusted: Mapping[str, Ed25519PublicKey], now: datetime,
           revoked: Collection[str] = ()) -> Attestation:
    """A valid attestation, or the rule it breaks.

    Raises:
        AttestationError: ``attestation.key`` (no trusted key here), ``attestation.signature``,
            ``attestation.malformed``, ``attestation.revoked``, ``attestation.not_yet`` or ``attestation.expired``.
    """
    if not trusted:
        raise AttestationError("attestation.key", "there is no key here to check a signature with")
    try:
        opened = dsse.open_envelope(envelope, dsse.IN_TOTO, trusted)
    except dsse.EnvelopeError as error:
        rule = {"envelope.signature": "attestation.signature", "envelope.unknown_key": "attestation.key"}
        raise AttestationError(rule.get(error.rule, "attestation.malformed"), error.because) from error
    try:
        found = _read(opened.payload)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise AttestationError("attestation.malformed", "signed, but not a statement of this kind") from error
    if found.id in revoked:
        raise AttestationError("attestation.revoked", f"{found.id[:16]} was revoked")
    if now < found.issued - timedelta(minutes=5):
        raise AttestationError("attestation.not_yet", f"it holds from {clock.stamp(found.issued)} on: check the clock")
    if now >= found.expires:
        raise AttestationError("attestation.expired", f"it held until {clock.stamp(found.expires)}")
    return found


def _read(payload: bytes) -> Attestation:
    document: Any = json.loads(payload)
    if document["_type"] != STATEMENT or document["predicateType"] != PREDICATE:
        raise ValueError("another kind of statement")
    subject, predicate = document["subject"][0], document["predicate"]
    fingerprint = Fingerprint.from_json(predicate["fingerprint"])
    if subject["digest"]["sha256"] != fingerprint.digest:
        raise ValueError("the subject is not the fingerprint")
    issued, expires = (datetime.fromisoformat(predicate[name]) for name in ("issued", "expires"))
    if issued.tzinfo is None or expires.tzinfo is None:
        raise ValueError("a time without its zone")
    return Attestation(
        id=hashlib.sha256(payload).hexdigest(), device=str(subject["name"]), address=str(predicate["address"]),
        fingerprint=fingerprint, outcome=Outcome(predicate["verdict"]["outcome"]),
        policy=str(predicate["verdict"]["policy"]), issued=issued, expires=expires, actor=str(predicate["actor"]),
        waived=tuple(map(str, predicate["waived"])), lists={str(k): str(v) for k, v in predicate["lists"].items()})
