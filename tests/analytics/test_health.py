"""What a picture says about its camera: each symptom once, when it begins."""

import numpy as np
import pytest

from analytics.detections import Frame
from analytics.health import FROZEN_S, Health, Symptom

RANDOM = np.random.default_rng(5)


def noise(mean=100, spread=20, shape=(90, 160)):
    return np.clip(RANDOM.normal(mean, spread, shape), 0, 255).astype(np.uint8)


def frame(grey, at, size=(640, 360)):
    return Frame(grey, at, *size)


def looked(frames):
    """The symptoms that begin with each frame, and how well the picture was at the end."""
    health = Health()
    return [list(health.look(one)) for one in frames], health.well


def test_a_lively_picture_is_well():
    assert looked([frame(noise(), i / 5) for i in range(60)]) == ([[]] * 60, True)


@pytest.mark.parametrize(("grey", "symptom"), [
    (np.zeros((90, 160), np.uint8), Symptom.BLACK),
    (np.full((90, 160), 5, np.uint8), Symptom.BLACK),
    (np.full((90, 160), 128, np.uint8), Symptom.GREY),
    (np.full((90, 160), 255, np.uint8), Symptom.GREY),
    (noise(128, 1), Symptom.GREY),
    (noise(4, 2), Symptom.BLACK),
])
def test_even_pictures_are_named_once(grey, symptom):
    events, well = looked([frame(noise(), 0.0), frame(grey, 0.2), frame(grey, 0.4)])
    assert events == [[], [symptom], []]
    assert not well


def test_a_night_scene_with_a_lamp_is_not_black():
    grey = noise(4, 1)
    grey[10:30, 20:60] = 200
    assert looked([frame(grey, 0.0)]) == ([[]], True)


def test_a_symptom_that_passes_may_come_again():
    black = np.zeros((90, 160), np.uint8)
    events, well = looked([frame(black, 0.0), frame(noise(), 0.2), frame(black, 0.4), frame(noise(), 0.6)])
    assert events == [[Symptom.BLACK], [], [Symptom.BLACK], []]
    assert well


def test_black_may_turn_grey():
    events, _ = looked([frame(np.zeros((9, 9), np.uint8), 0.0), frame(np.full((9, 9), 90, np.uint8), 0.2)])
    assert events == [[Symptom.BLACK], [Symptom.GREY]]


def test_identical_pictures_are_frozen_after_their_time_and_thaw():
    still = noise()
    frames = [frame(still.copy(), i / 5) for i in range(int(FROZEN_S * 5) + 4)]
    events, well = looked(frames)
    assert [i / 5 for i, symptoms in enumerate(events) if symptoms] == [FROZEN_S]
    assert not well
    events, well = looked([*frames, frame(noise(), 20.0)])
    assert (events[-1], well) == ([], True)


def test_one_changed_pixel_is_life():
    still = noise()
    frames = []
    for i in range(60):
        still = still.copy()
        still[0, 0] = i
        frames.append(frame(still, i / 5))
    assert looked(frames)[1]


def test_another_size_is_an_event_and_no_illness():
    events, well = looked([frame(noise(), 0.0), frame(noise(), 0.2, (1280, 720)), frame(noise(), 0.4, (1280, 720)),
                           frame(noise(), 0.6)])
    assert events == [[], [Symptom.RESOLUTION], [], [Symptom.RESOLUTION]]
    assert well


def test_the_time_of_a_frozen_picture_begins_anew_with_another_size():
    still = noise()
    frames = [frame(still, i / 5, (640, 360) if i < 15 else (320, 180)) for i in range(30)]
    events, well = looked(frames)
    assert [symptoms for symptoms in events if symptoms] == [[Symptom.RESOLUTION]]
    assert well
