"""What a device needs of the network, as rules others can enforce: a MUD file (RFC 8520), or sets for a firewall.

Needed is what the site's own services are (names, time) and what an operator allows beyond it; a maker's cloud is never
needed. camvet writes such files and applies none.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rules.destinations import is_outside
from scanner import clock

__all__ = ["Allowed", "MudError", "allows", "may_be", "mud_file", "read_allowed", "read_mud", "violations"]

_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_NUMBERS = {number: name for name, number in _PROTOCOLS.items()}
_MAX_MUD = 1 << 20
_MAX_RULES = 4_096
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_LOCAL = "local-networks"
_LONGEST_HOST, _HIGHEST_PORT, _LONGEST_ACE = 253, 65_535, 64


class MudError(ValueError):
    """A file that is no usable MUD file: what is wrong with it, in one line."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One service a device may use.

    Attributes:
        target: a host name, a network (``192.0.2.0/24``), or ``local-networks``.
        protocol: ``tcp``, ``udp``, ``icmp``, or empty for any.
        port: of the service; None for any.
        inbound: the service is the device's own, and the target comes to it.
        why: who needs it, for a person; it does not count when two are compared.
    """

    target: str
    protocol: str = ""
    port: int | None = None
    inbound: bool = False
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        """``pool.ntp.org:123/udp``; ``from 10.0.0.5/32 to 554/tcp`` where the target comes to the device."""
        service = f"{self.port or 'any'}/{self.protocol or 'any'}"
        return f"from {self.target} to {service}" if self.inbound else f"{self.target}:{service}"


_NAMED_SERVICE = re.compile(r"(?P<target>.+?):(?P<port>\d{1,5}|any)/(?P<protocol>tcp|udp|icmp|any)")


def read_allowed(text: str, *, inbound: bool = False, why: str = "") -> Allowed:
    """``HOST:PORT/PROTOCOL`` as a service; HOST is a name, an address or a network. Raises `MudError`."""
    found = _NAMED_SERVICE.fullmatch(text.strip().lower())
    if not found:
        raise MudError(f"{text!r}: expected HOST:PORT/PROTOCOL, as 10.0.0.5:123/udp or time.example.org:123/udp")
    target, port = found["target"].strip("[]"), 0 if found["port"] == "any" else int(found["port"])
    try:
        target = str(ipaddress.ip_network(target, strict=False))
    except ValueError as error:
        if not _HOST.fullmatch(target) or len(target) > _LONGEST_HOST:
            raise MudError(f"{target!r} is neither a name, an address nor a network") from error
    protocol = "" if found["protocol"] == "any" else found["protocol"]
    if port > _HIGHEST_PORT or (port and protocol not in {"tcp", "udp"}):
        raise MudError(f"{text!r}: no such port")
    return Allowed(target, protocol, port or None, inbound, why)


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
    """One rule; its name says why, as the model has no other place for it (RFC 8519 section 4.2: 1 to 64 characters).

    A service of the device's own is its port on both ways; TCP says who may open the connection (RFC 8520 section 8).
    """
    there = "dst" if way == "from" else "src"
    port = "destination-port" if (way == "from") is not service.inbound else "source-port"
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
        matches.setdefault("tcp", {})["ietf-mud:direction-initiated"] = (
            "to-device" if service.inbound else "from-device")
    why = re.sub(r"[^A-Za-z0-9 .,:()_-]+", " ", service.why).strip()
    name = f"{way}-{number}" + (f" {why}" if why else "")
    return {"name": name[:_LONGEST_ACE].rstrip(), "matches": matches, "actions": {"forwarding": "accept"}}


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
        return [_allowed(entry["matches"], str(entry["name"])) for entry in entries
                if entry["actions"]["forwarding"] == "accept"]
    except (KeyError, TypeError, AttributeError) as error:
        raise MudError(f"not in the form of RFC 8520 ({type(error).__name__}: {error})") from error


def _allowed(matches: Mapping[str, Any], name: str) -> Allowed:
    target, protocol, port, inbound = "", "", None, False
    for layer, terms in matches.items():
        for term, value in terms.items():
            if layer in {"tcp", "udp"} and term in {"destination-port", "source-port"} and value.get(
                    "operator", "eq") == "eq":
                protocol, port, inbound = layer, int(value["port"]), inbound or term == "source-port"
            elif term == "protocol":
                protocol = _NUMBERS.get(int(value), "icmp" if value == 58 else f"ip-{value}")
            elif term == "ietf-acldns:dst-dnsname" or term.startswith("destination-ipv"):
                target = str(value).lower()
            elif term == "local-networks":
                target = _LOCAL
            elif term.endswith("direction-initiated"):
                inbound = inbound or value == "to-device"
            else:
                raise MudError(f"a match on {term} is not understood")
    if not target:
        raise MudError("a rule without a destination")
    return Allowed(target, protocol, port, inbound, name.partition(" ")[2])


def allows(service: Allowed, destination: str, names: Iterable[str], protocol: str, port: int, *,
           inbound: bool = False) -> bool:
    """Whether a service covers a conversation that the device opened, or that was opened with it (`inbound`).

    A name counts as used only where the capture shows that it was.
    """
    if service.inbound is not inbound or service.protocol not in {"", protocol} or service.port not in {None, port}:
        return False
    address = ipaddress.ip_address(destination)
    if service.target == _LOCAL:
        return not is_outside(destination)
    if not _version(service):
        return service.target in set(names)
    network = ipaddress.ip_network(service.target, strict=False)
    return network.version == address.version and address in network


def may_be(service: Allowed, protocol: str, port: int) -> bool:
    """Whether a conversation of which no name is known may be one with a service that is allowed by name."""
    named = service.target != _LOCAL and not _version(service) and not service.inbound
    return named and service.protocol in {"", protocol} and service.port in {None, port}


def violations(allowed: Sequence[Allowed], destination: str, names: Sequence[str], protocol: str,
               port: int, *, inbound: bool = False) -> list[str]:
    """One line where no service covers a conversation, else none."""
    if any(allows(service, destination, names, protocol, port, inbound=inbound) for service in allowed):
        return []
    if inbound:
        return [f"from {destination} to its {port}/{protocol}"]
    return [f"{destination}:{port}/{protocol}" + (f" ({names[0]})" if names else "")]
