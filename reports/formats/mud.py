"""An RFC 8520 (MUD) file a device: what it needs of the network, and nothing else.

Needed is what stays inside the site; a destination outside is left out, whatever it is for, until an operator adds it.
The document holds every device's file under its key, so that one report serves the whole site; ``device`` files are
what a MUD manager reads.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.destinations import is_outside
from rules.fence import Allowed, mud_file

__all__ = ["device_file", "write"]


@register("mud", media_type="application/mud+json", suffix="json")
def write(report: Report, _options: Options) -> bytes:
    """One JSON object: device key to MUD file, and which devices have none because no capture saw them."""
    files = {device.device: device_file(report, device) for device in report.devices if device.egress_assessed}
    unknown = [device.device for device in report.devices if not device.egress_assessed]
    document = {"site": clean(report.site, 200), "as_of": report.as_of.isoformat(), "devices": files,
                "not_assessed": unknown}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def device_file(report: Report, device: DeviceReport) -> dict[str, Any]:
    """The MUD file of one device from what a capture saw it use inside the site."""
    used = {Allowed("local-networks", d.protocol if d.protocol in {"tcp", "udp"} else "",
                    d.port if d.protocol in {"tcp", "udp"} else None)
            for d in device.destinations if not is_outside(d.address)}
    label = " ".join(part for part in (device.identity.brand, device.identity.model) if part) or "camera"
    allowed = sorted(used, key=lambda one: (one.protocol, one.port or 0))
    return mud_file(device.device, allowed, report.generated_at,
                    url=f"https://mud.invalid/{quote(device.device, safe='')}.json", systeminfo=clean(label, 60))
