"""Joins IP fragments, with a bound on how many and how much is kept (RFC 791 section 3.2, RFC 8200 section 4.5).

Overlapping fragments are not joined: an overlap is how a name is hidden from whoever watches (RFC 5722). One that is
sent again as it was is no overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from scanner.egress.batches import Batch, batch_of
from scanner.egress.headers import Fragment, Headers, Rows, read_opened

__all__ = ["MAX_DATAGRAMS", "Reassembly", "Whole", "read_wholes"]

MAX_DATAGRAMS = 512
MAX_OCTETS = 8 * 1024 * 1024
"""Octets of fragments that wait for others, of all datagrams together."""
_LONGEST = 65_535
_MAX_PARTS = 64
_TELLING = 128                              # octets in which the ports lie, kept of a datagram that was joined
_NO_LINK = 0

Key = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Whole:
    """A datagram, or what there is of one.

    Attributes:
        parts: its fragments, the first of them first where that was seen.
        body: what they carry; empty where the first is missing, the first alone where the datagram was never whole.
        again: they were sent before, as parts of a datagram that was joined: `body` is its beginning, for the ports.
    """

    parts: tuple[Fragment, ...]
    body: bytes
    again: bool = False


@dataclass(slots=True)
class _Pending:
    parts: dict[int, Fragment] = field(default_factory=dict)
    repeated: list[Fragment] = field(default_factory=list)
    size: int = -1
    octets: int = 0
    spoilt: bool = False


class Reassembly:
    """Holds fragments until their datagram is whole; the oldest makes room for a new one and counts as `evicted`.

    `overlapping` counts datagrams whose fragments contradict each other; they are not joined.
    """

    def __init__(self) -> None:
        self._pending: dict[Key, _Pending] = {}
        self._joined: dict[Key, bytes] = {}                  # how those that were whole begin, the youngest last
        self._octets = 0
        self.evicted = 0
        self.overlapping = 0

    def add(self, fragments: Iterable[Fragment]) -> Iterator[Whole]:
        """Take fragments in; yield datagrams that became whole, and what is left of those that were given up."""
        for fragment in fragments:
            pending = self._pending.get(fragment.key)
            if pending is None:
                if len(self._pending) >= MAX_DATAGRAMS:
                    yield self._evicted()
                pending = self._pending[fragment.key] = _Pending()
            before = pending.parts.get(fragment.place)
            if len(pending.parts) + len(pending.repeated) >= _MAX_PARTS:
                yield Whole((fragment,), b"")
                continue
            if before is not None:
                pending.spoilt |= (before.body, before.more) != (fragment.body, fragment.more)
                pending.repeated.append(replace(fragment, body=b""))
                continue
            pending.parts[fragment.place] = fragment
            pending.octets += len(fragment.body)
            self._octets += len(fragment.body)
            if not fragment.more:
                pending.size = fragment.place + len(fragment.body)
            if 0 <= pending.size <= pending.octets or pending.octets > _LONGEST:
                yield self._finished(fragment.key)
            while self._octets > MAX_OCTETS:
                yield self._evicted()

    def flush(self) -> Iterator[Whole]:
        """Everything that never became whole."""
        for key in list(self._pending):
            yield self._given_up(key, self._take(key))

    def _take(self, key: Key) -> _Pending:
        pending = self._pending.pop(key)
        self._octets -= pending.octets
        return pending

    def _evicted(self) -> Whole:
        self.evicted += 1
        key = next(iter(self._pending))
        return self._given_up(key, self._take(key))

    def _given_up(self, key: Key, pending: _Pending) -> Whole:
        """The first part alone still has the ports, and often the name; if it was joined before, that tells them."""
        parts = _in_order(pending)
        if parts[0].place == 0:
            return Whole(parts, parts[0].body)
        return Whole(parts, self._joined.get(key, b""), again=True)

    def _finished(self, key: Key) -> Whole:
        pending = self._take(key)
        parts, reached = _in_order(pending), 0
        for place in sorted(pending.parts):
            if place != reached or pending.spoilt:
                self.overlapping += 1
                return self._given_up(key, pending)
            reached += len(pending.parts[place].body)
        body = b"".join(pending.parts[place].body for place in sorted(pending.parts))
        self._joined.pop(key, None)
        if len(self._joined) >= MAX_DATAGRAMS:
            del self._joined[next(iter(self._joined))]
        self._joined[key] = body[:_TELLING]
        return Whole(parts, body)


def _in_order(pending: _Pending) -> tuple[Fragment, ...]:
    return (*(pending.parts[place] for place in sorted(pending.parts)), *pending.repeated)


def read_wholes(wholes: Sequence[Whole], depth: int) -> tuple[Batch, Headers, Rows]:
    """Joined datagrams, found in so many tunnels, as a batch of their own, and what their headers say.

    The last value are the rows to be counted: the outer row of each datagram for each of its parts, of which the first
    has the payload. What a datagram carries inside has one row, with the octets of all parts.
    """
    batch = batch_of([whole.body for whole in wholes], [whole.parts[0].stamp for whole in wholes],
                     [sum(part.length for part in whole.parts) for whole in wholes], _NO_LINK)
    headers = read_opened(batch, [whole.parts[0] for whole in wholes], depth)
    again = np.array([whole.again and bool(whole.body) for whole in wholes], np.bool_)[headers.rows.index]
    rows = headers.rows.where(~again | ~headers.rows.tunnel)         # what lies inside was seen when it was joined
    headers.rows, again = headers.rows.where(~again), again[~again | ~headers.rows.tunnel]
    rows.at = np.where(again, rows.end, rows.at)
    counts = np.array([len(whole.parts) for whole in wholes], np.int64)
    each = np.where(rows.tunnel, 1, counts[rows.index])
    number = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each)
    outer = ~np.repeat(rows.tunnel, each)
    rows = Rows(*(np.repeat(getattr(rows, one.name), each) for one in fields(Rows)))
    parts = [part for whole in wholes for part in whole.parts]
    place = (np.cumsum(counts) - counts)[rows.index] + number
    rows.stamps = np.where(outer, np.array([part.stamp for part in parts], np.int64)[place], rows.stamps)
    rows.length = np.where(outer, np.array([part.length for part in parts], np.int64)[place], rows.length)
    rows.at = np.where(number > 0, rows.end, rows.at)
    rows.tunnel |= depth > 0
    return batch, headers, rows
