"""One record of NetFlow 9 or IPFIX as a flow: which of its fields say when, who, how much, and which way round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from scanner.egress.names import is_name
from scanner.imports.flow_logs.rows import Addresses, Flow
from scanner.imports.flow_logs.templates import Template, Value

__all__ = ["Header", "Plan", "flows_of", "interval_of"]

_MILLION = 1_000_000
_SECOND = 1_000_000_000
_NTP_EPOCH = 2_208_988_800
_LATEST = 1 << 62
_ICMP, _ICMP6, _TCP, _UDP, _SCTP = 1, 58, 6, 17, 132
_DENIED = 3
_FROM_THE_BACK = 2
_MOST = 1 << 53
_PORTED = frozenset({_TCP, _UDP, _SCTP})


class Header(NamedTuple):
    """What the header of a message says for all its records; `uptime_ms` is of NetFlow 9 alone."""

    exporter: str
    version: int
    domain: int
    at_ns: int
    uptime_ms: int | None


class Plan:
    """Where each meaning stands in the records of one template, looked up once.

    Where several fields can say the same (a count that starts anew with each record, and a total), the first one that
    the template has is taken. `timeless` counts the records that had no time of their own.
    """

    def __init__(self, template: Template) -> None:
        at = template.place

        def first(*meanings: str) -> int:
            return next((at(meaning) for meaning in meanings if meaning in template.places), -1)

        self.source4, self.source6 = at("source4"), at("source6")
        self.destination4, self.destination6 = at("destination4"), at("destination6")
        self.source_mac = first("source_mac", "post_source_mac")
        self.destination_mac = first("post_destination_mac", "destination_mac")
        self.source_port = first("source_port", "tcp_source_port", "udp_source_port")
        self.destination_port = first("destination_port", "tcp_destination_port", "udp_destination_port")
        self.protocol, self.flags = at("protocol"), at("flags")
        self.packets = first("packets", "initiator_packets", "total_packets")
        self.octets = first("octets", "initiator_octets", "total_octets", "layer2_octets")
        self.back_packets = first("back_packets", "responder_packets", "back_total_packets")
        self.back_octets = first("back_octets", "responder_octets", "back_total_octets")
        self.firewall_event, self.forwarding = at("firewall_event"), at("forwarding")
        self.direction = at("biflow_direction")
        self.interval, self.sampler = at("interval"), at("sampler")
        self.http_host = at("http_host")
        self.two_way = self.back_packets >= 0 or self.back_octets >= 0
        self.times = _times(template)
        self.duration = _first_scaled(template, (("duration_ms", _MILLION), ("duration_us", 1_000)))
        self.boot = at("boot_ms")
        self.ups = (at("first_up"), at("last_up"))
        self.refuses = self.firewall_event >= 0 or self.forwarding >= 0
        self.timeless = 0


def _first_scaled(template: Template, choices: Iterable[tuple[str, int]]) -> tuple[int, int]:
    return next(((template.place(name), scale) for name, scale in choices if name in template.places), (-1, 0))


def _times(template: Template) -> tuple[Callable[[int, Header], int] | None, int, int]:
    """How to read the times of a record, and where start and end stand."""
    for reader, start, end in _TIMES:
        if start in template.places or end in template.places:
            return reader, template.place(start), template.place(end)
    return None, -1, -1


def _ntp(value: int, _header: Header) -> int:
    """RFC 7011 section 6.1.9: seconds since 1900 in the upper half, fractions of one in the lower."""
    return ((value >> 32) - _NTP_EPOCH) * _SECOND + ((value & 0xFFFFFFFF) * _SECOND >> 32)


_TIMES: tuple[tuple[Callable[[int, Header], int], str, str], ...] = (
    (lambda value, _: value * _MILLION, "start_ms", "end_ms"),
    (_ntp, "start_ntp_ns", "end_ntp_ns"),
    (_ntp, "start_ntp", "end_ntp"),
    (lambda value, _: value * _SECOND, "start_s", "end_s"),
    (lambda value, header: header.at_ns - value * 1_000, "start_delta", "end_delta"),
    (lambda value, _: value * _MILLION, "observed_ms", "observed_ms"),
    (lambda value, _: value * _SECOND, "observed_s", "observed_s"),
)


def interval_of(values: tuple[Value, ...], template: Template) -> int:
    """How many packets stand behind each sampled one, as an options record says; 1 where it says nothing."""
    def told(meaning: str) -> int:
        return int(values[template.place(meaning)])

    if told("sample_size"):
        return min(max(1, told("sample_population") // told("sample_size")), 1 << 24)
    interval, space = told("interval") or told("sampler_interval"), told("interval_space")
    if space and interval:
        interval = (interval + space) // interval
    return min(max(1, interval), 1 << 24)


def flows_of(records: Iterable[tuple[Value, ...]], plan: Plan, header: Header, addresses: Addresses,
             scale_of: Callable[[Header, int], int]) -> Iterator[Flow | str]:
    """A flow, or why there is none, for each record."""
    for values in records:
        source = _end(values, plan.source4, plan.source6, addresses)
        destination = _end(values, plan.destination4, plan.destination6, addresses)
        if not source or not destination:
            yield "records without two addresses"
            continue
        start, end = _span(values, plan, header)
        yield _flow(values, plan, header, (source, destination), (start, end), addresses, scale_of)


def _end(values: tuple[Value, ...], four: int, six: int, addresses: Addresses) -> str:
    octets = values[four]
    found = addresses.of(octets) if octets else ""
    if not found and six >= 0:
        octets = values[six]
        found = addresses.of(octets) if octets else ""
    return found


def _flow(values: tuple[Value, ...], plan: Plan, header: Header, ends: tuple[str, str], span: tuple[int, int],
          addresses: Addresses, scale_of: Callable[[Header, int], int]) -> Flow:
    protocol = values[plan.protocol]
    if protocol in _PORTED:
        near, far = values[plan.source_port], values[plan.destination_port]
    else:
        near = far = 0
        protocol = _ICMP if protocol == _ICMP6 else protocol
    scale = values[plan.interval] if plan.interval >= 0 else scale_of(header, values[plan.sampler])
    scale = min(max(scale, 1), 1 << 24)
    packets = min(values[plan.packets], _MOST) if plan.packets >= 0 else 1
    mac = addresses.mac
    source_mac, destination_mac, host = values[plan.source_mac], values[plan.destination_mac], values[plan.http_host]
    turned = plan.two_way and values[plan.direction] == _FROM_THE_BACK
    flow = Flow(
        span[0], span[1], ends[0], ends[1], protocol, near, far, packets * scale,
        min(values[plan.octets], _MOST) * scale, min(values[plan.back_packets], _MOST) * scale,
        min(values[plan.back_octets], _MOST) * scale, plan.two_way, mac(source_mac) if source_mac else "",
        mac(destination_mac) if destination_mac else "",
        plan.refuses and (values[plan.firewall_event] == _DENIED or _dropped(values[plan.forwarding])),
        values[plan.flags], scale, "", _host(host) if host else "")
    return _turned(flow) if turned else flow


def _turned(flow: Flow) -> Flow:
    """A biflow whose record was made from the way back (RFC 5103 section 6.3): its destination opened it."""
    return flow._replace(
        source=flow.destination, destination=flow.source, source_port=flow.destination_port,
        destination_port=flow.source_port, packets=flow.back_packets, octets=flow.back_octets,
        back_packets=flow.packets, back_octets=flow.octets, source_mac=flow.destination_mac,
        destination_mac=flow.source_mac, opened=True)


def _dropped(status: int) -> bool:
    """Forwarding status (RFC 7270 section 4.12): the upper two of eight bits are 2 where a packet was dropped."""
    return (status >> 6 if status < 256 else status >> 30) == 2


def _host(octets: bytes) -> str:
    name = octets.rstrip(b"\0").decode("ascii", "replace").lower().partition(":")[0]
    return name if is_name(name) else ""


def _span(values: tuple[Value, ...], plan: Plan, header: Header) -> tuple[int, int]:
    """When a record begins and ends, in nanoseconds, never before 1970."""
    reader, first, last = plan.times
    start = end = 0
    if reader is not None:
        begun, ended = values[first], values[last]
        start = reader(begun, header) if begun else 0
        end = reader(ended, header) if ended else 0
    elif plan.ups != (-1, -1):
        start, end = _by_uptime(values, plan, header)
    if start <= 0 and end <= 0:
        plan.timeless += 1
        start = end = header.at_ns
    place, scale = plan.duration
    length = values[place]
    if length and length * scale < _LATEST:
        end = end if end > 0 else start + length * scale
        start = start if start > 0 else end - length * scale
    start = min(max(start if start > 0 else end, 0), _LATEST)
    return start, min(max(end, start), _LATEST)


def _by_uptime(values: tuple[Value, ...], plan: Plan, header: Header) -> tuple[int, int]:
    """Times in milliseconds since the exporter started; its clock begins anew every 49.7 days."""
    boot = values[plan.boot]
    found = []
    for place in plan.ups:
        moment = values[place]
        if place < 0:
            found.append(0)
        elif header.uptime_ms is not None:
            ago = (header.uptime_ms - moment) & 0xFFFFFFFF
            found.append(header.at_ns - (ago if ago < 1 << 31 else ago - (1 << 32)) * _MILLION)
        else:
            found.append((boot + moment) * _MILLION if boot else 0)
    return found[0], found[1]
