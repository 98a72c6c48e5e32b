"""What to ask a device next, given what was seen so far: the shape in which a higher floor hands its ideas down.

The sweep knows protocols, not makers. Whoever starts it passes a `Planner`, which may name more ports to try and more
documents to read once a maker is suspected; the sweep holds them to its budget and pace like everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scanner.observation import Observation

__all__ = ["Ask", "Plan", "Planner", "nothing_more"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One document to read over HTTP: GET `path`; with `login`, only in the opt-in credentialed pass.

    ``document`` is the name from ``docs/observations.md`` under which the reply is parsed.
    """

    document: str
    path: str
    login: bool = False
    port: int = 80


@dataclass(frozen=True, slots=True)
class Plan:
    """More TCP ports to try, documents to read and RTSP paths to describe (two at most are) on one device."""

    tcp_ports: tuple[int, ...] = ()
    asks: tuple[Ask, ...] = ()
    rtsp_paths: tuple[str, ...] = ()


Planner = Callable[[str, Sequence[Observation]], Plan]


def nothing_more(_device: str, _seen: Sequence[Observation]) -> Plan:
    """The planner of a sweep without rules: no more than the base probes."""
    return Plan()
