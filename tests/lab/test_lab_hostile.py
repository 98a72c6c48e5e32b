"""Each hostile behaviour really does its harm, the trap notes every visit, and nothing outlives the test."""

import gzip
import http.client
import json
import re
import socket
import threading
import zlib
from collections.abc import Iterator

import pytest
from lab_requests import DHIP, PROBE_ID, SADP, probe
from lxml import etree

from lab.hostile import ECHOED_PASSWORD, ECHOED_USER, Behaviour, HostileHost, hostile
from lab.payloads import BODY_BYTES

ADDRESS = "127.78.2.1"
REQUEST = b"GET / HTTP/1.1\r\nHost: camera\r\n\r\n"
DESCRIBE = b"DESCRIBE rtsp://camera/ RTSP/1.0\r\nCSeq: 7\r\nAuthorization: Basic c2VjcmV0\r\n\r\n"


def connect(host: HostileHost, port: int = 80, request: bytes = REQUEST) -> socket.socket:
    sock = socket.create_connection((host.address, host.ports[port]), timeout=10)
    sock.sendall(request)
    return sock


def read_all(sock: socket.socket, limit: int = 2_000_000) -> bytes:
    data = bytearray()
    with sock:
        while len(data) < limit and (part := sock.recv(65536)):
            data += part
    return bytes(data)


def body_of(reply: bytes) -> bytes:
    return reply.partition(b"\r\n\r\n")[2]


def is_over(sock: socket.socket) -> bool:
    """Whether the other side has ended the connection, orderly or not."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def ask_udp(host: HostileHost, port: int, request: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(request, (host.address, port))
        return sock.recv(65535)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[HostileHost]:
    """A host with the behaviour that the test's marker names."""
    with hostile(request.param, ADDRESS, {80: 0, 554: 0}, [3702, 37020, 37810], pace_s=0.01) as running:
        yield running


def behaves(*behaviours: Behaviour) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("host", behaviours, indirect=True)


@behaves(Behaviour.GARBAGE)
def test_garbage_is_no_http(host: HostileHost) -> None:
    reply = read_all(connect(host, request=b"\x16\x03\x01hello"))
    assert len(reply) == 4096
    assert not reply.startswith(b"HTTP")
    assert ask_udp(host, 37020, SADP) != ask_udp(host, 37810, DHIP)[:10]
    assert host.datagrams == [(37020, SADP), (37810, DHIP)]


@behaves(Behaviour.DRIP)
def test_drip_sends_a_byte_at_a_time(host: HostileHost) -> None:
    with connect(host) as sock:
        parts = [sock.recv(65536) for _ in range(5)]
    assert b"HTTP/1.1 200 OK".startswith(b"".join(parts)[:15])
    assert max(map(len, parts)) < 15


@behaves(Behaviour.FLOOD)
def test_flood_sends_all_it_promises_and_stops_when_nobody_listens(host: HostileHost) -> None:
    total = 0
    with connect(host) as sock:
        while part := sock.recv(1 << 20):
            total += len(part)
    assert total > BODY_BYTES
    with connect(host) as sock:
        assert sock.recv(10)
    assert len(ask_udp(host, 37020, SADP)) == 65507


@behaves(Behaviour.REDIRECT)
@pytest.mark.parametrize(("port", "scheme"), [(80, "http"), (554, "rtsp")])
def test_redirect_points_at_a_trap_that_notes_its_visitors(host: HostileHost, port: int, scheme: str) -> None:
    reply = read_all(connect(host, port)).decode()
    location = re.search(r"Location: (\w+)://([\d.]+):(\d+)/", reply)
    assert location is not None
    assert (location[1], f"{location[2]}:{location[3]}") == (scheme, host.trap)
    assert host.visits == []
    connection = http.client.HTTPConnection(host.address, host.trap_port, timeout=5)
    connection.request("GET", "/elsewhere")
    assert connection.getresponse().read() == b"trapped"
    connection.close()
    assert [visit.split()[1] for visit in host.visits] == [b"/elsewhere"]


@behaves(Behaviour.REDIRECT)
def test_redirect_over_discovery_lists_the_trap_as_the_device(host: HostileHost) -> None:
    reply = ask_udp(host, 3702, probe())
    assert f"http://{host.trap}/onvif/device_service".encode() in reply
    assert PROBE_ID.encode() in reply


@behaves(Behaviour.CLOSE_MID_REPLY)
def test_close_mid_reply_promises_more_and_resets(host: HostileHost) -> None:
    with connect(host) as sock:
        assert b"Content-Length: 1000" in sock.recv(65536)
        with pytest.raises(ConnectionResetError):
            sock.recv(65536)


@behaves(Behaviour.SILENT)
def test_silent_takes_the_connection_and_says_nothing(host: HostileHost) -> None:
    with connect(host) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert host.connections == [80]


@behaves(Behaviour.ENDLESS_HEADERS, Behaviour.ENDLESS_LINE)
def test_headers_never_end(host: HostileHost) -> None:
    reply = read_all(connect(host), limit=1_000_000)
    assert len(reply) >= 1_000_000
    assert b"\r\n\r\n" not in reply


@behaves(Behaviour.GZIP_BOMB)
def test_gzip_bomb_grows_a_thousandfold(host: HostileHost) -> None:
    reply = read_all(connect(host))
    assert b"Content-Encoding: gzip" in reply
    assert len(reply) < 100_000
    assert len(zlib.decompressobj(wbits=31).decompress(body_of(reply), 5_000_000)) == 5_000_000
    assert len(gzip.decompress(body_of(reply))) == BODY_BYTES


@behaves(Behaviour.XML_BILLION_LAUGHS, Behaviour.XML_DEEP)
def test_xml_bombs_are_refused_by_a_careful_reader(host: HostileHost) -> None:
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(body_of(read_all(connect(host))))


@behaves(Behaviour.XML_DEEP)
def test_deep_xml_is_well_formed_but_deep(host: HostileHost) -> None:
    body = body_of(read_all(connect(host)))
    assert body.count(b"<a>") == body.count(b"</a>") == 60_000


@behaves(Behaviour.XML_EXTERNAL_ENTITY)
def test_external_entities_point_at_a_file_and_at_the_trap(host: HostileHost) -> None:
    body = body_of(read_all(connect(host)))
    assert b'SYSTEM "file:///' in body
    assert f'SYSTEM "http://{host.trap}/entity"'.encode() in body
    assert b"&file;&web;" in body


@behaves(Behaviour.XML_SPLIT_VENDOR)
def test_a_split_name_is_whole_only_for_who_reads_all_of_it(host: HostileHost) -> None:
    tree = etree.fromstring(body_of(read_all(connect(host))))
    maker = next(node for node in tree.iter() if str(node.tag).endswith("Manufacturer"))
    assert maker.text == "Da"
    assert "".join(maker.xpath("text()")) == "Dahua"
    assert b"<DeviceDescription>Da<!-- -->hua</DeviceDescription>" in ask_udp(host, 37020, SADP)
    assert b"name/Da<!-- -->hua" in ask_udp(host, 3702, probe())


@behaves(Behaviour.RTSP_ECHO)
def test_echo_gives_credentials_back_in_every_place(host: HostileHost) -> None:
    reply = read_all(connect(host, 554, DESCRIBE)).decode()
    secret = f"{ECHOED_USER}:{ECHOED_PASSWORD}"
    assert reply.startswith("RTSP/1.0 200 OK\r\nCSeq: 7\r\n")
    assert f"Content-Base: rtsp://{secret}@" in reply
    assert f"a=control:rtsp://{secret}@" in reply
    assert "X-Debug-Authorization: Basic c2VjcmV0" in reply
    assert len(body_of(reply.encode())) == int(re.search(r"Content-Length: (\d+)", reply)[1])


@behaves(Behaviour.JSON_DEEP)
def test_deep_json_breaks_a_plain_reader(host: HostileHost) -> None:
    reply = ask_udp(host, 37810, DHIP)
    assert reply[4:8] == b"DHIP"
    with pytest.raises(RecursionError):
        json.loads(reply[32:])


@behaves(Behaviour.JSON_HUGE_NUMBER)
def test_a_huge_number_breaks_a_plain_reader(host: HostileHost) -> None:
    with pytest.raises(ValueError, match="digits"):
        json.loads(ask_udp(host, 37810, DHIP)[32:])


@behaves(*(each for each in Behaviour))
def test_every_behaviour_starts_takes_a_client_and_ends(host: HostileHost) -> None:
    connect(host).close()
    assert set(host.ports) == {80, 554}


def test_nothing_outlives_the_block() -> None:
    with hostile(Behaviour.SILENT, ADDRESS, {80: 0}, [37810]) as host:
        open_connection = connect(host)
        ports = [host.ports[80], host.trap_port]
    with open_connection:
        assert is_over(open_connection)
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((ADDRESS, port), timeout=2)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("hostile-")]


def test_only_loopback_is_served() -> None:
    with pytest.raises(ValueError, match="loopback"), hostile(Behaviour.SILENT, "192.0.2.1", {80: 0}):
        pass


def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    with socket.create_server((ADDRESS, 0)) as taken, pytest.raises(OSError, match="in use"), \
            hostile(Behaviour.SILENT, ADDRESS, {80: taken.getsockname()[1]}):
        pass
