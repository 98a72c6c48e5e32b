"""Who talked to whom: batches of frames added up to conversations of devices, with the names they used.

A conversation belongs to the side that opened it and is keyed by that device's MAC and address, the other side's
address, the protocol and the other side's port, so that a reply never looks like a connection of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, Unsigned, table_of
from scanner.egress.capture import Capture
from scanner.egress.collection import no_collection
from scanner.egress.flows import BURST_NS, Flows, Mixer, group
from scanner.egress.fragments import Reassembly, Whole, rows_of
from scanner.egress.headers import TCP, Fragment, Rows, joined, read_headers
from scanner.egress.links import ARP, Links, read_links
from scanner.egress.naming import Naming
from scanner.egress.plain import read_plain
from scanner.egress.signs import Sign, read_signs, stun_request
from scanner.egress.summing import summed_up
from scanner.egress.tables import Tables, Talk

__all__ = ["Recorder", "Watch", "serves"]

_SYN, _ACK = 0x02, 0x10
_MAX_REASONS = 64
# Ports above 1023 that are a server's wherever they appear, so that a capture that starts in mid-flow is read rightly.
_SERVICES = (1883, 1900, 3478, 3702, 5351, 5353, 5683, 8000, 8080, 8443, 8800, 8883, 32100, 32108, 37020, 37777, 37810)
_SERVING = table_of(*range(1, 1024), *_SERVICES)
_BITS = {sign: 1 << number for number, sign in enumerate(Sign)}
Watch = Callable[[Batch, Rows], None]
"""Sees the rows of each batch before they are added up."""


class Recorder:
    """Adds batches up to a `Capture`: `add` each batch, then `finish` once; `finish` may be called again later."""

    def __init__(self, tables: Tables | None = None, watch: Watch | None = None) -> None:
        """`tables` may be shared with other readers of the same run; `watch` sees the rows of every batch."""
        self._watch = watch
        self._tables = Tables() if tables is None else tables
        self._mixer = Mixer()
        self._naming = Naming(self._tables)
        self._reassembly = Reassembly()
        self._undecoded: Counter[str] = Counter()
        self._packets = self._arp = 0
        self._first = self._last = 0

    def add(self, batch: Batch) -> None:
        """Count the frames of one batch."""
        if len(batch):
            with no_collection():
                self._add(batch)

    def _add(self, batch: Batch) -> None:
        self._packets += len(batch)
        earliest = int(batch.stamps.min())
        self._first = min(self._first, earliest) if self._first else earliest
        self._last = max(self._last, int(batch.stamps.max()))
        rows, others = read_plain(batch)
        fragments: list[Fragment] = []
        if len(others):
            links = read_links(batch, others)
            self._read_arp(batch, links)
            headers = read_headers(batch, links)
            self._count_undecoded(links.undecoded + headers.undecoded)
            rows = headers.rows if rows is None else joined([rows, headers.rows])
            fragments = headers.fragments
        if rows is not None:
            self._add_rows(batch, rows)
        if fragments:
            self._add_wholes(list(self._reassembly.add(fragments)))

    def finish(self, trouble: str = "", lost: int = 0) -> Capture:
        """The capture so far; `trouble` says why reading ended early, `lost` how many frames never arrived here."""
        with no_collection():
            return self._finish(trouble, lost)

    def _finish(self, trouble: str, lost: int) -> Capture:
        self._add_wholes(list(self._reassembly.flush()))
        drops = Counter(self._tables.all_drops())
        drops.update({"fragments": self._reassembly.evicted, "unread openings": self._naming.evicted})
        return summed_up(self._tables, Capture(
            packets=self._packets, arp=self._arp, undecoded=dict(sorted(self._undecoded.items())),
            dropped=sum(drops.values()), drops=dict(sorted((+drops).items())), trouble=trouble, lost=lost,
            first_ns=self._first, last_ns=self._last), _BITS)

    @property
    def undecoded(self) -> dict[str, int]:
        """Frames that could not be read so far, by reason."""
        return dict(self._undecoded)

    def _count_undecoded(self, reasons: Counter[str]) -> None:
        for reason, count in reasons.items():
            known = reason in self._undecoded or len(self._undecoded) < _MAX_REASONS
            self._undecoded[reason if known else "other"] += count

    def _read_arp(self, batch: Batch, links: Links) -> None:
        """Addresses that stations announce or look for (RFC 826)."""
        found = links.kind == ARP
        self._arp += int(np.count_nonzero(found))
        readable = found & (links.at + 28 <= links.end)
        self._undecoded.update({"short arp": int(np.count_nonzero(found & ~readable))})
        self._undecoded = +self._undecoded
        at = links.at[readable]
        spoken = np.stack([batch.mac(at + 8), batch.u32(at + 14).astype(np.uint64),
                           batch.u32(at + 24).astype(np.uint64),
                           batch.u16(at + 6).astype(np.uint64)], axis=1)
        for mac, sender, target, operation in np.unique(spoken, axis=0).tolist() if len(at) else ():
            if mac and sender:
                self._tables.addresses.learn(mac, sender + 0xFFFF_0000_0000)
            if operation == 1 and target not in {sender, 0}:
                self._tables.seek(mac, target)

    def _add_wholes(self, wholes: list[Whole]) -> None:
        if wholes:
            self._add_rows(*rows_of(wholes))

    def _add_rows(self, batch: Batch, rows: Rows) -> None:
        if not len(rows):
            return
        if self._watch is not None:
            self._watch(batch, rows)
        near, far = self._mixer.ends(rows)
        keys = self._mixer.with_macs(self._mixer.directed(near, far, rows.protocol), rows)
        flows = group(rows, keys)
        found = read_signs(batch, rows)
        signs, asking = self._signs(batch, rows, flows, found)
        talks, outward = self._talks(rows, flows, near, far, signs, asking)
        self._naming.read(batch, rows, keys, flows.of_row, talks, outward)
        if Sign.STUN in found:
            self._naming.read_realms(batch, rows, found[Sign.STUN], flows.of_row, talks)

    @staticmethod
    def _signs(batch: Batch, rows: Rows, flows: Flows, found: Mapping[Sign, Ints]) -> tuple[list[int], list[int]]:
        """The signs of each flow as bits, and in how many of its packets it asked a STUN server."""
        bits = np.zeros(len(flows.first), np.int64)
        asking = np.zeros(len(flows.first), np.int64)
        for sign, chosen in found.items():
            np.bitwise_or.at(bits, flows.of_row[chosen], _BITS[sign])
            if sign is Sign.STUN:
                np.add.at(asking, flows.of_row[chosen[stun_request(batch, rows, chosen)]], 1)
        return bits.tolist(), asking.tolist()

    def _talks(self, rows: Rows, flows: Flows, near: Unsigned, far: Unsigned, signs: list[int],
               asking: list[int]) -> tuple[list[Talk], list[bool]]:
        """Add each flow to the conversation it belongs to; the conversation of each flow, and whether it went out."""
        first = rows.where(flows.first)
        outward = self._outward(first, flows, near[flows.first], far[flows.first])
        out = np.array(outward, np.bool_)
        mac = np.where(out, first.source_mac, first.destination_mac)
        device_low, device_high = (np.where(out, getattr(first, f"source_{half}"),
                                            getattr(first, f"destination_{half}"))
                                   for half in ("low", "high"))
        other_low, other_high = (np.where(out, getattr(first, f"destination_{half}"), getattr(first, f"source_{half}"))
                                 for half in ("low", "high"))
        port = np.where(out, first.destination_port, first.source_port)
        keys = self._mixer.conversation(mac, (device_high, device_low), (other_high, other_low), first.protocol, port)
        self._learn(first)
        table = self._tables.talks
        found, talks = table.talks.get, list[Talk]()
        ends = zip(*(column.tolist() for column in (
            mac, device_high, device_low, other_high, other_low, first.protocol, port, first.tunnel)), strict=True)
        volumes = zip(*(column.tolist() for column in (
            keys, flows.packets, flows.octets, flows.begins, flows.ends)), signs, asking, outward, strict=True)
        for end, (key, packets, octets, begins, over, bits, asked, out_bound) in zip(ends, volumes, strict=True):
            talk = found(key)
            if talk is None:
                talk = table.begin(key, end, begins)
            talks.append(talk)
            talk.packets += packets
            talk.octets += octets
            if bits:
                talk.signs |= bits
            if begins < talk.first_ns:
                talk.first_ns = begins
            if over > talk.last_ns:
                talk.last_ns = over
            if out_bound:
                talk.asked_stun += asked
                talk.packets_out += packets
                talk.octets_out += octets
        self._note_bursts(flows, talks, out)
        return talks, outward

    def _note_bursts(self, flows: Flows, talks: list[Talk], out: Bools) -> None:
        """Note when each device began to send, after a second or more in which it did not."""
        going = np.flatnonzero(out)
        note, bursts = self._tables.talks.burst, flows.bursts.tolist()
        for number, begin, end, over in zip(going.tolist(), flows.burst_at[going].tolist(),
                                            flows.burst_at[going + 1].tolist(), flows.ends[going].tolist(),
                                            strict=True):
            talk = talks[number]
            begun = bursts[begin + (bursts[begin] - talk.last_out_ns < BURST_NS):end]
            if begun:
                note(talk, begun)
            if over > talk.last_out_ns:
                talk.last_out_ns = over

    def _learn(self, first: Rows) -> None:
        known = (first.source_mac != 0) & ~first.tunnel
        spoken = np.stack([first.source_mac[known], first.source_high[known], first.source_low[known]], axis=1)
        if not len(spoken):
            return
        mixed = spoken[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ spoken[:, 1] * np.uint64(31) ^ spoken[:, 2]
        _, index = np.unique(mixed, return_index=True)
        for mac, high, low in spoken[np.sort(index)].tolist():
            self._tables.addresses.learn(mac, high << 64 | low)

    def _outward(self, first: Rows, flows: Flows, senders: Unsigned, receivers: Unsigned) -> list[bool]:
        """Whether the sender of each flow is the side that opened it."""
        opening = (first.protocol == TCP) & (flows.opening & _SYN != 0)
        likely = np.where(opening, flows.opening & _ACK == 0,
                          ~_serve(first.source_port) | _serve(first.destination_port))
        keys = self._mixer.undirected(senders, receivers, first.protocol)
        known, remember = self._tables.initiators.get, self._tables.initiators.set
        outward: list[bool] = []
        # An end is remembered as the one with the lower or the higher key, which is the same for both directions.
        for flow, low, opens, guess in zip(keys.tolist(), (senders <= receivers).tolist(), opening.tolist(),
                                           likely.tolist(), strict=True):
            opener = None if opens else known(flow)
            if opener is None:
                opener = guess is low
                remember(flow, opener)
            outward.append(opener is low)
        return outward


def _serve(ports: Ints) -> Bools:
    """Which ports are a server's rather than a client's."""
    serve: Bools = _SERVING[ports]
    return serve


def serves(port: int) -> bool:
    """Whether one port is a server's rather than a client's, for whoever has no columns of them."""
    return 0 < port < 1024 or port in _SERVICES
