"""JSON laid out for reading, written piece by piece: a large answer is never held as one text.

What is written is letter for letter what ``json.dumps(value, ensure_ascii=False, indent=2, default=str)`` gives, but
for `Rows`. The encoder in C cannot indent, so it is given what lies within one pair of brackets, with the line break in
its separators.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

__all__ = ["Each", "Rows", "write"]

_STEP = "  "
_MUCH = 256 * 1024
"""Characters that are handed over as one piece."""
_TOGETHER = 512
"""Rows that are encoded together."""


class Each:
    """The members of a list, made when they are written and not held."""

    def __init__(self, members: Callable[[], Iterable[object]]) -> None:
        self._members = members

    def __iter__(self) -> Iterator[object]:
        return iter(self._members())


class Rows:
    """The members of a list that have the same keys, a line each: so many that nobody reads them one key below another.

    `rows` makes the values of each, in the order of `keys`; there is at least one key.
    """

    def __init__(self, keys: Sequence[str], rows: Callable[[], Iterable[Sequence[object]]]) -> None:
        self.keys, self._rows = tuple(keys), rows

    def __iter__(self) -> Iterator[Sequence[object]]:
        return iter(self._rows())


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
        self._length = 0

    def add(self, text: str) -> None:
        self._waiting.append(text)
        self._length += len(text)
        if self._length >= _MUCH:
            self.flush()

    def flush(self) -> None:
        self._sink("".join(self._waiting))
        self._waiting.clear()
        self._length = 0


@cache
def _flat(depth: int) -> tuple[Callable[[object], str], str]:
    """What encodes members that hold nothing further, each on a line of its own, and how such a line begins."""
    pad = f"\n{_STEP * depth}"
    return json.JSONEncoder(ensure_ascii=False, separators=(f",{pad}", ": "), default=str).encode, pad


def _opens(value: object) -> bool:
    """Whether something stands between the brackets of `value`, so that it takes lines of its own."""
    return bool(value) if isinstance(value, _BRACKETS) else isinstance(value, _MADE)


def _any_opens(members: Collection[object]) -> bool:
    """The same of any of several; most lists hold many of a kind that never does."""
    return any(issubclass(kind, _CONTAINERS) for kind in set(map(type, members))) and any(map(_opens, members))


def _write(value: Any, depth: int, add: Callable[[str], object]) -> None:  # noqa: ANN401 - JSON is of any shape
    flat, pad = _flat(depth + 1)
    if not _opens(value):
        add(flat(value))
    elif isinstance(value, dict):
        _write_mapping(value, depth + 1, add)
    elif isinstance(value, Rows):
        _write_rows(value, depth + 1, add)
    elif isinstance(value, Each) or _any_opens(value):
        _write_members(value, depth + 1, add)
    else:
        add(f"[{pad}{flat(value)[1:-1]}{pad[:-2]}]")


def _write_members(value: Iterable[object], depth: int, add: Callable[[str], object]) -> None:
    before = pad = _flat(depth)[1]
    add("[")
    for member in value:
        add(before)
        _write(member, depth, add)
        before = f",{pad}"
    add("]" if before is pad else f"{pad[:-2]}]")


def _write_rows(value: Rows, depth: int, add: Callable[[str], object]) -> None:
    """Column by column: a value that all rows share is spelled once, the others are encoded in one go."""
    before = pad = _flat(depth)[1]
    keys = [_LINE(key).replace("%", "%%") for key in value.keys]
    rows = iter(value)
    add("[")
    while some := list(islice(rows, _TOGETHER)):
        parts, columns = [], []
        for key, values in zip(keys, zip(*some, strict=True), strict=True):
            if values[0] is values[-1] and len(set(map(id, values))) == 1:
                parts.append(f"{key}: {_LINE(values[0]).replace('%', '%%')}")
            else:
                parts.append(f"{key}: %s")
                columns.append(_column(values))
        form = "{" + ", ".join(parts) + "}"
        lines = [form % row for row in zip(*columns, strict=True)] if columns else [form % ()] * len(some)
        add(before + f",{pad}".join(lines))
        before = f",{pad}"
    add("]" if before is pad else f"{pad[:-2]}]")


def _column(values: Sequence[object]) -> list[str]:
    """The text of each value. They are written in one go, a line break between any two: within a text it is escaped.

    A value with two members or more has a break of its own, so that there are more lines than values.
    """
    texts = _COLUMN(values)[1:-1].split("\n")
    return texts if len(texts) == len(values) else [_LINE(value) for value in values]


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
_COLUMN = json.JSONEncoder(ensure_ascii=False, separators=("\n", ": "), default=str).encode
_BRACKETS = (dict, list, tuple)
_MADE = (Each, Rows)
_CONTAINERS = (*_BRACKETS, *_MADE)
