"""What to ask a device next, once a maker is suspected: the ports and documents that the makers' files name.

The sweep knows protocols, not makers; `plan` gives it a planner that does. What is asked stays under the sweep's
budget, and a document that needs a login is read only in the pass with credentials.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.identity import suspects
from rules.makers import Makers
from scanner.observation import Observation
from scanner.plan import Ask, Plan, Planner

__all__ = ["MAX_SUSPECTS", "plan"]

MAX_SUSPECTS = 3        # a device that resembles more makers than this is asked for the likeliest only


def plan(makers: Makers) -> Planner:
    """A planner over these makers: the union of what the likeliest suspects' files ask for, likeliest first."""

    def planner(device: str, seen: Sequence[Observation]) -> Plan:
        own = [observation for observation in seen if observation.device == device]
        ports: dict[int, None] = {}
        asks: dict[Ask, None] = {}
        paths: dict[str, None] = {}
        for slug in suspects(own, makers)[:MAX_SUSPECTS]:
            wanted = makers[slug].ask
            ports.update(dict.fromkeys(wanted.tcp_ports))
            asks.update(dict.fromkeys(Ask(ask.document, ask.path, ask.login, ask.port) for ask in wanted.documents))
            paths.update(dict.fromkeys(wanted.rtsp_paths))
        return Plan(tuple(ports), tuple(asks), tuple(paths))

    return planner
