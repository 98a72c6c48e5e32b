"""Who walks through a scene: the counts that are known beforehand are those that one sees."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import walkers
from lab.personas import persona
from lab.scenes import Codec, Kind, Scene, scene_of


def sides(truth, start, end, step=0.004):
    """Crossings found by looking, the slow way: who changed sides from one moment to the next."""
    counts, before = Counter(), {}
    for moment in np.arange(start, end, step):
        now = {seen.walk: seen.x < walkers.LINE for seen in truth.people(float(moment))}
        for walk in now.keys() & before.keys():
            if now[walk] != before[walk]:
                counts[before[walk]] += 1
        before = now
    return walkers.Crossings(counts[True], counts[False])


@given(st.integers(0, 10**6))
def test_a_schedule_begins_and_ends_with_nobody_and_nobody_hides_another(seed):
    truth = walkers.schedule(seed, 40.0)
    assert truth == walkers.schedule(seed, 40.0)
    assert truth.people(0.0) == truth.people(1.99) == truth.people(39.999) == ()
    assert {way for _, way in truth.moments()} == {True, False}
    for moment in range(400):
        seen = truth.people(moment / 10)
        assert len(seen) <= 2
        assert len({one.feet for one in seen}) == len(seen)


@pytest.mark.parametrize("seed", [1, 19, 22])
def test_the_truth_is_what_one_sees(seed):
    truth = walkers.schedule(seed, 40.0)
    for start, end in ((0.0, 40.0), (3.3, 21.7), (35.0, 95.0)):
        assert truth.crossings(start, end) == sides(truth, start, end)


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0, 300))
def test_counts_of_neighbouring_intervals_add_up(one, two, three):
    truth = walkers.schedule(7, 23.0)
    start, middle, end = sorted((one, two, three))
    parts = truth.crossings(start, middle), truth.crossings(middle, end)
    whole = truth.crossings(start, end)
    assert whole.left_to_right == sum(part.left_to_right for part in parts)
    assert whole.right_to_left == sum(part.right_to_left for part in parts)


def test_whoever_turns_round_is_not_counted():
    back = walkers.Walk(0.9, 0.3, ((0.0, -0.09), (4.0, 0.4), (8.0, -0.09)))
    twice = walkers.Walk(0.5, 0.3, ((0.0, -0.09), (4.0, 0.6), (8.0, -0.09)))
    assert walkers.Schedule(10.0, (back,)).crossings(0, 100) == walkers.Crossings(0, 0)
    assert walkers.Schedule(10.0, (twice,)).crossings(0, 10) == walkers.Crossings(1, 1)
    assert twice.x(-0.1) is None
    assert twice.x(4.0) == pytest.approx(0.6)


def test_a_scene_says_what_it_cannot_be():
    one = persona("axis")
    for options in ({"scene_size": "641x360"}, {"scene_size": "wide"}, {"scene": "cats"}, {"scene_fps": "0"},
                    {"scene_seconds": "0"}, {"scene_codec": "mjpeg"}):
        with pytest.raises(ValueError, match=r"\w"):
            scene_of(replace(one, options={**one.options, **options}))
    assert scene_of(persona("lorex")) is None
    assert scene_of(persona("axis")) == Scene(Kind.PEOPLE, 19, Codec.H264, 640, 360, Fraction(25, 2), 60)
