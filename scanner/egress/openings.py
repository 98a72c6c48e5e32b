"""The first octets of TCP connections, put in order as far as a name in them may reach.

A ClientHello or a request head may come in many segments, in any order and repeated. Per connection at most
`tls.MAX_HELLO` octets are kept, and only until a name was found or ruled out.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from scanner.egress.batches import Bools, Ints, Unsigned, among, table_of
from scanner.egress.names import METHODS, http_host
from scanner.egress.tls import HANDSHAKE, MAX_HELLO, Reading, server_name

__all__ = ["Openings", "Spoken", "request_starts"]

MAX_OPENINGS = 2_048
_MAX_PIECES = 64
_KEPT_SYNS = 16_384                            # at least, and at most twice as many
_WORDS = sorted({int.from_bytes(method[:4], "big") for method in METHODS})
_LETTERS = table_of(*(word >> 24 for word in _WORDS), size=256)


def request_starts(words: Ints) -> Bools:
    """Which first four octets begin an HTTP request."""
    starts: Bools = _LETTERS[words >> 24]
    likely = np.flatnonzero(starts)
    starts[likely] = among(words[likely], *_WORDS)
    return starts


Segment = tuple[int, int, bool, int, int]
"""Data of a connection: where that begins, sequence number, whether it looks like a request, first octet, end."""


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


def _judge(stream: bytes, *, growing: bool) -> tuple[bool, Spoken | None]:
    """Whether the beginning of a connection is read, and what it says; `growing` tells that it may become longer."""
    tls = stream[0] == HANDSHAKE
    reading = server_name(stream) if tls else _read_http(stream)
    if reading.name is not None or (not reading.more and stream.startswith(METHODS)):
        return True, Spoken("sni" if tls else "http", reading.name and sys.intern(reading.name), stream)
    return not (reading.more and growing), None


class Openings:
    """Connections whose beginning is being read; the oldest makes room, and counts as `evicted` if it was unread."""

    def __init__(self) -> None:
        # A plain dictionary looks for its oldest entry behind all that were taken out; this one knows it.
        self._openings: OrderedDict[int, _Opening] = OrderedDict()
        self._unread: dict[int, None] = {}                                # those of them that are not done
        self._syn_keys = np.zeros(0, np.uint64)                           # sorted, of equal ones the newest last
        self._syn_bases = np.zeros(0, np.int64)
        self._syn_ages = np.zeros(0, np.int64)
        self._age = 0
        self.evicted = 0

    def note_syns(self, keys: Unsigned, sequences: Ints) -> None:
        """Connections that are being opened: their keys, and the sequence numbers of the SYN."""
        if not len(keys):
            return
        order = np.argsort(keys, kind="stable")
        at = np.searchsorted(self._syn_keys, keys[order], side="right")
        self._syn_keys = np.insert(self._syn_keys, at, keys[order])
        self._syn_bases = np.insert(self._syn_bases, at, sequences[order] + 1 & 0xFFFFFFFF)
        self._syn_ages = np.insert(self._syn_ages, at, self._age + order)
        self._age += len(keys)
        if len(self._syn_keys) > 2 * _KEPT_SYNS:
            young = self._syn_ages >= self._age - _KEPT_SYNS
            self._syn_keys, self._syn_bases = self._syn_keys[young], self._syn_bases[young]
            self._syn_ages = self._syn_ages[young]

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
        if self._unread:
            unread = np.sort(np.fromiter(self._unread, np.uint64, len(self._unread)))
            place = np.minimum(np.searchsorted(unread, keys), len(unread) - 1)
            wanted |= unread[place] == keys
        return wanted, bases

    def follow(self, key: int, base: int, segments: Sequence[Segment], cut: Callable[[int, int], bytes], *,
               alike: bool) -> list[tuple[int, Spoken]]:
        """Take all data segments in that a batch has of one connection; what it says, by the number of the segment.

        Args:
            key: of the connection.
            base: where it begins, of all segments if they are `alike`; -1 where that was not seen.
            segments: in the order of their capture.
            cut: gives the octets from one offset of the batch up to another.
            alike: no segment but the first looks like the beginning of a request, and all have the same base.
        """
        if not alike:
            return self._one_by_one(key, segments, 0, cut)
        opening, first = self._openings.get(key), segments[0]
        if opening is None:
            return self._at_once(key, segments, cut) if base in {-1, first[1]} else self._one_by_one(
                key, segments, 0, cut)
        if opening.done and base in {-1, opening.first} and not first[2]:       # as most are
            return []
        return self._one_by_one(key, segments, 0, cut)

    def _at_once(self, key: int, segments: Sequence[Segment],
                 cut: Callable[[int, int], bytes]) -> list[tuple[int, Spoken]]:
        """The beginning of a connection: the segments of its first TLS record joined where they follow each other."""
        _, sequence, _, at, end = segments[0]
        octets, number = cut(at, end), 1
        if len(segments) > 1 and octets[0] == HANDSHAKE:
            size = 5 + int.from_bytes(octets[3:5], "big")
            while len(octets) < size and number < len(segments):
                _, following, _, at, end = segments[number]
                if following != sequence + len(octets) & 0xFFFFFFFF:
                    break
                octets += cut(at, end)
                number += 1
        spoken = self._begin(key, sequence, octets)
        if spoken is not None:
            return [(number - 1, spoken)]
        return self._one_by_one(key, segments, number, cut) if key in self._unread else []

    def _one_by_one(self, key: int, segments: Sequence[Segment], number: int,
                    cut: Callable[[int, int], bytes]) -> list[tuple[int, Spoken]]:
        """The segments from one number on, each for itself."""
        found = []
        for place in range(number, len(segments)):
            base, sequence, begins, at, end = segments[place]
            if self.is_read(key, base, sequence, begins=begins):
                continue
            spoken = self.feed(key, base, sequence, cut(at, end))
            if spoken is not None:
                found.append((place, spoken))
        return found

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
            self._unread[key] = None
            return False
        if base not in {-1, opening.first}:
            del self._openings[key]
            return False
        return True

    def feed(self, key: int, base: int, sequence: int, octets: bytes) -> Spoken | None:
        """Take one data segment in; what the connection says, once that is known."""
        opening = self._openings.get(key)
        if opening is None:
            if octets and base in {-1, sequence}:
                return self._begin(key, sequence, octets)
            opening = self._open(key, sequence if base < 0 else base)
        place = sequence - opening.base & 0xFFFFFFFF
        if place >= MAX_HELLO:
            return None
        known = len(opening.pieces.get(place, b""))
        if len(octets) > known:
            opening.octets += len(octets) - known
            opening.pieces[place] = octets
        stream = _in_order(opening.pieces)
        if not stream:
            return None
        growing = opening.octets < 2 * MAX_HELLO and len(opening.pieces) < _MAX_PIECES
        done, spoken = _judge(stream, growing=growing)
        if done:
            opening.done, opening.pieces = True, {}
            self._unread.pop(key, None)
        return spoken

    def _begin(self, key: int, base: int, octets: bytes) -> Spoken | None:
        """The very first octets of a connection; mostly they say all, and then nothing is kept of them."""
        done, spoken = _judge(octets, growing=len(octets) < 2 * MAX_HELLO)
        opening = self._open(key, base, done=done)
        if not done:
            opening.pieces[0], opening.octets = octets, len(octets)
        return spoken

    def _open(self, key: int, base: int, *, done: bool = False) -> _Opening:
        if len(self._openings) >= MAX_OPENINGS:
            oldest, leaving = self._openings.popitem(last=False)
            self.evicted += not leaving.done
            self._unread.pop(oldest, None)
        self._openings[key] = opening = _Opening(base, base, done=done)
        if not done:
            self._unread[key] = None
        return opening


def _in_order(pieces: dict[int, bytes]) -> bytes:
    """The octets from the beginning up to the first gap."""
    stream = pieces.get(0, b"")
    if len(pieces) > 1:
        for place in sorted(pieces):
            if place > len(stream):
                break
            stream += pieces[place][len(stream) - place:]
    return stream
