"""Every frame that leaves the scanner's link during a sweep, held against a list by kind: ARP, SYN, groups, everything.

`test_bytes_sent` hears what devices hear, on loopback. Here the link itself is watched, so that nothing is missed which
no device listens for: what goes to everybody, what the kernel adds, and what this machine makes without a socket.
"""

import ipaddress
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from acceptance.test_bytes_sent import check_datagram, check_hello, check_http, check_rtsp, messages

from lab import frames
from lab.datagrams.layout import link_local
from lab.namespace_site import NamespaceSite
from lab.namespaces import SCANNER, SCANNER_MAC
from lab.personas import persona

pytestmark = [pytest.mark.component("namespaces"),
              pytest.mark.skipif(os.geteuid() != 0, reason="listening on a link needs root")]

ROOT = Path(__file__).parents[2]
NETWORK = ipaddress.IPv4Network("10.87.0.0/27")
NAMES = ("dahua-tpc", "axis")
MAC = bytes.fromhex(SCANNER_MAC.replace(":", ""))
HERE = NETWORK[-2]
HERE6 = ipaddress.IPv6Address(link_local(SCANNER_MAC))
GROUPS = {"239.255.255.250", "239.255.255.251", "224.0.0.251", "234.55.55.55", "233.89.188.1"}
GROUPS6 = {"ff02::c": {3702, 1900}, "ff02::fb": {5353}}
REPLY_GROUPS = {"239.255.255.250", "234.55.55.55", "234.55.55.56", "233.89.188.1", "224.0.0.251"}
EVERYBODY = {                                    # UDP port: the whole datagram, asked of the link's broadcast address
    5050: rb"\xa3\x01\x00\x01\x00{12}\x02\x00{15}",
    10000: rb"[\x00-\xff]\x4a\x5d\x8f\x1c|MO_I\x00{11}\x04\x00{3}\x04\x00{6}\x01",
    2380: rb"\x02ENQ:allinfo\xff\x03",
    10670: rb"\x00\x01\x00\x00\x00\x0d\x00{6}" + re.escape(MAC + HERE.packed)            # who asks, and from where
           + rb"\x00\x01\x20\x11\x1e\x11\x23\x1f\x1e\x19\x13\x00{2}\x02\x00{12}\xff\xff\x00{2}",
    8600: rb"\x44\x48\x01\x01",
    3600: rb"DISCOVER\n",
    2007: rb"NICE.{2}\x01\x08\x00{4}\x07\xd7",
    46000: rb"MonitIR\?",
    5048: rb"MADA\x00{3}\x83\x01\x00\x50\x00{41}\x00\x20\x00{6}",
    # {"system":{"get_sysinfo":{}}} under its running key
    9999: re.escape(bytes.fromhex("d0f281f88bff9af7d5ef94b6d1b4c09fec95e68fe187e8caf08bf68bf6")),
}
SSDP6 = (rb'M-SEARCH \* HTTP/1\.1\r\nHOST: \[ff02::c\]:1900\r\nMAN: "ssdp:discover"\r\nMX: 2\r\nST: '
         rb"(?:upnp:rootdevice|urn:axis-com:service:BasicService:1)\r\n\r\n")
SPEAKS_HTTP, SPEAKS_RTSP, SPEAKS_TLS = {80, 8080, 8000, 8899, 5000, 2020, 888, 10080, 49152}, {554, 8554}, {443, 8443}
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

# Writes every frame that leaves the link, each with its length before it, until its input ends.
RECORD = """
import select, socket, struct, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
link.bind(("eth0", 3))
with open(sys.argv[1], "wb") as out:
    while True:
        ready = select.select([link, sys.stdin], [], [])[0]
        if link in ready:
            frame, sender = link.recvfrom(65535)
            if sender[2] == 4:                    # PACKET_OUTGOING
                out.write(struct.pack("<I", len(frame)) + frame)
        elif ready:
            break
    received, dropped = struct.unpack("II", link.getsockopt(263, 6, 8))      # SOL_PACKET, PACKET_STATISTICS
    sys.exit(3 if dropped else 0)
"""


@dataclass(frozen=True)
class Segment:
    """The data of one TCP segment, and of which connection."""

    connection: tuple
    port: int
    sequence: int
    data: bytes


def judge_arp(body):
    assert body[:6] == b"\x00\x01\x08\x00\x06\x04"
    operation, sender, target = int.from_bytes(body[6:8]), body[8:18], ipaddress.IPv4Address(body[24:28])
    assert operation in {1, 2}
    assert sender == MAC + HERE.packed, "another sender than this machine"
    assert target in NETWORK
    return "arp request" if operation == 1 else "arp reply"


def judge_tcp(to, segment, source):
    port, flags, head = int.from_bytes(segment[2:4]), segment[13], (segment[12] >> 4) * 4
    assert to in NETWORK
    data = segment[head:]
    if data:
        assert flags & (SYN | RST) == 0
        return Segment((source, to, segment[:2], port), port, int.from_bytes(segment[4:8]), data)
    assert flags in {SYN, ACK, FIN | ACK, RST, RST | ACK}, f"flags {flags:02x}"
    return "tcp syn" if flags == SYN else "tcp without data"


def judge_udp(to, segment):
    port, data = int.from_bytes(segment[2:4]), segment[8:]
    if to.is_multicast:
        assert str(to) in GROUPS
        return "group " + check_datagram(port, data)
    if to == NETWORK.broadcast_address:
        if port in EVERYBODY:
            assert re.fullmatch(EVERYBODY[port], data, re.DOTALL)
            return f"everybody udp {port}"
        return "everybody " + check_datagram(port, data)
    assert to in NETWORK, f"a datagram to {to}"
    return check_datagram(port, data)


def judge_igmp(message):
    """The kernel tells switches which groups it listens to: a report of version 2 or 3, or a leave (RFC 3376)."""
    kind = message[0]
    assert kind in {0x16, 0x17, 0x22}
    groups = [message[at + 4:at + 8] for at in range(8, len(message), 8)] if kind == 0x22 else [message[4:8]]
    assert {str(ipaddress.IPv4Address(group)) for group in groups} <= REPLY_GROUPS
    return "igmp report"


def judge_ipv4(packet):
    head = (packet[0] & 15) * 4
    packet = packet[:int.from_bytes(packet[2:4])]
    source, to, payload = ipaddress.IPv4Address(packet[12:16]), ipaddress.IPv4Address(packet[16:20]), packet[head:]
    assert source == HERE, f"sent as {source}"
    assert int.from_bytes(packet[6:8]) & 0x3FFF == 0, "a fragment"
    match packet[9]:
        case 1:
            assert payload[:2] == b"\x03\x03", "an ICMP message other than port unreachable"
            return "icmp port unreachable"
        case 2:
            return judge_igmp(payload)
        case 6:
            return judge_tcp(to, payload, source)
        case 17:
            return judge_udp(to, payload)
    raise AssertionError(f"IPv4 protocol {packet[9]}")


def judge_ipv6(packet):
    following, payload = packet[6], packet[40:40 + int.from_bytes(packet[4:6])]
    source, to = ipaddress.IPv6Address(packet[8:24]), ipaddress.IPv6Address(packet[24:40])
    assert source in {HERE6, ipaddress.IPv6Address(0)}, f"sent as {source}"
    if following == 0:                                    # the router alert that MLD carries
        assert payload[:8] == b"\x3a\x00\x05\x02\x00\x00\x01\x00"
        following, payload = 58, payload[8:]
    if following == 58:
        assert payload[0] in {133, 135, 136, 143}, f"ICMPv6 type {payload[0]}"
        return f"icmpv6 {payload[0]}"
    assert following == 17, f"IPv6 next header {following}"
    port, data = int.from_bytes(payload[2:4]), payload[8:]
    assert port in GROUPS6[str(to)]
    if port == 1900:
        assert re.fullmatch(SSDP6, data)
        return "group6 udp 1900"
    return "group6 " + check_datagram(port, data)


def judge(frame):
    """What a frame is, by name, or the data of a TCP segment; an assertion where it is on no list."""
    try:
        assert frame[6:12] == MAC, "another sender than this machine"
        match int.from_bytes(frame[12:14]):
            case 0x0806:
                return judge_arp(frame[14:])
            case 0x0800:
                return judge_ipv4(frame[14:])
            case 0x86DD:
                return judge_ipv6(frame[14:])
        raise AssertionError(f"EtherType {frame[12:14].hex()}")
    except (AssertionError, KeyError, ValueError, IndexError) as error:
        raise AssertionError(f"{error or type(error).__name__}\n{dump(frame)}") from error


def dump(data):
    lines = [data[at:at + 16] for at in range(0, min(len(data), 512), 16)]
    return "\n".join(f"{number * 16:04x}  {line.hex(' '):<47}  "
                     + "".join(chr(octet) if 32 <= octet < 127 else "." for octet in line)
                     for number, line in enumerate(lines))


def judge_tls(stream):
    """The hello as it came; of what follows only that it is TLS: ends of handshakes, alerts, and what is encrypted."""
    first = 5 + int.from_bytes(stream[3:5])
    names, at = [check_hello(stream[:first])], first
    while at < len(stream):
        assert names == ["tls hello"], "nothing follows a hello of old versions"
        assert stream[at] in {20, 21, 22, 23}
        at += 5 + int.from_bytes(stream[at + 3:at + 5])
    assert at == len(stream), "a record that breaks off"
    return names


def judge_stream(port, stream):
    try:
        if port in SPEAKS_TLS:
            return judge_tls(stream)
        if port in SPEAKS_RTSP:
            return [check_rtsp(message) for message in messages(stream)]
        assert port in SPEAKS_HTTP, f"{len(stream)} bytes to port {port}"
        return [check_http(message) for message in messages(stream)]
    except (AssertionError, KeyError, ValueError, IndexError) as error:
        raise AssertionError(f"{error or type(error).__name__}\n{dump(stream)}") from error


def in_order(segments):
    """The bytes of one connection as they were sent; what was sent again counts once."""
    pieces = {}
    for one in segments:
        pieces[one.sequence] = max(pieces.get(one.sequence, b""), one.data, key=len)
    begun = min(pieces, key=lambda sequence: (sequence - segments[0].sequence) & 0xFFFFFFFF)
    stream = b""
    for sequence in sorted(pieces, key=lambda sequence: (sequence - begun) & 0xFFFFFFFF):
        at = (sequence - begun) & 0xFFFFFFFF
        assert at <= len(stream), "a gap"
        stream += pieces[sequence][len(stream) - at:]
    return stream


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Every frame of one sweep, as it left the link."""
    home = tmp_path_factory.mktemp("frames")
    with NamespaceSite(home / "site", str(NETWORK), [persona(name) for name in NAMES]) as site:
        done = site.run(["ip", "-6", "address", "add", f"{HERE6}/64", "dev", "eth0", "nodad"])
        assert done.returncode == 0, done.stderr
        spaces, out = site.namespaces, home / "frames"
        with subprocess.Popen(spaces.command(SCANNER, [sys.executable, "-c", RECORD, str(out)]),
                              stdin=subprocess.PIPE) as recorder:
            table, end = Path(f"/proc/{spaces.pid(SCANNER)}/net/packet"), time.monotonic() + 20
            while " 0003 " not in table.read_text():
                assert time.monotonic() < end, "nobody listens"
                time.sleep(0.05)
            done = site.run([sys.executable, "-m", "camvet", "--json", "--db", f"{home}/camvet.sqlite", "sweep",
                             str(NETWORK), "--owner", "tests", "--profile", "fast", "--check-snmp-public"],
                            seconds=120, environment={**os.environ, "PYTHONPATH": str(ROOT)})
            recorder.stdin.close()
            assert recorder.wait(timeout=30) == 0, "frames were lost"
        assert done.stdout, done.stderr
    data, at, found = out.read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        found.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return found


@pytest.fixture(scope="module")
def kinds(sent):
    """How many of each kind; it exists only where every frame is on the list."""
    judged = [judge(frame) for frame in sent]
    counted, streams = Counter(one for one in judged if isinstance(one, str)), {}
    for one in judged:
        if isinstance(one, Segment):
            streams.setdefault(one.connection, []).append(one)
    for segments in streams.values():
        counted.update(judge_stream(segments[0].port, in_order(segments)))
    return counted


def test_every_frame_is_on_the_list(sent, kinds):
    assert len(sent) > 200
    assert sum(kinds.values()) > 150


@pytest.mark.parametrize("kind", [
    "arp request", "tcp syn", "tcp without data", "igmp report", "icmpv6 143", "http GET", "rtsp OPTIONS",
    "rtsp DESCRIBE", "onvif GetScopes", "tls hello", "tls legacy hello", "udp 37810", "wsd Probe", "udp 161",
    "group wsd Probe", "group udp 37020", "group udp 37810", "group mdns query", "group udp 1900", "group udp 23456",
    "group udp 10001", "group6 wsd Probe", "group6 mdns query", "group6 udp 1900",
    *(f"everybody udp {port}" for port in (37810, 34569, 3956, 7701, 1757, 10001, 2000, 20002, *EVERYBODY)),
])
def test_every_kind_was_really_seen(kinds, kind):
    assert kinds[kind] > 0


def ethernet(kind, body, source=MAC):
    return b"\xff" * 6 + source + kind.to_bytes(2) + body


def station(address, mac=MAC):
    return frames.Station(mac, ipaddress.IPv4Address(address))


ME, CAMERA, ALL = station(HERE), station(NETWORK[3]), station(NETWORK.broadcast_address)


def ipv4(protocol, payload, to=NETWORK[3]):
    return ethernet(0x0800, bytes((0x45, 0)) + (20 + len(payload)).to_bytes(2) + bytes(5) + bytes((protocol, 0, 0))
                    + HERE.packed + to.packed + payload)


@pytest.mark.parametrize("frame", [
    frames.arp(station(NETWORK[4]), NETWORK[3]),                                     # in the name of another
    frames.arp(ME, ipaddress.IPv4Address("10.88.0.1")),                              # for an address outside
    frames.udp(ME, 40000, ALL, 37020, b"<Probe><Types>reset</Types></Probe>", 1),
    frames.udp(ME, 40000, ALL, 34569, b"\xff" + bytes(13) + b"\xfb\x05", 1),          # sets an address
    frames.udp(ME, 40000, ALL, 10670, bytes(52), 1), frames.udp(ME, 40000, ALL, 9999, b"{}", 1),
    frames.udp(ME, 40000, station("239.1.2.3"), 3702, b"", 1), frames.udp(ME, 40000, station("192.0.2.1"), 161, b"", 1),
    frames.tcp(ME, 40000, CAMERA, 80, (1, 0), SYN | FIN, b"", 1), frames.tcp(ME, 40000, CAMERA, 80, (1, 0), 0, b"", 1),
    frames.tcp(ME, 40000, CAMERA, 80, (1, 0), SYN, b"GET", 1),
    frames.tcp(ME, 40000, station("192.0.2.1"), 80, (1, 0), SYN, b"", 1),
    ipv4(1, b"\x08\x00" + bytes(6)), ipv4(1, b"\x05\x01" + bytes(6)), ipv4(47, bytes(8)),
    ethernet(0x88CC, bytes(46)), ethernet(0x0806, bytes(28), bytes(6)), b"",
])
def test_another_frame_would_be_caught_and_shown(frame):
    with pytest.raises(AssertionError) as caught:
        judge(frame)
    assert frame[:16].hex(" ") in str(caught.value)


@pytest.mark.parametrize(("port", "stream"), [
    (80, b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), (554, b"SETUP rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    (37777, b"\xa0"), (23, b"root\r\n"), (443, b"\x16\x03\x01\x00\x01\x00"), (443, b"GET / HTTP/1.1\r\n\r\n"),
])
def test_another_stream_would_be_caught_and_shown(port, stream):
    with pytest.raises(AssertionError) as caught:
        judge_stream(port, stream)
    assert stream[:16].hex(" ") in str(caught.value)
