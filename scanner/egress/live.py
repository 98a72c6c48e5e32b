"""Listens on a link through a ring of blocks that the kernel fills (AF_PACKET, TPACKET_V3); nothing is ever sent.

A filter in the kernel lets only frames of the wanted MACs through, so that what others say is never copied to this
process. What the kernel had to drop is always reported. See packet(7) and Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence

import numpy as np

from scanner.egress.batches import PADDING, Batch
from scanner.egress.capture import Capture
from scanner.egress.conversations import Recorder

__all__ = ["MOST_MACS", "LiveError", "listen", "mac_filter"]

MOST_MACS = 400
"""MACs a kernel filter can hold: it has room for 4096 instructions, and a MAC takes ten."""

_SOL_PACKET, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 263, 5, 6, 10
_PACKET_ADD_MEMBERSHIP, _PROMISCUOUS = 1, 1
_TPACKET_V3, _ETH_P_ALL, _SO_ATTACH_FILTER = 2, 3, 26
_BLOCK, _BLOCKS, _TIMEOUT_MS = 1 << 20, 32, 100
_STATUS_AT, _USER = 8, 1
_ETHERNET, _LOOPBACK = 1, 772
_LOAD4, _LOAD2, _EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06      # instructions of the classic filter machine


class LiveError(RuntimeError):
    """Why a link cannot be listened on, in one line."""


def mac_filter(macs: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """A classic BPF program that lets frames from or to these MACs through; raises `LiveError` for too many.

    For each end the last four octets are compared first, then the first two.
    """
    if len(macs) > MOST_MACS:
        raise LiveError(f"{len(macs)} devices are more than the kernel filter holds ({MOST_MACS}): name fewer")
    numbers = sorted({int(mac.replace(":", ""), 16) for mac in macs})
    program: list[tuple[int, int, int, int]] = []
    for low_at, high_at in ((2, 0), (8, 6)):                    # destination, then source
        for number in numbers:
            program += [
                (_LOAD4, 0, 0, low_at), (_EQUAL, 0, 3, number & 0xFFFFFFFF),  # else on to the next MAC
                (_LOAD2, 0, 0, high_at), (_EQUAL, 0, 1, number >> 32),
                (_RETURN, 0, 0, 0xFFFFFFFF),                                  # the whole frame
            ]
    return [*program, (_RETURN, 0, 0, 0)]


def listen(interface: str, seconds: float, macs: Sequence[str] = ()) -> Capture:
    """Listen for a time, or until interrupted, to `macs` alone or (where there are none) to everything.

    Raises `LiveError` where this process may not listen, or the link does not exist or is no Ethernet.
    """
    program = mac_filter(macs) if macs else []
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as link:
            return _Ring(link, interface, program).run(seconds)
    except PermissionError as error:
        raise LiveError("listening on a link needs CAP_NET_RAW: run as root, or give a capture file") from error
    except OSError as error:
        raise LiveError(f"cannot listen on {interface}: {error.strerror}") from error


class _Ring:
    """One socket with its ring."""

    def __init__(self, link: socket.socket, interface: str, program: list[tuple[int, int, int, int]]) -> None:
        self._link = link
        if program:
            _attach(link, program)
        link.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
        link.setsockopt(_SOL_PACKET, _PACKET_RX_RING,
                        struct.pack("=7I", _BLOCK, _BLOCKS, 2048, _BLOCK * _BLOCKS // 2048,
                                                                 _TIMEOUT_MS, 0, 0))
        self._memory = mmap.mmap(link.fileno(), _BLOCK * _BLOCKS, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        link.bind((interface, _ETH_P_ALL))
        if link.getsockname()[3] not in {_ETHERNET, _LOOPBACK}:
            raise LiveError(f"{interface} is no Ethernet link")
        number = socket.if_nametoindex(interface)
        link.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("=iHH8s", number, _PROMISCUOUS, 0, b""))

    def run(self, seconds: float) -> Capture:
        """Record until the time is over; Ctrl-C ends it early and keeps what was heard."""
        recorder = Recorder()
        with contextlib.suppress(KeyboardInterrupt):
            for batch in self._batches(time.monotonic() + seconds):
                recorder.add(batch)
        _, dropped, _ = struct.unpack("=3I", self._link.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 12))
        self._memory.close()
        return recorder.finish(lost=dropped)

    def _batches(self, until: float) -> Iterator[Batch]:
        ready = select.poll()
        ready.register(self._link.fileno(), select.POLLIN | select.POLLERR)
        at, idle_at_end = 0, False
        while True:
            start = at * _BLOCK
            (status,) = struct.unpack_from("=I", self._memory, start + _STATUS_AT)
            if status & _USER:
                yield from self._block(start)
                struct.pack_into("=I", self._memory, start + _STATUS_AT, 0)
                at = (at + 1) % _BLOCKS
                if time.monotonic() < until + 1:
                    continue
            left = until - time.monotonic()
            if left <= 0:
                if idle_at_end:
                    return
                idle_at_end = True                              # one more turn for the block that is being filled
                left = 2 * _TIMEOUT_MS / 1000
            ready.poll(left * 1000)

    def _block(self, start: int) -> Iterator[Batch]:
        """The frames of one block, copied out once so that the kernel can have it back."""
        count, first = struct.unpack_from("=II", self._memory, start + 12)
        (length,) = struct.unpack_from("=I", self._memory, start + 20)
        data = self._memory[start:start + min(length, _BLOCK)] + bytes(PADDING)
        at, heads = first, []
        for _ in range(count):
            following, seconds, nanos, kept, wire = struct.unpack_from("=5I", data, at)
            (mac_at,) = struct.unpack_from("=H", data, at + 24)
            heads.append((at + mac_at, kept, wire, seconds * 1_000_000_000 + nanos))
            at += following
        if heads:
            places, kept_all, wires, stamps = (np.array(column, np.int64) for column in zip(*heads, strict=True))
            yield Batch(np.frombuffer(data, np.uint8), places, kept_all, wires, stamps, 1)


def _attach(link: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    octets = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(octets, len(octets))
    header = struct.pack("HL", len(program), ctypes.addressof(buffer))
    link.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
