"""Protocols told by their wire form, whatever the port: peer-to-peer rendezvous, STUN, port mapping, hidden DNS.

Each form is a fixed pattern with a length or a cookie that must agree, so that chance octets do not fit: the weakest,
PPPP, matches about one in 40 million random datagrams. A sign names a protocol, never a maker. ``docs/egress.md`` says how
sure each one is and where its form is documented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np

from scanner.egress.batches import Batch, Bools, Ints
from scanner.egress.headers import TCP, UDP, Rows

__all__ = ["STUN_COOKIE", "Sign", "read_signs", "stun_request"]


class Sign(StrEnum):
    """What a conversation's octets or port gave away."""

    PPPP = "pppp"                    # CS2 Network and iLnk rendezvous
    DAHUA_P2P = "dahua-p2p"
    TUTK = "tutk"                    # ThroughTek Kalay
    REOLINK_P2P = "reolink-p2p"      # Baichuan over UDP
    TVT_NAT = "tvt-nat"
    TUYA = "tuya"
    STUN = "stun"
    PORT_MAPPING = "port-mapping"    # UPnP AddPortMapping, NAT-PMP or PCP
    GATEWAY_SEARCH = "gateway-search"
    DOT = "dot"                      # DNS over TLS or QUIC, by its port
    MQTT = "mqtt"


STUN_COOKIE = 0x2112A442
_PPPP_TYPES = np.array([*range(0x00, 0x04), 0x08, 0x09, *range(0x10, 0x1A), *range(0x20, 0x27), *range(0x30, 0x38),
                        *range(0x40, 0x45), *range(0x60, 0x75), *range(0x80, 0x8E), 0x90, 0xA0, *range(0xD0, 0xD4),
                        0xE0, 0xE1, 0xF0, 0xF1, 0xF8, 0xF9])


def _pppp(first: Ints, second: Ints, size: Ints) -> Bools:
    kind, length = first >> 16 & 0xFF, first & 0xFFFF
    # A bare header is not enough among random datagrams of four octets; types of the SDKs' own list only.
    return (first >> 24 == 0xF1) & (length == size - 4) & np.isin(kind, _PPPP_TYPES)


def _stun(first: Ints, second: Ints, size: Ints) -> Bools:
    """RFC 8489 section 5: two zero bits, the length, the magic cookie."""
    return (first >> 30 == 0) & (second == STUN_COOKIE) & (first & 3 == 0) & ((first & 0xFFFF) + 20 <= size)


def _dahua(first: Ints, second: Ints, size: Ints) -> Bools:
    text = (first == 0x44484745) | (first == 0x4448504F)                         # DHGE(T), DHPO(ST)
    relay = first == 0x50544350                                                  # PTCP
    inverted = first ^ 0xFFFFFFFF                                                # STUN with every bit turned over
    turned = (inverted >> 16 == 1) & ((inverted & 0xFFFF) + 20 == size)
    return text & (size > 16) | relay & (size >= 24) | turned


def _tutk(first: Ints, second: Ints, size: Ints) -> Bools:
    little = (second >> 24) | (second >> 16 & 0xFF) << 8
    return (first >> 16 == 0x0402) & (first & 0xFF == 0x0A) & (little == size - 16)


def _reolink(first: Ints, second: Ints, size: Ints) -> Bools:
    little = (second >> 24) | (second >> 16 & 0xFF) << 8 | (second >> 8 & 0xFF) << 16 | (second & 0xFF) << 24
    asked = (first == 0x3ACF872A) & (little == size - 20)
    return asked | ((first == 0x10CF872A) | (first == 0x20CF872A)) & (size >= 20)


def _tvt(first: Ints, second: Ints, size: Ints) -> Bools:
    return np.isin(first, (0x02000100, 0x02010100, 0x02030100)) & (second != 0) & (size >= 24) & (size % 4 == 0)


def _tuya(first: Ints, second: Ints, size: Ints) -> Bools:
    return ((first == 0x000055AA) | (first == 0x00006699)) & (size >= 20)


_DATAGRAMS: Mapping[Sign, Callable[[Ints, Ints, Ints], Bools]] = {
    Sign.PPPP: _pppp, Sign.STUN: _stun, Sign.DAHUA_P2P: _dahua, Sign.TUTK: _tutk, Sign.REOLINK_P2P: _reolink,
    Sign.TVT_NAT: _tvt, Sign.TUYA: _tuya,
}


def read_signs(batch: Batch, rows: Rows) -> dict[Sign, Ints]:
    """The rows that show each sign by their first octets or their port."""
    size = rows.end - rows.at
    found = {}
    udp = np.flatnonzero((rows.protocol == UDP) & (size >= 4))
    first = batch.u32(rows.at[udp])
    second = np.where(size[udp] >= 8, batch.u32(rows.at[udp] + 4), 0)
    for sign, fits in _DATAGRAMS.items():
        chosen = udp[fits(first, second, size[udp])]
        if sign is Sign.TVT_NAT and len(chosen):
            chosen = chosen[_ends_like_tvt(batch, rows, chosen)]
        if len(chosen):
            found[sign] = chosen
    mapping = udp[(rows.destination_port[udp] == 5351) & _asks_mapping(first, size[udp])]
    if len(mapping):
        found[Sign.PORT_MAPPING] = mapping
    tcp = np.flatnonzero((rows.protocol == TCP) & (size >= 8))
    words = batch.u32(rows.at[tcp])
    baichuan = tcp[words == 0xF0DEBC0A]
    mqtt = tcp[(words >> 24 == 0x10) & (batch.u32(rows.at[tcp] + 4) == 0x4D515454)]       # CONNECT, then "MQTT"
    framed = tcp[(batch.u32(rows.at[tcp] + 4) == STUN_COOKIE) & (words >> 30 == 0)]
    dot = np.flatnonzero((rows.destination_port == 853) & (size > 0))
    local = tcp[words == 0x000055AA]
    for sign, chosen in ((Sign.REOLINK_P2P, baichuan[is_outside_port(rows, baichuan)]), (Sign.MQTT, mqtt),
                         (Sign.STUN, framed), (Sign.DOT, dot), (Sign.TUYA, local)):
        if len(chosen):
            found[sign] = np.concatenate([found[sign], chosen]) if sign in found else chosen
    return found


def is_outside_port(rows: Rows, chosen: Ints) -> Bools:
    """Baichuan over TCP is the maker's local protocol on port 9000, and rendezvous on any other."""
    return (rows.destination_port[chosen] != 9000) & (rows.source_port[chosen] != 9000)


def _ends_like_tvt(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    head = batch.u32(rows.at[chosen])
    tail = batch.u32(rows.end[chosen] - 4)
    repeated = batch.u32(rows.at[chosen] + 4) == batch.u32(rows.at[chosen] + 8)
    return np.where(head == 0x02000100, tail == 0xFEFE0001, repeated)


def _asks_mapping(first: Ints, size: Ints) -> Bools:
    """NAT-PMP (RFC 6886 section 3.3) and PCP MAP or PEER (RFC 6887 section 11 and 12) requests."""
    version, code = first >> 24, first >> 16 & 0xFF
    return (version == 0) & np.isin(code, (1, 2)) & (size == 12) | (version == 2) & np.isin(code, (1, 2)) & (size >= 60)


def stun_request(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """Which of the chosen STUN rows are requests or indications that go to a server (class bits, RFC 8489 section 5)."""
    return batch.u16(rows.at[chosen]) & 0x0100 == 0
