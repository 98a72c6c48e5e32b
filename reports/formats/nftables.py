"""An nftables table that lets cameras do what they need and nothing else: for the router between the segments.

Each camera is known by MAC and by address. What `rules.needs` names passes, and so do the answers to whoever inside the
site opened a connection to a camera; everything else is counted, noted in the set ``cut_off`` and dropped. Comments say
why each need is one, and name everything that stops. Nothing here is applied by camvet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.fence import Allowed
from rules.needs import Needs, needs_of
from rules.policy import is_outside_scope

__all__ = ["write"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_INSIDE = {4: "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255",
           6: "fc00::/7, fe80::/10, ff00::/8"}
_KIND = {4: "ipv4_addr", 6: "ipv6_addr"}
_IP = {4: "ip", 6: "ip6"}
_CUT_OFF = {4: "cut_off", 6: "cut_off_ipv6"}
_SETS = ("needs", "needs_by_mac", "any", "any_by_mac")


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class _Sets:
    """The elements of one set: networks by who may reach them and by what service, as nft writes the two."""

    networks: dict[tuple[str, str], list[_Network]] = field(default_factory=dict)

    def elements(self) -> list[str]:
        """Every element once, none inside another: overlapping elements are refused by nft."""
        return [" . ".join(part for part in (who, _written(network), service) if part)
                for (who, service), networks in self.networks.items() for network in _collapsed(networks)]


def _collapsed(networks: Sequence[_Network]) -> Iterator[_Network]:
    yield from ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network))
    yield from ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))


def _written(network: _Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)


_All = dict[tuple[int, str], _Sets]         # by IP version and name of the set


@register("nftables", media_type="text/plain; charset=utf-8", suffix="nft")
def write(report: Report, _options: Options) -> bytes:
    """The table as a script for ``nft -f``; check it first with ``nft -c -f``."""
    return ("\n".join(_lines(report)) + "\n").encode()


def _lines(report: Report) -> Iterator[str]:
    cameras = [device for device in report.devices if not is_outside_scope(device.verdict)]
    macs = sorted({d.mac.lower() for d in cameras if _MAC.fullmatch(d.mac)})
    sets: _All = {(version, name): _Sets() for version in (4, 6) for name in _SETS}
    yield f"# {_comment(report.producer)}: cameras of {_comment(report.site)}, {report.as_of.isoformat()}"
    yield "# Check with: nft -c -f FILE. Load on the router between the cameras and everything else."
    yield "# What was cut off since then: nft list set inet camvet cut_off"
    for device in cameras:
        needs = needs_of(device.destinations, device.baseline, report.generated_at.date())
        yield from _needed(device, needs, sets)
        yield from _stopped(device, needs)
    yield "table inet camvet"
    yield "delete table inet camvet"
    yield "table inet camvet {"
    yield from _set("cameras_by_mac", "ether_addr", macs)
    for version in (4, 6):
        addresses = sorted({d.address for d in cameras if _version(d.address) == version}, key=ipaddress.ip_address)
        yield from _version_sets(version, addresses, sets)
    yield from _chains()
    yield "}"


def _version_sets(version: int, addresses: Sequence[str], sets: _All) -> Iterator[str]:
    kind = _KIND[version]
    yield from _set(f"cameras_by_ipv{version}", kind, addresses)
    yield f"  set inside_ipv{version} {{ type {kind}; flags interval; elements = {{ {_INSIDE[version]} }} }}"
    for name in _SETS:
        who = "ether_addr" if "mac" in name else kind
        service = " . inet_proto . inet_service" if name.startswith("needs") else ""
        yield from _set(f"{name}_ipv{version}", f"{who} . {kind}{service}", sets[version, name].elements(),
                        flags="interval")
    # Written by the kernel: which camera was kept from what, and how often, for a day.
    yield (f"  set {_CUT_OFF[version]} {{ type {kind} . {kind} . inet_proto . inet_service; flags dynamic,timeout; "
           "timeout 1d; size 65535; counter; }")


def _chains() -> Iterator[str]:
    yield "  chain forward {"
    yield "    type filter hook forward priority filter; policy accept;"
    yield "    ether saddr @cameras_by_mac jump from_camera"
    for version in (4, 6):
        yield f"    {_IP[version]} saddr @cameras_by_ipv{version} jump from_camera"
    for version in (4, 6):
        yield f"    {_IP[version]} daddr @cameras_by_ipv{version} jump to_camera"
    yield "  }"
    yield "  chain from_camera {"
    yield "    ct direction reply accept"        # whoever opened the connection was let in below
    for version in (4, 6):
        ip = _IP[version]
        yield f"    {ip} saddr . {ip} daddr . meta l4proto . th dport @needs_ipv{version} accept"
        yield f"    ether saddr . {ip} daddr . meta l4proto . th dport @needs_by_mac_ipv{version} accept"
        yield f"    {ip} saddr . {ip} daddr @any_ipv{version} accept"
        yield f"    ether saddr . {ip} daddr @any_by_mac_ipv{version} accept"
    for version in (4, 6):
        ip = _IP[version]
        yield f"    update @{_CUT_OFF[version]} {{ {ip} saddr . {ip} daddr . meta l4proto . th dport }}"
    yield '    limit rate 10/minute log prefix "camvet cut off: "'
    yield "    counter drop"
    yield "  }"
    yield "  chain to_camera {"
    yield "    ct direction reply accept"        # the answer to a need
    for version in (4, 6):
        yield f"    {_IP[version]} saddr @inside_ipv{version} accept"
    yield "    counter drop"
    yield "  }"


def _needed(device: DeviceReport, needs: Needs, sets: _All) -> Iterator[str]:
    """A comment a need, and its elements put into the sets; a need that a packet filter cannot hold is said."""
    for service in needs.allowed:
        if service.inbound:
            yield (f"# answers: {_comment(device.device)} {_comment(str(service))} ({_comment(service.why)}): "
                   "connections from inside the site pass")
            continue
        targets = _targets(service, needs)
        if not targets:
            yield (f"# not held: {_comment(device.device)} to {_comment(str(service))} ({_comment(service.why)}): a "
                   "packet filter knows addresses, and none was seen for this name")
            continue
        yield f"# passes: {_comment(device.device)} to {_comment(str(service))} ({_comment(service.why)})"
        for target in targets:
            _add(device, service, target, sets)


def _targets(service: Allowed, needs: Needs) -> list[str]:
    if service.target == "local-networks":
        return []
    if _version(service.target):
        return [service.target]
    return [one for one in needs.of(service.target) if _version(one)]


def _add(device: DeviceReport, service: Allowed, target: str, sets: _All) -> None:
    network = ipaddress.ip_network(target, strict=False)
    exact = bool(service.protocol and service.port)
    name, what = ("needs", f"{service.protocol} . {service.port}") if exact else ("any", "")
    if _version(device.address) == network.version:
        sets[network.version, name].networks.setdefault((device.address, what), []).append(network)
    if _MAC.fullmatch(device.mac):
        sets[network.version, f"{name}_by_mac"].networks.setdefault((device.mac.lower(), what), []).append(network)


def _stopped(device: DeviceReport, needs: Needs) -> Iterator[str]:
    """What the table will cut off, so that an operator sees what stops working."""
    purposes = {(seen.address, seen.protocol, seen.port or 0): seen.purpose for seen in device.destinations}
    for one in needs.left_out:
        purpose = purposes.get((one.address, one.protocol, one.port)) or "purpose unknown"
        yield (f"# stops: {_comment(device.device)} to {_comment(one.address)} port {one.port}/"
               f"{_comment(one.protocol)} ({_comment(one.name) or 'no name'}; {_comment(purpose)}; {one.why})")


def _comment(text: str) -> str:
    """A device's text in a comment: one line, nothing that ends it, no continuation."""
    return clean(text, 120).replace("\\", "/").replace("\n", " ").replace("\r", " ")


def _set(name: str, kind: str, elements: Sequence[str], flags: str = "") -> Iterator[str]:
    filled = f" elements = {{ {', '.join(elements)} }}" if elements else ""
    yield f"  set {name} {{ type {kind};{f' flags {flags};' if flags else ''}{filled} }}"


def _version(address: str) -> int:
    """The IP version of an address or network; 0 for what is neither."""
    try:
        return ipaddress.ip_network(address, strict=False).version
    except ValueError:
        return 0
