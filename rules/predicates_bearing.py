"""Predicates on how a device bore the sweep itself: one that falls silent under a handful of questions is a finding."""

from __future__ import annotations

from rules.predicates import Case, Result, predicate
from scanner.observation import AttemptStatus, Reason

__all__: list[str] = []

_BEARING = "interview.bearing"
_SILENCE = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.RESET, Reason.UNREACHABLE})
_SHOWN = 4


@predicate
def it_stopped_answering(case: Case) -> Result:
    """It answered at first, then two questions in a row failed, or a port that was open no longer opened."""
    end = next((a for a in reversed(case.attempts) if a.probe == _BEARING), None)
    if end is None:
        return Result.unknown("nobody interviewed it")
    if end.status is AttemptStatus.COMPLETED:
        return Result.passed("it still answered when the interview was over")
    if end.reason is not Reason.CIRCUIT_OPEN or end.status is AttemptStatus.NOT_ATTEMPTED:
        return Result.unknown(end.detail or "it was not asked")
    unasked = sum(a.reason is Reason.CIRCUIT_OPEN and a.status is AttemptStatus.NOT_ATTEMPTED for a in case.attempts)
    failed = [a for a in case.attempts if a.status is AttemptStatus.FAILED and a.reason in _SILENCE]
    facts = [(f"no answer to {a.probe}" + (f" on port {a.port}" if a.port else ""), a.detail or str(a.reason))
             for a in failed[-_SHOWN:]]
    spoken = [o for o in case.observations if o.transport not in ("link", "egress", "label", "channel")]
    rest = f"; it was left alone and {unasked} questions were not asked" if unasked else "; it was left alone"
    return Result.fail(f"{end.detail}{rest}", spoken[-1:], facts)
