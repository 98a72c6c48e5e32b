"""The page: self-contained, closed to whatever a device says, and usable by everybody."""

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from lxml import html
from sample_report import HOSTILE, hostile, large, sample

from reports.formats import render
from reports.formats.html import policy
from reports.monitoring import Monitoring
from rules.vocabulary import ActivityEffect, ListVersion, Strength

PAGES = {"sample": sample(), "hostile": hostile(), "empty": large(0)}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
VISIBLE_TEXT = "descendant-or-self::*[not(self::script or self::style)]/text()"


@pytest.fixture(scope="module", params=list(PAGES))
def page(request):
    return render(PAGES[request.param], "html").decode("utf-8")


def tree_of(text: str):
    return html.document_fromstring(text)


def words_of(element) -> str:
    return " ".join(" ".join(element.xpath(VISIBLE_TEXT)).split())


class Balance(HTMLParser):
    """Refuses an end tag that does not close the element last opened."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        return

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()


def test_every_element_is_closed_in_order(page):
    balance = Balance()
    balance.feed(page)
    assert balance.wrong == []
    assert balance.open == []


def test_nothing_is_asked_of_anybody(page):
    tree = tree_of(page)
    for element in tree.iter():
        for name, value in element.items():
            local = name.rsplit(":", 1)[-1].rsplit("}", 1)[-1]
            assert local not in {"src", "srcset", "action", "formaction", "poster", "background", "data", "style",
                                 "ping"}
            assert not local.startswith("on"), f"{element.tag} {name}"
            if local == "href":
                assert value.startswith("#"), f"{element.tag} {value}"
    assert not tree.xpath("//link | //img | //iframe | //object | //embed | //base | //video | //audio")
    style = tree.xpath("//style")[0].text
    assert not re.search(r"url\(|@import|expression\(", style)


def test_the_policy_allows_exactly_the_one_style_and_the_one_script(page):
    tree = tree_of(page)
    styles, scripts = tree.xpath("//style"), tree.xpath("//script")
    assert (len(styles), len(scripts)) == (1, 1)
    assert scripts[0].attrib == {}
    (meta,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert meta == policy()
    for directive, element in (("style-src", styles[0]), ("script-src", scripts[0])):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in meta
    assert "default-src 'none'" in meta
    assert "unsafe" not in meta
    head = page[:page.index("<style>")]
    assert head.index("Content-Security-Policy") < head.index("viewport")


def test_every_link_inside_the_page_has_a_target_and_every_id_is_its_own(page):
    tree = tree_of(page)
    ids = Counter(tree.xpath("//@id"))
    assert [one for one, count in ids.items() if count > 1] == []
    hrefs = set(tree.xpath("//@href"))
    assert {href[1:] for href in hrefs} <= set(ids)
    for name in tree.xpath("//@aria-labelledby") + tree.xpath("//@data-section"):
        assert set(name.split()) <= set(ids)


def test_anchors_are_counted_and_never_named_by_a_device(page):
    for one in tree_of(page).xpath("//@id"):
        assert re.fullmatch(r"[a-z0-9-]+", one)


def test_hostile_text_arrives_as_text_and_nothing_else():
    page = render(hostile(), "html").decode("utf-8")
    tree = tree_of(page)
    models = [dd.text_content() for dd in tree.xpath("//article//dt[text()='Model']/following-sibling::dd")]
    assert len(models) == len(HOSTILE)
    assert "<script>alert(1)</script>" in models
    assert "{{ 7*7 }}{% raw %}" in models
    assert "&lt;b&gt;" in models
    assert "abc⟨U+202E⟩gpj.exe" in models
    assert any(model.startswith("AAAA") and model.endswith("… [9600 more characters]") for model in models)
    known = {"a", "article", "b", "bdi", "body", "button", "caption", "code", "dd", "details", "dl", "div", "dt",
             "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "head", "header", "html", "input",
             "label", "li", "main", "meta", "nav", "ol", "option", "p", "script", "section", "select", "span", "strong",
             "style", "summary", "table", "tbody", "td", "th", "thead",
             "time", "title", "tr", "ul", "svg", "symbol", "path",
             "circle", "use", "rect", "defs", "pattern", "desc", "text"}
    assert {element.tag for element in tree.iter()} <= known


def test_no_character_that_acts_is_in_the_page(page):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", page)


# -- for everybody


def test_language_title_and_landmarks(page):
    tree = tree_of(page)
    assert tree.get("lang") == "en"
    assert tree.findtext(".//title").strip()
    for landmark in ("header[@class='top']", "nav[@aria-label]", "main", "footer"):
        assert len(tree.xpath(f"//body/{landmark}")) == 1, landmark
    skip = tree.xpath("//body/*[1]")[0]
    assert (skip.tag, skip.get("href")) == ("a", "#main")
    assert tree.xpath("//section[not(@aria-labelledby)]") == []


def test_headings_skip_no_level(page):
    levels = [int(one.tag[1]) for one in tree_of(page).xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_are_named_and_their_headers_say_what_they_head(page):
    tree = tree_of(page)
    for table in tree.xpath("//table"):
        assert table.xpath("caption")
        assert table.xpath(".//th[not(@scope)]") == []
        columns = len(table.xpath("thead/tr/th"))
        for row in table.xpath("tbody/tr"):
            assert len(row) == columns
            assert row[0].get("scope") == "row"
            assert all(cell.get("data-label") for cell in row[1:])


def test_pictures_have_a_name_or_are_hidden(page):
    for svg in tree_of(page).xpath("//svg"):
        assert svg.get("aria-hidden") == "true" or (svg.xpath("title") and svg.xpath("desc"))


def test_the_filter_is_labelled_announced_and_absent_without_script():
    tree = tree_of(render(sample(), "html").decode())
    (form,) = tree.xpath("//form")
    assert "hidden" in form.attrib
    for control in form.xpath(".//input | .//select"):
        assert form.xpath(f".//label[@for='{control.get('id')}']")
    assert form.xpath(".//*[@role='status' and @aria-live='polite']")
    assert "off" not in " ".join(tree.xpath("//tr/@class | //article/@class")).split()


def test_a_verdict_is_never_told_by_colour_alone():
    badges = tree_of(render(sample(), "html").decode()).xpath("//*[contains(@class, 'badge')]")
    assert len(badges) > 2 * len(sample().devices)
    for badge in badges:
        assert badge.xpath("svg/use")
        assert badge.text_content().strip()


def luminance(colour: str) -> float:
    value = colour.lstrip("#")
    value = "".join(char * 2 for char in value) if len(value) == 3 else value
    parts = [int(value[at:at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_text_stands_out_from_its_ground(theme):
    style = tree_of(render(sample(), "html").decode()).xpath("//style")[0].text
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(roots) == 3
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", roots[theme]))
    outcomes = ("prohibited", "undetermined", "conditional", "approved")
    text = [("ink", "paper"), ("ink", "wash"), ("muted", "paper"), ("muted", "wash"), ("link", "paper"),
            ("link", "wash"), ("link", "prohibited-wash"), ("paper", "prohibited"), ("conditional", "wash"),
            *((one, "paper") for one in outcomes),
            *((one, f"{one}-wash") for one in outcomes),
            *(("ink", f"{one}-wash") for one in outcomes)]
    shapes = [("same", "paper"), ("other", "paper"), ("focus", "paper")] if theme < 2 else []
    low = [(pair, round(contrast(*(colours[name] for name in pair)), 2)) for pair in text
           if contrast(*(colours[name] for name in pair)) < 4.5]
    low += [(pair, 0) for pair in shapes if contrast(*(colours[name] for name in pair)) < 3]
    assert low == []


# -- what it tells


def section(address: str) -> str:
    tree = tree_of(render(sample(), "html").decode())
    (article,) = [one for one in tree.xpath("//article") if one.xpath("header/h3/bdi/text()")[0] == address]
    return words_of(article)


@pytest.mark.parametrize("told", [
    "Made by Zhejiang Dahua Technology Co., Ltd. , corroborated by independent signals; the label says Lorex .",
    "It answered Dahua's private discovery protocol on UDP 37810.",
    "decisive · firmware (comes with the maker's software)",
    "rule lorex.title unverified", "Block it at the firewall; switch P2P off.",
    "nist-8259a Logical Access to Interfaces",
    "failed , no whole answer before the deadline: rtsp.describe :554 (after 8 s)",
    "not attempted , no credentials were given: auth.onvif.GetDeviceInformation :80",
    "Passwords are never guessed, and no credentials were given.", "listed by name since 2018-08-13",
    "yes, from 2019-08-13", "assumed , not known", "of Dahua , in CN, owner under the law of CN (Hangzhou)",
    "3 checks passed",
    "Read, and saying nothing of it: 1 law or list FASCSA orders.", "expires 2027-02-20",
])
def test_the_section_of_a_rebranded_camera(told):
    assert told in section("10.20.0.14")


@pytest.mark.parametrize(("address", "told"), [
    ("10.20.0.16", "Conflict about the maker: dahua or axis . Its label says Axis; its firmware, Dahua."),
    ("10.20.0.31", "Monitoring Attached for what, and until when"), ("10.20.0.34", "Monitoring Suspended"),
    ("10.20.0.90", "Not a camera"),
    ("10.20.0.77", "1 check could not be carried out (1 high) high Default password in use : Passwords are never"),
    ("10.20.0.77", "2 questions without a whole answer failed , answer not readable: http.root :80"),
    ("10.20.0.22", "V5.5.82 build 190220"), ("10.20.0.32", "waiver approved by M. Adeyemi"),
    ("10.20.0.40", "Channel 1: 10.20.0.40#1 , no section of its own Channel 2: 10.20.0.40#2"),
    ("10.20.0.40#2", "Nothing was asked of this device itself."),
    ("10.20.0.40#2", "Not assessed: its traffic was not captured."),
    ("10.20.0.22", "Nothing outside the site was seen during the capture."),
    ("10.20.0.77", "Who made this device is not known ."),
    ("10.20.0.15", "No check failed. That is no clean bill: some were not assessed, see below."),
])
def test_what_other_sections_tell(address, told):
    assert told in section(address)


@pytest.mark.parametrize("told", [
    "Of 17 devices found, 6 must stay out", "Authorised by M. Adeyemi", "CHG-20418", "docker0 (virtual)",
    "10.20.0.51 : nothing came back (3), no whole answer before the deadline (8)", "192.168.1.108 by dhip, 2 times",
    "addresses handed out by devices and not followed: 11", "113 days old", "Pub. L. 115-232 s.889(a)(1)(A)",
    "Ask the offeror for the representation before award.", "It is not legal advice.",
    "named by the agency in connection with human rights abuses", "Traffic was captured for 20 minutes",
    "What this sweep cannot know", "How to verify this report", "1 is not a camera.",
    "1 further device is not a camera and is not counted above.",
    "2 cameras are attached: people are counted; nobody is recognised, and no picture is stored.",
    "Suspended 10.20.0.34 FLIR A50 since 2026-11-22 08:52 UTC , by the rule gate.fingerprint",
    "This is not the device that was approved, or not as it was: serial: 74201188 -> not readable;",
    "visitor flow at the west door impact assessment DPIA-2026-017",
    "by M. Adeyemi , 2026-11-22 until 2026-12-22 07:31 UTC attestation 5d0c7be2f1a94386",
    "waived tls.self_signed by J. Ortiz until 2027-01-31 : Accepted until the site's own authority is rolled out.",
    "7 days numbers only",
    "Standing limit of the method Counted by motion: people who stand or sit still are not held",
    "in 178 people out 62 people", "A dashed box is a time in which nothing was analysed.",
    "4.0 pictures a second, 1.9 at the least", "8 pictures beside 33,000 analysed ones",
    "2 of 9 intervals analysed at a lowered rate: counts may be too low",
    "2026-11-22 08:30:00 2026-11-22 08:40:00 not analysed not analysed",
    "10.20.0.32 analysis slowed down : analysis fell 1.4 s behind", "Refused at the gate: 4",
    "10.20.0.33 2026-11-22 07:37 UTC egress.telemetry Today's verdict is conditional and nobody waived",
])
def test_what_the_whole_page_tells(told):
    assert told in words_of(tree_of(render(sample(), "html").decode()))


def test_the_digest_is_that_of_the_json_form():
    page = render(sample(), "html").decode()
    assert tree_of(page).xpath("//*[@class='digest']/text()") == [hashlib.sha256(render(sample(), "json")).hexdigest()]


def test_a_verdict_on_other_lists_says_so():
    other = ListVersion("regimes", "Laws and lists", "000000000000", sample().as_of)
    first = sample().devices[0]
    changed = replace(first, verdict=replace(first.verdict, lists=(other,)))
    page = words_of(tree_of(render(replace(sample(), devices=(changed,)), "html").decode()))
    assert "Other lists were used for this verdict" in page
    assert "Other lists" not in words_of(tree_of(render(sample(), "html").decode()))


def test_evidence_that_reads_the_same_is_told_once_with_all_it_rests_on():
    first = sample().devices[1]
    one = first.identity.evidence[0]
    weaker = replace(one, strength=Strength.STRONG, signal="dahua.other", observations=("00000000000000aa",))
    label = replace(one, claim="brand", value="Dahua")
    identity = replace(first.identity, evidence=(weaker, one, label))
    page = tree_of(render(replace(sample(), devices=(replace(first, identity=identity),)), "html").decode())
    items = [words_of(item) for item in page.xpath("//ul[@class='evidence']/li")]
    assert len(items) == 2
    (maker,) = [item for item in items if item.startswith("made by dahua")]
    assert "decisive" in maker
    assert f"rules dahua.dhip , dahua.other seen in {one.observations[0]} , 00000000000000aa" in maker


def test_evidence_for_several_claims_is_one_line():
    first = sample().devices[1]
    one = first.identity.evidence[0]
    identity = replace(first.identity, evidence=(one, replace(one, claim="brand", value="Dahua")))
    page = tree_of(render(replace(sample(), devices=(replace(first, identity=identity),)), "html").decode())
    (item,) = page.xpath("//ul[@class='evidence']/li")
    assert words_of(item).startswith("label Dahua , made by dahua It answered")


def test_a_conflict_names_its_observations():
    (conflict,) = next(one for one in sample().devices if one.device == "10.20.0.16").identity.conflicts
    assert conflict.observations
    told = section("10.20.0.16")
    assert f"worst credible maker decides. seen in {' , '.join(conflict.observations)}" in told


def test_a_law_that_says_the_same_of_two_makers_is_told_once():
    first = sample().devices[1]
    effect = first.verdict.effects[0]
    verdict = replace(first.verdict, effects=(replace(effect, entity="dahua"), replace(effect, entity="axis"),
                                              replace(effect, listed="false", effect=ActivityEffect.NONE)))
    page = tree_of(render(replace(sample(), devices=(replace(first, verdict=verdict),)), "html").decode())
    assert len(page.xpath("//table[contains(@class, 'law')]/tbody/tr")) == 1
    assert len(page.xpath("//ol[@class='law-notes']/li")) == 1
    assert "saying nothing of it" not in words_of(page)


def test_a_reason_of_our_own_is_not_cut_in_the_middle():
    first, reason = sample().devices[0], "A clause of some length; " * 30
    page = words_of(tree_of(render(replace(sample(), devices=(
        replace(first, verdict=replace(first.verdict, reasons=(reason,))),)), "html").decode()))
    assert reason.strip() in page
    assert "more characters]" not in page


def test_how_a_weakness_was_concluded_is_folded_and_whole():
    first = sample().devices[0]
    failed = next(one for one in first.verdict.findings if one.status == "fail")
    steps = (("cvss", "9.8"), ("1. version", "as given"), ("CVE-2021-33044 2. so", "affected"),
             ("203.0.113.10", "every 30 s"), ("control ids not verified", "nist-800-53"))
    long = replace(failed, facts=steps, standards=tuple(("nist-800-53", f"AC-{n}") for n in range(4)))
    device = replace(first, verdict=replace(first.verdict, findings=(long,)))
    page = tree_of(render(replace(sample(), devices=(device,)), "html").decode())
    (folded,) = page.xpath("//details[@class='traced']")
    assert words_of(folded) == (
        "How it was concluded, and the standards it speaks to 1. version as given CVE-2021-33044 2. so affected "
        "nist-800-53 AC-0 · nist-800-53 AC-1 · nist-800-53 AC-2 · nist-800-53 AC-3 (control ids not verified: "
        "nist-800-53)")
    assert "cvss 9.8 · 203.0.113.10 every 30 s · rule" in words_of(folded.getprevious())


def test_laws_with_no_effect_come_last_and_folded():
    first = sample().devices[1]
    effect = replace(first.verdict.effects[0], effect=ActivityEffect.PROHIBITED)
    idle = replace(effect, name="Elsewhere", regime="ELSEWHERE", effect=ActivityEffect.NONE, listed="true")
    verdict = replace(first.verdict, effects=(idle, effect))
    page = tree_of(render(replace(sample(), devices=(replace(first, verdict=verdict),)), "html").decode())
    notes = page.xpath("//ol[@class='law-notes']/li")
    assert [one.get("id") for one in notes] == ["law-1", "law-2"]
    assert effect.name in words_of(notes[0])
    assert "Elsewhere" in words_of(notes[1].xpath("ancestor::details")[0])
    assert "Elsewhere" in words_of(page.xpath("//article//details//table[contains(@class, 'law')]")[0])


# -- what was looked at


def section_of(report, name: str) -> str:
    return words_of(tree_of(render(report, "html").decode()).xpath(f"//section[@id='{name}']")[0])


def test_the_page_says_what_was_sent_and_what_that_brought():
    told = section_of(sample(), "scope")
    assert "What was sent: 2,129 in all ARP requests 378 SYN frames 0 UDP datagrams 156 TCP connections 1,204" in told
    assert "Devices found per 1,000 sent 7.5" in told
    assert "16 devices were reached directly" in told
    assert "10.20.0.33 is also 10.20.0.113 : serial number" in told
    assert "default credentials" in told
    assert "SNMP" in told


@pytest.mark.parametrize(("sent", "told"), [
    (None, "What was sent Not counted."), ({}, "What was sent: nothing This was read from files"),
    ({"arp": 0, "request": 0}, "What was sent: nothing"), ({"arp": 1, "pigeon": 2}, "What was sent: 3 in all")])
def test_what_was_not_counted_is_not_told_as_nothing(sent, told):
    assert told in section_of(replace(sample(), scope=replace(sample().scope, sent=sent)), "scope")


@pytest.mark.parametrize(("opted_in", "told"), [
    (None, "Asked for beyond the usual looks not recorded"), ((), "beyond the usual looks nothing: no default"),
    (("port_mappings",), "beyond the usual looks port mappings"), (("novel",), "beyond the usual looks novel")])
def test_what_was_opted_into_is_named(opted_in, told):
    assert told in section_of(replace(sample(), scope=replace(sample().scope, opted_in=opted_in)), "scope")


def test_a_census_names_by_source_what_was_not_seen():
    told = section_of(sample(), "census")
    assert told.startswith("Did we find them all? 4 devices of the 39 that 3 sources name were not seen by this sweep")
    assert "switch-3.txt switch MAC table 19 17 2 1" in told
    assert "00:00:5E:00:53:51 · 10.20.0.51 · Gi1/0/19 row 19: its address was silent: no answer" in told
    assert "00:00:5E:00:53:60 · Gi1/0/14 (address block of dahua ) row 14:" in told
    assert "2 × Hanwha Vision · XNV-8080R row 3: 4 ordered, 2 of this model seen" in told
    assert "1 swept device stands in none of these: 10.20.0.77" in told


def test_a_long_list_of_unseen_devices_is_cut_and_the_rest_counted():
    found = sample().census
    one = found.sources[0].unseen[0]
    many = replace(found.sources[0], unseen=[replace(one, row=row, missing=2) for row in range(1000)])
    told = section_of(replace(sample(), census=replace(found, sources=(many,))), "census")
    assert "row 49:" in told
    assert "row 50:" not in told
    assert "1,900 further devices are in the JSON and CSV forms." in told


def test_where_every_known_device_was_seen_the_page_still_promises_nothing():
    found = sample().census
    told = section_of(replace(sample(), census=replace(found, sources=found.sources[1:2], unlisted=())), "census")
    assert "Of the 12 devices that 1 source names, this sweep saw every one. What no source knows" in told
    assert not re.search("complete", told, re.IGNORECASE)


def test_without_a_census_one_sentence_says_so_and_nothing_is_called_complete():
    report = replace(sample(), census=None)
    told = section_of(report, "census")
    assert told == ("Did we find them all? Nothing was held against this sweep: no switch table, lease, asset list or "
                    "order was asked whether devices are missing from it.")
    page = words_of(tree_of(render(report, "html").decode()))
    assert not re.search(r"\bcomplete(ly|ness)?\b", page, re.IGNORECASE)


# -- monitoring


def monitoring_of(report) -> str:
    return words_of(tree_of(render(report, "html").decode()).xpath("//section[@id='monitoring']")[0])


def test_the_contents_lead_to_monitoring_after_the_law():
    links = tree_of(render(sample(), "html").decode()).xpath("//nav//a/@href")
    assert links.index("#monitoring") == links.index("#standards") + 1 == links.index("#law") + 2


@pytest.mark.parametrize("monitoring", [None, Monitoring()])
def test_nothing_attached_is_said_in_one_sentence(monitoring):
    assert monitoring_of(replace(sample(), monitoring=monitoring)) == (
        "Monitoring No camera was attached: no picture of any camera was opened for analysis.")


def test_refusals_alone_make_a_section():
    told = monitoring_of(replace(sample(), monitoring=Monitoring(refusals=sample().monitoring.refusals)))
    assert told.startswith("Monitoring No camera is attached now: no picture of any camera is being analysed. Refused")
    assert "law.prohibited" in told


def test_attached_and_not_yet_counted_is_said():
    told = monitoring_of(replace(sample(), monitoring=replace(sample().monitoring, series=(), events=())))
    assert "Nothing yet: no interval was completed." in told
    assert "Nothing: no connection was lost and no picture was out of order." in told


def test_another_device_on_a_cameras_address_is_said_and_does_not_carry_its_badge():
    cameras = tuple(replace(one, inventory_id="dev-before") for one in sample().monitoring.cameras)
    page = tree_of(render(replace(sample(), monitoring=replace(sample().monitoring, cameras=cameras)), "html").decode())
    assert words_of(page).count("the sweep found another device at this address") == 3
    assert "for what, and until when" not in words_of(page)


def test_an_approval_that_ended_is_marked():
    cameras = tuple(replace(one, until=sample().generated_at) for one in sample().monitoring.cameras)
    assert monitoring_of(replace(sample(), monitoring=replace(sample().monitoring, cameras=cameras))).count(
        "UTC ended attestation") == 3


def test_thousands_of_events_stay_light_and_what_is_left_out_is_counted():
    event = sample().monitoring.events[0]
    events = tuple(replace(event, at=event.at + timedelta(seconds=n), because=f"number {n}") for n in range(5000))
    told = monitoring_of(replace(sample(), monitoring=replace(sample().monitoring, events=events)))
    assert "What happened: 5,000 events" in told
    assert "number 4999" in told
    assert "number 4799" not in told
    assert "4,800 still earlier events are in the JSON and CSV forms." in told


def test_every_chart_has_its_numbers_in_a_table_beside_it():
    tree = tree_of(render(sample(), "html").decode())
    blocks = tree.xpath("//div[@class='counted']")
    assert len(blocks) == 3
    for block in blocks:
        (svg,), (table,) = block.xpath(".//svg"), block.xpath(".//table")
        told = svg.findtext("desc")
        assert "The same numbers stand in the table below." in told
        assert len(table.xpath("tbody/tr")) >= len(svg.xpath("rect[title]")) / 2


def test_an_empty_report_does_not_read_as_a_clean_site():
    told = words_of(tree_of(render(replace(large(0), lists=()), "html").decode()))
    assert "No device was found; that does not mean that there is none." in told
    assert "Treat every statement about law and weaknesses as unsupported." in told


def test_a_thousand_devices_stay_light_and_whole():
    page = render(large(1000), "html")
    assert len(page) < 8_000_000
    tree = tree_of(page.decode())
    assert len(tree.xpath("//article")) == len(tree.xpath("//tr[@data-outcome]")) == 1000
    assert len(tree.xpath("//ol[@class='law-notes']/li")) == len(
        tree_of(render(sample(), "html").decode()).xpath("//ol[@class='law-notes']/li"))
