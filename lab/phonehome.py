"""Where the simulated cameras talk to: half an hour of the site's traffic as a capture file, or live on a link.

Every device announces itself over ARP. A device with a cloud asks the site's resolver for its name and then calls
regularly; one destination never had a name, as with firmware that carries its server as a number. The traffic follows
from the personas, the network and a seed alone, so the same call writes the same bytes.

In namespaces, ``python -m lab.phonehome INTERFACE NETWORK`` sends both directions of the same frames on one link: the
outside does not exist there, so it is played, not reached.
"""

from __future__ import annotations

import argparse
import ipaddress
import random
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import frames
from lab.datagrams.layout import mac_bytes
from lab.frames import ACK, FIN, PSH, SYN, Station
from lab.persona import Cloud, Persona
from lab.personas import INSIDE, INSIDE_HOST, PERSONAS

__all__ = ["STARTED", "Sent", "send_live", "traffic", "write_pcap"]

STARTED = 1_795_161_600                 # 2026-11-20 08:00 UTC: a fixed day, so that a capture is the same every time
GATEWAY_HOST = 1
GATEWAY_MAC = bytes.fromhex("020000000001")
INSIDE_MAC = bytes.fromhex("020000000002")
DNS_PORT, NTP_PORT, HTTPS_PORT, PPPP_PORT = 53, 123, 443, 32100
LIFETIME_S = 600.0                      # of a DNS answer, after which a device asks again
PUBLIC_TIME = Cloud(host="pool.ntp.org", address="198.51.100.123", port=NTP_PORT, every_s=1024.0)


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame and when it passes, in seconds after the start."""

    at: float
    frame: bytes


class _Device:
    """One persona in one conversation: its station, and random numbers and counters that nothing else draws from.

    With numbers of its own, a conversation is the same whatever else the device does and however long it is watched.
    """

    def __init__(self, persona: Persona, network: ipaddress.IPv4Network, seed: int, topic: str) -> None:
        self.persona = persona
        self.random = random.Random(f"{seed}|{persona.name}|{persona.mac}|{topic}")
        self.here = Station(mac_bytes(persona.mac), network[persona.host])
        self.gateway = Station(GATEWAY_MAC, network[GATEWAY_HOST])
        self.inside = Station(INSIDE_MAC, network[INSIDE_HOST])
        self._count = self.random.randrange(0x10000)
        self._port = self.random.randrange(32768, 50000)

    def number(self) -> int:
        """The next IP identification."""
        self._count += 1
        return self._count

    def port(self) -> int:
        """The next ephemeral port."""
        self._port = 32768 + (self._port + 1 - 32768) % 28000
        return self._port

    def station_of(self, cloud: Cloud) -> Station:
        """The far end of a cloud on this link: the infrastructure host, or an outside address behind the gateway."""
        if cloud.address == INSIDE:
            return self.inside
        return Station(GATEWAY_MAC, ipaddress.IPv4Address(cloud.address))


def traffic(personas: Iterable[Persona], network: str | ipaddress.IPv4Network, seed: int = 1,
            seconds: float = 1800.0) -> list[Sent]:
    """All frames of the site in order of time. Raises `ValueError` where the network is too small for a persona."""
    net = ipaddress.IPv4Network(network)
    sent: list[Sent] = []
    for persona in personas:
        if persona.host >= net.num_addresses:
            raise ValueError(f"host {persona.host} of {persona.name} is outside {net}")
        device = _Device(persona, net, seed, "arrival")
        start = device.random.uniform(0.5, 5.0)
        sent += _arrival(device, start)
        clouds = list(persona.clouds)
        if any(cloud.address != INSIDE for cloud in clouds):
            clouds.append(PUBLIC_TIME)
        for cloud in clouds:
            caller = _Device(persona, net, seed, f"{cloud.host}|{cloud.address}|{cloud.port}")
            sent += _calls(caller, cloud, start + caller.random.uniform(1.0, 4.0), seconds)
    return sorted((one for one in sent if one.at < seconds), key=lambda one: one.at)


def _arrival(device: _Device, at: float) -> Iterator[Sent]:
    """A device announces its address and looks for the gateway."""
    yield Sent(at, frames.arp(device.here, device.here.address))
    yield Sent(at + 0.2, frames.arp(device.here, device.gateway.address))
    yield Sent(at + 0.2004, frames.arp(device.gateway, device.here.address, reply_to=device.here))


def _calls(device: _Device, cloud: Cloud, first: float, seconds: float) -> Iterator[Sent]:
    """Every call of one device to one destination, with the DNS queries that its name needs."""
    at, asked_until = first, 0.0
    while at < seconds:
        if cloud.host and at >= asked_until:
            yield from _look_up(device, cloud, at)
            asked_until = at + LIFETIME_S
            at += 0.25
        yield from (_session(device, cloud, at) if cloud.protocol == "tcp" else _datagrams(device, cloud, at))
        at += cloud.every_s * device.random.uniform(0.99, 1.01)


def _look_up(device: _Device, cloud: Cloud, at: float) -> Iterator[Sent]:
    port, identifier = device.port(), device.random.randrange(1, 0x10000)
    address = device.station_of(cloud).address
    query = frames.dns_query(identifier, cloud.host)
    reply = frames.dns_answer(identifier, cloud.host, address, int(LIFETIME_S))
    yield Sent(at, frames.udp(device.here, port, device.inside, DNS_PORT, query, device.number()))
    yield Sent(at + 0.03, frames.udp(device.inside, DNS_PORT, device.here, port, reply, device.number()))


def _datagrams(device: _Device, cloud: Cloud, at: float) -> Iterator[Sent]:
    port = NTP_PORT if cloud.port == NTP_PORT else device.port()
    far = device.station_of(cloud)
    call, reply = _exchange(device, cloud, at)
    yield Sent(at, frames.udp(device.here, port, far, cloud.port, call, device.number()))
    yield Sent(at + 0.14, frames.udp(far, cloud.port, device.here, port, reply, device.number()))


def _exchange(device: _Device, cloud: Cloud, at: float) -> tuple[bytes, bytes]:
    """Call and reply as such a device words them."""
    if cloud.port == NTP_PORT:
        return frames.ntp(3, STARTED + int(at)), frames.ntp(4, STARTED + int(at))
    if cloud.port == PPPP_PORT:
        return bytes.fromhex("f1000000"), bytes.fromhex("f1010010") + device.random.randbytes(16)
    sequence = device.random.randrange(1, 1 << 31)
    call = (f"DHGET /probe/device/{device.persona.serial} HTTP/1.1\r\nCSeq: {sequence}\r\n"
            f"Host: {cloud.host}\r\n\r\n")
    return call.encode(), f"HTTP/1.1 200 OK\r\nCSeq: {sequence}\r\n\r\n".encode()


def _session(device: _Device, cloud: Cloud, at: float) -> Iterator[Sent]:
    """One TCP connection: handshake, one request and reply (TLS or plain HTTP), orderly end."""
    near, far, port = device.here, device.station_of(cloud), device.port()
    ours, theirs = device.random.randrange(1 << 32), device.random.randrange(1 << 32)
    if cloud.port == HTTPS_PORT:
        call = frames.client_hello(cloud.host, device.random.randbytes(32))
        reply = frames.server_hello(device.random.randbytes(32))
    else:
        body = f'{{"sn":"{device.persona.serial}"}}'
        call = (f"POST / HTTP/1.1\r\nHost: {cloud.host or cloud.address}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        reply = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"code":200}'
    script: Sequence[tuple[float, bool, int, bytes]] = (
        (0.000, True, SYN, b""), (0.070, False, SYN | ACK, b""), (0.071, True, ACK, b""),
        (0.080, True, PSH | ACK, call), (0.150, False, ACK, b""), (0.160, False, PSH | ACK, reply),
        (0.161, True, ACK, b""), (0.300, True, FIN | ACK, b""), (0.370, False, FIN | ACK, b""), (0.371, True, ACK, b""),
    )
    for after, outward, flags, payload in script:
        step = len(payload) + (1 if flags & (SYN | FIN) else 0)
        if outward:
            acknowledged = theirs if flags & ACK else 0
            frame = frames.tcp(near, port, far, cloud.port, (ours, acknowledged), flags, payload, device.number())
            ours += step
        else:
            frame = frames.tcp(far, cloud.port, near, port, (theirs, ours), flags, payload, device.number())
            theirs += step
        yield Sent(at + after, frame)


def write_pcap(path: Path, personas: Iterable[Persona], network: str | ipaddress.IPv4Network, seed: int = 1,
               seconds: float = 1800.0) -> int:
    """Write the traffic as a pcap file (little endian, microseconds, Ethernet); the number of frames written."""
    sent = traffic(personas, network, seed, seconds)
    with Path(path).open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for one in sent:
            whole, micros = divmod(round((STARTED + one.at) * 1_000_000), 1_000_000)
            out.write(struct.pack("<IIII", whole, micros, len(one.frame), len(one.frame)) + one.frame)
    return len(sent)


def send_live(interface: str, personas: Iterable[Persona], network: str | ipaddress.IPv4Network, *, seed: int = 1,
              seconds: float = 1800.0, speed: float = 1.0, outward: bool = False) -> int:
    """Send the same frames on a link, `speed` times as fast as they are dated; the number of frames sent.

    With `outward` only what the devices themselves send, for a link behind which the outside does exist.
    Needs CAP_NET_RAW. Raises `OSError` where the interface is missing and `ValueError` for a speed that is not above 0.
    """
    if speed <= 0:
        raise ValueError("speed must be above 0")
    sent = traffic(chosen := list(personas), network, seed, seconds)
    if outward:
        own = {mac_bytes(persona.mac) for persona in chosen}
        sent = [one for one in sent if one.frame[6:12] in own]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        began = time.monotonic()
        for one in sent:
            wait = began + one.at / speed - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            link.send(one.frame)
    return len(sent)


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the traffic of the whole site: ``python -m lab.phonehome eth0 10.77.0.0/24 --speed 60``."""
    parser = argparse.ArgumentParser(prog="lab.phonehome", description="Play the site's outward traffic on a link.")
    parser.add_argument("interface")
    parser.add_argument("network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--only", metavar="NAME", action="append", help="these personas alone")
    parser.add_argument("--outward", action="store_true", help="only what the devices themselves send")
    told = parser.parse_args(arguments)
    wanted = [one for one in PERSONAS if not told.only or one.name in told.only]
    send_live(told.interface, wanted, told.network, seed=told.seed, seconds=told.seconds, speed=told.speed,
              outward=told.outward)


if __name__ == "__main__":
    main()
