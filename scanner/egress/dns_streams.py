"""DNS messages out of TCP connections, in whatever segments they come (RFC 1035 section 4.2.2, RFC 7766)."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["DnsStreams"]

_MAX_STREAMS = 256
_MAX_EARLY = 16
_LEAST = 12
_HALF = 1 << 31


@dataclass(slots=True)
class _Stream:
    next: int
    opened: int
    octets: bytes = b""
    early: dict[int, bytes] = field(default_factory=dict)


class DnsStreams:
    """Puts the segments of each direction in order and cuts messages out of them by the length that leads each.

    At most 64 KiB are kept of a connection. The oldest connection makes room, and counts as `evicted` where a message
    of it was unfinished.
    """

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self.evicted = 0

    def feed(self, key: int, opened: int, sequence: int, octets: bytes) -> list[bytes]:
        """Take one segment in; the messages it completes.

        `opened` is the sequence number behind the SYN, -1 where that was not seen: then a stream begins with the first
        segment that is.
        """
        stream = self._streams.get(key)
        if stream is None or (opened >= 0 and stream.opened not in {-1, opened}):
            stream = self._open(key, opened, sequence)
        ahead = sequence - stream.next & 0xFFFFFFFF
        if ahead >= _HALF:                                   # sent again, as a whole or in part
            octets, ahead = octets[(1 << 32) - ahead:], 0
        if ahead:
            if len(stream.early) < _MAX_EARLY:
                stream.early[sequence] = octets
            return []
        self._append(stream, octets)
        while stream.early:
            waiting = stream.early.pop(stream.next, None)
            if waiting is None:
                break
            self._append(stream, waiting)
        return self._messages(key, stream)

    def _open(self, key: int, opened: int, sequence: int) -> _Stream:
        if key not in self._streams and len(self._streams) >= _MAX_STREAMS:
            oldest = self._streams.pop(next(iter(self._streams)))
            self.evicted += bool(oldest.octets or oldest.early)
        self._streams[key] = stream = _Stream(sequence if opened < 0 else opened, opened)
        return stream

    @staticmethod
    def _append(stream: _Stream, octets: bytes) -> None:
        stream.octets += octets
        stream.next = stream.next + len(octets) & 0xFFFFFFFF

    def _messages(self, key: int, stream: _Stream) -> list[bytes]:
        found = []
        while len(stream.octets) >= 2:
            size = int.from_bytes(stream.octets[:2], "big")
            if size < _LEAST:                                # no DNS message: the connection is something else
                del self._streams[key]
                break
            if len(stream.octets) < 2 + size:
                break
            found.append(stream.octets[2:2 + size])
            stream.octets = stream.octets[2 + size:]
        return found
