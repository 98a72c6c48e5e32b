"""The pictures of destinations: what they show, that a reader of words gets the same, and that no text breaks them."""

from dataclasses import replace
from datetime import date

import pytest
from lxml import etree, html
from sample_report import EASY4IP, NAMELESS, NOW, NTP, hostile, large, sample

from reports import pictures, traffic
from reports.formats import render
from reports.report import Destination
from reports.text import clean
from rules.destinations import is_outside

SVG = "{http://www.w3.org/2000/svg}"


def one(report=None, key="10.20.0.23"):
    return next(device for device in (report or sample()).devices if device.device == key)


def drawn(device, number=1):
    parties = traffic.talks(device, NOW.date())
    text = str(pictures.network(parties, number, device.device))
    text = text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return parties, etree.fromstring(text) if text else None


def texts(svg):
    return ["".join(node.itertext()) for node in svg.iter(f"{SVG}text")]


def test_a_picture_has_every_party_with_purpose_and_what_may_be_blocked():
    parties, svg = drawn(one())
    shown = texts(svg)
    for told in ("vms.harbour.example", "purpose unknown · allowed", "names · allowed", "time · allowed",
                 "telemetry · SG · can be blocked", "updates · SG · can be blocked", "192.0.2.201",
                 "purpose unknown · block and watch", "Inside the site", "Outside", "10.20.0.23"):
        assert told in shown
    assert [party.outside for party in parties] == sorted(party.outside for party in parties)
    lines = [path.get("class").split()[-1] for path in svg.iter(f"{SVG}path") if "p-line" in path.get("class")]
    assert lines == ["p-allowed"] * 3 + ["p-cut", "p-cut", "p-unknown"]


def test_the_weight_of_a_line_follows_the_volume():
    parties, svg = drawn(one())
    weights = [float(path.get("stroke-width")) for path in svg.iter(f"{SVG}path") if path.get("stroke-width")]
    by_bytes = sorted(zip([party.bytes for party in parties], weights, strict=True))
    assert [weight for _, weight in by_bytes] == sorted(weights)
    assert max(weights) > 2 * min(weights) > 0


def test_inside_lies_above_the_border_and_outside_below():
    parties, svg = drawn(one())
    line = next(path for path in svg.iter(f"{SVG}path") if path.get("class") == "p-border")
    border = float(line.get("d")[3:].partition("H")[0])
    dots = [float(dot.get("cy")) for dot in svg.iter(f"{SVG}circle")]
    for party, y in zip(parties, dots, strict=True):
        assert (y > border) is party.outside


def test_title_and_description_say_the_same_in_words():
    _, svg = drawn(one(), number=7)
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "n7-title n7-desc"
    described = next(svg.iter(f"{SVG}desc")).text
    assert "vms.harbour.example, purpose unknown, 812 MB, allowed" in described
    assert "Outside: update.hikvision.example, firmware updates, 2.2 MB, can be blocked" in described


def test_what_breaks_stands_in_the_table_and_nothing_is_made_up():
    tree = html.document_fromstring(render(sample(), "html").decode())
    article = next(a for a in tree.xpath("//article") if a.xpath("header/h3/bdi")[0].text == "10.20.0.23")
    rows = {row.xpath("th/bdi")[0].text: " ".join(row.text_content().split())
            for row in article.xpath(".//table[contains(@class, 'parties')]/tbody/tr")}
    assert "Can be blocked. Nothing that the operator needs." in rows["stat.ezvizlife.example"]
    assert "reports the model at start" in rows["stat.ezvizlife.example"]
    assert "unverified" in rows["stat.ezvizlife.example"]
    assert "Unknown: block it and watch what stops." in rows["192.0.2.201"]
    assert "Allowed (approved by M. Adeyemi 2026-11-20). What it is for was not noted." in rows["vms.harbour.example"]
    assert "M. Adeyemi" in article.text_content()


def test_the_same_party_at_many_addresses_is_one():
    many = [replace(NTP, address=f"198.51.100.{n}") for n in range(9)]
    (party,) = traffic.talks(replace(one(), destinations=many, baseline=None), date(2026, 11, 22))
    assert (party.label, party.bytes, len(party.addresses)) == (NTP.names[0], 9 * NTP.bytes, 9)


def test_a_crowd_shares_a_line_and_none_is_lost_from_the_table():
    crowd = [Destination(f"203.0.113.{n}", (), "udp", 9, 1, 1000 + n) for n in range(200)]
    device = replace(one(), destinations=crowd, baseline=None)
    parties, svg = drawn(device)
    assert len(parties) == 200
    assert len(list(svg.iter(f"{SVG}circle"))) == pictures.MOST_PARTIES
    assert any(f"and {200 - pictures.MOST_PARTIES} others" in text for text in texts(svg))


@pytest.mark.parametrize("report", [hostile(), large(3)], ids=["hostile", "large"])
def test_no_text_breaks_a_drawing(report):
    for number, device in enumerate(report.devices, 1):
        parties, svg = drawn(device, number)
        if svg is None:
            assert not parties
            continue
        assert all(len(text) <= 80 for text in texts(svg))
        assert all(text == clean(text) for text in texts(svg))
        known = {"svg", "title", "desc", "rect", "text", "path", "circle"}
        assert {etree.QName(node).localname for node in svg.iter()} <= known


def test_the_site_in_one_picture():
    rows, quiet, unseen = traffic.owners(sample())
    told = {row.owner: (row.cameras, row.unneeded, row.purposes) for row in rows}
    assert told["Dahua"] == (2, 2, ("remote access",))
    assert told["owner not known"][0] == 3
    assert told["Hikvision"][0] == 1
    cameras = [d for d in sample().devices if d.device != "10.20.0.90"]
    talking = [d for d in cameras if any(is_outside(to.address) for to in d.destinations)]
    assert quiet + unseen + len(talking) == len(cameras)
    drawing = str(pictures.owners(rows, quiet, unseen))
    assert "Dahua: 2 cameras, of 2 nobody approved it" in drawing
    assert f"not watched: {unseen} camera" in drawing


def test_nothing_captured_is_said_and_not_drawn():
    report = sample()
    blind = replace(report, devices=[replace(d, destinations=(), egress_assessed=False) for d in report.devices])
    page = render(blind, "html").decode()
    assert "Not assessed: no camera&#39;s traffic was captured." in page or \
        "Not assessed: no camera's traffic was captured." in page
    assert 'class="talks"' not in page


def test_who_owns_a_port_alone_is_not_guessed():
    (party,) = traffic.talks(replace(one(), destinations=[NAMELESS], baseline=None), NOW.date())
    assert (party.unknown, party.owner, traffic.verdict_on(party)) == (True, "", "block and watch")
    (party,) = traffic.talks(replace(one(), destinations=[EASY4IP], baseline=None), NOW.date())
    assert (party.told.purpose, party.owner, traffic.verdict_on(party)) == ("p2p", "Dahua", "can be blocked")
