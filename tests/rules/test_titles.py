"""A hotel may be called like a maker: whose page a title is, is told by the other words in it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.identity import identify
from rules.makers import load
from rules.titles import is_of_another_trade, is_prose
from scanner.wire import replies

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MAKERS = load()
NAMES = sorted({name for maker in MAKERS for name in (*maker.names, *maker.declared) if name.isascii()})


def makers_of(title):
    seen = replies.read("html-title", 80, title.encode(), device="10.0.0.5", now=NOW)
    return identify("10.0.0.5", list(seen), MAKERS).makers


@pytest.mark.parametrize("title", [
    "Uniview Hotel WiFi", "Hikvision School", "Dahua Restaurant & Bar", "Bosch Park", "Hotel Tiandy",
    "Milesight guest Wi-Fi", "Hanwha Apotheke", "Foscam Apartments - login", "AXIS Gymnasium",
])
def test_a_name_beside_the_words_of_another_trade_is_nobodys(title):
    assert makers_of(title) == ()


@pytest.mark.parametrize(("title", "maker"), [
    ("HIKVISION", "hikvision"), ("Dahua NVR", "dahua"), ("Uniview Network Camera - Hotel Lobby", "uniview"),
    ("Live view  - AXIS P3245-V School Yard", "axis"), ("Bosch VideoJet", "bosch"), ("Dahua Web Service", "dahua"),
    ("Hikvision DS-2CD2143G2-I Restaurant", "hikvision"), ("Tiandy IPC Park", "tiandy"),
])
def test_a_devices_page_still_names_its_maker(title, maker):
    assert maker in makers_of(title)


@pytest.mark.parametrize("trade", ["Hotel", "Restaurant", "WiFi", "School", "Bakery"])
def test_of_all_makers_only_a_name_that_says_what_it_makes_stays_beside_a_trade(trade):
    named = {name for name in NAMES if makers_of(f"{name} {trade}")}
    said = {"camera", "webcam", "video", "nvr", "dvr", "intercom", "thermal", "surveillance"}
    assert [name for name in sorted(named) if not said & set(name.casefold().split())] == []
    assert len(named) < len(NAMES) / 10


PROSE = [
    "Why my Dahua camera reboots - a blog", "Tiandy cameras: a review", "Recorder compatible with Hikvision",
    "Uniview versus Milesight", "Works with Dahua", "Home viewer for Hikvision", "Replacement for a Bosch dome",
    "Reolink, Foscam and Dahua", "Live view - AXIS M9999 - Hikvision", "Our Hikvision page",
]


@pytest.mark.parametrize("title", PROSE)
def test_prose_about_makers_and_a_title_that_names_two_name_nobody(title):
    (seen,) = replies.read("html-title", 80, title.encode(), device="10.0.0.5", now=NOW)
    identity = identify("10.0.0.5", [seen], MAKERS)
    assert (identity.maker, identity.brand, identity.makers) == (None, None, ())
    assert {item.strength for item in identity.evidence if item.claim == "maker"} <= {"weak", "note"}


def test_prose_still_hints_at_whom_it_speaks_of():
    (seen,) = replies.read("html-title", 80, b"Tiandy cameras: a review", device="10.0.0.5", now=NOW)
    assert [item.value for item in identify("10.0.0.5", [seen], MAKERS).evidence if item.claim == "maker"] == ["tiandy"]


@pytest.mark.parametrize(("title", "maker"), [
    ("Dahua camera with PTZ", "dahua"), ("Welcome to Tiandy", "tiandy"), ("Uniview - Web Client for DVR", "uniview"),
    ("Login - HIKVISION", "hikvision"), ("Bosch AUTODOME for indoors", "bosch"),
])
def test_a_preposition_that_does_not_lead_to_the_name_is_no_prose(title, maker):
    assert makers_of(title) == (maker,)


@pytest.mark.parametrize(("title", "maker", "kind"), [
    ("DS-2CD9999G0-I", "hikvision", "camera"), ("ds-2td1111-3 - login", "hikvision", "thermal"),
    ("DHI-NVR9999-4KS2", "dahua", "recorder"), ("DS-K1T999M", "hikvision", "other"),
    ("Web Service DH-IPC-HFW9999", "dahua", "camera"),
])
def test_a_model_of_a_makers_own_form_is_its_title(title, maker, kind):
    (seen,) = replies.read("html-title", 80, title.encode(), device="10.0.0.5", now=NOW)
    identity = identify("10.0.0.5", [seen], MAKERS)
    assert (identity.makers, identity.kind, identity.assurance) == ((maker,), kind, "self_reported")


@pytest.mark.parametrize("title", [
    "DS-2CD9999G0-I compared", "Firmware of DS-2CD9999G0-I and DS-2CD9998", "DS-920", "A-1234567", "COVID-19", "DH-IPC",
    "ISO-27001", "DS920+",
])
def test_a_model_in_other_company_or_of_no_known_form_names_nobody(title):
    assert makers_of(title) == ()


@given(st.text(max_size=700), st.lists(st.text(max_size=40), max_size=3))
def test_any_title_is_answered(title, names):
    assert is_of_another_trade(title) in (True, False)
    assert is_prose(title, names) in (True, False)
