"""What other programs wrote down, read into observations: nothing here sends anything.

A file a format; each reader takes the bytes of a whole file and a time, and returns an `Imported` value. What cannot be
read is refused row by row, with what was expected there, and never raises.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from scanner.observation import Observation
from scanner.wire.fields import Fields
from scanner.wire.text import redact

__all__ = ["MOST_BYTES", "MOST_ROWS", "Imported", "Refused", "address_of", "seen"]

MOST_BYTES = 256 << 20
MOST_ROWS = 1_000_000
_MOST_REFUSED = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that says nothing: its number (from 1, 0 for the whole file) and what was expected."""

    row: int
    expected: str


@dataclass(slots=True)
class Imported:
    """What one file brought.

    Attributes:
        format: the reader's name.
        observations: what it says of devices.
        refused: rows that could not be read, the first thousand; `dropped` counts the others.
        packets: frames of a capture, whether they tell of a device or not.
    """

    format: str
    observations: list[Observation] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    dropped: int = 0
    packets: int = 0

    def refuse(self, row: int, expected: str) -> None:
        """Note a row that could not be read."""
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append(Refused(row, expected))
        else:
            self.dropped += 1

    @property
    def devices(self) -> Sequence[str]:
        """The keys of all devices, in the order of their first mention."""
        return list(dict.fromkeys(one.device for one in self.observations))


def seen(device: str, transport: str, fields: Fields, wire: bytes, now: datetime, *, port: int | None = None,
         probe: str = "import") -> Observation:
    """One observation that came from a file."""
    return Observation.of(device=device, transport=transport, probe=probe, port=port, at=now, fields=fields, wire=wire,
                          raw=redact(wire)[:16_384])


def address_of(text: str) -> str:
    """The IP address in its normal form, without a zone; empty for anything else and for 0.0.0.0 and ::."""
    try:
        value = ipaddress.ip_address(text.strip().split("%", 1)[0])
    except ValueError:
        return ""
    return "" if value.is_unspecified or value.is_multicast else str(value)
