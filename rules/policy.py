"""A policy turns what is known of a device into a verdict: named clauses, each with the outcome it leads to.

Every clause that applies is collected, and the worst outcome wins: prohibited, then undetermined, then conditional. An
approval is what is left when no clause applies, so whatever is missing can only make a verdict worse. Some clauses have
a floor that no policy file may go below: an unknown maker, a maker that rests on its own word, or an unfinished probe
never leads to an admission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from pydantic import Field, model_validator

from rules import advisory_findings, buyers
from rules.checks import optional
from rules.documents import Document, read_all
from rules.predicates import FIRMWARE_MONTHS, Progress, progress_of
from rules.vocabulary import (
    STALE_AFTER_DAYS,
    Assurance,
    Effect,
    Finding,
    Identity,
    Kind,
    ListVersion,
    Outcome,
    Overall,
    Severity,
    Status,
    Verdict,
)
from scanner.observation import Attempt

__all__ = ["MOST_MONTHS", "Clause", "Consequence", "Policies", "Policy", "decide", "is_outside_scope", "load",
           "with_firmware_months", "worst_overall"]


MOST_MONTHS = 240
_VARIANT = re.compile(r"(?P<base>[a-z][a-z0-9-]*):firmware_months=(?P<months>[1-9]\d{0,2})")


class Clause(StrEnum):
    """What a policy can decide on; every policy says what follows from each."""

    LAW_PROHIBITED = "law.prohibited"
    LAW_REVIEW = "law.review"                        # the law could not be applied without more facts, or was not asked
    LAW_RESTRICTED = "law.restricted"
    LAW_RED_FLAG = "law.red_flag"
    KIND_NOT_A_CAMERA = "kind.not_a_camera"
    KIND_UNKNOWN = "kind.unknown"
    MAKER_UNKNOWN = "maker.unknown"
    MAKER_SELF_REPORTED = "maker.self_reported"
    MAKER_DISPUTED = "maker.disputed"
    PROBE_UNFINISHED = "probe.unfinished"
    CHANNELS_UNASSESSED = "channels.unassessed"
    CHANNELS_PROHIBITED = "channels.prohibited"
    CHANNELS_UNDETERMINED = "channels.undetermined"
    CHANNELS_CONDITIONAL = "channels.conditional"
    FINDING_CRITICAL = "finding.critical"
    FINDING_HIGH = "finding.high"
    FINDING_MEDIUM = "finding.medium"
    FINDING_LOW = "finding.low"
    FINDING_REQUIRED_NOT_ASSESSED = "finding.required_not_assessed"
    FINDING_NOT_ASSESSED = "finding.not_assessed"
    FINDING_WAIVED = "finding.waived"
    ADVISORY_DISPUTED = "advisory.disputed"
    ADVISORY_UNKNOWN_EXPLOITED = "advisory.unknown_exploited"
    ADVISORY_UNKNOWN = "advisory.unknown"
    LISTS_STALE = "lists.stale"                      # judged by facts that are older than `STALE_AFTER_DAYS`


class Consequence(StrEnum):
    """What follows from a clause; ``note`` is said and decides nothing."""

    PROHIBITED = "prohibited"
    UNDETERMINED = "undetermined"
    CONDITIONAL = "conditional"
    NOTE = "note"


_WEIGHT = {Consequence.PROHIBITED: 3, Consequence.UNDETERMINED: 2, Consequence.CONDITIONAL: 1, Consequence.NOTE: 0}

# Promise 1 of the design, as a floor: a policy file that goes below it is refused when it is read.
_FLOOR: Mapping[Clause, Consequence] = {
    Clause.LAW_PROHIBITED: Consequence.PROHIBITED,
    Clause.LAW_REVIEW: Consequence.UNDETERMINED,
    Clause.KIND_NOT_A_CAMERA: Consequence.UNDETERMINED,
    Clause.KIND_UNKNOWN: Consequence.UNDETERMINED,
    Clause.MAKER_UNKNOWN: Consequence.UNDETERMINED,
    Clause.MAKER_SELF_REPORTED: Consequence.UNDETERMINED,
    Clause.MAKER_DISPUTED: Consequence.UNDETERMINED,
    Clause.PROBE_UNFINISHED: Consequence.UNDETERMINED,
    Clause.CHANNELS_UNASSESSED: Consequence.UNDETERMINED,
    Clause.CHANNELS_PROHIBITED: Consequence.CONDITIONAL,
    Clause.CHANNELS_UNDETERMINED: Consequence.CONDITIONAL,
    Clause.FINDING_CRITICAL: Consequence.CONDITIONAL,
    Clause.FINDING_REQUIRED_NOT_ASSESSED: Consequence.CONDITIONAL,
    Clause.ADVISORY_UNKNOWN_EXPLOITED: Consequence.CONDITIONAL,
}


class Policy(Document):
    """One buyer's rules for letting devices in.

    Attributes:
        buyers: roles whose law counts; of several the worst.
        expires_days: how long a verdict holds.
        answered: per kind, probes to which the device must have answered unless the port is known to be closed.
        tried: per kind, probes that must have been made; to these silence is an answer (a device that does not speak a
            discovery protocol is silent). A kind that is not named is held to what a camera is.
        assessed: checks that must have come to a result.
        clauses: what follows from each `Clause`; all of them must be named.
        firmware_max_age_months: firmware built longer ago counts as old (``firmware.old``).
    """

    policy: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    dated: date
    title: str
    buyers: tuple[str, ...] = Field(min_length=1)
    expires_days: int = Field(ge=1, le=366)
    answered: Mapping[Kind, tuple[str, ...]]
    tried: Mapping[Kind, tuple[str, ...]]
    assessed: tuple[str, ...]
    clauses: Mapping[Clause, Consequence]
    firmware_max_age_months: int = Field(default=FIRMWARE_MONTHS, ge=1, le=MOST_MONTHS)

    @model_validator(mode="after")
    def _sound(self) -> Policy:
        if missing := set(Clause) - set(self.clauses):
            raise ValueError(f"no consequence given for {', '.join(sorted(missing))}")
        for clause, floor in _FLOOR.items():
            if _WEIGHT[self.clauses[clause]] < _WEIGHT[floor]:
                raise ValueError(f"{clause} may not be milder than {floor}")
        if Kind.CAMERA not in self.answered or Kind.CAMERA not in self.tried:
            raise ValueError("answered and tried must say what a camera needs")
        return self

    def needs(self, kind: Kind) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The probes that must be answered and those that must be tried for one kind."""
        return (self.answered.get(kind, self.answered[Kind.CAMERA]), self.tried.get(kind, self.tried[Kind.CAMERA]))


@dataclass(frozen=True, slots=True)
class _Hit:
    clause: Clause
    reason: str


def decide(identity: Identity, findings: Sequence[Finding], effects: Sequence[Effect], attempts: Sequence[Attempt],
           policy: Policy, as_of: date, lists: Sequence[ListVersion], *, at_best: Overall = Overall.LEGAL,
           channels: Sequence[Verdict] = ()) -> Verdict:
    """The verdict on one device under one policy on one day.

    Args:
        identity: who it is.
        findings: every check's finding on it.
        effects: what the law says of each credible maker for the policy's buyers.
        attempts: what was tried on it.
        policy: the clauses to decide by.
        as_of: the day the lists are read for; the verdict expires `Policy.expires_days` later.
        lists: the editions of everything that was used.
        at_best: the mildest the law may come out, where the caller knows that it could not be applied in full.
        channels: verdicts on the cameras behind a recorder.
    """
    mine = [a for a in attempts if a.device == identity.device]
    overall = worst_overall([_overall(identity, effects), at_best])
    if identity.kind is Kind.OTHER:
        hits = [*_of_law(identity, effects, overall, only_prohibited=True), _Hit(
            Clause.KIND_NOT_A_CAMERA, "not a camera: outside the gate's scope, so there is nothing to admit")]
    else:
        hits = [*_of_law(identity, effects, overall), *_of_identity(identity), *_of_findings(findings, policy),
                *_of_channels(identity, findings, channels), *_of_probes(identity, mine, policy),
                *_of_lists(lists, as_of)]
    order = {clause: place for place, clause in enumerate(Clause)}
    hits.sort(key=lambda hit: (-_WEIGHT[policy.clauses[hit.clause]], order[hit.clause]))
    deciding = [hit for hit in hits if policy.clauses[hit.clause] is not Consequence.NOTE]
    outcome = Outcome(policy.clauses[deciding[0].clause]) if deciding else Outcome.APPROVED
    reasons = [hit.reason for hit in hits]
    if outcome is Outcome.APPROVED:
        reasons.insert(0, f"made by {identity.maker_name or identity.maker}, {identity.assurance}; every required "
                          "probe was answered and nothing found or listed stands against it")
    return Verdict(
        device=identity.device, outcome=outcome, policy=policy.policy, policy_version=str(policy.version), as_of=as_of,
        expires=as_of + timedelta(days=policy.expires_days), reasons=tuple(dict.fromkeys(reasons)),
        rules=tuple(dict.fromkeys(str(hit.clause) for hit in deciding)), findings=tuple(findings),
        effects=tuple(effects), overall=overall, lists=tuple(lists),
    )


def is_outside_scope(verdict: Verdict) -> bool:
    """Whether the verdict is that the thing is no camera: nothing is wrong with it, and nothing is to be admitted."""
    return tuple(verdict.rules) == (str(Clause.KIND_NOT_A_CAMERA),)


_LAW_CLAUSES = {
    Overall.PROHIBITED: Clause.LAW_PROHIBITED, Overall.REVIEW: Clause.LAW_REVIEW,
    Overall.RESTRICTED: Clause.LAW_RESTRICTED, Overall.LEGAL_RED_FLAG: Clause.LAW_RED_FLAG,
}
_FROM_BAD_TO_GOOD = (Overall.PROHIBITED, Overall.REVIEW, Overall.RESTRICTED, Overall.LEGAL_RED_FLAG, Overall.LEGAL)


def worst_overall(several: Iterable[Overall]) -> Overall:
    """The worst of several; of none at all it is `review`, since no law was asked."""
    return min(several, key=_FROM_BAD_TO_GOOD.index, default=Overall.REVIEW)


def _overall(identity: Identity, effects: Sequence[Effect]) -> Overall:
    return worst_overall(_amounts_to(e) for e in effects) if identity.maker else Overall.REVIEW


def _amounts_to(effect: Effect) -> Overall:
    return buyers.overall_of(effect.effect, binds=effect.binds_buyer)


def _of_law(identity: Identity, effects: Sequence[Effect], overall: Overall, *,
            only_prohibited: bool = False) -> Iterator[_Hit]:
    if not identity.maker:
        return      # there is no party to ask a law about; the clause on the unknown maker says so
    said = set[Clause]()
    # Of equally heavy laws the one that bound first is told first: it is the one a buyer should have known longest.
    for effect in sorted(effects, key=lambda one: (buyers.weight(one), one.effective_on or date.max, one.regime)):
        clause = _LAW_CLAUSES.get(_amounts_to(effect))
        if clause is not None and (clause is Clause.LAW_PROHIBITED or not only_prohibited):
            said.add(clause)
            cited = f" [{effect.citation}]" if effect.citation else ""
            yield _Hit(clause, f"{effect.name}: {effect.because}{cited}")
    clause = _LAW_CLAUSES.get(overall)
    if clause is not None and clause not in said and not only_prohibited:
        yield _Hit(clause, f"what the law says of {identity.maker_name or identity.maker} could not be settled")


def _of_identity(identity: Identity) -> Iterator[_Hit]:
    name = identity.maker_name or identity.maker
    if identity.maker is None or identity.assurance is Assurance.NONE:
        yield _Hit(Clause.MAKER_UNKNOWN, "nobody could tell who made it")
    elif identity.assurance is Assurance.SELF_REPORTED:
        yield _Hit(Clause.MAKER_SELF_REPORTED,
                   f"that {name} made it rests on its own word, on one signal, or is contradicted")
    if len(identity.makers) > 1 or any(c.claim == "maker" for c in identity.conflicts):
        yield _Hit(Clause.MAKER_DISPUTED, f"more than one maker is credible: {', '.join(identity.makers)}")
    if identity.kind is Kind.UNKNOWN:
        yield _Hit(Clause.KIND_UNKNOWN, "what kind of device it is could not be told")


def _of_probes(identity: Identity, attempts: Sequence[Attempt], policy: Policy) -> Iterator[_Hit]:
    if "#" in identity.device and not attempts:
        yield _Hit(Clause.PROBE_UNFINISHED, "known only by what its recorder says of it; it was not reached itself")
        return
    answered, tried = policy.needs(identity.kind)
    for probes, enough in ((answered, {Progress.ANSWERED, Progress.CLOSED}),
                           (tried, {Progress.ANSWERED, Progress.CLOSED, Progress.SILENT})):
        for probe in probes:
            made = progress_of(attempts, probe)
            if made.progress not in enough:
                yield _Hit(Clause.PROBE_UNFINISHED, f"required probe {probe}: {made.reason}")


_CHANNEL_CHECK = "recorder.channels_unseen"
_CHANNEL_CLAUSES = {
    Outcome.PROHIBITED: (Clause.CHANNELS_PROHIBITED, "prohibited"),
    Outcome.UNDETERMINED: (Clause.CHANNELS_UNDETERMINED, "undetermined"),
    Outcome.CONDITIONAL: (Clause.CHANNELS_CONDITIONAL, "conditional"),
}


def _of_channels(identity: Identity, findings: Sequence[Finding], channels: Sequence[Verdict]) -> Iterator[_Hit]:
    check = next((f for f in findings if f.rule == _CHANNEL_CHECK), None)
    unlooked = check is None and identity.kind is Kind.RECORDER and not identity.channels
    if unlooked or (check is not None and check.status is Status.NOT_ASSESSED):
        reason = check.reason if check is not None else "nobody looked for cameras behind it"
        yield _Hit(Clause.CHANNELS_UNASSESSED, f"the cameras behind this recorder are unknown: {reason}")
    judged = {verdict.device for verdict in channels}
    for channel in identity.channels:
        if channel.device not in judged:
            yield _Hit(Clause.CHANNELS_UNASSESSED, f"channel {channel.number} was not judged")
    for verdict in channels:
        if verdict.outcome in _CHANNEL_CLAUSES:
            clause, word = _CHANNEL_CLAUSES[verdict.outcome]
            yield _Hit(clause, f"the camera {verdict.device} behind it is {word}: {next(iter(verdict.reasons), '')}")


_SEVERITY_CLAUSES = {
    Severity.CRITICAL: Clause.FINDING_CRITICAL, Severity.HIGH: Clause.FINDING_HIGH,
    Severity.MEDIUM: Clause.FINDING_MEDIUM, Severity.LOW: Clause.FINDING_LOW,
}


def _of_findings(findings: Sequence[Finding], policy: Policy) -> Iterator[_Hit]:
    judged = {finding.rule for finding in findings}
    for missing in (rule for rule in policy.assessed if rule not in judged):
        yield _Hit(Clause.FINDING_REQUIRED_NOT_ASSESSED, f"{missing} was not judged at all")
    for finding in sorted(findings, key=lambda f: list(Severity).index(f.severity)):
        if finding.status is Status.FAIL and finding.severity in _SEVERITY_CLAUSES:
            yield _Hit(_SEVERITY_CLAUSES[finding.severity], f"{finding.title}: {finding.reason}")
        elif finding.status is Status.WAIVED:
            yield _Hit(Clause.FINDING_WAIVED, f"waived: {finding.title}: {finding.reason}")
        elif finding.status is Status.NOT_ASSESSED and finding.rule in policy.assessed:
            yield _Hit(Clause.FINDING_REQUIRED_NOT_ASSESSED, f"{finding.rule} not assessed: {finding.reason}")
        elif finding.status is Status.NOT_ASSESSED and finding.rule not in optional() | {_CHANNEL_CHECK}:
            yield _Hit(_not_assessed(finding), f"{finding.rule} not assessed: {finding.reason}")


def _of_lists(lists: Sequence[ListVersion], as_of: date) -> Iterator[_Hit]:
    for one in lists:
        if one.stale(as_of):
            yield _Hit(Clause.LISTS_STALE,
                       f"{one.name}: stale, the facts are of {one.dated}, {one.age_days(as_of)} days before {as_of} "
                       f"(the limit is {STALE_AFTER_DAYS}): no answer from them is current")


def _not_assessed(finding: Finding) -> Clause:
    """Advisories that are unknown or disputed have clauses of their own, so that a policy can let them pass by name."""
    if finding.rule == advisory_findings.DISPUTED:
        return Clause.ADVISORY_DISPUTED
    if finding.rule == advisory_findings.UNKNOWN:
        exploited = any(name == advisory_findings.EXPLOITED for name, _ in finding.facts)
        return Clause.ADVISORY_UNKNOWN_EXPLOITED if exploited else Clause.ADVISORY_UNKNOWN
    return Clause.FINDING_NOT_ASSESSED


class Policies(Mapping[str, Policy]):
    """Policies by name. ``private:firmware_months=36`` is ``private`` with that one number changed.

    The number is part of the name so that it is part of every verdict: whoever judges again by the name of a verdict's
    policy, be it months later or at the gate, judges by the same number.
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = dict(policies)

    def __getitem__(self, name: str) -> Policy:
        variant = _VARIANT.fullmatch(name)
        if variant is None or int(variant["months"]) > MOST_MONTHS:
            return self._policies[name]
        return self._policies[variant["base"]].model_copy(
            update={"policy": name, "firmware_max_age_months": int(variant["months"])})

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)


def with_firmware_months(name: str, months: int) -> str:
    """The name of the policy `name` with so many months for firmware, whatever it had before."""
    return f"{name.partition(':')[0]}:firmware_months={months}"


@cache
def load() -> Policies:
    """Every policy under ``rules/data/policies``, by name. Raises `rules.documents.DataError`."""
    return Policies({policy.policy: policy for _, policy in read_all("policies", Policy)})
