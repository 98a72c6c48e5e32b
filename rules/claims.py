"""Checks what somebody says of a device against what was seen of it: proven, not proven, or contradicted.

A claim is proven only for what was watched, for as long as it was watched and from where; the answer says all three. A
vendor's word proves nothing, and neither does silence: a device nobody saw is not shown to be offline. One observation
is enough to contradict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rules.destinations import Purpose, is_outside
from rules.predicates_egress import CONFIDENCE
from scanner.observation import Attempt, AttemptStatus, Observation

__all__ = ["KINDS", "LONG_ENOUGH_S", "Answer", "Claim", "Standing", "Watch", "check"]

LONG_ENOUGH_S = 24 * 3600.0
"""How long must be watched before absence is shown: devices update, synchronise and report once a day."""


class Standing(StrEnum):
    """How a claim stands."""

    PROVEN = "proven"
    NOT_PROVEN = "not_proven"
    CONTRADICTED = "contradicted"


class Claim(StrEnum):
    """What may be said of a device; the words are those of the command line."""

    NO_NETWORK = "no network connectivity"
    NO_OUTSIDE = "no outside connections"
    NO_CLOUD = "no cloud connection"
    NO_P2P = "no peer-to-peer access"
    NO_DATA = "no personal data stored"
    NO_FACES = "face recognition off"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a capture covers: how long, from where, and whether it is whole."""

    seconds: float
    vantage: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """How one claim stands, why, what it rests on, and within which bounds it holds."""

    claim: Claim
    standing: Standing
    because: str
    evidence: tuple[str, ...] = ()
    watched_s: float = 0.0
    vantage: str = ""


_ON_THE_WIRE = frozenset({"import", "channel"})          # what others say of a device is no packet of its own


def _any_packet(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in seen if o.transport not in _ON_THE_WIRE and o.text("state") not in {"closed", "filtered"}]


def _outside(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in seen if o.transport == "egress" and is_outside(o.text("destination"))]


def _cloud(seen: Sequence[Observation]) -> list[Observation]:
    harmless = {Purpose.NTP, Purpose.DNS, Purpose.LOCAL}
    return [o for o in _outside(seen)
            if o.text("cloud_of") or (o.text("purpose") and o.text("purpose") not in harmless)]


def _p2p(seen: Sequence[Observation]) -> list[Observation]:
    return [o for o in _outside(seen) if o.text("purpose") in {Purpose.P2P, Purpose.RELAY}
            or set(o.values("signs")) & (CONFIDENCE.keys() | {"stun"})]


@dataclass(frozen=True, slots=True)
class _Kind:
    against: Callable[[Sequence[Observation]], list[Observation]] | None
    by_capture: bool
    short_of: str


KINDS: Mapping[Claim, _Kind] = {
    Claim.NO_NETWORK: _Kind(_any_packet, False,
                            "silence where somebody listened does not show that it cannot speak; open "
                            "it, or keep it off every network"),
    Claim.NO_OUTSIDE: _Kind(_outside, True, ""),
    Claim.NO_CLOUD: _Kind(_cloud, False, "a destination whose owner is not known may be a cloud"),
    Claim.NO_P2P: _Kind(_p2p, False, "a peer-to-peer protocol whose form nobody published would not be recognised"),
    Claim.NO_DATA: _Kind(None, False, "what a device stores cannot be seen from the network"),
    Claim.NO_FACES: _Kind(None, False, "what a device computes cannot be seen from the network"),
}
"""What contradicts each claim, and why it may be beyond proof; only a claim of no outside traffic can be proven."""


def check(claim: Claim, observations: Sequence[Observation], attempts: Sequence[Attempt], watch: Watch
          | None) -> Answer:
    """How a claim stands for one device.

    Args:
        claim: what is said.
        observations: everything seen of this device, the ``egress`` ones labelled by `rules.destinations.label`.
        attempts: what was tried on it; a capture counts only where it saw the device.
        watch: what the captures cover; None where there are none.
    """
    kind = KINDS[claim]
    seconds, vantage = (watch.seconds, watch.vantage) if watch else (0.0, "")
    against = kind.against(observations) if kind.against else []
    if against:
        return Answer(claim, Standing.CONTRADICTED, f"{len(against)} observations say otherwise: {_shown(against)}",
                      tuple(o.id for o in against), seconds, vantage)
    because = _short(kind, attempts, watch)
    if because:
        return Answer(claim, Standing.NOT_PROVEN, because, (), seconds, vantage)
    seen = tuple(o.id for o in observations if o.transport == "egress")
    return Answer(claim, Standing.PROVEN, f"none was seen in {seconds / 3600:.1f} hours from {vantage}; beyond that "
                  "nothing is said", seen, seconds, vantage)


def _short(kind: _Kind, attempts: Sequence[Attempt], watch: Watch | None) -> str:
    """Why the claim is not proven; empty where it is."""
    if not kind.by_capture:
        return kind.short_of
    if watch is None:
        return "no capture was given"
    if not watch.complete:
        return "the capture is not whole"
    if not any(a.probe == "egress.capture" and a.status is AttemptStatus.COMPLETED for a in attempts):
        return "the capture shows no packet of this device, so it was not where the device speaks"
    if watch.seconds < LONG_ENOUGH_S:
        return (f"watched for {watch.seconds / 3600:.1f} hours only; what a device does once a day needs "
                f"{LONG_ENOUGH_S / 3600:.0f}")
    return ""


def _shown(against: Sequence[Observation]) -> str:
    texts = dict.fromkeys(
        f"{(o.values('names') or (o.text('destination'),))[0]}:{o.port or 0}/{o.text('protocol')}"
        if o.transport == "egress" else f"{o.transport} by {o.probe}" for o in against)
    return ", ".join(list(texts)[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
