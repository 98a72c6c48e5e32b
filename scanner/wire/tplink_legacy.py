"""TP-Link's older discovery (Kasa plugs, bulbs and cameras), UDP 9999: JSON scrambled with a running XOR from 171.

The reply holds the place of the device to six digits; it is not read and the raw bytes are not kept.
"""

from __future__ import annotations

from datetime import datetime

from scanner.observation import Endpoint, Refusal
from scanner.wire import json
from scanner.wire.fields import Fields, build, mac

__all__ = ["PORT", "parse", "request", "scramble", "unscramble"]

PORT = 9999
_FIRST_KEY = 171
_QUESTION = b'{"system":{"get_sysinfo":{}}}'


def scramble(plain: bytes) -> bytes:
    """Each byte XORed with the scrambled byte before it."""
    key, out = _FIRST_KEY, bytearray()
    for byte in plain:
        key ^= byte
        out.append(key)
    return bytes(out)


def unscramble(data: bytes) -> bytes:
    """The inverse of `scramble`."""
    return bytes(byte ^ before for byte, before in zip(data, bytes((_FIRST_KEY,)) + data, strict=False))


def request() -> bytes:
    """The question for the system's description."""
    return scramble(_QUESTION)


def parse(data: bytes, _source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one ``get_sysinfo`` reply of at most 64 KiB."""
    if not data or len(data) > 65_535:
        return Refusal("empty" if not data else "too_large")
    plain = unscramble(data)
    if not plain.startswith(b"{"):
        return Refusal("not_tplink")
    value = json.read(plain)
    if isinstance(value, Refusal):
        return value
    info = json.find(value, "get_sysinfo")
    if not isinstance(info, dict):
        return Refusal("not_tplink", "no get_sysinfo")

    def said(*keys: str) -> str:
        return next((" / ".join(dict.fromkeys(texts)) for key in keys if (texts := json.texts(info, key))), "")

    return build(model=said("model"), firmware=said("sw_ver"), hardware=said("hw_ver"), device_name=said("alias"),
                 mac=mac(said("mac", "mic_mac", "ethernet_mac")), device_type=said("type", "mic_type")) \
        or Refusal("not_a_reply")
