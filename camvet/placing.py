"""Whose device each conversation of a capture is: a device of the site's, one that was asked for, or nobody's to tell.

Where both ends have public addresses nothing in a capture says which of them stands on the site; such conversations are
counted and named, so that nobody takes their absence for silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.destinations import is_outside
from scanner.egress import Capture, Conversation
from scanner.egress.inbound import is_site

__all__ = ["Placed", "place"]

_NAMED = 20


@dataclass(slots=True)
class Placed:
    """Conversations by device, and how many belong to no device that could be told, with the first of them."""

    by_device: dict[str, list[Conversation]] = field(default_factory=dict)
    unplaced: int = 0
    some: list[Conversation] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """What could not be placed, as JSON."""
        return {"conversations": self.unplaced, "some": [
            {"mac": one.mac or None, "src": one.source, "dst": one.destination, "proto": one.protocol,
             "port": one.port, "packets": one.packets, "bytes": one.bytes} for one in self.some]}


def place(capture: Capture, known: Mapping[str, str] | None) -> Placed:
    """Every conversation with the device it belongs to, of all devices or of `known` (MACs and addresses) alone."""
    placed = Placed()
    at_home: dict[str, bool] = {}
    for heard in capture.conversations:
        own: Conversation | None = heard
        outside = is_outside(heard.source)
        if known is not None:
            own = _of_known(heard, known, outside=outside)
        elif outside and not heard.inbound:
            if not is_outside(heard.destination):
                continue                             # an address outside that speaks to a group is nobody's here
            if heard.mac not in at_home:
                at_home[heard.mac] = any(map(is_site, capture.addresses.get(heard.mac, ())))
            if not at_home[heard.mac]:
                placed.unplaced += 1
                if len(placed.some) < _NAMED:
                    placed.some.append(heard)
                continue
        if own is not None:
            placed.by_device.setdefault(own.device, []).append(own)
    return placed


def _of_known(heard: Conversation, known: Mapping[str, str], *, outside: bool) -> Conversation | None:
    if heard.mac in known or heard.source in known:
        return heard
    if heard.destination in known and outside:
        return heard.turned("")                      # it has a public address, and was called from outside
    return None
