"""Conditions on where a device talks to: by wire form, by rhythm, by volume, and on its own network.

They look at the ``egress`` observations of a capture. What a capture does not show is no proof of absence: a check that
passes here says only that nothing was seen while somebody watched, and its finding names how long that was.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from rules.destinations import Purpose, is_outside
from rules.predicates import PREDICATES, Case, Predicate, Result
from rules.vocabulary import Status
from scanner.observation import Observation

__all__ = ["CONFIDENCE", "PREDICATES", "asks_outside_resolver"]

CONFIDENCE: Mapping[str, tuple[str, str]] = {
    "dahua-p2p": ("Dahua peer-to-peer", "high"),
    "pppp": ("PPPP (CS2 Network, iLnk) peer-to-peer", "high"),
    "pppp-scrambled": ("PPPP (CS2 Network) peer-to-peer under a published key", "high"),
    "reolink-p2p": ("Reolink peer-to-peer", "high"),
    "tuya": ("Tuya", "high"),
    "tutk": ("ThroughTek Kalay peer-to-peer", "high"),
    "tutk-cc51": ("ThroughTek Kalay peer-to-peer (newer frames)", "medium"),
    "tvt-nat": ("TVT NAT traversal", "low"),
}
"""What a wire form is called, and how sure it is: published by several sources, by one, or read from one capture."""

_SCAN_HOSTS, _SCAN_PORTS, _SCAN_ARP = 10, 15, 32
_MUCH = 20_000_000                      # octets: minutes of video, and more than any telemetry
_INFRASTRUCTURE = frozenset({53, 67, 68, 123, 137, 138, 546, 547, 1900, 3702, 5353, 5355, 37020, 37810, 34567, 34569})
_NAMED = 5
_MANY = 50                              # conversations among which one in 100 is worth saying


def _predicate(function: Predicate) -> Predicate:
    PREDICATES[function.__name__] = function
    return function


def _number(observation: Observation, field: str) -> float:
    value = observation.fields.get(field, 0)
    return value if isinstance(value, int | float) else 0


def _shown(seen: Sequence[Observation]) -> str:
    targets = dict.fromkeys(f"{(o.values('names') or (o.text('destination'),))[0]}:{o.port or 0}/{o.text('protocol')}"
                            for o in seen)
    more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
    return ", ".join(list(targets)[:_NAMED]) + more


def _judged(case: Case, hits: Sequence[Observation], told: Callable[[Sequence[Observation]], str], nothing: str,
            facts: Sequence[tuple[str, str]] = ()) -> Result:
    return Result.fail(told(hits), hits, facts) if hits else Result(Status.PASS, nothing, case.watched)


@_predicate
def speaks_peer_to_peer(case: Case) -> Result:
    """A conversation with an outside address has the wire form of a rendezvous protocol, on whatever port."""
    hits = [o for o in case.outside if set(o.values("signs")) & CONFIDENCE.keys()]
    forms = dict.fromkeys(sign for o in hits for sign in o.values("signs") if sign in CONFIDENCE)
    facts = [(f"confidence in {CONFIDENCE[form][0]}", CONFIDENCE[form][1]) for form in forms]
    return _judged(case, hits, lambda seen: f"speaks {', '.join(CONFIDENCE[f][0] for f in forms)} with {_shown(seen)}",
                   "the capture shows no known peer-to-peer protocol going outside", facts)


@_predicate
def uses_a_peer_to_peer_port(case: Case) -> Result:
    """A conversation of which no octets were seen goes to the port of a rendezvous protocol: a hint and no more."""
    hits = [o for o in case.outside if o.text("port_of")]
    owners = dict.fromkeys(o.text("port_of") for o in hits)
    return _judged(case, hits, lambda seen: f"talks to {_shown(seen)}, the port of {', '.join(owners)}; what was said "
                                            "there was not seen, so that the port is all that speaks for it",
                   "nothing unseen goes outside to the port of a peer-to-peer protocol",
                   [("confidence", "low: by the port alone")] if hits else [])


@_predicate
def is_reached_from_outside(case: Case) -> Result:
    """It answers somebody outside, or sends to an address that it was never seen to call."""
    knocked = [o for o in case.outside if o.fields.get("inbound")]
    hits = [o for o in knocked if _number(o, "packets_out")]
    callers = dict.fromkeys(f"{o.text('destination')} at its {o.port or 0}/{o.text('protocol')}" for o in hits)
    more = f" and {len(callers) - _NAMED} more" if len(callers) > _NAMED else ""
    if knocked and not hits:
        return Result.passed("somebody outside knocked and got no answer while watched", knocked)
    return _judged(case, hits, lambda seen: f"exchanges {sum(_number(o, 'bytes') for o in seen) / 1e6:.1f} MB with "
                                            f"{', '.join(list(callers)[:_NAMED])}{more}, which it did not call",
                   "nobody outside called it while watched")


@_predicate
def punches_holes(case: Case) -> Result:
    """STUN (RFC 8489) with an outside server: how a device learns the address under which it can be reached."""
    hits = [o for o in case.outside if "stun" in o.values("signs")]
    return _judged(case, hits, lambda seen: f"asks {_shown(seen)} how it can be reached (STUN)",
                   "the capture shows no STUN going outside")


@_predicate
def asks_for_port_mapping(case: Case) -> Result:
    """A request to open a port on the router: UPnP AddPortMapping, NAT-PMP or PCP."""
    hits = [o for o in case.seen("egress") if "port-mapping" in o.values("signs")]
    looked = [o for o in case.seen("egress") if "gateway-search" in o.values("signs")]
    if not hits and looked:
        return Result.passed("looks for a gateway that maps ports, and asked none while watched", looked)
    return _judged(case, hits, lambda seen: f"asks {_shown(seen)} to map a port to it",
                   "the capture shows no request to map a port")


def asks_outside_resolver(observation: Observation) -> bool:
    """Whether a conversation with an outside address is one with a resolver, in clear or hidden."""
    if observation.fields.get("inbound"):
        return False
    return (observation.port in {53, 853} or "dot" in observation.values("signs")
            or (observation.text("purpose") == Purpose.DNS and observation.port == 443))


@_predicate
def resolves_names_outside(case: Case) -> Result:
    """Names are asked of a server outside: by plain DNS, over TLS or QUIC (port 853), or of a known one over HTTPS."""
    hits = [o for o in case.outside if asks_outside_resolver(o)]
    hidden = [o for o in hits if o.port != 53]
    clear = [o for o in hits if o.port == 53]
    parts = [f"{_shown(seen)} for names {how}" for seen, how in ((clear, "in clear text"), (hidden, "under encryption"))
             if seen]
    return _judged(case, hits, lambda _: f"asks {' and '.join(parts)}, past the site's own resolver",
                   "every name the capture shows was asked inside")


@_predicate
def calls_in_even_steps(case: Case) -> Result:
    """Calls to an outside destination come so evenly that chance would do it in 1 % of conversations at most.

    Names and time (ports 53 and 123) are asked for at even steps by nature, and left out.
    """
    watched = [o for o in case.outside if o.port not in {53, 123}]
    hits = [o for o in watched if _number(o, "period_s") > 0]
    facts = [(o.text("destination"), f"every {_number(o, 'period_s'):g} s, {int(_number(o, 'beats'))} calls")
             for o in hits[:_NAMED]]
    fewest = min((int(_number(o, "beats")) for o in hits), default=0)
    return _judged(case, hits, lambda seen: f"calls {_shown(seen)} in even steps, {fewest} calls or more each; of "
                                            "conversations without a rhythm at most 1 in 100 looks like this"
                                            + _expected(len(watched)),
                   "no outside destination was called often and evenly enough to tell: three calls are the fewest that "
                   "say anything, and few calls only tell an exact clock", facts)


def _expected(conversations: int) -> str:
    """What the rate means for this device, where it talks to so many that one false alarm is likely."""
    return f", and this device has {conversations} outside" if conversations >= _MANY else ""


@_predicate
def explores_the_inside(case: Case) -> Result:
    """It opens conversations with other inside hosts: a scan where there are many, else lateral contact."""
    reached = [o for o in case.seen("egress") if _is_host_inside(o.text("destination"))
               and o.text("protocol") in {"tcp", "udp", "icmp"} and o.port not in _INFRASTRUCTURE]
    sought = [o for o in case.seen("egress") if _number(o, "sought") >= _SCAN_ARP]
    hosts, ports = defaultdict[object, set[str]](set), defaultdict[str, set[object]](set)
    for one in reached:
        hosts[one.port].add(one.text("destination"))
        ports[one.text("destination")].add(one.port)
    if sought:
        return Result.fail(f"looks for {int(_number(sought[0], 'sought'))} addresses on its network (ARP)", sought)
    wide = max(hosts.values(), key=len, default=set())
    deep = max(ports.values(), key=len, default=set())
    if len(wide) >= _SCAN_HOSTS:
        return Result.fail(f"knocks at the same port of {len(wide)} inside hosts: a scan", reached)
    if len(deep) >= _SCAN_PORTS:
        return Result.fail(f"knocks at {len(deep)} ports of one inside host: a scan", reached)
    lateral = [o for o in reached if o.text("protocol") == "tcp"]
    return _judged(case, lateral, lambda seen: f"opens connections to other inside hosts: {_shown(seen)}",
                   "the capture shows no connection it opened to another inside host")


@lru_cache(maxsize=16_384)
def _is_host_inside(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.is_multicast or parsed.is_loopback or parsed.is_unspecified or str(parsed).endswith(".255"):
        return False
    return not is_outside(address)


@_predicate
def sends_much_outside(case: Case) -> Result:
    """Much more is sent to an outside destination than comes back: what video that leaves the site looks like."""
    hits = [o for o in case.outside
            if _number(o, "bytes_out") >= _MUCH and _number(o, "bytes_out") >= 0.8 * _number(o, "bytes")]
    facts = [(o.text("destination"), f"{_number(o, 'bytes_out') / 1e6:.0f} MB in {_number(o, 'seconds'):.0f} s")
             for o in hits[:_NAMED]]
    return _judged(case, hits, lambda seen: f"sends {sum(_number(o, 'bytes_out') for o in seen) / 1e6:.0f} MB to "
                                            f"{_shown(seen)}",
                   "the capture shows no large upload", facts)
