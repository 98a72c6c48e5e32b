"""An nftables table that keeps cameras inside: an operator may load it on the router between segments.

Each camera is known by MAC and address. What stays inside the site passes; everything else from a camera is counted and
dropped. Comments name each destination that stops working. Nothing here is applied by camvet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.destinations import is_outside

__all__ = ["write"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_INSIDE4 = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255"
_INSIDE6 = "fc00::/7, fe80::/10, ff00::/8"


@register("nftables", media_type="text/plain; charset=utf-8", suffix="nft")
def write(report: Report, _options: Options) -> bytes:
    """The table as a script for ``nft -f``; check it first with ``nft -c -f``."""
    return ("\n".join(_lines(report)) + "\n").encode()


def _lines(report: Report) -> Iterator[str]:
    macs = sorted({d.mac.lower() for d in report.devices if _MAC.fullmatch(d.mac)})
    fours = sorted({d.address for d in report.devices if _version(d) == 4}, key=ipaddress.ip_address)
    sixes = sorted({d.address for d in report.devices if _version(d) == 6}, key=ipaddress.ip_address)
    yield f"# {_comment(report.producer)}: cameras of {_comment(report.site)}, {report.as_of.isoformat()}"
    yield "# Check with: nft -c -f FILE. Load on the router between the cameras and everything else."
    yield from _destinations(report)
    yield "table inet camvet"
    yield "delete table inet camvet"
    yield "table inet camvet {"
    yield from _set("cameras_by_mac", "ether_addr", macs)
    yield from _set("cameras_by_ipv4", "ipv4_addr", fours)
    yield from _set("cameras_by_ipv6", "ipv6_addr", sixes)
    yield "  set inside_ipv4 { type ipv4_addr; flags interval; elements = { " + _INSIDE4 + " } }"
    yield "  set inside_ipv6 { type ipv6_addr; flags interval; elements = { " + _INSIDE6 + " } }"
    yield "  chain forward {"
    yield "    type filter hook forward priority filter; policy accept;"
    yield "    ether saddr @cameras_by_mac jump from_camera"
    yield "    ip saddr @cameras_by_ipv4 jump from_camera"
    yield "    ip6 saddr @cameras_by_ipv6 jump from_camera"
    yield "  }"
    yield "  chain from_camera {"
    yield "    ip daddr @inside_ipv4 return"
    yield "    ip6 daddr @inside_ipv6 return"
    yield "    counter drop"
    yield "  }"
    yield "}"


def _destinations(report: Report) -> Iterator[str]:
    """What the table will cut off, so that an operator sees what stops working."""
    for device in report.devices:
        for seen in device.destinations:
            if is_outside(seen.address):
                name = seen.names[0] if seen.names else "no name"
                yield (f"# stops: {_comment(device.device)} to {_comment(seen.address)} port {seen.port or 0}/"
                       f"{_comment(seen.protocol)} ({_comment(name)}; {_comment(seen.purpose) or 'purpose unknown'})")


def _comment(text: str) -> str:
    """A device's text in a comment: one line, nothing that ends it, no continuation."""
    return clean(text, 120).replace("\\", "/").replace("\n", " ").replace("\r", " ")


def _set(name: str, kind: str, elements: list[str]) -> Iterator[str]:
    filled = f" elements = {{ {', '.join(elements)} }}" if elements else ""
    yield f"  set {name} {{ type {kind};{filled} }}"


def _version(device: DeviceReport) -> int:
    try:
        return ipaddress.ip_address(device.address).version
    except ValueError:
        return 0
