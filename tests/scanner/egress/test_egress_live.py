"""Listening on a link, in namespaces of the test's own."""

import json
import sys

import pytest

from lab.namespaces import Host, Namespaces
from scanner.egress.live import MOST_MACS, LiveError, listen, mac_filter

CAMERA, OTHER = "02:00:00:00:00:10", "02:00:00:00:00:20"


def lets_through(program, frame):
    """Run a classic filter program over one frame."""
    at = value = 0
    for _ in range(len(program)):
        code, yes, no, operand = program[at]
        if code == 0x20:
            value = int.from_bytes(frame[operand:operand + 4], "big")
        elif code == 0x28:
            value = int.from_bytes(frame[operand:operand + 2], "big")
        elif code == 0x15:
            at += yes if value == operand else no
        else:
            return bool(operand)
        at += 1
    raise AssertionError("the program does not end")


def frame(source, destination):
    return bytes.fromhex(destination.replace(":", "") + source.replace(":", "")) + b"\x08\0" + bytes(46)


@pytest.mark.parametrize(("source", "destination", "through"), [
    (CAMERA, OTHER, True), (OTHER, CAMERA, True), (CAMERA, CAMERA, True), (OTHER, "02:00:00:00:00:30", False),
    ("03:00:00:00:00:10", OTHER, False), ("02:00:00:00:01:10", OTHER, False),
])
def test_the_filter_lets_the_named_through_and_nobody_else(source, destination, through):
    program = mac_filter(["02:AA:00:00:00:01", CAMERA, "02:AA:00:00:00:02"])
    assert lets_through(program, frame(source, destination)) is through


def test_the_filter_holds_as_many_as_it_says_and_refuses_more():
    macs = [f"02:00:00:00:{n // 256:02X}:{n % 256:02X}" for n in range(MOST_MACS + 1)]
    program = mac_filter(macs[:-1])
    assert len(program) <= 4096
    assert lets_through(program, frame(macs[-2], OTHER))
    with pytest.raises(LiveError, match="more than the kernel filter holds"):
        mac_filter(macs)


def test_a_link_that_is_not_there_is_said():
    with pytest.raises(LiveError):
        listen("camvet-none0", 0.1)


LISTEN = """
import json, sys
from scanner.egress.live import listen
capture = listen("eth0", float(sys.argv[1]), sys.argv[2:])
print(json.dumps({"packets": capture.packets, "lost": capture.lost,
                  "macs": sorted({c.mac for c in capture.conversations if c.packets_out}),
                  "talks": [[c.mac, c.destination, c.protocol, c.port, list(c.names)] for c in capture.conversations]}))
"""
SIGNAL = """
import os, signal, threading
import scanner.egress.live
threading.Timer(2, os.kill, (os.getpid(), signal.SIG{})).start()
"""
SEND = """
import ipaddress, socket, sys, time
from lab import frames
here = frames.Station(bytes.fromhex(sys.argv[1].replace(":", "")), ipaddress.IPv4Address("10.77.0.10"))
far = frames.Station(b"\\xff" * 6, ipaddress.IPv4Address("203.0.113.8"))
hello = frames.client_hello("live.example", bytes(32))
sent = [frames.tcp(here, 40000, far, 443, (1, 1), frames.PSH | frames.ACK, hello, 1)]
sent += [frames.udp(here, 40000, far, 8800, bytes(100), 2)] * 50
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
while True:
    for one in sent:                    # with right checksums: a bridge that filters drops what has none
        link.send(one)
    time.sleep(0.02)
"""


@pytest.mark.component("namespaces")
@pytest.mark.parametrize("only", [[CAMERA], []])
def test_a_camera_is_heard_live_and_others_only_when_asked(only):
    with Namespaces() as network:
        network.add(Host("camera", "10.77.0.10", CAMERA))
        network.add(Host("laptop", "10.77.0.20", OTHER))
        for name, mac in (("camera", CAMERA), ("laptop", OTHER)):
            network.spawn(name, [sys.executable, "-c", SEND, mac])
        done = network.run([sys.executable, "-c", LISTEN, "3", *only], seconds=30)
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert heard["lost"] == 0
    assert (CAMERA in heard["macs"], OTHER in heard["macs"]) == (True, not only)
    assert [CAMERA, "203.0.113.8", "tcp", 443, ["live.example"]] in heard["talks"]
    assert heard["packets"] >= 500


@pytest.mark.component("namespaces")
@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_signal_ends_it_and_what_was_heard_is_kept(name):
    with Namespaces() as network:
        network.add(Host("camera", "10.77.0.10", CAMERA))
        network.spawn("camera", [sys.executable, "-c", SEND, CAMERA])
        done = network.run([sys.executable, "-c", SIGNAL.format(name) + LISTEN, "600"], seconds=60)
    assert done.returncode == 0, done.stderr
    assert [CAMERA, "203.0.113.8", "tcp", 443, ["live.example"]] in json.loads(done.stdout)["talks"]
