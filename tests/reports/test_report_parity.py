"""One value, many formats: no device, finding, effect or evidence of one is missing in another."""

import csv
import io
import json

import pytest
from lxml import html
from sample_report import hostile, sample

from reports.formats import render
from reports.text import clean


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module", params=[sample, hostile], ids=["sample", "hostile"])
def forms(request):
    report = request.param()
    tables = {of: list(csv.DictReader(io.StringIO(render(report, "csv", of=of).decode(), newline="")))
              for of in ("devices", "findings")}
    tree = html.document_fromstring(render(report, "html").decode())
    articles = {one.xpath("header/h3/bdi")[0].text_content(): one for one in tree.xpath("//article")}
    return json.loads(render(report, "json")), tables, articles, tree


def test_every_device_is_in_every_format(forms):
    document, tables, articles, tree = forms
    keys = [device["device"] for device in document["devices"]]
    assert keys == [row["device"] for row in tables["devices"]] == list(articles)
    assert keys == [one.text_content() for one in tree.xpath("//tr[@data-outcome]/th//bdi")]
    outcomes = [device["verdict"]["outcome"] for device in document["devices"]]
    assert outcomes == [row["outcome"] for row in tables["devices"]] == tree.xpath("//tr/@data-outcome")


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
            assert all(squeezed(clean(one)) in text for one in evidence["observations"][:4])
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
