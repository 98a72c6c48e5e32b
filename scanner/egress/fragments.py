"""Joins IP fragments, with a bound on how many and how much is kept (RFC 791 section 3.2, RFC 8200 section 4.5).

Overlapping fragments are not joined: an overlap is how a name is hidden from whoever watches (RFC 5722).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scanner.egress.batches import PADDING, Batch
from scanner.egress.headers import TCP, UDP, Fragment, Rows

__all__ = ["MAX_DATAGRAMS", "Reassembly", "Whole", "rows_of"]

MAX_DATAGRAMS = 512
_MAX_OCTETS = 65_535
_MAX_PARTS = 64


@dataclass(frozen=True, slots=True)
class Whole:
    """A datagram, or what there is of one: `body` is empty where it was never whole."""

    first: Fragment
    parts: tuple[Fragment, ...]
    body: bytes


@dataclass(slots=True)
class _Pending:
    parts: dict[int, Fragment] = field(default_factory=dict)
    size: int = -1
    octets: int = 0
    spoilt: bool = False


class Reassembly:
    """Holds fragments until their datagram is whole; the oldest makes room for a new one and counts as `evicted`."""

    def __init__(self) -> None:
        self._pending: dict[tuple[int, int, int, int, int, int], _Pending] = {}
        self.evicted = 0

    def add(self, fragments: Iterable[Fragment]) -> Iterator[Whole]:
        """Take fragments in; yield datagrams that became whole, and what is left of those that were given up."""
        for fragment in fragments:
            pending = self._pending.get(fragment.key)
            if pending is None:
                if len(self._pending) >= MAX_DATAGRAMS:
                    self.evicted += 1
                    yield _given_up(self._pending.pop(next(iter(self._pending))))
                pending = self._pending[fragment.key] = _Pending()
            if fragment.place in pending.parts or len(pending.parts) >= _MAX_PARTS:
                yield Whole(fragment, (fragment,), b"")     # a repetition; it is counted and not believed
                continue
            pending.parts[fragment.place] = fragment
            pending.octets += len(fragment.body)
            if not fragment.more:
                pending.size = fragment.place + len(fragment.body)
            if 0 <= pending.size <= pending.octets or pending.octets > _MAX_OCTETS:
                yield _finish(self._pending.pop(fragment.key))

    def flush(self) -> Iterator[Whole]:
        """Everything that never became whole."""
        for pending in self._pending.values():
            yield _given_up(pending)
        self._pending.clear()


def _given_up(pending: _Pending) -> Whole:
    parts = tuple(pending.parts[place] for place in sorted(pending.parts))
    # The first part alone still has the ports, and often the name.
    return Whole(parts[0], parts, parts[0].body if parts[0].place == 0 else b"")


def _finish(pending: _Pending) -> Whole:
    parts = tuple(pending.parts[place] for place in sorted(pending.parts))
    body, reached = b"", 0
    for part in parts:
        if part.place != reached:
            return _given_up(pending)
        body += part.body
        reached += len(part.body)
    return Whole(parts[0], parts, body)


def rows_of(wholes: list[Whole]) -> tuple[Batch, Rows]:
    """Joined datagrams as rows of a batch of their own: the payload on the first row, the other parts counted."""
    octets, columns = bytearray(), list[tuple[int, ...]]()
    for whole in wholes:
        head, protocol = whole.body, whole.first.key[4]
        size = 8 if protocol == UDP else (head[12] >> 4) * 4 if protocol == TCP and len(head) >= 20 else 0
        known = (protocol == UDP and len(head) >= 8) or (protocol == TCP and 20 <= size <= len(head))
        source, destination = ((int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")) if known else (0, 0))
        flags, sequence = (head[13], int.from_bytes(head[4:8], "big")) if known and protocol == TCP else (0, 0)
        begin = len(octets) + (size if known else 0)
        octets += head if known else b""
        for number, part in enumerate(whole.parts):
            span = (begin, len(octets)) if number == 0 and known else (0, 0)
            columns.append((part.stamp, part.length, part.source_mac, part.destination_mac, *part.key[:4],
                            1 if protocol == 58 else protocol, source, destination, flags, sequence, *span))
    octets += bytes(PADDING)
    none = np.zeros(0, np.int64)
    batch = Batch(np.frombuffer(bytes(octets), np.uint8), none, none, none, none, 0)
    count = len(columns)
    made: list[Any] = [np.array(column, np.uint64 if 2 <= place < 8 else np.int64)
                       for place, column in enumerate(zip(*columns, strict=True))]
    rows: Any = [np.arange(count), *made, np.zeros(count, np.bool_)]
    return batch, Rows(*rows)
