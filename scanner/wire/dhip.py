"""Dahua DHIP discovery: a 32-byte header and JSON, UDP 37810 by multicast, broadcast or unicast.

Bare JSON gets no reply, a byte-swapped magic makes only some models answer, and some thermal units answer only unicast.
``Vendor`` and ``Manufacturer`` carry the name a rebrand chose; that the device speaks DHIP at all shows who built it.
The port is a thirtyfold reflector, so nothing is sent to it outside a scope.
"""

from __future__ import annotations

import struct
from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import json
from scanner.wire.fields import Fields, build, firmware_and_build, ipv4, mac, number

__all__ = ["GROUP", "MAGIC", "PORT", "frame", "parse", "request"]

GROUP = "239.255.255.251"
PORT = 37810
MAGIC = b"DHIP"
_HEADER = struct.Struct("<I4sIIQQ")


def frame(payload: bytes) -> bytes:
    """The header that goes before a JSON payload: 32, magic, session 0, request 0, length twice."""
    return _HEADER.pack(_HEADER.size, MAGIC, 0, 0, len(payload), len(payload)) + payload


def request(mac_filter: str = "", uni: int = 1) -> bytes:
    """One ``DHDiscover.search``, which only reads; an empty filter asks everybody."""
    payload = f'{{"method":"DHDiscover.search","params":{{"mac":"{mac(mac_filter).lower()}","uni":{int(uni)}}}}}\n'
    return frame(payload.encode())


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one ``client.notifyDevInfo``. The JSON is found by its brace, since header lengths are not always right."""
    if len(data) > 65_535:
        return Refusal("too_large")
    start = data.find(b"{", 0, 256)
    framed = MAGIC in data[:32] or b"PIHD" in data[:32]
    if start < 0:
        return Refusal("malformed", "no JSON")
    value = json.read(data[start:])
    if isinstance(value, Refusal):
        return value
    info = json.find(value, "deviceInfo")
    if not isinstance(value, dict) or not isinstance(info, dict):
        return Refusal("malformed" if framed else "not_dhip", "no deviceInfo")

    def own(key: str) -> str:
        return " / ".join(dict.fromkeys(json.texts(info, key)))

    addresses = info.get("IPv4Address")
    address = json.texts(addresses, "IPAddress") if isinstance(addresses, dict) else ()
    return firmware_and_build(own("Version")) | build(
        method=json.scalar(value.get("method")), mac=mac(json.scalar(value.get("mac"))), model=own("DeviceType"),
        serial=own("SerialNo"), device_class=own("DeviceClass"), machine_name=own("MachineName"), vendor=own("Vendor"),
        manufacturer=own("Manufacturer"), ipv4=ipv4(address[0]) if address else None, device_id=own("DeviceID"),
        http_port=number(own("HttpPort"), high=65_535), port=number(own("Port"), high=65_535),
        channels=number(own("VideoInputChannels"), high=65_535), init=number(own("Init")),
        remote_channels=number(own("RemoteVideoInputChannels"), high=65_535))
