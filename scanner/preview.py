"""What a sweep would do, without doing it: for the person who has to sign it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scanner import clock
from scanner.discovery import links_for
from scanner.pace import Pace
from scanner.protocols import PROTOCOLS, Protocol
from scanner.scope import Scope
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, LinkUse, Settings

__all__ = ["Step", "SweepPlan", "plan"]


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of packet: what, to whom, at most how many, at most how fast (a second, over the whole sweep)."""

    name: str
    what: str
    to: str
    at_most: int
    per_second: float | None


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """A sweep on paper. `at_most` of a step is a bound: answers end most of them early."""

    scope: str
    targets: Sequence[str]
    excluded: Sequence[str]
    pinned: Sequence[tuple[str, str]]
    addresses: int
    owner: str
    ticket: str
    window: tuple[str | None, str | None]
    window_open: bool
    authorised: str
    profile: str
    pace: Pace
    steps: Sequence[Step]
    links: Sequence[LinkUse]
    login: bool

    def to_json(self) -> dict[str, Any]:
        """A JSON-able mapping."""
        return asdict(self)


def plan(scope: Scope, settings: Settings) -> SweepPlan:
    """Describe what `scanner.sweep.sweep` would send for this scope and these settings. Sends nothing."""
    links = links_for(scope, settings)
    used = [link for link, use in links if use.used]
    addresses = list(scope.addresses())
    on_link = sum(1 for address in addresses if any(":" not in address and link.holds(address) for link in used))
    moments = tuple(clock.stamp(moment) if moment else None for moment in (scope.not_before, scope.not_after))
    return SweepPlan(
        scope=scope.digest, targets=[str(part) for part in scope.ranges],
        excluded=[str(part) for part in scope.excluded], pinned=scope.pinned, addresses=len(addresses),
        owner=scope.owner, ticket=scope.ticket, window=(moments[0], moments[1]),
        window_open=scope.open_at(clock.now()), authorised=scope.authorised, profile=str(settings.profile),
        pace=settings.pace, links=[use for _, use in links], login=settings.credentials is not None,
        steps=_steps(settings, addresses, [link.name for link in used], on_link))


def _steps(settings: Settings, addresses: Sequence[str], links: Sequence[str], on_link: int) -> list[Step]:
    pace, count = settings.pace, len(addresses)
    private = sum(1 for address in addresses if Scope.private(address))
    everywhere = [protocol for protocol in PROTOCOLS if protocol.everywhere]
    present = [protocol for protocol in PROTOCOLS if protocol.unicast and not protocol.everywhere]
    spoken = sum(len(one.payloads()) * (2 if one.group and one.broadcast else 1) for one in PROTOCOLS)
    steps = [
        Step("link.neighbour", "read the neighbour tables", "nobody", 0, None),
        Step("link.arp", "ARP request", "addresses on a link of this machine that no table knows", on_link,
             pace.arp_rate),
        Step("multicast", "discovery datagrams: " + _ports(PROTOCOLS), "the links " + (", ".join(links) or "(none)"),
             len(links) * spoken, pace.datagram_rate),
        Step("unicast", "discovery datagrams: " + _ports(everywhere), "every private address of the scope",
             private * _payloads(everywhere), pace.datagram_rate),
        Step("tcp.connect", "TCP connect to " + " ".join(map(str, BASE_PORTS)), "every address of the scope",
             count * len(BASE_PORTS), pace.connect_rate),
        Step("present", f"discovery datagrams: {_ports(present)}; TCP connect to "
             + " ".join(map(str, HYGIENE_PORTS)) + " and to ports that the device or its maker's data name",
             "hosts that showed themselves", count * _payloads(present), pace.datagram_rate),
        Step("interview", "HTTP GET, RTSP OPTIONS and DESCRIBE, ONVIF reads; no stream, no write",
             "hosts that showed themselves, one request at a time each", count * pace.requests, None),
    ]
    if settings.credentials:
        steps.append(Step("login", "one login attempt, none after a refusal", "devices that ask for one", count, None))
    return steps


def _ports(protocols: Sequence[Protocol]) -> str:
    return " ".join(f"{protocol.transport}:{protocol.port}/udp" for protocol in protocols)


def _payloads(protocols: Sequence[Protocol]) -> int:
    return sum(len(protocol.payloads()) for protocol in protocols)
