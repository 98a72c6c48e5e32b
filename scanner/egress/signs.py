"""Protocols told by their wire form, whatever the port: peer-to-peer rendezvous, STUN, port mapping, hidden DNS.

Each form is a fixed pattern with a length or a cookie that must agree, so that chance octets do not fit: the weakest,
PPPP, matches about one in 40 million random datagrams. A sign names a protocol, never a maker. ``docs/egress.md``
says how sure each one is and where its form is documented; forms under a published scrambling are in `scrambled`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints, among, table_of
from scanner.egress.headers import TCP, UDP, Rows
from scanner.egress.scrambled import begins_like_pppp, iotc_beneath, is_pppp_beneath, may_be_iotc

__all__ = ["STUN_COOKIE", "Sign", "read_signs", "stun_request"]


class Sign(StrEnum):
    """What a conversation's octets or port gave away."""

    PPPP = "pppp"                    # CS2 Network and iLnk rendezvous
    DAHUA_P2P = "dahua-p2p"
    TUTK = "tutk"                    # ThroughTek Kalay: IOTC, in the clear or scrambled
    REOLINK_P2P = "reolink-p2p"      # Baichuan over UDP
    TVT_NAT = "tvt-nat"
    TUYA = "tuya"
    STUN = "stun"
    PORT_MAPPING = "port-mapping"    # UPnP AddPortMapping, NAT-PMP or PCP
    GATEWAY_SEARCH = "gateway-search"
    DOT = "dot"                      # DNS over TLS or QUIC, by its port
    MQTT = "mqtt"
    PPPP_SCRAMBLED = "pppp-scrambled"
    TUTK_CC51 = "tutk-cc51"          # ThroughTek's newer frames
    NOT_PPPP = "not-pppp"            # on a port of PPPP, and in none of its forms: video, a tunnel, anything else


STUN_COOKIE = 0x2112A442
_PPPP_TYPES = table_of(
    *range(0x04), 0x08, 0x09, *range(0x10, 0x1A), *range(0x20, 0x27), *range(0x30, 0x38), *range(0x40, 0x45),
    *range(0x60, 0x79), *range(0x80, 0x8E), *range(0x90, 0x95), *range(0xA0, 0xB4, 2), 0xA1, 0xBA, 0xBC, 0xC0,
    *range(0xC3, 0xC7), *range(0xD0, 0xD4), 0xD8, 0xE0, 0xE1, 0xF0, 0xF1, *range(0xF4, 0xFA),
    0x3F, 0x52, 0x55, 0xDB, 0xDC, size=256)            # these a device is known to take, by a published disassembly
_SLEEPERS = (0xA1000014, 0xA1010014, 0xA1020014, 0xA1040014, 0xA1060014)     # iLnk's wake-up of battery cameras
_ALL = 0xFFFFFFFF
_SMALL = 352
"""Scrambled forms are sought in datagrams up to this size: whoever speaks them keeps the line open with small ones."""
_PPPP_PORTS = table_of(32100, 32108)
_STUN_PORTS = table_of(3478, 3479, 5349, 19302, 19305)
_BINDING = table_of(0x0001, 0x0101, 0x0111)
_CLASSIC = table_of(*range(0x01, 0x0C), 0x20, 0x8020, 0x8022, 0x8028)        # RFC 3489 section 11.2 and its successors
_DAHUA_PORT = 8800
_TVT_OPENINGS, _TVT_MESSAGES, _TVT_ENDINGS = (          # first with a server, then between a recorder and its viewer
    (0x02000100, 0x01000100), (0x02010100, 0x01010100), (0x02030100, 0x01020100))
_TVT_NEAR = 1 << 16                                      # numbers of one conversation count up from its first


@dataclass(frozen=True, slots=True)
class _Heads:
    """The first and the second four octets of datagrams, and their sizes."""

    first: Ints
    second: Ints
    size: Ints


def _pppp(heads: _Heads) -> Bools:
    kind, length = heads.first >> 16 & 0xFF, heads.first & 0xFFFF
    plain = (heads.first >> 24 == 0xF1) & (length == heads.size - 4) & _PPPP_TYPES[kind]
    fits: Bools = plain | among(heads.first, *_SLEEPERS) & (heads.size == 24) | (heads.first == 0xF2100000) & (
        heads.size == 4)
    return fits


def _stun(heads: _Heads) -> Bools:
    """RFC 8489 section 5: two zero bits, the length, the magic cookie."""
    sized = (heads.first & 3 == 0) & ((heads.first & 0xFFFF) + 20 <= heads.size)
    fits: Bools = (heads.first >> 30 == 0) & (heads.second == STUN_COOKIE) & sized
    return fits


def _dahua(heads: _Heads) -> Bools:
    text = (heads.first == 0x44484745) | (heads.first == 0x4448504F)                         # DHGE(T), DHPO(ST)
    relay = heads.first == 0x50544350                                                  # PTCP
    inverted = heads.first ^ 0xFFFFFFFF                                                # STUN with every bit turned over
    turned = _BINDING[inverted >> 16] & ((inverted & 0xFFFF) + 20 == heads.size)
    fits: Bools = text & (heads.size > 16) | relay & (heads.size >= 24) | turned & (heads.size % 4 == 0)
    return fits


def _tutk(heads: _Heads) -> Bools:
    little = (heads.second >> 24) | (heads.second >> 16 & 0xFF) << 8
    fits: Bools = (heads.first >> 16 == 0x0402) & among(heads.first & 0xFF, 0x02, 0x0A, 0x0B) & (
        little == heads.size - 16)
    return fits


def _cc51(heads: _Heads) -> Bools:
    little = (heads.second >> 8 & 0xFF) | (heads.second & 0xFF) << 8
    command = among(heads.second >> 16, 0x0210, 0x0215)                             # discovery, wrapped DTLS
    fits: Bools = (heads.first == 0x51CC0000) & command & (little == heads.size - 12)
    return fits


def _reolink(heads: _Heads) -> Bools:
    little = heads.second.astype(np.uint32).byteswap().astype(np.int64)
    asked = (heads.first == 0x3ACF872A) & (little == heads.size - 20)
    fits: Bools = asked | ((heads.first == 0x10CF872A) | (heads.first == 0x20CF872A)) & (heads.size >= 20)
    return fits


def _tvt(heads: _Heads) -> Bools:
    known = among(heads.first, *_TVT_OPENINGS, *_TVT_MESSAGES, *_TVT_ENDINGS)
    fits: Bools = known & (heads.second != 0) & (heads.size >= 24)
    return fits


def _tuya(heads: _Heads) -> Bools:
    fits: Bools = ((heads.first == 0x000055AA) | (heads.first == 0x00006699)) & (heads.size >= 22)
    return fits


_DATAGRAMS: Mapping[Sign, Callable[[_Heads], Bools]] = {
    Sign.PPPP: _pppp, Sign.STUN: _stun, Sign.DAHUA_P2P: _dahua, Sign.TUTK: _tutk, Sign.REOLINK_P2P: _reolink,
    Sign.TVT_NAT: _tvt, Sign.TUYA: _tuya, Sign.TUTK_CC51: _cc51,
}


_TELLING = np.zeros(256, np.bool_)
_TELLING[[0x00, 0x01, 0x02, 0x04, 0x10, 0x20, 0x3A, 0x51, 0xA1, 0xF1, 0xF2, 0xFE, 0xFF, *b"DGHP"]] = True
"""First octets that any form in the clear begins with: most datagrams, of video above all, have another."""


def read_signs(batch: Batch, rows: Rows) -> dict[Sign, Ints]:
    """The rows that show each sign by their first octets or their port."""
    found: dict[Sign, Ints] = {}
    _read_datagrams(batch, rows, found)
    _read_streams(batch, rows, found)
    dot = np.flatnonzero((rows.destination_port == 853) & (rows.end > rows.at))
    _add(found, Sign.DOT, dot)
    _add(found, Sign.NOT_PPPP, _unlike_pppp(batch, rows, found))
    return found


def _add(found: dict[Sign, Ints], sign: Sign, chosen: Ints) -> None:
    if len(chosen):
        found[sign] = np.union1d(found[sign], chosen) if sign in found else chosen


def _read_datagrams(batch: Batch, rows: Rows, found: dict[Sign, Ints]) -> None:
    size = rows.end - rows.at
    every = np.flatnonzero((rows.protocol == UDP) & (size >= 4))
    if not len(every):
        return
    octet = batch.u8(rows.at[every])
    _read_scrambled(batch, rows, every[(size[every] <= _SMALL) & ((octet >> 6 != 2) | (size[every] <= 64))], found)
    udp = every[_TELLING[octet]]
    first = batch.u32(rows.at[udp])
    second = np.where(size[udp] >= 8, batch.u32(rows.at[udp] + 4), 0)
    heads = _Heads(first, second, size[udp])
    for sign, fits in _DATAGRAMS.items():
        chosen = udp[fits(heads)]
        if sign in _CONFIRMED and len(chosen):
            chosen = chosen[_CONFIRMED[sign](batch, rows, chosen)]
        _add(found, sign, chosen)
    _add(found, Sign.PORT_MAPPING, udp[(rows.destination_port[udp] == 5351) & _asks_mapping(first, size[udp])])
    _add(found, Sign.DAHUA_P2P, udp[_spoken_by_dahua(rows, udp, first)])
    older = udp[(first >> 24 <= 1) & (first & 3 == 0) & ((first & 0xFFFF) + 20 == size[udp])]
    _add(found, Sign.STUN, older[_classic_stun(batch, rows, older)])


def _read_scrambled(batch: Batch, rows: Rows, small: Ints, found: dict[Sign, Ints]) -> None:
    """`small` are short datagrams, without what begins like RTP (bits 10, RFC 3550 section 5.1)."""
    size = rows.end[small] - rows.at[small]
    octets = [batch.u8(rows.at[small] + number) for number in range(5)]
    _add(found, Sign.PPPP_SCRAMBLED, small[is_pppp_beneath(octets, size)])
    third = _little(batch, rows.at[small] + 8)
    chosen = np.flatnonzero(may_be_iotc(third) & (size >= 24))
    if len(chosen):
        head, rest = iotc_beneath(third[chosen], _little(batch, rows.at[small[chosen]] + 12))
        _add(found, Sign.TUTK, small[chosen[(head & 0xFFFF == 0x0204) & among(head >> 24, 0x02, 0x0A, 0x0B)
                                            & (rest & 0xFFFF == size[chosen] - 16)]])


def _read_streams(batch: Batch, rows: Rows, found: dict[Sign, Ints]) -> None:
    size = rows.end - rows.at
    tcp = np.flatnonzero((rows.protocol == TCP) & (size >= 8))
    if not len(tcp):
        return
    words, second = batch.u32(rows.at[tcp]), batch.u32(rows.at[tcp] + 4)
    baichuan = tcp[words == 0xF0DEBC0A]
    mqtt = tcp[(words >> 24 == 0x10) & ((second == 0x4D515454)                                  # CONNECT, then "MQTT"
                                        | (second >> 8 == 0x044D51) | (second == 0x4D514973))]  # longer, and "MQIsdp"
    framed = tcp[(second == STUN_COOKIE) & (words >> 30 == 0)]
    local = tcp[(words == 0x000055AA) | (words == 0x00006699)]
    for sign, chosen in ((Sign.REOLINK_P2P, baichuan[is_outside_port(rows, baichuan)]), (Sign.MQTT, mqtt),
                         (Sign.STUN, framed), (Sign.TUYA, local)):
        _add(found, sign, chosen)


def _little(batch: Batch, offsets: Ints) -> Ints:
    return batch.u32(offsets).astype(np.uint32).byteswap().astype(np.int64)


def is_outside_port(rows: Rows, chosen: Ints) -> Bools:
    """Baichuan over TCP is the maker's local protocol on port 9000, and rendezvous on any other."""
    outside: Bools = (rows.destination_port[chosen] != 9000) & (rows.source_port[chosen] != 9000)
    return outside


def _spoken_by_dahua(rows: Rows, udp: Ints, first: Ints) -> Bools:
    """HTTP's own words in a datagram on the port of Dahua's servers, as older devices send them."""
    port = (rows.destination_port[udp] == _DAHUA_PORT) | (rows.source_port[udp] == _DAHUA_PORT)
    spoken: Bools = port & among(first, 0x47455420, 0x504F5354, 0x48545450)
    return spoken


def _classic_stun(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """STUN before it had a cookie (RFC 3489): a binding message whose attributes are known, or on a port of STUN."""
    at, size = rows.at[chosen], rows.end[chosen] - rows.at[chosen]
    kind = _BINDING[batch.u16(at)]
    known = (size >= 24) & _CLASSIC[batch.u16(at + 20)] & (batch.u16(at + 22) <= size - 24)
    port = _STUN_PORTS[rows.destination_port[chosen]] | _STUN_PORTS[rows.source_port[chosen]]
    classic: Bools = kind & (known | (size == 20) & port)
    return classic


def _ends_like_tvt(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """Its closing word, an id that is repeated or counted up, or the length of what is behind 32 octets of head."""
    at, end = rows.at[chosen], rows.end[chosen]
    head, tail = batch.u32(at), batch.u32(end - 4)
    first, second = _little(batch, at + 4), _little(batch, at + 8)
    repeated = (first == second) & ((end - at) % 4 == 0)
    counted = (end - at == 24) & (second - first & _ALL < _TVT_NEAR) & among(head, *_TVT_ENDINGS)
    worded = (end - at > 32) & (_little(batch, at + 28) == end - at - 32)
    fits: Bools = np.where(among(head, *_TVT_OPENINGS), tail == 0xFEFE0001, repeated | counted | worded)
    return fits


def _framed_by_tuya(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """The length in the head and the closing word of a frame."""
    at, size = rows.at[chosen], rows.end[chosen] - rows.at[chosen]
    older, closing = batch.u32(at) == 0x000055AA, batch.u32(rows.end[chosen] - 4)
    fits: Bools = np.where(older, (batch.u32(at + 12) == size - 16) & (closing == 0x0000AA55),
                           (batch.u32(at + 14) == size - 22) & (closing == 0x00009966))
    return fits


_CONFIRMED: Mapping[Sign, Callable[[Batch, Rows, Ints], Bools]] = {
    Sign.TVT_NAT: _ends_like_tvt, Sign.TUYA: _framed_by_tuya,
}
"""Forms that ask for a second look, at more than the first eight octets."""


def _unlike_pppp(batch: Batch, rows: Rows, found: Mapping[Sign, Ints]) -> Ints:
    """Datagrams on a port of PPPP whose octets were captured and are plainly something else.

    One that was cut short and begins like PPPP may have been PPPP: what cannot be told is not counted.
    """
    ported = _PPPP_PORTS[rows.destination_port] | _PPPP_PORTS[rows.source_port]
    chosen = np.flatnonzero(ported & (rows.protocol == UDP) & (rows.end > rows.at))
    if not len(chosen):
        return chosen
    spoken = np.union1d(found.get(Sign.PPPP, chosen[:0]), found.get(Sign.PPPP_SCRAMBLED, chosen[:0]))
    chosen = chosen[~np.isin(chosen, spoken)]
    at = rows.at[chosen]
    first = batch.u8(at)
    whole = batch.u16(at - 4) == rows.end[chosen] - at + 8                     # the length in the header (RFC 768)
    unlike: Ints = chosen[whole | ~(among(first, 0xF1, 0xA1) | begins_like_pppp(first))]
    return unlike


def _asks_mapping(first: Ints, size: Ints) -> Bools:
    """NAT-PMP (RFC 6886 section 3.3) and PCP MAP or PEER (RFC 6887 section 11 and 12) requests."""
    version, code = first >> 24, first >> 16 & 0xFF
    mapping = among(code, 1, 2)
    asks: Bools = mapping & ((version == 0) & (size == 12) | (version == 2) & (size >= 60))
    return asks


def stun_request(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """Which of the chosen STUN rows are requests or indications, to a server (class bits, RFC 8489 section 5)."""
    asking: Bools = batch.u16(rows.at[chosen]) & 0x0100 == 0
    return asking
