"""Sony SNC discovery, UDP 2380 broadcast: ``ENQ:allinfo`` between control bytes, ``KEY:VALUE`` pairs in return."""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import Fields, build, ipv4, mac, number

__all__ = ["PORT", "parse", "request"]

PORT = 2380


def request() -> bytes:
    """One question for everything."""
    return b"\x02ENQ:allinfo\xff\x03"


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply; pairs are separated by 0xff."""
    if data[:1] != b"\x02" or len(data) > 8_192:
        return Refusal("not_sony")
    said: dict[str, str] = {}
    for part in data[1:].rstrip(b"\0").removesuffix(b"\x03").split(b"\xff")[:128]:
        key, colon, value = part.decode("utf-8", "replace").partition(":")
        if colon:
            said.setdefault(key.strip().upper(), value)
    if not {"MAC", "MODEL"} & said.keys():
        return Refusal("not_sony")
    return build(mac=mac(said.get("MAC", "")), model=said.get("MODEL"), serial=said.get("SERIAL"),
                 firmware=said.get("SOFTVERSION"), info=said.get("INFO"), ipv4=ipv4(said.get("IPADR", "")),
                 http_port=number(said.get("WEBPORT", ""), high=65_535))
