"""Sends frames over a virtual link at a steady rate while another process listens, both in a network of their own.

The sender is a transmit ring (packet(7), TPACKET_V2) whose frames are laid out once and only marked to be sent again,
so that it needs no time of Python for a frame. Sender and listener get a core each.

Run as a program (inside ``unshare --net``): ``live_traffic.py SECONDS RATE CAPTURE [MAC…]`` prints one JSON document.
"""

import json
import mmap
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SLOT, SLOTS, BLOCK = 2048, 4096, 1 << 16
SOL_PACKET, VERSION, TX_RING, BYPASS = 263, 10, 13, 20
DATA_AT = 32                                # behind struct tpacket2_hdr


def frames_of(path, count):
    """The first frames of a classic little-endian capture, those that fit a slot."""
    data, at = Path(path).read_bytes()[:SLOTS * SLOT * 2], 24
    found = []
    while len(found) < count and at + 16 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16:at + 16 + size]
        if 14 <= size <= 1514 and len(frame) == size:
            found.append(frame)
        at += 16 + size
    return found


class Sender:
    """A transmit ring full of frames."""

    def __init__(self, interface, frames):
        self.link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.link.setsockopt(SOL_PACKET, VERSION, 1)
        self.link.setsockopt(SOL_PACKET, BYPASS, 1)
        self.link.setsockopt(SOL_PACKET, TX_RING, struct.pack("=4I", BLOCK, SLOT * SLOTS // BLOCK, SLOT, SLOTS))
        self.link.bind((interface, 0))
        memory = mmap.mmap(self.link.fileno(), SLOT * SLOTS, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        slots = np.frombuffer(memory, np.uint8).reshape(SLOTS, SLOT)
        for number in range(SLOTS):
            frame = frames[number % len(frames)]
            slots[number, DATA_AT:DATA_AT + len(frame)] = np.frombuffer(frame, np.uint8)
            slots[number, 4:8] = np.frombuffer(struct.pack("=I", len(frame)), np.uint8)
        self.status = slots.view(np.uint32)[:, 0]
        self.at = self.sent = 0

    def send(self, count):
        """Mark up to `count` frames, as far as the ring is free, and let the kernel send them."""
        count = min(count, SLOTS - self.at)
        free = self.status[self.at:self.at + count] == 0
        count = count if free.all() else int(np.argmin(free))
        if count:
            self.status[self.at:self.at + count] = 1
            self.link.send(b"", socket.MSG_DONTWAIT)
            self.at = (self.at + count) % SLOTS
            self.sent += count

    def run(self, seconds, rate):
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            due = int(rate * passed) - self.sent
            if due > 0:
                self.send(min(due, 512))
            else:
                time.sleep(0.0005)
        return time.monotonic() - begun


def counters(interface):
    """What the kernel counted on a link: frames and octets sent, and frames it dropped while sending."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith(interface))
    columns = [int(column) for column in line.partition(":")[2].split()]
    return {"sent": columns[9], "octets": columns[8], "link_dropped": columns[11]}


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def hear(seconds, macs):
    """Listen on the far end and say what it took."""
    from scanner.egress.live import listen
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    say("ready")
    capture = listen("far", seconds, macs)
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak = next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines()
                if line.startswith("VmHWM")) / 1024
    say(json.dumps({"packets": capture.packets, "lost": capture.lost, "drops": dict(capture.drops),
                      "conversations": len(capture.conversations), "cpu_s": used.ru_utime + used.ru_stime,
                      "megabytes": peak,
                      "macs": sorted({talk.mac for talk in capture.conversations})}))


def main():
    seconds, rate, path, macs = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    if path == "-":
        hear(seconds, macs)
        return
    for command in ("ip link add near type veth peer name far", "ip link set near up", "ip link set far up",
                    "sysctl -qw net.ipv6.conf.all.disable_ipv6=1"):
        subprocess.run(command.split(), check=command.startswith("ip"))
    frames = frames_of(path, SLOTS)
    listener = subprocess.Popen([sys.executable, __file__, str(seconds + 2), "0", "-", *macs], stdout=subprocess.PIPE,
                                text=True)
    listener.stdout.readline()
    time.sleep(0.5)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sender = Sender("near", frames)
    took = sender.run(seconds, rate)
    heard, _ = listener.communicate(timeout=60)
    say(json.dumps({"asked": sender.sent, "seconds": round(took, 2), "rate": round(sender.sent / took)}
                     | counters("near") | json.loads(heard)))


if __name__ == "__main__":
    main()
