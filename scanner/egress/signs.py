"""Protocols told by their wire form, whatever the port: peer-to-peer rendezvous, STUN, port mapping, hidden DNS.

Each form is a fixed pattern with a length or a cookie that must agree, so that chance octets do not fit: the weakest,
PPPP, matches about one in 40 million random datagrams. A sign names a protocol, never a maker. ``docs/egress.md``
says how sure each one is and where its form is documented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
_PPPP_TYPES = np.array([*range(0x04), 0x08, 0x09, *range(0x10, 0x1A), *range(0x20, 0x27), *range(0x30, 0x38),
                        *range(0x40, 0x45), *range(0x60, 0x75), *range(0x80, 0x8E), 0x90, 0xA0, *range(0xD0, 0xD4),
                        0xE0, 0xE1, 0xF0, 0xF1, 0xF8, 0xF9])


@dataclass(frozen=True, slots=True)
class _Heads:
    """The first and the second four octets of datagrams, and their sizes."""

    first: Ints
    second: Ints
    size: Ints


def _pppp(heads: _Heads) -> Bools:
    kind, length = heads.first >> 16 & 0xFF, heads.first & 0xFFFF
    fits: Bools = (heads.first >> 24 == 0xF1) & (length == heads.size - 4) & np.isin(kind, _PPPP_TYPES)
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
    turned = (inverted >> 16 == 1) & ((inverted & 0xFFFF) + 20 == heads.size)
    fits: Bools = text & (heads.size > 16) | relay & (heads.size >= 24) | turned
    return fits


def _tutk(heads: _Heads) -> Bools:
    little = (heads.second >> 24) | (heads.second >> 16 & 0xFF) << 8
    fits: Bools = (heads.first >> 16 == 0x0402) & (heads.first & 0xFF == 0x0A) & (little == heads.size - 16)
    return fits


def _reolink(heads: _Heads) -> Bools:
    little = heads.second.astype(np.uint32).byteswap().astype(np.int64)
    asked = (heads.first == 0x3ACF872A) & (little == heads.size - 20)
    fits: Bools = asked | ((heads.first == 0x10CF872A) | (heads.first == 0x20CF872A)) & (heads.size >= 20)
    return fits


def _tvt(heads: _Heads) -> Bools:
    known = np.isin(heads.first, (0x02000100, 0x02010100, 0x02030100))
    fits: Bools = known & (heads.second != 0) & (heads.size >= 24) & (heads.size % 4 == 0)
    return fits


def _tuya(heads: _Heads) -> Bools:
    fits: Bools = ((heads.first == 0x000055AA) | (heads.first == 0x00006699)) & (heads.size >= 20)
    return fits


_DATAGRAMS: Mapping[Sign, Callable[[_Heads], Bools]] = {
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
        chosen = udp[fits(_Heads(first, second, size[udp]))]
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
    outside: Bools = (rows.destination_port[chosen] != 9000) & (rows.source_port[chosen] != 9000)
    return outside


def _ends_like_tvt(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    head = batch.u32(rows.at[chosen])
    tail = batch.u32(rows.end[chosen] - 4)
    repeated = batch.u32(rows.at[chosen] + 4) == batch.u32(rows.at[chosen] + 8)
    fits: Bools = np.where(head == 0x02000100, tail == 0xFEFE0001, repeated)
    return fits


def _asks_mapping(first: Ints, size: Ints) -> Bools:
    """NAT-PMP (RFC 6886 section 3.3) and PCP MAP or PEER (RFC 6887 section 11 and 12) requests."""
    version, code = first >> 24, first >> 16 & 0xFF
    mapping = np.isin(code, (1, 2))
    asks: Bools = mapping & ((version == 0) & (size == 12) | (version == 2) & (size >= 60))
    return asks


def stun_request(batch: Batch, rows: Rows, chosen: Ints) -> Bools:
    """Which of the chosen STUN rows are requests or indications, to a server (class bits, RFC 8489 section 5)."""
    asking: Bools = batch.u16(rows.at[chosen]) & 0x0100 == 0
    return asking
