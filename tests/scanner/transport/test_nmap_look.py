"""nmap is asked for chosen hosts alone, gently, and what it writes is read by our own reader."""

import asyncio
import contextlib
import socket
import threading

import pytest

from camvet.services import look
from scanner import clock
from scanner.observation import AttemptStatus, Observation, Reason
from scanner.transport.nmap import arguments

HERE = "127.0.0.1"


def test_what_nmap_is_told():
    told = arguments(["10.0.0.5"], [554, 80, 80])
    assert told[told.index("-p") + 1] == "80,554"
    assert {"-sT", "-sV", "-Pn", "-n"} <= set(told)
    assert not {"-O", "-A", "-sS", "--script"} & set(told)
    assert arguments(["fe80::1"], [80])[0] == "-6"


@pytest.mark.parametrize(("hosts", "ports"), [([], [80]), (["10.0.0.5"], []), (["10.0.0.5"] * 33, [80])])
def test_never_a_network(hosts, ports):
    with pytest.raises(ValueError, match="hosts"):
        arguments(hosts, ports)


def open_port(port):
    return Observation.of(device=HERE, transport="tcp", probe="tcp.connect", port=port, at=clock.now(),
                          fields={"state": "open"}, wire=b"open")


def test_a_device_without_an_open_port_is_left_alone():
    observations, (attempt,) = asyncio.run(look([HERE], [HERE], []))
    assert observations == []
    assert (attempt.status, attempt.reason) == (AttemptStatus.NOT_ATTEMPTED, Reason.PORT_CLOSED)


@pytest.mark.component("nmap")
def test_a_service_is_named():
    server = socket.create_server((HERE, 0))
    port = server.getsockname()[1]

    def answer():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                with peer, contextlib.suppress(OSError):
                    peer.recv(4096)
                    peer.sendall(b"HTTP/1.0 200 OK\r\nServer: lighttpd/1.4.35\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    try:
        observations, (attempt,) = asyncio.run(look([HERE], [HERE], [open_port(port)]))
    finally:
        server.close()
    assert attempt.status is AttemptStatus.COMPLETED
    (seen,) = observations
    assert (seen.probe, seen.port, seen.fields["service"]) == ("nmap.services", port, "http")
    assert "lighttpd" in seen.text("product")
