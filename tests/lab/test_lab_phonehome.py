"""The phone-home capture is well formed, says what the personas say, and is the same every time."""

import itertools
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from scapy.layers.dns import DNS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.ntp import NTPHeader
from scapy.utils import RawPcapReader

from lab.persona import Cloud
from lab.personas import INSIDE, PERSONAS, persona
from lab.phonehome import STARTED, send_live, traffic, write_pcap

NETWORK = "127.77.0.0/24"


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "phone-home.pcap"
    written = write_pcap(path, PERSONAS, NETWORK, seed=7)
    assert written == sum(1 for _ in RawPcapReader(str(path)))
    return path


@pytest.fixture(scope="module")
def packets(capture: Path) -> list[tuple[float, Ether]]:
    return [(meta.sec + meta.usec / 1e6, Ether(data)) for data, meta in RawPcapReader(str(capture))]


def of(packets: list[tuple[float, Ether]], name: str) -> list[tuple[float, Ether]]:
    """What one device itself sent."""
    mac = persona(name).mac.lower()
    return [(at, packet) for at, packet in packets if packet.src == mac]


def test_the_file_is_ethernet_in_order_of_time(capture: Path, packets: list[tuple[float, Ether]]) -> None:
    assert capture.read_bytes()[:4] == bytes.fromhex("d4c3b2a1")
    assert RawPcapReader(str(capture)).linktype == 1
    times = [at for at, _ in packets]
    assert times == sorted(times)
    assert STARTED <= times[0] < times[-1] < STARTED + 1800


def test_every_checksum_is_what_scapy_would_compute(packets: list[tuple[float, Ether]]) -> None:
    seen = set()
    for _, packet in packets:
        assert len(packet) >= 60
        if IP not in packet:
            continue
        rebuilt = packet[IP].copy()
        for layer in (IP, UDP, TCP):
            if layer in rebuilt:
                seen.add(layer)
                del rebuilt[layer].chksum
        assert bytes(rebuilt) == bytes(packet[IP])
    assert seen == {IP, UDP, TCP}


def test_every_device_says_where_it_is(packets: list[tuple[float, Ether]]) -> None:
    claims = {(packet.src.upper(), packet[ARP].psrc) for _, packet in packets if ARP in packet}
    assert {(one.mac, f"127.77.0.{one.host}") for one in PERSONAS} <= claims


@pytest.mark.parametrize("name", [one.name for one in PERSONAS])
def test_a_device_talks_to_its_clouds_and_to_nobody_else(name: str, packets: list[tuple[float, Ether]]) -> None:
    who = persona(name)
    reached = {packet[IP].dst for _, packet in of(packets, name) if IP in packet}
    wanted = {"127.77.0.2" if cloud.address == INSIDE else cloud.address for cloud in who.clouds}
    extra = {"127.77.0.2", "198.51.100.123"} if any(c.address != INSIDE for c in who.clouds) else set()
    assert reached == wanted | extra


def test_a_name_is_asked_for_before_it_is_called(packets: list[tuple[float, Ether]]) -> None:
    cloud = persona("dahua-tpc").clouds[0]
    mine = of(packets, "dahua-tpc")
    asked = [at for at, p in mine if DNS in p and p[DNS].qd[0].qname == f"{cloud.host}.".encode()]
    calls = [at for at, p in mine if UDP in p and p[IP].dst == cloud.address]
    answers = [p[DNS].an[0].rdata for _, p in packets if DNS in p and p[DNS].qr and b"easy4ip" in p[DNS].qd[0].qname]
    assert asked[0] < calls[0]
    assert set(answers) == {cloud.address}
    assert len(asked) == 3                                               # once per lifetime of ten minutes
    gaps = [later - earlier for earlier, later in itertools.pairwise(calls)]
    assert 55 <= len(calls) <= 61
    assert all(abs(gap - cloud.every_s) < 1.0 for gap in gaps)


def test_one_destination_never_had_a_name(packets: list[tuple[float, Ether]]) -> None:
    answered = {record.rdata for _, p in packets if DNS in p for record in (p[DNS].an or [])}
    outside = {p[IP].dst for _, p in packets if IP in p} - {f"127.77.0.{n}" for n in range(256)}
    assert outside - answered == {persona("unknown").clouds[0].address}


def test_tls_names_the_cloud(packets: list[tuple[float, Ether]]) -> None:
    hellos = [bytes(p[TCP].payload) for _, p in of(packets, "hikvision-dome") if TCP in p and p[TCP].dport == 443]
    (hello,) = {hello[:1]: hello for hello in hellos if hello[:1] == b"\x16"}.values()
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello)
    with pytest.raises(ssl.SSLError):                                    # no certificate, so it ends after the name
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    assert named == [persona("hikvision-dome").clouds[0].host]


def test_a_tcp_session_begins_ends_and_adds_up(packets: list[tuple[float, Ether]]) -> None:
    cloud = persona("xiongmai").clouds[0]
    port = next(p[TCP].sport for _, p in of(packets, "xiongmai") if TCP in p)
    session = [(p[TCP], p[IP].len - 20 - 4 * p[TCP].dataofs) for _, p in packets
               if TCP in p and port in (p[TCP].sport, p[TCP].dport)]
    assert [str(segment.flags) for segment, _ in session] == ["S", "SA", "A", "PA", "A", "PA", "A", "FA", "FA", "A"]
    expected = {port: session[0][0].seq, cloud.port: session[1][0].seq}
    for segment, length in session:
        assert segment.seq == expected[segment.sport] % 2**32
        if "A" in segment.flags:
            assert segment.ack == expected[segment.dport] % 2**32
        expected[segment.sport] += length + ("S" in segment.flags) + ("F" in segment.flags)
    assert bytes(session[3][0].payload).startswith(f"POST / HTTP/1.1\r\nHost: {cloud.host}\r\n".encode())


def test_ntp_asks_and_is_answered_with_the_time_of_the_capture(packets: list[tuple[float, Ether]]) -> None:
    exchange = [(at, p[NTPHeader]) for at, p in packets if NTPHeader in p and "127.77.0.19" in (p[IP].src, p[IP].dst)]
    assert [header.mode for _, header in exchange[:2]] == [3, 4]
    at, reply = exchange[1]
    assert abs(reply.sent - 2_208_988_800 - at) < 2


def test_the_same_call_writes_the_same_bytes_and_another_seed_does_not(capture: Path, tmp_path: Path) -> None:
    write_pcap(tmp_path / "again.pcap", PERSONAS, NETWORK, seed=7)
    write_pcap(tmp_path / "other.pcap", PERSONAS, NETWORK, seed=8)
    assert (tmp_path / "again.pcap").read_bytes() == capture.read_bytes() != (tmp_path / "other.pcap").read_bytes()


def test_a_shorter_capture_is_the_beginning_of_a_longer_one() -> None:
    long, short = traffic(PERSONAS, NETWORK, 1, 600), traffic(PERSONAS, NETWORK, 1, 60)
    assert short == [one for one in long if one.at < 60]
    assert 0 < len(short) < len(long)


def test_a_persona_outside_the_network_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        traffic([replace(persona("axis"), host=300)], NETWORK)


def test_live_sending_needs_a_speed_and_an_interface() -> None:
    lonely = replace(persona("axis"), clouds=(Cloud("", "203.0.113.1", 9),))
    with pytest.raises(ValueError, match="speed"):
        send_live("nowhere0", [lonely], NETWORK, speed=0)
    with pytest.raises(OSError, match=r"No such device|not permitted"):
        send_live("nowhere0", [lonely], NETWORK)
