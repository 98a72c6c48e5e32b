"""DNS-SD over multicast DNS (RFC 6762, RFC 6763): one query that wants unicast replies, and replies read by zeroconf.

The query sets the QU bit on every question, so that devices answer this host and the whole segment is not disturbed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from datetime import datetime

from zeroconf._dns import DNSAddress, DNSPointer, DNSService, DNSText
from zeroconf._protocol.incoming import DNSIncoming

from scanner.observation import Endpoint, Refusal
from scanner.wire.fields import MAX_VALUES, Fields, build, ipv4, mac

__all__ = ["GROUP", "GROUP_V6", "PORT", "SERVICE_TYPES", "declared", "parse", "request"]

GROUP = "224.0.0.251"
GROUP_V6 = "ff02::fb"
PORT = 5353
MAX_BYTES = 9_000
MAX_RECORDS = 256

SERVICE_TYPES = (
    "_axis-video._tcp.local", "_axis-nvr._tcp.local", "_arec._tcp.local", "_flir-ircam._tcp.local",
    "_psia._tcp.local", "_CGI._tcp.local", "_onvif._tcp.local", "_rtsp._tcp.local", "_nvr._tcp.local",
    "_http._tcp.local", "_hap._tcp.local",
)
_PTR, _IN_UNICAST = 12, 0x8001
_MAC_IN_NAME = re.compile(r"(?i)(?:^|[ _-])([0-9a-f]{12})$")
_TXT_NAMES = {"macaddress": "mac", "mac": "mac", "model": "model", "md": "model", "serial": "serial", "sn": "serial",
              "manufacturer": "manufacturer", "vendor": "manufacturer", "fw": "firmware", "firmware": "firmware"}


def request(service_types: Sequence[str] = SERVICE_TYPES, transaction: int = 0) -> bytes:
    """One query for pointers of all these types. Raises `ValueError` for a label of no or more than 63 bytes."""
    out = struct.pack(">6H", transaction, 0, len(service_types), 0, 0, 0)
    for service_type in service_types:
        for label in service_type.rstrip(".").split("."):
            raw = label.encode()
            if not 0 < len(raw) < 64:
                raise ValueError("a DNS label has 1 to 63 bytes")
            out += bytes([len(raw)]) + raw
        out += b"\0" + struct.pack(">HH", _PTR, _IN_UNICAST)
    return out


def parse(data: bytes, source: Endpoint, _now: datetime) -> Fields | Refusal:
    """Read one reply: service types, instances, host name and TXT pairs, and what well-known TXT keys declare."""
    if not 12 <= len(data) <= MAX_BYTES:
        return Refusal("truncated" if len(data) < 12 else "too_large")
    if not data[2] & 0x80:
        return Refusal("not_a_reply")
    if sum(struct.unpack_from(">4H", data, 4)) > 4 * MAX_RECORDS:
        return Refusal("too_many_records")
    message = DNSIncoming(data, (source.address, source.port or PORT))
    answers = message.answers()[:MAX_RECORDS] if message.valid else []
    if not answers:
        return Refusal("malformed", "no record")
    types: list[str] = []
    instances: list[str] = []
    texts: list[str] = []
    hosts: list[str] = []
    address = ""
    for record in answers:
        if isinstance(record, DNSPointer):
            types.append(record.name.removesuffix("."))
            instances.append(_instance(record.alias, record.name))
        elif isinstance(record, DNSService):
            instances.append(record.name.partition("._")[0])
            types.append(record.name[record.name.find("._") + 1:].removesuffix(".") if "._" in record.name else "")
            hosts.append(record.server.removesuffix("."))
        elif isinstance(record, DNSText):
            texts += _pairs(record.text)
        elif isinstance(record, DNSAddress) and len(record.address) == 4:
            address = address or ipv4(".".join(str(part) for part in record.address))
            hosts.append(record.name.removesuffix("."))
    said = declared(texts)
    if "mac" not in said:
        tail = next((match for name in instances if (match := _MAC_IN_NAME.search(name[:128]))), None)
        said |= build(mac=mac(tail[1])) if tail else {}
    return said | build(service_types=tuple(types), instances=tuple(instances), hostname=hosts[0] if hosts else None,
                            txt=tuple(texts[:MAX_VALUES]), ipv4=address)


def _instance(alias: str, service_type: str) -> str:
    return alias.removesuffix(service_type).rstrip(".") if alias.endswith(service_type) else alias.rstrip(".")


def _pairs(text: bytes) -> list[str]:
    """The length-prefixed strings of a TXT record (RFC 6763 section 6)."""
    out: list[str] = []
    at = 0
    while at < len(text) and len(out) < MAX_VALUES:
        size = text[at]
        out.append(text[at + 1:at + 1 + size].decode("utf-8", "replace"))
        at += 1 + size
    return [pair for pair in out if pair]


def declared(texts: Sequence[str]) -> Fields:
    """What well-known TXT keys say of maker, model, serial, firmware and MAC."""
    said: dict[str, str] = {}
    for pair in texts:
        key, _, value = pair.partition("=")
        name = _TXT_NAMES.get(key.strip().casefold(), "")
        if name:
            said.setdefault(name, mac(value) if name == "mac" else value)
    return build(**said)
