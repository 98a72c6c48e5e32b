"""How long it takes to know who is on a link, beside nmap and, where it is installed, arp-scan.

A network of its own in namespaces: one machine answers for many addresses, and some hosts answer ARP only after 900 ms.
Everybody must be found, else a time means nothing; nmap also counts the scanner. Our time is that of the work, without
the start of the interpreter. Run with ``CAMVET_BENCH=1 pytest -s`` as root.
"""

import json
import os
import shutil
import sys
import textwrap
import time

import pytest

from lab.namespaces import Host, Namespaces

pytestmark = [pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1"),
              pytest.mark.component("namespaces")]

PORTS = (21, 22, 23, 80, 443, 554, 2020, 8000, 8080, 8443, 8554, 8899, 9000, 34567, 37777, 49152)
LIVE = 60

ARP = """
import asyncio, json, resource, sys, time
from scanner.transport import packets
from scanner.transport.addresses import interfaces
import ipaddress
link = next(one for one in interfaces() if one.name == "eth0")
asked = [str(one) for one in ipaddress.ip_network(sys.argv[1]).hosts() if str(one) != link.address]
begun = time.perf_counter()
heard = asyncio.run(packets.ask(link, asked, float(sys.argv[2]), listen=1.1))
took = time.perf_counter() - begun
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"found": len(heard), "seconds": took, "mb": most}))
"""

SYN = """
import asyncio, json, sys, time
from scanner.transport import packets, syn
from scanner.transport.addresses import interfaces
import ipaddress
link = next(one for one in interfaces() if one.name == "eth0")
asked = [str(one) for one in ipaddress.ip_network(sys.argv[1]).hosts() if str(one) != link.address]
async def both():
    heard = await packets.ask(link, asked, 20_000, listen=1.1)
    return await syn.probe(link, {one.address: one.mac for one in heard.values()}, json.loads(sys.argv[2]), 5000,
                           listen=1.0)
begun = time.perf_counter()
found = asyncio.run(both())
print(json.dumps({"found": len({address for address, _ in found}), "seconds": time.perf_counter() - begun}))
"""


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
        spaces.add(Host(f"slow{number}", f"{base}.{100 + number}", f"02:00:00:00:02:{number:02X}", arp_delay_s=0.9))
    return spaces


def measured(spaces, command, *, parse=None):
    begun = time.perf_counter()
    done = spaces.run(command, seconds=600)
    took = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr
    return (json.loads(done.stdout.splitlines()[-1]) if parse is None
            else {"found": parse(done.stdout), "seconds": took})


def python(code, *words):
    return [sys.executable, "-c", textwrap.dedent(code), *words]


def say(name, result):
    sys.stdout.write(f"\n{name}: {result['found']} found in {result['seconds']:.2f} s"
                     + (f", {result['mb']:.0f} MB" if "mb" in result else "") + "\n")


def test_a_24_with_sleepy_hosts():
    spaces = network("10.85.0.0/24", slow=6)
    try:
        own = measured(spaces, python(ARP, "10.85.0.0/24", "20000"))
        say("camvet ARP /24", own)
        assert own["found"] == LIVE + 6
        if shutil.which("nmap"):
            peer = measured(spaces, ["nmap", "-n", "-sn", "10.85.0.0/24"], parse=lambda out: out.count("Host is up"))
            say("nmap -sn /24", peer)
        if shutil.which("arp-scan"):
            peer = measured(spaces, ["arp-scan", "-q", "-x", "-I", "eth0", "--retry=1", "--timeout=1000",
                                     "10.85.0.0/24"], parse=lambda out: len(out.splitlines()))
            say("arp-scan /24", peer)
    finally:
        spaces.stop()


def test_a_20_with_ports():
    spaces = network("10.86.0.0/20")
    try:
        own = measured(spaces, python(SYN, "10.86.0.0/20", json.dumps(PORTS)))
        say("camvet ARP+SYN /20, 16 ports", own)
        assert own["found"] == LIVE
        if shutil.which("nmap"):
            peer = measured(spaces, ["nmap", "-n", "-sS", "-p", ",".join(map(str, PORTS)), "10.86.0.0/20"],
                            parse=lambda out: out.count("Host is up"))
            say("nmap -sS /20, 16 ports", peer)
    finally:
        spaces.stop()


def test_a_16():
    spaces = network("10.87.0.0/16")
    try:
        own = measured(spaces, python(ARP, "10.87.0.0/16", "10000"))
        say("camvet ARP /16 at 10,000/s", own)
        assert own["found"] == LIVE
        assert own["mb"] < 200
    finally:
        spaces.stop()
