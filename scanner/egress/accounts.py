"""Adds the flows of a batch to the conversations they belong to, and says which side opened each."""

from __future__ import annotations

import numpy as np

from scanner.egress.batches import Bools, Ints, Unsigned, table_of
from scanner.egress.flows import BURST_NS, Flows, Grouping, Mixer
from scanner.egress.headers import TCP, Rows
from scanner.egress.tables import Tables, Talk

__all__ = ["Accounts", "serves"]

_SYN, _ACK = 0x02, 0x10
_NEVER = -1
# Ports above 1023 that are a server's wherever they appear, so that a capture that starts in mid-flow is read rightly.
_SERVICES = (1883, 1900, 3478, 3702, 5351, 5353, 5683, 8000, 8080, 8443, 8800, 8883, 32100, 32108, 37020, 37777, 37810)
_SERVING = table_of(*range(1, 1024), *_SERVICES)


class Accounts:
    """Keeps the conversations of a capture in its tables."""

    def __init__(self, tables: Tables, mixer: Mixer) -> None:
        self._tables, self._mixer = tables, mixer

    def add(self, rows: Rows, flows: Flows, ends: tuple[Unsigned, Unsigned], signs: Ints,
            asking: Ints) -> tuple[list[Talk], Bools]:
        """The conversation of each flow, and whether the flow went out from the device.

        Args:
            rows: the packets of the batch.
            flows: the same added up.
            ends: the keys of sender and receiver of each row.
            signs: of each flow, as bits.
            asking: in how many packets of each flow a STUN server was asked.
        """
        first = rows.where(flows.first)
        out = self._outward(first, flows, ends[0][flows.first], ends[1][flows.first])
        mac = np.where(out, first.source_mac, first.destination_mac)
        device_low, device_high = (np.where(out, getattr(first, f"source_{half}"),
                                            getattr(first, f"destination_{half}"))
                                   for half in ("low", "high"))
        other_low, other_high = (np.where(out, getattr(first, f"destination_{half}"), getattr(first, f"source_{half}"))
                                 for half in ("low", "high"))
        port = np.where(out, first.destination_port, first.source_port)
        keys = self._mixer.conversation(mac, (device_high, device_low), (other_high, other_low), first.protocol, port)
        self.learn(first)
        alike = Grouping.of_keys(keys)
        columns = (mac, device_high, device_low, other_high, other_low, first.protocol, port, first.tunnel)
        told = zip(*(column[alike.first].tolist() for column in columns), strict=True)
        volumes = (alike.total(column).tolist() for column in (
            flows.packets, flows.octets, flows.packets * out, flows.octets * out, asking * out))
        table = self._tables.talks
        found, talks = table.talks.get, list[Talk]()
        for key, end, begins, over, bits, packets, octets, packets_out, octets_out, asked in zip(
                keys[alike.first].tolist(), told, alike.least(flows.begins).tolist(), alike.most(flows.ends).tolist(),
                alike.either(signs).tolist(), *volumes, strict=True):
            talk = found(key)
            if talk is None:
                talk = table.begin(key, end, begins)
            talks.append(talk)
            talk.packets += packets
            talk.octets += octets
            talk.packets_out += packets_out
            talk.octets_out += octets_out
            if bits:
                talk.signs |= bits
                talk.asked_stun += asked
            if begins < talk.first_ns:
                talk.first_ns = begins
            if over > talk.last_ns:
                talk.last_ns = over
        of_flow = [talks[number] for number in alike.of.tolist()]
        self._note_bursts(flows, of_flow, out)
        return of_flow, out

    def _note_bursts(self, flows: Flows, talks: list[Talk], out: Bools) -> None:
        """Note when each device began to send, after a second or more in which it did not."""
        going = np.flatnonzero(out)
        note, bursts, begins = self._tables.talks.burst, flows.bursts.tolist(), flows.burst_at[going]
        for number, begin, end, over in zip(going.tolist(), begins.tolist(), flows.burst_at[going + 1].tolist(),
                                            flows.ends[going].tolist(), strict=True):
            talk = talks[number]
            begun = begin + (bursts[begin] - talk.last_out_ns < BURST_NS)
            if begun < end:
                note(talk, bursts[begun:end])
            if over > talk.last_out_ns:
                talk.last_out_ns = over

    def learn(self, rows: Rows) -> None:
        """Which MAC sent from which address, where a packet lies in no other one."""
        known = (rows.source_mac != 0) & ~rows.tunnel
        mac, high, low = (column[known] for column in (rows.source_mac, rows.source_high, rows.source_low))
        mixed = mac * np.uint64(0x9E3779B97F4A7C15) ^ high * np.uint64(31) ^ low
        _, index = np.unique(mixed, return_index=True)
        index.sort()
        for station, upper, lower in zip(mac[index].tolist(), high[index].tolist(), low[index].tolist(), strict=True):
            self._tables.addresses.learn(station, upper << 64 | lower)

    def _outward(self, first: Rows, flows: Flows, senders: Unsigned, receivers: Unsigned) -> Bools:
        """Whether the sender of each flow is the side that opened it.

        That is told by the last SYN before, by what is remembered of the flow, or guessed by the ports of its first
        packet, in this order.
        """
        opening = (first.protocol == TCP) & (flows.opening & _SYN != 0)
        likely = np.where(opening, flows.opening & _ACK == 0,
                          ~_serve(first.source_port) | _serve(first.destination_port))
        keys = self._mixer.undirected(senders, receivers, first.protocol)
        both = Grouping.of_keys(keys)
        # An end is remembered as the one with the lower or the higher key, which is the same for both directions.
        lower = (senders <= receivers)[both.order]
        guess, opens = likely[both.order] == lower, opening[both.order]
        told = np.maximum.accumulate(np.where(opens, np.arange(len(keys)), -1))  # the last SYN, of whichever flow
        seen = told >= np.repeat(both.starts, both.counts)
        flow_keys = keys[both.order[both.starts]]
        before = np.full(len(both.starts), _NEVER)                               # what is remembered of each
        unseen = np.flatnonzero(~seen[both.starts])
        before[unseen] = [_NEVER if end is None else end
                          for end in self._tables.initiators.get_all(flow_keys[unseen].tolist())]
        start = np.where(before == _NEVER, guess[both.starts], before == 1)
        opener = np.where(seen, guess[told], np.repeat(start, both.counts))
        last = both.starts + both.counts - 1
        new = seen[last] | (before == _NEVER)
        self._tables.initiators.set_all(flow_keys[new].tolist(), opener[last[new]].tolist())
        outward = np.empty(len(keys), np.bool_)
        outward[both.order] = opener == lower
        return outward


def _serve(ports: Ints) -> Bools:
    """Which ports are a server's rather than a client's."""
    serve: Bools = _SERVING[ports]
    return serve


def serves(port: int) -> bool:
    """Whether one port is a server's rather than a client's, for whoever has no columns of them."""
    return 0 < port < 1024 or port in _SERVICES
