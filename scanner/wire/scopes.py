"""ONVIF scopes (Core Specification 7.3.3): the identity a device publishes before any login.

``onvif://www.onvif.org/name/Front%20Door``: values are percent-encoded; ``+`` and ``_`` for a space are also seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from scanner.wire.fields import MAX_VALUES, Fields, build, clean_list, mac
from scanner.wire.text import clean

__all__ = ["parse"]

_SCOPE = re.compile(r"(?i)^onvif://[^/]{0,100}/([^/]{1,60})(?:/(.{0,400}))?$")
_LISTS = {"location": "location", "profile": "profiles", "extension": "extensions", "type": "scope_types"}
_SINGLE = {"name": "device_name", "hardware": "hardware", "manufacturer": "manufacturer", "model": "model",
           "firmware": "firmware", "serial": "serial", "macaddr": "mac"}


def parse(scopes: Iterable[str]) -> Fields:
    """``scopes`` as sent and what they say: name, hardware, location, MAC, maker, profiles, extensions."""
    kept = clean_list(scopes)[:MAX_VALUES]
    lists: dict[str, list[str]] = {}
    single: dict[str, str] = {}
    for scope in kept:
        match = _SCOPE.match(scope)
        if match is None:
            continue
        kind, value = match[1].casefold(), _decode(match[2] or "")
        if kind in ("name", "location") and " " not in value:
            value = value.replace("_", " ")       # not in hardware or model, where an underscore belongs to the name
        if kind in _LISTS:
            lists.setdefault(_LISTS[kind], []).append(value)
        elif kind in ("mac", "macaddr", "macaddress"):
            single.setdefault("mac", mac(value))
        elif kind in _SINGLE:
            single.setdefault(_SINGLE[kind], value)
    said: Fields = {"scopes": kept} if kept else {}
    return said | build(**{name: tuple(values) for name, values in lists.items()}) | build(**single)


def _decode(value: str) -> str:
    """Percent-decoded; ``+`` is a space."""
    return clean(unquote(value.replace("+", " "), errors="replace"))
