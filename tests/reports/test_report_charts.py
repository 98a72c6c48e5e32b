"""The charts: proportions, names for those who cannot see them, and no way in for a device."""

import pytest
from lxml import etree
from sample_report import HOSTILE, sample

from reports import charts, summary
from reports.summary import MakerCount
from rules.vocabulary import Outcome

COUNTS = ((Outcome.PROHIBITED, 6), (Outcome.UNDETERMINED, 3), (Outcome.CONDITIONAL, 0), (Outcome.APPROVED, 1))


def bars(svg: str) -> list[float]:
    """The widths of the bars, those of the patterns left out."""
    return [float(rect.get("width")) for rect in etree.fromstring(svg).findall("rect")]


def test_a_segment_is_as_wide_as_its_share():
    assert bars(charts.outcomes(COUNTS)) == pytest.approx([600 - 3, 300 - 3, 100 - 3])


def test_no_device_no_chart():
    assert charts.outcomes([(outcome, 0) for outcome in Outcome]) == ""
    assert charts.makers([]) == ""


@pytest.mark.parametrize("svg", [charts.outcomes(COUNTS), charts.makers(summary.makers(sample()))])
def test_title_and_description_tell_the_numbers(svg):
    tree = etree.fromstring(svg)
    ids = {one.get("id"): one.text for one in tree.iter() if one.get("id")}
    named = tree.get("aria-labelledby").split()
    assert tree.get("role") == "img"
    assert all(ids[name] for name in named)
    assert any(char.isdigit() for char in ids[named[1]])


def test_a_maker_is_divided_by_what_its_labels_say():
    svg = charts.makers([MakerCount("Dahua", 1, 3, 0, ("Lorex",)), MakerCount("Axis", 2, 0, 0, ())])
    assert bars(svg) == pytest.approx([270 / 4 - 2, 270 * 3 / 4 - 2, 270 / 2 - 2], abs=0.1)
    assert "sold as Lorex" in svg


def test_many_makers_share_one_bar_and_none_is_lost():
    rows = [MakerCount(f"Maker {number}", 1, 0, 0, ()) for number in range(40)]
    svg = charts.makers(rows)
    assert len(bars(svg)) == charts.MOST_MAKERS + 1
    assert "30 other makers" in svg


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(text):
    svg = charts.makers([MakerCount(text, 1, 1, 1, (text,) * 9)])
    tags = {etree.QName(one).localname for one in etree.fromstring(svg).iter()}
    assert tags <= {"svg", "title", "desc", "defs", "pattern", "rect", "text"}
