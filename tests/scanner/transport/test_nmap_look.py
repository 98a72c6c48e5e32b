"""nmap is asked for chosen hosts alone, gently, and what it writes is read by our own reader."""

import asyncio
import contextlib
import socket
import threading

import pytest

from camvet.services import look
from scanner import clock
from scanner.observation import AttemptStatus, Observation, Reason
from scanner.transport.nmap import targets

HERE = "127.0.0.1"


def test_what_nmap_is_told():
    hosts, ports, options = targets(["10.0.0.5", "10.0.0.6"], [554, 80, 80])
    assert (hosts, ports) == ("10.0.0.5 10.0.0.6", "80,554")
    assert {"-sT", "-sV", "-Pn", "-n", "--version-light"} <= set(options.split())
    assert not any(word in options for word in ("-O", "-A", "-sS", "-sU", "script", "-sC", "-oN"))
    assert targets(["fe80::1"], [80])[2].startswith("-6 ")


@pytest.mark.parametrize(("hosts", "ports"), [
    ([], [80]), (["10.0.0.5"], []), (["10.0.0.5"] * 33, [80]), (["10.0.0.0/24"], [80]), (["10.0.0.1-9"], [80]),
    (["--script=x"], [80]), (["10.0.0.5 --script=x"], [80]), (["cam.example"], [80]), (["fe80::1%eth0"], [80]),
    (["10.0.0.5", "fe80::1"], [80]), (["10.0.0.5"], [0]), (["10.0.0.5"], [65_536]), (["10.0.0.5;id"], [80])])
def test_never_a_network_and_never_an_option(hosts, ports):
    with pytest.raises(ValueError, match=r"host|port|address"):
        targets(hosts, ports)


def fake_nmap(tmp_path, monkeypatch, script):
    program = tmp_path / "nmap"
    version = 'test "$1" = -V && { echo "Nmap version 7.93 ( https://nmap.org )"; exit; }'
    program.write_text(f"#!/bin/sh\n{version}\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def looked():
    return asyncio.run(look([HERE], [HERE], [open_port(80)]))


def test_without_nmap_one_line_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    observations, (attempt,) = looked()
    assert observations == []
    assert (attempt.status, attempt.reason) == (AttemptStatus.FAILED, Reason.NOT_APPLICABLE)
    assert "not installed" in attempt.detail
    assert "\n" not in attempt.detail


@pytest.mark.parametrize(("script", "said"), [
    ("echo 'QUITTING!' >&2; exit 1", "QUITTING"), ("echo '<nmaprun>'", "nmap"), ("echo '<nmaprun></nmaprun>'", "nmap"),
    ("printf '\\377\\376'", "nmap")])
def test_what_goes_wrong_is_one_line(tmp_path, monkeypatch, script, said):
    fake_nmap(tmp_path, monkeypatch, script + "\n")
    observations, (attempt,) = looked()
    assert (observations, attempt.status) == ([], AttemptStatus.FAILED)
    assert said in attempt.detail
    assert "\n" not in attempt.detail
    assert len(attempt.detail) < 300


def test_a_hostile_service_string_stays_text(tmp_path, monkeypatch):
    xml = ('<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap" args="nmap"><host><status state="up"/>'
           f'<address addr="{HERE}" addrtype="ipv4"/><ports><port protocol="tcp" portid="80"><state state="open"/>'
           '<service name="http" product="&lt;script&gt;&#x202e;x" version="%s"/></port></ports></host>'
           '<runstats><finished timestr="x" elapsed="1"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'
           % ("A" * 5000))
    (tmp_path / "out.xml").write_text(xml)
    fake_nmap(tmp_path, monkeypatch, f"cat {tmp_path}/out.xml\n")
    (seen,), (attempt,) = looked()
    assert attempt.status is AttemptStatus.COMPLETED
    assert "\u202e" not in seen.text("product")
    assert len(seen.text("product")) <= 512


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
