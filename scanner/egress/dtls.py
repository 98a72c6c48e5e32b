"""The server name in a DTLS ClientHello, whose handshake message may come in fragments of several datagrams.

RFC 6347 section 4.1 (records) and 4.2 (handshake messages); version 1.3 opens with the same form (RFC 9147 section 5).
"""

from __future__ import annotations

from scanner.egress.tls import MAX_HELLO, hello_name

__all__ = ["Hellos"]

_MAX_FLOWS = 256
_MAX_PIECES = 32
_RECORD, _HANDSHAKE = 13, 12
_CLIENT_HELLO = 1


class Hellos:
    """Collects the fragments of hellos by flow; the oldest unfinished one makes room and counts as `evicted`."""

    def __init__(self) -> None:
        self._pieces: dict[int, dict[int, bytes]] = {}
        self.evicted = 0

    def read(self, flow: int, datagram: bytes) -> str | None:
        """The name that the datagram of the flow with this key completes, or None."""
        at = 0
        while at + _RECORD <= len(datagram) and datagram[at] == 22 and datagram[at + 1] == 0xFE:
            size = int.from_bytes(datagram[at + 11:at + 13], "big")
            name = self._record(flow, datagram[at + _RECORD:at + _RECORD + size])
            if name is not None:
                return name
            at += _RECORD + size
        return None

    def _record(self, flow: int, record: bytes) -> str | None:
        if len(record) < _HANDSHAKE or record[0] != _CLIENT_HELLO:
            return None
        size, offset = int.from_bytes(record[1:4], "big"), int.from_bytes(record[6:9], "big")
        length = int.from_bytes(record[9:12], "big")
        piece = record[_HANDSHAKE:_HANDSHAKE + length]
        if size > MAX_HELLO or offset + length > size or len(piece) < length:
            return None
        body = piece if length == size else self._joined(flow, size, offset, piece)
        # Joined, the message is read like one of TLS: its type and length first.
        return hello_name(bytes([_CLIENT_HELLO]) + size.to_bytes(3, "big") + body, cookie=True).name if body else None

    def _joined(self, flow: int, size: int, offset: int, piece: bytes) -> bytes:
        """The whole message where this fragment completes it, else nothing."""
        if flow not in self._pieces and len(self._pieces) >= _MAX_FLOWS:
            self._pieces.pop(next(iter(self._pieces)))
            self.evicted += 1
        pieces = self._pieces.setdefault(flow, {})
        if len(pieces) < _MAX_PIECES:
            pieces[offset] = piece
        body = b""
        for place in sorted(pieces):
            if place > len(body):
                return b""
            body += pieces[place][len(body) - place:]
        if len(body) < size:
            return b""
        del self._pieces[flow]
        return body[:size]
