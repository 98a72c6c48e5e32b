"""The truth tables of the counter, on given tracks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import apps
from analytics.apps import AppError
from analytics.apps.people_count import HYSTERESIS, PeopleCount, inside
from analytics.detections import Tracked, boxes_of

DOWN = {"line": [[0.5, 0.0], [0.5, 1.0]]}          # walked down the picture; its right hand is the picture's left


def tracked(at, people, kind="person"):
    """`people`: the feet of each track number."""
    boxes = boxes_of([[x - 0.02, y - 0.2, x + 0.02, y] for x, y in people.values()])
    return Tracked(at, boxes, list(people), [kind] * len(people))


def counts(config, frames, kind="person"):
    app = PeopleCount(config)
    for i, people in enumerate(frames):
        app.update(tracked(i / 5, people, kind))
    return {metric.name: metric.value for metric in app.metrics("cam", 0.0, 10.0)}


def path(*places, track=1):
    return [{track: place} for place in places]


@pytest.mark.parametrize(("config", "frames", "came", "went"), [
    (DOWN, path((0.6, 0.5), (0.4, 0.5)), 1, 0),                             # right to left: to the line's right hand
    (DOWN, path((0.4, 0.5), (0.6, 0.5)), 0, 1),
    ({"line": [[0.5, 1.0], [0.5, 0.0]]}, path((0.6, 0.5), (0.4, 0.5)), 0, 1),   # the other way round
    ({"line": [[0.0, 0.5], [1.0, 0.5]]}, path((0.5, 0.4), (0.5, 0.6)), 1, 0),   # walked to the right, "in" is down
    ({"line": [[0.0, 0.5], [1.0, 0.5]]}, path((0.5, 0.6), (0.5, 0.4)), 0, 1),
    ({"line": [[0.0, 0.0], [1.0, 1.0]]}, path((0.8, 0.2), (0.2, 0.8)), 1, 0),
    (DOWN, path((0.6, 0.5), (0.4, 0.5), (0.6, 0.5)), 1, 1),                 # came and went
    (DOWN, path((0.6, 0.5), (0.55, 0.5), (0.6, 0.5)), 0, 0),                # turned round before it
    (DOWN, path((0.4, 0.5)), 0, 0),                                         # appeared behind it
    (DOWN, [], 0, 0),
    (DOWN, path((0.6, 0.5), track=1) + path((0.4, 0.5), track=2), 0, 0),    # two tracks, neither crossed
    (DOWN, [{1: (0.6, 0.3), 2: (0.4, 0.7)}, {1: (0.4, 0.3), 2: (0.6, 0.7)}], 1, 1),
    (DOWN, [{1: (0.6, 0.3)}, {}, {}, {1: (0.4, 0.3)}], 1, 0),               # unseen while crossing
])
def test_crossings(config, frames, came, went):
    assert counts(config, frames) == {"in": came, "out": went}


@pytest.mark.parametrize(("line", "feet", "counted"), [
    ([[0.5, 0.2], [0.5, 0.6]], 0.4, 1),
    ([[0.5, 0.2], [0.5, 0.6]], 0.7, 0),          # past the line's end: another door
    ([[0.5, 0.2], [0.5, 0.6]], 0.1, 0),
    ([[0.5, 0.2], [0.5, 0.6]], 0.59, 1),
])
def test_only_within_the_ends_of_the_line(line, feet, counted):
    assert counts({"line": line}, path((0.6, feet), (0.4, feet)))["in"] == counted


def test_who_walks_round_the_end_of_the_line_and_comes_back_through_it_counts_once():
    line = {"line": [[0.5, 0.2], [0.5, 0.6]]}
    assert counts(line, path((0.6, 0.8), (0.4, 0.8), (0.4, 0.4), (0.6, 0.4))) == {"in": 0, "out": 1}


def test_jitter_on_the_line_counts_nothing():
    less = HYSTERESIS * 0.9
    frames = path(*[(0.5 + (less if i % 2 else -less), 0.5) for i in range(40)])
    assert counts(DOWN, frames) == {"in": 0, "out": 0}
    assert counts(DOWN, path((0.6, 0.5)) + frames + path((0.6, 0.5))) == {"in": 0, "out": 0}
    assert counts(DOWN, path((0.6, 0.5)) + frames + path((0.4, 0.5))) == {"in": 1, "out": 0}


def test_only_people_are_counted():
    assert counts(DOWN, path((0.6, 0.5), (0.4, 0.5)), kind="vehicle") == {"in": 0, "out": 0}


def test_a_crossing_belongs_to_one_interval():
    app = PeopleCount(DOWN)
    app.update(tracked(0, {1: (0.6, 0.5)}))
    assert [m.value for m in app.metrics("cam", 0, 1)] == [0, 0]
    app.update(tracked(1, {1: (0.4, 0.5)}))
    assert [m.value for m in app.metrics("cam", 1, 2)] == [1, 0]
    assert [m.value for m in app.metrics("cam", 2, 3)] == [0, 0]


SQUARE = {"zone": [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]]}


def test_a_zone_gives_the_mean_and_the_most_of_the_interval():
    frames = [{1: (0.5, 0.5)}, {1: (0.5, 0.5), 2: (0.6, 0.6), 3: (0.9, 0.9)}, {}, {1: (0.1, 0.1)}]
    assert counts(SQUARE, frames) == {"present_mean": 0.75, "present_max": 2}


def test_no_analysed_frame_is_no_number():
    assert counts(SQUARE, []) == {}
    app = PeopleCount(SQUARE)
    app.update(tracked(0, {1: (0.5, 0.5)}))
    assert len(list(app.metrics("cam", 0, 1))) == 2
    assert list(app.metrics("cam", 1, 2)) == []


def test_line_and_zone_together():
    assert set(counts(DOWN | SQUARE, [{1: (0.5, 0.5)}])) == {"in", "out", "present_mean", "present_max"}


def test_a_metric_carries_its_camera_interval_and_unit():
    (first, _) = PeopleCount(DOWN).metrics("cam-1", 10.0, 20.0)
    assert (first.camera, first.app, first.unit, first.start, first.end) == ("cam-1", "people_count", "people", 10, 20)


ARROW = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.5], [0.9, 0.9], [0.1, 0.9]]      # concave


@pytest.mark.parametrize(("x", "y", "within"), [(0.2, 0.5, True), (0.6, 0.2, True), (0.8, 0.5, False),
                                                (0.05, 0.5, False), (0.6, 0.8, True), (0.5, 0.95, False)])
def test_a_point_in_a_concave_polygon(x, y, within):
    assert inside(np.asarray(ARROW), x, y) is within


@pytest.mark.parametrize(("config", "says"), [
    ({}, "a line or a zone"),
    ({"lines": [[0, 0], [1, 1]]}, "not lines"),
    ({"line": [[0, 0]]}, "line: expected"),
    ({"line": [[0, 0], [1, 1], [1, 0]]}, "two different points"),
    ({"line": [[0.5, 0.5], [0.5, 0.5]]}, "two different points"),
    ({"line": [[0, 0], [640, 360]]}, "shares of the frame"),
    ({"line": [[0, 0], [1, -0.1]]}, "shares of the frame"),
    ({"line": [[0, 0], [1, float("nan")]]}, "shares of the frame"),
    ({"line": "across"}, "expected points"),
    ({"line": [[0, 0], [1]]}, "expected points"),
    ({"line": [["a", "b"], ["c", "d"]]}, "expected points"),
    ({"line": {"a": 1}}, "expected points"),
    ({"zone": [[0, 0], [1, 1]]}, "zone: expected"),
    ({"zone": [[0.1, 0.1]] * 65}, "zone: expected"),
])
def test_a_configuration_that_does_not_fit_is_refused_in_a_line(config, says):
    with pytest.raises(AppError, match=says):
        apps.make("people_count", config)


def test_an_unknown_app_is_refused_with_what_there_is():
    with pytest.raises(AppError, match="people_count"):
        apps.make("face_recognition", {})
    assert "people_count" in apps.names()


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_who_came_more_often_than_went_is_on_the_other_side(steps):
    """In and out of one track alternate, so over all tracks they differ by at most one each."""
    result = counts(DOWN, [{track: (x, y)} for track, x, y in steps])
    assert abs(result["in"] - result["out"]) <= len({track for track, _, _ in steps})


def test_old_tracks_are_forgotten_and_memory_is_bounded():
    app = PeopleCount(DOWN)
    for number in range(10_000):
        app.update(tracked(number, {number: (0.6, 0.5)}))
    assert len(app._side) <= 4096
