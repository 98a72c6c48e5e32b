"""One value, many formats: no device, finding, effect or evidence of one is missing in another."""

import csv
import io
import json

import pytest
from lxml import html
from sample_report import hostile, sample

from reports.formats import render
from reports.formats.csv import COLUMNS, cell
from reports.text import brief, clean, sentence
from reports.words import OPTED_IN, SENT


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module", params=[sample, hostile], ids=["sample", "hostile"])
def forms(request):
    report = request.param()
    tables = {of: list(csv.DictReader(io.StringIO(render(report, "csv", of=of).decode(), newline="")))
              for of in COLUMNS}
    tree = html.document_fromstring(render(report, "html").decode())
    articles = {one.xpath("header/h3/bdi")[0].text_content(): one for one in tree.xpath("//article")}
    return json.loads(render(report, "json")), tables, articles, tree


def test_every_device_is_in_every_format(forms):
    document, tables, articles, tree = forms
    keys = [device["device"] for device in document["devices"]]
    assert keys == [row["device"] for row in tables["devices"]] == list(articles)
    assert keys == [one.text_content() for one in tree.xpath("//tr[@data-outcome]/th//bdi")]
    outcomes = [device["verdict"]["outcome"] for device in document["devices"]]
    assert outcomes == [row["outcome"] for row in tables["devices"]]
    told = ["not_a_camera" if one == "outside" else one for one in tree.xpath("//tr/@data-outcome")]
    assert told == [row["counted_as"] for row in tables["devices"]]
    assert [key for key, one in zip(keys, told, strict=True) if one == "not_a_camera"] == document["summary"][
        "not_cameras"]


def test_every_finding_is_in_every_format(forms):
    document, tables, articles, _ = forms
    expected = [(device["device"], finding["rule"], finding["status"]) for device in document["devices"]
                for finding in device["verdict"]["findings"]]
    assert expected
    assert expected == [(row["device"], row["rule"], row["status"]) for row in tables["findings"]]
    for device in document["devices"]:
        codes = {code.text_content() for code in articles[device["device"]].xpath(".//code")}
        text = squeezed(articles[device["device"]].text_content())
        for finding in device["verdict"]["findings"]:
            assert finding["rule"] in codes
            assert squeezed(clean(finding["title"])) in text
            if finding["status"] in ("fail", "not_assessed", "waived"):
                assert squeezed(clean(finding["reason"])) in text


def test_every_piece_of_evidence_and_every_effect_is_in_the_page(forms):
    document, _, articles, tree = forms
    law = squeezed(tree.xpath("//section[@id='law']")[0].text_content())
    for device in document["devices"]:
        text = squeezed(articles[device["device"]].text_content())
        for evidence in device["identity"]["evidence"]:
            assert squeezed(clean(evidence["because"])) in text
            assert squeezed(clean(evidence["signal"])) in text
            assert all(squeezed(clean(one)) in text for one in evidence["observations"])
        for effect in device["verdict"]["effects"]:
            assert squeezed(clean(effect["name"])) in text
            if effect["effect"] != "none":
                assert squeezed(clean(effect["citation"])) in law
                assert squeezed(clean(effect["because"])) in law


def test_every_attempt_that_did_not_complete_is_in_the_page(forms):
    document, tables, articles, _ = forms
    for device, row in zip(document["devices"], tables["devices"], strict=True):
        undone = [attempt for attempt in device["attempts"] if attempt["status"] != "completed"]
        assert int(row["attempts_unfinished"]) == len(undone)
        text = squeezed(articles[device["device"]].text_content())
        assert all(squeezed(clean(attempt["probe"])) in text for attempt in undone)


def test_lists_limits_and_silence_are_in_the_page(forms):
    document, _, _, tree = forms
    text = squeezed(tree.text_content())
    for told in (*document["limits"], document["legal_note"], *(one["version"] for one in document["lists"]),
                 *(one["address"] for one in document["silent"]), *(one["address"] for one in document["foreign"]),
                 *(one["what"] for one in document["dropped"]), *document["summary"]["sentences"],
                 *document["summary"]["next_steps"], document["summary"]["headline"]):
        assert squeezed(clean(told)) in text


def test_every_unseen_device_is_in_every_format(forms):
    document, tables, _, tree = forms
    section = squeezed(tree.xpath("//section[@id='census']")[0].text_content())
    told = [one for source in document["census"]["sources"] for one in source["unseen"]]
    table = [row for row in tables["census"] if row["entry"] == "not_seen"]
    assert len(told) == len(tree.xpath("//ul[@class='unseen']/li")) == len(table) > 0
    for unseen, row in zip(told, table, strict=True):
        assert squeezed(clean(unseen["because"])) in section
        for name in ("mac", "address", "serial", "name", "model", "manufacturer", "where", "when"):
            assert squeezed(clean(unseen[name], 40)[:40]) in section
            assert defused(row[name]) == clean(unseen[name], 4000)
    names = [source["source"] for source in document["census"]["sources"] for _ in source["unseen"]]
    assert [row["source"] for row in table] == [cell(name) for name in names]


def test_what_was_sent_and_asked_for_is_in_the_page(forms):
    document, _, _, tree = forms
    section = squeezed(tree.xpath("//section[@id='scope']")[0].text_content())
    for kind, count in document["scope"]["sent"].items():
        assert squeezed(clean(SENT.get(kind, kind))) in section
        assert f"{count:,}" in section
    for name in document["scope"]["opted_in"]:
        assert squeezed(clean(OPTED_IN.get(name, name))) in section
    for one in document["joined"]:
        assert squeezed(clean(one["because"])) in section
        assert all(squeezed(clean(other)) in section for other in one["also_at"])


def test_every_camera_at_the_gate_is_in_every_format(forms):
    document, tables, _, tree = forms
    told = document["monitoring"]["cameras"]
    rows = tree.xpath("//tr[@data-state]")
    assert len(told) == len(rows) == len(tables["attached"])
    for camera, row, cells in zip(told, rows, tables["attached"], strict=True):
        text = squeezed(row.text_content())
        assert row.get("data-state") == camera["state"] == cells["state"]
        for name in ("device", "purpose", "dpia", "attestation", "approved_by", "inventory_id", "rule", "model"):
            assert squeezed(clean(camera[name])) in text
            assert defused(cells[name]) == clean(camera[name], 4000)
        for waived in camera["waived"]:
            assert squeezed(clean(waived["rule"])) in text
            assert squeezed(clean(waived["reason"])) in text
            assert squeezed(clean(waived["actor"])) in text
        assert camera["until"].startswith(cells["until"][:10])
        assert all(squeezed(clean(app)) in text for app in camera["apps"])


def defused(cell: str) -> str:
    return cell.removeprefix("'")


def test_every_number_is_in_every_format(forms):
    document, tables, _, tree = forms
    points = [(series, point) for series in document["monitoring"]["series"] for point in series["points"]]
    assert len(points) == len(tables["monitoring"]) > 0
    section = squeezed(tree.xpath("//section[@id='monitoring']")[0].text_content())
    for (series, point), row in zip(points, tables["monitoring"], strict=True):
        assert (float(row["value"]), row["start"], row["end"]) == (point["value"], point["start"], point["end"])
        assert defused(row["metric"]) == clean(series["metric"], 4000)
        assert f"{point['value']:g}" in section
        for pair in point["quality"]:
            if pair["name"] == "method":
                assert defused(row["method"]) == clean(pair["value"], 4000)
                assert squeezed(clean(sentence(pair["value"]))) in section
    times = set(tree.xpath("//table[contains(@class, 'rows')]//time/@datetime"))
    assert {point["start"] for _, point in points} | {point["end"] for _, point in points} <= times


def test_every_event_and_refusal_is_in_every_format(forms):
    document, tables, _, tree = forms
    monitoring = document["monitoring"]
    items = [squeezed(one.text_content()) for one in tree.xpath("//ol[contains(@class, 'events')]/li")]
    assert len(items) == len(monitoring["events"]) == len(tables["events"]) > 0
    for event, item, row in zip(monitoring["events"], reversed(items), tables["events"], strict=True):
        assert squeezed(clean(event["device"])) in item
        assert squeezed(clean(event["rule"])) in item
        assert squeezed(clean(event["because"])) in item
        assert (row["at"], defused(row["kind"])) == (event["at"], clean(event["kind"], 4000))
    refused = [squeezed(one.text_content()) for one in tree.xpath("//table[contains(@class, 'refused')]/tbody/tr")]
    assert len(refused) == len(monitoring["refusals"]) == len(tables["refusals"]) > 0
    for refusal, item, row in zip(monitoring["refusals"], reversed(refused), tables["refusals"], strict=True):
        for name in ("device", "rule", "purpose"):
            assert squeezed(clean(refusal[name])) in item
            assert defused(row[name]) == clean(refusal[name], 4000)
        assert squeezed(clean(sentence(brief(refusal["because"])))) in item
