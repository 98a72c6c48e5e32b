"""Files of any of these kinds, and captures, read into one answer: what each file is, is told by its content.

Rows of all files go into the same tables; a capture may itself carry export messages on their way to a collector, and
those are read too.
"""

from __future__ import annotations

import gzip
import io
import ipaddress
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np

from scanner.collection import no_collection
from scanner.egress.batches import Batch
from scanner.egress.capture import Capture, Source
from scanner.egress.conversations import Recorder
from scanner.egress.headers import UDP, Rows
from scanner.egress.readers import CaptureReader
from scanner.egress.tables import Tables, address_text
from scanner.imports.flow_logs.dns_logs import AdGuard
from scanner.imports.flow_logs.documents import ObjectsOf, depth_of, objects_of
from scanner.imports.flow_logs.forms import cannot_show
from scanner.imports.flow_logs.headed import Headed, NfdumpLong
from scanner.imports.flow_logs.ledger import Ledger
from scanner.imports.flow_logs.lines import MOST_LINES, encoding_of, lines_of
from scanner.imports.flow_logs.messages import message_size, messages, versions
from scanner.imports.flow_logs.netflow import Exports
from scanner.imports.flow_logs.rows import Addresses, Flow, Lease, Passed, Question, Row, Unread, is_inside
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.syslog import LogLines
from scanner.imports.flow_logs.zeek_flows import Zeek

__all__ = ["HEAD", "Station", "kind_of", "known_from", "read"]

HEAD = 65_536
"""Octets by which a file is recognised."""
_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x34\xcd\xb2\xa1",
             b"\xa1\xb2\xcd\x34", b"\x0a\x0d\x0d\x0a")
_GZIP = b"\x1f\x8b"
_NAMED = 5
_MAX_STATIONS = 100_000
_EXPECTED = (
    "a capture (pcap, pcapng); NetFlow or IPFIX messages, nfdump or SiLK text; flow logs of AWS, Azure or Google; a "
    "log of netfilter (iptables, nftables, ufw, UniFi), pfSense or OPNsense, Cisco ASA or FTD, Meraki, FortiGate, Palo "
    "Alto, Check Point, SonicWall, Sophos, Juniper SRX, MikroTik, WatchGuard, Zyxel, Windows Firewall or in CEF; of "
    "Squid; of dnsmasq, Pi-hole, AdGuard Home, BIND, unbound or Windows DNS; of Zeek or Suricata (eve.json); or a "
    "table whose heading names source and destination; gzipped or not")
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)
_Given = str | PathLike[str] | BinaryIO
_Sink = Callable[[Row, str, str, int], None]


@lru_cache(maxsize=65_536)
def _stands_inside(address: str) -> bool:
    """Whether an address can be a station's on the site: inside, and neither a group's nor the machine's own."""
    value = ipaddress.ip_address(address)
    return is_inside(address) and not (value.is_multicast or value.is_loopback or address == "255.255.255.255")


class _Reader(Protocol):
    @property
    def form(self) -> str: ...
    @property
    def kinds(self) -> Iterable[str]: ...
    def read(self, line: str) -> Iterator[tuple[Row, str]]: ...


@dataclass(frozen=True, slots=True)
class Station:
    """Somebody on the site whom a file names: by MAC, by address, or both; what it does not say is empty.

    `name` is what a DHCP server was told. `file` and `row` say where it first stands; times are nanoseconds since the
    epoch, 0 where the file says none.
    """

    mac: str
    address: str
    name: str
    first_ns: int
    last_ns: int
    file: str
    row: int


@dataclass(slots=True)
class _Tally:
    """What became of the rows of one file."""

    name: str
    rows: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def refuse(self, row: int, expected: str) -> None:
        """A row that could not be read, and what was expected there."""
        key = expected if expected in self.unread or len(self.unread) < 32 else "other"
        self.unread[key] += 1
        if len(self.first) < _NAMED:
            self.first.append(f"{self.name}:{row}: expected {expected}")

    def passes(self, what: str) -> None:
        """A row that tells of no traffic, and what it is."""
        self.passed[what if what in self.passed or len(self.passed) < 32 else "other"] += 1

    def left_out(self) -> Iterator[str]:
        """What was passed over, for a person."""
        if self.passed:
            each = ", ".join(f"{count} {what}" for what, count in self.passed.most_common())
            yield f"{self.passed.total()} rows tell of no call, or in no way that is read, and were passed over: {each}"

    def source(self, form: str, kinds: Iterable[str], notes: Iterable[str]) -> Source:
        """What is told of the file."""
        missing = [set(cannot_show(kind)) for kind in kinds]
        never = [text for kind in kinds for text in cannot_show(kind)] if missing else []
        common = set.intersection(*missing) if missing else set()
        return Source(self.name, form, self.rows, sum(self.unread.values()), dict(self.unread), tuple(self.first),
                      tuple(dict.fromkeys(text for text in never if text in common)), tuple(notes))


def kind_of(head: bytes, now: datetime) -> str:
    """What a file is by its first `HEAD` octets (unzipped): ``packets``, ``NetFlow 9``, …; empty for none of these."""
    if head[:4] in _CAPTURES:
        return "packets"
    if message_size(head):
        return versions[int.from_bytes(head[:2], "big")]
    text = head.decode(encoding_of(head), "replace")
    if "\0" in text[:1024]:
        return ""
    reader = _line_reader(_begin(text), Addresses(), Stamps(now))
    return type(reader).__name__ if reader is not None else ""


def _begin(head: str) -> list[str]:
    """The first rows of a text file: its lines, or the objects of a JSON document, the last of them cut off."""
    depth = depth_of(head)
    if depth is None:
        return head.split("\n")[:400]
    cutter = ObjectsOf(depth)
    return [*cutter.feed(head), cutter.rest()][:400]


def _line_reader(lines: list[str], addresses: Addresses, stamps: Stamps) -> _Reader | None:
    lines = [line.rstrip("\r") for line in lines if line.strip()]
    if Zeek.fits(lines):
        return Zeek(addresses)
    if AdGuard.fits(lines):
        return AdGuard(addresses, stamps)
    if NfdumpLong.fits(lines):
        return NfdumpLong(addresses, stamps)
    if Headed.fits(lines):
        return Headed(addresses, stamps)
    if LogLines.fits(lines, Stamps(stamps.now)):
        return LogLines(addresses, stamps)
    return None


class _Run:
    """One call: every file of it, added up in the same tables."""

    def __init__(self, now: datetime, sink: _Sink | None = None, *, several: bool = True) -> None:
        self._now, self._several = now, several
        self.tables = Tables()
        self.ledger = Ledger(self.tables)
        self.recorder = Recorder(self.tables, self._watch)
        self._addresses = Addresses()
        self._sink = sink
        self._exports: Exports | None = None
        self._exported: _Tally | None = None
        self.sources: list[Source] = []
        self.troubles: list[str] = []
        self.lost = 0

    def take(self, given: _Given) -> None:
        """Read one file. Raises `OSError` where it cannot be opened or read."""
        if isinstance(given, str | PathLike):
            with Path(given).open("rb") as stream:
                self._file(stream, Path(given).name)
        else:
            self._file(given, Path(str(getattr(given, "name", "") or "stream")).name)

    def _file(self, raw: BinaryIO, name: str) -> None:
        stream = io.BufferedReader(cast(io.RawIOBase, raw), HEAD) if not hasattr(raw, "peek") else raw
        head = stream.peek(2)[:2]
        if head == _GZIP:
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        buffered: io.BufferedReader = io.BufferedReader(cast(io.RawIOBase, stream), HEAD)
        tally = _Tally(name)
        try:
            head = buffered.peek(HEAD)[:HEAD]
        except _DAMAGE as error:
            self._trouble(tally, f"damaged gzip data ({type(error).__name__})")
            return
        try:
            self._dispatch(buffered, head, tally)
        except _DAMAGE as error:
            self._trouble(tally, f"damaged gzip data ({type(error).__name__})", told=True)

    def _dispatch(self, stream: io.BufferedReader, head: bytes, tally: _Tally) -> None:
        if not head:
            self._trouble(tally, "empty file")
        elif head[:4] in _CAPTURES:
            self._packets(stream, tally)
        elif message_size(head) or (int.from_bytes(head[:2], "big") in versions and b"\0" in head[:24]):
            self._messages(stream, tally)
        else:
            self._lines(stream, head, tally)

    def _trouble(self, tally: _Tally, what: str, *, told: bool = False) -> None:
        self.troubles.append(f"{tally.name}: {what}" if self._several else what)
        if not told:
            self.sources.append(Source(tally.name, "unknown", notes=(what,)))

    # ---- captures ----------------------------------------------------------------------------------------------------

    def _packets(self, stream: io.BufferedReader, tally: _Tally) -> None:
        reader = CaptureReader(cast(BinaryIO, stream))
        self._exports, self._exported = Exports(self._addresses), _Tally(tally.name)
        before = self.recorder.undecoded
        with no_collection():
            for batch in reader:
                tally.rows += len(batch)
                self.recorder.add(batch)
        after = self.recorder.undecoded
        tally.unread = +Counter({reason: count - before.get(reason, 0) for reason, count in after.items()})
        self.lost += reader.lost
        if reader.trouble:
            self._trouble(tally, reader.trouble, told=True)
        self.sources.append(tally.source("packets", ["packets"], [reader.trouble] if reader.trouble else []))
        if self._exports.exporters:
            self._told_by_exporters(self._exports, self._exported, " carried in its packets")
        self._exports = self._exported = None

    def _watch(self, batch: Batch, rows: Rows) -> None:
        """Export messages among the datagrams of a capture, told by their form on whatever port."""
        if self._exports is None or self._exported is None:
            return
        size = rows.end - rows.at
        udp = np.flatnonzero((rows.protocol == UDP) & (size >= 16))
        for row in udp[np.isin(batch.u16(rows.at[udp]), tuple(versions))].tolist():
            data = batch.cut(int(rows.at[row]), int(rows.end[row]))
            if message_size(data, alone=True):
                exporter = address_text(int(rows.source_high[row]) << 64 | int(rows.source_low[row]))
                for flow in self._exports.read(data, exporter, int(rows.stamps[row])):
                    self._add(flow, "flows", self._exported)

    # ---- export messages ---------------------------------------------------------------------------------------------

    def _messages(self, stream: io.BufferedReader, tally: _Tally) -> None:
        exports = Exports(self._addresses)
        read = 0
        for message in messages(cast(BinaryIO, stream)):
            if not message_size(message):
                if message:
                    self._trouble(tally, f"no whole NetFlow 5, 9 or IPFIX message at octet {read}", told=True)
                break
            read += len(message)
            for flow in exports.read(message):
                self._add(flow, "flows", tally)
        self._told_by_exporters(exports, tally, "")

    def _told_by_exporters(self, exports: Exports, tally: _Tally, where: str) -> None:
        exports.finish()
        tally.unread.update(exports.unread)
        tally.first += [f"{tally.name}: {count} {reason}" for reason, count in exports.unread.most_common(_NAMED)]
        forms = dict.fromkeys(versions.get(version, "unknown") for _, version in exports.exporters)
        self.sources.append(tally.source(", ".join(forms) + where, ["flows"], exports.notes))

    # ---- text --------------------------------------------------------------------------------------------------------

    def _lines(self, stream: io.BufferedReader, head: bytes, tally: _Tally) -> None:
        encoding = encoding_of(head)
        stamps = Stamps(self._now)
        text = head.decode(encoding, "replace")
        reader = None if "\0" in text[:1024] else _line_reader(_begin(text), self._addresses, stamps)
        if reader is None:
            tally.refuse(1, _EXPECTED)
            self._trouble(tally, "not a capture file, nor flow records or a log that is known (see what is expected "
                                 "there)", told=True)
            self.sources.append(tally.source("unknown", [], []))
            return
        number, depth = 0, depth_of(text)
        pieces = (lines_of(cast(BinaryIO, stream), encoding) if depth is None
                  else objects_of(cast(BinaryIO, stream), encoding, depth))
        for lines in pieces:
            for line in lines:
                number += 1
                for row, kind in reader.read(line):
                    if isinstance(row, Unread):
                        tally.refuse(number, row.expected)
                    elif isinstance(row, Passed):
                        tally.passes(row.what)
                    else:
                        self._add(row, kind, tally, number)
        if number >= MOST_LINES:
            self._trouble(tally, f"more than {MOST_LINES} lines; split the file", told=True)
        notes = [*tally.left_out(), *stamps.assumed]
        if isinstance(reader, LogLines) and reader.others:
            notes.append(f"{reader.others} lines of other programs were passed over")
        form = f"Zeek ({', '.join(reader.kinds)})" if isinstance(reader, Zeek) else reader.form
        self.sources.append(tally.source(form, list(reader.kinds), notes))

    def _add(self, row: Row, kind: str, tally: _Tally, number: int = 0) -> None:
        tally.rows += 1
        if self._sink is not None:
            self._sink(row, kind, tally.name, number or tally.rows)
        else:
            self.ledger.add(row, kind)

    def finish(self) -> Capture:
        """Everything that was read."""
        self.ledger.finish()
        capture = self.recorder.finish("; ".join(self.troubles), self.lost)
        del self.recorder                    # it holds a method of this run, and so all tables would outlive it
        spans = [span for span in ((capture.first_ns, capture.last_ns), (self.ledger.first, self.ledger.last))
                 if span[1]]
        return replace(
            capture, packets=capture.packets + self.ledger.packets, sources=tuple(self.sources),
            first_ns=min((first for first, _ in spans), default=0), last_ns=max((last for _, last in spans), default=0))


def read(*given: _Given, now: datetime) -> Capture:
    """Captures, flow records and logs, by path or as open binary streams, added up as if they were one.

    `Capture.sources` says of each file what it was and what of it was not read; `Capture.packets` are the frames of
    captures and the packets that records tell of. Raises `OSError` where a file itself cannot be opened or read.
    """
    run = _Run(now, several=len(given) > 1)
    for one in given:
        run.take(one)
    return run.finish()


def known_from(*given: _Given, now: datetime) -> tuple[tuple[Station, ...], tuple[Source, ...]]:
    """Who is named in flow records and logs as being on the site: inside addresses and MACs, each pair once.

    Captures are read for the export messages in them alone. Beyond 100,000 pairs new ones are left out and the source
    says so. Raises `OSError` where a file itself cannot be opened or read.
    """
    stations = _Stations()
    run = _Run(now, stations.note_row)
    for one in given:
        run.take(one)
    left_out = stations.left_out
    sources = [replace(source, notes=(*source.notes, f"{left_out[source.name]} stations were left out"))
               if left_out[source.name] else source for source in run.sources]
    return tuple(stations.found.values()), tuple(sources)


class _Stations:
    """Stations by MAC and address, in the order of their first mention."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Station] = {}
        self.left_out: Counter[str] = Counter()

    def note_row(self, row: Row, _kind: str, file: str, number: int) -> None:
        """Whoever one row names."""
        if isinstance(row, Flow):
            for mac, address in ((row.source_mac, row.source), (row.destination_mac, row.destination)):
                if _stands_inside(address):
                    self._note(Station(mac, address, "", row.start_ns, row.end_ns, file, number))
        elif isinstance(row, Question):
            if _stands_inside(row.client):
                self._note(Station("", row.client, "", row.at_ns, row.at_ns, file, number))
        elif isinstance(row, Lease):
            self._note(Station(row.mac, row.address, row.name, row.at_ns, row.at_ns, file, number))

    def _note(self, seen: Station) -> None:
        known = self.found.get((seen.mac, seen.address))
        if known is None:
            if len(self.found) >= _MAX_STATIONS:
                self.left_out[seen.file] += 1
            else:
                self.found[seen.mac, seen.address] = seen
            return
        first = min(known.first_ns or seen.first_ns, seen.first_ns or known.first_ns)
        if first < known.first_ns or seen.last_ns > known.last_ns or (seen.name and not known.name):
            self.found[seen.mac, seen.address] = replace(known, name=known.name or seen.name, first_ns=first,
                                                         last_ns=max(known.last_ns, seen.last_ns))
