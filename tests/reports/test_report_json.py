"""The JSON form: fits its schema, says no more than the schema, and is safe to print."""

import json
from pathlib import Path

import jsonschema
import pytest
from sample_report import hostile, large, sample

from reports.formats import render

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text())


@pytest.mark.parametrize("report", [sample(), hostile(), large(0)], ids=["sample", "hostile", "empty"])
def test_the_document_fits_its_schema(report):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(render(report, "json")))


def undeclared(value, schema):
    """Names in `value` that the schema does not know, anywhere."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    for option in schema.get("anyOf", ()):
        if value is not None and option.get("type") != "null":
            yield from undeclared(value, option)
    if isinstance(value, dict):
        for name, item in value.items():
            if "properties" in schema:
                if name not in schema["properties"]:
                    yield name
                else:
                    yield from undeclared(item, schema["properties"][name])
    elif isinstance(value, list):
        for item in value:
            yield from undeclared(item, schema.get("items", {}))


def test_no_field_is_undocumented():
    document = json.loads(render(sample(), "json"))
    assert list(undeclared(document, SCHEMA)) == []
    assert list(undeclared({**document, "novel": 1}, SCHEMA)) == ["novel"]


def test_the_bytes_can_be_printed_in_a_terminal():
    written = render(hostile(), "json")
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in written)


def test_hostile_text_is_kept_whole():
    texts = {device["identity"]["model"] for device in json.loads(render(hostile(), "json"))["devices"]}
    assert "A" * 10_000 in texts
    assert "\x1b[2J\x1b]0;owned\x07" in texts
    assert "abc\u202egpj.exe" in texts


def test_times_are_utc_and_dates_are_days():
    document = json.loads(render(sample(), "json"))
    assert document["generated_at"] == "2026-11-22T09:41:00.000Z"
    assert document["as_of"] == "2026-11-22"
    assert document["silent"][0] == {"address": "10.20.0.9", "reasons": [{"reason": "unreachable", "count": 1}]}


def test_the_summary_says_what_the_devices_say():
    document = json.loads(render(sample(), "json"))
    outcomes = [device["verdict"]["outcome"] for device in document["devices"]
                if device["device"] not in document["summary"]["not_cameras"]]
    assert document["summary"]["not_cameras"] == ["10.20.0.90"]
    assert document["summary"]["outcomes"] == {name: outcomes.count(name) for name in document["summary"]["outcomes"]}
    assert document["summary"]["stale_lists"] == ["advisories"]


def test_what_was_sent_and_what_it_brought():
    document = json.loads(render(sample(), "json"))
    assert document["scope"]["sent"] == {"arp": 378, "syn": 0, "datagram": 156, "connection": 1204, "request": 391}
    assert document["summary"]["sent"] == {"total": 2129, "devices": 16, "devices_per_packet": round(16 / 2129, 6)}
    assert document["scope"]["opted_in"] == ["factory_logins", "snmp_public"]
    assert document["joined"][0]["also_at"] == ["10.20.0.113"]


def test_a_census_is_told_whole_or_as_nothing():
    told = json.loads(render(sample(), "json"))
    assert [(one["known"], one["seen"], one["unread"], len(one["unseen"])) for one in told["census"]["sources"]] == [
        (19, 17, 1, 2), (12, 12, 0, 0), (8, 6, 0, 1)]
    assert told["summary"]["census"] == (
        "4 devices of the 39 that 3 sources name were not seen by this sweep; 1 row could not be read. What no source "
        "knows and no sweep saw is not counted.")
    nothing = json.loads(render(large(0), "json"))
    assert nothing["census"] is None
    assert nothing["summary"]["census"].startswith("Nothing was held against this sweep")
    assert nothing["summary"]["sent"]["total"] == 2129


def test_monitoring_is_told_whole_or_as_nothing():
    told = json.loads(render(sample(), "json"))["monitoring"]
    assert [camera["state"] for camera in told["cameras"]] == ["suspended", "attached", "attached"]
    assert told["series"][0]["points"][0] == {
        "start": "2026-11-22T07:40:00.000Z", "end": "2026-11-22T07:50:00.000Z", "value": 4.0, "quality": [
            {"name": "method", "value": "counted by motion: people who stand or sit still are not held, and people who "
                                        "touch count as one"},
            {"name": "analysed_fps", "value": "5.0"}, {"name": "frames", "value": "3000"},
            {"name": "dropped_pictures", "value": "2"}]}
    assert json.loads(render(large(0), "json"))["monitoring"] is None
