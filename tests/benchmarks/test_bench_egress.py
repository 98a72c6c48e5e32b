"""How fast captures are read, beside tshark with the same fields, and how much memory it takes.

Runs with ``CAMVET_BENCH=1``; ``CAMVET_BENCH_PACKETS`` is the size of each capture. Time is CPU time of the process, so
that a busy machine does not decide. The bounds asserted are far below what an idle machine shows; the figures are
printed and belong into ``docs/egress.md``.
"""

import json
import os
import resource
import subprocess
import sys

import mixed_traffic
import pytest

PACKETS = int(os.environ.get("CAMVET_BENCH_PACKETS", "200000"))
FIELDS = ("frame.time_epoch", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
          "tcp.dstport",
          "udp.srcport", "udp.dstport", "frame.len", "dns.qry.name", "dns.a", "tls.handshake.extensions_server_name",
          "http.host")
READ = """
import json, resource, sys, time
from scanner import egress
begun = time.process_time()
capture = egress.read(sys.argv[1])
spent = time.process_time() - begun
names = {kind: sorted({n for one in capture.names.values() for n in getattr(one, kind)}) for kind in ("dns", "sni",
"http")} print(json.dumps({"seconds": spent, "packets": capture.packets, "drops": capture.drops, "names": names,
                  "conversations": len(capture.conversations),
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="a measurement: set CAMVET_BENCH=1")


def ours(path):
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def tshark(path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["tshark", "-n", "-r", str(path), "-T", "fields", *(part for f in FIELDS for part in ("-e", f))],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def told(**figures):
    sys.stderr.write("\n" + json.dumps(figures) + "\n")


@pytest.mark.component("tshark")
@pytest.mark.parametrize(("kind", "times"), [("mixed", 3), ("video", 4)])
def test_speed_beside_tshark_and_every_name(tmp_path, kind, times):
    path = tmp_path / f"{kind}.pcap"
    written = getattr(mixed_traffic, f"write_{kind}")(path, PACKETS)
    found = ours(path)
    theirs = tshark(path)
    told(kind=kind, packets=written.packets, ours_s=round(found["seconds"], 2), tshark_s=round(theirs, 2),
         times=round(theirs / found["seconds"], 1), megabytes=round(found["megabytes"]))
    assert found["packets"] == written.packets
    assert {name: set(found["names"][name]) for name in ("dns", "sni", "http")} == {
        "dns": written.dns, "sni": written.sni, "http": written.http}
    assert theirs / found["seconds"] >= times


def test_a_flood_of_spoofed_flows_stays_within_bounds(tmp_path):
    path = tmp_path / "flood.pcap"
    mixed_traffic.write_flood(path, 1_000_000)
    found = ours(path)
    told(kind="flood", ours_s=round(found["seconds"], 2), megabytes=round(found["megabytes"]), drops=found["drops"])
    assert found["megabytes"] < 200
    assert found["drops"]["conversations"] > 0


def test_memory_does_not_grow_with_the_capture(tmp_path):
    sizes = []
    for packets in (PACKETS, PACKETS * 5):
        path = tmp_path / f"{packets}.pcap"
        mixed_traffic.write_video(path, packets)
        sizes.append(ours(path)["megabytes"])
    told(kind="growth", megabytes=[round(size) for size in sizes])
    assert sizes[1] - sizes[0] <= 12
