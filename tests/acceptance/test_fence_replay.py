"""The nftables table at work: a router between a camera and the world, with the table and without.

The same phone-home traffic is sent twice. Without the table all of it leaves; with it, what was approved and what was
allowed leaves, the rest is dropped and noted, the video system still fetches pictures, and a stranger does not.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from camvet.cli import main
from camvet.inventory import Inventory
from lab.namespaces import Host, Namespaces
from lab.personas import persona
from lab.phonehome import write_pcap
from tests.camvet.inventory_samples import sweep

pytestmark = [pytest.mark.component("namespaces"),
              pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft: install nftables")]

NETWORK, ROUTER, WORLD = "10.85.0.0/24", "@router-outside", "world"
HIK = persona("hikvision-dome")
CAMERA = f"10.85.0.{HIK.host}"
SERVER, STRANGER = "10.9.9.5", "203.0.113.99"
CLOUD, TIME = ("203.0.113.20", "tcp", 443), ("198.51.100.123", "udp", 123)
DOCUMENT = {
    "scope": {"activity": None, "purpose": None, "owner": "tests", "ticket": "T-1", "targets": [NETWORK],
              "excludes": [], "window": [None, None], "profile": "fast", "credentials": False},
    "links": [], "silent": {}, "foreign": [], "dropped": {}, "captures": []}

# Prints every party that a packet of the camera arrives for, once.
WATCH = """
import socket, struct, sys
link, met = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)), set()
link.bind(("eth0", 0x0800))
print("watching", flush=True)
while True:
    frame = link.recv(65535)
    if socket.inet_ntoa(frame[26:30]) != sys.argv[1] or frame[23] not in (6, 17):
        continue
    told = (socket.inet_ntoa(frame[30:34]), {6: "tcp", 17: "udp"}[frame[23]], struct.unpack("!H", frame[36:38])[0])
    if told not in met:
        met.add(told)
        print(*told, flush=True)
"""
# Answers every datagram on 53 and 123 of the site's server.
SERVE = """
import select, socket, sys
open_ = []
for port in (53, 123):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((sys.argv[1], port))
    open_.append(one)
while True:
    for one in select.select(open_, [], [])[0]:
        data, sender = one.recvfrom(2048)
        one.sendto(data, sender)
"""
PICTURES = """
import socket
with socket.create_server(("", 554)) as server:
    while True:
        with server.accept()[0] as one:
            one.sendall(b"RTSP/1.0 200 OK")
"""
ASK = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(float(sys.argv[3]))
one.sendto(b"time?", (sys.argv[1], int(sys.argv[2])))
print(one.recv(64).decode())
"""
FETCH = """
import socket, sys
with socket.create_connection((sys.argv[2], 554), float(sys.argv[3]), (sys.argv[1], 0)) as one:
    print(one.recv(64).decode())
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table as the command line writes it, from a capture, an approval and two allowances."""
    home = tmp_path_factory.mktemp("fence")
    first = replace(sweep(1, (CAMERA, HIK.mac, "A1")), document=DOCUMENT)
    Inventory.open(f"sqlite:///{home}/camvet.db").record(first, actor="test")
    write_pcap(home / "usual.pcap", [HIK], NETWORK)
    for words in (("baseline", "approve", CAMERA, "--capture", home / "usual.pcap", "--actor", "A. Okafor"),
                  ("baseline", "allow", f"{TIME[0]}:123/udp", "--device", CAMERA, "--why", "no time server inside yet"),
                  ("baseline", "allow", f"{SERVER}:53/udp", f"{SERVER}:123/udp", "--device", CAMERA, "--why", "names"),
                  ("baseline", "allow", f"{SERVER}:554/tcp", "--inbound", "--device", CAMERA, "--why", "the recorder"),
                  ("report", "--format", "nftables", "--out", home / "camvet.nft")):
        with pytest.raises(SystemExit) as end:
            main(["--db", f"sqlite:///{home}/camvet.db", "--site", "hq", *map(str, words)])
        assert end.value.code == 0
    return home / "camvet.nft"


@pytest.fixture(scope="module")
def site():
    with Namespaces(NETWORK) as spaces:
        spaces.add_router("10.85.0.1", "192.0.2.0/28", "outside")
        run(spaces, ROUTER, "ip", "link", "set", "eth0", "address", "02:00:00:00:00:01")     # as the traffic has it
        spaces.add(Host("camera", CAMERA, HIK.mac))
        spaces.add(Host(WORLD, "192.0.2.10", "02:00:00:00:00:77", bridge="outside"))
        run(spaces, "camera", "ip", "route", "add", "default", "via", "10.85.0.1")
        for address in (SERVER, STRANGER):
            run(spaces, WORLD, "ip", "address", "add", f"{address}/32", "dev", "lo")
        for network in ("203.0.113.0/24", "198.51.100.0/24", f"{SERVER}/32"):
            run(spaces, ROUTER, "ip", "route", "add", network, "via", "192.0.2.10")
        spaces.spawn(WORLD, [sys.executable, "-c", SERVE, SERVER])
        spaces.spawn("camera", [sys.executable, "-c", PICTURES])
        spaces.wait_for(WORLD, frozenset({("udp", 53), ("udp", 123)}))
        spaces.wait_for("camera", frozenset({("tcp", 554)}))
        yield spaces


def run(spaces, host, *command):
    done = spaces.run(command, host=host)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def arrived(spaces):
    """Whom the camera's packets reached in the world while its traffic was played."""
    command = spaces.command(WORLD, [sys.executable, "-c", WATCH, CAMERA])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout.readline() == "watching\n"
        played = spaces.run([sys.executable, "-m", "lab.phonehome", "eth0", NETWORK, "--only", HIK.name, "--outward",
                             "--seconds", "120", "--speed", "120"], host="camera")
        assert played.returncode == 0, played.stderr
        # One that always passes ends the list, so that nothing is waited for that does not come.
        found = set()
        asked = spaces.run([sys.executable, "-c", ASK, SERVER, "53", "5"], host="camera")
        assert asked.stdout == "time?\n", asked.stderr
        while (SERVER, "udp", 53) not in found:
            address, protocol, port = watcher.stdout.readline().split()
            found.add((address, protocol, int(port)))
        watcher.kill()
    return found


def fetch(spaces, source, seconds):
    return spaces.run([sys.executable, "-c", FETCH, source, CAMERA, seconds], host=WORLD)


def test_with_the_table_only_what_is_needed_leaves(site, table):
    before = arrived(site)
    assert {CLOUD, TIME} <= before
    assert fetch(site, STRANGER, "5").stdout == "RTSP/1.0 200 OK\n"
    run(site, ROUTER, "nft", "-f", str(table))

    after = arrived(site)
    assert TIME in after                                         # allowed, though it lies outside
    assert CLOUD not in after
    assert site.run([sys.executable, "-c", ASK, SERVER, "123", "5"], host="camera").stdout == "time?\n"
    assert fetch(site, SERVER, "5").stdout == "RTSP/1.0 200 OK\n"
    refused = fetch(site, STRANGER, "0.7")
    assert refused.stdout == ""
    assert "timed out" in refused.stderr

    noted = json.loads(run(site, ROUTER, "nft", "-j", "list", "set", "inet", "camvet", "cut_off"))
    cut = [tuple(part["elem"]["val"]["concat"]) for one in noted["nftables"] if "set" in one
           for part in one["set"].get("elem", ())]
    assert (CAMERA, *CLOUD) in cut
    assert not any(party[1] in {TIME[0], SERVER} for party in cut)
    chain = run(site, ROUTER, "nft", "list", "chain", "inet", "camvet", "from_camera")
    assert "counter packets 0 bytes 0 drop" not in chain


def test_a_camera_under_another_address_is_still_known_by_its_mac(site, table):
    run(site, ROUTER, "nft", "-f", str(table))
    run(site, "camera", "ip", "address", "add", "10.85.0.200/24", "dev", "eth0")
    ask = ASK.replace("one.sendto", 'one.bind(("10.85.0.200", 0))\none.sendto', 1)
    allowed = site.run([sys.executable, "-c", ask, SERVER, "123", "5"], host="camera")
    assert allowed.stdout == "time?\n", allowed.stderr
    denied = site.run([sys.executable, "-c", ask, STRANGER, "9999", "0.5"], host="camera")
    assert denied.stdout == ""
    noted = run(site, ROUTER, "nft", "list", "set", "inet", "camvet", "cut_off")
    assert f"10.85.0.200 . {STRANGER} . udp . 9999" in noted
