"""What a sweep would do, without doing it: for the person who has to sign it off.

Counts are bounds and kinds are those of `scanner.transport.sent`, so that what was sent can be held against the plan.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scanner import clock
from scanner.discovery import links_for
from scanner.gateway import MOST_DESCRIPTIONS, MOST_GATEWAYS, MOST_MAPPINGS
from scanner.pace import Pace, Profile
from scanner.protocols import PROTOCOLS, Protocol
from scanner.scope import Scope
from scanner.settings import BASE_PORTS, HYGIENE_PORTS, LinkUse, Settings
from scanner.transport.addresses import Interface, interfaces6
from scanner.transport.nmap import SECONDS_A_HOST, SECONDS_BETWEEN
from scanner.transport.sent import Kind
from scanner.wire import snmp

__all__ = ["Part", "Step", "SweepPlan", "plan"]

_ROUNDS = 2                    # ARP and SYN: once, and once more to who is silent
_DECLARED_PORTS = 4            # of those that a device names itself, at most so many are tried
_DISCOVERY_SOCKETS = 1024
_HANDSHAKES = 3                # TLS: one, one with old parameters where that fails, and a hello of old versions
_LEAST_REST = 0.05
_LISTENINGS = 2                # to groups: while everybody is asked, and while those that showed themselves are


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of packet within a step: the protocol, the destination (an address, or words), the port, how many."""

    protocol: str
    to: str
    port: int | None
    at_most: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sweep.

    Attributes:
        name: the probe or group of probes.
        what, to: what is sent to whom, in words.
        at_most: how many of `kind`; answers end most steps early.
        per_second: at most how fast, over the whole sweep; `None` where each device has its own gap.
        seconds: how long it takes where nobody answers, or, of a step that asks devices, where every address is one.
        kind: what is counted (`scanner.transport.sent.Kind`); empty for a step that sends nothing or is not ours.
        parts: the same by protocol, destination and port.
    """

    name: str
    what: str
    to: str
    at_most: int
    per_second: float | None
    seconds: float
    kind: str = ""
    parts: Sequence[Part] = ()


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

    @property
    def seconds(self) -> float:
        """How long all steps take together at most; the pass of a single device ends with its own deadline."""
        return sum(step.seconds for step in self.steps)

    def at_most(self, kind: str) -> int:
        """How many of a kind all steps together may send."""
        return sum(step.at_most for step in self.steps if step.kind == kind)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able mapping."""
        return {**asdict(self), "seconds": round(self.seconds, 1)}


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the steps are reckoned from."""

    pace: Pace
    profile: Profile
    addresses: int
    private: int
    links: Sequence[Interface]
    links6: Sequence[Interface]
    on_link: int               # IPv4 addresses of the scope on a link in use, without this machine's own


def plan(scope: Scope, settings: Settings, *, nmap: Sequence[str] = (), maker_ports: int = 0,
         factory_logins: bool = False) -> SweepPlan:
    """Describe what `scanner.sweep.sweep` would send for this scope and these settings. Sends nothing.

    `nmap` are the hosts chosen for that look; `maker_ports` is how many ports a suspected maker's data may add;
    `factory_logins`: whether the documented ones are tried.
    """
    links = links_for(scope, settings)
    used = [link for link, use in links if use.used]
    addresses = list(scope.addresses())
    near = {address for address in addresses if ":" not in address and any(link.holds(address) for link in used)}
    indexes = {link.index for link in used}
    ground = _Ground(
        settings.pace, settings.profile, len(addresses), sum(map(Scope.private, addresses)), used,
        [link for link in interfaces6() if link.index in indexes], len(near - {link.address for link in used}))
    moments = tuple(clock.stamp(moment) if moment else None for moment in (scope.not_before, scope.not_after))
    return SweepPlan(
        scope=scope.digest, targets=[str(part) for part in scope.ranges],
        excluded=[str(part) for part in scope.excluded], pinned=scope.pinned, addresses=len(addresses),
        owner=scope.owner, ticket=scope.ticket, window=(moments[0], moments[1]),
        window_open=scope.open_at(clock.now()), authorised=scope.authorised, profile=str(settings.profile),
        pace=settings.pace, links=[use for _, use in links], login=settings.credentials is not None,
        steps=[*_discovery(ground), *_ports(ground), *_questions(ground, maker_ports, settings),
               *_opted_in(ground, settings, factory_logins=factory_logins), *_look(nmap)])


def _discovery(ground: _Ground) -> Iterator[Step]:
    """Tables, ARP, multicast and broadcast, and the unicast questions that everybody is asked."""
    pace = ground.pace
    yield Step("link.neighbour", "read the neighbour tables", "nobody", 0, None, 0.0)
    arp = _ROUNDS * ground.on_link
    waits = 2 * min(max(pace.listen, 1.0), 2.0) if arp else 0.0
    yield Step("link.arp", "ARP request, twice to who is silent", "addresses on a link of this machine that no table "
               "knows", arp, pace.arp_rate, arp / pace.arp_rate + waits, Kind.ARP)
    parts = list(_multicast(ground.links))
    yield _datagrams("multicast", "discovery datagrams", _names(ground.links), parts, pace)
    yield _memberships(ground.links)
    parts = list(_multicast(ground.links6))
    yield _datagrams("multicast.ipv6", "discovery datagrams over IPv6", _names(ground.links6), parts, pace)
    everywhere = [one for one in PROTOCOLS if one.everywhere]
    parts = [Part(one.transport, "each address", one.port, ground.private * len(one.payloads())) for one in everywhere]
    asks = ground.private * len(everywhere)
    waits = math.ceil(asks / _DISCOVERY_SOCKETS) * (pace.listen + pace.repeat_gap * _longest(everywhere))
    yield Step("unicast", "discovery datagrams: " + _listed(parts), "every private address of the scope; not those "
               "that answer no ARP on a link", _sum(parts), pace.datagram_rate,
               max(_sum(parts) / pace.datagram_rate, waits), Kind.DATAGRAM, parts)


def _ports(ground: _Ground) -> Iterator[Step]:
    """Who said nothing so far is connected to; who showed himself is asked the other datagrams, then gets a SYN."""
    pace, count = ground.pace, ground.addresses
    connects = count * len(BASE_PORTS)
    turns = math.ceil(count / pace.devices) * len(BASE_PORTS) * (pace.connect_timeout + pace.gap)
    yield Step("tcp.connect", "TCP connect to " + " ".join(map(str, BASE_PORTS)) + "; the kernel repeats a SYN that "
               "nobody answers", "every address of the scope that said nothing; not those that answer no ARP on a link",
               connects, pace.connect_rate, max(connects / pace.connect_rate, turns), Kind.CONNECTION,
               [Part("tcp", "each address", port, count) for port in BASE_PORTS])
    present = [one for one in PROTOCOLS if one.unicast and not one.everywhere]
    parts = [Part(one.transport, "each host", one.port, ground.private * len(one.payloads())) for one in present]
    rests = len(present) * max(pace.gap, _LEAST_REST) + min(1.0, pace.listen)
    yield Step("present", "discovery datagrams: " + _listed(parts), "hosts that showed themselves, one after the other",
               _sum(parts), pace.datagram_rate, max(_sum(parts) / pace.datagram_rate, rests), Kind.DATAGRAM, parts)
    ports = (*BASE_PORTS, *HYGIENE_PORTS)
    words = " ".join(map(str, ports))
    hosts = 0 if ground.profile is Profile.GENTLE else ground.on_link
    frames = _ROUNDS * hosts * len(ports)
    lasting = frames / pace.connect_rate + _ROUNDS * len(ports) * pace.gap + 2 * pace.connect_timeout
    to = "hosts on a link of this machine that showed their MAC" if hosts else (
        "nobody: there is no link in use, or the profile is gentle")
    yield Step("tcp.syn", f"SYN to {words}, twice to what is silent; the kernel resets what opens", to, frames,
               pace.connect_rate, lasting if hosts else 0.0, Kind.SYN,
               [Part("tcp", "each host", port, _ROUNDS * hosts) for port in ports if hosts])


def _questions(ground: _Ground, maker_ports: int, settings: Settings) -> Iterator[Step]:
    """The interview of each device, and the login where one was given."""
    pace, count = ground.pace, ground.addresses
    each = len(BASE_PORTS) + len(HYGIENE_PORTS) + _DECLARED_PORTS + maker_ports
    # A connection that broke is opened once more; the first device of a model is looked at again at the end.
    connects = count * (each + _HANDSHAKES + 2 * pace.requests + 1)
    lasting = math.ceil(count / pace.devices) * pace.device_deadline + (pace.canary_recheck or 0.0)
    words = " ".join(map(str, (*BASE_PORTS, *HYGIENE_PORTS)))
    yield Step("interview.connect", f"TCP connect to at most {each} ports: {words}, {_DECLARED_PORTS} that the device "
               f"names, {maker_ports} of its maker; a TLS handshake; what the requests need; last, one ClientHello "
               "that offers TLS 1.1 and older, dropped once it is answered",
               "hosts that showed themselves", connects, pace.connect_rate, 0.0, Kind.CONNECTION)
    yield Step("interview", "HTTP GET, RTSP OPTIONS and DESCRIBE, ONVIF reads; no stream, no write",
               "hosts that showed themselves, one request at a time each", count * pace.requests, None, lasting,
               Kind.REQUEST)
    if settings.credentials:
        yield Step("login", "one login attempt and what it opens, nothing after a refusal; last, a token that was "
                   "taken is shown once more", "devices that ask for one",
                   count * pace.requests, None, math.ceil(count / pace.devices) * pace.device_deadline, Kind.REQUEST)


def _opted_in(ground: _Ground, settings: Settings, *, factory_logins: bool) -> Iterator[Step]:
    """What is only done where somebody asked for it."""
    pace, count = ground.pace, ground.addresses
    if settings.snmp_public:
        parts = [Part("snmp", "each host", snmp.PORT, 2 * count)]
        yield Step("snmp.get", "SNMP GetRequest of sysDescr with the community public, in v2c and in v1",
                   "hosts that showed themselves and may be cameras", 2 * count, None,
                   math.ceil(count / pace.devices) * 2 * pace.listen, Kind.DATAGRAM, parts)
    if settings.port_mappings:
        most = min(count, MOST_GATEWAYS) * (MOST_MAPPINGS + MOST_DESCRIPTIONS)
        yield Step("igd.mappings", "a router's description, and its list of opened ports entry by entry; read only",
                   f"at most {MOST_GATEWAYS} hosts that answered SSDP", most, None, most * pace.gap, Kind.REQUEST)
    if factory_logins or settings.factory_logins:
        yield Step("auth.factory_login", "one try of the one login that the maker documents, once a device a day",
                   "identified devices for which one is documented, unless anything speaks of a lock", 3 * count, None,
                   math.ceil(count / pace.devices) * pace.device_deadline, Kind.REQUEST)


def _look(chosen: Sequence[str]) -> Iterator[Step]:
    """nmap, where hosts were named for it: its packets are its own, so only connections to ports are reckoned."""
    hosts = len(dict.fromkeys(chosen))
    if hosts:
        yield Step("nmap.services", "nmap -sT -sV --version-light: a connect and version probes for each port that was "
                   "found open; no script, no raw packet", ", ".join(dict.fromkeys(chosen)),
                   hosts * (len(BASE_PORTS) + len(HYGIENE_PORTS)), 1 / SECONDS_BETWEEN, float(hosts * SECONDS_A_HOST))


def _multicast(links: Iterable[Interface]) -> Iterator[Part]:
    """Every question to every group and broadcast address of these links."""
    for link in links:
        for one in PROTOCOLS:
            broadcast = link.broadcast if one.broadcast or not one.group else ""
            to = (one.group6,) if ":" in link.address else (one.group, broadcast)
            for destination in filter(None, to):
                yield Part(one.transport, destination, one.port, len(one.questions(link.mac, link.address)))


def _memberships(links: Sequence[Interface]) -> Step:
    """The groups that answers come to are joined on each link, and left again; that, too, is sent by this machine."""
    parts = [Part(one.transport, group, None, _LISTENINGS) for _ in links for one in PROTOCOLS
             for _ in one.reply_ports for group in one.reply_groups]
    groups = " ".join(dict.fromkeys(part.to for part in parts)) or "none"
    return Step("igmp", f"join the groups that answers are sent to ({groups}), leave them when listening ends; the "
                "kernel tells the link of each join and each leave with IGMP reports (RFC 3376), usually two",
                _names(links), _sum(parts), None, 0.0, Kind.MEMBERSHIP, _joined(parts))


def _datagrams(name: str, what: str, to: str, parts: Sequence[Part], pace: Pace) -> Step:
    rounds = max((part.at_most for part in parts), default=0)
    seconds = _sum(parts) / pace.datagram_rate + (pace.listen * 1.5 + rounds * pace.repeat_gap if parts else 0.0)
    return Step(name, f"{what}: {_listed(parts)}" if parts else what, to, _sum(parts), pace.datagram_rate, seconds,
                Kind.DATAGRAM, _joined(parts))


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Parts with the same destination on several links are one."""
    counts: Counter[tuple[str, str, int | None]] = Counter()
    for part in parts:
        counts[part.protocol, part.to, part.port] += part.at_most
    return [Part(*key, count) for key, count in counts.items()]


def _names(links: Iterable[Interface]) -> str:
    return "the links " + (", ".join(dict.fromkeys(link.name for link in links)) or "(none)")


def _listed(parts: Iterable[Part]) -> str:
    return " ".join(dict.fromkeys(f"{part.protocol}:{part.port}/udp" for part in parts))


def _sum(parts: Iterable[Part]) -> int:
    return sum(part.at_most for part in parts)


def _longest(protocols: Iterable[Protocol]) -> int:
    return max((len(one.payloads()) - 1 for one in protocols), default=0)
