"""In namespaces the simulated site behaves as on a wire: multicast, broadcast, ARP, MACs, VLANs, a mirror port."""

import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lab_requests import REQUESTS

from lab import frames
from lab.arp import asks_for
from lab.frames import Station
from lab.namespace_site import NamespaceSite
from lab.namespaces import Host, NamespaceError, Namespaces, listening
from lab.personas import PERSONAS, persona

NAMES = ("dahua-tpc", "lorex", "hikvision-dome", "axis", "bosch", "hanwha", "flir", "tvt", "switch")
SLOW, ELSEWHERE = "lorex", "switch"

ASK = """
import json, socket, sys, time
own, target, port, listen, request = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
sock.bind(("", listen))
sock.sendto(bytes.fromhex(request), (target, port))
found, end = {}, time.monotonic() + 1.0
while (left := end - time.monotonic()) > 0:
    sock.settimeout(left)
    try:
        data, (address, _port) = sock.recvfrom(65535)
    except TimeoutError:
        break
    found.setdefault(address, data.hex())
print(json.dumps(found))
"""

WATCH = """
import json, socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("eth0", 3))
link.setsockopt(263, 1, struct.pack("IHH8s", socket.if_nametoindex("eth0"), 1, 0, b""))
print("watching", flush=True)
wanted, seen, end = sys.argv[1], [], time.monotonic() + 20
link.settimeout(20)
while time.monotonic() < end:
    frame = link.recv(65535)
    if frame[12:14] == b"\\x08\\x00" and socket.inet_ntoa(frame[30:34]) == wanted:
        print(frame[6:12].hex(":"), flush=True)
        break
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamespaceSite]:
    with NamespaceSite(tmp_path_factory.mktemp("site"), "10.78.0.0/24", [persona(name) for name in NAMES],
                       bridges={ELSEWHERE: "vlan20"}, arp_delays={SLOW: 0.3}) as running:
        yield running


def ask(site: NamespaceSite, target: str, port: int, listen: int = 0) -> dict[str, bytes]:
    """One request from the scanner's namespace: the first answer of each address."""
    own = site.namespaces.scanner_address
    done = site.run([sys.executable, "-c", ASK, own, target, str(port), str(listen), REQUESTS[port].hex()])
    assert done.returncode == 0, done.stderr
    return {address: bytes.fromhex(data) for address, data in json.loads(done.stdout).items()}


def addresses(site: NamespaceSite, *names: str) -> set[str]:
    return {site.address(name) for name in names}


@pytest.mark.component("namespaces")
class TestSite:
    def test_site_json_says_where_everybody_stands(self, site: NamespaceSite) -> None:
        told = json.loads((site.out_dir / "site.json").read_text())
        assert (told["mode"], told["port_map"], told["capture"]) == ("namespaces", {"tcp": {}}, None)
        assert {each["name"]: each["address"] for each in told["devices"]} == {n: site.address(n) for n in NAMES}

    @pytest.mark.parametrize(("group", "port", "listen", "who"), [
        ("239.255.255.250", 3702, 0, ["dahua-tpc", "lorex", "hikvision-dome", "axis", "bosch", "hanwha", "tvt"]),
        ("239.255.255.250", 37020, 37020, ["hikvision-dome"]),
        ("239.255.255.251", 37810, 0, ["lorex"]),
        ("234.55.55.55", 23456, 23456, ["tvt"]),
        ("224.0.0.251", 5353, 0, ["axis", "flir"]),
    ], ids=["wsd", "sadp", "dhip", "mhed", "mdns"])
    def test_devices_answer_multicast(self, site: NamespaceSite, group: str, port: int, listen: int,
                                      who: list[str]) -> None:
        assert set(ask(site, group, port, listen)) == addresses(site, *who)

    @pytest.mark.parametrize(("port", "listen", "who"), [
        (3956, 0, "flir"), (7701, 7711, "hanwha"), (1757, 1758, "bosch"), (37810, 0, "lorex"),
    ])
    def test_devices_answer_broadcast(self, site: NamespaceSite, port: int, listen: int, who: str) -> None:
        assert set(ask(site, "10.78.0.255", port, listen)) == addresses(site, who)
        assert set(ask(site, "255.255.255.255", port, listen)) == addresses(site, who)

    def test_a_thermal_dahua_is_deaf_to_multicast_and_hears_unicast(self, site: NamespaceSite) -> None:
        address = site.address("dahua-tpc")
        assert list(ask(site, address, 37810)) == [address]

    def test_arp_tells_the_true_mac_even_of_a_slow_device(self, site: NamespaceSite) -> None:
        here = [name for name in NAMES if name != ELSEWHERE]
        for name in here:
            ask_nothing(site, site.address(name))
        wanted = {site.address(name): persona(name).mac.lower() for name in here}
        assert until(lambda: wanted.items() <= neighbours(site).items())

    def test_the_kernel_of_a_slow_device_does_not_answer_arp_itself(self, site: NamespaceSite) -> None:
        told = site.namespaces.run(["cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore"], host=SLOW)
        assert told.stdout.strip() == "8"
        told = site.namespaces.run(["cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore"], host="axis")
        assert told.stdout.strip() == "0"

    def test_another_bridge_is_another_segment(self, site: NamespaceSite) -> None:
        ask_nothing(site, site.address(ELSEWHERE))
        assert until(lambda: f"{site.address(ELSEWHERE)} dev eth0 FAILED" in site.run(["ip", "neigh"]).stdout)

    def test_services_stand_on_their_own_ports(self, site: NamespaceSite) -> None:
        fetch = f"import urllib.request as u; print(u.urlopen('http://{site.address('axis')}/', timeout=5).status)"
        done = site.run([sys.executable, "-c", "import urllib.error\ntry:\n " + fetch + "\n"
                         "except urllib.error.HTTPError as error:\n print(error.code)"])
        assert done.stdout.strip() in {"200", "301", "302", "401"}, done.stderr

    def test_nothing_leads_out(self, site: NamespaceSite) -> None:
        links = {each["ifname"] for each in json.loads(site.run(["ip", "-json", "link"]).stdout)}
        assert links == {"lo", "eth0"}
        assert "default" not in site.run(["ip", "route"]).stdout
        tried = site.run([sys.executable, "-c", "import socket; socket.socket(2, 2).connect(('203.0.113.1', 9))"])
        assert "Network is unreachable" in tried.stderr

    def test_the_scanner_sees_phone_home_traffic_as_on_a_mirror_port(self, site: NamespaceSite) -> None:
        cloud = persona("hikvision-dome").clouds[0]
        command = site.namespaces.command("@scanner", [sys.executable, "-c", WATCH, cloud.address])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout is not None
            assert watcher.stdout.readline() == "watching\n"
            site.play_phone_home(seconds=60, speed=30)
            assert watcher.stdout.readline().strip() == persona("hikvision-dome").mac.lower()

    def test_a_name_cannot_be_taken_twice_nor_an_address_outside(self, site: NamespaceSite) -> None:
        with pytest.raises(NamespaceError, match="already"):
            site.namespaces.add(Host("axis", "10.78.0.99", "02:00:00:00:00:63"))
        with pytest.raises(NamespaceError, match="outside"):
            site.namespaces.add(Host("far", "192.0.2.1", "02:00:00:00:00:63"))


@pytest.mark.component("namespaces")
class TestLife:
    def test_stop_ends_everything_and_may_be_repeated(self) -> None:
        network = Namespaces("10.79.0.0/24")
        network.start()
        network.add(Host("one", "10.79.0.10", "02:00:00:00:00:0A"))
        network.spawn("one", ["sh", "-c", "(sleep 300 &) ; sleep 300"])
        holder = network.pid("one")
        inside = until(lambda: processes_in(holder) if len(processes_in(holder)) >= 3 else [])
        network.stop()
        network.stop()
        assert inside
        assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in inside))

    def test_a_killed_owner_leaves_nothing_behind(self) -> None:
        script = ("import sys, time\nfrom lab.namespaces import *\nn = Namespaces('10.79.1.0/24'); n.start()\n"
                  "n.add(Host('one', '10.79.1.10', '02:00:00:00:00:0A')); n.spawn('one', ['sleep', '300'])\n"
                  "print(n.pid('one'), n.pid(SCANNER), flush=True); time.sleep(300)")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as owner:
            assert owner.stdout is not None
            pids = owner.stdout.readline().split()
            owner.send_signal(signal.SIGKILL)
        assert len(pids) == 2
        assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))

    def test_a_host_that_does_not_come_up_is_told(self) -> None:
        with Namespaces("10.79.2.0/24") as network:
            network.add(Host("dead", "10.79.2.10", "02:00:00:00:00:0A"))
            with pytest.raises(NamespaceError, match=r"dead does not listen on .*80"):
                network.wait_for("dead", frozenset({("tcp", 80)}), seconds=0.1)


def test_personas_outside_the_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="table has no"):
        NamespaceSite(tmp_path, personas=[replace(PERSONAS[0], name="stray")])


def test_own_sockets_are_seen_as_listening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert ("tcp", server.getsockname()[1]) in listening(os.getpid())


@pytest.mark.parametrize(("target", "answered"), [("10.0.0.7", True), ("10.0.0.8", False)])
def test_only_requests_for_the_own_address_are_answered(target: str, answered: bool) -> None:
    asker = Station(bytes.fromhex("020000000009"), ipaddress.IPv4Address("10.0.0.9"))
    frame = frames.arp(asker, ipaddress.IPv4Address(target))
    assert asks_for(frame, ipaddress.IPv4Address("10.0.0.7")) == (asker if answered else None)
    assert asks_for(frame[:30], ipaddress.IPv4Address("10.0.0.7")) is None
    reply = frames.arp(asker, ipaddress.IPv4Address(target), reply_to=asker)
    assert asks_for(reply, asker.address) is None


def ask_nothing(site: NamespaceSite, address: str) -> None:
    """One stray datagram, so that the scanner's kernel looks for the MAC."""
    site.run([sys.executable, "-c", f"import socket; socket.socket(2, 2).sendto(b'', ('{address}', 9))"])


def neighbours(site: NamespaceSite) -> dict[str, str]:
    lines = [line.split() for line in site.run(["ip", "neigh"]).stdout.splitlines()]
    return {words[0]: words[words.index("lladdr") + 1] for words in lines if "lladdr" in words}


def processes_in(holder: int) -> list[int]:
    """Every process whose network namespace is the holder's."""
    wanted = Path(f"/proc/{holder}/ns/net").readlink()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "ns" / "net").readlink() == wanted:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def until(ready, seconds: float = 10.0):  # a bound on waiting, not a measurement
    end = time.monotonic() + seconds
    while not (value := ready()) and time.monotonic() < end:
        time.sleep(0.05)
    return value
