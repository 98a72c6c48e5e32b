"""Films in coded form: drawn and encoded group by group when somebody watches, kept in memory and in a folder.

A group is a file of its own, an Annex B stream that any player shows. What was once encoded is only read the next time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.bitstream import access_units
from lab.scenes import Scene

if TYPE_CHECKING:
    from lab.scenery import Painter

__all__ = ["Clip", "Studio"]

Unit = tuple[bytes, ...]           # the NAL units of one picture


class Clip:
    """One scene as access units. Its methods work, and may be called from any thread."""

    def __init__(self, scene: Scene, folder: Path | None) -> None:
        self.scene = scene
        self._folder = folder
        self._groups: dict[int, list[Unit]] = {}
        self._sets: Unit = ()
        self._painter: Painter | None = None
        self._lock = threading.Lock()

    def unit(self, number: int) -> Unit | None:
        """Picture `number`, counted on through every loop of the film; None where it has to be loaded first."""
        group, place = divmod(number % self.scene.pictures, self.scene.group)
        units = self._groups.get(group)
        return None if units is None else units[place]

    def load(self, number: int) -> None:
        """Have the group with picture `number` read or encoded; takes a tenth of a second or so."""
        group = number % self.scene.pictures // self.scene.group
        with self._lock:
            if group not in self._groups:
                self._groups[group] = access_units(self.scene.codec, self._read(group) or self._encode(group))

    def parameter_sets(self) -> Unit:
        """The parameter sets of every key picture of the film; nothing is drawn for them."""
        with self._lock:
            if not self._sets:
                from lab import encoding
                self._sets = encoding.parameter_sets(self.scene)
        return self._sets

    def _encode(self, group: int) -> bytes:
        from lab import encoding, scenery
        if self._painter is None:
            self._painter = scenery.Painter(self.scene)
        stream = encoding.encode_group(self.scene, self._painter, group)
        path = self._path(group)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{threading.get_native_id()}")
            unfinished.write_bytes(stream)
            unfinished.replace(path)               # in one step: another site may read the same folder
        return stream

    def _read(self, group: int) -> bytes:
        path = self._path(group)
        return path.read_bytes() if path is not None and path.exists() else b""

    def _path(self, group: int) -> Path | None:
        if self._folder is None:
            return None
        name = f"{self.scene.digest()}-{_drawing_digest()}-{group:04d}.{self.scene.codec}"
        return self._folder / name


class Studio:
    """The films of one site; devices with equal scenes share one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._clips: dict[Scene, Clip] = {}

    @staticmethod
    def is_equipped() -> bool:
        """Whether what draws and encodes is installed: PyAV, numpy and OpenCV, which are the extra ``analytics``."""
        return all(importlib.util.find_spec(name) for name in ("av", "numpy", "cv2"))

    def clip(self, scene: Scene) -> Clip:
        """The film of that scene."""
        return self._clips.setdefault(scene, Clip(scene, self._folder))


@cache
def _drawing_digest() -> str:
    """Changes with the code that draws and encodes, so that a folder never answers with another version's films."""
    digest = hashlib.sha256()
    for name in ("walkers", "scenery", "encoding"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:8]
