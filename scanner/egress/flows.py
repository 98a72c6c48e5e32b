"""Rows added up to flows: per batch one entry for each direction of each 5-tuple, made by sorting, not by looking up.

Flows are told apart by 64 bit mixtures of their fields. The multipliers are drawn anew for every run, so that nobody
can prepare packets that collide; two of a million flows do so by chance about once in ten million captures.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from scanner.egress.batches import Ints, Unsigned
from scanner.egress.headers import Rows

__all__ = ["BURST_NS", "Flows", "Grouping", "Mixer", "group"]

BURST_NS = 1_000_000_000
"""A pause of this length ends a burst; what follows is a new event of a conversation."""


class Mixer:
    """Mixes the fields of rows into keys, with multipliers of its own."""

    def __init__(self) -> None:
        self._odd = [np.uint64(int.from_bytes(os.urandom(8), "big") | 1) for _ in range(8)]

    def ends(self, rows: Rows) -> tuple[Unsigned, Unsigned]:
        """Two keys: of the sending and of the receiving end (address and port) of each row."""
        return (self._end(rows.source_high, rows.source_low, rows.source_port),
                self._end(rows.destination_high, rows.destination_low, rows.destination_port))

    def _end(self, high: Unsigned, low: Unsigned, port: Ints) -> Unsigned:
        mixed = high * self._odd[0] ^ self._spread(low * self._odd[1])
        return self._spread((mixed + port.astype(np.uint64)) * self._odd[2])

    @staticmethod
    def _spread(value: Unsigned) -> Unsigned:
        return value ^ (value >> np.uint64(29))

    def directed(self, source: Unsigned, destination: Unsigned, protocol: Ints) -> Unsigned:
        """A key of one direction of a flow."""
        mixed = source * self._odd[3] + destination * self._odd[4] + protocol.astype(np.uint64)
        return self._spread(mixed * self._odd[5])

    def undirected(self, source: Unsigned, destination: Unsigned, protocol: Ints) -> Unsigned:
        """A key that both directions of a flow share."""
        return self._spread((source + destination) * self._odd[6] + protocol.astype(np.uint64))

    def conversation(self, mac: Unsigned, device: tuple[Unsigned, Unsigned], other: tuple[Unsigned, Unsigned],
                     protocol: Ints, port: Ints) -> Unsigned:
        """A key of the conversation between a device and a service, whatever port the device uses."""
        service = self._end(*other, port)
        return self._spread(self._end(*device, protocol) * self._odd[5] + service * self._odd[7] + mac * self._odd[4])

    def with_macs(self, directed: Unsigned, rows: Rows) -> Unsigned:
        """A key that tells the same flow of different stations apart."""
        return self._spread(directed + rows.source_mac * self._odd[7] + rows.destination_mac * self._odd[3])


@dataclass(frozen=True, slots=True)
class Flows:
    """One entry a direction of a flow, in order of its first packet.

    Attributes:
        first: the row that stands for the flow, its first.
        packets, octets, begins, ends: totals and time span of the entry.
        opening: the TCP flags of packets with SYN, or-ed; 0 where there is none.
        bursts: the times at which bursts begin, of all entries one after the other; `burst_at` where each entry's
            begin in it (one more than there are entries).
        of_row: which entry each row belongs to.
    """

    first: Ints
    packets: Ints
    octets: Ints
    begins: Ints
    ends: Ints
    opening: Ints
    bursts: Ints
    burst_at: Ints
    of_row: Ints


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which members of a column have equal keys; groups are numbered by their first member.

    Attributes:
        order: the members, those of a group next to each other and in their order.
        starts, counts: where in `order` each group begins and how many members it has, by the groups' keys.
        by_time: the numbers of `starts` in the order of the groups.
        first: the first member of each group.
        of: the group of each member.
    """

    order: Ints
    starts: Ints
    counts: Ints
    by_time: Ints
    first: Ints
    of: Ints

    @classmethod
    def of_keys(cls, keys: Unsigned) -> Grouping:
        """Group what has equal keys."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        new = np.ones(len(order), np.bool_)
        new[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(new)
        counts = np.diff(np.append(starts, len(order)))
        first = order[starts]
        by_time = np.argsort(first)
        numbers = np.empty(len(starts), np.int64)
        numbers[by_time] = np.arange(len(starts))
        of = np.empty(len(order), np.int64)
        of[order] = np.repeat(numbers, counts)
        return cls(order, starts, counts, by_time, first[by_time], of)

    def total(self, column: Ints) -> Ints:
        """The sum of a column in each group."""
        return self._each(np.add, column)

    def least(self, column: Ints) -> Ints:
        """The least of a column in each group."""
        return self._each(np.minimum, column)

    def most(self, column: Ints) -> Ints:
        """The most of a column in each group."""
        return self._each(np.maximum, column)

    def either(self, column: Ints) -> Ints:
        """All bits of a column in each group, or-ed."""
        return self._each(np.bitwise_or, column)

    def _each(self, how: np.ufunc, column: Ints) -> Ints:
        if not len(self.starts):
            return column[:0]
        each: Ints = how.reduceat(column[self.order], self.starts)[self.by_time]
        return each


def group(rows: Rows, keys: Unsigned) -> Flows:
    """Add rows with equal keys up."""
    alike = Grouping.of_keys(keys)
    stamps = rows.stamps[alike.order]
    pause = np.zeros(len(keys), np.bool_)
    pause[alike.starts] = True
    pause[1:] |= stamps[1:] - stamps[:-1] >= BURST_NS
    number = np.cumsum(pause)
    burst_counts: Ints = np.append(number[alike.starts[1:]], number[-1:] + 1) - number[alike.starts]
    return Flows(
        first=alike.first, packets=alike.counts[alike.by_time], octets=alike.total(rows.length),
        begins=alike.least(rows.stamps), ends=alike.most(rows.stamps),
        opening=alike.either(np.where(rows.flags & 0x02 != 0, rows.flags, 0)),
        **_bursts(stamps[pause], burst_counts, alike.by_time), of_row=alike.of)


def _bursts(bursts: Ints, counts: Ints, by_time: Ints) -> dict[str, Ints]:
    begins = np.cumsum(counts) - counts
    chosen = counts[by_time]
    at = np.cumsum(chosen) - chosen
    index = np.repeat(begins[by_time] - at, chosen) + np.arange(int(chosen.sum()))
    return {"bursts": bursts[index], "burst_at": np.append(at, int(chosen.sum()))}
