"""The one hardened JSON reader: capped in size and depth, no NaN, no endless numbers, no silent duplicates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from scanner.observation import Refusal
from scanner.wire.text import decode

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Json", "find", "read", "scalar", "texts", "walk"]

Json = Any
"""A JSON value: dict, list, str, int, float, bool or None."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
_MAX_DIGITS = 20
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


class _UnwelcomeError(ValueError):
    """Raised inside the standard decoder for what it would accept and camvet does not."""


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _UnwelcomeError("number")
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _UnwelcomeError("number")
    return value


def _constant(name: str) -> Json:
    raise _UnwelcomeError(name)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """First value wins for a repeated key, and the later ones are kept under ``key#2``…, so none can hide another."""
    out: dict[str, Json] = {}
    for key, value in pairs:
        name, count = key, 1
        while name in out:
            count += 1
            if count > 8:
                raise _UnwelcomeError("duplicate keys")
            name = f"{key}#{count}"
        out[name] = value
    return out


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_fraction, parse_constant=_constant,
                            object_pairs_hook=_object, strict=False)


def read(data: bytes) -> Json | Refusal:
    """Read one JSON value of at most `MAX_BYTES` and `MAX_DEPTH` levels; what follows it is ignored."""
    if len(data) > MAX_BYTES:
        return Refusal("too_large", f"{len(data)} bytes of JSON")
    text, _ = decode(data.strip(b"\0 \t\r\n"))
    # Text with few brackets cannot nest deeply, wherever they stand: most lines of a log are spared the closer look.
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        return Refusal("too_deep", f"more than {MAX_DEPTH} levels")
    try:
        value, _end = _DECODER.raw_decode(text)
    except _UnwelcomeError as error:
        return Refusal("malformed", f"JSON with {error}")
    except (ValueError, RecursionError) as error:
        return Refusal("malformed", f"no JSON: {type(error).__name__}")
    return value


def _depth(text: str) -> int:
    """How deep brackets nest outside of strings."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[{\]}]", _STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def walk(value: Json) -> Iterator[dict[str, Json]]:
    """Every object in a value, outer before inner."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def find(value: Json, *keys: str) -> Json:
    """The first value under one of these keys in any case of letters, outer objects first; None if absent."""
    wanted = {key.casefold() for key in keys}
    for node in walk(value):
        for key, inner in node.items():
            if key.casefold() in wanted:
                return inner
    return None


def texts(node: Json, *keys: str) -> tuple[str, ...]:
    """Every text or number under these keys of one object, repeated keys included; empty where there is none."""
    if not isinstance(node, dict):
        return ()
    wanted = {key.casefold() for key in keys}
    return tuple([text for key, inner in node.items()
                  if (key.partition("#")[0] if "#" in key else key).casefold() in wanted and (text := scalar(inner))])


def scalar(value: Json) -> str:
    """A text or number as text; objects, lists, null and booleans give an empty text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
