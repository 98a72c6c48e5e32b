"""A recorder's list of the cameras behind it, one `Fields` a channel.

A listed maker's camera may sit behind an allowed recorder, so each channel is identified and judged like a device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.observation import Refusal
from scanner.wire import json, xml
from scanner.wire.documents import pairs
from scanner.wire.fields import Fields, build, firmware_and_build, flag, ipv4, mac, number

__all__ = ["MAX_CHANNELS", "read"]

MAX_CHANNELS = 512

_DAHUA = re.compile(r"NETCAMERA_INFO_(\d{1,4})\.([\w.]{1,60})$")
_SUNAPI = re.compile(r"Channel\.(\d{1,4})\.([\w.]{1,60})$")


def read(body: bytes) -> list[Fields]:
    """Every channel in a known channel list (ISAPI, LAPI, SUNAPI, Dahua); empty for anything else.

    Numbers start at 1 for ISAPI and LAPI and at 0 for Dahua and SUNAPI, as those makers count.
    """
    head = body.lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if head[:1] == b"<":
        found = list(_isapi(head))
    elif head[:1] in (b"{", b"["):
        found = list(_json(head))
    else:
        found = list(_pairs(head))
    return found[:MAX_CHANNELS]


def _isapi(body: bytes) -> Iterator[Fields]:
    """``InputProxyChannelList`` and its status list; one document may carry either."""
    document = xml.read(body)
    if isinstance(document, Refusal):
        return
    for channel in xml.find_all(document.root, "InputProxyChannel", "InputProxyChannelStatus", limit=MAX_CHANNELS):
        index = number(xml.value(channel, "id"), high=100_000)
        if index is None:
            continue
        port = xml.find(channel, "sourceInputPortDescriptor")
        source = channel if port is None else port
        yield firmware_and_build(xml.value(source, "firmwareVersion")) | build(
            channel=index, protocol=xml.value(source, "proxyProtocol"), model=xml.value(source, "model"),
            manufacturer=xml.value(source, "manufacturer"), serial=xml.value(source, "serialNumber"),
            mac=mac(xml.value(source, "macAddress")), ipv4=ipv4(xml.value(source, "ipAddress")),
            device_name=xml.value(channel, "name"), online=flag(xml.value(channel, "online")),
            port=number(xml.value(source, "managePortNo"), high=65_535))


def _json(body: bytes) -> Iterator[Fields]:
    value = json.read(body)
    listed = None if isinstance(value, Refusal) else json.find(value, "DetailInfos", "RegisteredCameras")
    for entry in listed[:MAX_CHANNELS] if isinstance(listed, list) else []:
        if not isinstance(entry, dict):
            continue
        flat = {key.casefold(): json.scalar(inner) for node in json.walk(entry) for key, inner in node.items()}
        found = _channel(flat, flat.get("id") or flat.get("channel"))
        if found:
            yield found


def _pairs(body: bytes) -> Iterator[Fields]:
    groups: dict[str, dict[str, str]] = {}
    for key, value in pairs(body).items():
        match = _DAHUA.search(key) or _SUNAPI.search(key)
        if match and value:
            groups.setdefault(match[1], {})[match[2].rpartition(".")[2].casefold()] = value
    for index, flat in groups.items():
        found = _channel(flat, index)
        if found:
            yield found


def _channel(flat: dict[str, str], index: str | None) -> Fields:
    """One channel from a flat mapping with lower-case names, whichever maker's words it uses."""
    position = number(index or "", high=100_000)
    if position is None:
        return {}

    def first(*names: str) -> str:
        return next((flat[name] for name in names if flat.get(name)), "")

    status = first("status", "online").casefold()
    words = {"success": True, "connected": True, "connectfail": False, "disconnected": False, "fail": False}
    online = words.get(status, flag(status))
    return firmware_and_build(first("firmwareversion", "softwareversion", "version")) | build(
        channel=position, protocol=first("protocol", "protocoltype", "accessprotocol"),
        manufacturer=first("manufacturer", "vendor"), model=first("devicemodel", "model", "devicetype"),
        serial=first("serialnumber", "serialno", "devicesn"), mac=mac(first("mac", "macaddress")),
        ipv4=ipv4(first("address", "ipaddress", "ip")), online=online,
        device_name=first("name", "title", "channelname", "channeltitle"))
