"""A hundred lost sessions and what they leave behind: memory, threads, descriptors, processes. Run with ``make bench``.

The streaming device is a process of its own on loopback; it hangs up after some pictures. Everything from the gate to
the counts is the product, with a real decoding child for each session; only the device's fingerprint is handed over.
"""

import multiprocessing
import os
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from analytics.gate import Gate
from analytics.pipeline import EventKind, Monitor, MonitorSettings
from lab.bitstream import nal_units
from scanner.transport.exchange import PortMap
from tests.analytics.gate_world import FakeWorld, envelope, order
from tests.scanner.transport.rtsp_device import Device, interleaved, rtp

pytestmark = pytest.mark.skipif(os.environ.get("CAMVET_BENCH") != "1", reason="benchmarks run with CAMVET_BENCH=1")

WARM_UP, DROPS = 20, 100
MOST_GROWTH = 0.05
HERE = "127.0.0.1"


class World(FakeWorld):
    """The device is on loopback."""

    port = 0

    def read_fingerprint(self, order):
        assert order.address == HERE
        return self.live

    def ports(self):
        return PortMap(tcp={554: self.port})


def session_bytes():
    """A second of noise in H.264, as it travels within the RTSP connection."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.thread_count = 320, 180, "yuv420p", 1
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "slice-max-size=1300"}
    random, packets = np.random.default_rng(1), []
    for number in range(25):
        picture = av.VideoFrame.from_ndarray(random.integers(90, 110, (270, 320), np.uint8), "yuv420p")
        picture.pts = number
        packets += encoder.encode(picture)
    sequence, sent = 0, b""
    for number, packet in enumerate(packets + encoder.encode(None)):
        nals = list(nal_units(bytes(packet)))
        for nal in nals:
            sent += interleaved(rtp(nal, sequence, number * 3600, marker=nal is nals[-1]))
            sequence += 1
    return sent


def serve(pipe, data):
    """The device: sends its second of video after PLAY and hangs up, until told to end."""
    def played(connection, _device):
        connection.sendall(data)
        connection.shutdown(2)

    with Device(played=played) as device:
        pipe.send(device.port)
        pipe.recv()


def left_behind():
    """Resident kilobytes, descriptors, threads and children of this process."""
    status = Path("/proc/self/status").read_text()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return int(status.partition("VmRSS:")[2].split()[0]), descriptors, threading.active_count(), len(children)


def test_a_hundred_drops_leave_nothing_behind():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    device = context.Process(target=serve, args=(theirs, session_bytes()))
    device.start()
    world, told, measured = World(), [], []
    world.port = ours.recv()
    settings = MonitorSettings(first_pause_s=0.0, recheck_s=0.2)
    lost = []

    def on_event(event):
        if event.kind is not EventKind.LOST:
            assert event.kind is EventKind.CONNECTED
            return
        lost.append(event.rule)
        if len(lost) >= WARM_UP and len(lost) % 20 == 0:
            measured.append(left_behind())
        if len(lost) == WARM_UP + DROPS:
            monitor.stop()

    monitor = Monitor(Gate(world), order(address=HERE), envelope(address=HERE), told.append, on_event, settings)
    assert monitor.run() is None
    ours.send("end")
    device.join(30)
    assert set(lost) == {"stream.closed"}
    assert len([metric for metric in told if metric.name == "in"]) == len(lost)        # every session was analysed
    growth = measured[-1][0] / measured[0][0] - 1
    sys.stdout.write(f"\n{DROPS} drops after {WARM_UP} to warm up: resident memory {measured[0][0] / 1024:.1f} -> "
                     f"{measured[-1][0] / 1024:.1f} MiB ({growth:+.1%}); descriptors, threads, children "
                     f"{measured[0][1:]} -> {measured[-1][1:]}\n")
    assert growth <= MOST_GROWTH
    assert measured[-1][1:] == measured[0][1:]
