"""Flow records as routers export them: NetFlow 5, NetFlow 9 (RFC 3954) and IPFIX (RFC 7011), with biflows (RFC 5103).

Pure: octets of one message in, flows out. What a message needs that came in another (templates, sampling) is kept per
exporter and domain, all of it bounded. Data that comes before its template waits for it.
"""

from __future__ import annotations

import struct
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from scanner.imports.flow_logs.records import Header, Plan, flows_of, interval_of
from scanner.imports.flow_logs.rows import Addresses, Flow
from scanner.imports.flow_logs.templates import MAX_FIELDS, Field, Template

__all__ = ["MAX_TEMPLATES", "MAX_WAITING", "Exports"]

MAX_TEMPLATES = 4_096
MAX_WAITING = 4 << 20
"""Octets of data kept for templates that have not come yet."""
_OVERHEAD = 256
"""What a waiting set costs beside its octets."""
_MAX_SAMPLERS = 4_096
_MAX_UNKNOWN = 64
_V5_RECORD = struct.Struct(">4s4s8xIIIIHHxBBB8x")
_MILLION = 1_000_000


class _Key(NamedTuple):
    """Whose template: numbers are an exporter's own, per version and domain (RFC 7011 section 8)."""

    exporter: str
    version: int
    domain: int
    number: int


class _Waiting(NamedTuple):
    header: Header
    body: bytes


@dataclass(slots=True)
class _Sequence:
    """What an exporter's numbers say is missing; a number that goes back is a restart or a late message."""

    expected: dict[tuple[str, int, int], int] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def note(self, key: tuple[str, int, int], number: int, step: int, what: str, *, blind: bool = False) -> None:
        """A message with this number, which the next one exceeds by `step`; `blind`: by nobody knows how much."""
        expected = self.expected.get(key)
        ahead = 0 if expected is None else (number - expected) & 0xFFFFFFFF
        if 0 < ahead < 1 << 20:
            self.missing[what] += ahead
        if blind:
            self.expected.pop(key, None)
        elif expected is not None or len(self.expected) < _MAX_SAMPLERS:
            self.expected[key] = (number + step) & 0xFFFFFFFF


class Exports:
    """Reads export messages of any number of exporters, one after the other.

    Attributes:
        unread: records and sets that could not be read, by reason.
        exporters: messages by exporter and version.
    """

    def __init__(self, addresses: Addresses | None = None) -> None:
        self._addresses = addresses or Addresses()
        self._templates: dict[_Key, tuple[Template, Plan]] = {}
        self._waiting: dict[_Key, deque[_Waiting]] = {}
        self._waiting_octets = 0
        self._samplers: dict[tuple[str, int, int], int] = {}
        self._sequence = _Sequence()
        self.unread: Counter[str] = Counter()
        self.exporters: Counter[tuple[str, int]] = Counter()
        self.sampled: set[int] = set()
        self.timeless = 0
        self._records, self._blind = 0, False

    def read(self, data: bytes, exporter: str = "", seen_ns: int = 0) -> Iterator[Flow]:
        """The flows of one message from `exporter`, which came at `seen_ns` (0 where that is not known)."""
        if len(data) < 16:
            self.unread["messages cut short"] += 1
            return
        version = int.from_bytes(data[:2], "big")
        if (exporter, version) in self.exporters or len(self.exporters) < _MAX_SAMPLERS:
            self.exporters[exporter, version] += 1
        if version == 5:
            yield from self._version5(data, exporter)
        elif version == 9 and len(data) >= 20:
            _, uptime, seconds, sequence, domain = struct.unpack_from(">HIIII", data, 2)
            self._sequence.note((exporter, 9, domain), sequence, 1, "NetFlow 9 messages")
            header = Header(exporter, 9, domain, seconds * 1_000 * _MILLION, uptime)
            yield from self._sets(data, 20, header)
        elif version == 10:
            size, seconds, sequence, domain = struct.unpack_from(">HIII", data, 2)
            header = Header(exporter, 10, domain, seconds * 1_000 * _MILLION or seen_ns, None)
            self._records, self._blind = 0, False
            yield from self._sets(data[:size], 16, header)
            self._sequence.note((exporter, 10, domain), sequence, self._records, "IPFIX records", blind=self._blind)
        else:
            self.unread["messages of an unknown version or cut short"] += 1

    def finish(self) -> None:
        """Count the data whose template never came."""
        for key, waiting in self._waiting.items():
            self._count(f"sets of template {key.number}, which never came", len(waiting))
        self._waiting.clear()
        self._waiting_octets = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: exporters, sampling, what is missing by the exporters' own numbers."""
        told = [f"{count} messages" + (f" from {name}" if name else "")
                for (name, _), count in self.exporters.most_common(4)]
        if len(self.exporters) > 4:
            told.append(f"and {len(self.exporters) - 4} more exporters")
        if self.sampled:
            rates = ", ".join(f"1 in {rate}" for rate in sorted(self.sampled)[:4])
            told.append(f"sampled {rates}: packets and bytes are estimates, and rare traffic may be missing altogether")
        told += [f"{count} {what} missing by the exporter's own numbers"
                 for what, count in self._sequence.missing.items()]
        if self.timeless:
            told.append(f"{self.timeless} records carry no time of their own: that of their message stands for it")
        return tuple(told)

    def _count(self, reason: str, times: int = 1) -> None:
        self.unread[reason if reason in self.unread or len(self.unread) < _MAX_UNKNOWN else "other"] += times

    def _version5(self, data: bytes, exporter: str) -> Iterator[Flow]:
        if len(data) < 24:
            self.unread["messages cut short"] += 1
            return
        count, uptime, seconds, part, sequence, _, engine, sampling = struct.unpack_from(">HIIIIBBH", data, 2)
        at_ms = seconds * 1_000 + min(part, 999_999_999) // _MILLION
        rate = sampling & 0x3FFF
        scale = max(1, rate)
        if scale > 1:
            self.sampled.add(scale)
        self._sequence.note((exporter, 5, engine), sequence, count, "NetFlow 5 records")
        held = (len(data) - 24) // 48
        if held < count:
            self.unread["records cut short"] += count - held
        body = memoryview(data)[24:24 + 48 * min(count, held)]
        of = self._addresses.of
        for source, destination, packets, octets, first, last, near, far, flags, protocol, _tos in \
                _V5_RECORD.iter_unpack(body):
            here, there = of(source), of(destination)
            if not here or not there:
                self.unread["records without two addresses"] += 1
                continue
            start, end = _since(at_ms, uptime, first), _since(at_ms, uptime, last)
            yield Flow(start, max(start, end), here, there, protocol, near, far, packets * scale, octets * scale,
                       flags=flags, scale=scale)

    def _sets(self, data: bytes, at: int, header: Header) -> Iterator[Flow]:
        first_template = 0 if header.version == 9 else 2
        while at + 4 <= len(data):
            number, size = struct.unpack_from(">HH", data, at)
            if size < 4 or at + size > len(data):
                self.unread["sets cut short"] += 1
                return
            body = data[at + 4:at + size]
            at += size
            if number >= 256:
                yield from self._data(_Key(header.exporter, header.version, header.domain, number), header, body)
            elif number == first_template:
                yield from self._learn(body, header, options=False)
            elif number == first_template + 1:
                yield from self._learn(body, header, options=True)
            else:
                self._count(f"sets with the reserved number {number}")

    def _learn(self, body: bytes, header: Header, *, options: bool) -> Iterator[Flow]:
        """The templates of one set, and the flows that were waiting for them."""
        at = 0
        while at + 4 <= len(body):
            number, count = struct.unpack_from(">HH", body, at)
            if number < 256:
                if any(body[at:]):                       # else padding
                    self._count("templates with a reserved number" if count else "templates withdrawn")
                self._withdraw(header, number, count)
                return
            at, fields = self._fields(body, at, header.version, options=options)
            if not fields:
                if (count and header.version == 10) or at < 0:
                    self._count("templates cut short or too long")
                    return
                self._templates.pop(_Key(header.exporter, header.version, header.domain, number), None)
                continue
            template = Template(fields, options=options)
            key = _Key(header.exporter, header.version, header.domain, number)
            if not template.sound:
                self._count("templates whose records have no length")
                self._templates.pop(key, None)
                continue
            if key not in self._templates and len(self._templates) >= MAX_TEMPLATES:
                self._count("templates beyond the number that is kept")
                continue
            self._templates[key] = (template, Plan(template))
            yield from self._replay(key)

    def _withdraw(self, header: Header, number: int, count: int) -> None:
        """All templates of a domain are withdrawn with the number of the set (RFC 7011 section 8.1)."""
        if header.version == 10 and count == 0 and number in {2, 3}:
            for key in [k for k in self._templates if k[:3] == (header.exporter, header.version, header.domain)]:
                if self._templates[key][0].options == (number == 3):
                    del self._templates[key]

    @staticmethod
    def _fields(body: bytes, at: int, version: int, *, options: bool) -> tuple[int, list[Field]]:
        """The fields of one template and where the next begins; no fields and -1 where they are cut or too many."""
        if version == 9 and options:
            if at + 6 > len(body):
                return -1, []
            scope, other = struct.unpack_from(">HH", body, at + 2)
            scopes, count = scope // 4, (scope + other) // 4
            at += 6
        else:
            scopes, count = 0, int.from_bytes(body[at + 2:at + 4], "big")
            at += 4
            if options and count:
                scopes = int.from_bytes(body[at:at + 2], "big")
                at += 2
        if count > MAX_FIELDS:
            return -1, []
        fields = []
        for place in range(count):
            if at + 4 > len(body):
                return -1, []
            number, size = struct.unpack_from(">HH", body, at)
            at += 4
            enterprise = 0
            if version == 10 and number & 0x8000:
                if at + 4 > len(body):
                    return -1, []
                enterprise, number = int.from_bytes(body[at:at + 4], "big"), number & 0x7FFF
                at += 4
            # What NetFlow 9 calls System, Interface, … in a scope are numbers of their own (RFC 3954 section 6.1).
            fields.append(Field(-1 if version == 9 and place < scopes else enterprise, number, size))
        return at, fields

    def _data(self, key: _Key, header: Header, body: bytes) -> Iterator[Flow]:
        known = self._templates.get(key)
        if known is None:
            self._blind = True
            self._wait(key, _Waiting(header, body))
            return
        template, plan = known
        self._blind |= template.variable
        self._records += 0 if template.variable else len(body) // template.size
        if template.options:
            self._options(template, header, body)
            return
        for flow in flows_of(template.records(body), plan, header, self._addresses, self._scale):
            if isinstance(flow, str):
                self._count(flow)
                continue
            if flow.scale > 1 and len(self.sampled) < _MAX_UNKNOWN:
                self.sampled.add(flow.scale)
            yield flow
        self.timeless += plan.timeless
        plan.timeless = 0

    def _wait(self, key: _Key, waiting: _Waiting) -> None:
        self._waiting.setdefault(key, deque()).append(waiting)
        self._waiting_octets += len(waiting.body) + _OVERHEAD
        while self._waiting_octets > MAX_WAITING:
            longest_waiting = next(iter(self._waiting))
            oldest = self._waiting[longest_waiting].popleft()
            if not self._waiting[longest_waiting]:
                del self._waiting[longest_waiting]
            self._waiting_octets -= len(oldest.body) + _OVERHEAD
            self._count(f"sets of template {longest_waiting.number}, which never came")

    def _replay(self, key: _Key) -> Iterator[Flow]:
        for waiting in self._waiting.pop(key, ()):
            self._waiting_octets -= len(waiting.body) + _OVERHEAD
            yield from self._data(key, waiting.header, waiting.body)

    def _options(self, template: Template, header: Header, body: bytes) -> None:
        """What an exporter says of its sampling."""
        sampler, any_interval = template.place("sampler"), {"interval", "sampler_interval", "sample_size"}
        if not any_interval & template.places.keys():
            return
        for values in template.records(body):
            rate = interval_of(values, template)
            key = (header.exporter, header.domain, values[sampler])
            if key in self._samplers or len(self._samplers) < _MAX_SAMPLERS:
                self._samplers[key] = rate

    def _scale(self, header: Header, sampler: int) -> int:
        """How many packets stand behind each counted one, as far as an exporter said so."""
        if not self._samplers:
            return 1
        found = self._samplers.get((header.exporter, header.domain, sampler))
        return found or self._samplers.get((header.exporter, header.domain, 0), 1)


def _since(at_ms: int, uptime: int, moment: int) -> int:
    """A time told in milliseconds since the exporter started, which begins anew every 49.7 days, in nanoseconds."""
    ago = (uptime - moment) & 0xFFFFFFFF
    return max(0, at_ms - (ago if ago < 1 << 31 else ago - (1 << 32))) * _MILLION
