"""Who showed himself, in a capture or live on a link, without one packet sent: ARP, DHCP, LLDP, discovery datagrams.

A frame is looked at only where its type or port says that it may tell something; which those are is found for a whole
batch of a capture at once, and live by a filter in the kernel. What `scanner.egress.links` reads of another link layer
(cooked by ``tcpdump -i any``, 802.11, raw IP) is laid out as Ethernet first, with the MAC where that layer has one. An
address is a device's own only where ARP or a source address says so.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np

from scanner import clock
from scanner.egress.batches import Batch, Ints
from scanner.egress.links import read_links
from scanner.egress.readers import CaptureReader
from scanner.imports import Imported, address_of, seen
from scanner.observation import Endpoint, Observation, Refusal
from scanner.protocols import PROTOCOLS
from scanner.transport.ears import Ear
from scanner.wire import bootp, datagram, lldp
from scanner.wire.fields import Fields

__all__ = ["PORTS", "PROBE", "Hearing", "listen", "of_frame", "read"]

PROBE = "passive"
"""The probe that observations name which nobody asked for."""

_ETHERNET = 1
_NO_MAC = bytes(6)              # a link layer without addresses
_UNREADABLE = ("link type", "802.11 encrypted", "short frame")
_ARP, _IPV4, _IPV6 = 0x0806, 0x0800, 0x86DD
_TAGS = (0x8100, 0x88A8, 0x9100)
_FRAGMENT = 0x3FFF              # more to come, or not the first
PORTS = tuple(sorted({one.port for one in PROTOCOLS} | {port for one in PROTOCOLS for port in one.reply_ports if port}
                     | {3001, bootp.SERVER_PORT}))
"""The UDP ports on which a device may tell what it is."""

_MOST = 200_000                # frames looked at one by one
_MOST_HELD = 50_000            # things told that are kept
_MOST_OF_ONE = 200             # of one station: who says ever new things is cut there


class Hearing:
    """What was heard so far: each thing once, bounded in all and for each station; what is beyond is counted."""

    def __init__(self) -> None:
        self.dropped = 0
        self._held: dict[str, Observation] = {}
        self._owners: dict[str, str] = {}                 # MAC -> address, as ARP and DHCP say
        self._counts: dict[str, int] = {}

    def add(self, frame: bytes, now: datetime) -> None:
        """Take in one Ethernet frame."""
        for one in of_frame(frame, now):
            if one.id in self._held:
                continue
            station = _station(frame)
            if len(self._held) >= _MOST_HELD or self._counts.get(station, 0) >= _MOST_OF_ONE:
                self.dropped += 1
                continue
            self._counts[station] = self._counts.get(station, 0) + 1
            self._held[one.id] = one
            if one.transport == "link" and "." in one.device:
                self._owners.setdefault(one.text("mac"), one.device)

    @property
    def devices(self) -> int:
        """How many stations have told something."""
        return len({self._owners.get(one.device, one.device) for one in self._held.values()})

    def observations(self) -> list[Observation]:
        """Everything; what a frame without an IPv4 address says belongs to the device whose MAC it is from."""
        return [one if one.device not in self._owners else Observation(
            self._owners[one.device], one.transport, one.probe, one.port, one.at, one.fields, one.digest, one.raw)
            for one in self._held.values() if one.transport != "link" or one.device not in self._owners]


def listen(interface: str, seconds: float, ready: Callable[[], None] = lambda: None) -> tuple[Imported, int]:
    """What a link tells by itself within `seconds` (or until Ctrl-C), and how many frames the kernel had to drop.

    Nothing is sent. `ready` is called once frames are being kept.
    Raises `scanner.transport.exchange.ExchangeError` where this process may not listen there.
    """
    hearing, found = Hearing(), Imported("link")
    with Ear(interface, PORTS) as ear:
        with contextlib.suppress(KeyboardInterrupt):           # whoever has waited long enough keeps what was heard
            ready()
            for frame in ear.frames(seconds):
                hearing.add(frame, clock.now())
        lost = ear.dropped()
    found.observations, found.dropped = hearing.observations(), hearing.dropped
    return found, lost


def read(stream: BinaryIO) -> Imported:
    """Everything a capture tells of devices. A damaged file gives what came before the damage, and a refusal."""
    found, hearing = Imported("capture"), Hearing()
    reader = CaptureReader(stream)
    looked = 0
    for batch in reader:
        found.packets += len(batch)
        for frame, stamp in _frames(batch, found):
            looked += 1
            if looked > _MOST:
                found.dropped += 1
                continue
            hearing.add(frame, datetime.fromtimestamp(stamp / 1e9, UTC))
    if reader.trouble:
        found.refuse(0, f"a whole capture file: {reader.trouble}")
    found.observations = hearing.observations()
    found.dropped += hearing.dropped
    return found


def _station(frame: bytes) -> str:
    """Who sent a frame: its MAC, or where the link layer had none, the address it is from."""
    if frame[6:12] != _NO_MAC:
        return frame[6:12].hex()
    return (frame[26:30] if frame[12:14] == b"\x08\x00" else frame[22:38]).hex()


def _frames(batch: Batch, found: Imported) -> Iterator[tuple[bytes, int]]:
    """The frames of a batch that may tell of a device, as Ethernet frames, with their time in nanoseconds."""
    if batch.link == _ETHERNET:
        for index in _worth(batch):
            start = int(batch.at[index])
            yield batch.cut(start, start + int(batch.kept[index])), int(batch.stamps[index])
        return
    links = read_links(batch, also=(lldp.ETHERTYPE,))
    found.dropped += sum(count for reason, count in links.undecoded.items() if reason.startswith(_UNREADABLE))
    for row in _telling(batch, links.kind, links.at, links.end):
        head = b"".join(int(part).to_bytes(size, "big") for part, size in (
            (links.destination[row], 6), (links.source[row], 6), (links.kind[row], 2)))
        yield head + batch.cut(int(links.at[row]), int(links.end[row])), int(batch.stamps[links.index[row]])


def _worth(batch: Batch) -> Iterator[int]:
    """The Ethernet frames of a batch that may tell of a device."""
    at = batch.at
    shift = np.zeros(len(at), np.int64)
    for _ in range(2):                                       # a tag within a tag is a provider's
        shift = np.where(np.isin(batch.u16(at + 12 + shift), _TAGS), shift + 4, shift)
    yield from _telling(batch, batch.u16(at + 12 + shift), at + 14 + shift, at + batch.kept)


def _telling(batch: Batch, kinds: Ints, body: Ints, end: Ints) -> Iterator[int]:
    """Which frames may tell of a device, by their EtherType and by where their network header begins."""
    four, six = kinds == _IPV4, kinds == _IPV6
    length = np.where(four, (batch.u8(body) & 15) * 4, 40)
    udp = ((four & (batch.u8(body + 9) == socket.IPPROTO_UDP))
           | (six & (batch.u8(body + 6) == socket.IPPROTO_UDP))) & (body + 28 <= end)
    where = np.where(udp & (body + length + 8 <= end), length, 0)
    ports = (batch.u16(body + where), batch.u16(body + where + 2))
    told = udp & (where > 0) & (np.isin(ports[0], PORTS) | np.isin(ports[1], PORTS))
    for index in np.nonzero((kinds == _ARP) | (kinds == lldp.ETHERTYPE) | told)[0]:
        yield int(index)


def of_frame(frame: bytes, now: datetime) -> Iterator[Observation]:
    """What one Ethernet frame says of its sender."""
    if len(frame) < 14:
        return
    kind, body = int.from_bytes(frame[12:14], "big"), frame[14:]
    for _ in range(2):
        if kind in _TAGS:
            kind, body = int.from_bytes(body[2:4], "big"), body[4:]
    mac = "" if frame[6] & 1 or frame[6:12] == _NO_MAC else frame[6:12].hex(":").upper()
    if kind == _ARP:
        yield from _arp(body, now)
    elif kind == lldp.ETHERTYPE and mac:
        said = lldp.parse(body, Endpoint(mac), now)
        if not isinstance(said, Refusal):
            yield seen(mac, "lldp", said, body, now, probe=PROBE)
            yield _link(mac, mac, now)         # the sender's address; that of its chassis is only what it says
    elif kind == _IPV4 and (mac or frame[6:12] == _NO_MAC):
        yield from _ipv4(body, mac, now)
    elif kind == _IPV6 and (mac or frame[6:12] == _NO_MAC):
        yield from _ipv6(body, mac, now)


def _arp(body: bytes, now: datetime) -> Iterator[Observation]:
    if len(body) < 28 or body[:6] != b"\x00\x01\x08\x00\x06\x04" or body[8] & 1:
        return
    address, mac = address_of(socket.inet_ntoa(body[14:18])), body[8:14].hex(":").upper()
    if address and any(body[8:14]):                                         # a probe for a free address names none
        yield seen(address, "link", {"mac": mac, "via": "arp"}, body[8:18], now, probe=PROBE)


def _ipv4(packet: bytes, mac: str, now: datetime) -> Iterator[Observation]:
    start = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < start + 8 or start < 20 or packet[9] != socket.IPPROTO_UDP:
        return
    if int.from_bytes(packet[6:8], "big") & _FRAGMENT:       # part of a datagram would be read as a whole one
        return
    address = address_of(socket.inet_ntoa(packet[12:16]))
    source, target = (int.from_bytes(packet[start + at:start + at + 2], "big") for at in (0, 2))
    data = packet[start + 8:start + int.from_bytes(packet[start + 4:start + 6], "big")]
    if target == bootp.SERVER_PORT:
        yield from _lease(data, mac, source, now)
    elif address:
        for one in _datagram(data, Endpoint(address, source), target, now):
            yield one
            if mac:
                yield _link(address, mac, now)


def _lease(data: bytes, mac: str, port: int, now: datetime) -> Iterator[Observation]:
    """What a client says of itself when it asks for an address."""
    said = bootp.parse(data, Endpoint(mac, port), now)
    if isinstance(said, Refusal):
        return
    mac = str(said.get("mac", mac))
    device = address_of(str(said.get("ipv4", ""))) or mac
    if not device:
        return
    told: Fields = {key: value for key, value in said.items() if key != "mac"}
    if mac:
        yield _link(device, mac, now)
    if told:
        yield seen(device, "dhcp", told, data, now, port=port, probe=PROBE)


def _ipv6(packet: bytes, mac: str, now: datetime) -> Iterator[Observation]:
    """A datagram over IPv6: it belongs to its sender's MAC, until that MAC shows an IPv4 address."""
    if len(packet) < 48 or packet[6] != socket.IPPROTO_UDP:
        return
    address = address_of(socket.inet_ntop(socket.AF_INET6, packet[8:24]))
    source, target = (int.from_bytes(packet[40 + at:42 + at], "big") for at in (0, 2))
    data = packet[48:40 + int.from_bytes(packet[44:46], "big")]
    if address:
        for one in _datagram(data, Endpoint(address, source), target, now):
            if not mac:
                yield one
                continue
            yield Observation(mac, one.transport, one.probe, one.port, one.at, {**one.fields, "ipv6": address},
                              one.digest, one.raw)
            yield _link(mac, mac, now)


def _datagram(data: bytes, source: Endpoint, target: int, now: datetime) -> Iterator[Observation]:
    """What a discovery datagram says of its sender; a question says nothing."""
    if not data:
        return
    for port in dict.fromkeys((source.port, target)):
        if port in PORTS:
            transport, said = datagram.read(data, Endpoint(source.address, port), now)
            if not isinstance(said, Refusal):
                keep = b"" if transport == "tplink_legacy" else data
                yield seen(source.address, transport, said, keep, now, port=port, probe=PROBE)
                return


def _link(device: str, mac: str, now: datetime) -> Observation:
    """That a frame of this device came from this MAC; behind a router that is the router's, which ARP would not say."""
    return seen(device, "link", {"mac": mac, "via": "import"}, f"{device} {mac}".encode(), now, probe=PROBE)
