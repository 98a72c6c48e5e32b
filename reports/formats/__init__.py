"""The formats of a report: one module a format, found by its presence; third parties use an entry point.

A module ``reports/formats/x.py`` registers one writer under the name ``x``::

    @register("x", media_type="text/x", suffix="x")
    def write(report: Report, options: Options) -> bytes: ...

A package elsewhere declares an entry point ``x`` in the group ``camvet.formats`` whose value is such a writer, and
registers it the same way. A format is imported when it is asked for, so that a broken one harms no other; a format of
this folder cannot be replaced from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from reports.report import Report
from reports.text import slug

__all__ = [
    "GROUP", "Files", "Format", "FormatError", "Options", "Writer", "file_name", "find", "names", "register", "render",
]

GROUP = "camvet.formats"

Options = Mapping[str, str]
Writer = Callable[[Report, Options], bytes]
Files = Callable[[Report], Mapping[str, bytes]]


class FormatError(ValueError):
    """A format or an option of one that does not exist; the message names those that do."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a report.

    Attributes:
        name: what a user asks for.
        media_type: for whoever serves the bytes.
        suffix: of the file name, without the dot.
        options: the options it understands, each with its allowed values, the default first.
        write: the writer.
        files: for a format of one file a device: every file by its name.
    """

    name: str
    media_type: str
    suffix: str
    options: Mapping[str, tuple[str, ...]]
    write: Writer
    files: Files | None = None


_registered: dict[str, Format] = {}


def register(name: str, *, media_type: str, suffix: str,
             options: Mapping[str, tuple[str, ...]] | None = None,
             files: Files | None = None) -> Callable[[Writer], Writer]:
    """Register the decorated writer under `name`. Raises `FormatError` where another writer has the name."""
    def keep(write: Writer) -> Writer:
        if name in _registered:
            raise FormatError(f"two writers for the format {name!r}")
        _registered[name] = Format(name, media_type, suffix, dict(options or {}), write, files)
        return write
    return keep


def names() -> tuple[str, ...]:
    """Every format there is, by name, whether or not it was imported yet."""
    return tuple(sorted({*_own(), *(point.name for point in entry_points(group=GROUP))}))


def find(name: str) -> Format:
    """The format of this name. Raises `FormatError` where there is none, or where its module does not register it."""
    if name not in _registered:
        if name in _own():
            import_module(f"{__name__}.{name}")
        else:
            for point in entry_points(group=GROUP, name=name):
                point.load()
    if name not in _registered:
        raise FormatError(f"no format {name!r}; there are: {', '.join(names())}")
    return _registered[name]


def render(report: Report, name: str, **options: str) -> bytes:
    """`report` in the format `name`. Raises `FormatError` for an unknown format, option or value."""
    chosen = find(name)
    for option, value in options.items():
        if option not in chosen.options:
            known = ", ".join(chosen.options) or "none"
            raise FormatError(f"{name} has no option {option!r}; it has: {known}")
        if value not in chosen.options[option]:
            raise FormatError(f"{option}={value!r} is not one of {', '.join(chosen.options[option])}")
    defaults = {option: values[0] for option, values in chosen.options.items()}
    return chosen.write(report, {**defaults, **options})


def file_name(report: Report, name: str, **options: str) -> str:
    """A file name that is safe on every system: ``camvet-site-sweep-2026-11-22.csv``, `options` before the suffix."""
    chosen = find(name)
    parts = ["camvet", slug(report.site, 40), slug(report.sweep, 24), report.as_of.isoformat()]
    parts += [slug(value, 20) for option, value in sorted(options.items()) if value != chosen.options[option][0]]
    return f"{'-'.join(parts)}.{chosen.suffix}"


def _own() -> tuple[str, ...]:
    return tuple(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
