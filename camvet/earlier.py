"""What this inventory read of a device before, handed to its judgement as observations like any other.

They are stored with the sweep, so that judging it again years later says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scanner.observation import Observation

if TYPE_CHECKING:
    from camvet.inventory import Inventory

__all__ = ["observations"]

_MOST = 8                      # earlier versions of one device, newest first


def observations(inventory: Inventory, site: str, seen: Sequence[Observation]) -> list[Observation]:
    """The earlier firmware of every device that is recognised by its MAC on the link.

    An address recognises nobody, since another device may stand there today, and a serial is the device's own word.
    """
    names = _names(seen)
    if not names:
        return []
    found: dict[str, list[Observation]] = {}
    for one in inventory.history.firmware(site, names):
        device = names[one.alias]
        fields = {"earlier_firmware": one.firmware, "earlier_model": one.model, "earlier_build": one.build,
                  "sweep": one.sweep}
        found.setdefault(device, []).append(Observation.of(
            device=device, transport="inventory", probe="inventory.earlier", port=None, at=one.at,
            fields={name: value for name, value in fields.items() if value},
            wire=repr(sorted(fields.items())).encode()))
    return [one for each in found.values() for one in sorted(each, key=lambda o: o.at, reverse=True)[:_MOST]]


def _names(seen: Sequence[Observation]) -> Mapping[tuple[str, str], str]:
    """MAC to device; a MAC that two devices show recognises neither."""
    names: dict[tuple[str, str], str] = {}
    shared: set[tuple[str, str]] = set()
    for one in seen:
        if one.transport == "link" and one.text("mac"):
            name = ("mac", one.text("mac"))
            if names.setdefault(name, one.device) != one.device:
                shared.add(name)
    return {name: device for name, device in names.items() if name not in shared}
