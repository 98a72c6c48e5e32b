"""Hikvision SADP discovery: one XML datagram each way on UDP 37020, group 239.255.255.250.

A reply names model, serial, firmware and MAC before any login, and its OEM fields betray rebrands. Older firmware
multicasts its reply, so the socket binds 37020. Only the ``inquiry`` verb is ever sent: the others change settings.
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from scanner.observation import Endpoint, Refusal
from scanner.wire import xml
from scanner.wire.fields import Fields, build, firmware_and_build, flag, ipv4, mac, number

__all__ = ["GROUP", "PORT", "parse", "request"]

GROUP = "239.255.255.250"
PORT = 37020

_ROOTS = frozenset({"probematch", "hello", "bye"})
_DATE = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


def request(probe_id: UUID) -> bytes:
    """One inquiry: a single line, since some firmware ignores pretty-printed XML."""
    return (f'<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>{str(probe_id).upper()}</Uuid>'
            "<Types>inquiry</Types></Probe>").encode()


def parse(data: bytes, source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one ProbeMatch or Hello of at most 64 KiB; booleans may be spelled ``flase``, ampersands unescaped.

    Newer firmware answers on the same port in a form nobody documents: that is kept as ``opaque``, proof of presence.
    """
    if not data or len(data) > 65_535:
        return Refusal("empty" if not data else "too_large")
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n\0").startswith(b"<"):
        return {"opaque": True, "length": len(data)} if source.port == PORT else Refusal("not_xml")
    document = xml.read(data)
    if isinstance(document, Refusal):
        return document
    if document.name.casefold() not in _ROOTS:
        return Refusal("not_sadp", document.name[:40])
    root, members = document.root, xml.Members(document.root)

    def own(name: str) -> str:
        return members.own(name) or xml.value(root, name)

    serial, description = own("DeviceSN"), own("DeviceDescription")
    return firmware_and_build(own("SoftwareVersion")) | build(
        action=document.name, uuid=own("Uuid").lower(), device_description=description, serial=serial,
        model=description or _model(serial), device_type=own("DeviceType"), mac=mac(own("MAC")),
        ipv4=ipv4(own("IPv4Address")), http_port=number(own("HttpPort"), high=65_535),
        command_port=number(own("CommandPort"), high=65_535), sdk_tls_port=number(own("SDKOverTLSPort"), high=65_535),
        dsp_version=own("DSPVersion"), boot_time=own("BootTime"),
        activated=flag(own("Activated")), dhcp=flag(own("DHCP")), oem_code=own("OEMCode"), oem_info=own("OEMInfo"),
        detail_oem_code=own("DetailOEMCode"), digital_channels=number(own("DigitalChannelNum"), high=4096),
        analog_channels=number(own("AnalogChannelNum"), high=4096), recovered=True if document.recovered else None)


def _model(serial: str) -> str:
    """The model is what stands before the last plausible date in a serial: ``DS-2CD2385G1-I20200414AAWR…``."""
    dates = list(_DATE.finditer(serial))
    return serial[:dates[-1].start()] if dates else ""
