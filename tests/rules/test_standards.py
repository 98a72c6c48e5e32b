"""Coverage of standards by findings, and the catalogue of checks that is made from the data."""

from pathlib import Path

import pytest

from rules import check_pages, checks, standards
from rules.advisory_findings import wording
from rules.standards import Covered, coverage
from rules.vocabulary import Finding, Severity, Status


def finding(status, rule="a.b", controls=(("etsi-303645", "5.6-1"),)):
    return Finding("10.0.0.5", rule, "1", "T", status, Severity.HIGH, "r", standards=controls)


def table(findings, name="etsi-303645"):
    found = next(one for one in coverage(findings) if one.standard.standard == name)
    return found, {control.id: control for control in found.controls}


@pytest.mark.parametrize(("statuses", "covered"), [
    ([Status.PASS, Status.FAIL, Status.NOT_ASSESSED], Covered.FAIL),
    ([Status.PASS, Status.NOT_ASSESSED], Covered.NOT_ASSESSED),
    ([Status.PASS, Status.WAIVED], Covered.WAIVED), ([Status.PASS, Status.NOT_APPLICABLE], Covered.PASS),
    ([Status.NOT_APPLICABLE], Covered.NOT_APPLICABLE), ([], Covered.NO_CHECK),
])
def test_the_worst_finding_decides_a_control(statuses, covered):
    _, controls = table([finding(status) for status in statuses])
    assert controls["5.6-1"].covered is covered


def test_what_no_check_speaks_to_is_said():
    found, controls = table([finding(Status.PASS)])
    assert controls["5.6-1"].checks == ("a.b",)
    assert controls["5.2-1"].covered is Covered.NO_CHECK
    assert sum(found.counts.values()) == len(found.controls)
    assert found.counts["pass"] == 1


def test_ids_that_are_not_verified_are_marked():
    _, controls = table([finding(Status.PASS, controls=(("uk-psti", "Sch.9"),))], "uk-psti")
    assert controls["Sch.9"].unverified
    assert not controls["Sch.1 para 1"].unverified
    assert all(c.unverified for c in table([], "iec-62443-4-2")[0].controls)


def test_every_control_a_check_names_is_one_of_its_standard():
    known = standards.load()
    named = [(check.id, standard, ids) for check in checks.load() for standard, ids in check.standards.items()]
    named += [("advisories", standard, ids) for standard, ids in wording().standards.items()]
    for rule, standard, ids in named:
        assert set(ids) <= set(known[standard].controls), (rule, standard)


@pytest.mark.parametrize("check", checks.load(), ids=lambda check: check.id)
def test_a_check_marks_the_standards_whose_ids_nobody_verified(check):
    doubtful = {name for name in check.standards if standards.load()[name].unverified}
    assert doubtful <= set(check.unverified)


def test_the_catalogue_is_fresh():
    written = Path(__file__).parents[2] / "docs" / "checks.md"
    fresh = check_pages.document()
    assert written.read_text(encoding="utf-8") == fresh, "run: python -m rules.check_pages > docs/checks.md"


def test_the_catalogue_names_every_check_and_standard():
    text = check_pages.document()
    assert all(f"### {check.id}\n" in text for check in checks.load())
    assert all(f"`{name}`" in text for name in standards.load())
