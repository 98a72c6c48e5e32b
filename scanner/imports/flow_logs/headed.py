"""Tables of flows whose heading names the columns: nfdump and SiLK text, VPC flow logs, Windows Firewall, firewall CSV.

One reader for all of them: what a column means is told by its heading, whoever wrote it. A table needs at least the
two addresses and one column more that only traffic has.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence

from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Row, Unread, protocol_number
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, flags_of, is_denied, port_of

__all__ = ["Headed", "NfdumpLong"]

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "start": ("ts", "tfs", "tsr", "start", "stime", "starttime", "firstseen", "datefirstseen", "timestamp", "time",
              "datetime", "starttimeutc", "flowstart", "flowstartmilliseconds", "first", "generatetime",
              "timegenerated", "generatedtime", "timelogged", "receivetime"),
    "end": ("te", "tls", "ter", "end", "etime", "endtime", "lastseen", "datelastseen", "flowend",
            "flowendmilliseconds", "last"),
    "day": ("date",),
    "duration": ("td", "dur", "duration", "elapsedtimesec", "elapsedtime", "sessionduration", "durations"),
    "source": ("sa", "sip", "src", "source", "srcip", "srcaddr", "sourceip", "sourceaddress", "srcipaddr",
               "srcipaddress", "sourceipaddress", "ipv4srcaddr", "ipsrc", "clientip"),
    "destination": ("da", "dip", "dst", "dest", "destination", "dstip", "dstaddr", "destip", "destinationip",
                    "destaddr", "destinationaddress", "dstipaddr", "dstipaddress", "destinationipaddress",
                    "ipv4dstaddr", "ipdst"),
    # Of a flow through a gateway, AWS writes the gateway's address first and the packets' own apart.
    "packet_source": ("pktsrcaddr",),
    "packet_destination": ("pktdstaddr",),
    "source_port": ("sp", "sport", "srcport", "sourceport", "srcpt", "spt", "l4srcport"),
    "destination_port": ("dp", "dport", "dstport", "destport", "destinationport", "dstpt", "dpt", "service",
                         "l4dstport", "serviceport"),
    "protocol": ("pr", "pro", "proto", "protocol", "ipprotocol"),
    "packets": ("ipkt", "pkt", "pkts", "packets", "inpkts", "inpackets", "srcpkts"),
    "octets": ("ibyt", "byt", "bytes", "octets", "inbytes", "srcbytes", "size", "numbytes"),
    "sent_packets": ("packetssent", "pktssent", "sentpkt", "sentpackets"),
    "sent": ("bytessent", "sentbyte", "sentbytes"),
    "back_packets": ("opkt", "packetsreceived", "pktsreceived", "rcvdpkt", "outpkts"),
    "back_octets": ("obyt", "bytesreceived", "rcvdbyte", "receivedbytes", "outbytes"),
    "flags": ("flg", "flags", "tcpflags"),
    "source_mac": ("ismc", "srcmac", "sourcemac", "smac"),
    "destination_mac": ("odmc", "dstmac", "destinationmac", "dmac"),
    "action": ("action", "act", "disposition", "logaction", "ruleaction"),
    "status": ("logstatus",),
}
_MEANS = {spelling: meaning for meaning, spellings in _COLUMNS.items() for spelling in spellings}
_ENOUGH = {"destination_port", "protocol", "packets", "octets", "action", "source_port"}
_VPC = ("version", "accountid", "interfaceid", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
        "bytes", "start", "end", "action", "logstatus")
_VPC_LINE = re.compile(r"(?:\S+Z )?2 \S+ \S+ (?:[0-9a-fA-F.:]+|-) (?:[0-9a-fA-F.:]+|-) (?:\d+|-) (?:\d+|-) (?:\d+|-) ")
_OF_A_CLOUD = frozenset({"interfaceid", "logstatus", "accountid", "vpcid", "subnetid", "tgwid", "flowdirection",
                         "pktsrcaddr", "pktdstaddr", "resourcetype"})
_VPC_NAMES = frozenset({"srcaddr", "pktsrcaddr"})
_SYN, _ACK = 0x02, 0x10
_TOTALS = ("Summary", "flows,", "Time window", "Total flows", "No match")
_PORTED = frozenset({6, 17, 132})
_MOST_COLUMNS = 256
_SECOND = 1_000_000_000


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]", "", heading.casefold())


def _separator(line: str) -> str:
    counts = {mark: line.count(mark) for mark in ",|;\t"}
    mark = max(counts, key=lambda one: counts[one])
    return mark if counts[mark] else " "


class Headed:
    """Reads the lines of such a table, one after the other."""

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self._separator = ","
        self._meanings: list[str] = []
        self._heading = ""
        self.form = "flow table"
        self.kinds: dict[str, None] = {}
        self._kind = "flows"

    @staticmethod
    def fits(lines: Sequence[str]) -> bool:
        """Whether these first lines hold the heading of a table of flows, or are VPC flow logs without one."""
        return any(Headed._is_heading(line) for line in lines[:16]) or bool(lines and _VPC_LINE.match(lines[0]))

    @staticmethod
    def _is_heading(line: str) -> bool:
        if len(line) > 8_192:
            return False
        text = line.removeprefix("#Fields:").strip()
        meanings = {_MEANS.get(_plain(cell), "").removeprefix("packet_") for cell in text.split(_separator(text))}
        return {"source", "destination"} <= meanings and bool(meanings & _ENOUGH)

    def _learn(self, line: str) -> None:
        text = line.removeprefix("#Fields:").strip()
        self._separator = _separator(text)
        found: list[str] = []
        for cell in (self._split(text) if self._separator != " " else text.split())[:_MOST_COLUMNS]:
            meaning = _MEANS.get(_plain(cell), "")
            if meaning == "start" and _plain(cell) == "time" and "day" in found:
                meaning = "clock"
            found.append("" if meaning in found else meaning)
        self._meanings = found
        self._name_it(line, text)

    def _name_it(self, line: str, text: str) -> None:
        names = {_plain(cell) for cell in text.split(None if self._separator == " " else self._separator)}
        if names & _VPC_NAMES and names & _OF_A_CLOUD:
            self.form, self._kind = "VPC flow log", "sessions"
        elif line.startswith("#Fields:"):
            self.form, self._kind = "Windows Firewall log", "firewall"
        elif self._separator == "|":
            self.form = "SiLK rwcut text"
        elif "action" in self._meanings:
            self.form, self._kind = "firewall table", "sessions" if "octets" in self._meanings else "firewall"
        elif "ipkt" in text or "firstSeen" in text:
            self.form = "nfdump CSV"

    def _split(self, line: str) -> list[str]:
        if self._separator == " ":
            return line.split()
        if '"' in line:
            try:
                return next(csv.reader([line], delimiter=self._separator), [])
            except csv.Error:
                return []
        return line.split(self._separator)

    def read(self, line: str) -> Iterator[tuple[Row, str]]:
        """The flow of a line; headings, comments and the totals that nfdump ends with have none."""
        line = line.rstrip("\r")
        if not line.strip() or (line.startswith("#") and not line.startswith("#Fields:")):
            return
        if not self._meanings and _VPC_LINE.match(line):
            self._meanings = [_MEANS.get(name, "") for name in _VPC]
            self._separator, self.form, self._kind = " ", "VPC flow log", "sessions"
        elif (not self._meanings or line == self._heading or line.startswith("#Fields:")
              or (self.form == "VPC flow log" and "srcaddr" in line)) and self._is_heading(line):
            self._heading = line
            self._learn(line)
            return
        if not self._meanings:
            return
        if self.form == "nfdump CSV" and line.startswith(_TOTALS):
            self._meanings = []
            return
        yield self._row(line), self._kind
        self.kinds[self._kind] = None

    def _row(self, line: str) -> Row:
        cells = self._split(line)
        if self.form == "VPC flow log":
            if len(cells) == len(self._meanings) + 1:    # as CloudWatch writes it, with a time in front
                del cells[0]
            status = cells[self._meanings.index("status")] if "status" in self._meanings[:len(cells)] else ""
            if status == "NODATA":
                return Passed("intervals without traffic (NODATA)")
            if status == "SKIPDATA":
                return Unread("records that AWS skipped in this interval (SKIPDATA)")
        if len(cells) < len(self._meanings) - 1:
            return Unread(f"{len(self._meanings)} fields, as the heading names them")
        told = {meaning: cell.strip() for meaning, cell in zip(self._meanings, cells, strict=False) if meaning}
        source, destination = (
            self._addresses.of(told.get(f"packet_{end}", "")) or self._addresses.of(told.get(end, ""))
            for end in ("source", "destination"))
        if not source or not destination:
            return Unread("an address in the columns of source and destination")
        span = self._span(told)
        if span is None:
            return Unread("a time in the column of the start")
        protocol = protocol_number(told.get("protocol", ""))
        near, far = port_of(told.get("source_port", "")), port_of(told.get("destination_port", ""))
        if near is None or far is None:
            return Unread("ports from 0 to 65535")
        if protocol is None:
            if "protocol" in told:
                return Unread("an IP protocol by number or name")
            protocol = 0
        if protocol not in _PORTED:
            near = far = 0
        return self._flow(told, (source, destination), span, (protocol, near, far))

    def _flow(self, told: Mapping[str, str], ends: tuple[str, str], span: tuple[int, int],
              service: tuple[int, int, int]) -> Flow:
        back_packets, back_octets = count_of(told.get("back_packets", "")), count_of(told.get("back_octets", ""))
        # A firewall's "bytes" are those of both directions; where it also says what was sent, that counts.
        packets = count_of(told.get("sent_packets") or told.get("packets") or "1")
        octets = count_of(told.get("sent") or told.get("octets", ""))
        get = self._addresses.mac
        action = told.get("action", "")
        opened = self._kind != "flows" or (bool(back_packets or back_octets) and "action" in told)
        flags = flags_of(told.get("flags", ""))
        if self.form == "VPC flow log":                   # both directions are lines of their own
            opened = flags & (_SYN | _ACK) == _SYN
            if flags & (_SYN | _ACK) == _SYN | _ACK:      # only who was called sends both in one packet
                protocol, near, far = service
                return Flow(span[0], span[1], ends[1], ends[0], protocol, far, near, 0, 0, packets, octets, opened=True,
                            denied=is_denied(action))
        return Flow(span[0], span[1], ends[0], ends[1], *service, max(packets, 0), octets, back_packets, back_octets,
                    opened, get(told.get("source_mac", "")), get(told.get("destination_mac", "")), is_denied(action),
                    flags)

    def _span(self, told: Mapping[str, str]) -> tuple[int, int] | None:
        if "clock" in told:
            start = self._stamps.read(f"{told.get('day', '')} {told['clock']}")
        else:
            start = self._stamps.read(told.get("start") or told.get("day", ""))
        end = self._stamps.read(told["end"]) if told.get("end") else None
        if start is None:
            return None if end is None else (end, end)
        if end is None:
            try:
                lasted = float(told.get("duration") or 0)
            except ValueError:
                lasted = 0.0
            end = start + int(lasted * _SECOND) if 0 <= lasted < 1e8 else start
        return start, max(start, end)


class NfdumpLong:
    """nfdump's own line and long formats: ``… TCP 10.0.0.5:50000 -> 203.0.113.9:443 … packets bytes flows``."""

    form = "nfdump text"
    _LINE = re.compile(
        r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]?\d{0,9})\s+(?:(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]?\d{0,9})\s+)?"
        r"(\d+(?::\d\d:\d\d)?[.,]?\d*)\s+(\S+)\s+(\S+?)[:.](\d+(?:\.\d+)?)\s+(->|<->)\s+(\S+?)[:.](\d+(?:\.\d+)?)\s+(.*)")
    _REST = re.compile(r"(?:([0-9]*[.UAPRSFEC]{6,8}|0x[0-9a-f]{2})\s+(\d+)\s+)?(\d+(?:\.\d+)?(?: [KMGT])?)\s+"
                       r"(\d+(?:\.\d+)?(?: [KMGT])?)(?:\s+(\d+(?:\.\d+)?(?: [KMGT])?)\s+(\d+(?:\.\d+)?(?: [KMGT])?))?"
                       r"\s+\d+\s*$")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self.kinds: dict[str, None] = {"flows": None}

    @classmethod
    def fits(cls, lines: Sequence[str]) -> bool:
        """Whether these first lines are nfdump's."""
        return any(line.startswith("Date first seen") and ("Duration" in line or "Proto" in line)
                   for line in lines[:16]) or any(cls._LINE.match(line) for line in lines[:4])

    def read(self, line: str) -> Iterator[tuple[Row, str]]:
        """The flow of a line; headings and totals have none."""
        if not line[:4].isdecimal():
            return
        match = self._LINE.match(line.rstrip("\r"))
        rest = self._REST.match(match[9]) if match else None
        if match is None or rest is None:
            yield Unread("time, duration, protocol, address:port -> address:port, flags, packets, bytes, flows"), ""
            return
        start = self._stamps.read(match[1])
        source, destination = self._addresses.of(match[4]), self._addresses.of(match[7])
        protocol = protocol_number(match[3])
        near, far = port_of(match[5].partition(".")[0]), port_of(match[8].partition(".")[0])
        if start is None or not source or not destination or protocol is None or near is None or far is None:
            yield Unread("a time, two addresses with ports and a protocol"), ""
            return
        if protocol not in _PORTED:
            near = far = 0
        lasted = match[2].replace(",", ".")
        parts = reversed(lasted.split(":"))
        seconds = sum(float(part) * unit for part, unit in zip(parts, (1, 60, 3600), strict=False))
        two_way = match[6] == "<->" and rest[5] is not None
        one, two = (count_of(rest[3]), count_of(rest[4]))
        if two_way:                                       # biline: out packets, in packets, out bytes, in bytes
            sent, back, octets, back_octets = one, two, count_of(rest[5]), count_of(rest[6])
        else:
            sent, octets, back, back_octets = one, two, 0, 0
        end = start + int(min(seconds, 1e8) * _SECOND)
        yield Flow(start, end, source, destination, protocol, near, far, sent, octets, back, back_octets, two_way,
                   flags=flags_of(rest[1] or "")), "flows"
