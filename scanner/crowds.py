"""One responder for a whole range: proxy ARP, or a firewall that accepts every connection for all it protects.

Such a range looks like hundreds of devices that say nothing. It is told once, so that nobody counts them.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scanner.observation import Observation

__all__ = ["Crowd", "crowds"]

LEAST = 16                   # addresses: fewer may be one machine with a few of them
SHARE = 0.8                  # of the addresses of a /24 that were in scope
_LEAST_PORTS = 4             # open ones; a server has two or three
_WITHOUT_WORDS = frozenset({"link", "tcp", "alias", "inventory"})     # what a device that says nothing is seen by


@dataclass(frozen=True, slots=True)
class Crowd:
    """Addresses of one /24 that are no devices of their own; `mac` answers for them, empty where ports alone tell."""

    network: str
    addresses: int
    asked: int
    mac: str = ""

    def __str__(self) -> str:
        if self.mac:
            return (f"{self.addresses} of the {self.asked} addresses asked in {self.network} were answered by one MAC, "
                    f"{self.mac}: proxy ARP or a firewall; those are not {self.addresses} devices.")
        return (f"{self.addresses} of the {self.asked} addresses asked in {self.network} opened every TCP port that "
                f"was tried and said nothing on any: a firewall or a proxy that accepts for all of them; those are not "
                f"{self.addresses} devices.")


def crowds(asked: Iterable[str], observations: Sequence[Observation]) -> list[Crowd]:
    """The ranges of a sweep that one responder answered for: `asked` are the addresses of its scope."""
    total = Counter(network for address in asked if (network := _network(address)))
    by_mac: Counter[tuple[str, str]] = Counter()
    for device, mac in {(seen.device, seen.text("mac")) for seen in observations if seen.transport == "link"}:
        if mac and (network := _network(device)):
            by_mac[network, mac] += 1
    mute = Counter(_network(device) for device in _mute(observations))
    return [*_many({(network, mac): count for (network, mac), count in by_mac.items()}, total),
            *_many({(network, ""): count for network, count in mute.items()
                    if not any(_is_crowd(by_mac[key], total[network]) for key in by_mac if key[0] == network)}, total)]


def _many(counts: Mapping[tuple[str, str], int], total: Mapping[str, int]) -> Iterator[Crowd]:
    for (network, mac), count in sorted(counts.items()):
        if network and _is_crowd(count, total[network]):
            yield Crowd(network, count, total[network], mac)


def _is_crowd(count: int, asked: int) -> bool:
    return count >= LEAST and count >= SHARE * asked


def _mute(observations: Sequence[Observation]) -> Iterator[str]:
    """Addresses where every TCP port that was tried is open, and nothing was said on any."""
    ports: dict[str, int] = defaultdict(int)
    others: set[str] = set()
    for seen in observations:
        if seen.transport == "tcp" and dict(seen.fields) == {"state": "open"}:
            ports[seen.device] += 1
        elif seen.transport not in _WITHOUT_WORDS or seen.transport == "tcp":
            others.add(seen.device)
    return (device for device, count in ports.items() if count >= _LEAST_PORTS and device not in others)


def _network(address: str) -> str:
    """The /24 of an IPv4 address; empty for what has none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:                             # a channel behind a recorder
        return ""
    return f"{address.rpartition('.')[0]}.0/24" if parsed.version == 4 else ""
