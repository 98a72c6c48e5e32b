"""The monitoring values: whose camera it is, what is refused as impossible, and the order they are told in."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sample_monitoring import NOW, monitoring
from sample_report import TODAY, sample, site

from reports.monitoring import AttachedCamera, CameraState, MetricPoint, MetricSeries, Monitoring, series_of
from reports.report import build

CAMERA = AttachedCamera("10.20.0.31", "p", ("people_count",), 1, "d", CameraState.ATTACHED, NOW, "a", "x", NOW, NOW)


def told(**change):
    return build(site="s", sweep="w", generated_at=NOW, as_of=TODAY, policy="p", scope=sample().scope, devices=site(),
                 monitoring=replace(monitoring(), **change)).monitoring


def camera(**change):
    found, = told(cameras=(replace(CAMERA, **change),)).cameras
    return found


def test_a_camera_gets_its_names_from_the_sweep():
    found = camera()
    assert (found.maker, found.brand, found.model) == ("Axis Communications AB", "AXIS", "P3245-LVE")
    assert found.inventory_id == next(one.inventory_id for one in site() if one.device == "10.20.0.31")


def test_what_was_given_is_kept():
    assert (camera(model="Q1", maker="Someone").model, camera(maker="Someone").maker) == ("Q1", "Someone")


def test_another_device_on_its_address_does_not_lend_its_name():
    found = camera(inventory_id="dev-another")
    assert (found.maker, found.brand, found.model, found.inventory_id) == ("", "", "", "dev-another")


def test_a_camera_that_moved_is_known_by_its_inventory_id():
    there = next(one for one in site() if one.device == "10.20.0.32")
    assert camera(inventory_id=there.inventory_id).brand == "Hanwha Vision"


def test_a_camera_that_the_sweep_did_not_see_stays_without_a_name():
    assert camera(device="10.99.0.1").model == ""


def test_the_order_is_that_of_action_and_of_time():
    found = told()
    assert [one.state for one in found.cameras] == [CameraState.SUSPENDED, CameraState.ATTACHED, CameraState.ATTACHED]
    assert [one.at for one in found.events] == sorted(one.at for one in found.events)
    assert [one.at for one in found.refusals] == sorted(one.at for one in found.refusals)
    backwards = [replace(one, points=tuple(reversed(one.points))) for one in reversed(monitoring().series)]
    assert told(series=backwards).series == found.series


POINT = MetricPoint(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), 1.0)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - the very thing that is refused


@pytest.mark.parametrize(("change", "why"), [
    ({"cameras": (replace(CAMERA, until=NAIVE),)}, "time zone"),
    ({"cameras": (replace(CAMERA, retention_days=-1),)}, "retention of -1 days"),
    ({"series": (MetricSeries("d", "a", "m", "u", (replace(POINT, value=float("nan")),)),)}, "not a number"),
    ({"series": (MetricSeries("d", "a", "m", "u", (replace(POINT, value=float("inf")),)),)}, "not a number"),
    ({"series": (MetricSeries("d", "a", "m", "u", (replace(POINT, end=POINT.start),)),)}, "ends before it starts"),
    ({"series": (MetricSeries("d", "a", "m", "u", (replace(POINT, start=NAIVE),)),)}, "time zone"),
    ({"cameras": (replace(CAMERA, since=NOW.astimezone(timezone(timedelta(hours=2)))),)}, "time zone UTC"),
    ({"events": (replace(monitoring().events[0], at=NAIVE),)}, "time zone"),
    ({"refusals": (replace(monitoring().refusals[0], at=NAIVE),)}, "time zone"),
])
def test_what_cannot_be_true_is_refused(change, why):
    with pytest.raises(ValueError, match=why):
        told(**change)


@dataclass(frozen=True)
class Metric:
    """The shape of the counters' own value."""

    camera: str
    app: str
    name: str
    value: float
    unit: str
    start: float
    end: float
    quality: tuple[tuple[str, str], ...] = (("frames", "3"),)


def test_single_numbers_become_series_in_the_order_of_time():
    late, early, other = (Metric("x", "people_count", "in", 2, "people", 600, 1200),
                          Metric("x", "people_count", "in", 1, "people", 0, 600),
                          Metric("x", "people_count", "out", 5, "people", 0, 600))
    first, second = series_of([late, early, other], {"x": "10.0.0.1"})
    assert (first.device, first.metric, second.metric) == ("10.0.0.1", "in", "out")
    assert [(one.start.timestamp(), one.value) for one in first.points] == [(0, 1.0), (600, 2.0)]
    assert first.points[0].start.tzinfo is UTC
    assert first.points[0].quality == (("frames", "3"),)


def test_the_counters_own_value_fits():
    detections = pytest.importorskip("analytics.detections")
    found, = series_of([detections.Metric("d", "people_count", "in", 3, "people", 0.0, 10.0, (("frames", "9"),))])
    assert found.points[0].value == 3.0
    assert {one.name for one in fields(detections.Metric)} == {one.name for one in fields(Metric)}


def test_nothing_at_the_gate_is_a_value_too():
    assert Monitoring().cameras == ()
    assert build(site="s", sweep="w", generated_at=NOW, as_of=TODAY, policy="p", scope=sample().scope,
                 devices=()).monitoring is None
