"""Who talked to whom: batches of frames added up to conversations of devices, with the names they used.

A conversation belongs to the side that opened it and is keyed by that device's MAC and address, the other side's
address, the protocol and the other side's port, so that a reply never looks like a connection of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from scanner.egress.batches import Batch, Ints, Unsigned
from scanner.egress.capture import Capture
from scanner.egress.flows import Flows, Mixer, group
from scanner.egress.fragments import Reassembly, Whole, rows_of
from scanner.egress.headers import TCP, Rows, read_headers
from scanner.egress.links import ARP, Links, read_links
from scanner.egress.naming import Naming
from scanner.egress.signs import Sign, read_signs, stun_request
from scanner.egress.summing import summed_up
from scanner.egress.tables import Tables, Talk

__all__ = ["Recorder"]

_SYN, _ACK = 0x02, 0x10
_MAX_SOUGHT = 4_096
_MAX_REASONS = 64
# Ports above 1023 that are a server's wherever they appear, so that a capture that starts in mid-flow is read rightly.
_SERVICES = frozenset({1883, 1900, 3478, 3702, 5351, 5353, 5683, 8000, 8080, 8443, 8800, 8883, 32100, 32108, 37020,
                       37777,
                       37810})
_BITS = {sign: 1 << number for number, sign in enumerate(Sign)}


class Recorder:
    """Adds batches up to a `Capture`: `add` each batch, then `finish` once; `finish` may be called again later."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._mixer = Mixer()
        self._naming = Naming(self._tables)
        self._reassembly = Reassembly()
        self._undecoded: Counter[str] = Counter()
        self._packets = self._arp = 0
        self._first = self._last = 0

    def add(self, batch: Batch) -> None:
        """Count the frames of one batch."""
        if not len(batch):
            return
        self._packets += len(batch)
        earliest = int(batch.stamps.min())
        self._first = min(self._first, earliest) if self._first else earliest
        self._last = max(self._last, int(batch.stamps.max()))
        links = read_links(batch)
        self._read_arp(batch, links)
        headers = read_headers(batch, links)
        self._count_undecoded(links.undecoded + headers.undecoded)
        self._add_rows(batch, headers.rows)
        if headers.fragments:
            self._add_wholes(list(self._reassembly.add(headers.fragments)))

    def finish(self, trouble: str = "", lost: int = 0) -> Capture:
        """The capture so far; `trouble` says why reading ended early, `lost` how many frames never arrived here."""
        self._add_wholes(list(self._reassembly.flush()))
        drops = Counter(self._tables.all_drops())
        drops.update({"fragments": self._reassembly.evicted, "unread openings": self._naming.evicted})
        return summed_up(self._tables, Capture(
            packets=self._packets, arp=self._arp, undecoded=dict(sorted(self._undecoded.items())),
            dropped=sum(drops.values()), drops=dict(sorted((+drops).items())), trouble=trouble, lost=lost,
            first_ns=self._first, last_ns=self._last), _BITS)

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
                sought = self._tables.looked_for.setdefault(mac, set())
                if len(sought) < _MAX_SOUGHT and len(self._tables.looked_for) < _MAX_SOUGHT:
                    sought.add(target)

    def _add_wholes(self, wholes: list[Whole]) -> None:
        if wholes:
            self._add_rows(*rows_of(wholes))

    def _add_rows(self, batch: Batch, rows: Rows) -> None:
        if not len(rows):
            return
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
        senders, receivers = near[flows.first], far[flows.first]
        undirected = self._mixer.undirected(senders, receivers, first.protocol)
        outward = self._outward(first, flows, undirected, senders.tolist(), receivers.tolist())
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
        columns = zip(*(column.tolist() for column in (
            keys, mac, device_high, device_low, other_high, other_low, first.protocol, port, first.tunnel,
            flows.packets, flows.octets, flows.begins, flows.ends)), strict=True)
        talks = [self._find(column) for column in columns]
        self._note_bursts(flows, talks, outward)
        for number, talk in enumerate(talks):
            talk.signs |= signs[number]
            if outward[number]:
                talk.asked_stun += asking[number]
                talk.packets_out += int(flows.packets[number])
                talk.octets_out += int(flows.octets[number])
        return talks, outward

    def _find(self, column: tuple[int, ...]) -> Talk:
        key, mac, high, low, far_high, far_low, protocol, port, tunnel, packets, octets, begins, ends = column
        table = self._tables.talks
        talk = table.talks.get(key)
        if talk is None:
            table.make_room()
            talk = table.talks[key] = Talk(key, mac, high << 64 | low, far_high << 64 | far_low, protocol, port,
                                           begins, ends,
                                           bool(tunnel))
        talk.first_ns, talk.last_ns = min(talk.first_ns, begins), max(talk.last_ns, ends)
        talk.packets += packets
        talk.octets += octets
        return talk

    def _note_bursts(self, flows: Flows, talks: list[Talk], outward: list[bool]) -> None:
        places, bursts = flows.burst_at.tolist(), flows.bursts.tolist()
        ends = flows.ends.tolist()
        for number, talk in enumerate(talks):
            if not outward[number]:
                continue
            begun = bursts[places[number]:places[number + 1]]
            if begun[0] - talk.last_out_ns < 1_000_000_000:
                begun = begun[1:]
            self._tables.talks.burst(talk, begun)
            talk.last_out_ns = max(talk.last_out_ns, ends[number])

    def _learn(self, first: Rows) -> None:
        known = (first.source_mac != 0) & ~first.tunnel
        spoken = np.stack([first.source_mac[known], first.source_high[known], first.source_low[known]], axis=1)
        if not len(spoken):
            return
        mixed = spoken[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ spoken[:, 1] * np.uint64(31) ^ spoken[:, 2]
        _, index = np.unique(mixed, return_index=True)
        for mac, high, low in spoken[np.sort(index)].tolist():
            self._tables.addresses.learn(mac, high << 64 | low)

    def _outward(self, first: Rows, flows: Flows, undirected: Unsigned, senders: list[int],
                 receivers: list[int]) -> list[bool]:
        """Whether the sender of each flow is the side that opened it."""
        initiators = self._tables.initiators
        outward: list[bool] = []
        columns = zip(undirected.tolist(), senders, receivers, first.protocol.tolist(), flows.opening.tolist(),
                      first.source_port.tolist(), first.destination_port.tolist(), strict=True)
        for flow, sender, receiver, protocol, opening, source_port, destination_port in columns:
            known = None
            if protocol == TCP and opening & _SYN:
                opener = receiver if opening & _ACK else sender
            elif (known := initiators.get(flow)) is not None:
                opener = known
            else:
                opener = receiver if _serves(source_port) and not _serves(destination_port) else sender
            if known is None:
                initiators.set(flow, opener)
            outward.append(opener == sender)
        return outward


def _serves(port: int) -> bool:
    return 0 < port < 1024 or port in _SERVICES
