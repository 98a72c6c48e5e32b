"""Fresh advisories: KEV, CVE 5.x and CSAF 2.0, whole, broken and cut in half."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import advisories
from rules.advisories import State
from rules.advisory_imports import merged, read_csaf, read_cve, read_kev
from rules.advisory_text import read_bounds

DAY = date(2026, 11, 22)


def kev_row(cve="CVE-2024-7029", added="2026-01-02"):
    return {"cveID": cve, "dateAdded": added, "dueDate": "2026-01-23", "knownRansomwareCampaignUse": "Unknown"}


def cve_record(cve="CVE-2026-0001", vendor="Axis", versions=None, state="PUBLISHED"):
    return {"cveMetadata": {"cveId": cve, "state": state}, "containers": {"cna": {
        "affected": [{"vendor": vendor, "product": "M9", "versions": versions or [
            {"version": "12.0", "lessThan": "12.4", "status": "affected"},
            {"version": "11.0", "status": "unaffected"}]}],
        "metrics": [{"cvssV3_1": {"baseScore": 7.5}}]}}}


def csaf_record(cve="CVE-2026-0002", text="<=1.2.3"):
    return {"document": {"tracking": {"id": "ICSA-26-001-01"}}, "product_tree": {"branches": [
        {"category": "vendor", "name": "Vivid", "branches": [{"category": "product_name", "name": "VC1", "branches": [
            {"category": "product_version_range", "name": text, "product": {"product_id": "P1"}}]}]}]},
        "vulnerabilities": [{"cve": cve, "product_status": {"known_affected": ["P1"]},
                             "scores": [{"cvss_v3": {"baseScore": 9.1}}]}]}


def as_bytes(value):
    return json.dumps(value).encode()


def status(book, maker, model, firmware, cve):
    return next(r for r in book.results([maker], model, firmware) if r.cve == cve).status


def test_kev_marks_what_is_held():
    read = read_kev(as_bytes({"vulnerabilities": [kev_row()]}), "kev.json")
    book, problems = merged(advisories.load(), read, DAY)
    assert problems == []
    result = next(r for r in book.results(["avtech"], "AVM1203", "x") if r.cve == "CVE-2024-7029")
    assert result.kev == date(2026, 1, 2)


def test_kev_cut_in_half_gives_the_whole_entries_and_says_so():
    data = as_bytes({"vulnerabilities": [kev_row(), kev_row("CVE-2025-12592"), kev_row("CVE-2025-31700")]})
    read = read_kev(data[:len(data) - 60], "kev.json")
    assert list(read.kev) == ["CVE-2024-7029", "CVE-2025-12592"]
    assert "cut short" in read.problems[0]
    assert read.problems[1] == "kev.json: entry 3 (CVE-2025-31700) is cut short and was not read"
    assert not read.catalogue


def test_a_kev_entry_broken_in_the_middle_is_named_and_the_rest_goes_on():
    data = as_bytes({"vulnerabilities": [kev_row(), kev_row("CVE-2025-12592"), kev_row("CVE-2025-31700")]})
    read = read_kev(data.replace(b'"CVE-2025-12592", "dateAdded": "2026-01-02"', b'"CVE-2025-12592", "dateAdded": 20-'),
                    "kev.json")
    assert list(read.kev) == ["CVE-2024-7029", "CVE-2025-31700"]
    assert read.problems[1] == "kev.json: entry 2 (CVE-2025-12592) is broken and was not read"


@pytest.mark.parametrize(("rows", "says"), [
    ([kev_row("no cve")], "entry 1 (no cve)"), ([kev_row(added="yesterday")], "entry 1 (CVE-2024-7029)"),
    ([7], "entry 1 (no id)"), ([], "no list of vulnerabilities"),
])
def test_a_broken_kev_entry_is_named_and_the_rest_goes_on(rows, says):
    read = read_kev(as_bytes({"vulnerabilities": [*rows, *([kev_row("CVE-2020-0001")] if rows else [])]}), "kev.json")
    assert says in read.problems[0]
    assert list(read.kev) == (["CVE-2020-0001"] if rows else [])


def test_a_cve_record_is_compared_in_its_makers_form():
    read = read_cve(as_bytes(cve_record()), "a.json")
    book, problems = merged(advisories.load(), read, DAY)
    assert problems == []
    assert status(book, "axis", "M9", "12.3.9", "CVE-2026-0001") is State.AFFECTED
    assert status(book, "axis", "M9", "12.4", "CVE-2026-0001") is State.NOT_AFFECTED
    assert status(book, "axis", "P1", "12.3", "CVE-2026-0001") is State.UNKNOWN


def test_words_that_cannot_be_read_are_kept_and_answer_unknown():
    words = cve_record(versions=[{"version": "all before the spring release", "status": "affected"}])
    read = read_cve(as_bytes(words), "a")
    book, _ = merged(advisories.load(), read, DAY)
    assert status(book, "axis", "M9", "12.3", "CVE-2026-0001") is State.UNKNOWN


def test_circular_ranges_are_named_and_kept_as_words():
    bad = cve_record(versions=[{"version": "12.4", "lessThan": "12.0", "status": "affected"}])
    book, problems = merged(advisories.load(), read_cve(as_bytes(bad), "a.json"), DAY)
    assert any("CVE-2026-0001: circular range" in problem for problem in problems)
    assert status(book, "axis", "M9", "12.1", "CVE-2026-0001") is State.UNKNOWN


def test_a_rejected_record_is_set_aside_with_its_reason():
    read = read_cve(as_bytes(cve_record(state="REJECTED")), "a.json")
    assert read.records == []
    assert read.set_aside == {"CVE-2026-0001": "rejected by its CNA"}


def test_a_source_beside_what_is_held_adds_nothing_twice_and_contradicts_to_disputed():
    before = advisories.load()
    assert status(before, "axis", "M9", "11.2.10", "CVE-2024-0066") is State.AFFECTED
    denies = cve_record("CVE-2024-0066", versions=[{"version": "10.0", "lessThan": "11.0", "status": "affected"}])
    book, problems = merged(before, read_cve(as_bytes(denies), "a.json"), DAY, named="fresh of today")
    assert problems == []
    assert len(book) == len(before)
    result = next(r for r in book.results(["axis"], "M9", "11.2.10") if r.cve == "CVE-2024-0066")
    assert result.status is State.DISPUTED
    assert "cna, fresh of today: 11.2.10 is not older than 11.0" in result.because
    assert "CVE record CVE-2024-0066 in fresh of today" in result.source
    assert status(book, "axis", "M9", "10.5.1", "CVE-2024-0066") is State.AFFECTED


def test_a_rejected_record_that_is_held_is_disputed_and_said():
    before = advisories.load()
    book, problems = merged(before, read_cve(as_bytes(cve_record("CVE-2024-0066", state="REJECTED")), "a"), DAY)
    assert any("CVE-2024-0066 is held for axis and set aside" in problem for problem in problems)
    assert status(book, "axis", "M9", "11.2.10", "CVE-2024-0066") is State.DISPUTED


def test_a_csaf_file_of_a_new_vendor():
    read = read_csaf(as_bytes(csaf_record()), "c.json")
    book, problems = merged(advisories.load(), read, DAY)
    assert problems == []
    assert status(book, "vivid", "VC1", "1.2.3", "CVE-2026-0002") is State.AFFECTED
    assert status(book, "vivid", "VC1", "1.2.4", "CVE-2026-0002") is State.NOT_AFFECTED


@pytest.mark.parametrize(("reader", "value", "says"), [
    (read_cve, {}, "no CVE record"), (read_cve, [1], "expected an object"),
    (read_cve, {"cveMetadata": {"cveId": "CVE-2026-1234"}}, "names no affected product"),
    (read_csaf, {}, "has no vulnerabilities"),
    (read_csaf, {"vulnerabilities": [{"cve": "nonsense"}]}, "vulnerability 1 has no CVE id"),
    (read_csaf, {"vulnerabilities": [{"cve": "CVE-2026-1234", "product_status": {"known_affected": ["gone"]}}]},
     "names no product"),
])
def test_a_malformed_record_is_one_clear_line(reader, value, says):
    read = reader(as_bytes(value), "file.json")
    assert says in read.problems[0]
    assert read.problems[0].startswith("file.json")
    assert read.records == []


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    for reader in (read_kev, read_cve, read_csaf):
        assert reader(data, "x").records == []


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=8) | st.integers(),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
                        "cveMetadata", "cveId", "containers", "cna", "affected", "versions", "vulnerabilities", "cve",
                        "product_tree", "branches", "document", "tracking", "id", "adp", "cveID", "dateAdded"]), inner,
                        max_size=4), max_leaves=30))
def test_no_shape_of_json_raises(value):
    for reader in (read_kev, read_cve, read_csaf):
        assert isinstance(reader(as_bytes(value), "x").problems, list)


@pytest.mark.parametrize(("text", "bounds"), [
    ("<= 1.2", {"until": "1.2"}), ("< 1.2", {"before": "1.2"}), ("0 < 1.2", {"before": "1.2"}),
    ("1.0 < 1.2", {"since": "1.0", "before": "1.2"}), (">= 1.03|<=4.02", {"since": "1.03", "until": "4.02"}),
    ("3.05.62 and prior versions", {"until": "3.05.62"}), ("Prior to version 1.41.16", {"before": "1.41.16"}),
    ("vers:all/*", {"every": True}), ("All versions", {"every": True}), ("0 < *", {"every": True}),
    ("AXIS OS 10.5 \u2013 11.5", {"since": "10.5", "until": "11.5"}), ("1.0; 1.1", {"exact": ("1.0", "1.1")}),
    ("NVR4XXX Versions which Build time before 2023/12/13", {"before": "build 2023/12/13"}),
    ("V4.30.096build221220 and the versions prior to it", {"until": "V4.30.096build221220"}),
    ("3.15.1", {"exact": ("3.15.1",)}), ("many", None), ("-", None), ("see the vendor's notice of 2024", None),
    ("<" * 500, None), ("", None),
])
def test_words_on_versions(text, bounds):
    assert read_bounds(text) == bounds
