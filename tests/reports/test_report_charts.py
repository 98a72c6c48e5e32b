"""The charts: proportions, names for those who cannot see them, and no way in for a device."""

from datetime import timedelta

import pytest
from lxml import etree
from sample_report import HOSTILE, NOW, sample

from reports import charts, summary
from reports.counts import Counted, Quality, Row, counted
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


@pytest.mark.parametrize("svg", [charts.outcomes(COUNTS), charts.makers(summary.makers(sample())),
                                 *(charts.flow(one, 1) for one in counted(sample().monitoring))])
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


def flow(*columns, metrics=("in", "out"), gap=()):
    rows = []
    for n, values in enumerate(zip(*columns, strict=True)):
        at = NOW + timedelta(minutes=10 * n)
        rows.append(Row(at, at + timedelta(minutes=10), (None,) * len(columns) if n in gap else values))
    totals = tuple(float(sum(column)) for column in columns)
    quality = Quality((), None, None, None, len(rows), 0, 0)
    units = ("people",) * len(columns)
    return charts.flow(Counted("10.0.0.1", "people_count", metrics, units, totals, tuple(rows), None, quality), 7)


def drawn(svg: str) -> list[tuple[str, float, float]]:
    """Title, top and height of each bar."""
    return [(rect.findtext("title"), float(rect.get("y")), float(rect.get("height")))
            for rect in etree.fromstring(svg).findall("rect") if rect.find("title") is not None]


def test_bars_stand_on_the_line_or_hang_from_it_and_share_a_scale():
    one, two, three, four = drawn(flow([4, 8], [2, 6]))
    assert one[0].endswith("in 4")
    assert two[0].endswith("out 2")
    assert one[1] + one[2] == pytest.approx(three[1] + three[2])
    assert two[1] == four[1] > one[1]
    assert [one[2] / two[2], three[2] / two[2], four[2] / two[2]] == pytest.approx([2, 4, 3], abs=0.05)


def test_no_one_counted_is_no_bar_and_no_analysis_is_a_dashed_box():
    titles = [title for title, _, _ in drawn(flow([0, 3, 5], [0, 0, 0], gap=(2,)))]
    assert [title.partition(": ")[2] for title in titles] == ["in 3", "nothing was analysed"]


def test_an_empty_day_is_drawn_all_the_same():
    assert drawn(flow([0, 0], [0, 0])) == []


def test_one_metric_only_points_up():
    svg = flow([4, 8], metrics=("present_max",))
    assert len(drawn(svg)) == 2
    assert ">out<" not in svg


def test_the_flow_tells_its_numbers_in_words():
    svg = flow([4, 8], [2, 6])
    tree = etree.fromstring(svg)
    ids = {one.get("id"): one.text for one in tree.iter() if one.get("id")}
    assert ids["f7-title"] == "people_count over time"
    assert "in 12, out 8 people" in ids["f7-desc"]
    assert "highest bar 8" in ids["f7-desc"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_metrics_stay_text(text):
    tags = {etree.QName(one).localname for one in etree.fromstring(flow([1, 2], [3, 4], metrics=(text, text))).iter()}
    assert tags <= {"svg", "title", "desc", "defs", "pattern", "rect", "text"}
