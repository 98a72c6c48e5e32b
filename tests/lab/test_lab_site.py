"""The simulated site as a whole: its files, its devices going and coming, many devices in one thread."""

import contextlib
import ipaddress
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from lab.host import tcp_ports
from lab.personas import INSIDE, PERSONAS, address_of, copies, persona
from lab.site import PORT_OFFSET, Site

OUTSIDE = [ipaddress.ip_network(text) for text in ("198.51.100.0/24", "203.0.113.0/24")]
GET = b"GET / HTTP/1.1\r\nHost: camera\r\nConnection: close\r\n\r\n"


def network(number):
    """A network of this process's own, so that two runs on one machine do not meet."""
    return f"127.{102 + number}.{os.getpid() % 250 + 1}.0/24"


@pytest.fixture
def site(tmp_path):
    few = [persona(name) for name in ("axis", "dahua-tpc", "printer")]
    with Site.loopback(network(0), tmp_path, few) as running:
        yield running


def is_open(address, port):
    try:
        socket.create_connection((address, port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def front_page(site, name):
    with socket.create_connection((site.address(name), site.port(80)), timeout=10) as connection:
        connection.sendall(GET)
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks).decode()


def test_start_writes_what_an_auditor_would_be_given(tmp_path):
    with Site.loopback(network(1), tmp_path) as site:
        document = json.loads((tmp_path / "site.json").read_text())
        assert {key: document[key] for key in ("name", "mode", "network", "neighbours", "capture")} == {
            "name": "lab", "mode": "loopback", "network": network(1), "neighbours": "neighbours.txt",
            "capture": "phone-home.pcap"}
        assert document["port_map"] == {"tcp": {"23": 20023, "80": 20080, "443": 20443, "554": 20554}}
        assert [row["name"] for row in document["devices"]] == [one.name for one in PERSONAS]
        for row in document["devices"]:
            assert is_open(row["address"], document["port_map"]["tcp"]["80"])
            assert document["credentials"][row["name"]]["password"] == "lab-only-1"
        lines = (tmp_path / "neighbours.txt").read_text().splitlines()
        assert lines[0] == f"{site.address('dahua-tpc')} dev lab0 lladdr 3c:ef:8c:5a:10:0a REACHABLE"
        assert len(lines) == len(PERSONAS)
        assert (tmp_path / "phone-home.pcap").read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"


def test_every_listed_port_is_open_and_closes_with_the_site(tmp_path):
    with Site.loopback(network(2), tmp_path) as site:
        ports = [(site.address(one.name), site.port(number)) for one in PERSONAS for number in tcp_ports(one)]
        assert [pair for pair in ports if not is_open(*pair)] == []
    assert [pair for pair in ports if is_open(*pair)] == []


def test_devices_answer_datagrams_at_their_own_address(site):
    probe = (b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
             b'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><e:Header>'
             b"<a:MessageID>urn:uuid:0a6dc791-2be6-4991-9af1-454778a1917a</a:MessageID>"
             b"<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></e:Header><e:Body>"
             b'<d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"/></e:Body></e:Envelope>')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(10)
        asker.sendto(probe, (site.address("axis"), 3702))
        reply, source = asker.recvfrom(65536)
    assert source[0] == site.address("axis")
    assert b"onvif://www.onvif.org/name/AXIS" in reply


def test_a_killed_device_is_gone_alone_and_comes_back(site):
    address, port = site.address("axis"), site.port(80)
    with socket.create_connection((address, port), timeout=10) as held:
        held.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert held.recv(65536).startswith(b"HTTP/1.1 200")
        site.kill("axis")
        with contextlib.suppress(ConnectionResetError):       # a reset, or an end where the kernel softens it
            assert held.recv(1) == b""
    assert not is_open(address, port)
    assert not is_open(address, site.port(443))
    assert is_open(site.address("dahua-tpc"), port)
    site.kill("axis")
    site.revive("axis")
    assert "<title>AXIS</title>" in front_page(site, "axis")
    with pytest.raises(RuntimeError):
        site.revive("axis")


def test_another_device_at_the_same_address(site, tmp_path):
    address = site.address("axis")
    site.replace("axis", persona("hikvision-dome"))
    assert site.address("hikvision-dome") == address
    assert "Server: App-webs/" in front_page(site, "hikvision-dome")
    assert not is_open(address, site.port(443))
    assert is_open(address, 8000)
    assert f"{address} dev lab0 lladdr c0:56:e3:44:19:0e REACHABLE" in (tmp_path / "neighbours.txt").read_text()
    listed = json.loads((tmp_path / "site.json").read_text())["devices"]
    assert {"hikvision-dome", "dahua-tpc", "printer"} == {row["name"] for row in listed}
    assert site.names == tuple(row["name"] for row in listed)


def test_the_same_device_with_other_firmware_keeps_its_key(site, tmp_path):
    before = {path.name: path.read_bytes() for path in (tmp_path / "certificates").iterdir()}
    site.replace("axis", replace(persona("axis"), firmware="11.0.1"))
    assert site.persona("axis").firmware == "11.0.1"
    assert {path.name: path.read_bytes() for path in (tmp_path / "certificates").iterdir()} == before


def test_a_certificate_outlives_the_run(tmp_path):
    for _ in range(2):
        with Site.loopback(network(3), tmp_path, [persona("bosch")]):
            kept = {path.read_bytes() for path in (tmp_path / "certificates").iterdir()}
    assert len(kept) == 1


def test_names_that_are_not_there(site):
    for method in (site.kill, site.address, lambda name: site.replace(name, persona("bosch"))):
        with pytest.raises(KeyError):
            method("nobody")
    with pytest.raises(ValueError, match="stands elsewhere"):
        site.replace("axis", persona("printer"))
    with pytest.raises(KeyError, match="there are dahua-tpc"):
        persona("nobody")


@pytest.mark.parametrize(("where", "who", "why"), [
    ("127.82.0.0/28", [persona("axis")], "outside"),
    ("10.0.0.0/24", [persona("axis")], "not in 127"),
    ("127.82.0.0/24", [persona("axis"), replace(persona("bosch"), host=persona("axis").host)], "one address"),
])
def test_sites_that_cannot_be(tmp_path, where, who, why):
    with pytest.raises(ValueError, match=why):
        Site.loopback(where, tmp_path, who)


def test_a_taken_port_undoes_the_start(tmp_path):
    site = Site.loopback(network(4), tmp_path, [persona("axis"), persona("flir")])
    with socket.create_server((site.address("flir"), site.port(80))):
        with pytest.raises(OSError, match="in use"):
            site.start()
        assert not is_open(site.address("axis"), site.port(80))
    site.start()
    site.stop()
    site.stop()
    assert not is_open(site.address("axis"), site.port(80))
    assert not is_open(site.address("flir"), site.port(80))


def test_a_full_network_of_one_model_takes_one_thread(tmp_path):
    only_http = replace(persona("uniview"), protocols=frozenset({"http"}))
    before = threading.active_count()
    with Site.loopback(network(5), tmp_path, copies(only_http, 254)) as site:
        assert threading.active_count() == before + 1
        assert site.address(site.names[-1]) == network(5).replace(".0/24", ".254")
        for name in (site.names[0], site.names[-1]):
            assert "<title>Login</title>" in front_page(site, name)
            assert not is_open(site.address(name), site.port(554))
    assert threading.active_count() == before


def test_copies_are_devices_of_their_own():
    for one in (persona("axis"), persona("dahua-tpc")):
        many = copies(one, 300, first_host=5)
        assert [each.host for each in many] == list(range(5, 305))
        for part in ("name", "mac", "serial"):
            assert len({getattr(each, part) for each in many}) == 300
        assert {each.mac[:8] for each in many} == {one.mac[:8]}
        assert {len(each.serial) for each in many} == {len(one.serial)}
    assert all(each.serial == each.mac.replace(":", "") for each in copies(persona("axis"), 3))
    assert [persona(each.name) for each in copies(persona("axis-box"), 2)] == list(copies(persona("axis-box"), 2))
    for count, first in ((1, 0), (2, 9999)):
        with pytest.raises(ValueError, match="do not fit"):
            copies(persona("axis"), count, first_host=first)


def test_the_table_holds_together():
    for part in ("name", "host", "mac", "serial"):
        assert len({getattr(one, part) for one in PERSONAS}) == len(PERSONAS)
    for one in PERSONAS:
        assert re.fullmatch(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}", one.mac)
        assert address_of(one, ipaddress.IPv4Network("10.1.2.0/24")) == ipaddress.IPv4Address(f"10.1.2.{one.host}")
        for cloud in one.clouds:
            assert cloud.address == INSIDE or any(ipaddress.ip_address(cloud.address) in net for net in OUTSIDE)
    channels = persona("recorder").channels
    assert [camera.manufacturer for camera in channels].count("HIKVISION") == 1


def test_one_device_runs_alone_until_told_to_stop(tmp_path):
    address = network(6).replace(".0/24", ".9")
    command = [sys.executable, "-m", "lab.host", "bosch", address, "--port-offset", str(PORT_OFFSET),
               "--certificates", str(tmp_path)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 30
            while not is_open(address, 1756) and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.05)
            assert is_open(address, 80 + PORT_OFFSET)
            assert is_open(address, 443 + PORT_OFFSET)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert not is_open(address, 1756)
