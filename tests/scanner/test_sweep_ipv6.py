"""A sweep of an IPv6 address: datagrams by unicast, connects, and an HTTP server behind brackets."""

import contextlib
import socket
import threading

import pytest

from lab import datagrams
from lab.personas import persona
from scanner.observation import AttemptStatus
from scanner.pace import Profile
from scanner.scope import Scope
from scanner.settings import Settings
from scanner.sweep import run
from scanner.transport.exchange import PortMap

ONE = persona("dahua-tpc")


def udp_device(port):
    """A socket on ::1 that answers like the lab's device, and the port it got."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.bind(("::1", 0))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                data, sender = sock.recvfrom(65535)
                for reply in datagrams.answer(ONE, port, data, "10.0.0.10"):
                    sock.sendto(reply, sender)

    threading.Thread(target=answer, daemon=True).start()
    return sock, sock.getsockname()[1]


def web_device(asked):
    sock = socket.create_server(("::1", 0), family=socket.AF_INET6)

    def answer():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = sock.accept()
                with peer:
                    peer.settimeout(2)
                    with contextlib.suppress(OSError):
                        request = peer.recv(65535)
                        asked.append(request)
                        if request:
                            peer.sendall(b"HTTP/1.1 200 OK\r\nServer: lab\r\nContent-Length: 21\r\n"
                                         b"Connection: close\r\n\r\n<title>x</title>12345")

    threading.Thread(target=answer, daemon=True).start()
    return sock, sock.getsockname()[1]


def free_port():
    with socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return sock.getsockname()[1]


@pytest.fixture
def device():
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    asked = []
    web, web_port = web_device(asked)
    wsd, wsd_port = udp_device(3702)
    dhip, dhip_port = udp_device(37810)
    closed = {port: free_port() for port in (443, 554, 8000, 8080, 8899, 37777, 34567, 23, 21)}
    yield PortMap({80: web_port, **closed}, {3702: wsd_port, 37810: dhip_port, 37020: free_port()}), asked
    for sock in (web, wsd, dhip):
        sock.close()


def test_a_device_on_ipv6_is_asked_like_any_other(device):
    ports, asked = device
    scope = Scope.of(["::1"], owner="tests", lab=True)
    result = run(scope, Settings(profile=Profile.FAST, port_map=ports, canary=False))
    assert result.devices == ["::1"]
    spoken = {one.transport for one in result.observations}
    assert {"wsd", "dhip", "http", "tcp"} <= spoken
    assert any(b"\r\nHost: [::1]" in request for request in asked)
    done = {one.probe for one in result.attempts if one.status is AttemptStatus.COMPLETED}
    assert {"wsd.probe", "dhip.search", "http.root"} <= done
