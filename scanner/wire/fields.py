"""What every codec returns: fields in the vocabulary of ``docs/observations.md``, absent where nothing was said."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from scanner.observation import FieldValue
from scanner.wire import oui
from scanner.wire.text import SHORT, clean

__all__ = ["MAX_VALUES", "Fields", "build", "clean_list", "firmware_and_build", "flag", "ipv4", "mac", "number"]

Fields = dict[str, FieldValue]
MAX_VALUES = 64
"""Values kept of one list field; a device that sends more is cut there."""

_BUILD = re.compile(r"(?i)^(.{1,80}?)[\s,;]{0,4}\(?build(?:[\s_]?date)?[\s:]{0,3}(\d{4}-\d{2}-\d{2}|\d{6,8})\)?$")


def build(**values: FieldValue | None) -> Fields:
    """Fields without what is absent: None, empty text and empty lists go; texts are cleaned and capped."""
    out: Fields = {}
    for name, value in values.items():
        if value is None or value in ("", ()):
            continue
        kept = clean(value) if isinstance(value, str) else clean_list(value) if isinstance(value, tuple) else value
        if kept not in ("", ()):
            out[name] = kept
    return out


def clean_list(values: Iterable[str], limit: int = SHORT) -> tuple[str, ...]:
    """At most `MAX_VALUES` cleaned texts, each once and in order, without the empty ones."""
    seen: dict[str, None] = {}
    for value in values:
        text = clean(value, limit)
        if text:
            seen[text] = None
        if len(seen) == MAX_VALUES:
            break
    return tuple(seen)


def number(value: object, low: int = 0, high: int = 2**63 - 1) -> int | None:
    """A whole number within bounds from a number or a short decimal text; anything else is None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.lstrip("-").isdigit() and len(text) <= 20):
            return None
        value = int(text)
    if isinstance(value, int) and low <= value <= high:
        return value
    return None


def flag(value: object) -> bool | None:
    """True or False from a boolean, a 0 or 1, or a word; ``flase`` is what some firmware calls false."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()[:8]
    if word in ("true", "1", "yes", "on"):
        return True
    return False if word in ("false", "flase", "fasle", "0", "no", "off") else None


def ipv4(value: object) -> str:
    """A usable IPv4 address in its normal form, or empty: 0.0.0.0 and broken addresses say nothing."""
    try:
        address = ipaddress.IPv4Address(str(value).strip()[:15])
    except ValueError:
        return ""
    return "" if address.is_unspecified else str(address)


def mac(value: object) -> str:
    """A MAC in the one form of this project, or empty where `value` is none."""
    return oui.normalise(str(value)[:64])


def firmware_and_build(text: str) -> Fields:
    """``V5.6.2build 190701`` and ``2.800.0.34.R,build:2021-07-08`` as ``firmware`` and ``firmware_build``.

    Only a build that is a date is split off; ``1.2.2 Build 240914 Rel.55174n`` is one version and stays whole.
    """
    match = _BUILD.match(clean(text))
    if match is None:
        return build(firmware=text)
    return build(firmware=match[1], firmware_build=match[2])
