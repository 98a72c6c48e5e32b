"""The first octets of TCP connections, put in order as far as a name in them may reach.

A ClientHello or a request head may come in many segments, in any order and repeated. Per connection at most
`tls.MAX_HELLO` octets are kept, and only until a name was found or ruled out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from scanner.egress.batches import Bools, Ints, Unsigned
from scanner.egress.names import METHODS, http_host
from scanner.egress.tls import MAX_HELLO, Reading, server_name

__all__ = ["Openings", "Spoken", "request_starts"]

MAX_OPENINGS = 2_048
_MAX_PIECES = 64
_KEPT_SYNS = 16_384
_WORDS = np.array([int.from_bytes(method[:4], "big") for method in METHODS], np.int64)


def request_starts(words: Ints) -> Bools:
    """Which first four octets begin an HTTP request."""
    return np.isin(words, _WORDS)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a connection began with: ``sni`` or ``http`` and the name, where one was given, and the octets."""

    kind: str
    name: str | None
    octets: bytes


@dataclass(slots=True)
class _Opening:
    base: int                                      # where the request that is read begins
    first: int                                     # where the connection began
    pieces: dict[int, bytes] = field(default_factory=dict)
    octets: int = 0
    done: bool = False


def _read_http(octets: bytes) -> Reading:
    name = http_host(octets)
    if name is not None or b"\r\n\r\n" in octets or len(octets) >= MAX_HELLO:
        return Reading(name)
    could = any(octets.startswith(method) or method.startswith(octets) for method in METHODS)
    return Reading(more=could)


_READERS: tuple[tuple[str, Callable[[bytes], Reading]], ...] = (("sni", server_name), ("http", _read_http))


class Openings:
    """Connections whose beginning is being read; the oldest makes room, and counts as `evicted` if it was unread."""

    def __init__(self) -> None:
        self._openings: dict[int, _Opening] = {}
        self._recent_keys = self._syn_keys = np.zeros(0, np.uint64)       # as they came, and sorted
        self._recent_bases = self._syn_bases = np.zeros(0, np.int64)
        self.evicted = 0

    def note_syns(self, keys: Unsigned, sequences: Ints) -> None:
        """Connections that are being opened: their keys, and the sequence numbers of the SYN."""
        if not len(keys):
            return
        self._recent_keys = np.concatenate([self._recent_keys, keys])[-_KEPT_SYNS:]
        self._recent_bases = np.concatenate([self._recent_bases, sequences + 1 & 0xFFFFFFFF])[-_KEPT_SYNS:]
        order = np.argsort(self._recent_keys, kind="stable")
        self._syn_keys, self._syn_bases = self._recent_keys[order], self._recent_bases[order]

    def wanted(self, keys: Unsigned, sequences: Ints) -> tuple[Bools, Ints]:
        """Which data segments lie at the beginning of a connection that was seen to open, or is being read.

        With it where the connection of each segment begins, behind its SYN; -1 where that was not seen.
        """
        wanted, bases = np.zeros(len(keys), np.bool_), np.full(len(keys), -1)
        if len(self._syn_keys):
            place = np.maximum(np.searchsorted(self._syn_keys, keys, side="right") - 1, 0)
            known = self._syn_bases[place]
            wanted = (self._syn_keys[place] == keys) & (sequences - known & 0xFFFFFFFF < MAX_HELLO)
            bases = np.where(wanted, known, bases)
        unread = [key for key, opening in self._openings.items() if not opening.done]
        if unread:
            wanted |= np.isin(keys, np.array(unread, np.uint64))
        return wanted, bases

    def is_read(self, key: int, base: int, sequence: int, *, begins: bool) -> bool:
        """Whether nothing more is wanted of a connection.

        `begins` tells that a segment looks like the beginning of a request: a further one of a connection, or one
        whose SYN was not seen.
        """
        opening = self._openings.get(key)
        if opening is None or not opening.done:
            return False
        if begins and opening.base != sequence:
            self._openings[key] = _Opening(sequence, opening.first)
            return False
        if base not in {-1, opening.first}:
            del self._openings[key]
            return False
        return True

    def feed(self, key: int, base: int, sequence: int, octets: bytes) -> Spoken | None:
        """Take one data segment in; what the connection says, once that is known."""
        opening = self._openings.get(key) or self._open(key, sequence if base < 0 else base)
        place = sequence - opening.base & 0xFFFFFFFF
        if place >= MAX_HELLO:
            return None
        if len(octets) > len(opening.pieces.get(place, b"")):
            opening.octets += len(octets) - len(opening.pieces.get(place, b""))
            opening.pieces[place] = octets
        return self._judge(opening)

    def _open(self, key: int, base: int) -> _Opening:
        if len(self._openings) >= MAX_OPENINGS:
            oldest = self._openings.pop(next(iter(self._openings)))
            self.evicted += not oldest.done
        self._openings[key] = opening = _Opening(base, base)
        return opening

    @staticmethod
    def _judge(opening: _Opening) -> Spoken | None:
        stream = opening.pieces.get(0, b"")
        if len(opening.pieces) > 1:
            for place in sorted(opening.pieces):
                if place > len(stream):
                    break
                stream += opening.pieces[place][len(stream) - place:]
        if not stream:
            return None
        for kind, read in _READERS:
            reading = read(stream)
            if reading.name is not None or (not reading.more and kind == "http" and stream.startswith(METHODS)):
                opening.done, opening.pieces = True, {}
                return Spoken(kind, reading.name, stream)
            if reading.more and opening.octets < 2 * MAX_HELLO and len(opening.pieces) < _MAX_PIECES:
                return None
        opening.done, opening.pieces = True, {}
        return None
