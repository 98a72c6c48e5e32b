"""Conversations that somebody outside opened with a device of the site, turned so that they stand under the device.

A device that is called from outside, or that sends to an address nobody saw it call, talks to the outside like any
other; under the name of the caller nobody would look for it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache

from scanner.egress.capture import Conversation

__all__ = ["is_site", "turned"]

_SITE = tuple(map(ipaddress.ip_network, (       # RFC 1918, 3927, 6598, 4193, 4291
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")))
_NOBODY = tuple(map(ipaddress.ip_network, (     # no single host has these: RFC 1122, 5771, 4291
    "0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/127", "ff00::/8")))


@lru_cache(maxsize=16_384)
def _kind(address: str) -> tuple[bool, bool]:
    """Whether an address belongs to a site, and whether it is a single host's beyond it."""
    parsed = ipaddress.ip_address(address)
    site = any(parsed in network for network in _SITE if network.version == parsed.version)
    nobody = any(parsed in network for network in _NOBODY if network.version == parsed.version)
    return site, not site and not nobody


def is_site(address: str) -> bool:
    """Whether an address can only be one of the site's own."""
    return _kind(address)[0]


def turned(conversations: Iterable[Conversation], addresses: Mapping[str, Iterable[str]]) -> list[Conversation]:
    """The conversations, those from outside to the site turned, ordered by device, destination, protocol and port.

    `addresses` are those of each MAC, as `Capture.addresses` has them.
    """
    given = list(conversations)
    outside: dict[str, bool] = {}
    for one in given:
        if one.source not in outside:
            outside[one.source] = _kind(one.source)[1]
    if not any(outside.values()):
        return given
    owners = {address: mac for mac, seen in addresses.items() if mac.count(":") == 5 and len(mac) == 17
              for address in seen}
    made = [one.turned(owners.get(one.destination, "")) if outside[one.source] and is_site(one.destination) else one
            for one in given]
    made.sort(key=lambda one: (one.device, one.destination, one.protocol, one.port, one.inbound))
    return made
