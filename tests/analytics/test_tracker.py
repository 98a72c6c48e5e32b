"""Numbers stay with whom they were given to, as far as boxes can tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.detections import Detections, boxes_of
from analytics.track import Tracker, overlaps


def found(at, *boxes, scores=None, classes=None):
    scores = [0.9] * len(boxes) if scores is None else scores
    return Detections(at, boxes_of(boxes), classes or ["person"] * len(boxes), np.asarray(scores, np.float32), "test")


def person(x, y=0.5, wide=0.06, high=0.3):
    """A box whose middle stands at (x, y)."""
    return [x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]


def walk(tracker, places, *, rate=5.0):
    """The track numbers of each frame, for a list of lists of boxes."""
    return [list(tracker.update(found(i / rate, *boxes)).tracks) for i, boxes in enumerate(places)]


@pytest.mark.parametrize(("a", "b", "share"), [
    ([0, 0, 1, 1], [0, 0, 1, 1], 1.0),
    ([0, 0, 1, 1], [0.5, 0, 1.5, 1], 1 / 3),
    ([0, 0, 1, 1], [1, 0, 2, 1], 0.0),
    ([0, 0, 1, 1], [5, 5, 6, 6], 0.0),
    ([0, 0, 1, 1], [0.25, 0.25, 0.75, 0.75], 0.25),
    ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ([1, 1, 0, 0], [0, 0, 1, 1], 0.0),
])
def test_overlap(a, b, share):
    assert overlaps(boxes_of([a]), boxes_of([b]))[0, 0] == pytest.approx(share)
    assert overlaps(boxes_of([a]), boxes_of([])).shape == (1, 0)


def test_a_track_is_given_out_once_it_was_seen_often_enough():
    assert walk(Tracker(confirm=3), [[person(0.1 + i / 100)] for i in range(5)]) == [[], [], [1], [1], [1]]
    assert walk(Tracker(confirm=1), [[person(0.1)]]) == [[1]]


def test_two_who_pass_each_other_keep_their_numbers():
    places = [[person(0.1 + i * 0.02, 0.3), person(0.9 - i * 0.02, 0.6)] for i in range(40)]
    numbers = walk(Tracker(confirm=1), places)
    assert numbers == [[1, 2]] * 40


@pytest.mark.parametrize("rate", [5.0, 2.5, 1.25])
def test_a_walker_keeps_one_number_even_where_boxes_do_not_overlap(rate):
    places = [[person(0.05 + 0.25 * i / rate, wide=0.08)] for i in range(int(rate * 3.5))]
    assert {n for numbers in walk(Tracker(confirm=1), places, rate=rate) for n in numbers} == {1}


def test_somebody_far_away_is_somebody_else():
    assert walk(Tracker(confirm=1), [[person(0.1)], [person(0.9)]]) == [[1], [2]]


def test_a_gap_is_bridged_as_long_as_patience_lasts():
    for missing, numbers in ((5, {1}), (9, {1, 2})):
        tracker = Tracker(confirm=1, patience_s=1.5)
        places = [[person(0.5)]] * 3 + [[]] * missing + [[person(0.5)]] * 3
        assert {n for frame in walk(tracker, places) for n in frame} == numbers


def test_a_walker_comes_out_from_behind_a_pillar_under_the_same_number():
    places = [[person(0.2 + i * 0.03)] if not 8 <= i <= 11 else [] for i in range(20)]
    assert {n for frame in walk(Tracker(confirm=1), places) for n in frame} == {1}


def test_a_weak_detection_keeps_a_track_but_starts_none():
    tracker = Tracker(confirm=1)
    assert list(tracker.update(found(0.0, person(0.5), scores=[0.3])).tracks) == []
    assert list(tracker.update(found(0.2, person(0.5), scores=[0.9])).tracks) == [1]
    assert list(tracker.update(found(0.4, person(0.5), scores=[0.3])).tracks) == [1]


def test_a_weak_detection_never_takes_a_track_from_a_sure_one():
    tracker = Tracker(confirm=1)
    tracker.update(found(0.0, person(0.5)))
    tracked = tracker.update(found(0.2, person(0.5), person(0.51), scores=[0.3, 0.9]))
    assert tracked.boxes[0][0] == pytest.approx(0.48)
    assert list(tracked.tracks) == [1]


def test_classes_do_not_mix():
    tracker = Tracker(confirm=1)
    tracker.update(found(0.0, person(0.5)))
    tracked = tracker.update(found(0.2, person(0.5), classes=["vehicle"]))
    assert (list(tracked.tracks), list(tracked.classes)) == ([2], ["vehicle"])


def test_at_most_so_many_tracks_are_kept_and_the_longest_unseen_go_first():
    tracker = Tracker(confirm=1, most=3)
    tracker.update(found(0.0, person(0.1), person(0.3)))
    tracker.update(found(0.2, person(0.5), person(0.7)))
    tracked = tracker.update(found(0.4, person(0.5), person(0.7), person(0.1)))
    assert list(tracked.tracks)[:2] == [3, 4]
    assert len(tracker._tracks) == 3


boxes = st.lists(st.tuples(*(st.floats(0, 1, width=32) for _ in range(4))), max_size=6)


@given(st.lists(st.tuples(st.floats(0, 2), boxes), max_size=12))
def test_numbers_are_unique_in_a_frame_and_never_come_back_for_another(frames):
    tracker, at, highest = Tracker(confirm=1), 0.0, 0
    for step, rows in frames:
        at += step
        tracked = tracker.update(found(at, *rows))
        assert len(set(tracked.tracks)) == len(tracked.tracks) == len(tracked) == len(rows)
        new = [n for n in tracked.tracks if n > highest]
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)
