"""What devices say of themselves on the local network: DHCP, mDNS, SSDP, WS-Discovery and NetBIOS, as they pass by.

DHCP is RFC 2131 and 2132, mDNS RFC 6762, SSDP the UPnP Device Architecture 2.0 section 1, NetBIOS names RFC 1002
section 4. Pure and capped; octets that make no sense give nothing.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from scanner.egress.names import dns_name, is_name, read_records, record_target

__all__ = ["Lease", "read_dhcp", "read_mdns", "read_netbios", "read_ssdp", "read_xaddrs", "url_host"]

_COOKIE = b"\x63\x82\x53\x63"
_HOST_NAME, _VENDOR_CLASS, _NAME_AND_DOMAIN = 12, 60, 81
_MAX_OPTIONS = 128
_MAX_RECORDS = 64
_MAX_TEXT = 255
_MAX_SOAP = 16_384
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://(?:[^/?#@]*@)?([^/?#@:\[\]]+)")
_XADDRS = re.compile(rb"XAddrs[^<>]{0,256}>([^<>]{1,4096})<")
_REGISTERS = frozenset({5, 8, 9, 15})      # registration, refresh in two spellings, multi-homed registration


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


def read_mdns(data: bytes) -> dict[str, bool]:
    """The names in a multicast DNS message, and of each whether its sender says that it is its own.

    Its own are owners and targets of what a response tells (RFC 6762 section 6), and what a probe proposes (section
    8.2). The others are those it asks for, or that a question says to be known already (section 7.1).
    """
    if len(data) < 12:
        return {}
    questions, answers, proposed, additional = struct.unpack_from(">HHHH", data, 4)
    told, offset, names = bool(data[2] & 0x80), 12, dict[str, bool]()
    for _ in range(min(questions, _MAX_RECORDS)):
        asked = dns_name(data, offset)
        if asked is None:
            return _sayable(names)
        offset = asked[1] + 4
        if not told:
            names[asked[0]] = False
    for number, record in enumerate(read_records(data, offset, min(answers + proposed + additional, _MAX_RECORDS))):
        own = told or answers <= number < answers + proposed
        for name in (record.owner, record_target(data, record)):
            names[name] = own or names.get(name, False)
    return _sayable(names)


def _sayable(names: dict[str, bool]) -> dict[str, bool]:
    return {name: own for name, own in names.items() if name and all(c.isprintable() for c in name)}


def read_netbios(data: bytes) -> dict[str, bool]:
    """The names in a NetBIOS request (UDP 137) or datagram (UDP 138), and of each whether its sender calls itself that.

    The other names are those it looks for or speaks to.
    """
    if len(data) >= 82 and 0x10 <= data[0] <= 0x12:              # a datagram: from a name, to a name (section 4.4.2)
        end = 14 + 34                                            # both unscoped, as everybody sends them
        pairs = ((_netbios_name(data, 14), True), (_netbios_name(data, end), False))
    elif len(data) >= 50 and not data[2] & 0x80 and data[4:6] == b"\0\1":
        pairs = ((_netbios_name(data, 12), data[2] >> 3 & 0xF in _REGISTERS),) * 2
    else:
        return {}
    return {name: own for name, own in reversed(pairs) if name}


def _netbios_name(data: bytes, at: int) -> str | None:
    """A name of 16 octets, each spelled as two letters from A to P; the last one is the kind of service it names."""
    spelled = data[at + 1:at + 33]
    if data[at] != 0x20 or len(spelled) < 32:
        return None
    if any(letter < 0x41 or letter > 0x50 for letter in spelled):
        return None
    octets = bytes((high - 0x41) << 4 | low - 0x41 for high, low in zip(spelled[::2], spelled[1::2], strict=True))
    name = octets[:15].rstrip(b" \0").decode("ascii", "replace").lower()
    return name if name and all(c.isprintable() and c != "\ufffd" for c in name) else None


def url_host(url: str) -> str:
    """The host name in an absolute URL; empty where it has none or an address."""
    found = _URL.match(url[:_MAX_TEXT])
    host = found[1].lower().rstrip(".") if found else ""
    return host if is_name(host) else ""


def read_xaddrs(data: bytes) -> tuple[str, ...]:
    """The host names among the addresses that a WS-Discovery message gives (section 4.1 of version 1.1)."""
    found = _XADDRS.findall(data[:_MAX_SOAP])
    urls = [url for listed in found[:_MAX_RECORDS] for url in listed.decode("ascii", "replace").split()]
    return tuple(dict.fromkeys(host for url in urls[:_MAX_RECORDS] if (host := url_host(url))))


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
