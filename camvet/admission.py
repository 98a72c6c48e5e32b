"""The gate's view of one site: what it asks, answered anew from the inventory, the keys and the live device.

Whatever goes wrong while answering is a refusal. The gate checks from threads of its own, and a check that ended in
anything but an answer must never look like one that passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from analytics import attestation
from analytics.attestation import AttestationError
from analytics.fingerprint import Fingerprint, of_observations
from analytics.gate import AttachOrder, Refused
from camvet.assessment import assess, policy_named
from camvet.baselines import Known, watched
from camvet.context import UsageError
from camvet.credentials import resolve_for
from camvet.inventory import Inventory
from camvet.keys import KeyStore
from camvet.rejections import RULE, Rejections
from camvet.waivers import Waivers
from rules.documents import DataError
from rules.vocabulary import Outcome, Verdict
from scanner import clock
from scanner.observation import AttemptStatus, Observation, Reason
from scanner.recognition import Recognition, anyone, recognise

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from camvet.edition import Edition
    from scanner.transport.exchange import PortMap
    from scanner.wire.auth import Credentials

__all__ = ["SiteWorld", "changed_since", "contradictions", "refuse_failed_login", "refuse_rejected", "refuse_unfit"]

MOST_LOST_LOGINS = 2
_LOGIN_REFUSED = frozenset({Reason.AUTH_REJECTED, Reason.AUTH_NOT_UNDERSTOOD, Reason.CLOCK_SKEW})
# Traits that show without a login and without luck: what had them when it was swept must have them when it is approved.
_STEADY = ("mac", "tls_key")


class SiteWorld:
    """`analytics.gate.World` over one inventory, for one camera.

    Args:
        inventory: devices, what was seen of them, revocations.
        keys: whose signatures count.
        envelope: the attestation the camera is held to; empty while there is none. A device that visibly differs from
            it is not offered the login.
        port_map: where a lab serves the well-known ports.
        neighbour_table: for a MAC that this machine cannot see itself.
        patience: how long a device that is recognised in part may leave the rest unsaid, as one does that is starting
            up or whose datagram was lost. Until then the gate is shut but the camera is not suspended.
        edition: keeps the rules those of the newest installed bundle, for a verb that runs for long.
    """

    def __init__(self, inventory: Inventory, keys: KeyStore, *, envelope: str = "", port_map: PortMap | None = None,
                 neighbour_table: Path | None = None, patience: timedelta = timedelta(),
                 edition: Edition | None = None) -> None:
        from scanner.transport.exchange import PortMap

        self._inventory, self._keys, self._envelope = inventory, keys, envelope
        self._ports, self._neighbours = port_map or PortMap(), neighbour_table
        self._patience, self._edition = patience, edition
        self._partial_since: datetime | None = None
        self._logins_lost = 0

    def now(self) -> datetime:
        """The time, UTC."""
        return clock.now()

    def trusted_keys(self) -> Mapping[str, Ed25519PublicKey]:
        """Every public key of this installation."""
        with _answering("attestation.key"):
            return self._keys.trusted()

    def revoked(self) -> Collection[str]:
        """The ids of revoked attestations."""
        with _answering("gate.inventory"):
            return self._inventory.gate.revoked()

    def verdict(self, device: str, policy: str) -> Verdict | None:
        """What was last seen of the device, judged with today's rule data for today; a rejection goes before it."""
        with _answering("gate.verdict"), self._edition.newest() if self._edition else nullcontext():
            found = self._inventory.newest_seen(device)
            if found is None:
                return None
            row, stored = found
            asked = row.document["scope"]
            seen = {one.key: (one.observations, one.attempts) for one in stored}
            today = clock.now().date()
            judged = assess(seen, policy=policy_named(policy), as_of=today, activity=asked["activity"],
                            purpose=asked["purpose"], known=Known.of(self._inventory, row.site, today),
                            watched_s=watched(row.document.get("captures", ())),
                            waive=Waivers.of(self._inventory, row.site).hook(seen, today,
                                                                             {one.key: one.id for one in stored}))
            verdict = next(one.verdict for one in judged if one.identity.device == stored[0].key)
            return Rejections.of(self._inventory, row.site).over(device, verdict, today)

    def read_fingerprint(self, order: AttachOrder) -> Fingerprint | None:
        """The traits the live device shows; ``None`` where nobody says anything at the address.

        Raises:
            Refused: ``gate.login_rejected``, ``gate.login_lost``; ``gate.unreachable`` while a device is given time
                to say the rest.
        """
        with _answering("attestation.key"):
            approved = self._approved()
        seen = self.read_live(order.device, order.address, self.login(order), approved)
        now = of_observations(seen.observations)
        if approved is not None and contradictions(approved, now):
            return now
        if not seen.present:
            self._partial_since = None            # it went down: what comes up again has its time anew
            return None
        refuse_failed_login(seen)
        self._count_lost_login(seen)
        if approved is not None:
            self._bear_with(approved, now, seen)
        return now

    def read_live(self, device: str, address: str, credentials: Credentials | None,
                  approved: Fingerprint | None = None) -> Recognition:
        """One live reading; the login is withheld from a device that contradicts `approved`."""
        with _answering("gate.inventory"):
            found = self._inventory.newest_seen(device)
        known = found[1][0].observations if found else ()

        def trusting(observations: Sequence[Observation]) -> bool:
            return approved is None or not contradictions(approved, of_observations(observations))

        with _answering("gate.unreachable"):
            return asyncio.run(recognise(address, known, credentials=credentials, port_map=self._ports,
                                         neighbour_table=self._neighbours,
                                         trusting=trusting if approved else anyone))

    def login(self, order: AttachOrder) -> Credentials | None:
        """The credentials behind the order's reference, for its address."""
        with _answering("gate.credentials"):
            return resolve_for(order.credentials, order.address)

    def ports(self) -> PortMap:
        """Where a lab serves the well-known ports."""
        return self._ports

    def _approved(self) -> Fingerprint | None:
        if not self._envelope:
            return None
        try:
            return attestation.verify(self._envelope, trusted=self._keys.trusted(), now=clock.now()).fingerprint
        except AttestationError as error:
            raise Refused(error.rule, error.because) from error

    def _count_lost_login(self, seen: Recognition) -> None:
        """A login without an answer may have been a wrong one: it is tried a second time, and not a third."""
        if seen.login is None or seen.login.status is AttemptStatus.COMPLETED:
            self._logins_lost = 0
        elif seen.login.status is AttemptStatus.FAILED:
            self._logins_lost += 1
        if self._logins_lost >= MOST_LOST_LOGINS:
            raise Refused("gate.login_lost", "the login went out and was not answered, more than once: it is not tried "
                          "again, since it may count as a wrong one")

    def _bear_with(self, approved: Fingerprint, now: Fingerprint, seen: Recognition) -> None:
        """Raise a passing refusal for a device that is recognised in part, until the patience is used up."""
        missing = [name for name in approved.readable if getattr(now, name) is None]
        same = [name for name in approved.readable if getattr(now, name) == getattr(approved, name)]
        if not missing or not same:
            self._partial_since = None
            return
        self._partial_since = self._partial_since or clock.now()
        if clock.now() - self._partial_since < self._patience:
            failed = [f"{one.probe} {one.reason}" for one in seen.attempts if one.status is AttemptStatus.FAILED]
            raise Refused("gate.unreachable", f"it showed its {', '.join(same)}, but not yet its {', '.join(missing)} "
                          f"({'; '.join(failed) or 'no reason known'})")


@contextmanager
def _answering(rule: str) -> Iterator[None]:
    """Whatever can fail while a question is answered refuses by `rule`."""
    try:
        yield
    except (UsageError, DataError, SQLAlchemyError, OSError) as error:
        raise Refused(rule, str(error).splitlines()[0]) from error


def refuse_failed_login(seen: Recognition) -> None:
    """Raise `Refused` where the one login was made and refused; a login that merely got lost is none."""
    login = seen.login
    if login is not None and login.status is AttemptStatus.FAILED and login.reason in _LOGIN_REFUSED:
        why = login.detail or "the device refused it"
        raise Refused("gate.login_rejected", f"the login was tried once and is not tried again ({login.reason}: {why})")


def refuse_rejected(inventory: Inventory, site: str, device: str) -> None:
    """Raise `Refused` where a person decided that the device stays out, before anything else is looked at."""
    found = Rejections.of(inventory, site).holding(device, clock.now().date())
    if found is not None:
        raise Refused(RULE, found.told)


def refuse_unfit(verdict: Verdict | None) -> Verdict:
    """The verdict, where it can be attested at all. Raises `Refused` with the policy's clause that decided."""
    if verdict is None:
        raise Refused("gate.unknown_device", "no sweep has seen the device")
    if verdict.outcome in (Outcome.APPROVED, Outcome.CONDITIONAL):
        return verdict
    rule = verdict.rules[0] if verdict.rules else "gate.verdict"
    raise Refused(rule, f"today's verdict is {verdict.outcome}: {verdict.reasons[0] if verdict.reasons else rule}")


def contradictions(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Traits that were read both times and differ: proof of another device, or of a changed one."""
    return [f"{name}: {getattr(before, name)} -> {getattr(now, name)}" for name in before.readable
            if getattr(now, name) not in (None, getattr(before, name))]


def changed_since(swept: Sequence[Observation], live: Sequence[Observation]) -> list[str]:
    """How what answers now differs from what was swept: a verdict is good only for what it was made of.

    Traits are compared source by source, since two protocols may spell one serial number differently.
    """
    found = []
    for transport in sorted({one.transport for one in swept}):
        before, now = (of_observations(one for one in side if one.transport == transport) for side in (swept, live))
        found += contradictions(before, now)
        found += [f"{name}: {getattr(before, name)} -> not readable" for name in before.readable
                  if name in _STEADY and getattr(now, name) is None]
    return found
