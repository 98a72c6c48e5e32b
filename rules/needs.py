"""What a device needs of the network: what an operator approved, and the site's own names, time and addresses.

What a device did to an outside party that nobody approved is no need, whatever it is for. Every service carries why it
is needed, and everything that is left out is told with the reason.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from rules.baseline import Baseline, Entry
from rules.destinations import is_outside
from rules.fence import Allowed, allows

__all__ = ["LeftOut", "Needs", "Used", "needs_of"]

_SITE_SERVICES = {("udp", 53): "names of the site's own resolver", ("tcp", 53): "names of the site's own resolver",
                  ("udp", 123): "time of the site's own server", ("udp", 67): "its address (DHCP)",
                  ("udp", 547): "its address (DHCPv6)"}
_EPHEMERAL = 32_768


class Used(Protocol):
    """A destination that a device was seen to use; `reports.report.Destination` is one."""

    @property
    def address(self) -> str: ...  # noqa: D102
    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def protocol(self) -> str: ...  # noqa: D102
    @property
    def port(self) -> int | None: ...  # noqa: D102
    @property
    def inbound(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A destination that is not among the needs, and why not."""

    address: str
    name: str
    protocol: str
    port: int
    why: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What a device may use, what it also did and is not let do, and the addresses that allowed names stood for."""

    allowed: tuple[Allowed, ...]
    left_out: tuple[LeftOut, ...]
    addresses: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def of(self, name: str) -> tuple[str, ...]:
        """The addresses that were seen for an allowed name; a packet filter knows no names."""
        return dict(self.addresses).get(name, ())


def needs_of(used: Iterable[Used], baseline: Baseline | None, on: date) -> Needs:
    """The needs of one device on one day, from what it was seen to use and what was approved."""
    used = list(used)
    allowed: dict[Allowed, Allowed] = {}
    addresses: dict[str, dict[str, None]] = {}
    holds = baseline is not None and baseline.holds(on)
    if baseline is not None and holds:
        said = f"approved by {baseline.actor} {baseline.approved}"
        for each in baseline.allowed:
            allowed.setdefault(each, each)
        for entry in baseline.entries:
            for service in _of_entry(entry, said, outside=baseline.outside):
                allowed.setdefault(service, service)
            for name in entry.names:
                addresses.setdefault(name, {}).update(dict.fromkeys(entry.addresses))
    for one in used:
        why = _SITE_SERVICES.get((one.protocol, one.port or 0))
        if why and not one.inbound and _is_address(one.address) and not is_outside(one.address):
            service = Allowed(str(ipaddress.ip_network(one.address)), one.protocol, one.port, why=why)
            allowed.setdefault(service, service)
        for name in one.names:
            addresses.setdefault(name, {})[one.address] = None
    left = [LeftOut(one.address, next(iter(one.names), ""), one.protocol, one.port or 0, _why_not(one, baseline, on))
            for one in used if not _is_address(one.address)
            or not any(allows(each, one.address, one.names, one.protocol, one.port or 0, inbound=one.inbound)
                       for each in allowed)]
    targets = {each.target for each in allowed}
    return Needs(tuple(sorted(allowed.values(), key=lambda one: (one.inbound, one.target, one.protocol,
                                                                 one.port or 0))),
                 tuple(dict.fromkeys(left)),
                 tuple((name, tuple(found)) for name, found in sorted(addresses.items()) if name in targets))


def _of_entry(entry: Entry, said: str, *, outside: bool) -> Iterable[Allowed]:
    inside = not any(map(is_outside, entry.addresses))
    if not (inside or outside):
        return
    protocol = entry.protocol if entry.protocol in {"tcp", "udp", "icmp"} else ""
    port = entry.port if protocol in {"tcp", "udp"} and 0 < entry.port < _EPHEMERAL else None
    why = _SITE_SERVICES.get((entry.protocol, entry.port), "") if inside else entry.purpose
    why = f"{why}, {said}" if why else said
    if entry.names and not inside:
        yield from (Allowed(name, protocol, port, why=why) for name in entry.names)
    else:
        yield from (Allowed(str(ipaddress.ip_network(one)), protocol, port, entry.inbound, why)
                    for one in entry.addresses)


def _why_not(one: Used, baseline: Baseline | None, on: date) -> str:
    if _is_address(one.address) and not is_outside(one.address):
        place = "inside the site, and nobody approved it"
    else:
        place = "outside the site, and nobody allowed it"
    if baseline is None:
        return f"{place}: there is no approved baseline"
    return place if baseline.holds(on) else f"{place}: the baseline does not hold on {on}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
