"""How every known standard fares over all findings of a report: a table a standard, a row a control.

Pure functions of one `Report`. Controls are ids without their text; an id that nobody held against the text of its
standard is marked, and a control that no check speaks to is counted as such and never as passed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reports.report import Report
from reports.words import plural
from rules import standards
from rules.standards import Control, Covered, Standard
from rules.vocabulary import Finding

__all__ = ["COVERED", "StandardCoverage", "coverage", "told"]

COVERED: Mapping[Covered, str] = {
    Covered.FAIL: "fail", Covered.NOT_ASSESSED: "not assessed", Covered.WAIVED: "waived", Covered.PASS: "pass",
    Covered.NOT_APPLICABLE: "not applicable", Covered.NO_CHECK: "no check",
}
"""How a control fares, in the order of the table."""


@dataclass(frozen=True, slots=True)
class StandardCoverage:
    """One standard over the whole report.

    Attributes:
        id, name, edition: which standard; the edition is empty where no file describes it.
        unverified: whether no control id was held against the text; single ids may be marked besides.
        counts: controls by how they fare, in the order of `COVERED`, zeros included.
        controls: every control, those to act on first.
    """

    id: str
    name: str
    edition: str
    unverified: bool
    counts: Mapping[str, int]
    controls: tuple[Control, ...]


def coverage(report: Report) -> tuple[StandardCoverage, ...]:
    """Every known standard, and those that only findings name; those with failed controls first."""
    findings = [finding for device in report.devices for finding in device.verdict.findings]
    known = standards.load()
    tables = [_table(one.standard, one.controls) for one in standards.coverage(findings)]
    tables += _strangers(findings, known)
    return tuple(sorted(tables, key=lambda one: (-one.counts[Covered.FAIL], -one.counts[Covered.NOT_ASSESSED],
                                                 one.counts[Covered.NO_CHECK] == len(one.controls), one.name)))


def _table(standard: Standard, controls: tuple[Control, ...]) -> StandardCoverage:
    return StandardCoverage(standard.standard, standard.name, standard.edition, standard.unverified,
                            _counts(controls), _sorted(controls))


def _strangers(findings: list[Finding], known: Mapping[str, Standard]) -> list[StandardCoverage]:
    """Standards that a finding names and no file describes: kept, with every id unverified."""
    said: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        for name, control in dict.fromkeys(finding.standards):
            if name not in known:
                said[name][control].append(finding)
    tables = []
    for name, found in said.items():
        controls = tuple(standards.control_of(control, mine, unverified=True) for control, mine in found.items())
        tables.append(StandardCoverage(name, name, "", unverified=True, counts=_counts(controls),
                                       controls=_sorted(controls)))
    return tables


def _counts(controls: tuple[Control, ...]) -> dict[str, int]:
    counted = Counter(control.covered for control in controls)
    return {str(covered): counted[covered] for covered in COVERED}


def _sorted(controls: tuple[Control, ...]) -> tuple[Control, ...]:
    """Worst first, else in the order of the standard."""
    order = list(COVERED)
    return tuple(sorted(controls, key=lambda one: order.index(one.covered)))


def told(one: StandardCoverage) -> str:
    """A standard in one line: ``2 fail, 5 not assessed, 25 without a check (of 32 controls)``."""
    parts = [f"{one.counts[covered]} {word if covered is not Covered.NO_CHECK else 'without a check'}"
             for covered, word in COVERED.items() if one.counts[covered]]
    return f"{', '.join(parts) or 'no control'} (of {plural(len(one.controls), 'control')})"
