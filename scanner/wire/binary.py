"""Small readers for fixed binary layouts: text fields, addresses, and records of type, length and value."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from scanner.wire.fields import ipv4, mac

__all__ = ["address", "hardware_address", "records", "text"]


def text(data: bytes, at: int, size: int) -> str:
    """The text in a fixed field, up to its first NUL; short data gives what is there."""
    return data[at:at + size].partition(b"\0")[0].decode("utf-8", "replace")


def address(data: bytes, at: int, *, little: bool = False) -> str:
    """The IPv4 address in four bytes, network order unless `little`; empty where it is missing or unspecified."""
    raw = data[at:at + 4]
    return ipv4(ipaddress.IPv4Address(raw[::-1] if little else raw)) if len(raw) == 4 else ""


def hardware_address(data: bytes, at: int) -> str:
    """The MAC in six bytes; empty where it is missing or all zero."""
    return mac(data[at:at + 6].hex())


def records(data: bytes, at: int, *, type_size: int, length_size: int, limit: int = 256) -> Iterator[tuple[int, bytes]]:
    """Type-length-value records, big-endian; stops at the first that does not fit, after `limit` at the latest."""
    for _ in range(limit):
        value_at = at + type_size + length_size
        if value_at > len(data):
            return
        kind = int.from_bytes(data[at:at + type_size], "big")
        length = int.from_bytes(data[at + type_size:value_at], "big")
        if value_at + length > len(data):
            return
        yield kind, data[value_at:value_at + length]
        at = value_at + length
