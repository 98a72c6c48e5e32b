"""Finds the packets that may carry a name, and reads those one by one.

Which packets these are is decided for a whole batch at once, by port or by their first octets; most traffic of a camera
is video and is never touched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

import numpy as np

from scanner.egress import announcements, dtls, quic
from scanner.egress.batches import Batch, Bools, Ints, Unsigned, among, table_of
from scanner.egress.dns_streams import DnsStreams
from scanner.egress.flows import Grouping
from scanner.egress.headers import MAPPED, TCP, UDP, Rows
from scanner.egress.names import Answer, http_host, is_name, next_request, read_dns, stun_realm
from scanner.egress.openings import Openings, Spoken, request_starts
from scanner.egress.signs import Sign
from scanner.egress.tables import MAX_NAMES, Tables, Talk

__all__ = ["Naming"]

_SYN, _ACK = 0x02, 0x10
_DNS, _MDNS, _LLMNR, _SSDP, _WSD, _DHCP, _NETBIOS = 53, 5353, 5355, 1900, 3702, 67, (137, 138)
_LOCAL = table_of(_MDNS, _SSDP, _WSD, _DHCP, *_NETBIOS)
_ANSWERS = table_of(_MDNS, _SSDP, _WSD)
"""Ports that answers to a single asker come from, whatever port that has."""
_QUIC = table_of(*(octet for octet in range(256) if octet & 0xC0 == 0xC0 or octet & 0x09 == 0x09), size=256)
"""First octets of a long header, and of Google's older one (bits 3 and 0)."""
_HANDSHAKE = 0x16
_VERSIONS = sorted(quic.VERSIONS)
_GOOGLE = int.from_bytes(b"Q0", "big")
_SIGN_BITS = {sign: 1 << number for number, sign in enumerate(Sign)}
_MAPPING = b"AddPortMapping", b"AddAnyPortMapping"
_GATEWAY = ("InternetGatewayDevice", "WANIPConnection", "WANPPPConnection", "WANIPv6FirewallControl")
_MAX_RECORDS = 256
_MAX_TOLD = _MAX_RECORDS + 64                     # names in DNS records never crowd out what a device says of itself
_MAX_REQUESTS = 16
_MAX_REALMS = 256


class Naming:
    """Reads names out of batches into the tables of a capture."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._openings = Openings()
        self._initials = quic.Initials()
        self._hellos = dtls.Hellos()
        self._resolving = DnsStreams()

    @property
    def evicted(self) -> int:
        """How many connections were pushed out before their name could be read."""
        return (self._openings.evicted + self._initials.evicted + self._hellos.evicted
                + self._resolving.evicted)

    def read(self, batch: Batch, rows: Rows, keys: Unsigned, of_row: Ints, talks: list[Talk],
             outward: Bools) -> None:
        """Read the names of one batch; `of_row` says which of `talks` each row belongs to."""
        size = rows.end - rows.at
        udp = np.flatnonzero((rows.protocol == UDP) & (size >= 12))
        if len(udp):
            self._datagrams(batch, rows, keys, of_row, udp, talks, outward)
        self._streams(batch, rows, keys, of_row, talks, outward)

    def _datagrams(self, batch: Batch, rows: Rows, keys: Unsigned, of_row: Ints, udp: Ints, talks: list[Talk],
                   outward: Bools) -> None:
        source, destination = rows.source_port[udp], rows.destination_port[udp]
        domain = udp[(source == _DNS) | (destination == _DNS) | (source == _LLMNR) | (destination == _LLMNR)]
        if len(domain):
            for message, *ends in zip(_cuts(batch, rows, domain), *_ends(rows, domain), strict=True):
                self._dns(message, *ends)
        local = udp[_LOCAL[destination] | _ANSWERS[source]]
        for row, message in zip(local.tolist(), _cuts(batch, rows, local), strict=True):
            self._announcement(rows, row, message, talks[of_row[row]])
        octet = batch.octets[rows.at[udp]]
        initials = udp[_QUIC[octet]]
        initials = initials[self._initial(batch, rows, initials)]
        for row, message in zip(initials.tolist(), _cuts(batch, rows, initials), strict=True):
            name = self._initials.read(int(keys[row]), message)
            if name is not None:
                self._spoken(talks[of_row[row]], Spoken("sni", name, b""))
        begun = udp[octet == _HANDSHAKE]
        # A DTLS record with a handshake message of the first epoch, and in it a ClientHello.
        opens = among(batch.u32(rows.at[begun]) >> 8, 0x16FEFD, 0x16FEFF)
        begun = begun[opens & (rows.end[begun] - rows.at[begun] > 25) & (batch.u8(rows.at[begun] + 13) == 1)]
        for row, message in zip(begun.tolist(), _cuts(batch, rows, begun), strict=True):
            name = self._hellos.read(int(keys[row]), message)
            if name is not None and outward[of_row[row]]:
                self._spoken(talks[of_row[row]], Spoken("sni", name, b""))

    def read_realms(self, batch: Batch, rows: Rows, stun: Ints, of_row: Ints, talks: list[Talk]) -> None:
        """Read the realms in STUN requests and error answers; `stun` are the rows of all STUN messages."""
        for row in stun[among(batch.u16(rows.at[stun]) & 0x0110, 0x0000, 0x0110)][:_MAX_REALMS].tolist():
            realm = stun_realm(batch.cut(int(rows.at[row]), int(rows.end[row])))
            if realm is not None:
                talk = talks[of_row[row]]
                self._tables.count(self._tables.asks(talk.mac, talk.source).realms, realm)

    @staticmethod
    def _initial(batch: Batch, rows: Rows, udp: Ints) -> Bools:
        """Which datagrams begin a connection of QUIC; `udp` are those whose first octet is among `_QUIC`."""
        at = rows.at[udp]
        long_header = (batch.u8(at) & 0xC0 == 0xC0) & among(batch.u32(at + 1), *_VERSIONS)
        google = (batch.u16(at + 9) == _GOOGLE) & (batch.u8(at) & 0x09 == 0x09)
        google |= (batch.u8(at) & 0xC0 == 0xC0) & (batch.u16(at + 1) == _GOOGLE)          # Q046
        initial: Bools = (long_header | google) & (rows.end[udp] - at >= 48)
        return initial

    def _streams(self, batch: Batch, rows: Rows, keys: Unsigned, of_row: Ints, talks: list[Talk],
                 outward: Bools) -> None:
        size = rows.end - rows.at
        tcp = rows.protocol == TCP
        opening = np.flatnonzero(tcp & (rows.flags & (_SYN | _ACK) == _SYN))
        self._openings.note_syns(keys[opening], rows.sequence[opening])
        data = np.flatnonzero(tcp & (size > 0))
        if not len(data):
            return
        words = batch.u32(rows.at[data])
        begins = request_starts(words) | ((words >> 16 == 0x1603) & (batch.u8(rows.at[data] + 5) == 1))
        sequences = rows.sequence[data] + (rows.flags[data] & _SYN != 0)         # data may come with the SYN (RFC 7413)
        wanted, bases = self._openings.wanted(keys[data], sequences)
        domain = np.flatnonzero((rows.source_port[data] == _DNS) | (rows.destination_port[data] == _DNS))
        for place in domain.tolist():
            row = int(data[place])
            for message in self._resolving.feed(int(keys[row]), int(bases[place]), int(sequences[place]) & 0xFFFFFFFF,
                                                batch.cut(int(rows.at[row]), int(rows.end[row]))):
                for ends in zip(*_ends(rows, data[place:place + 1]), strict=True):
                    self._dns(message, *ends)
        beginning_flow = np.zeros(len(outward), np.bool_)
        beginning_flow[of_row[data[begins]]] = True
        flows = of_row[data]
        chosen = np.flatnonzero(outward[flows] & (wanted | beginning_flow[flows]))
        if len(chosen):
            self._requests(batch, rows, keys, of_row, data[chosen], (bases[chosen], sequences[chosen] & 0xFFFFFFFF,
                                                                     begins[chosen]), talks)

    def _requests(self, batch: Batch, rows: Rows, keys: Unsigned, of_row: Ints, data: Ints,
                  told: tuple[Ints, Ints, Bools], talks: list[Talk]) -> None:
        """Read what devices begin connections with, a connection at a time.

        `data` are the rows in question; `told` is where the connection of each begins, its sequence number, and whether
        it looks like a request.
        """
        bases, sequences, begins = told
        connections = Grouping.of_keys(keys[data])
        order, starts = connections.order, connections.starts
        later = begins[order]
        later[starts] = False
        alike = ~np.logical_or.reduceat(later, starts) & (
            np.minimum.reduceat(bases[order], starts) == np.maximum.reduceat(bases[order], starts))
        placed = data[order]
        segments = list(zip(*(column.tolist() for column in (
            bases[order], sequences[order], begins[order], rows.at[placed], rows.end[placed])), strict=True))
        by_time, follow, found = connections.by_time, self._openings.follow, list[tuple[int, Spoken]]()
        for key, start, count, same in zip(*(column[by_time].tolist() for column in (
                keys[placed[starts]], starts, connections.counts, alike)), strict=True):
            for number, spoken in follow(key, segments[start][0], segments[start:start + count], batch.cut, alike=same):
                found.append((int(placed[start + number]), spoken))
        found.sort(key=itemgetter(0))
        for row, spoken in found:
            self._spoken(talks[of_row[row]], spoken)

    def _spoken(self, talk: Talk, spoken: Spoken) -> None:
        if spoken.kind == "http" and b"PortMapping" in spoken.octets and any(
                word in spoken.octets for word in _MAPPING):
            talk.signs |= _SIGN_BITS[Sign.PORT_MAPPING]
        if spoken.name is not None:
            self._named(talk, spoken.kind, spoken.name)
        if spoken.kind == "http" and spoken.octets.find(b"\r\n\r\n") + 4 < len(spoken.octets):
            self._further(talk, spoken.octets)

    def _further(self, talk: Talk, octets: bytes) -> None:
        """The hosts of requests that were sent behind the first without waiting for its answer."""
        for _ in range(_MAX_REQUESTS):
            octets = next_request(octets)
            if not octets:
                return
            if name := http_host(octets):
                self._named(talk, "http", name)

    def _named(self, talk: Talk, kind: str, name: str) -> None:
        asked = self._tables.asks(talk.mac, talk.source)
        if kind == "sni":
            self._tables.count(asked.sni, name)
            names = talk.sni = talk.sni or {}
        else:
            self._tables.count(asked.http, name)
            names = talk.http = talk.http or {}
        if len(names) < MAX_NAMES:
            names[name] = None
        self._tables.talks.keep(talk)

    def _dns(self, message: bytes, asker: int, source: int, client_mac: int, client: int) -> None:
        """One message from a MAC and address to another, all of them numbers."""
        answer = read_dns(message)
        if answer is None:
            return
        if answer.others:
            self._records(answer, *((client_mac, client) if answer.response else (asker, source)))
        if not answer.question:
            return
        if not answer.response:
            self._tables.count(self._tables.asks(asker, source).dns, answer.question)
            return
        asked = self._tables.asks(client_mac, client)
        if answer.question not in asked.dns:               # asked before the capture began, or where it could not see
            self._tables.count(asked.dns, answer.question)
        for octets in answer.packed:
            number = int.from_bytes(octets, "big")
            self._tables.answers.learn(client, number + MAPPED if len(octets) == 4 else number,
                                       [name for name in answer.names if is_name(name)])

    def _records(self, answer: Answer, mac: int, address: int) -> None:
        """Keep what a message named beyond the question: seen in DNS, and no destination of anybody's."""
        known = self._tables.asks(mac, address).told
        for name in answer.others:
            if len(known) < _MAX_RECORDS and name.isprintable():
                known[f"dns-record:{name}"] = None

    def _announcement(self, rows: Rows, row: int, message: bytes, talk: Talk) -> None:
        mac, address = int(rows.source_mac[row]), _number(rows.source_high[row], rows.source_low[row])
        told: list[str] = []
        port = int(rows.destination_port[row])
        if not _LOCAL[port]:
            port = int(rows.source_port[row])
        if port == _DHCP:
            lease = announcements.read_dhcp(message)
            if lease is None:
                return
            mac = mac or lease.mac
            told = [f"dhcp:{lease.hostname}"] * bool(lease.hostname)
            told += [f"dhcp-class:{lease.vendor_class}"] * bool(lease.vendor_class)
        elif port == _MDNS:
            told = [f"{'mdns' if own else 'mdns-seeks'}:{name}"
                    for name, own in announcements.read_mdns(message).items()]
        elif port == _WSD:
            told = [f"wsd:{name}" for name in announcements.read_xaddrs(message)]
        elif port in _NETBIOS:
            told = [f"{'netbios' if own else 'netbios-seeks'}:{name}"
                    for name, own in announcements.read_netbios(message).items()]
        else:
            said = announcements.read_ssdp(message)
            if said.get("method") == "M-SEARCH":
                if any(word in said.get("st", "") for word in _GATEWAY):
                    talk.signs |= _SIGN_BITS[Sign.GATEWAY_SEARCH]
            else:
                server, host = said.get("server"), announcements.url_host(said.get("location", ""))
                told = [*([f"ssdp:{server}"] if server else ()), *([f"ssdp-location:{host}"] if host else ())]
        if told and (mac or address):
            known = self._tables.asks(mac, address).told
            for text in told:
                if len(known) < _MAX_TOLD:
                    known[text] = None


def _number(high: np.uint64, low: np.uint64) -> int:
    return int(high) << 64 | int(low)


def _cuts(batch: Batch, rows: Rows, chosen: Ints) -> Iterator[bytes]:
    """The payload of each of these rows."""
    return map(batch.cut, rows.at[chosen].tolist(), rows.end[chosen].tolist())


def _ends(rows: Rows, chosen: Ints) -> tuple[Iterable[int], Iterable[int], Iterable[int], Iterable[int]]:
    """MAC and address of the sender and of the receiver of each of these rows, a column each."""
    return (rows.source_mac[chosen].tolist(),
            _numbers(rows.source_high[chosen], rows.source_low[chosen]),
            rows.destination_mac[chosen].tolist(),
            _numbers(rows.destination_high[chosen], rows.destination_low[chosen]))


def _numbers(high: Unsigned, low: Unsigned) -> Iterable[int]:
    if not high.any():                                                        # IPv4 alone
        numbers: list[int] = low.tolist()
        return numbers
    return (upper << 64 | lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True))
