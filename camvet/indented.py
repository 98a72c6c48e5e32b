"""JSON laid out for reading, written piece by piece: a large answer is never held as one text.

What is written is letter for letter what ``json.dumps(value, ensure_ascii=False, indent=2, default=str)`` gives, but
for the rows of `Lines`. The encoder in C cannot indent, so it is given what lies within one pair of brackets, with the
line break in its separators.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

__all__ = ["Each", "Lines", "write"]

_STEP = "  "
_MANY = 4_096
"""Parts that are handed over as one piece."""


class Each:
    """The members of a list, made when they are written and not held."""

    def __init__(self, members: Callable[[], Iterable[object]]) -> None:
        self._members = members

    def __iter__(self) -> Iterator[object]:
        return iter(self._members())


class Lines(Each):
    """The same, a line each: rows that are so many that nobody reads them one member below the other."""


def write(value: object, sink: Callable[[str], object]) -> None:
    """Give `sink` the text of `value` in pieces; raises `TypeError` for a key that JSON has no form for."""
    pieces = _Pieces(sink)
    _write(value, 0, pieces.add)
    pieces.flush()


class _Pieces:
    """Gathers text until there is enough of it to be worth handing over."""

    def __init__(self, sink: Callable[[str], object]) -> None:
        self._sink = sink
        self._waiting: list[str] = []

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if len(self._waiting) >= _MANY:
            self.flush()

    def flush(self) -> None:
        self._sink("".join(self._waiting))
        self._waiting.clear()


@cache
def _flat(depth: int) -> tuple[Callable[[object], str], str]:
    """What encodes members that hold nothing further, each on a line of its own, and how such a line begins."""
    pad = f"\n{_STEP * depth}"
    return json.JSONEncoder(ensure_ascii=False, separators=(f",{pad}", ": "), default=str).encode, pad


def _opens(value: object) -> bool:
    """Whether something stands between the brackets of `value`, so that it takes lines of its own."""
    return bool(value) if isinstance(value, _BRACKETS) else isinstance(value, Each)


def _write(value: Any, depth: int, add: Callable[[str], object]) -> None:  # noqa: ANN401 - JSON is of any shape
    flat, pad = _flat(depth + 1)
    if not _opens(value):
        add(flat(value))
    elif isinstance(value, dict):
        _write_mapping(value, depth + 1, add)
    elif isinstance(value, Each) or any(map(_opens, value)):
        _write_members(value, depth + 1, add)
    else:
        add(f"[{pad}{flat(value)[1:-1]}{pad[:-2]}]")


def _write_members(value: Iterable[object], depth: int, add: Callable[[str], object]) -> None:
    before = pad = _flat(depth)[1]
    add("[")
    rows = isinstance(value, Lines)
    for member in value:
        add(before)
        if rows:
            add(_LINE(member))
        else:
            _write(member, depth, add)
        before = f",{pad}"
    add("]" if before is pad else f"{pad[:-2]}]")


def _write_mapping(value: Mapping[object, object], depth: int, add: Callable[[str], object]) -> None:
    """The members that open nothing go to the encoder together, up to the next that does."""
    flat, pad = _flat(depth)
    before = pad
    plain: dict[object, object] = {}
    add("{")
    for key, member in value.items():
        if isinstance(member, _CONTAINERS) and _opens(member):
            # The encoder spells the key too, whatever type it is of; its value is empty text, two quotes long.
            plain[key] = ""
            add(f"{before}{flat(plain)[1:-3]}")
            _write(member, depth, add)
            before, plain = f",{pad}", {}
        else:
            plain[key] = member
    add(f"{before}{flat(plain)[1:-1]}{pad[:-2]}}}" if plain else f"{pad[:-2]}}}")


_LINE = json.JSONEncoder(ensure_ascii=False, default=str).encode
_BRACKETS = (dict, list, tuple)
_CONTAINERS = (*_BRACKETS, Each)
