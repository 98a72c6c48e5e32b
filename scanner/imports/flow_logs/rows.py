"""What one row of any of these sources can say: a flow, a question for a name, a lease; or that it could not be read.

Tuples, because a file has millions of them. Addresses are text in their normal form, times nanoseconds since the epoch.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from scanner.wire import oui

__all__ = ["PROTOCOLS", "Addresses", "Flow", "Lease", "Passed", "Question", "Row", "Unread", "is_inside",
           "protocol_number"]

PROTOCOLS = {"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51,
             "icmp6": 1, "icmpv6": 1, "ipv6-icmp": 1, "icmp-v6": 1, "ospf": 89, "pim": 103, "carp": 112, "vrrp": 112,
             "sctp": 132}
_ICMP6 = 58
_MOST_KEPT = 65_536
_INSIDE = tuple(map(ipaddress.ip_network, (
    "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",   # RFC 6890
    "224.0.0.0/4", "240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8",
)))


class Flow(NamedTuple):
    """Traffic from one end to another.

    `packets` and `octets` are what the source sent; `back_packets` and `back_octets` what came back, where a row tells
    of both. `opened`: the source is known to have opened it. `denied` is how many attempts were refused. `flags` are
    all TCP flags seen, or-ed. `scale` is how many packets stand behind each that was counted, 0 where that is not known
    to be 1.
    """

    start_ns: int
    end_ns: int
    source: str
    destination: str
    protocol: int
    source_port: int
    destination_port: int
    packets: int = 1
    octets: int = 0
    back_packets: int = 0
    back_octets: int = 0
    opened: bool = False
    source_mac: str = ""
    destination_mac: str = ""
    denied: int = 0
    flags: int = 0
    scale: int = 1
    sni: str = ""
    http: str = ""


class Question(NamedTuple):
    """A client asked for a name; `answers` are the addresses it was told, `aliases` the names on the way there.

    `answered` is false where the log keeps no answers. `asked` is false for a row that is only the answer.
    """

    at_ns: int
    client: str
    name: str
    answers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    resolver: str = ""
    answered: bool = False
    asked: bool = True


class Lease(NamedTuple):
    """A DHCP server gave an address to a MAC."""

    at_ns: int
    mac: str
    address: str
    name: str = ""


class Unread(NamedTuple):
    """A row that could not be read, and what was expected there."""

    expected: str


class Passed(NamedTuple):
    """A row that was understood and tells neither of traffic nor of names, and what it is instead."""

    what: str


Row = Flow | Question | Lease | Unread | Passed


def protocol_number(text: str) -> int | None:
    """The number of an IP protocol by number or name; ICMP for IPv6 is counted as ICMP, as in captures."""
    number = PROTOCOLS.get(text.lower())
    if number is None and text.isascii() and text.isdecimal() and len(text) <= 3:
        number = int(text)
        number = 1 if number == _ICMP6 else number if number < 256 else None
    return number


@lru_cache(maxsize=_MOST_KEPT)
def is_inside(address: str) -> bool:
    """Whether an address lies on the local network, as `rules.destinations` draws the line; groups do too."""
    value = ipaddress.ip_address(address)
    return any(value in network for network in _INSIDE if network.version == value.version)


class Addresses:
    """Normal forms of addresses and MACs as files spell them; each spelling is looked at once."""

    def __init__(self) -> None:
        self._known: dict[str | bytes, str] = {}
        self._macs: dict[str | bytes, str] = {}

    def of(self, spelled: str | bytes) -> str:
        """The address in its normal form; empty for anything else and for the unspecified one."""
        found = self._known.get(spelled)
        return self._learn(spelled) if found is None else found

    def _learn(self, spelled: str | bytes) -> str:
        try:
            if isinstance(spelled, str):
                value = ipaddress.ip_address(spelled.strip().strip("[]").split("%", 1)[0])
            else:
                value = ipaddress.ip_address(spelled)
        except ValueError:
            found = ""
        else:
            mapped = value.ipv4_mapped if isinstance(value, ipaddress.IPv6Address) else None
            found = "" if value.is_unspecified else str(mapped or value)
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        if len(spelled) <= 64:
            self._known[spelled] = found
        return found

    def mac(self, spelled: str | bytes) -> str:
        """A station's MAC in upper case with colons; empty for none, for all zeros and for group addresses."""
        found = self._macs.get(spelled)
        if found is None:
            found = oui.normalise(spelled.hex() if isinstance(spelled, bytes) else spelled[:64])
            if found and (found == "00:00:00:00:00:00" or int(found[:2], 16) & 1):
                found = ""
            if len(self._macs) >= _MOST_KEPT:
                self._macs.clear()
            if len(spelled) <= 64:
                self._macs[spelled] = found
        return found
