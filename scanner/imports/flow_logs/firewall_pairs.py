"""Firewall logs that name what they say, one line a packet, a session or a refusal.

``SRC=…`` is netfilter's, ``srcip=…`` FortiGate's, ``src=…`` that of CEF, SonicWall, Meraki and Zyxel, ``src_ip=…``
Sophos's, ``src:"…"`` Check Point's and ``SrcIP: …`` Cisco FTD's. UniFi writes the first or the third of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from scanner.egress.names import is_host, is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Question, Row, Unread, protocol_number
from scanner.imports.flow_logs.sessions import Sessions
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
    _LETTER = re.compile(r"-[DR](?:-\d+)?\]|\b(?:DROP|DRP|REJ|BLK)\b")  # UniFi: [WAN_IN-2001-D], [FWB-D-1]

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
    "protocol_id": ("protoid", "protocol_id"),
    "sent": ("sentbyte", "out", "sent", "client_outbound_bytes", "initiatorbytes", "bytes_sent", "sent_bytes"),
    "back": ("rcvdbyte", "in", "rcvd", "server_outbound_bytes", "responderbytes", "bytes_received", "recv_bytes"),
    "sent_packets": ("sentpkt", "client_outbound_packets", "initiatorpackets", "spkt", "packets_sent", "sent_pkts"),
    "back_packets": ("rcvdpkt", "server_outbound_packets", "responderpackets", "rpkt", "packets_received",
                     "recv_pkts"),
    "action": ("action", "act", "fw_action", "accesscontrolruleaction", "log_subtype", "disposition", "utmaction"),
    "note": ("note",),
    "mac": ("srcmac", "smac", "mastersrcmac", "src_mac", "srcmacaddress", "src_mac_address"),
    "seconds": ("duration", "connectionduration"),
    "host": ("hostname", "dhost", "dstname"),
    "spoken": ("sni", "server_name", "sslservername"),
    "asked": ("qname", "dns_query", "dnsquery"),
    "answered": ("ipaddr",),
    "at": ("eventtime", "rt", "start", "time", "start_time", "timestamp", "devtime"),
    "zone": ("tz",),
    "says": ("msg",),
    "event": ("logid", "log_id", "m"),
    "type": ("type",),
    "number": ("sessionid", "connectionid"),
}
_MEANS = {key: meaning for meaning, keys in _KEYS.items() for key in keys}
_SCHEMES = {"http": "80", "https": "443", "rtsp": "554"}
_MOST_ASKED = 8_192


class Pairs:
    """Any line that names a source and a destination address by a known word; one line a session or a refusal."""

    form: ClassVar[str] = "firewall log of named fields"
    marks: ClassVar[tuple[str, ...]] = ("srcip=", "src=", 'src:"', "src: ", "SrcIP: ", "src_ip=", "source=")
    _EQUALS = re.compile(r'([A-Za-z_][\w.-]{0,40})=("(?:[^"\\]|\\.){0,1024}"|[^\s,;|]*)')
    _COLON = re.compile(r'([A-Za-z_]\w{0,40}): ?("[^"]{0,1024}"|[^,;"\[]{0,1024})[,;]?')
    _DAY = re.compile(r"\bdate=\"?(\d{4}-\d\d-\d\d)\"?[ ,]time=\"?(\d\d:\d\d:\d\d)")
    _SPACED = re.compile(r"\b(?:rt|start|end|devTime)=([A-Z][a-z]{2} \d{1,2} \d{4} \d\d:\d\d:\d\d)")     # CEF, LEEF
    _ZONE = re.compile(r"[+-]\d{4}")
    _URL = re.compile(r'(?i)\b(?:url|request|resource)(?:=|: ?)"?(?:[A-Z]{3,8} )?(https?|rtsp)://([\w.-]{1,253})'
                      r"(?::(\d{1,5}))?")
    _WORD = re.compile(r"(?i)\b(tcp|udp|icmp)\b")
    # Meraki: `flows deny`, `firewall … pattern: deny all`, and for what comes from outside 1 (denied) or 0.
    _MERAKI = re.compile(r" (?:flows|\w*firewall) (deny|allow)\b| pattern: (deny|allow|[01])\b")
    _CHECK_POINT = re.compile(r"^ ?\d{1,2}[A-Za-z]{3}\d{4} +[\d:]{7,8} +(\w+) ")
    _CEF = re.compile(r"\bCEF: ?\d\|(?:[^|]{0,128}\|){4}([^|]{0,128})\|")
    _OPENING = re.compile(r"%FTD-\w*-?\d-430002\b|\bip_flow_start\b")
    _BUILT = frozenset({"98"})

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps
        self._sessions = Sessions()
        self._asked: dict[tuple[str, str], int] = {}
        self.kind = "sessions"

    def read(self, line: str, at: int | None) -> Iterator[Row]:
        """The session of a line, or the question for a name that it tells of."""
        told = self._told(line)
        if not told.get("source") or not told.get("destination"):
            return
        source, near_text = self._end(told["source"])
        destination, far_text = self._end(told["destination"])
        moment = self._moment(line, told, at)
        if not source and not destination and self._addresses.mac(told["source"].strip("'")):
            yield Passed("lines that name stations by MAC alone")
            return
        if not source or not destination or moment is None:
            yield Unread("source and destination addresses, a protocol and a time")
            return
        if told.get("asked") and is_host(name := told["asked"].lower().rstrip(".")):
            self.kind = "resolver"
            yield self._question(told, moment, (source, destination), name)
            return
        # A security profile's line tells of a session that has a line of its own.
        self.kind = "firewall" if told.get("type") == "utm" else "sessions"
        url = self._URL.search(line[:8_192])
        number = self._protocol(told, url)
        near = port_of(near_text or told.get("source_port", ""))
        far = self._port(told, far_text, url)
        if number is None:
            yield Unread("source and destination addresses, a protocol and a time")
            return
        ports = (near or 0, far or 0) if number in _PORTED or not number else (0, 0)
        spoken, host = self._names(told, url)
        lasted = count_of(told.get("seconds", ""))
        begun = max(moment - min(lasted, 10**8) * _SECOND, 0)
        denied = self._is_denied(line, told)
        counts = self._counts(line, told, (source, destination, *ports, number, told.get("number", "")), denied=denied)
        yield Flow(begun, moment, source, destination, number, *ports, *counts, opened=True,
                   source_mac=self._addresses.mac(told.get("mac", "")), denied=denied, sni=spoken, http=host)

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
        """An address, and the port that some write behind it (``10.0.0.5:50000``, SonicWall ``10.0.0.5:50000:X0``)."""
        found = self._addresses.of(text)
        if found:
            return found, ""
        if text.startswith("["):
            address, _, port = text[1:].partition("]:")
            return self._addresses.of(address), port
        parts = text.split(":")
        return (self._addresses.of(parts[0]), parts[1]) if len(parts) in {2, 3, 4} else ("", "")

    def _protocol(self, told: Mapping[str, str], url: re.Match[str] | None) -> int | None:
        """By number or name; Zyxel names the service instead, and what fetches a URL does so over TCP."""
        if told.get("protocol_id"):
            return protocol_number(told["protocol_id"])
        name = told.get("protocol", "").partition("/")[0]
        number = protocol_number(name) if name else None
        if number is not None:
            return number
        if url is not None:
            return _TCP
        word = self._WORD.search(told.get("says", ""))
        if word:
            return protocol_number(word[1])
        return None if name and not told.get("says") else 0

    def _port(self, told: Mapping[str, str], behind: str, url: re.Match[str] | None) -> int | None:
        far = port_of(behind or told.get("destination_port", ""))
        service = told.get("protocol", "").partition("/")[2]
        if far is None and service:
            far = port_of(service)
        if not far and url is not None:
            far = port_of(url[3] or _SCHEMES[url[1].lower()])
        return far

    @staticmethod
    def _names(told: Mapping[str, str], url: re.Match[str] | None) -> tuple[str, str]:
        """The name of a TLS hello and that of a request, as far as they are told."""
        spoken, host = (told.get(key, "").lower().rstrip(".") for key in ("spoken", "host"))
        if url is not None:
            name = url[2].lower().rstrip(".")
            spoken, host = (spoken or name, host) if url[1].lower() == "https" else (spoken, host or name)
        return spoken if is_name(spoken) else "", host if is_name(host) else ""

    def _is_denied(self, line: str, told: Mapping[str, str]) -> bool:
        action = told.get("action", "")
        if action and action.upper() not in {"NA", "N/A", "-"}:
            return is_denied(action)
        if told.get("note", "").startswith("ACCESS"):    # Zyxel
            return is_denied(told["note"])
        if found := self._MERAKI.search(line[:2_048]):
            return (found[1] or found[2]) in {"deny", "1"}
        if found := self._CHECK_POINT.match(line[:64]):
            return is_denied(found[1])
        if found := self._CEF.search(line[:2_048]):
            return is_denied(found[1]) or is_denied(told.get("says", ""))
        return is_denied(told.get("says", ""))

    def _counts(self, line: str, told: Mapping[str, str], key: tuple[object, ...], *,
                denied: bool) -> tuple[int, int, int, int]:
        """What a line adds: firewalls repeat a session's counts from its beginning in each of its lines."""
        sent, octets, back, back_octets = (count_of(told.get(name, "")) for name in (
            "sent_packets", "sent", "back_packets", "back"))
        if told.get("type") == "utm":
            return 1, 0, 0, 0
        if denied:
            return sent or 1, octets, back, back_octets
        event = told.get("event", "")
        totals = (sent or 1, octets, back, back_octets)
        # FortiGate's 15, SonicWall's 98, FTD's 430002 and Meraki's ip_flow_start open; FortiGate's 20 goes on.
        if event[-6:] == "000015" or event in self._BUILT or self._OPENING.search(line[:512]):
            return self._sessions.opens(key, totals)
        return self._sessions.adds(key, totals, goes_on=event[-6:] == "000020")

    def _question(self, told: Mapping[str, str], at: int, ends: tuple[str, str], name: str) -> Question:
        """A question that a DNS profile logged, and what was answered; an answer is no second question."""
        client, resolver = ends
        before = self._asked.get((client, name))
        answers = tuple(filter(None, (self._addresses.of(one) for one in told.get("answered", "").split(",")[:64])))
        known = bool(answers) and before is not None
        if len(self._asked) >= _MOST_ASKED:
            self._asked.clear()
        self._asked[client, name] = at
        return Question(at, client, name, answers, (), "" if known else resolver, answered=bool(answers),
                        asked=not known)

    def _moment(self, line: str, told: Mapping[str, str], at: int | None) -> int | None:
        if told.get("at", "").isdecimal():               # FortiGate's eventtime, CEF's rt: they know their zone
            found = self._stamps.read(told["at"])
            if found is not None:
                return found
        if match := self._DAY.search(line[:512]):
            zone = told.get("zone", "")
            return self._stamps.read(f"{match[1]} {match[2]}{zone if self._ZONE.fullmatch(zone) else ''}")
        if at is not None:
            return at
        spaced = self._SPACED.search(line[:8_192])
        return self._stamps.read(spaced[1] if spaced else told.get("at", ""))
