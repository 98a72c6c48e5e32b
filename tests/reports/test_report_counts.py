"""Counts: intervals, gaps that are no zeros, how several make one, and how far they can be trusted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_report import sample

from reports import counts
from reports.monitoring import MetricPoint, MetricSeries, Monitoring

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


def points(*values, step=600, quality=()):
    """A point for each value in turn; ``None`` is an interval that is missing."""
    return tuple(MetricPoint(START + timedelta(seconds=step * n), START + timedelta(seconds=step * (n + 1)), value,
                             quality) for n, value in enumerate(values) if value is not None)


def only(*series):
    found, = counts.counted(Monitoring(series=series))
    return found


def line(*values, metric="in", **more):
    return MetricSeries("10.0.0.1", "people_count", metric, "people", points(*values, **more))


def test_in_comes_before_out_and_before_all_else():
    found = only(line(1, metric="zone_max"), line(2, metric="out"), line(3, metric="in"), line(4, metric="aaa"))
    assert found.metrics == ("in", "out", "aaa", "zone_max")
    assert found.rows[0].values == (3, 2, 4, 1)
    assert (found.total_of("out"), found.total_of("zone_max"), found.total_of("nothing")) == (2, 1, None)


def test_an_interval_that_is_missing_is_a_gap_and_not_a_zero():
    found = only(line(1, 0, None, None, 3))
    assert [row.values for row in found.rows] == [(1,), (0,), (None,), (3,)]
    assert found.gaps == 1
    assert found.rows[2].end - found.rows[2].start == timedelta(minutes=20)
    assert found.total_of("in") == 4


def test_a_metric_that_is_missing_beside_another_is_no_gap():
    found = only(line(1, 2), line(1, metric="out"))
    assert [row.values for row in found.rows] == [(1, 1), (2, None)]
    assert found.gaps == 0


def test_small_pauses_are_no_gaps():
    first, second = points(1), points(None, 2)
    later = replace(second[0], start=second[0].start + timedelta(seconds=30))
    assert only(replace(line(), points=(*first, later))).gaps == 0


def test_many_intervals_are_taken_together_and_no_crossing_is_lost():
    found = only(line(*range(100), step=60))
    assert len(found.rows) == counts.MOST_ROWS
    assert found.together == timedelta(minutes=100) / counts.MOST_ROWS
    assert sum(row.values[0] for row in found.rows) == found.total_of("in") == sum(range(100))


def test_a_long_gap_stays_one_when_intervals_are_taken_together():
    found = only(line(*[1] * 30, *[None] * 40, *[1] * 30, step=60))
    assert found.gaps >= 8
    assert sum(row.values[0] or 0 for row in found.rows) == 60


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=1, max_size=120).filter(
    lambda values: any(value is not None for value in values)))
def test_rows_hold_every_crossing_in_the_order_of_time(values):
    found = only(line(*values))
    assert sum(row.values[0] or 0 for row in found.rows) == found.total_of("in") == sum(filter(None, values))
    assert len(found.rows) <= counts.MOST_ROWS
    for before, after in zip(found.rows, found.rows[1:], strict=False):
        assert before.start < before.end <= after.start + timedelta(microseconds=100)


@pytest.mark.parametrize(("metric", "total"), [("in", 9), ("out", 9), ("bag_count", 9), ("present_max", 6),
                                               ("present_mean", 3), ("temperature", 3)])
def test_how_several_intervals_make_one(metric, total):
    assert only(line(1, 2, 6, metric=metric)).totals == (total,)


def test_a_mean_weighs_by_time():
    long = MetricPoint(START + timedelta(minutes=1), START + timedelta(minutes=4), 8.0)
    short = MetricPoint(START, START + timedelta(minutes=1), 0.0)
    assert only(replace(line(metric="present_mean"), points=(short, long))).totals == (6.0,)


def test_what_the_sample_says_of_its_quality():
    by_device = {one.device: one.quality for one in counts.counted(sample().monitoring)}
    hall = by_device["10.20.0.32"]
    assert (hall.intervals, hall.overloaded, hall.unwell, hall.frames) == (9, 2, 0, 21_420)
    assert hall.analysed_fps == pytest.approx((3.966, 1.9), abs=0.01)
    assert by_device["10.20.0.31"].dropped == 8, "the counter begins anew with each connection: 2, then 1 to 6"
    assert hall.limits == (
        "counted by motion: people who stand or sit still are not held, and people who touch count as one",)


@pytest.mark.parametrize("text", ["", "-1", "nan", "inf", "1e9", "٣", "1.2.3", "9" * 40, "a"])
def test_what_is_no_number_is_not_told_as_one(text):
    quality = only(line(1, quality=(("analysed_fps", text), ("frames", text), ("dropped_pictures", text)))).quality
    assert (quality.analysed_fps, quality.frames, quality.dropped) == (None, None, None)


def test_numbers_of_a_camera_nobody_attached_are_told_all_the_same():
    assert [one.device for one in counts.counted(replace(sample().monitoring, cameras=()))] == [
        "10.20.0.31", "10.20.0.32", "10.20.0.34"]


def test_suspended_cameras_come_first():
    assert [one.device for one in counts.counted(sample().monitoring)] == ["10.20.0.34", "10.20.0.31", "10.20.0.32"]


@pytest.mark.parametrize(("value", "told"), [(0, "0"), (1204.0, "1,204"), (7.65, "7.65"), (3.1, "3.1"), (2.999, "3")])
def test_numbers(value, told):
    assert counts.number(value) == told


@pytest.mark.parametrize(("seconds", "told"), [(12, "12 s"), (90, "90 s"), (600, "10 min"), (5400, "90 min"),
                                               (10_800, "3 h"), (86_400, "24 h"), (259_200, "3 d")])
def test_lengths_of_time(seconds, told):
    assert counts.lasting(seconds) == told
