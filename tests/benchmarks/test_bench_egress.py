"""How fast captures are read, beside tshark and nfstream with equal settings, and how much memory it takes.

Runs with ``CAMVET_BENCH=1``; ``CAMVET_BENCH_PACKETS`` is the size of each capture, ``CAMVET_BENCH_RUNS`` how often each
side runs. Every side is a whole command in a process of its own, on one core, in turns (``camvet egress --json`` with
its start, rules, judging and printing); what counts is the median of its processor time, so that a busy machine does
not decide. The reading alone is timed beside it. The bounds asserted are the goals, whether or not this machine reaches
them; the figures are printed and belong into ``docs/performance.md``.
"""

import json
import os
import resource
import shutil
import statistics
import struct
import subprocess
import sys
from pathlib import Path

import mixed_traffic
import numpy as np
import pytest

PACKETS = int(os.environ.get("CAMVET_BENCH_PACKETS", "1000000"))
RUNS = int(os.environ.get("CAMVET_BENCH_RUNS", "3"))
FIELDS = ("frame.time_epoch", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport",
          "tcp.dstport", "udp.srcport", "udp.dstport", "frame.len", "dns.qry.name", "dns.a",
          "tls.handshake.extensions_server_name", "http.host")
READ = """
import json, sys
from pathlib import Path
from scanner import egress
capture = egress.read(sys.argv[1])
names = {kind: sorted({n for one in capture.names.values() for n in getattr(one, kind)})
         for kind in ("dns", "sni", "http")}
status = Path("/proc/self/status").read_text()
print(json.dumps({"packets": capture.packets, "drops": dict(capture.drops), "names": names,
                  "conversations": len(capture.conversations),
                  "megabytes": int(status.split("VmHWM:")[1].split()[0]) / 1024}))
"""
WHOLE = """
import os, sys
from pathlib import Path
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
from camvet.cli import run
code = run(["--json", "egress", sys.argv[1]])
assert code in (0, 1), code
status = Path("/proc/self/status").read_text()
os.write(out, str(int(status.split("VmHWM:")[1].split()[0]) / 1024).encode())
"""
STREAM = """
import sys
from nfstream import NFStreamer
if __name__ == "__main__":
    flows = NFStreamer(source=sys.argv[1], statistical_analysis=False, splt_analysis=0, n_dissections=20, n_meters=1)
    print(sum(1 for _ in flows))
"""

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="a measurement: set CAMVET_BENCH=1")


def spent(command, codes=(0,)):
    """Processor seconds of a whole command and its children on one core, and what it printed."""
    core = {max(os.sched_getaffinity(0))}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, core))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in codes, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def whole(path):
    """Processor seconds of ``camvet egress`` as somebody runs it, and the megabytes it held at most."""
    seconds, printed = spent([sys.executable, "-c", WHOLE, str(path)])
    return seconds, float(printed)


def read(path):
    seconds, printed = spent([sys.executable, "-c", READ, str(path)])
    return seconds, json.loads(printed)


def peers(path, script):
    script.write_text(STREAM)
    made = {}
    if shutil.which("tshark"):
        made["tshark"] = ["sh", "-c", 'exec "$0" "$@" >/dev/null 2>&1', "tshark", "-n", "-r", str(path), "-T", "fields",
                          *(part for name in FIELDS for part in ("-e", name))]
    if subprocess.run([sys.executable, "-c", "import nfstream"], capture_output=True, check=False).returncode == 0:
        made["nfstream"] = [sys.executable, str(script), str(path)]
    return made


def told(**figures):
    sys.stderr.write("\n" + json.dumps(figures) + "\n")


@pytest.mark.parametrize(("kind", "bounds"), [("mixed", {"tshark": 8, "nfstream": 4}), ("video", {"tshark": 20})])
def test_speed_beside_peers_and_every_name(tmp_path, kind, bounds):
    path = tmp_path / f"{kind}.pcap"
    written = getattr(mixed_traffic, f"write_{kind}")(path, PACKETS)
    others = peers(path, tmp_path / "stream.py")
    if not others:
        pytest.skip("neither tshark nor nfstream is installed")
    ours, reading, theirs, found, megabytes = [], [], {name: [] for name in others}, {}, []
    for _ in range(RUNS):
        seconds, held = whole(path)
        ours.append(seconds)
        megabytes.append(held)
        seconds, found = read(path)
        reading.append(seconds)
        for name, command in others.items():
            theirs[name].append(spent(command)[0])
    own = statistics.median(ours)
    times = {name: round(statistics.median(each) / own, 1) for name, each in theirs.items()}
    told(kind=kind, packets=written.packets, ours_s=[round(one, 2) for one in ours],
         reading_s=[round(one, 2) for one in reading],
         reading_times={name: round(statistics.median(each) / statistics.median(reading), 1)
                        for name, each in theirs.items()}, whole_megabytes=round(max(megabytes)),
         theirs_s={name: [round(one, 1) for one in each] for name, each in theirs.items()}, times=times,
         megabytes=round(found["megabytes"]), conversations=found["conversations"], drops=found["drops"])
    assert found["packets"] == written.packets
    assert {name: set(found["names"][name]) for name in ("dns", "sni", "http")} == {
        "dns": written.dns, "sni": written.sni, "http": written.http}
    assert max(found["megabytes"], *megabytes) <= 150
    assert all(times[name] >= bounds.get(name, 0) for name in times)


def write_flood(path, packets, *, macs, inside=False):
    """Datagrams of a 5-tuple each, from one MAC or from one each, from anywhere or the site: drawn all at once."""
    draw = np.random.default_rng(1)
    frame = mixed_traffic.GATEWAY + bytes.fromhex("020000000100") + b"\x08\0" + mixed_traffic.datagram(
        bytes(4), 0, bytes(4), 0, b"x" * 12)
    record = np.frombuffer(struct.pack("<IIII", mixed_traffic.STARTED, 0, len(frame), len(frame)) + frame, np.uint8)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for _ in range(0, packets, 50_000):
            rows = np.tile(record, (50_000, 1))
            rows[:, 16 + 26:16 + 38] = draw.integers(0, 256, (50_000, 12), np.uint8)        # addresses and ports
            if inside:
                rows[:, 16 + 26] = 10
            if macs:
                rows[:, 16 + 8:16 + 12] = draw.integers(0, 256, (50_000, 4), np.uint8)
            out.write(rows.tobytes())


@pytest.mark.parametrize("macs", [False, True])
def test_a_flood_of_spoofed_flows_stays_within_bounds(tmp_path, macs):
    path = tmp_path / "flood.pcap"
    write_flood(path, 1_000_000, macs=macs)
    seconds, found = read(path)
    told(kind="flood", macs=macs, ours_s=round(seconds, 2), megabytes=round(found["megabytes"]), drops=found["drops"])
    assert found["packets"] == 1_000_000
    assert found["megabytes"] < 200
    assert found["drops"]["conversations"] + found["conversations"] == pytest.approx(1_000_000, abs=100)


@pytest.mark.parametrize("macs", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_the_whole_command_stays_within_bounds_too(tmp_path, macs, inside):
    path = tmp_path / "flood.pcap"
    write_flood(path, 1_000_000, macs=macs, inside=inside)
    seconds, megabytes = whole(path)
    told(kind="flood, whole", macs=macs, inside=inside, ours_s=round(seconds, 2), megabytes=round(megabytes))
    assert megabytes < 200


@pytest.mark.parametrize("kind", ["mixed", "video"])
def test_memory_from_one_to_ten_million_packets(tmp_path, kind):
    sizes = []
    for packets in (PACKETS, PACKETS * 10):
        path = tmp_path / "growing.pcap"
        getattr(mixed_traffic, f"write_{kind}")(path, packets)
        _, found = read(path)
        sizes.append((round(found["megabytes"]), found["conversations"], found["drops"]))
        path.unlink()
    told(kind="growth", traffic=kind, sizes=sizes)
    (small, _, _), (large, _, _) = sizes
    assert large <= 150
    assert large - small <= 10


@pytest.mark.component("namespaces")
@pytest.mark.parametrize(("rate", "allowed", "macs"), [
    (50_000, 0.0, []), (200_000, 0.001, []), (200_000, 0.001, ["02:00:00:00:01:00", "02:00:00:00:01:01"])])
def test_live_on_a_virtual_link(tmp_path, rate, allowed, macs):
    path = tmp_path / "few.pcap"
    mixed_traffic.write_mixed(path, 5_000)
    program = Path(__file__).with_name("live_traffic.py")
    losses = []
    for _ in range(RUNS):
        done = subprocess.run(["unshare", "--net", sys.executable, str(program), "5", str(rate), str(path), *macs],
                              capture_output=True, text=True, check=True, cwd=program.parents[2],
                              env=os.environ | {"PYTHONPATH": str(program.parents[2])})
        heard = json.loads(done.stdout)
        told(kind="live", wanted=rate, load=os.getloadavg()[0], filtered=bool(macs),
             **{key: heard[key] for key in heard if key != "macs"})
        assert heard["drops"] == {}
        # Every frame is heard or told as lost, but for what the kernel sent of its own when the link came up.
        assert macs or 0 <= heard["sent"] - heard["packets"] - heard["lost"] <= 5
        assert not macs or set(heard["macs"]) <= {*macs, "02:00:00:00:00:01"}
        losses.append(heard["lost"] / heard["sent"])
    assert min(losses) <= allowed
