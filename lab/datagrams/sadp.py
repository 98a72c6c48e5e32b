"""Hikvision SADP on UDP 37020: answers the `inquiry` verb with one ProbeMatch, with the firmware's own slips.

Booleans are sometimes spelled ``flase``, ampersands stand unescaped, and a Chinese OEM text leaves the device as GBK
although the declaration says UTF-8. Options: ``sadp_model`` (a model that is not the label's), ``oem_info``,
``oem_code``, ``detail_oem_code``, ``sadp_device_type`` (a number), ``activated``, ``sadp_mac_separator``.
"""

from __future__ import annotations

import re

from lab.datagrams.layout import gateway_of, link_local, netmask_of
from lab.persona import Persona

__all__ = ["PORT", "answer"]

PORT = 37020
INQUIRY = re.compile(rb"<Probe>.*?<Uuid>([^<]{1,64})</Uuid>.*?<Types>inquiry</Types>", re.DOTALL)


def answer(persona: Persona, data: bytes, address: str) -> list[bytes]:
    """One ProbeMatch for an inquiry, silence for anything else (`update`, `activate` and `reset` above all)."""
    asked = INQUIRY.search(data)
    if asked is None:
        return []
    fields = _fields(persona, asked[1].decode("ascii", "replace"), address)
    body = "".join(f"<{name}>{value}</{name}>\n" for name, value in fields)
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<ProbeMatch>\n{body}</ProbeMatch>\n'
    try:
        return [document.encode("ascii")]
    except UnicodeEncodeError:
        return [document.encode("gbk", "replace")]


def _fields(persona: Persona, uuid: str, address: str) -> list[tuple[str, str]]:
    options = persona.options
    separator = options.get("sadp_mac_separator", "-")
    model = options.get("sadp_model", persona.model)
    serial = persona.serial if persona.serial.startswith(model) else model + persona.serial
    channels = len(persona.channels)
    return [
        ("Uuid", uuid),
        ("Types", "inquiry"),
        ("DeviceType", options.get("sadp_device_type", "141945")),
        ("DeviceDescription", model),
        ("DeviceSN", serial),
        ("CommandPort", "8000"),
        ("HttpPort", "80"),
        ("MAC", persona.mac.lower().replace(":", separator)),
        ("IPv4Address", address),
        ("IPv4SubnetMask", netmask_of(address)),
        ("IPv4Gateway", gateway_of(address)),
        ("IPv6Address", link_local(persona.mac)),
        ("IPv6Gateway", "::"),
        ("IPv6MaskLen", "64"),
        ("DHCP", "flase"),
        ("AnalogChannelNum", "0"),
        ("DigitalChannelNum", str(channels or 1)),
        ("SoftwareVersion", persona.firmware.replace(" build", "build")),
        ("DSPVersion", options.get("dsp_version", "V7.3 build 190626")),
        ("BootTime", "2025-11-02 07:14:55"),
        ("Encrypt", "true"),
        ("ResetAbility", "flase"),
        ("DiskNumber", "1" if channels else "0"),
        ("Activated", options.get("activated", "true")),
        ("PasswordResetAbility", "true"),
        ("DetailOEMCode", options.get("detail_oem_code", "1")),
        ("OEMCode", options.get("oem_code", "1")),
        ("OEMInfo", options.get("oem_info", "N/A")),
        ("SDKOverTLSPort", "8443"),
    ]
