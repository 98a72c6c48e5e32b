"""A hotel may be called like a maker: whose page a title is, is told by the other words in it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.identity import identify
from rules.makers import load
from rules.titles import is_of_another_trade
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


@given(st.text(max_size=700))
def test_any_title_is_answered(title):
    assert is_of_another_trade(title) in (True, False)
