"""Which controls of a standard the findings speak to: pass, fail or not assessed, for one device or a whole site.

A check maps to control ids and nowhere else. A control that no check speaks to is said to be so, and ids that nobody
could hold against the text of the standard are marked. No control text is repeated: ids only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from pydantic import Field

from rules.documents import Document, read_all
from rules.vocabulary import Finding, Status

__all__ = ["Control", "Coverage", "Covered", "Standard", "control_of", "coverage", "load"]


class Standard(Document):
    """One standard as its file states it; ``unverified`` marks ids that nobody held against its text."""

    standard: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str
    edition: str
    dated: date
    unverified: bool = False
    controls: tuple[str, ...] = Field(min_length=1)
    source: str


class Covered(StrEnum):
    """How a control fares over all findings, from bad to good; ``no_check`` is nobody's business here."""

    FAIL = "fail"
    NOT_ASSESSED = "not_assessed"
    WAIVED = "waived"
    PASS = "pass"  # noqa: S105 - a status, not a password
    NOT_APPLICABLE = "not_applicable"
    NO_CHECK = "no_check"


@dataclass(frozen=True, slots=True)
class Control:
    """One control: how it fares, by which checks, on how many findings of each status."""

    id: str
    covered: Covered
    checks: tuple[str, ...] = ()
    counts: Mapping[str, int] | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """One standard: every control of it, and how many fare how."""

    standard: Standard
    controls: tuple[Control, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Controls by how they fare, in the order of `Covered`, zeros included."""
        found = Counter(control.covered for control in self.controls)
        return {str(covered): found[covered] for covered in Covered}


_WORST_FIRST = {Status.FAIL: Covered.FAIL, Status.NOT_ASSESSED: Covered.NOT_ASSESSED, Status.WAIVED: Covered.WAIVED,
                Status.PASS: Covered.PASS, Status.NOT_APPLICABLE: Covered.NOT_APPLICABLE}


def coverage(findings: Iterable[Finding], standards: Iterable[Standard] | None = None) -> list[Coverage]:
    """Every standard with every control of it, under all findings given; the worst finding decides a control.

    A control id that a finding names and the standard's file does not is kept, at the end and marked unverified.
    """
    said: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        for named in dict.fromkeys(finding.standards):
            said[named].append(finding)
    tables = []
    for standard in load().values() if standards is None else standards:
        strange = [control for name, control in said if name == standard.standard and control not in standard.controls]
        tables.append(Coverage(standard, tuple(
            control_of(control, said.get((standard.standard, control), []),
                     unverified=standard.unverified or control not in standard.controls)
            for control in (*standard.controls, *sorted(set(strange))))))
    return tables


def control_of(control: str, findings: Sequence[Finding], *, unverified: bool) -> Control:
    """How one control fares under the findings that name it; the worst of them decides."""
    statuses = Counter(finding.status for finding in findings)
    covered = next((covered for status, covered in _WORST_FIRST.items() if statuses[status]), Covered.NO_CHECK)
    return Control(control, covered, tuple(sorted({finding.rule for finding in findings})),
                   {str(status): count for status, count in sorted(statuses.items())}, unverified)


@cache
def load() -> Mapping[str, Standard]:
    """Every standard under ``rules/data/standards``, by id. Raises `rules.documents.DataError`."""
    return {standard.standard: standard for _, standard in read_all("standards", Standard)}
