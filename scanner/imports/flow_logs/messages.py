"""Where export messages begin and end: NetFlow 5, NetFlow 9 and IPFIX, one a datagram or one after the other in a file.

A file of IPFIX messages is RFC 5655; NetFlow has no such form, but collectors write datagrams one after the other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["LONGEST", "message_size", "messages", "versions"]

LONGEST = 65_535
_CHUNK = 1 << 20
_V5_MOST = 30
_EARLIEST = 631_152_000                 # 1990-01-01: a clock that was never set still says more than nothing
_V9_HEADER, _IPFIX_HEADER, _V5_HEADER, _V5_RECORD = 20, 16, 24, 48
versions = {5: "NetFlow 5", 9: "NetFlow 9", 10: "IPFIX"}


def message_size(data: bytes, at: int = 0, *, alone: bool = False) -> int:
    """Octets of the export message that begins at `at`; 0 for none. `alone`: nothing else may follow it."""
    if at + _IPFIX_HEADER > len(data):
        return 0
    version, second = struct.unpack_from(">HH", data, at)
    size = 0
    if version == 5:
        fits = at + _V5_HEADER <= len(data) and 1 <= second <= _V5_MOST
        size = _V5_HEADER + _V5_RECORD * second if fits else 0
    elif version == 10:
        size = second if second >= _IPFIX_HEADER and _sets_end(data, at + _IPFIX_HEADER, at + second) else 0
    elif version == 9:
        size = _v9_size(data, at, second)
    if at + size > len(data) or (alone and at + size != len(data)):
        return 0
    return size


def _sets_end(data: bytes, at: int, end: int) -> bool:
    """Whether the sets of an IPFIX message fill it."""
    if end > len(data):
        return True                                      # the rest is not at hand yet: only the header can be judged
    while at + 4 <= end:
        number, size = struct.unpack_from(">HH", data, at)
        if size < 4 or at + size > end or (number < 256 and number not in {2, 3}):
            return False
        at += size
    return at == end


def _v9_size(data: bytes, at: int, count: int) -> int:
    """A NetFlow 9 message has no length: its flow sets are walked until something else begins."""
    if at + _V9_HEADER > len(data) or not count:
        return 0
    if struct.unpack_from(">I", data, at + 8)[0] < _EARLIEST:
        return 0
    end = at + _V9_HEADER
    while end + 4 <= len(data):
        number, size = struct.unpack_from(">HH", data, end)
        if not (number in {0, 1} or number >= 256) or size < 4 or end + size > len(data):
            break
        end += size
    return end - at if end > at + _V9_HEADER else 0


def messages(stream: BinaryIO) -> Iterator[bytes]:
    """The messages of a file, and at the end what is no message, as it is: empty where nothing is left.

    Raises what reading `stream` raises.
    """
    data, at, ended = b"", 0, False
    while True:
        if not ended and len(data) - at < 2 * LONGEST:
            more = stream.read(_CHUNK)
            ended = not more
            data, at = data[at:] + more, 0
            continue
        size = message_size(data, at)
        if not size:
            yield data[at:at + LONGEST]
            return
        yield data[at:at + size]
        at += size
