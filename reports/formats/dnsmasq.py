"""A configuration for dnsmasq that gives cameras the site's own time and names, and no cloud.

Every camera with a known MAC is tagged by its verdict (``dhcp-host``); the tag hands out the site's resolver and time
server where the capture showed them. Known clouds of the makers found, and names that cameras asked for without need,
are answered with nothing (``address=/name/#``). A resolver answers everybody: what is blocked for cameras is blocked
for people too, and a device that does not ask it is not stopped. camvet applies none of it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules import destinations, makers
from rules.blocking import Blockable, consequence
from rules.destinations import Clouds, is_outside
from rules.needs import Needs, needs_of
from rules.policy import is_outside_scope

__all__ = ["write"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)+")
_LONGEST_NAME = 253
_DNS, _NTP = 53, 123
_BLOCKED = frozenset({Blockable.YES, Blockable.WATCH})


@register("dnsmasq", media_type="text/plain; charset=utf-8", suffix="conf")
def write(report: Report, _options: Options) -> bytes:
    """A file for ``conf-dir``; check it with ``dnsmasq --test --conf-file=FILE``."""
    return ("\n".join(_lines(report)) + "\n").encode()


def _lines(report: Report) -> Iterator[str]:
    cameras = [device for device in report.devices if not is_outside_scope(device.verdict)]
    today = report.generated_at.date()
    needs = {device.device: needs_of(device.destinations, device.baseline, today) for device in cameras}
    yield f"# {_comment(report.producer)}: cameras of {_comment(report.site)}, {report.as_of.isoformat()}"
    yield "# Check with: dnsmasq --test --conf-file=FILE. A device that asks another resolver is not stopped by this."
    yield ""
    written: set[str] = set()
    for device in cameras:
        mac = device.mac.lower()
        if not _MAC.fullmatch(mac):
            yield f"# left out: {_comment(device.device)} ({device.verdict.outcome}): its MAC was not seen"
        elif mac not in written:
            written.add(mac)
            yield f"dhcp-host={mac},set:camvet,set:camvet-{device.verdict.outcome}"
    yield ""
    yield from _servers("dns-server", _inside(cameras, needs, _DNS), "resolver")
    yield from _servers("ntp-server", _inside(cameras, needs, _NTP), "time server")
    yield ""
    yield "# Known clouds of the makers found, and what cameras asked for without need: answered with nothing."
    clouds = destinations.with_makers(destinations.load(), makers.load())
    blocked = _blocked(cameras, needs, clouds)
    spared = sorted({service.target for one in needs.values() for service in one.allowed if _is_name(service.target)})
    for name in _tidied(blocked, spared):
        yield f"# {blocked[name]}"
        yield f"address=/{name}/#"
    for name in spared:             # a name that is needed, though it lies below one that is blocked
        if any(name.endswith(f".{parent}") for parent in blocked):
            yield f"# {name} is allowed"
            yield f"server=/{name}/#"


def _servers(option: str, addresses: Sequence[str], what: str) -> Iterator[str]:
    fours = [one for one in addresses if ipaddress.ip_address(one).version == 4]
    sixes = [f"[{one}]" for one in addresses if ipaddress.ip_address(one).version == 6]
    if fours:
        yield f"dhcp-option=tag:camvet,option:{option},{','.join(fours)}"
    if sixes:
        yield f"dhcp-option=tag:camvet,option6:{option},{','.join(sixes)}"
    if not addresses:
        yield f"# The capture showed no {what} inside the site. Name yours:"
        yield f"# dhcp-option=tag:camvet,option:{option},ADDRESS"


def _inside(cameras: Sequence[DeviceReport], needs: dict[str, Needs], port: int) -> list[str]:
    """Single addresses inside the site that cameras need on a UDP port."""
    found = {str(ipaddress.ip_network(service.target).network_address)
             for device in cameras for service in needs[device.device].allowed
             if service.protocol == "udp" and service.port == port and _is_host(service.target)}
    return sorted((one for one in found if not is_outside(one)), key=lambda one: (
        ipaddress.ip_address(one).version, int(ipaddress.ip_address(one))))


def _is_host(target: str) -> bool:
    try:
        return ipaddress.ip_network(target).num_addresses == 1
    except ValueError:
        return False


def _blocked(cameras: Sequence[DeviceReport], needs: dict[str, Needs], clouds: Clouds) -> dict[str, str]:
    """Names to answer with nothing, each with why."""
    found: dict[str, str] = {}
    built = {slug for device in cameras for slug in (*device.identity.makers, device.identity.maker) if slug}
    for entry in clouds.entries:
        name = entry.suffix or entry.host or ""
        if entry.maker in built and _is_name(name):
            mark = ", unverified" if entry.unverified else ""
            found.setdefault(name, f"{_comment(entry.owner)}, {entry.purpose}{mark}")
    purposes = {(seen.address, seen.protocol, seen.port or 0): seen for device in cameras
                for seen in device.destinations}
    for device in cameras:
        for one in needs[device.device].left_out:
            name = one.name.lower().removesuffix(".")
            seen = purposes.get((one.address, one.protocol, one.port))
            told = consequence(seen.purpose if seen else "", one.address, one.protocol, one.port)
            if _is_name(name) and is_outside(one.address) and told.blockable in _BLOCKED:
                found.setdefault(name, f"asked for by {_comment(device.device)}, {told.name}")
    return found


def _tidied(names: dict[str, str], spared: Sequence[str]) -> list[str]:
    """The names in order, without those below another one and without those that are needed."""
    kept = [name for name in names if name not in spared]
    return sorted(name for name in kept
                  if not any(".".join(name.split(".")[cut:]) in names for cut in range(1, name.count("."))))


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and bool(_NAME.fullmatch(text)) and not text.replace(".", "").isdecimal()


def _comment(text: str) -> str:
    return clean(text, 120).replace("\\", "/").replace("\n", " ").replace("\r", " ")
