"""The tables: one row a device or a finding, and no cell that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_report import hostile, large, sample

from reports.formats import render
from reports.formats.csv import COLUMNS, cell


def rows(report, **options):
    return list(csv.DictReader(io.StringIO(render(report, "csv", **options).decode("utf-8"), newline="")))


def test_one_row_a_device_with_every_column():
    table = rows(sample())
    assert len(table) == 17
    assert tuple(table[0]) == COLUMNS["devices"]
    lorex = next(row for row in table if row["device"] == "10.20.0.14")
    assert (lorex["brand"], lorex["maker"], lorex["label_names_maker"], lorex["outcome"], lorex["assurance"]) == (
        "Lorex", "dahua", "other", "prohibited", "corroborated")
    assert (lorex["failed"], lorex["not_assessed"], lorex["passed"]) == ("1", "2", "3")
    assert lorex["prohibiting_effects"] == "US-889-A us_federal_agency prohibited"


def test_one_row_a_finding():
    table = rows(sample(), of="findings")
    assert tuple(table[0]) == COLUMNS["findings"]
    assert len(table) == sum(len(device.verdict.findings) for device in sample().devices)
    assert {"pass", "fail", "not_assessed", "not_applicable", "waived"} == {row["status"] for row in table}


def test_one_row_a_number_with_its_camera_and_how_far_to_trust_it():
    table = rows(sample(), of="monitoring")
    assert tuple(table[0]) == COLUMNS["monitoring"]
    assert len(table) == sum(len(series.points) for series in sample().monitoring.series)
    slow = next(row for row in table if row["overload"])
    assert (slow["device"], slow["state"], slow["app"], slow["metric"], slow["value"], slow["unit"]) == (
        "10.20.0.32", "attached", "people_count", "present_max", "19", "people")
    assert (slow["analysed_fps"], slow["dropped_pictures"], slow["brand"]) == ("1.9", "6", "Hanwha Vision")
    assert slow["overload"] == "analysed at 1.2 pictures a second at the slowest"
    assert "stand or sit still" in slow["method"]
    assert slow["quality"] == "frames: 1140"


def test_one_row_a_camera_at_the_gate_an_event_and_a_refusal():
    attached, events, refusals = (rows(sample(), of=of) for of in ("attached", "events", "refusals"))
    assert [(row["device"], row["state"], row["rule"]) for row in attached] == [
        ("10.20.0.34", "suspended", "gate.fingerprint"), ("10.20.0.31", "attached", ""),
        ("10.20.0.32", "attached", "")]
    assert attached[2]["waived"] == ("tls.self_signed by J. Ortiz until 2027-01-31T00:00:00.000Z: Accepted until the "
                                     "site's own authority is rolled out.")
    assert (attached[1]["maker"], attached[1]["model"]) == ("Axis Communications AB", "P3245-LVE")
    assert len(events) == 9
    assert {row["rule"] for row in refusals} == {"law.prohibited", "maker.self_reported", "egress.telemetry",
                                                 "gate.fingerprint"}


@pytest.mark.parametrize("of", list(COLUMNS))
def test_a_report_without_monitoring_has_the_same_columns(of):
    written = render(large(0), "csv", of=of).decode()
    assert next(csv.reader(io.StringIO(written))) == list(COLUMNS[of])


def test_one_row_a_source_an_unseen_device_and_an_unlisted_one():
    table = rows(sample(), of="census")
    assert [row["entry"] for row in table] == ["source", "not_seen", "not_seen", "source", "source", "not_seen",
                                               "unlisted"]
    counts = [(row["source"], row["known"], row["seen"], row["not_seen"], row["rows_not_read"]) for row in table
              if row["entry"] == "source"]
    assert counts == [("switch-3.txt", "19", "17", "2", "1"), ("dhcpd.leases", "12", "12", "0", "0"),
                      ("order-2026-031.csv", "8", "6", "2", "0")]
    silent = table[2]
    assert (silent["mac"], silent["address"], silent["where"], silent["row"]) == (
        "00:00:5E:00:53:51", "10.20.0.51", "Gi1/0/19", "19")
    assert (table[5]["not_seen"], table[5]["model"]) == ("2", "XNV-8080R")
    assert table[-1]["address"] == "10.20.0.77"


def test_a_sweep_that_nothing_was_held_against_has_no_empty_census():
    (row,) = rows(large(3), of="census")
    assert row["entry"] == "none"
    assert row["because"].startswith("Nothing was held against this sweep")


def test_other_addresses_of_a_device_stand_in_its_row():
    assert {row["device"]: row["also_at"] for row in rows(sample()) if row["also_at"]} == {
        "10.20.0.33": "10.20.0.113"}


def test_what_is_no_camera_is_counted_apart():
    assert [row["device"] for row in rows(sample()) if row["counted_as"] == "not_a_camera"] == ["10.20.0.90"]
    assert all(row["counted_as"] == row["outcome"] for row in rows(sample()) if row["device"] != "10.20.0.90")


def test_traffic_that_was_not_captured_does_not_read_as_silence():
    by_device = {row["device"]: row["destinations"] for row in rows(sample())}
    assert by_device["10.20.0.77"] == "not assessed"
    assert by_device["10.20.0.22"] == ""
    assert by_device["10.20.0.14"] == "p2p.easy4ipcloud.com 203.0.113.44"


@pytest.mark.parametrize(("value", "written"), [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t=1", "'⟨U+0009⟩=1"),
    ("\rx", "'⟨U+000D⟩x"), ("\nx", "'⟨U+000A⟩x"),
    ("  =1", "'  =1"), ("\u00a0=1", "'\u00a0=1"), ("\uff1d1", "'\uff1d1"), ("\u200b=1", "⟨U+200B⟩=1"), ("a=1", "a=1"),
    ("", ""), (None, ""), (3, "3"), ("'=1", "'=1"), ("02:DA:00", "02:DA:00"),
])
def test_formulas_are_defused(value, written):
    assert cell(value) == written


@given(st.text(st.characters()))
def test_no_cell_begins_like_a_formula(text):
    assert not cell(text).lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("of", list(COLUMNS))
def test_hostile_text_breaks_neither_rows_nor_cells(of):
    table = rows(hostile(), of=of)
    if of == "standards":
        assert {row["covered"] for row in table} <= {"fail", "no_check"}
    else:
        assert len(table) == len(hostile().devices) * {"findings": 5, "census": 3}.get(of, 1)
    for row in table:
        assert None not in row
        for value in row.values():
            assert not value.startswith(("=", "+", "-", "@"))
            assert value.isprintable() or "\u0301" in value or "\u00a0" in value
            assert len(value) < 32_767


def test_lines_end_as_the_rfc_says():
    written = render(sample(), "csv")
    assert written.count(b"\r\n") == 18
    assert written.replace(b"\r\n", b"").count(b"\n") == 0
