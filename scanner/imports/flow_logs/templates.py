"""Templates of NetFlow 9 (RFC 3954 section 5.2) and IPFIX (RFC 7011 section 3.4): how the octets of a record lie.

A template is made into one `struct` format that skips what nobody needs, so that a record is read in one step; only
records with fields of variable length are walked field by field.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["ELEMENTS", "MAX_FIELDS", "REVERSE", "VARIABLE", "Field", "Template", "Value"]

Value = Any
"""A number, or the octets of an address, a MAC or a text: which of them, follows from the meaning of the field."""
MAX_FIELDS = 512
VARIABLE = 0xFFFF
REVERSE = 29_305
"""The enterprise number whose elements are those of the way back (RFC 5103 section 6.1)."""

ELEMENTS: Mapping[tuple[int, int], str] = {
    (0, 1): "octets", (0, 2): "packets", (0, 4): "protocol", (0, 6): "flags", (0, 7): "source_port",
    (0, 8): "source4", (0, 11): "destination_port", (0, 12): "destination4", (0, 21): "last_up", (0, 22): "first_up",
    (0, 27): "source6", (0, 28): "destination6", (0, 34): "interval", (0, 48): "sampler", (0, 50): "sampler_interval",
    (0, 56): "source_mac", (0, 57): "post_destination_mac", (0, 80): "destination_mac", (0, 81): "post_source_mac",
    (0, 85): "total_octets", (0, 86): "total_packets", (0, 89): "forwarding",
    (0, 150): "start_s", (0, 151): "end_s", (0, 152): "start_ms", (0, 153): "end_ms", (0, 154): "start_ntp",
    (0, 155): "end_ntp", (0, 156): "start_ntp_ns", (0, 157): "end_ntp_ns", (0, 158): "start_delta",
    (0, 159): "end_delta", (0, 160): "boot_ms", (0, 161): "duration_ms", (0, 162): "duration_us",
    (0, 180): "udp_source_port", (0, 181): "udp_destination_port", (0, 182): "tcp_source_port",
    (0, 183): "tcp_destination_port", (0, 231): "initiator_octets", (0, 232): "responder_octets",
    (0, 233): "firewall_event", (0, 239): "biflow_direction", (0, 298): "initiator_packets",
    (0, 299): "responder_packets", (0, 302): "sampler", (0, 305): "interval", (0, 306): "interval_space",
    (0, 309): "sample_size", (0, 310): "sample_population", (0, 322): "observed_s", (0, 323): "observed_ms",
    (0, 352): "layer2_octets", (0, 460): "http_host", (0, 40005): "firewall_event",
    (REVERSE, 1): "back_octets", (REVERSE, 2): "back_packets", (REVERSE, 85): "back_total_octets",
    (REVERSE, 86): "back_total_packets", (REVERSE, 6): "back_flags",
}
"""Information elements that say something here, by enterprise and number (IANA, IP Flow Information Export)."""

_OCTETS = {"source4": 4, "destination4": 4, "source6": 16, "destination6": 16, "source_mac": 6, "destination_mac": 6,
           "post_source_mac": 6, "post_destination_mac": 6}
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Field(NamedTuple):
    """One field of a template: whose element it is (0 for IANA's), its number, and its octets or `VARIABLE`."""

    enterprise: int
    number: int
    size: int

    @property
    def meaning(self) -> str:
        """What it says here, or empty; an address or MAC of the wrong size says nothing."""
        meaning = ELEMENTS.get((self.enterprise, self.number), "")
        if self.size == VARIABLE:
            return meaning if meaning == "http_host" else ""
        if meaning == "http_host":
            return meaning if self.size <= 1024 else ""
        return meaning if self.size == _OCTETS.get(meaning, self.size) and 0 < self.size <= 16 else ""


class Template:
    """One template. `places` says where in the values of a record each meaning stands."""

    def __init__(self, fields: Sequence[Field], *, options: bool = False) -> None:
        self.fields = tuple(fields)
        self.options = options
        self.variable = any(field.size == VARIABLE for field in fields)
        self.size = sum(1 if field.size == VARIABLE else field.size for field in fields)
        self.places: dict[str, int] = {}
        self._odd: list[int] = []
        parts = [">"]
        for field in fields:
            meaning = field.meaning
            if not meaning or meaning in self.places:
                parts.append(f"{0 if field.size == VARIABLE else field.size}x")
                continue
            place = self.places[meaning] = len(self.places)
            whole = meaning in _OCTETS or meaning == "http_host"
            if not whole and field.size not in _CODES:
                self._odd.append(place)
            parts.append(f"{field.size}s" if whole or field.size not in _CODES else _CODES[field.size])
        self._struct = None if self.variable else struct.Struct("".join(parts))

    @property
    def sound(self) -> bool:
        """Whether records of it have a length at all; those without one would never end."""
        return 0 < len(self.fields) <= MAX_FIELDS and 0 < self.size < 65_535

    def place(self, meaning: str) -> int:
        """Where a meaning stands in the values; -1, where a 0 stands, for one it has not."""
        return self.places.get(meaning, -1)

    def records(self, data: bytes) -> Iterator[tuple[Value, ...]]:
        """The values of every record in the body of a set, each with a 0 at its end; what is left over is padding."""
        if self._struct is None:
            yield from self._walk(data)
            return
        whole = len(data) // self.size * self.size
        found = self._struct.iter_unpack(memoryview(data)[:whole])
        if self._odd:
            for values in found:
                changed = list(values)
                for place in self._odd:
                    changed[place] = int.from_bytes(values[place], "big")
                yield (*changed, 0)
        else:
            for values in found:
                yield (*values, 0)

    def _walk(self, data: bytes) -> Iterator[tuple[Value, ...]]:
        at = 0
        while at + self.size <= len(data):
            values: list[Value] = [0] * (len(self.places) + 1)
            seen: set[str] = set()
            for field in self.fields:
                size = field.size
                if size == VARIABLE:
                    size, at = _length(data, at)
                if size < 0 or at + size > len(data):
                    return
                meaning = field.meaning
                if meaning and meaning not in seen:
                    seen.add(meaning)
                    octets = data[at:at + size]
                    whole = meaning in _OCTETS or meaning == "http_host"
                    values[self.places[meaning]] = octets if whole else int.from_bytes(octets, "big")
                at += size
            yield tuple(values)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The length of a field of variable length and where it begins (RFC 7011 section 7); -1 where it is cut."""
    if at >= len(data):
        return -1, at
    if data[at] < 255:
        return data[at], at + 1
    if at + 3 > len(data):
        return -1, at
    return int.from_bytes(data[at + 1:at + 3], "big"), at + 3
