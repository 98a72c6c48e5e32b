"""Phone-home traffic is caught live on a link and from a file alike; what the kernel dropped is said."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from camvet.cli import main
from lab.namespaces import SCANNER, Host, Namespaces
from lab.personas import INSIDE_HOST, persona
from lab.phonehome import INSIDE_MAC, write_pcap

pytestmark = [pytest.mark.component("namespaces"),
              pytest.mark.skipif(os.geteuid() != 0, reason="listening on a link needs root")]

ROOT = Path(__file__).parents[2]
NETWORK = "10.86.0.0/24"
NAMES = ("hikvision-dome", "dahua-tpc", "unknown", "axis")
PERSONAS = [persona(name) for name in NAMES]
SECONDS, SPEED = 300, 100
FLOODED = 150_000                      # frames of 1,442 octets: several times what the ring holds
TIMED = {"egress.beacon"}            # rests on the rhythm of calls, which are played a hundred times as fast

# Writes what passes on the link as a capture file, until its input ends.
RECORD = """
import select, socket, struct, sys, time
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
link.bind(("eth0", 3))
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    while True:
        ready = select.select([link, sys.stdin], [], [])[0]
        if link in ready:
            frame, at = link.recv(65535), time.time_ns() // 1000
            out.write(struct.pack("<IIII", at // 1000000, at % 1000000, len(frame), len(frame)) + frame)
        elif ready:
            break
"""
FLOOD = """
import ipaddress, socket, sys
from lab import frames
here = frames.Station(bytes.fromhex("020000000003"), ipaddress.IPv4Address("10.86.0.3"))
far = frames.Station(bytes.fromhex("020000000001"), ipaddress.IPv4Address("203.0.113.77"))
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
frame = frames.udp(here, 3000, far, 3001, bytes(1400), 1)
for _ in range(int(sys.argv[1])):
    link.send(frame)
"""


@pytest.fixture(scope="module")
def spaces():
    with Namespaces(NETWORK) as running:
        running.add(Host("inside", f"10.86.0.{INSIDE_HOST}", INSIDE_MAC.hex(":")))
        yield running


def listening_on(spaces, how_many, listener):
    """Wait until so many sockets hear every frame where the scanner is, and camvet says that it listens."""
    assert "listening on eth0" in listener.stderr.readline()
    table, end = Path(f"/proc/{spaces.pid(SCANNER)}/net/packet"), time.monotonic() + 60
    while sum(" 0003 " in line for line in table.read_text().splitlines()) < how_many:
        assert time.monotonic() < end, "nobody listens"
        time.sleep(0.05)


def camvet(home, *words):
    return [sys.executable, "-m", "camvet", "--json", "--db", f"sqlite:///{home}/camvet.db", *map(str, words)]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def told(document):
    """Destinations and how the checks ended, by device; a destination is an address, a protocol and a port."""
    return ({(one["mac"], talk["dst"], talk["proto"], talk["port"], tuple(talk["names"]), talk["purpose"])
             for one in document["devices"] for talk in one["conversations"]},
            {(one["mac"], finding["rule"], finding["status"]) for one in document["devices"]
             for finding in one["findings"]})


@pytest.fixture(scope="module")
def caught(spaces, tmp_path_factory):
    """The same minutes as heard live, as written to a file on the same link, and as the lab writes them itself."""
    home = tmp_path_factory.mktemp("live")
    (home / "neighbours.txt").write_text("".join(f"10.86.0.{one.host} dev eth0 lladdr {one.mac.lower()} REACHABLE\n"
                                                 for one in PERSONAS))
    with (subprocess.Popen(spaces.command(SCANNER, [sys.executable, "-c", RECORD, str(home / "heard.pcap")]),
                           stdin=subprocess.PIPE) as recorder,
          subprocess.Popen(spaces.command(SCANNER, camvet(home, "egress", "--interface", "eth0", "--for", "60",
                                                          "--devices", home / "neighbours.txt")),
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as listener):
        listening_on(spaces, 2, listener)
        played = spaces.run([sys.executable, "-m", "lab.phonehome", "eth0", NETWORK, "--seconds", str(SECONDS),
                             "--speed", str(SPEED), *(word for name in NAMES for word in ("--only", name))],
                            host="inside")
        assert played.returncode == 0, played.stderr
        listener.send_signal(signal.SIGINT)                   # as a person ends it early: what was heard is kept
        out, err = listener.communicate(timeout=60)
        recorder.stdin.close()
        assert recorder.wait(timeout=30) == 0
    assert out, err
    write_pcap(home / "lab.pcap", PERSONAS, NETWORK, seconds=SECONDS)
    documents = [json.loads(out)]
    for name in ("heard.pcap", "lab.pcap"):
        told_ = io.StringIO()
        with contextlib.redirect_stdout(told_), contextlib.suppress(SystemExit):
            main(camvet(home, "egress", home / name, "--devices", home / "neighbours.txt")[3:])
        documents.append(json.loads(told_.getvalue()))
    return [*documents, listener.returncode]


def test_live_and_from_file_are_the_same(caught):
    live, heard, _, code = caught
    assert told(live) == told(heard)
    assert code == 1
    assert (live["capture"]["lost"], live["capture"]["dropped"]) == (0, 0)
    assert not live["capture"]["trouble"]


def test_what_the_lab_sends_is_what_is_caught(caught):
    live, _, lab, _ = caught
    (destinations, findings), (wanted, expected) = told(live), told(lab)
    assert destinations == wanted
    assert {one for one in findings if one[1] not in TIMED} == {one for one in expected if one[1] not in TIMED}
    by_name = {name: {(talk["dst"], talk["port"]) for one in live["devices"] if one["mac"] == persona(name).mac
                      for talk in one["conversations"]} for name in NAMES}
    for name in NAMES:
        clouds = {(cloud.address, cloud.port) for cloud in persona(name).clouds if cloud.address != "inside"}
        assert clouds <= by_name[name]
    failed = {(mac, rule) for mac, rule, status in findings if status == "fail"}
    assert {(persona("dahua-tpc").mac, "egress.vendor_p2p"), (persona("unknown").mac, "egress.unnamed_destination"),
            } <= failed
    assert not any(mac == persona("axis").mac for mac, _ in failed)


def test_what_the_kernel_dropped_is_said_and_nothing_is_called_complete(spaces, tmp_path):
    command = spaces.command(SCANNER, camvet(tmp_path, "egress", "--interface", "eth0", "--for", "60", "--all-hosts",
                                             "--reason", "test of drops"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=environment()) as listener:
        listening_on(spaces, 1, listener)
        listener.send_signal(signal.SIGSTOP)                  # a machine too busy to read
        flooded = spaces.run([sys.executable, "-c", FLOOD, str(FLOODED)], host="inside")
        listener.send_signal(signal.SIGCONT)
        assert flooded.returncode == 0, flooded.stderr
        listener.send_signal(signal.SIGINT)
        out, err = listener.communicate(timeout=60)
    assert out, err
    document = json.loads(out)
    lost = document["capture"]["lost"]
    assert lost > 0
    assert document["capture"]["packets"] + lost == FLOODED
    (device,) = document["devices"]
    assert [finding["rule"] for finding in device["findings"] if finding["status"] == "pass"] == []
    assert listener.returncode in {1, 3}
