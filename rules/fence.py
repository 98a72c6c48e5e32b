"""What a device needs of the network, as rules others can enforce: a MUD file (RFC 8520), or sets for a firewall.

Needed is what the site's own services are (names, time) and what an operator allows beyond it; a maker's cloud is never
needed. camvet writes such files and applies none.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.destinations import is_outside
from scanner import clock

__all__ = ["Allowed", "MudError", "allows", "mud_file", "read_mud", "violations"]

_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_NUMBERS = {number: name for name, number in _PROTOCOLS.items()}
_MAX_MUD = 1 << 20
_MAX_RULES = 4_096
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_LOCAL = "local-networks"


class MudError(ValueError):
    """A file that is no usable MUD file: what is wrong with it, in one line."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One service a device may use.

    Attributes:
        target: a host name, a network (``192.0.2.0/24``), or ``local-networks``.
        protocol: ``tcp``, ``udp``, ``icmp``, or empty for any.
        port: of the service; None for any.
    """

    target: str
    protocol: str = ""
    port: int | None = None


def mud_file(device: str, allowed: Sequence[Allowed], at: datetime, *, url: str, systeminfo: str) -> dict[str, Any]:
    """An RFC 8520 document for one device that lets it use these services and nothing else.

    Args:
        device: names the access lists; made safe for a YANG string.
        allowed: what it may use; names become ACL DNS names (section 8), networks plain prefixes.
        at: when the document was made.
        url: where the site serves it; MUD asks for ``https`` (section 3.1).
        systeminfo: what a person reads, cut to the 60 characters the model allows.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", device).strip("-")[:40] or "device"
    groups = {4: [a for a in allowed if _version(a) in {0, 4}], 6: [a for a in allowed if _version(a) in {0, 6}]}
    lists, policies = [], {"from": list[dict[str, str]](), "to": list[dict[str, str]]()}
    for version, services in groups.items():
        for way in ("from", "to"):
            entries = [_entry(service, number, version, way) for number, service in enumerate(services)]
            if entries:
                label = f"{name}-{way}-ipv{version}"
                lists.append({"name": label, "type": f"ipv{version}-acl-type", "aces": {"ace": entries}})
                policies[way].append({"name": label})
    mud: dict[str, Any] = {
        "mud-version": 1, "mud-url": url, "last-update": clock.stamp(at).replace("Z", "+00:00"),
        "cache-validity": 48, "is-supported": True, "systeminfo": systeminfo[:60]}
    if lists:
        mud["from-device-policy"] = {"access-lists": {"access-list": policies["from"]}}
        mud["to-device-policy"] = {"access-lists": {"access-list": policies["to"]}}
    return {"ietf-mud:mud": mud, **({"ietf-access-control-list:acls": {"acl": lists}} if lists else {})}


def _version(service: Allowed) -> int:
    """The IP version of a network; 0 for what may be both."""
    try:
        return ipaddress.ip_network(service.target).version
    except ValueError:
        return 0


def _entry(service: Allowed, number: int, version: int, way: str) -> dict[str, Any]:
    there, port = ("dst", "destination-port") if way == "from" else ("src", "source-port")
    matches: dict[str, Any] = {}
    network: dict[str, Any] = {}
    if service.target == _LOCAL:
        matches["ietf-mud:mud"] = {"local-networks": [None]}
    elif _version(service):
        network["destination-ipv4-network" if (way, version) == ("from", 4) else
                "source-ipv4-network" if version == 4 else
                "destination-ipv6-network" if way == "from" else "source-ipv6-network"] = service.target
    else:
        network[f"ietf-acldns:{there}-dnsname"] = service.target
    if service.protocol:
        network["protocol"] = _PROTOCOLS[service.protocol] if (service.protocol, version) != ("icmp", 6) else 58
    if network:
        matches[f"ipv{version}"] = network
    if service.protocol in {"tcp", "udp"} and service.port:
        matches[service.protocol] = {port: {"operator": "eq", "port": service.port}}
        if service.protocol == "tcp":
            matches["tcp"]["ietf-mud:direction-initiated"] = "from-device"
    return {"name": f"{way}-{number}", "matches": matches, "actions": {"forwarding": "accept"}}


def read_mud(data: bytes) -> list[Allowed]:
    """What a MUD file lets the device send to. Raises `MudError`.

    Understood are names, networks, ``local-networks``, protocols and single ports; anything else in a rule makes the
    file unusable here, since a rule that is only half understood would allow too much or too little.
    """
    if len(data) > _MAX_MUD:
        raise MudError(f"larger than {_MAX_MUD} octets")
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MudError("no JSON") from error
    try:
        policy = parsed["ietf-mud:mud"].get("from-device-policy", {})
        wanted = [one["name"] for one in policy.get("access-lists", {}).get("access-list", ())]
        acls = {one["name"]: one for one in parsed.get("ietf-access-control-list:acls", {}).get("acl", ())}
        entries = [entry for name in wanted for entry in acls[name]["aces"]["ace"]]
        if len(entries) > _MAX_RULES:
            raise MudError(f"more than {_MAX_RULES} rules")
        return [_allowed(entry["matches"]) for entry in entries if entry["actions"]["forwarding"] == "accept"]
    except (KeyError, TypeError, AttributeError) as error:
        raise MudError(f"not in the form of RFC 8520 ({type(error).__name__}: {error})") from error


def _allowed(matches: Mapping[str, Any]) -> Allowed:
    target, protocol, port = "", "", None
    for layer, terms in matches.items():
        for term, value in terms.items():
            if layer in {"tcp", "udp"} and term == "destination-port" and value.get("operator", "eq") == "eq":
                protocol, port = layer, int(value["port"])
            elif term == "protocol":
                protocol = _NUMBERS.get(int(value), "icmp" if value == 58 else f"ip-{value}")
            elif term == "ietf-acldns:dst-dnsname" or term.startswith("destination-ipv"):
                target = str(value).lower()
            elif term == "local-networks":
                target = _LOCAL
            elif not term.endswith("direction-initiated"):
                raise MudError(f"a match on {term} is not understood")
    if not target:
        raise MudError("a rule without a destination")
    return Allowed(target, protocol, port)


def allows(service: Allowed, destination: str, names: Iterable[str], protocol: str, port: int) -> bool:
    """Whether a service covers a conversation. A name counts as used only where the capture shows that it was."""
    if service.protocol not in {"", protocol} or service.port not in {None, port}:
        return False
    address = ipaddress.ip_address(destination)
    if service.target == _LOCAL:
        return not is_outside(destination)
    if _HOST.fullmatch(service.target) and not _version(service):
        return service.target in set(names)
    network = ipaddress.ip_network(service.target, strict=False)
    return network.version == address.version and address in network


def violations(allowed: Sequence[Allowed], destination: str, names: Sequence[str], protocol: str,
               port: int) -> list[str]:
    """One line where no service covers a conversation, else none."""
    if any(allows(service, destination, names, protocol, port) for service in allowed):
        return []
    return [f"{destination}:{port}/{protocol}" + (f" ({names[0]})" if names else "")]
