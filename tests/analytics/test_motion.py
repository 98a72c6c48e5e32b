"""Moving rectangles on a noisy ground: what is found, and what is known not to be."""

import numpy as np
import pytest

from analytics.detections import Frame
from analytics.detectors.motion import LIMIT, MotionDetector

HEIGHT, WIDTH = 270, 480


class Scene:
    """A textured ground with sensor noise; `show` draws people as dark boxes (left, top, right, bottom in pixels)."""

    def __init__(self, seed=1):
        self.random = np.random.default_rng(seed)
        self.ground = self.random.integers(90, 130, (HEIGHT, WIDTH)).astype(np.int16)
        self.at = -0.2

    def show(self, *people, light=0, rate=5.0):
        picture = self.ground + light
        for left, top, right, bottom in people:
            picture[top:bottom, max(0, left):right] = 30
        picture = np.clip(picture + self.random.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        self.at += 1 / rate
        return Frame(picture, self.at, WIDTH * 4, HEIGHT * 4)


def walker(left, top=120, wide=26, high=80):
    return (left, top, left + wide, top + high)


def learned(seconds=4.0, **options):
    """A detector that has seen its empty scene."""
    scene, detector = Scene(), MotionDetector(**options)
    for _ in range(int(seconds * 5)):
        assert len(detector.detect(scene.show())) == 0
    return scene, detector


def test_walkers_are_found_where_they_are():
    scene, detector = learned()
    for step in range(12):
        people = [walker(20 + 12 * step), walker(420 - 12 * step, top=30)]
        found = detector.detect(scene.show(*people))
        assert len(found) == 2
        assert set(found.classes) == {"person"}
        expected = np.asarray(sorted(people)) / [WIDTH, HEIGHT, WIDTH, HEIGHT]
        assert np.sort(found.boxes, axis=0) == pytest.approx(np.sort(expected, axis=0), abs=0.03)
        assert ((found.scores > 0.5) & (found.scores <= 1)).all()
        assert found.at == scene.at
        assert found.source == "motion"


def test_people_side_by_side_are_as_many_as_fit():
    for count in (1, 2, 3):
        scene, detector = learned()
        for step in range(4):
            found = detector.detect(scene.show((20 + 10 * step, 100, 20 + 10 * step + 40 * count, 180)))
            assert len(found) == count


def test_an_empty_scene_stays_empty():
    scene, detector = learned()
    assert sum(len(detector.detect(scene.show())) for _ in range(50)) == 0


@pytest.mark.parametrize("size", [(4, 6), (470, 260)])
def test_what_is_too_small_or_too_large_for_a_person_is_none(size):
    scene, detector = learned()
    wide, high = size
    assert sum(len(detector.detect(scene.show((5 + step, 5, 5 + step + wide, 5 + high)))) for step in range(4)) == 0


def test_whoever_stands_still_vanishes_and_the_limit_is_stated():
    """The stated limit: a standing person becomes background. Whoever mends this changes `LIMIT` too."""
    scene, detector = learned(60.0)
    standing = [len(detector.detect(scene.show(walker(200)))) for _ in range(5 * 30)]
    held = standing.index(0) / 5
    assert 3 < held < 12
    assert sum(standing[-50:]) == 0
    assert "still" in LIMIT


def test_nothing_is_reported_while_the_scene_is_learned():
    scene, detector = Scene(), MotionDetector(learning_s=2.0)
    found = [(scene.at, len(detector.detect(scene.show(walker(20 + 15 * step))))) for step in range(20)]
    assert [count for at, count in found if at < 1.7] == [0] * 10
    assert all(count >= 1 for at, count in found if at > 1.9)


def test_a_switched_lamp_is_learned_and_not_counted():
    scene, detector = learned()
    for light in (70, 0):
        assert [len(detector.detect(scene.show(light=light))) for _ in range(15)] == [0] * 15
        found = [len(detector.detect(scene.show(walker(50 + 12 * step), light=light))) for step in range(5)]
        assert found == [1] * 5


def test_another_size_begins_anew():
    _, detector = learned()
    random = np.random.default_rng(2)
    for i in range(8):
        small = Frame(random.integers(90, 110, (90, 160), np.uint8), 10 + i / 5, 640, 360)
        assert len(detector.detect(small)) == 0


@pytest.mark.parametrize("shape", [(2, 2), (2, 480), (270, 1), (16, 16)])
def test_odd_sizes_do_no_harm(shape):
    detector = MotionDetector()
    for i in range(20):
        grey = np.full(shape, 10 * (i % 2), np.uint8)
        assert len(detector.detect(Frame(grey, i / 5, 100, 100))) <= 4
