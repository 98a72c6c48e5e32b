"""Rows added up to flows: per batch one entry for each direction of each 5-tuple, made by sorting, not by looking up.

Flows are told apart by 64 bit mixtures of their fields. The multipliers are drawn anew for every run, so that nobody
can prepare packets that collide; two of a million flows do so by chance about once in ten million captures.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np

from scanner.egress.batches import Bools, Ints, Unsigned
from scanner.egress.headers import Rows

__all__ = ["BURST_NS", "Flows", "Mixer", "group"]

BURST_NS = 1_000_000_000
"""A pause of this length ends a burst; what follows is a new event of a conversation."""


class Mixer:
    """Mixes the fields of rows into keys, with multipliers of its own."""

    def __init__(self) -> None:
        self._odd = [np.uint64(secrets.randbits(64) | 1) for _ in range(8)]

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
        flags: all TCP flags seen, or-ed; `opening` those of a packet with SYN, 0 where there is none.
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


def group(rows: Rows, keys: Unsigned) -> Flows:
    """Add rows with equal keys up."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    stamps = rows.stamps[order]
    counts = np.diff(np.append(starts, len(order)))
    first = order[starts]
    by_time = np.argsort(first, kind="stable")
    synchronising = np.where(rows.flags[order] & 0x02 != 0, rows.flags[order], 0)
    pause: Bools = np.ones(len(order), np.bool_)
    pause[1:] = new[1:] | (stamps[1:] - stamps[:-1] >= BURST_NS)
    burst_counts = np.add.reduceat(pause.astype(np.int64), starts) if len(starts) else counts
    numbers = np.empty(len(starts), np.int64)
    numbers[by_time] = np.arange(len(starts))
    of_row = np.empty(len(order), np.int64)
    of_row[order] = np.repeat(numbers, counts)
    bursts = np.concatenate([stamps[pause]]) if len(starts) else stamps
    return Flows(
        first=first[by_time], packets=counts[by_time],
        octets=np.add.reduceat(rows.length[order], starts)[by_time],
        begins=np.minimum.reduceat(stamps, starts)[by_time], ends=np.maximum.reduceat(stamps, starts)[by_time],
        opening=np.bitwise_or.reduceat(synchronising, starts)[by_time],
        **_bursts(bursts, burst_counts, by_time), of_row=of_row)


def _bursts(bursts: Ints, counts: Ints, by_time: Ints) -> dict[str, Ints]:
    begins = np.cumsum(counts) - counts
    chosen = counts[by_time]
    at = np.cumsum(chosen) - chosen
    index = np.repeat(begins[by_time] - at, chosen) + np.arange(int(chosen.sum()))
    return {"bursts": bursts[index], "burst_at": np.append(at, int(chosen.sum()))}
