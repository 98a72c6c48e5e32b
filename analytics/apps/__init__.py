"""One counter a file. An app gets `Tracked` boxes and gives `Metric` numbers; it never sees a picture.

Registration is the decorator `app`, and the file's presence in this folder. Third parties use the entry point group
``camvet.apps``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol, TypeVar

from analytics.detections import Metric, Tracked

__all__ = ["App", "AppError", "app", "make", "names"]


class AppError(ValueError):
    """A configuration that an app cannot work with, in one line."""


class App(Protocol):
    """A counter over one camera's tracks."""

    limits: tuple[str, ...]

    def update(self, tracked: Tracked) -> None:
        """Take in one analysed frame."""

    def metrics(self, camera: str, start: float, end: float) -> Iterable[Metric]:
        """The numbers of the interval that ends now; counters that are per interval begin anew."""


Factory = Callable[[Mapping[str, Any]], App]
_Made = TypeVar("_Made", bound=Factory)
_APPS: dict[str, Factory] = {}


def app(name: str) -> Callable[[_Made], _Made]:
    """Register a factory (usually a class with ``__init__(config)``) under `name`."""
    def register(factory: _Made) -> _Made:
        _APPS[name] = factory
        return factory
    return register


def names() -> list[str]:
    """The names of all apps, own and installed."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted({*_APPS, *(point.name for point in entry_points(group="camvet.apps"))})


def make(name: str, config: Mapping[str, Any]) -> App:
    """A new counter. Raises `AppError` for an unknown name or a configuration that does not fit."""
    if name not in names():
        raise AppError(f"no app {name!r}; there are: {', '.join(names())}")
    if name in _APPS:
        return _APPS[name](config)
    return next(iter(entry_points(group="camvet.apps", name=name))).load()(config)  # type: ignore[no-any-return] # a third party's
