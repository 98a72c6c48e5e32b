"""Flow logs of clouds in JSON: Azure (network security groups, versions 1 and 2; virtual networks) and Google's VPC.

Those of AWS are a table, see `headed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Row, Unread, protocol_number
from scanner.imports.flow_logs.sessions import Sessions
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, port_of
from scanner.observation import Refusal
from scanner.wire import json

__all__ = ["Azure", "Google"]

_PORTED = frozenset({6, 17, 132})
_PROTOCOLS = {"T": 6, "U": 17}


def _object(line: str) -> dict[str, json.Json] | None:
    value = json.read(line[max(line.find("{"), 0):].encode())
    return None if isinstance(value, Refusal) or not isinstance(value, dict) else value


class Azure:
    """One record: the flows of a minute as tuples, told under the MAC of the machine's own interface."""

    form: ClassVar[str] = "Azure flow log"
    kind: ClassVar[str] = "sessions"
    marks: ClassVar[tuple[str, ...]] = ('"flowTuples"',)

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self._sessions = Sessions()

    def read(self, line: str, _at: int | None) -> Iterator[Row]:
        """The flows of a record."""
        record = _object(line)
        if record is None:
            yield Unread("a record of flow tuples, of at most 1 MiB")
            return
        station = self._addresses.mac(json.scalar(record.get("macAddress")))
        # Outside of the flow itself every object that holds tuples holds them under the same key.
        for node in json.walk(record):
            tuples = node.get("flowTuples")
            if isinstance(tuples, list):
                mac = self._addresses.mac(json.scalar(node.get("mac"))) or station
                for one in tuples:
                    yield self._flow(json.scalar(one).split(","), mac)

    def _flow(self, cells: list[str], mac: str) -> Row:
        """Time, addresses, ports, protocol, way, then: decision, state, counts (NSG), or state, encryption, counts."""
        cells += [""] * (13 - len(cells))
        at = self._stamps.read(cells[0])
        source, target = self._addresses.of(cells[1]), self._addresses.of(cells[2])
        near, far = port_of(cells[3]), port_of(cells[4])
        group = cells[5] in _PROTOCOLS                   # a network security group's, which knows two protocols
        protocol = _PROTOCOLS[cells[5]] if group else protocol_number(cells[5])
        if at is None or not source or not target or near is None or far is None or protocol is None:
            return Unread("a flow tuple: time, addresses, ports, protocol, direction, …")
        denied = cells[7] == "D"
        state = cells[8] if group else cells[7]
        if protocol not in _PORTED:
            near = far = 0
        key = (source, target, near, far, protocol)
        sent, octets, back, back_octets = map(count_of, cells[9:13])
        if denied or not state:                          # version 1 tells of the opening alone
            sent = max(sent, 1)
        elif state == "B" and not sent:
            sent, octets, back, back_octets = self._sessions.opens(key)
        else:                                            # each later tuple counts what came since the one before
            sent, octets, back, back_octets = self._sessions.adds(key, (sent, octets, back, back_octets), goes_on=False)
        outward = cells[6] == "O"
        return Flow(at, at, source, target, protocol, near, far, sent, octets, back, back_octets, opened=True,
                    source_mac=mac if outward else "", destination_mac="" if outward else mac, denied=denied)


class Google:
    """One entry of Cloud Logging: one direction of a connection, as one of its two ends reports it."""

    form: ClassVar[str] = "Google VPC flow log"
    marks: ClassVar[tuple[str, ...]] = ('"jsonPayload"', '"reporter"')

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self.kind = "flows"

    def read(self, line: str, _at: int | None) -> Iterator[Row]:
        """The flow of an entry; what both ends in the same network may report is kept apart by its reporter."""
        if '"connection"' not in line:
            return
        entry = _object(line)
        if entry is None:
            yield Unread("a JSON object")
            return
        payload = _inner(entry, "jsonPayload") or entry
        ends = _inner(payload, "connection")
        if not ends:
            yield Passed("entries of other logs")
            return
        both = json.scalar(payload.get("reporter")).upper() == "DEST" and bool(payload.get("src_instance"))
        self.kind = "sessions" if both else "flows"      # of two kinds of sources the larger figure counts
        source, target = (self._addresses.of(json.scalar(ends.get(key))) for key in ("src_ip", "dest_ip"))
        near, far = (port_of(json.scalar(ends.get(key))) for key in ("src_port", "dest_port"))
        protocol = protocol_number(json.scalar(ends.get("protocol")))
        start = self._stamps.read(json.scalar(payload.get("start_time") or entry.get("timestamp")))
        end = self._stamps.read(json.scalar(payload.get("end_time")))
        if not source or not target or protocol is None or near is None or far is None or start is None:
            yield Unread("a connection with addresses, ports and protocol, and a start_time")
            return
        if protocol not in _PORTED:
            near = far = 0
        self._stamps.assumed["packets and bytes are Google's estimates from sampled packets"] = None
        yield Flow(start, max(start, end or start), source, target, protocol, near, far,
                   count_of(json.scalar(payload.get("packets_sent"))), count_of(json.scalar(payload.get("bytes_sent"))))


def _inner(value: Mapping[str, json.Json], key: str) -> Mapping[str, json.Json]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
