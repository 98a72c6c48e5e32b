"""Who talked to whom: batches of frames added up to conversations of devices, with the names they used.

A conversation belongs to the side that opened it and is keyed by that device's MAC and address, the other side's
address, the protocol and the other side's port, so that a reply never looks like a connection of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice

import numpy as np

from scanner.collection import no_collection
from scanner.egress.accounts import Accounts, serves
from scanner.egress.batches import Batch, Ints
from scanner.egress.capture import Capture
from scanner.egress.flows import Flows, Mixer, group
from scanner.egress.fragments import Reassembly, Whole, read_wholes
from scanner.egress.headers import Fragment, Rows, joined, read_headers
from scanner.egress.links import ARP, Links, read_links
from scanner.egress.memory import give_back
from scanner.egress.naming import Naming
from scanner.egress.overlays import MAX_OVERLAYS, frames_inside
from scanner.egress.plain import read_plain
from scanner.egress.signs import Sign, read_signs, stun_request
from scanner.egress.summing import summed_up
from scanner.egress.tables import Tables

__all__ = ["Recorder", "Watch", "serves"]

_MAX_REASONS = 64
_JOINED_AT_ONCE = 1_024
_GIVEN_BACK = 16                            # batches after which freed memory is given back: what is read leaves holes
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
        self._accounts = Accounts(self._tables, self._mixer)
        self._naming = Naming(self._tables)
        self._reassembly = Reassembly()
        self._undecoded: Counter[str] = Counter()
        self._packets = self._arp = self._batches = 0
        self._first = self._last = 0

    def add(self, batch: Batch) -> None:
        """Count the frames of one batch."""
        if len(batch):
            with no_collection():
                self._add(batch)

    def _add(self, batch: Batch) -> None:
        self._packets += len(batch)
        self._batches += 1
        if self._batches % _GIVEN_BACK == 0:
            give_back()
        earliest = int(batch.stamps.min())
        self._first = min(self._first, earliest) if self._first else earliest
        self._last = max(self._last, int(batch.stamps.max()))
        self._read(batch, 0)

    def _read(self, batch: Batch, depth: int) -> None:
        """Count the frames of a batch, which lie so deep inside other frames."""
        rows, others = read_plain(batch)
        fragments: Iterable[Fragment] = ()
        if len(others):
            links = read_links(batch, others)
            self._read_arp(batch, links, inside=depth > 0)
            headers = read_headers(batch, links, depth)
            self._count_undecoded(links.undecoded + headers.undecoded)
            rows = headers.rows if rows is None else joined([rows, headers.rows])
            fragments = chain.from_iterable(headers.fragments)
            for frames in links.aggregated:
                self._read(frames, depth)
        if rows is not None:
            if depth:                                    # unlike other inner packets these have MACs of their own
                self._accounts.learn(rows)
                rows.tunnel = np.ones(len(rows), np.bool_)
            self._add_rows(batch, rows)
        self._join(fragments)
        if rows is not None:
            self._read_inside(batch, rows, depth)

    def _read_inside(self, batch: Batch, rows: Rows, depth: int) -> None:
        """Count the frames that the packets of a batch carry."""
        inside, unread = frames_inside(batch, rows)
        self._count_undecoded(unread)
        for frames in inside:
            if depth >= MAX_OVERLAYS:
                self._count_undecoded(Counter({"too many tunnels": len(frames)}))
            else:
                self._read(frames, depth + 1)

    def _join(self, fragments: Iterable[Fragment]) -> None:
        """Take fragments in, and count the datagrams that they make."""
        wholes = self._reassembly.add(fragments)
        while some := list(islice(wholes, _JOINED_AT_ONCE)):
            self._add_wholes(some)

    def _add_wholes(self, wholes: Iterable[Whole]) -> None:
        """Count joined datagrams, and look into them as into any other packets."""
        by_depth: dict[int, list[Whole]] = {}
        for whole in wholes:
            by_depth.setdefault(whole.parts[0].depth, []).append(whole)
        for depth, alike in by_depth.items():
            batch, headers, rows = read_wholes(alike, depth)
            self._count_undecoded(headers.undecoded)
            self._add_rows(batch, rows)
            if depth < MAX_OVERLAYS:
                self._join(chain.from_iterable(headers.fragments))
            else:
                deeper = sum(1 for one in headers.fragments for _ in one)
                self._count_undecoded(Counter({"too many tunnels": deeper}))
            self._read_inside(batch, headers.rows, depth)

    def finish(self, trouble: str = "", lost: int = 0) -> Capture:
        """The capture so far; `trouble` says why reading ended early, `lost` how many frames never arrived here."""
        with no_collection():
            return self._finish(trouble, lost)

    def _finish(self, trouble: str, lost: int) -> Capture:
        while left := list(self._reassembly.flush()):        # in what is given up there may be fragments again
            self._add_wholes(left)
        give_back()
        drops = Counter(self._tables.all_drops())
        drops.update({"fragments": self._reassembly.evicted, "unread openings": self._naming.evicted})
        summary = summed_up(self._tables, Capture(
            packets=self._packets, arp=self._arp, undecoded=dict(sorted(self.undecoded.items())),
            dropped=sum(drops.values()), drops=dict(sorted((+drops).items())), trouble=trouble, lost=lost,
            first_ns=self._first, last_ns=self._last), _BITS)
        give_back()
        return summary

    @property
    def undecoded(self) -> dict[str, int]:
        """Frames that could not be read so far, by reason."""
        overlapping = Counter({"overlapping fragments": self._reassembly.overlapping})
        return dict(self._undecoded + overlapping)

    def _count_undecoded(self, reasons: Counter[str]) -> None:
        for reason, count in reasons.items():
            known = reason in self._undecoded or len(self._undecoded) < _MAX_REASONS
            self._undecoded[reason if known else "other"] += count

    def _read_arp(self, batch: Batch, links: Links, *, inside: bool) -> None:
        """Addresses that stations announce or look for (RFC 826); what is `inside` is counted as what carries it."""
        found = links.kind == ARP
        self._arp += 0 if inside else int(np.count_nonzero(found))
        readable = found & (links.at + 28 <= links.end)
        self._undecoded.update({"short arp": int(np.count_nonzero(found & ~readable))})
        self._undecoded = +self._undecoded
        at = links.at[readable]
        columns = batch.mac(at + 8), batch.u32(at + 14), batch.u32(at + 24), batch.u16(at + 6)
        for mac, sender, target, operation in sorted(set(zip(*(one.tolist() for one in columns), strict=True))):
            if mac and sender:
                self._tables.addresses.learn(mac, sender + 0xFFFF_0000_0000)
            if operation == 1 and target not in {sender, 0}:
                self._tables.seek(mac, target)

    def _add_rows(self, batch: Batch, rows: Rows) -> None:
        if not len(rows):
            return
        if self._watch is not None:
            self._watch(batch, rows)
        near, far = self._mixer.ends(rows)
        keys = self._mixer.with_macs(self._mixer.directed(near, far, rows.protocol), rows)
        flows = group(rows, keys)
        found = read_signs(batch, rows)
        talks, outward = self._accounts.add(rows, flows, (near, far), *self._signs(batch, rows, flows, found))
        self._naming.read(batch, rows, keys, flows.of_row, talks, outward)
        if Sign.STUN in found:
            self._naming.read_realms(batch, rows, found[Sign.STUN], flows.of_row, talks)

    @staticmethod
    def _signs(batch: Batch, rows: Rows, flows: Flows, found: Mapping[Sign, Ints]) -> tuple[Ints, Ints]:
        """The signs of each flow as bits, and in how many of its packets it asked a STUN server."""
        bits = np.zeros(len(flows.first), np.int64)
        asking = np.zeros(len(flows.first), np.int64)
        for sign, chosen in found.items():
            np.bitwise_or.at(bits, flows.of_row[chosen], _BITS[sign])
            if sign is Sign.STUN:
                np.add.at(asking, flows.of_row[chosen[stun_request(batch, rows, chosen)]], 1)
        return bits, asking
