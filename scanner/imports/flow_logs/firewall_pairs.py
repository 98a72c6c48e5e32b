"""Firewall logs that name what they say, one line a packet, a session or a refusal.

``SRC=…`` is netfilter's, ``srcip=…`` FortiGate's, ``src=…`` that of CEF and SonicWall, ``src:"…"`` Check Point's and
``SrcIP: …`` Cisco FTD's. UniFi writes the first or the third of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from scanner.egress.names import is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Row, Unread, protocol_number
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, is_denied, port_of

__all__ = ["Netfilter", "Pairs"]

_SECOND = 1_000_000_000
_TCP, _PORTED = 6, frozenset({6, 17, 132})
_FLAGS = {"FIN": 0x01, "SYN": 0x02, "RST": 0x04, "PSH": 0x08, "ACK": 0x10}
_MOST_PAIRS = 256


class Netfilter:
    """The kernel's log of iptables, nftables and ufw: one line a logged packet."""

    form: ClassVar[str] = "netfilter log"
    kind: ClassVar[str] = "firewall"
    marks: ClassVar[tuple[str, ...]] = (" SRC=", "\tSRC=")
    _PAIR = re.compile(r"\b(IN|OUT|MAC|SRC|DST|LEN|PROTO|SPT|DPT)=(\S*)")
    _LETTER = re.compile(r"-[DR]\]|\b(?:DROP|DRP|REJ|BLK)\b")          # UniFi: [WAN_IN-2001-D]

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses = addresses
        self._stamps = stamps

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The packet of a line; where an ICMP error quotes another packet, the outer one counts."""
        told: dict[str, str] = {}
        for name, value in self._PAIR.findall(line[:4_096]):
            told.setdefault(name, value)
        source, destination = self._addresses.of(told.get("SRC", "")), self._addresses.of(told.get("DST", ""))
        number = protocol_number(told.get("PROTO", ""))
        near, far = port_of(told.get("SPT", "")), port_of(told.get("DPT", ""))
        if not source or not destination or number is None or near is None or far is None:
            yield Unread("SRC=, DST= and PROTO= with their values")
            return
        if at is None:
            yield Unread("a time at the beginning of the line")
            return
        flags = 0
        if number == _TCP:
            tail = line[line.rfind("DPT="):].split()
            flags = sum(bit for word, bit in _FLAGS.items() if word in tail)
        mac = told.get("MAC", "")
        # Destination, source and EtherType, as they stood in the frame that came in.
        station = self._addresses.mac(mac[18:35]) if len(mac) == 41 and told.get("IN") else ""
        before = line[:line.find("IN=")] if "IN=" in line else ""
        denied = is_denied(before[-160:]) or bool(self._LETTER.search(before[-160:]))
        ports = (near, far) if number in _PORTED else (0, 0)
        yield Flow(at, at, source, destination, number, *ports, 1, count_of(told.get("LEN", "")), source_mac=station,
                   denied=denied, flags=flags)


_KEYS: Mapping[str, tuple[str, ...]] = {
    "source": ("srcip", "src", "source", "src_ip", "sourceaddress", "source_ip"),
    "destination": ("dstip", "dst", "destination", "dst_ip", "destinationaddress", "destination_ip"),
    "source_port": ("srcport", "spt", "s_port", "src_port", "sourceport", "sport"),
    "destination_port": ("dstport", "dpt", "service", "dst_port", "destinationport", "dport", "service_id"),
    "protocol": ("proto", "protocol", "ip_proto"),
    "sent": ("sentbyte", "out", "sent", "client_outbound_bytes", "initiatorbytes", "bytes_sent"),
    "back": ("rcvdbyte", "in", "rcvd", "server_outbound_bytes", "responderbytes", "bytes_received"),
    "sent_packets": ("sentpkt", "client_outbound_packets", "initiatorpackets", "spkt"),
    "back_packets": ("rcvdpkt", "server_outbound_packets", "responderpackets", "rpkt"),
    "action": ("action", "act", "fw_action", "accesscontrolruleaction", "log_subtype", "disposition", "utmaction"),
    "mac": ("srcmac", "smac", "mastersrcmac", "src_mac", "srcmacaddress"),
    "seconds": ("duration", "connectionduration"),
    "host": ("hostname", "dhost", "dstname", "dns_query"),
    "at": ("eventtime", "rt", "start", "time", "start_time"),
}
_MEANS = {key: meaning for meaning, keys in _KEYS.items() for key in keys}


class Pairs:
    """Any line that names a source and a destination address by a known word; one line a session or a refusal."""

    form: ClassVar[str] = "firewall log of named fields"
    kind: ClassVar[str] = "sessions"
    marks: ClassVar[tuple[str, ...]] = ("srcip=", "src=", 'src:"', "src: ", "SrcIP: ", "src_ip=", "source=")
    _EQUALS = re.compile(r'([A-Za-z_][\w.-]{0,40})=("(?:[^"\\]|\\.){0,1024}"|[^\s,;]*)')
    _COLON = re.compile(r'([A-Za-z_]\w{0,40}): ?("[^"]{0,1024}"|[^,;"\[]{0,1024})[,;]?')
    _DAY = re.compile(r"\bdate=\"?(\d{4}-\d\d-\d\d)\"? time=\"?(\d\d:\d\d:\d\d)")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The session of a line."""
        told = self._told(line)
        if not told.get("source") or not told.get("destination"):
            return
        source, near_text = self._end(told["source"])
        destination, far_text = self._end(told["destination"])
        protocol = told.get("protocol", "").partition("/")
        number = protocol_number(protocol[0]) if protocol[0] else 0
        near = port_of(told.get("source_port", near_text))
        far = port_of(far_text or told.get("destination_port", ""))
        far = port_of(protocol[2]) if far is None and protocol[2] else far
        moment = self._moment(line, told, at)
        if not source or not destination or number is None or moment is None:
            yield Unread("source and destination addresses, a protocol and a time")
            return
        ports = (near or 0, far or 0) if number in _PORTED or not number else (0, 0)
        host = told.get("host", "").lower()
        lasted = count_of(told.get("seconds", ""))
        begun = max(moment - min(lasted, 10**8) * _SECOND, 0)
        yield Flow(begun, moment, source, destination, number, *ports,
                   count_of(told.get("sent_packets", "")) or 1, count_of(told.get("sent", "")),
                   count_of(told.get("back_packets", "")), count_of(told.get("back", "")), opened=True,
                   source_mac=self._addresses.mac(told.get("mac", "")), denied=is_denied(told.get("action", "")),
                   http=host if is_name(host) else "")

    def _told(self, line: str) -> dict[str, str]:
        for pattern in (self._EQUALS, self._COLON):
            told: dict[str, str] = {}
            for count, (key, value) in enumerate(pattern.findall(line[:8_192])):
                meaning = _MEANS.get(key.lower())
                if meaning and value.strip('" '):
                    told.setdefault(meaning, value.strip('" '))
                if count >= _MOST_PAIRS:
                    break
            if "source" in told and "destination" in told:
                return told
        return {}

    def _end(self, text: str) -> tuple[str, str]:
        """An address, and the port that SonicWall writes behind it (``10.0.0.5:50000:X0``)."""
        found = self._addresses.of(text)
        if found or text.count(":") not in {1, 2, 3}:
            return found, ""
        parts = text.split(":")
        return self._addresses.of(parts[0]), parts[1]

    def _moment(self, line: str, told: Mapping[str, str], at: int | None) -> int | None:
        if told.get("at", "").isdecimal():               # FortiGate's eventtime, CEF's rt: they know their zone
            found = self._stamps.read(told["at"])
            if found is not None:
                return found
        if match := self._DAY.search(line[:512]):
            return self._stamps.read(f"{match[1]} {match[2]}")
        return at if at is not None else self._stamps.read(told.get("at", ""))
