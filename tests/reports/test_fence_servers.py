"""The fences for FreeRADIUS and dnsmasq, loaded by the real servers on loopback and asked as a switch and a camera."""

import re
import shutil
import socket
import struct
import subprocess
import time

import pytest
from sample_report import sample

from reports.formats import freeradius, render

pytestmark = [pytest.mark.component("freeradius"), pytest.mark.component("dnsmasq")]

SECRET = "of-this-test-only"                  # of a server that lives for one test, on loopback
RADIUSD = """
prefix = {home}
confdir = {home}
logdir = {home}
raddbdir = {home}
radacctdir = {home}
run_dir = {home}
db_dir = {home}
libdir = /usr/lib/freeradius
pidfile = {home}/pid
log {{
  destination = files
  file = {home}/log
}}
security {{
  allow_vulnerable_openssl = yes
}}
client here {{
  ipaddr = 127.0.0.1
  secret = {secret}
}}
modules {{
  files {{
    filename = {home}/authorize
  }}
  pap {{
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    files
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
  }}
}}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def serve(command, ready):
    """A server that runs until it is stopped; `ready` says whether it answers."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 60
    while not ready():
        assert server.poll() is None, server.stdout.read()
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.05)
    return server


@pytest.fixture(scope="module")
def vlan_of(tmp_path_factory):
    """Asks a real FreeRADIUS, as a switch does that authenticates by MAC: the VLAN, or None for who is refused."""
    home, port = tmp_path_factory.mktemp("radius"), free_port()
    (home / "authorize").write_bytes(freeradius.render(sample(), approved="120", quarantine="666"))
    (home / "radiusd.conf").write_text(RADIUSD.format(home=home, secret=SECRET, port=port))
    program = shutil.which("freeradius") or shutil.which("radiusd")

    def ask(mac):
        login = f'User-Name = "{mac}"\nUser-Password = "{mac}"\n'
        done = subprocess.run(["radclient", "-x", "-r", "1", "-t", "5", f"127.0.0.1:{port}", "auth", SECRET],
                              input=login, capture_output=True, text=True, timeout=30, check=False)
        if "Received" not in done.stdout:
            return "silent"
        if "Access-Accept" not in done.stdout:
            return None
        assert re.search(r"Tunnel-Type:0 = VLAN", done.stdout)
        assert re.search(r"Tunnel-Medium-Type:0 = IEEE-802", done.stdout)
        return re.search(r'Tunnel-Private-Group-Id:0 = "(\d+)"', done.stdout)[1]

    checked = subprocess.run([program, "-XC", "-d", str(home)], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout[-2000:]
    server = serve([program, "-f", "-d", str(home)], lambda: ask("000000000000") != "silent")
    yield ask
    server.terminate()
    server.communicate(timeout=30)


def test_freeradius_puts_every_camera_where_its_verdict_says(vlan_of):
    asked = {device.mac: device.verdict.outcome for device in sample().devices if device.mac}
    told = {mac: vlan_of(mac.replace(":", "").lower()) for mac in asked}
    assert {"120", "666"} <= set(told.values())
    for mac, outcome in asked.items():
        if told[mac] is not None:
            assert told[mac] == ("120" if outcome == "approved" else "666"), mac


def test_freeradius_refuses_a_mac_that_is_not_named(vlan_of):
    assert vlan_of("02ffffffffff") is None


def question(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


@pytest.fixture(scope="module")
def resolve(tmp_path_factory):
    """Asks a real dnsmasq with the fence in it: NXDOMAIN is 3; whatever is forwarded is refused (5), as nobody is."""
    home, port = tmp_path_factory.mktemp("dnsmasq"), free_port()
    (home / "fence.conf").write_bytes(render(sample(), "dnsmasq"))

    def ask(name):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(2)
            asker.connect(("127.0.0.1", port))
            try:
                asker.send(question(name))
                answer = asker.recv(4096)
            except (ConnectionRefusedError, TimeoutError):
                return None
        return answer[3] & 15, struct.unpack(">H", answer[6:8])[0], answer[-4:]

    server = serve(["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--port={port}",
                    "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root", f"--pid-file={home}/pid",
                    f"--conf-file={home / 'fence.conf'}"], lambda: ask("ready.example") is not None)
    yield ask
    server.terminate()
    server.communicate(timeout=30)


@pytest.mark.parametrize("name", ["hik-connect.com", "api.hik-connect.com", "p2p.easy4ipcloud.com"])
def test_dnsmasq_gives_a_cloud_of_a_maker_no_address_of_it(resolve, name):
    code, answers, address = resolve(name)
    assert (code, answers) == (3, 0) or address == bytes(4)


@pytest.mark.parametrize("name", ["vms.harbour.example", "hik-connect.com.harbour.example", "nothik-connect.com"])
def test_dnsmasq_forwards_every_other_name(resolve, name):
    assert resolve(name)[0] == 5
