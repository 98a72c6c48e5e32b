"""Who showed himself in a capture, without one packet sent: ARP, DHCP, LLDP, and the discovery datagrams devices send.

A frame is looked at only where its type or port says that it may tell something; which those are is found for a whole
batch at once. An address is a device's own only where ARP or a source address says so.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np

from scanner.egress.batches import Batch
from scanner.egress.readers import CaptureReader
from scanner.imports import Imported, address_of, seen
from scanner.observation import Endpoint, Observation, Refusal
from scanner.protocols import PROTOCOLS
from scanner.wire import bootp, datagram, lldp
from scanner.wire.fields import Fields

__all__ = ["of_frame", "read"]

_ETHERNET = 1
_ARP, _IPV4, _VLAN = 0x0806, 0x0800, 0x8100
_TOLD = tuple(sorted({one.port for one in PROTOCOLS} | {port for one in PROTOCOLS for port in one.reply_ports if port}
                     | {3001, bootp.SERVER_PORT}))
_MOST = 200_000                # frames looked at one by one
_PROBE = "passive"


def read(stream: BinaryIO) -> Imported:
    """Everything a capture tells of devices. A damaged file gives what came before the damage, and a refusal."""
    found = Imported("capture")
    held: dict[str, Observation] = {}
    owners: dict[str, str] = {}                     # MAC -> address, as ARP and DHCP say
    reader = CaptureReader(stream)
    looked = 0
    for batch in reader:
        if batch.link != _ETHERNET:
            found.dropped += len(batch)
            continue
        for at in _worth(batch):
            looked += 1
            if looked > _MOST:
                found.dropped += 1
                continue
            start, now = int(batch.at[at]), datetime.fromtimestamp(int(batch.stamps[at]) / 1e9, UTC)
            for one in of_frame(batch.cut(start, start + int(batch.kept[at])), now):
                held.setdefault(one.id, one)
                if one.transport == "link" and address_of(one.device):
                    owners.setdefault(one.text("mac"), one.device)
    if reader.trouble:
        found.refuse(0, f"a whole capture file: {reader.trouble}")
    # What a frame without an address says belongs to the device whose MAC it is from.
    found.observations = [one if one.device not in owners else Observation(
        owners[one.device], one.transport, one.probe, one.port, one.at, one.fields, one.digest, one.raw)
        for one in held.values()]
    return found


def _worth(batch: Batch) -> Iterator[int]:
    """The frames of a batch that may tell of a device."""
    at, kept = batch.at, batch.kept
    kinds = batch.u16(at + 12)
    tagged = kinds == _VLAN
    shift = np.where(tagged, 4, 0)
    kinds = np.where(tagged, batch.u16(at + 16), kinds)
    body = at + 14 + shift
    length = (batch.u8(body) & 15) * 4
    udp = (kinds == _IPV4) & (batch.u8(body + 9) == socket.IPPROTO_UDP) & (kept >= 42)
    ports = (batch.u16(body + length), batch.u16(body + length + 2))
    told = udp & (np.isin(ports[0], _TOLD) | np.isin(ports[1], _TOLD))
    for index in np.nonzero((kinds == _ARP) | (kinds == lldp.ETHERTYPE) | told)[0]:
        yield int(index)


def of_frame(frame: bytes, now: datetime) -> Iterator[Observation]:
    """What one Ethernet frame says of its sender."""
    if len(frame) < 14:
        return
    kind, body = int.from_bytes(frame[12:14], "big"), frame[14:]
    if kind == _VLAN:
        kind, body = int.from_bytes(body[2:4], "big"), body[4:]
    mac = "" if frame[6] & 1 else frame[6:12].hex(":").upper()
    if kind == _ARP:
        yield from _arp(body, now)
    elif kind == lldp.ETHERTYPE and mac:
        said = lldp.parse(body, Endpoint(mac), now)
        if not isinstance(said, Refusal):
            yield seen(mac, "lldp", said, body, now, probe=_PROBE)
    elif kind == _IPV4 and mac:
        yield from _datagram(body, mac, now)


def _arp(body: bytes, now: datetime) -> Iterator[Observation]:
    if len(body) < 28 or body[:6] != b"\x00\x01\x08\x00\x06\x04" or body[8] & 1:
        return
    address, mac = address_of(socket.inet_ntoa(body[14:18])), body[8:14].hex(":").upper()
    if address and any(body[8:14]):                                         # a probe for a free address names none
        yield seen(address, "link", {"mac": mac, "via": "arp"}, body[8:18], now, probe=_PROBE)


def _datagram(packet: bytes, mac: str, now: datetime) -> Iterator[Observation]:
    start = (packet[0] & 15) * 4 if packet else 0
    if len(packet) < start + 8 or start < 20 or packet[9] != socket.IPPROTO_UDP:
        return
    address = address_of(socket.inet_ntoa(packet[12:16]))
    source, target = (int.from_bytes(packet[start + at:start + at + 2], "big") for at in (0, 2))
    data = packet[start + 8:start + int.from_bytes(packet[start + 4:start + 6], "big")]
    if target == bootp.SERVER_PORT:
        said = bootp.parse(data, Endpoint(mac, source), now)
        if not isinstance(said, Refusal):
            device = address_of(str(said.get("ipv4", ""))) or mac
            told: Fields = {key: value for key, value in said.items() if key != "mac"}
            yield _link(device, str(said.get("mac", mac)), now)
            if told:
                yield seen(device, "dhcp", told, data, now, port=source, probe=_PROBE)
        return
    if not address or not data:
        return
    for port in dict.fromkeys((source, target)):
        if port in _TOLD:
            transport, said = datagram.read(data, Endpoint(address, port), now)
            if not isinstance(said, Refusal):
                keep = b"" if transport == "tplink_legacy" else data
                yield seen(address, transport, said, keep, now, port=port, probe=_PROBE)
                yield _link(address, mac, now)
                return


def _link(device: str, mac: str, now: datetime) -> Observation:
    """That a frame of this device came from this MAC; behind a router that is the router's, which ARP would not say."""
    return seen(device, "link", {"mac": mac, "via": "import"}, f"{device} {mac}".encode(), now, probe=_PROBE)
