"""Listens on a link through a ring of blocks that the kernel fills (AF_PACKET, TPACKET_V3); nothing is ever sent.

A filter in the kernel lets only frames of the wanted MACs through, so that what others say is never copied to this
process. What the kernel had to drop is always reported. See packet(7) and Documentation/networking/packet_mmap.rst.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from scanner.egress.batches import PADDING, Batch, gather
from scanner.egress.capture import Capture
from scanner.egress.conversations import Recorder

__all__ = ["MOST_MACS", "LiveError", "listen", "mac_filter"]

MOST_MACS = 400
"""MACs a kernel filter can hold: it has room for 4096 instructions, and a MAC takes ten."""

_SOL_PACKET, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 263, 5, 6, 10
_PACKET_ADD_MEMBERSHIP, _PROMISCUOUS = 1, 1
_TPACKET_V3, _ETH_P_ALL, _SO_ATTACH_FILTER = 2, 3, 26
_BLOCK, _BLOCKS, _TIMEOUT_MS = 1 << 20, 64, 100
_STATUS_AT, _USER = 8, 1
_LAST = _BLOCKS - 1
_AT_ONCE = 16                       # blocks read as one batch, where so many wait
_FEW = 4                            # with fewer it is worth to wait for more: a batch costs the same whatever its size
_GATHER_S = 0.01                    # for so long; the ring holds half a second at a gigabit
_LOOK_S = 0.25                      # the longest sleep, so that a signal is noticed
_HEAD = np.dtype({                  # struct tpacket3_hdr of linux/if_packet.h
    "names": ("seconds", "nanos", "kept", "wire", "at"), "formats": ("=u4", "=u4", "=u4", "=u4", "=u2"),
    "offsets": (4, 8, 12, 16, 24), "itemsize": 28})
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


def listen(interface: str, seconds: float, macs: Sequence[str] = (),
           ready: Callable[[], None] = lambda: None) -> Capture:
    """Listen for a time, or until Ctrl-C or SIGTERM, to `macs` alone or (where there are none) to everything.

    `ready` is called once frames are being kept and a signal ends the listening instead of the process.
    Raises `LiveError` where this process may not listen, or the link does not exist or is no Ethernet.
    """
    program = mac_filter(macs) if macs else []
    try:
        with _stopping() as stopped, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as link:
            ring = _Ring(link, interface, program)
            ready()
            return ring.run(seconds, stopped)
    except PermissionError as error:
        raise LiveError("listening on a link needs CAP_NET_RAW: run as root, or give a capture file") from error
    except OSError as error:
        raise LiveError(f"cannot listen on {interface}: {error.strerror}") from error


class _Ring:
    """One socket with its ring, read where the kernel wrote it: nothing is copied."""

    def __init__(self, link: socket.socket, interface: str, program: list[tuple[int, int, int, int]]) -> None:
        self._link = link
        self._lost = 0
        self._asked_at = time.monotonic()
        if program:
            _attach(link, program)
        link.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
        link.setsockopt(_SOL_PACKET, _PACKET_RX_RING,
                        struct.pack("=7I", _BLOCK, _BLOCKS, 2048, _BLOCK * _BLOCKS // 2048, _TIMEOUT_MS, 0, 0))
        self._memory = mmap.mmap(link.fileno(), _BLOCK * _BLOCKS, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self._octets = np.frombuffer(self._memory, np.uint8)
        link.bind((interface, _ETH_P_ALL))
        if link.getsockname()[3] not in {_ETHERNET, _LOOPBACK}:
            raise LiveError(f"{interface} is no Ethernet link")
        number = socket.if_nametoindex(interface)
        link.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("=iHH8s", number, _PROMISCUOUS, 0, b""))

    def run(self, seconds: float, stopped: threading.Event) -> Capture:
        """Record until the time is over, or until `stopped` ends it early; what was heard till then is kept."""
        recorder = Recorder()
        self._record(recorder, time.monotonic() + seconds, stopped)
        self._count_lost()
        return recorder.finish(lost=self._lost)

    def _record(self, recorder: Recorder, until: float, stopped: threading.Event) -> None:
        ready = select.poll()
        ready.register(self._link.fileno(), select.POLLIN | select.POLLERR)
        at, last_turn, drained = 0, False, 0
        while True:
            blocks = self._filled(at)
            if blocks:
                recorder.add(self._batch(blocks))
            for block in blocks:
                struct.pack_into("=I", self._memory, block * _BLOCK + _STATUS_AT, 0)         # the kernel's again
            at = (at + len(blocks)) % _BLOCKS
            now = time.monotonic()
            if now - self._asked_at >= 1:
                self._count_lost()
            left = 0.0 if stopped.is_set() else until - now
            if left <= 0:
                if blocks and drained < _BLOCKS:        # what the kernel holds already was heard in time
                    drained += len(blocks)
                    continue
                if last_turn:
                    return
                last_turn, left = True, 2 * _TIMEOUT_MS / 1000          # for the block that is being filled
                ready.poll(left * 1000)
                time.sleep(_TIMEOUT_MS / 1000)
            elif not blocks:
                ready.poll(min(left, _LOOK_S) * 1000)
            elif len(blocks) < _FEW:
                time.sleep(min(left, _GATHER_S))

    def _count_lost(self) -> None:
        """Add what the kernel dropped since it was last asked; its counters are short, and begin anew each time."""
        _, dropped, _ = struct.unpack("=3I", self._link.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 12))
        self._lost += dropped
        self._asked_at = time.monotonic()

    def _filled(self, at: int) -> list[int]:
        """The blocks from `at` on that the kernel has handed over, as many as are read at once.

        The ring's last block always comes alone, see `_batch`.
        """
        end = _LAST if at < _LAST else _BLOCKS
        blocks: list[int] = []
        for block in range(at, min(at + _AT_ONCE, end)):
            (status,) = struct.unpack_from("=I", self._memory, block * _BLOCK + _STATUS_AT)
            if not status & _USER:
                break
            blocks.append(block)
        return blocks

    def _batch(self, blocks: list[int]) -> Batch:
        """The frames of these blocks; the ring's last one is copied out, as no padding follows it in memory."""
        starts = np.array([start for block in blocks for start in self._starts(block)], np.int64)
        octets = self._octets
        if blocks[0] == _LAST:
            octets = np.concatenate([octets[_LAST * _BLOCK:], np.zeros(PADDING, np.uint8)])
            starts -= _LAST * _BLOCK
        heads = gather(octets, _HEAD, starts)
        kept, wire, seconds, nanos = (heads[name].astype(np.int64) for name in ("kept", "wire", "seconds", "nanos"))
        return Batch(octets, starts + heads["at"], kept, wire, seconds * 1_000_000_000 + nanos, _ETHERNET)

    def _starts(self, block: int) -> list[int]:
        """Where the head of each frame in a block lies; each says how far it is to the next."""
        count, first = struct.unpack_from("=II", self._memory, block * _BLOCK + 12)
        step, memory, at = struct.Struct("=I").unpack_from, self._memory, block * _BLOCK + first
        starts: list[int] = []
        for _ in range(count):
            starts.append(at)
            at += step(memory, at)[0]
        return starts


@contextlib.contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set an event within it, so that what is being added up is finished first."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():       # only there can signals be handled
        yield stopped
        return
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _attach(link: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    octets = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(octets, len(octets))
    header = struct.pack("HL", len(program), ctypes.addressof(buffer))
    link.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, header)
