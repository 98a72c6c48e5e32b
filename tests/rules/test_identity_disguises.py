"""Names written for people to read and programs to miss: resolved before they are matched, and said as a finding."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specimens import NOW, seen

from rules import checks
from rules.disguises import MAX_FOUND, disguises
from rules.identity import identify
from rules.makers import load
from rules.vocabulary import Status
from scanner.observation import Observation
from scanner.wire import replies

HERE = "10.0.0.5"
SOAP = ('<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        '<tds:GetDeviceInformationResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><tds:Manufacturer>{}'
        "</tds:Manufacturer><tds:Model>M-1</tds:Model></tds:GetDeviceInformationResponse></s:Body></s:Envelope>")


def told(manufacturer):
    return replies.read("soap", 80, SOAP.format(manufacturer).encode(), device=HERE, now=NOW)


def finding(observations):
    identity = identify(HERE, observations, load())
    return next(one for one in checks.assess(HERE, identity, observations, [], checks.load())
                if one.rule == "identity.disguised_name")


TRICKS = [
    ("Da<!-- x -->hua", "a comment"), ("Hik<!--a--><!--b-->vision", "a comment"), ("Da<![CDATA[hua]]>", "CDATA"),
    ("<![CDATA[Da]]><![CDATA[hua]]>", "CDATA"), ("Da<?x y?>hua", "processing instruction"), ("Da<b/>hua", "markup"),
    ("Da<b>hu</b>a", "markup"), ("Da&#x200b;hua", "U+200B"), ("Da\u200bhua", "U+200B"), ("Da\u00adhua", "U+00AD"),
    ("D\u0430hua", "U+0430"), ("D&#1072;hua", "U+0430"), ("\uff24ahua", "U+FF24"), ("\U0001d403ahua", "U+1D403"),
    ("\u0405ony", "U+0405"), ("\u0410\u0425\u0406\u0405", "alphabet"),
]


@pytest.mark.parametrize(("written", "sign"), TRICKS, ids=[repr(written) for written, _ in TRICKS])
def test_the_trick_is_resolved_and_is_a_finding_with_its_field_and_code_points(written, sign):
    observations = told(written)
    assert identify(HERE, observations, load()).makers
    found = finding(observations)
    assert found.status is Status.FAIL
    assert found.evidence == (observations[0].id,)
    shown = " ".join(f"{name} {value}" for name, value in found.facts)
    assert sign in shown
    assert sign == "alphabet" or "onvif" in shown


@pytest.mark.parametrize(("written", "maker"), [
    ("\u202enoisivkiH", "hikvision"), ("\u202eauhaD\u202c", "dahua"), ("IPC \u202eweivinU", "uniview"),
    ("H i k v i s i o n", "hikvision"), ("D.a.h.u.a", "dahua"), ("A X I S", "axis"), ("T-i-a-n-d-y", "tiandy"),
    ("H1kv1s10n", "hikvision"), ("D4hua", "dahua"), ("Re0link", "reolink"), ("HlKVlSlON", "hikvision"),
    ("H 1 K V 1 S I 0 N", "hikvision"), ("Hik vis ion", "hikvision"), ("D\u00b7a\u00b7h\u00b7u\u00b7a", "dahua"),
])
def test_a_name_turned_round_set_apart_or_in_digits_is_read_and_is_a_finding(written, maker):
    observations = told(written)
    assert maker in identify(HERE, observations, load()).makers
    found = finding(observations)
    assert found.status is Status.FAIL
    assert found.evidence == (observations[0].id,)


@pytest.mark.parametrize(("written", "sign"), [
    ("TIANDY\u202e", "U+202E"), ("TIANDY\u00ad", "U+00AD"), ("\u200bTiandy", "U+200B"), ("Tiandy \u2060", "U+2060"),
    ("Tiandy&#173;", "U+00AD"), ("Tiandy&shy;", "U+00AD"), ("\ufeffUniview", "U+FEFF"),
    ("Uniview\U000e0041", "U+E0041"),
    ("\u24c9iandy", "U+24C9"), ("\u24e3\u24d8\u24d0\u24dd\u24d3\u24e8", "U+24E3"), ("Tian\u24b9y", "U+24B9"),
    ("\U0001f173ahua", "U+1F173"), ("\U0001f130XIS", "U+1F130"),
])
def test_what_changes_nothing_that_is_seen_is_a_trick_too(written, sign):
    observations = told(written)
    assert identify(HERE, observations, load()).maker
    found = finding(observations)
    assert found.status is Status.FAIL
    assert sign in " ".join(value for _, value in found.facts)


@pytest.mark.parametrize("written", [
    "Tiandy\u2122", "Tiandy\u00ae", "\u00a9 Tiandy", "Tiandy \u2120", "Camera \u2460",
    "\U0001f17f Lot Camera", "\u2116 7",
    "\u05d9\u05d5\u05e0\u05d9\u05d5\u200f", "\u0646\u0645\u06cc\u200c\u062f\u0648\u0631\u0628\u06cc\u0646",
    "Camera \u2600\ufe0f", "1\ufe0f\u20e3 Camera",
])
def test_signs_of_trade_bullets_and_what_other_scripts_need_are_no_tricks(written):
    assert finding(told(written)).status is Status.PASS


MARKED = [(name, maker) for name, maker in (
    ("Hikvision", "hikvision"), ("Dahua", "dahua"), ("EZVIZ", "hikvision"), ("Imou", "dahua"), ("TVT", "tvt"),
    ("ZTE", "zte"), ("Tiandy", "tiandy"), ("HIKVISION", "hikvision"), ("DAHUA", "dahua"))]


@pytest.mark.parametrize(("name", "maker"), MARKED)
@pytest.mark.parametrize("form", ["{}\u2122", "{}\u2120", "{}\u00ae", "{}\u00a9", "{} \u2122 Cameras", "{}(TM)", "{}TM",
                                  "{}USA", "{}NVR", "{}\u2122 IPC"])
def test_a_sign_of_trade_or_a_word_run_on_hides_no_name(name, maker, form):
    observations = told(form.format(name))
    assert identify(HERE, observations, load()).makers == (maker,)
    assert finding(observations).status is Status.PASS


@pytest.mark.parametrize(("written", "maker"), [
    ("UniviewGlobal", "uniview"), ("Reolink2", "reolink"), ("MilesightIoT", "milesight"),
    ("UniviewSecurity", "uniview"),
    ("Tian dy", "tiandy"), ("Uni view", "uniview"), ("Hua wei", "huawei"), ("Hik-vision", "hikvision"),
    ("EZ-VIZ", "hikvision"), ("Da\thua", "dahua"), ("Da\nhua", "dahua"), ("Da.hua", "dahua"), ("Da_hua", "dahua"),
    ("Uni-view Technologies", "uniview"), ("Mile sight", "milesight"),
])
def test_another_spelling_where_a_manufacturer_is_expected_names_it_and_is_no_trick(written, maker):
    observations = told(written)
    assert identify(HERE, observations, load()).makers == (maker,)
    assert finding(observations).status is Status.PASS


@pytest.mark.parametrize(("written", "maker"), [("T V T", "tvt"), ("Z T E", "zte"), ("U-N-V", "uniview")])
def test_a_short_name_set_apart_is_read_and_is_a_finding(written, maker):
    observations = told(written)
    assert identify(HERE, observations, load()).makers == (maker,)
    assert finding(observations).status is Status.FAIL


@pytest.mark.parametrize("written", [
    "Ringtech", "Guidelines", "Phantoms", "Acme1", "Da huang", "Axiom", "AxisTrade", "Nicely", "Sonya", "dahuaxin",
    "Tiandiyun", "Bosche", "HPE", "Univiewer",
])
def test_a_word_that_only_begins_like_a_name_is_nobodys(written):
    assert identify(HERE, told(written), load()).makers == ()


def test_where_no_manufacturer_is_expected_pieces_are_no_name():
    seen_title = seen(HERE, "http", "http.root", 80, title="Uni view", server="Da hua/1.0")
    assert identify(HERE, [seen_title], load()).makers == ()


@pytest.mark.parametrize("written", [
    "AX15", "AX1500", "IPC-HFW5241E", "DS-2CD2143G0-I", "S 5 0 0 0", "A B C D", "IPC 4 K H D", "B0", "5N0", "N V R 4",
    "C4N", "H3C", "P 3 2 4 5", "2 MP 4 CH", "V1.0.5", "D A H", "hik4", "C15C",
])
def test_an_ordinary_model_is_no_disguise(written):
    observations = [seen(HERE, "onvif", "onvif.GetDeviceInformation", 80, manufacturer=written, model=written),
                    seen(HERE, "http", "http.root", 80, title=written, server=written)]
    assert finding(observations).status is Status.PASS


def test_what_is_written_by_a_right_to_left_script_is_no_trick():
    assert finding(told("\u05de\u05e6\u05dc\u05de\u05d4 \u200f123")).status is Status.PASS


@pytest.mark.parametrize("written", [
    "Dahua", "<![CDATA[Dahua]]>", "D&#97;hua", "H\u00e4gglunds", "\u041a\u0430\u043c\u0435\u0440\u0430",
    "\u6d59\u6c5f\u5927\u534e",
    "Cam\u00e9ra", "\u30ab\u30e1\u30e9", "A &amp; B",
])
def test_what_is_no_trick_is_none(written):
    assert finding(told(written)).status is Status.PASS


def test_a_name_inside_a_run_of_chinese_is_read():
    assert identify(HERE, told("\u6d59\u6c5f\u5927\u534e\u6280\u672f"), load()).makers == ("dahua",)


@pytest.mark.parametrize(("transport", "data"), [
    ("http", "HTTP/1.1 200 OK\r\nServer: Hik\u200bvision-Webs\r\n\r\n<html>"),
    ("http", "HTTP/1.1 200 OK\r\n\r\n<html><title>D\u0430hua</title></html>"),
    ("onvif-scopes", "onvif://www.onvif.org/name/D%D0%B0hua"),
    ("http-body", '{"manufacturer": "D\\u0430hua"}'),
    ("dhcp", "D\u0430hua IPC"),
])
def test_it_is_seen_wherever_a_device_names_itself(transport, data):
    observations = replies.read(transport, 80, data.encode(), device=HERE, now=NOW)
    assert any(disguises(one) for one in observations) or finding(observations).status is Status.FAIL


def test_prose_is_nobodys_disguise():
    page = "HTTP/1.1 200 OK\r\n\r\n<html><p>soft\u00adhyphen and <b>bo</b>ld</p><title>Camera</title></html>"
    (one,) = replies.read("http", 80, page.encode(), device=HERE, now=NOW)
    assert not disguises(one)


def test_without_bytes_the_fields_are_looked_at():
    assert disguises(seen(HERE, "onvif", "import", manufacturer="D\u0430hua"))[0].reading == "Dahua"


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: SOAP.format(html.escape(text)).encode()))
def test_hostile_bytes_are_read_without_an_error_and_with_an_end(raw):
    found = disguises(Observation.of(device=HERE, transport="onvif", probe="p", port=1, at=NOW, fields={}, wire=raw,
                                     raw=raw))
    assert len(found) <= MAX_FOUND
