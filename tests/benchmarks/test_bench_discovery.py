"""How long it takes to know who is on a link, and how many frames it costs, beside nmap and arp-scan.

A network of its own in namespaces: one machine answers for many addresses, and some hosts answer ARP only after 900 ms.
Everybody must be found, else a time means nothing. Our times are given twice: of the work alone, and of the whole
process with the start of the interpreter. Frames are those that the scanner's interface counted as sent, for all alike.
The peers are tuned as far as they still find everybody. Run with ``CAMVET_BENCH=1 pytest -s`` as root.
"""

import json
import os
import shutil
import sys
import textwrap
import time
from dataclasses import dataclass

import pytest

from lab.namespaces import Host, Namespaces

pytestmark = [pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1"),
              pytest.mark.component("namespaces")]

PORTS = (21, 22, 23, 80, 443, 554, 2020, 8000, 8080, 8443, 8554, 8899, 9000, 34567, 37777, 49152)
LIVE, SLEEPY, DELAY_S = 60, 6, 0.9

ARP = """
import asyncio, ipaddress, json, resource, sys, time
from scanner.transport import packets
from scanner.transport.addresses import interfaces
link = next(one for one in interfaces() if one.name == "eth0")
asked = [str(one) for one in ipaddress.ip_network(sys.argv[1]).hosts() if str(one) != link.address]
begun = time.perf_counter()
heard = asyncio.run(packets.ask(link, asked, float(sys.argv[2]), listen=1.0))
took = time.perf_counter() - begun
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"found": len(heard), "seconds": took, "mb": most}))
"""

SYN = """
import asyncio, ipaddress, json, resource, sys, time
from scanner.transport import packets, syn
from scanner.transport.addresses import interfaces
link = next(one for one in interfaces() if one.name == "eth0")
asked = [str(one) for one in ipaddress.ip_network(sys.argv[1]).hosts() if str(one) != link.address]
ports = json.loads(sys.argv[2])
async def both():
    heard = await packets.ask(link, asked, 20_000, listen=1.0)
    return await syn.probe(link, {one.address: one.mac for one in heard.values()}, ports, 5000, listen=1.0)
begun = time.perf_counter()
found = asyncio.run(both())
took = time.perf_counter() - begun
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"found": len({address for address, _ in found}), "seconds": took, "mb": most}))
"""


@dataclass(frozen=True)
class Run:
    """One program's run: whom it found, how long it and its process took, what it sent, the most memory it held."""

    found: int
    seconds: float
    process: float
    frames: int
    mb: float = 0.0


def network(prefix, slow=0):
    """A started network whose one machine has `LIVE` addresses, with `slow` sleepy hosts beside it."""
    spaces = Namespaces(prefix)
    spaces.start()
    base = prefix.rsplit(".", 1)[0]
    spaces.add(Host("many", f"{base}.10", "02:00:00:00:01:00"))
    lines = "".join(f"address add {base}.{10 + number}/32 dev eth0\n" for number in range(1, LIVE))
    done = spaces.run(["sh", "-c", f"printf '{lines}' | ip -batch -"], host="many")
    assert done.returncode == 0, done.stderr
    for number in range(slow):
        spaces.add(Host(f"slow{number}", f"{base}.{100 + number}", f"02:00:00:00:02:{number:02X}",
                        arp_delay_s=DELAY_S))
    return spaces


def frames(spaces):
    return int(spaces.run(["awk", "/eth0:/ {print $11}", "/proc/net/dev"]).stdout)


def measured(name, spaces, command, parse=None):
    """Run `command` where the scanner is and say what came of it; `parse` counts whom a peer found."""
    before = frames(spaces)
    begun = time.perf_counter()
    done = spaces.run(command, seconds=600)
    process = time.perf_counter() - begun
    sent = frames(spaces) - before
    assert done.returncode == 0, done.stderr
    if parse is None:
        told = json.loads(done.stdout.splitlines()[-1])
        run = Run(told["found"], told["seconds"], process, sent, told["mb"])
    else:
        run = Run(parse(done.stdout), process, process, sent)
    sys.stdout.write(f"\n{name}: {run.found} found in {run.seconds:.2f} s (process {run.process:.2f} s), {run.frames} "
                     f"frames sent, {1000 * run.found / run.frames:.1f} found per 1000 frames"
                     + (f", {run.mb:.0f} MB" if run.mb else "") + "\n")
    return run


def python(code, *words):
    return [sys.executable, "-c", textwrap.dedent(code), *words]


def arp_scan(network_, rate, retry, timeout_ms):
    """arp-scan at `rate` frames a second; each address asked `retry` times, waited for `timeout_ms` each time."""
    return ["arp-scan", "-q", "-x", "-N", "-I", "eth0", f"--interval={1_000_000 // rate}u", f"--retry={retry}",
            f"--timeout={timeout_ms}", "--backoff=1.0", network_]


def by_arp_scan(out):
    return len({line.split()[0] for line in out.splitlines() if line.strip()})


def by_nmap(out):
    return out.count("Host is up") - 1                  # it counts the scanner


needs = {name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
         for name in ("nmap", "arp-scan")}


@pytest.fixture(scope="module")
def small():
    spaces = network("10.85.0.0/24", slow=SLEEPY)
    yield spaces
    spaces.stop()


def test_a_24_with_sleepy_hosts(small):
    run = measured("camvet ARP /24", small, python(ARP, "10.85.0.0/24", "20000"))
    assert run.found == LIVE + SLEEPY


@needs["arp-scan"]
@pytest.mark.parametrize(("rate", "retry", "timeout_ms"), [(10_000, 1, 1000), (10_000, 2, 500), (10_000, 2, 1000)])
def test_a_24_by_arp_scan(small, rate, retry, timeout_ms):
    run = measured(f"arp-scan /24, {rate}/s, asked {retry} times, {timeout_ms} ms each", small,
                   arp_scan("10.85.0.0/24", rate, retry, timeout_ms), by_arp_scan)
    assert run.found <= LIVE + SLEEPY


@needs["nmap"]
def test_a_24_by_nmap(small):
    measured("nmap -sn /24", small, ["nmap", "-n", "-sn", "10.85.0.0/24"], by_nmap)


def test_a_20_with_ports():
    spaces = network("10.86.0.0/20")
    try:
        own = measured("camvet ARP+SYN /20, 16 ports", spaces, python(SYN, "10.86.0.0/20", json.dumps(PORTS)))
        assert own.found == LIVE
        if shutil.which("nmap"):
            measured("nmap -sS /20, 16 ports", spaces,
                     ["nmap", "-n", "-sS", "-p", ",".join(map(str, PORTS)), "10.86.0.0/20"], by_nmap)
    finally:
        spaces.stop()


def test_a_16():
    spaces = network("10.87.0.0/16")
    try:
        own = measured("camvet ARP /16 at 10,000/s", spaces, python(ARP, "10.87.0.0/16", "10000"))
        assert own.found == LIVE
        assert own.mb < 200
        if shutil.which("arp-scan"):
            measured("arp-scan /16 at 10,000/s, asked 2 times", spaces, arp_scan("10.87.0.0/16", 10_000, 2, 500),
                     by_arp_scan)
    finally:
        spaces.stop()
