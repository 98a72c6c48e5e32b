"""Suricata's eve.json: flow, netflow, dns (versions 1 to 3), tls, http, quic, ssh, dhcp and drop, a JSON object each.

Every event names the two ends of its flow; that of ``flow`` counts the traffic, the others say under which name. Events
of other types (alert, fileinfo, stats, …) are counted and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scanner.egress.names import is_host, is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Lease, Passed, Question, Row, Unread, protocol_number
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import port_of
from scanner.observation import Refusal
from scanner.wire import json
from scanner.wire.text import clean

__all__ = ["Eve"]

_TCP, _UDP, _PORTED, _DNS = 6, 17, frozenset({6, 17, 132}), 53
_SYN, _ACK = 0x02, 0x10
_MOST_ANSWERS = 64
_MOST_ASKED = 8_192
_SPOKEN = frozenset({"tls", "http", "quic", "ssh", "smtp", "ftp", "mqtt", "rdp", "rfb", "sip"})
_Ends = tuple[str, str, int, int, int]


class Eve:
    """Reads such objects, with or without a syslog header in front."""

    form: ClassVar[str] = "Suricata eve.json"
    marks: ClassVar[tuple[str, ...]] = ('"event_type"',)

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self._asked: dict[tuple[str, str], int] = {}
        self.kind = "suricata names"

    def read(self, line: str, _at: int | None) -> Iterator[Row]:
        """The flow, question, answer or lease of an event."""
        event = json.read(line[max(line.find("{"), 0):].encode())
        if isinstance(event, Refusal) or not isinstance(event, dict):
            yield Unread("a JSON object")
            return
        name = clean(json.scalar(event.get("event_type")), 32)
        at = self._stamps.read(json.scalar(event.get("timestamp")))
        read = {"flow": self._flow, "netflow": self._netflow, "dns": self._dns, "drop": self._drop}.get(name)
        if name == "dhcp":
            yield from self._lease(event, at or 0)
            return
        if read is None and name not in _SPOKEN:
            yield Passed(f"{name or 'nameless'} events")
            return
        ends = self._ends(event)
        if ends is None or at is None:
            yield Unread("a timestamp, src_ip, dest_ip and proto")
            return
        self.kind = "suricata names"
        yield from (read or self._spoken)(event, at, ends)

    def _ends(self, event: Mapping[str, json.Json]) -> _Ends | None:
        source = self._addresses.of(json.scalar(event.get("src_ip")))
        target = self._addresses.of(json.scalar(event.get("dest_ip")))
        protocol = protocol_number(json.scalar(event.get("proto")))
        near, far = (port_of(json.scalar(event.get(key))) for key in ("src_port", "dest_port"))
        if not source or not target or protocol is None or near is None or far is None:
            return None
        return (source, target, protocol, near, far) if protocol in _PORTED else (source, target, protocol, 0, 0)

    def _station(self, event: Mapping[str, json.Json]) -> str:
        ether = _part(event, "ether")
        told = ether.get("src_macs")
        mac = told[0] if isinstance(told, list) and told else ether.get("src_mac")
        return self._addresses.mac(json.scalar(mac))

    def _flow(self, event: Mapping[str, json.Json], at: int, ends: _Ends) -> Iterator[Row]:
        told = _part(event, "flow")
        start = self._stamps.read(json.scalar(told.get("start")))
        end = self._stamps.read(json.scalar(told.get("end")))
        start = start if start is not None else at
        self.kind = "suricata flow"
        sent, back, octets, back_octets = (_count(told.get(key)) for key in (
            "pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"))
        yield Flow(start, max(start, end or start), *ends, sent, octets, back, back_octets, opened=True,
                   source_mac=self._station(event), denied=json.scalar(told.get("action")) in {"drop", "reject"})

    def _netflow(self, event: Mapping[str, json.Json], at: int, ends: _Ends) -> Iterator[Row]:
        """One direction of a flow."""
        told = _part(event, "netflow")
        start = self._stamps.read(json.scalar(told.get("start")))
        end = self._stamps.read(json.scalar(told.get("end")))
        start = start if start is not None else at
        self.kind = "flows"
        yield Flow(start, max(start, end or start), *ends, _count(told.get("pkts")), _count(told.get("bytes")))

    def _drop(self, event: Mapping[str, json.Json], at: int, ends: _Ends) -> Iterator[Row]:
        told = _part(event, "drop")
        flags = (_SYN if told.get("syn") is True else 0) | (_ACK if told.get("ack") is True else 0)
        self.kind = "firewall"
        yield Flow(at, at, *ends, 1, _count(told.get("len")), denied=1, flags=flags if ends[2] == _TCP else 0)

    def _spoken(self, event: Mapping[str, json.Json], at: int, ends: _Ends) -> Iterator[Row]:
        """A hello or a request: what it says counts, its flow is told by an event of its own."""
        spoken = next((json.scalar(_part(event, kind).get("sni")) for kind in ("tls", "quic")
                       if _part(event, kind).get("sni")), "").lower().rstrip(".")
        host = json.scalar(_part(event, "http").get("hostname")).lower().partition(":")[0].rstrip(".")
        yield Flow(at, at, *ends, opened=True, source_mac=self._station(event), sni=spoken if is_host(spoken) else "",
                   http=host if is_host(host) else "")

    def _dns(self, event: Mapping[str, json.Json], at: int, ends: _Ends) -> Iterator[Row]:
        told = _part(event, "dns")
        source, target, _, near, far = ends
        # Some versions write an answer in the direction of its packet, others in that of its flow.
        client, resolver = (target, source) if near == _DNS and far != _DNS else (source, target)
        queries = told.get("queries") or told.get("query")
        asked = queries[0] if isinstance(queries, list) and queries and isinstance(queries[0], dict) else told
        name = json.scalar(asked.get("rrname")).lower().rstrip(".")
        if not is_host(name):
            yield Passed("dns events without a host's name")
            return
        if json.scalar(told.get("type")) in {"query", "request"}:
            self._note(client, name, at)
            yield Question(at, client, name, resolver=resolver, answered=True)
            return
        answers, aliases = self._answers(told)
        known = (client, name) in self._asked             # where questions are not logged, answers tell of them
        self._note(client, name, at)
        yield Question(at, client, name, tuple(answers), tuple(alias for alias in aliases if alias != name),
                       "" if known else resolver, answered=True, asked=not known)

    def _note(self, client: str, name: str, at: int) -> None:
        if len(self._asked) >= _MOST_ASKED:
            self._asked.clear()
        self._asked[client, name] = at

    def _answers(self, told: Mapping[str, json.Json]) -> tuple[list[str], list[str]]:
        """Addresses and aliases, from the list of answers, from the grouped ones, or from an answer's one record."""
        records = told.get("answers")
        values = [json.scalar(one.get("rdata")) for one in records[:_MOST_ANSWERS] if isinstance(one, dict)
                  ] if isinstance(records, list) else [json.scalar(told.get("rdata"))]
        for kind in ("A", "AAAA", "CNAME"):
            grouped = _part(told, "grouped").get(kind)
            values += map(json.scalar, grouped[:_MOST_ANSWERS]) if isinstance(grouped, list) else ()
        values = list(dict.fromkeys(filter(None, values)))
        addresses = [found for value in values if (found := self._addresses.of(value))]
        return addresses, [value.lower().rstrip(".") for value in values
                           if not self._addresses.of(value) and is_name(value.lower().rstrip("."))]

    def _lease(self, event: Mapping[str, json.Json], at: int) -> Iterator[Row]:
        told = _part(event, "dhcp")
        mac = self._addresses.mac(json.scalar(told.get("client_mac")))
        address = self._addresses.of(json.scalar(told.get("assigned_ip")))
        if json.scalar(told.get("dhcp_type")) not in {"ack", ""} or not mac or not address:
            yield Passed("dhcp events that give no address")
            return
        self.kind = "leases"
        yield Lease(at, mac, address, clean(json.scalar(told.get("hostname")), 128))


def _part(event: Mapping[str, json.Json], key: str) -> Mapping[str, json.Json]:
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def _count(value: json.Json) -> int:
    return min(max(value, 0), 1 << 62) if isinstance(value, int) and not isinstance(value, bool) else 0
