"""Topsee (Tianshitong) discovery, UDP 3001: XML by broadcast, read where it passes and never asked for.

The reply, which goes to the whole link, carries the device's accounts with their passwords in clear. Asking would make
a camera shout them, so camvet has no request for it. What is heard or imported is read without them; only how many
accounts were shown to everybody is kept.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import xml
from scanner.wire.fields import Fields, build, ipv4, mac, number

__all__ = ["PORT", "parse"]

PORT = 3001
_ROOT = "XML_TOPSEE"
_REPLY = "3"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply (message code 3); passwords and user names are not read."""
    if len(data) > 65_535:
        return Refusal("too_large")
    document = xml.read(data)
    if isinstance(document, Refusal):
        return document
    if document.name != _ROOT:
        return Refusal("not_topsee", document.name[:40])

    def said(element: str, name: str) -> str:
        found = xml.find(document.root, element)
        return str(found.get(name, "")) if found is not None else ""

    if said("MESSAGE_HEADER", "Msg_code") != _REPLY:
        return Refusal("not_a_reply")
    return build(
        device_type=said("DEVICE_TYPE", "DeviceModule"), model=said("DEVICE_TYPE", "DeviceType"),
        serial=said("IPC_SERIALNUMBER", "SerialNumber"), device_id=said("IPC_SERIALNUMBER", "DevID"),
        firmware=said("VERSION", "FileSystemVersion"), mac=mac(said("LANConfig", "MacAddress")),
        ipv4=ipv4(said("LANConfig", "IPAddress")), http_port=number(said("StreamAccess", "WEBPort"), high=65_535),
        rtsp_port=number(said("StreamAccess", "VideoPort"), high=65_535),
        port=number(said("StreamAccess", "PTZPort"), high=65_535),
        accounts_disclosed=sum(1 for _ in xml.find_all(document.root, "Account")) or None) or Refusal("empty")
