"""Firewall logs line by line: Cisco ASA and FTD, pf's filterlog (pfSense, OPNsense), Palo Alto traffic logs.

What writes ``key=value`` (netfilter, FortiGate, CEF and others) is `firewall_pairs`. Every reader takes a line and the
time its syslog header carries, and answers with flows; an attempt that was refused keeps that, for it was an attempt.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import ClassVar

from scanner.egress.names import is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Row, Unread, protocol_number
from scanner.imports.flow_logs.sessions import Sessions
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, flags_of, is_denied, port_of

__all__ = ["Asa", "Filterlog", "PaloAlto"]

_SECOND = 1_000_000_000
_SYN, _ACK = 0x02, 0x10
_TCP, _PORTED = 6, frozenset({6, 17, 132})
_MAX_CONNECTIONS = 200_000
_LONGEST = 1_024
"""Characters of a message of Cisco's that are looked at."""
_NO_TIME = "a time at the beginning of the line"


class Asa:
    """Cisco ASA and FTD: connections built and torn down (302013 to 302021), and what was denied (106001 to 106100).

    FTD's connection events (430002, 430003) name their fields and are read by `firewall_pairs`.
    """

    form: ClassVar[str] = "Cisco ASA log"
    kind: ClassVar[str] = "firewall"
    marks: ClassVar[tuple[str, ...]] = ("%ASA-", "%FTD-")
    _END = r"(?:[\w .-]{1,64}:)?([0-9a-fA-F.:]+)/(\w[\w-]*)"
    _BUILT = re.compile(rf"Built (inbound|outbound) (\w+) connection (\d+) for {_END}.*? to {_END}")
    _TORN = re.compile(rf"Teardown (\w+) connection (\d+) for {_END}.*? to {_END}.*? duration (\d+):(\d\d):(\d\d) "
                       r"bytes (\d+)")
    _ICMP = re.compile(r"(Built|Teardown)(?: (inbound|outbound))? ICMP connection for faddr (?:[\w .-]{1,64}:)?"
                       r"([0-9a-fA-F.:]+)/\d+.{0,128}? laddr (?:[\w .-]{1,64}:)?([0-9a-fA-F.:]+)/\d+")
    _HITS = re.compile(r" hit-cnt (\d{1,9})\b")
    _EVENT = re.compile(r"%(?:ASA|FTD)-\w*-?\d-(\d{6})\b")
    _DENIED = re.compile(r"(?i)Deny (?:inbound |outbound )?(\S+)(?: \(no connection\))?(?: reverse path check)? src "
                         r"(?:[\w .-]{1,64}:)?([0-9a-fA-F.:]+)(?:/(\w[\w-]*))?(?:\([^)]*\))? dst "
                         r"(?:[\w .-]{1,64}:)?([0-9a-fA-F.:]+)(?:/(\w[\w-]*))?")
    _FROM = re.compile(r"(?i)(?:Inbound (\w+) connection denied|Deny (?:inbound )?(\w+)"
                       r"(?: \(no connection\)| reverse path check)?"
                       r"|\b(\w{1,16}) (?:access denied by ACL|request discarded)) from "
                       r"([0-9a-fA-F.:]+)(?:/(\w[\w-]*))? to (?:[\w .-]{1,64}:)?([0-9a-fA-F.:]+)(?:/(\w[\w-]*))?")
    _FETCHED = re.compile(r"([0-9a-fA-F.:]{2,45})(?:\([^)]{0,64}\))? Accessed (?:JAVA )?URL ([0-9a-fA-F.:]{2,45}):"
                          r"(https?)://([\w.-]{1,253})(?::(\d{1,5}))?")
    _LIST = re.compile(r"access-list \S+ (permitted|denied|est-allowed) (\w+) [^/]{1,64}/([0-9a-fA-F.:]+)\((\w[\w-]*)\)"
                       r".*?-> [^/]{1,64}/([0-9a-fA-F.:]+)\((\w[\w-]*)\)")
    _TOLD = re.compile(r"%(?:ASA|FTD)-\w*-?\d-"
                       r"(30201[3-6]|30202[01]|1060(?:01|06|07|14|15|21|23)|106100|304001|71000[35])\b")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses = addresses
        self._built: dict[str, bool] = {}                # by number of the connection: whether its first end opened it
        self._echoes: dict[tuple[str, str], bool] = {}   # ICMP has no number: by its two ends, whether it came inbound
        self._stamps = stamps

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The flow of a line; messages of other numbers tell of none, and which they were is said."""
        told = self._TOLD.search(line)
        if told is None:
            other = self._EVENT.search(line)
            if other is None or "SrcIP: " not in line:
                yield Passed(f"message {other[1]}" if other else "messages without a number")
            return
        text = line[told.end():told.end() + _LONGEST]
        number = told[1]
        if at is None:
            yield Unread(_NO_TIME)
        elif number in {"302013", "302015"} and (match := self._BUILT.search(text)):
            yield self._opening(match, at)
        elif number in {"302014", "302016"} and (match := self._TORN.search(text)):
            yield self._closing(match, at)
        elif number in {"302020", "302021"} and (match := self._ICMP.search(text)):
            yield self._echo(match, at)
        elif match := self._LIST.search(text):
            yield self._listed(match, at, self._HITS.search(text))
        elif match := self._DENIED.search(text):
            yield self._single(at, match[1], (match[2], match[3]), (match[4], match[5]), denied=True)
        elif match := self._FROM.search(text):
            protocol = match[1] or match[2] or match[3]
            yield self._single(at, protocol, (match[4], match[5]), (match[6], match[7]), denied=True)
        elif match := self._FETCHED.search(text):
            yield self._fetched(match, at)
        else:
            yield Unread(f"message {number} as Cisco documents it")

    def _opening(self, match: re.Match[str], at: int) -> Row:
        way, protocol, number, one, one_port, two, two_port = match.groups()
        inbound = way == "inbound"
        if len(self._built) >= _MAX_CONNECTIONS:
            self._built.clear()
        self._built[number] = inbound
        near, far = ((one, one_port), (two, two_port)) if inbound else ((two, two_port), (one, one_port))
        return self._single(at, protocol, near, far, denied=False)

    def _closing(self, match: re.Match[str], at: int) -> Row:
        """What was carried is told for both directions together, so nothing of it can be called sent."""
        protocol, number, one, one_port, two, two_port, hours, minutes, seconds, octets = match.groups()
        begun = at - min(int(hours[:6]) * 3_600 + int(minutes) * 60 + int(seconds), 1 << 32) * _SECOND
        first_opened = self._built.pop(number, None)
        near, far = ((one, one_port), (two, two_port)) if first_opened else ((two, two_port), (one, one_port))
        row = self._single(max(begun, 0), protocol, near, far, denied=False)
        if isinstance(row, Flow):
            row = row._replace(end_ns=at, packets=0 if first_opened is not None else 1, back_octets=count_of(octets),
                               opened=first_opened is not None)
        return row

    def _echo(self, match: re.Match[str], at: int) -> Row:
        """The local address called, or where it is said to have come inbound, was called; its end adds nothing."""
        event, way, foreign, local = match.groups()
        inbound = way == "inbound" if way else self._echoes.get((foreign, local), False)
        known = event == "Teardown" and self._echoes.pop((foreign, local), None) is not None
        if event == "Built":
            if len(self._echoes) >= _MAX_CONNECTIONS:
                self._echoes.clear()
            self._echoes[foreign, local] = inbound
        near, far = (foreign, local) if inbound else (local, foreign)
        row = self._single(at, "icmp", (near, None), (far, None), denied=False)
        return row._replace(packets=0) if known and isinstance(row, Flow) else row

    def _fetched(self, match: re.Match[str], at: int) -> Row:
        """A request that the inspection saw; its connection is told by messages of its own, so it counts no packet."""
        near, far, scheme, name, port = match.groups()
        row = self._single(at, "tcp", (near, None), (far, port or scheme), denied=False)
        host = name.lower().rstrip(".")
        return row._replace(packets=0, http=host if is_name(host) else "") if isinstance(row, Flow) else row

    def _listed(self, match: re.Match[str], at: int, hits: re.Match[str] | None) -> Row:
        """A rule's hits since its last line; each is a packet or a connection of its own."""
        denied = match[1] == "denied"
        row = self._single(at, match[2], (match[3], match[4]), (match[5], match[6]), denied=denied)
        count = max(int(hits[1]), 1) if hits else 1
        return row._replace(packets=count, denied=count if denied else 0) if isinstance(row, Flow) else row

    def _single(self, at: int, protocol: str, near: tuple[str, str | None], far: tuple[str, str | None], *,
                denied: bool) -> Row:
        source, destination = self._addresses.of(near[0]), self._addresses.of(far[0])
        ports = port_of(near[1] or ""), port_of(far[1] or "")
        number = protocol_number(protocol)
        if not source or not destination or number is None:
            return Unread("two addresses and a protocol")
        here, there = (ports[0] or 0, ports[1] or 0) if number in _PORTED else (0, 0)
        return Flow(at, at, source, destination, number, here, there, opened=True, denied=denied)


class Filterlog:
    """pf's filterlog as pfSense and OPNsense write it: one line of CSV a logged packet."""

    form: ClassVar[str] = "filterlog (pfSense, OPNsense)"
    kind: ClassVar[str] = "firewall"
    marks: ClassVar[tuple[str, ...]] = ("filterlog",)
    _BODY = re.compile(r"filterlog(?:\[\d+\])?(?: \d+ \S+ (?:\[[^\]]*\]|-))?:? +(.*)")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses = addresses
        self._stamps = stamps

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The packet of a line."""
        body = self._BODY.search(line)
        if body is None:
            return
        cells = body[1].strip().split(",")
        version = cells[8] if len(cells) > 8 else ""
        first = {"4": 16, "6": 12}.get(version)
        if first is None or len(cells) < first + (5 if version == "6" else 4):
            yield Unread("filterlog's fields: rule, …, action, direction, 4 or 6, …, protocol, length, addresses")
            return
        if at is None:
            yield Unread(_NO_TIME)
            return
        number = protocol_number(cells[first]) if version == "4" else protocol_number(cells[13])
        source, destination = (self._addresses.of(cells[first + place + (1 if version == "6" else 0)])
                               for place in (2, 3))
        rest = cells[first + (5 if version == "6" else 4):]
        if not source or not destination or number is None:
            yield Unread("two addresses and a protocol in filterlog's fields")
            return
        ports = (port_of(rest[0]), port_of(rest[1])) if number in _PORTED and len(rest) >= 2 else (0, 0)
        flags = flags_of(rest[3]) if number == _TCP and len(rest) > 3 else 0
        size = count_of(cells[first + (2 if version == "6" else 1)])
        yield Flow(at, at, source, destination, number, ports[0] or 0, ports[1] or 0, 1, size,
                   opened=number != _TCP or flags & (_SYN | _ACK) == _SYN, denied=is_denied(cells[6]), flags=flags)


class PaloAlto:
    """Palo Alto traffic logs in their default order, as syslog or as the firewall exports them."""

    form: ClassVar[str] = "Palo Alto traffic log"
    kind: ClassVar[str] = "sessions"
    marks: ClassVar[tuple[str, ...]] = (",TRAFFIC,",)
    _BODY = re.compile(r"(?:^|[ ,])([^ ,]*,[^,]{10,40},[^,]*,TRAFFIC,.*)")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses = addresses
        self._stamps = stamps
        self._sessions = Sessions()

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The session of a line."""
        body = self._BODY.search(line)
        try:
            cells = next(csv.reader([body[1]]), []) if body else []
        except csv.Error:
            cells = []
        if len(cells) < 37:
            yield Unread("the fields of a traffic log, up to the elapsed time")
            return
        start = self._stamps.read(cells[35]) or self._stamps.read(cells[6]) or at
        source, destination = self._addresses.of(cells[7]), self._addresses.of(cells[8])
        near, far, number = port_of(cells[24]), port_of(cells[25]), protocol_number(cells[29])
        if start is None or not source or not destination or number is None or near is None or far is None:
            yield Unread("a time, two addresses, two ports and a protocol in a traffic log's places")
            return
        if number not in _PORTED:
            near = far = 0
        lasted = count_of(cells[36]) * _SECOND if len(cells[36]) < 9 else 0
        sent = count_of(cells[44]) if len(cells) > 45 else count_of(cells[34])
        back = count_of(cells[45]) if len(cells) > 45 else 0
        key = (source, destination, near, far, number, cells[22])
        denied = is_denied(cells[30]) or cells[4] in {"drop", "deny"}
        totals = (sent or 1, count_of(cells[32]), back, count_of(cells[33]))
        if cells[4] == "start":                          # the line at the session's end counts all of it
            totals = self._sessions.opens(key)
        elif not denied:
            totals = self._sessions.adds(key, totals, goes_on=False)
        yield Flow(start, start + lasted, source, destination, number, near, far, *totals, opened=True, denied=denied)
