"""Fixed-width fields: how addresses and texts lie in the binary replies of several makers."""

from __future__ import annotations

import ipaddress

__all__ = ["gateway_of", "ip_bytes", "link_local", "mac_bytes", "netmask_of", "padded"]

PREFIX = 24


def mac_bytes(mac: str) -> bytes:
    """Six bytes of a MAC with any of the usual separators."""
    return bytes.fromhex(mac.replace(":", "").replace("-", ""))


def ip_bytes(address: str) -> bytes:
    """Four bytes of an IPv4 address, network order."""
    return ipaddress.IPv4Address(address).packed


def netmask_of(_address: str) -> str:
    """The netmask every lab device claims: the site is a /24."""
    return str(ipaddress.IPv4Network((0, PREFIX)).netmask)


def gateway_of(address: str) -> str:
    """The first host of the device's /24, which cameras are usually told to use."""
    network = ipaddress.IPv4Network((address, PREFIX), strict=False)
    return str(network.network_address + 1)


def link_local(mac: str) -> str:
    """The IPv6 link-local address a device forms from its MAC (modified EUI-64, RFC 4291 appendix A)."""
    octets = bytearray(mac_bytes(mac))
    octets[0] ^= 0x02
    interface = bytes(octets[:3]) + b"\xff\xfe" + bytes(octets[3:])
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + interface))


def padded(text: str, size: int) -> bytes:
    """`text` in a NUL-padded field of `size` bytes; what does not fit is cut, and the last byte stays NUL."""
    return text.encode("utf-8")[: size - 1].ljust(size, b"\0")
