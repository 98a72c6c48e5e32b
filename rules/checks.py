"""Checks: what may be wrong with a device, judged from what was seen and what was tried.

A check is a file in ``rules/data/checks``: what it needs, when it fails, what to do, which controls it serves, and its
own examples. Its condition is one plain field match or the name of a predicate of `rules.predicates`; there is no
expression language. A check ends in one of four ways, and silence is never a pass: what was not tried, or did not
answer, is ``not_assessed`` with the attempt's reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache

from pydantic import Field, model_validator

from rules import exposure, predicates_bearing, predicates_identity, predicates_login
from rules.destinations import Clouds
from rules.destinations import label as label_destinations
from rules.destinations import load as load_clouds
from rules.documents import Document, read_all
from rules.predicates import FIRMWARE_MONTHS, Case, Progress, Result
from rules.predicates_egress import PREDICATES
from rules.vocabulary import Basis, Conflict, Evidence, Finding, Identity, Kind, Severity, Status, Strength
from scanner.observation import Attempt, AttemptStatus, FieldValue, Observation, Reason

__all__ = ["Check", "Example", "See", "assess", "case_of", "load", "optional"]

_CAMERA_LIKE = (Kind.CAMERA, Kind.THERMAL, Kind.RECORDER, Kind.ENCODER, Kind.INTERCOM, Kind.HUB, Kind.UNKNOWN)
# Importing them registers their predicates.
_LOADED = (exposure, predicates_bearing, predicates_identity, predicates_login)
_EXAMPLE_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class See(Document):
    """A plain field match: one field of one transport, whole text, without regard to case."""

    transport: str
    field: str
    equals: tuple[str, ...]

    def result(self, case: Case) -> Result:
        """Fail where any value matches, pass where the field was seen without, else not assessed."""
        seen = [o for o in case.seen(self.transport) if o.values(self.field)]
        hits = [o for o in seen if {v.casefold() for v in o.values(self.field)} & {e.casefold() for e in self.equals}]
        if hits:
            return Result.fail(f"{self.transport} says {self.field} is {hits[0].text(self.field).lower()}", hits)
        if seen:
            return Result.passed(f"{self.transport} says {self.field} is {seen[0].text(self.field).lower()}", seen)
        return Result.unknown(f"no {self.transport} reply carried {self.field}")


class Need(Document):
    """One probe that must have been answered; with a `port`, on that port."""

    probe: str
    port: int | None = None


class Given(Document):
    """One line of an example: a probe that brought fields, or one that ended otherwise.

    Without a `probe` the fields were seen in passing. `failed` and `not_attempted` hold the reason.
    """

    probe: str = "passive"
    port: int | None = None
    transport: str | None = None
    fields: Mapping[str, str | int | bool | tuple[str, ...]] = Field(default_factory=dict)
    failed: Reason | None = None
    not_attempted: Reason | None = None


class Who(Document):
    """The identity an example is about; what is not named is unknown."""

    kind: Kind = Kind.CAMERA
    maker: str | None = None
    makers: tuple[str, ...] = ()
    brand: str | None = None
    model: str | None = None
    firmware: str | None = None
    disputed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()         # claims in which it contradicts itself (``mac serial duplicate``)
    components: tuple[str, ...] = ()        # slugs of chipsets it shows


class Example(Document):
    """An inline test of a check."""

    name: str
    identity: Who = Who()
    given: tuple[Given, ...] = ()
    expect: Status


class Check(Document):
    """One check as its file states it.

    Attributes:
        version: raised whenever the outcome can change; every finding carries it.
        applies_to: kinds it concerns; others are ``not_applicable``.
        makers: where given, only devices that one of these makers may have built are concerned.
        needs: probes that must have been answered before the check can pass.
        when_closed: what it means that a needed port is known to be closed.
        when_silent: what it means that a needed datagram brought no answer; by default that is no result.
        fails: a predicate's name, or a field match.
        optional: it needs more than a sweep's own looks: an option, a login, an earlier sweep. What it finds counts as
            ever; that it was not assessed is told and decides nothing.
        cannot_fail: it only says whether something could be assessed.
        unverified: standards whose control ids nobody could check against the text.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")
    version: int = Field(ge=1)
    dated: date
    title: str
    severity: Severity
    applies_to: tuple[Kind, ...] = _CAMERA_LIKE
    makers: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    when_closed: Status = Status.NOT_APPLICABLE
    when_silent: Status | None = None
    fails: str | See
    cannot_fail: bool = False
    optional: bool = False
    remedy: str
    standards: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    source: str
    tests: tuple[Example, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Check:
        if isinstance(self.fails, str) and self.fails not in PREDICATES:
            raise ValueError(f"no predicate is named {self.fails}")
        if missing := set(self.unverified) - set(self.standards):
            raise ValueError(f"marked unverified but not mapped: {', '.join(sorted(missing))}")
        if self.when_closed is Status.FAIL or self.when_silent in {Status.FAIL, Status.PASS}:
            raise ValueError("a closed port cannot fail a check, and silence cannot pass or fail one")
        return self

    def judge(self, case: Case) -> Result:
        """How this check ends for one device.

        A failure that was seen stands whatever else could not be tried; anything milder needs every probe answered.
        """
        if case.identity.kind not in self.applies_to:
            return Result(Status.NOT_APPLICABLE, f"does not concern a device of kind {case.identity.kind}")
        if self.makers and not set(self.makers) & {*case.identity.makers, case.identity.maker}:
            return Result(Status.NOT_APPLICABLE, f"concerns only devices made by {' or '.join(self.makers)}")
        result = PREDICATES[self.fails](case) if isinstance(self.fails, str) else self.fails.result(case)
        if result.status is Status.FAIL:
            return result
        progress = [(need, case.progress(need.probe, need.port)) for need in self.needs]
        for need, made in progress:
            if made.progress is Progress.UNFINISHED:
                return Result(Status.NOT_ASSESSED, f"{_name(need)}: {made.reason}")
        for need, made in progress:
            if made.progress is Progress.SILENT:
                return Result(self.when_silent or Status.NOT_ASSESSED, f"{_name(need)}: {made.reason}")
        for need, made in progress:
            if made.progress is Progress.CLOSED:
                return Result(self.when_closed, f"{_name(need)}: {made.reason}")
        return result

    def finding(self, case: Case) -> Finding:
        """The finding of this check on one device."""
        result = self.judge(case)
        facts = result.facts
        if self.unverified:
            facts = (*facts, ("control ids not verified", ", ".join(self.unverified)))
        return Finding(
            device=case.device, rule=self.id, rule_version=str(self.version), title=self.title, status=result.status,
            severity=self.severity, reason=result.reason,
            remedy=self.remedy if result.status in {Status.FAIL, Status.NOT_ASSESSED} else "", evidence=result.evidence,
            standards=tuple((standard, control) for standard, ids in self.standards.items() for control in ids),
            facts=facts,
        )

    def example(self, example: Example) -> Status:
        """How the check ends on one of its own examples; a test holds it to `Example.expect`."""
        return self.judge(_example_case(example)).status


def _name(need: Need) -> str:
    return need.probe if need.port is None else f"{need.probe} on port {need.port}"


def case_of(device: str, identity: Identity, observations: Sequence[Observation], attempts: Sequence[Attempt],
            firmware_months: int = FIRMWARE_MONTHS) -> Case:
    """What a predicate may look at: one device's own observations and attempts, and the channels it named."""
    return Case(
        device=device, identity=identity,
        observations=tuple(o for o in observations
                           if o.device == device or (o.transport == "channel" and o.text("recorder") == device)),
        attempts=tuple(a for a in attempts if a.device == device), firmware_months=firmware_months,
    )


def assess(device: str, identity: Identity, observations: Sequence[Observation], attempts: Sequence[Attempt],
           checks: Sequence[Check], clouds: Clouds | None = None,
           firmware_months: int = FIRMWARE_MONTHS) -> list[Finding]:
    """Every check's finding on one device, in the order of `checks`.

    ``egress`` observations are read against `clouds` first (default: the built-in ones). Firmware built more than
    `firmware_months` ago counts as old.
    """
    labelled = label_destinations(observations, load_clouds() if clouds is None else clouds)
    case = case_of(device, identity, labelled, attempts, firmware_months)
    return [check.finding(case) for check in checks]


@cache
def load() -> tuple[Check, ...]:
    """Every check under ``rules/data/checks``, by file name. Raises `rules.documents.DataError`."""
    return tuple(check for _, check in read_all("checks", Check))


@cache
def optional() -> frozenset[str]:
    """The ids of the checks that need more than a sweep's own looks."""
    return frozenset(check.id for check in load() if check.optional)


def _example_case(example: Example) -> Case:
    device, who = "192.0.2.10", example.identity
    observations, attempts = list[Observation](), list[Attempt]()
    for line in example.given:
        ids: tuple[str, ...] = ()
        if line.transport is not None:
            fields: dict[str, FieldValue] = dict(line.fields)
            owner = f"{device}#{fields['channel']}" if line.transport == "channel" else device
            seen = Observation.of(device=owner, transport=line.transport, probe=line.probe, port=line.port,
                                  at=_EXAMPLE_TIME, fields=fields, wire=repr(sorted(fields.items())).encode())
            observations.append(seen)
            ids = (seen.id,)
        if line.probe != "passive":
            reason = line.failed or line.not_attempted
            status = (AttemptStatus.FAILED if line.failed else
                      AttemptStatus.NOT_ATTEMPTED if line.not_attempted else AttemptStatus.COMPLETED)
            attempts.append(Attempt(device, line.probe, line.port, status, _EXAMPLE_TIME, reason, observations=ids))
    identity = Identity(
        device=device, maker=who.maker, maker_name=who.maker, brand=who.brand, model=who.model, firmware=who.firmware,
        kind=who.kind, makers=who.makers or ((who.maker,) if who.maker else ()),
        conflicts=(*((Conflict("maker", who.disputed, "as the example states"),) if who.disputed else ()),
                   *(Conflict(claim, (), "as the example states") for claim in who.conflicts)),
        evidence=tuple(Evidence("component", slug, Strength.NOTE, Basis.FIRMWARE, "example", "as the example states",
                                "example") for slug in who.components),
    )
    labelled = label_destinations(observations, load_clouds())
    return case_of(device, identity, labelled, attempts)
