"""Draws the pictures of a scene: people on a textured background with a little sensor noise, or warm ones in the cold.

The same scene and number give the same picture, so that any part of a film can be drawn without what came before it.
Loads numpy and OpenCV, which nothing of the lab needs before somebody watches: import it where it is used.
"""

from __future__ import annotations

import math
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lab.scenes import Kind, Scene
from lab.walkers import Seen

__all__ = ["Painter"]

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]

NOISE_FIELDS = 16
SHIFT = 4                                       # OpenCV's fixed point: people move by sixteenths of a pixel
CLOTHES: tuple[tuple[Colour, Colour], ...] = (  # trunk and legs, blue green red; all far from the grey background
    ((40, 30, 30), (70, 50, 40)), ((235, 235, 240), (60, 50, 45)), ((30, 20, 150), (35, 30, 30)),
    ((200, 215, 225), (45, 40, 60)), ((60, 25, 20), (50, 40, 35)), ((60, 220, 235), (40, 35, 35)),
)
SKIN: tuple[Colour, ...] = ((150, 180, 230), (60, 90, 140), (30, 45, 75))


class Painter:
    """Draws one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._schedule = scene.schedule()
        grain = np.random.default_rng(scene.seed)
        self._background = _background(scene, grain)
        spread = 1.5 if scene.kind is Kind.THERMAL else 2.0
        size = (scene.height, scene.width)
        self._noise = [(grain.standard_normal(size, np.float32) * spread).astype(np.int16)
                       for _ in range(1 if scene.still else NOISE_FIELDS)]

    def picture(self, number: int) -> Picture:
        """Picture `number` of the scene as planar YUV 4:2:0, shape `(height * 3 // 2, width)`."""
        drawn = self._background
        if self._scene.kind in (Kind.PEOPLE, Kind.THERMAL):
            drawn = drawn.copy()
            for person in self._schedule.people(self._scene.second(number)):
                self._draw(drawn, person)
            if self._scene.kind is Kind.THERMAL:
                cv2.GaussianBlur(drawn, (5, 5), 0, dst=drawn)     # germanium optics are not sharp
        planes = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2YUV_I420), np.uint8)
        if self._scene.kind in (Kind.PEOPLE, Kind.THERMAL):
            luma = planes[:self._scene.height]
            cv2.add(luma, self._noise[number * 7 % len(self._noise)], dst=luma, dtype=cv2.CV_8U)
        return planes

    def _draw(self, canvas: Picture, person: Seen) -> None:
        """One walker from the side: head, trunk, and arms and legs that swing once a stride."""
        tall, wide = person.height * self._scene.height, self._scene.width
        x, feet = person.x * wide, person.feet * self._scene.height
        trunk, legs, skin = self._tones(person.walk)
        hip, shoulder, swing = feet - 0.47 * tall, feet - 0.80 * tall, math.sin(person.phase * 2 * math.pi)
        leg, arm = max(2, round(0.085 * tall)), max(2, round(0.06 * tall))
        for side in (-1, 1):
            foot = x + side * swing * 0.20 * tall
            lifted = feet - leg / 2 - 0.05 * tall * max(0.0, side * math.cos(person.phase * 2 * math.pi))
            _limb(canvas, (x, hip), (foot, lifted), legs, leg)
        _limb(canvas, (x, shoulder + 0.03 * tall), (x + swing * 0.14 * tall, hip), skin, arm)
        cv2.ellipse(canvas, _fixed(x, (hip + shoulder) / 2), _fixed(0.115 * tall, (hip - shoulder) / 2 + 0.03 * tall),
                    0, 0, 360, trunk, -1, cv2.LINE_AA, SHIFT)
        _limb(canvas, (x, shoulder + 0.03 * tall), (x - swing * 0.14 * tall, hip), trunk, arm)
        cv2.circle(canvas, _fixed(x, feet - 0.905 * tall), _fixed(0.085 * tall, 0)[0], skin, -1, cv2.LINE_AA, SHIFT)

    def _tones(self, walk: int) -> tuple[Colour, Colour, Colour]:
        """Trunk, legs and skin of one walker, the same in every picture."""
        chance = random.Random(f"clothes {self._scene.seed} {walk}")
        if self._scene.kind is Kind.THERMAL:
            warm = chance.uniform(165, 205)
            return _grey(warm), _grey(warm - 20), _grey(235)
        trunk, legs = chance.choice(CLOTHES)
        return trunk, legs, chance.choice(SKIN)


def _background(scene: Scene, grain: np.random.Generator) -> Picture:
    """What stands still: a wall and a floor with stains, a door; in the thermal picture a cold slope."""
    size, shape = (scene.width, scene.height), (scene.height, scene.width, 3)
    if scene.kind is Kind.BLACK:
        return np.zeros(shape, np.uint8)
    if scene.kind is Kind.GREY:
        return np.full(shape, 128, np.uint8)
    thermal = scene.kind is Kind.THERMAL
    level: NDArray[Any] = np.linspace(30, 60, scene.height) if thermal else np.linspace(135, 105, scene.height)
    ground = np.repeat(level[:, None], scene.width, axis=1).astype(np.float32)
    for cells, strength in ((6, 5.0), (24, 4.0), (90, 3.0)):      # stains of three sizes
        rough = grain.standard_normal((max(2, cells * scene.height // scene.width), cells), np.float32)
        ground += cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC) * (strength * (0.4 if thermal else 1.0))
    grey: Picture = np.clip(ground, 0, 255).astype(np.uint8)
    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if not thermal:
        floor = round(0.42 * scene.height)
        picture[floor:] = np.clip(picture[floor:] + np.array((-14, -4, 6), np.int16), 0, 255)
        left, top = round(0.70 * scene.width), round(0.12 * scene.height)
        cv2.rectangle(picture, (left, top), (left + scene.width // 9, floor), (88, 100, 104), -1)
    return picture


def _limb(canvas: Picture, start: tuple[float, float], end: tuple[float, float], tone: Colour, thick: int) -> None:
    cv2.line(canvas, _fixed(*start), _fixed(*end), tone, thick, cv2.LINE_AA, SHIFT)


def _fixed(x: float, y: float) -> tuple[int, int]:
    return round(x * (1 << SHIFT)), round(y * (1 << SHIFT))


def _grey(value: float) -> Colour:
    return value, value, value
