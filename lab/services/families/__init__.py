"""Makers' firmware, a file a family; a persona names its family by the file's name."""

from __future__ import annotations

from typing import Final

from lab.persona import Persona
from lab.services.families import (
    axis,
    bosch,
    dahua,
    flir,
    generic,
    hanwha,
    hikvision,
    printer,
    router,
    switch,
    tvt,
    uniview,
    xiongmai,
)
from lab.services.family import Family

__all__ = ["FAMILIES", "firmware_of", "look_of"]

FAMILIES: Final[dict[str, Family]] = {
    each.FAMILY.name: each.FAMILY
    for each in (axis, bosch, dahua, flir, generic, hanwha, hikvision, printer, router, switch, tvt, uniview, xiongmai)
}


def firmware_of(persona: Persona) -> Family:
    """Whose firmware answers. Raises `KeyError` for a family that nobody described."""
    return FAMILIES[persona.family]


def look_of(persona: Persona) -> Family:
    """Whose labels it wears: its own family's, or those of the option ``skin``."""
    return FAMILIES[persona.options.get("skin", persona.family)]
