"""An RFC 8520 (MUD) file a device: what it needs of the network, and nothing else.

Needed is what an operator approved, and the site's own names and time (`rules.needs`). What a device did to others is
left out, whatever it is for; every rule's name says why it is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from reports.formats import Options, register
from reports.report import DeviceReport, Report
from reports.text import clean
from rules.fence import mud_file
from rules.needs import needs_of
from rules.policy import is_outside_scope

__all__ = ["device_file", "file_of", "files", "write"]


def files(report: Report) -> Mapping[str, bytes]:
    """A file for each device whose traffic was captured or whose needs were approved, by file name."""
    return {file_of(device.device): _text(device_file(report, device)) for device in report.devices if _told(device)}


@register("mud", media_type="application/mud+json", suffix="json", files=files)
def write(report: Report, _options: Options) -> bytes:
    """All files in one JSON object under the keys of the devices, and which devices have none."""
    document = {"site": clean(report.site, 200), "as_of": report.as_of.isoformat(),
                "devices": {device.device: device_file(report, device) for device in report.devices if _told(device)},
                "not_assessed": [device.device for device in report.devices if not _told(device)]}
    return _text(document)


def file_of(device: str) -> str:
    """The file name of a device: its key with nothing in it that a path could mean."""
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '-', device).strip('.-')[:80] or 'device'}.json"


def device_file(report: Report, device: DeviceReport) -> dict[str, Any]:
    """The MUD file of one device."""
    needs = needs_of(device.destinations, device.baseline, report.generated_at.date())
    label = " ".join(part for part in (device.identity.brand, device.identity.model) if part) or "camera"
    return mud_file(device.device, needs.allowed, report.generated_at,
                    url=f"https://mud.invalid/{quote(device.device, safe='')}.json", systeminfo=clean(label, 60))


def _told(device: DeviceReport) -> bool:
    """Whether anything is known of a camera's needs; what is no camera is not fenced."""
    return not is_outside_scope(device.verdict) and (device.egress_assessed or device.baseline is not None)


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
