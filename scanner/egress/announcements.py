"""What devices say of themselves on the local network: DHCP, mDNS and SSDP, as they pass by.

DHCP is RFC 2131 and 2132, mDNS RFC 6762, SSDP the UPnP Device Architecture 2.0 section 1. Pure and capped; octets that
make no sense give nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from scanner.egress.names import dns_name

__all__ = ["Lease", "read_dhcp", "read_mdns", "read_ssdp"]

_COOKIE = b"\x63\x82\x53\x63"
_HOST_NAME, _VENDOR_CLASS, _NAME_AND_DOMAIN = 12, 60, 81
_MAX_OPTIONS = 128
_MAX_RECORDS = 64
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Lease:
    """What a client tells a DHCP server: its MAC as a number, its host name and the class of its software."""

    mac: int
    hostname: str = ""
    vendor_class: str = ""


def _text(data: bytes) -> str:
    decoded = data[:_MAX_TEXT].decode("utf-8", "replace").strip("\0 ")
    return "".join(c for c in decoded if c.isprintable())


def read_dhcp(data: bytes) -> Lease | None:
    """A client's message, or None; answers of a server say nothing of the client."""
    if len(data) < 240 or data[0] != 1 or data[2] != 6 or data[236:240] != _COOKIE:
        return None
    hostname = vendor = ""
    at = 240
    for _ in range(_MAX_OPTIONS):
        if at + 2 > len(data) or data[at] == 255:
            break
        if data[at] == 0:
            at += 1
            continue
        code, size = data[at], data[at + 1]
        value = data[at + 2:at + 2 + size]
        if code == _HOST_NAME:
            hostname = _text(value)
        elif code == _VENDOR_CLASS:
            vendor = _text(value)
        elif code == _NAME_AND_DOMAIN and not hostname and len(value) > 3:
            wired = value[0] & 4                      # the name in DNS form (RFC 4702 section 2.1)
            named = dns_name(value[3:] + b"\0", 0) if wired else None
            hostname = named[0] if named else _text(value[3:])
        at += 2 + size
    return Lease(int.from_bytes(data[28:34], "big"), hostname, vendor)


def read_mdns(data: bytes) -> tuple[str, ...]:
    """The names a multicast DNS answer is about; questions are of what others offer, and left out."""
    if len(data) < 12:
        return ()
    flags, questions, answers = struct.unpack_from(">HHH", data, 2)
    if not flags & 0x8000:
        return ()
    offset, names = 12, dict[str, None]()
    for number in range(min(questions + answers, _MAX_RECORDS)):
        owner = dns_name(data, offset)
        if owner is None:
            break
        offset = owner[1] + 4
        if number < questions:
            continue
        if offset + 6 > len(data):
            break
        kind = int.from_bytes(data[owner[1]:owner[1] + 2], "big")
        (size,) = struct.unpack_from(">H", data, offset + 4)
        target = dns_name(data, offset + 6) if kind == 12 else None
        names[target[0] if target else owner[0]] = None
        offset += 6 + size
    return tuple(name for name in names if name and all(c.isprintable() for c in name))


def read_ssdp(data: bytes) -> dict[str, str]:
    """The telling headers of an SSDP message in lower case: ``server``, ``location``, ``st``, ``nt``, ``usn``."""
    if not data.startswith((b"NOTIFY ", b"M-SEARCH ", b"HTTP/1.")):
        return {}
    found: dict[str, str] = {"method": data.split(b" ", 1)[0].decode("ascii", "replace")}
    for line in data[:2048].split(b"\r\n")[1:_MAX_RECORDS]:
        key, _, value = line.partition(b":")
        name = key.strip().lower().decode("ascii", "replace")
        if name in {"server", "location", "st", "nt", "usn"}:
            found[name] = _text(value.strip())
    return found
