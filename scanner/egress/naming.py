"""Finds the packets that may carry a name, and reads those one by one.

Which packets these are is decided for a whole batch at once, by port or by their first octets; most traffic of a camera
is video and is never touched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from scanner.egress import announcements, dtls, quic
from scanner.egress.batches import Batch, Bools, Ints, Unsigned, among, table_of
from scanner.egress.dns_streams import DnsStreams
from scanner.egress.headers import MAPPED, TCP, UDP, Rows
from scanner.egress.names import is_name, read_dns, stun_realm
from scanner.egress.openings import Openings, Spoken, request_starts
from scanner.egress.signs import Sign
from scanner.egress.tables import MAX_NAMES, Tables, Talk

__all__ = ["Naming"]

_SYN, _ACK = 0x02, 0x10
_DNS, _MDNS, _LLMNR, _SSDP, _DHCP, _NETBIOS = 53, 5353, 5355, 1900, 67, (137, 138)
_LOCAL = table_of(_MDNS, _SSDP, _DHCP, *_NETBIOS)
_QUIC = table_of(*(octet for octet in range(256) if octet & 0xC0 == 0xC0 or octet & 0x09 == 0x09), size=256)
"""First octets of a long header, and of Google's older one (bits 3 and 0)."""
_HANDSHAKE = 0x16
_VERSIONS = sorted(quic.VERSIONS)
_GOOGLE = int.from_bytes(b"Q0", "big")
_SIGN_BITS = {sign: 1 << number for number, sign in enumerate(Sign)}
_MAPPING = b"AddPortMapping", b"AddAnyPortMapping"
_GATEWAY = ("InternetGatewayDevice", "WANIPConnection", "WANPPPConnection", "WANIPv6FirewallControl")
_MAX_TOLD = 64
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
             outward: list[bool]) -> None:
        """Read the names of one batch; `of_row` says which of `talks` each row belongs to."""
        size = rows.end - rows.at
        udp = np.flatnonzero((rows.protocol == UDP) & (size >= 12))
        if len(udp):
            self._datagrams(batch, rows, keys, of_row, udp, talks, outward)
        self._streams(batch, rows, keys, of_row, talks, outward)

    def _datagrams(self, batch: Batch, rows: Rows, keys: Unsigned, of_row: Ints, udp: Ints, talks: list[Talk],
                   outward: list[bool]) -> None:
        source, destination = rows.source_port[udp], rows.destination_port[udp]
        domain = udp[(source == _DNS) | (destination == _DNS) | (destination == _LLMNR)]
        if len(domain):
            for message, *ends in zip(_cuts(batch, rows, domain), *_ends(rows, domain), strict=True):
                self._dns(message, *ends)
        local = udp[_LOCAL[destination] | (np.minimum(source, destination) == _SSDP)]
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
                 outward: list[bool]) -> None:
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
        going = np.array(outward, np.bool_)
        beginning_flow = np.zeros(len(outward), np.bool_)
        beginning_flow[of_row[data[begins]]] = True
        flows = of_row[data]
        chosen = np.flatnonzero(going[flows] & (wanted | beginning_flow[flows]))
        places = data[chosen]
        columns = zip(*(column.tolist() for column in (
            keys[places], bases[chosen], sequences[chosen] & 0xFFFFFFFF, begins[chosen], of_row[places],
            rows.at[places], rows.end[places])), strict=True)
        is_read, feed, cut = self._openings.is_read, self._openings.feed, batch.cut
        for key, base, sequence, beginning, flow, at, end in columns:
            if is_read(key, base, sequence, begins=beginning):
                continue
            spoken = feed(key, base, sequence, cut(at, end))
            if spoken is not None:
                self._spoken(talks[flow], spoken)

    def _spoken(self, talk: Talk, spoken: Spoken) -> None:
        if spoken.kind == "http" and b"PortMapping" in spoken.octets and any(
                word in spoken.octets for word in _MAPPING):
            talk.signs |= _SIGN_BITS[Sign.PORT_MAPPING]
        if spoken.name is None:
            return
        asked = self._tables.asks(talk.mac, talk.source)
        if spoken.kind == "sni":
            self._tables.count(asked.sni, spoken.name)
            names = talk.sni = talk.sni or {}
        else:
            self._tables.count(asked.http, spoken.name)
            names = talk.http = talk.http or {}
        if len(names) < MAX_NAMES:
            names[spoken.name] = None
        self._tables.talks.keep(talk)

    def _dns(self, message: bytes, asker: int, source: int, client_mac: int, client: int) -> None:
        """One message from a MAC and address to another, all of them numbers."""
        answer = read_dns(message)
        if answer is None or not answer.question:
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

    def _announcement(self, rows: Rows, row: int, message: bytes, talk: Talk) -> None:
        mac, address = int(rows.source_mac[row]), _number(rows.source_high[row], rows.source_low[row])
        told: list[str] = []
        port = int(rows.destination_port[row])
        if port == _DHCP:
            lease = announcements.read_dhcp(message)
            if lease is None:
                return
            mac = mac or lease.mac
            told = [f"dhcp:{lease.hostname}"] * bool(lease.hostname)
            told += [f"dhcp-class:{lease.vendor_class}"] * bool(lease.vendor_class)
        elif port == _MDNS:
            what = "mdns" if announcements.is_mdns_answer(message) else "mdns-seeks"
            told = [f"{what}:{name}" for name in announcements.read_mdns(message)]
        elif port in _NETBIOS:
            told = [f"{'netbios' if own else 'netbios-seeks'}:{name}"
                    for name, own in announcements.read_netbios(message).items()]
        else:
            said = announcements.read_ssdp(message)
            if said.get("method") == "M-SEARCH":
                if any(word in said.get("st", "") for word in _GATEWAY):
                    talk.signs |= _SIGN_BITS[Sign.GATEWAY_SEARCH]
            else:
                told = [f"ssdp:{said[key]}" for key in ("server",) if said.get(key)]
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


def _numbers(high: Unsigned, low: Unsigned) -> Iterator[int]:
    return (upper << 64 | lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True))
