"""Plays a film to one RTSP client, paced in real time, over the connection that its requests came on.

A session begins at second zero of the scene's schedule, whoever else watches, and begins there again when the stream's
mode changes; RTP time runs on. Nothing is skipped: a client that reads late gets late what it would have got in time.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace

from lab import rtp
from lab.bitstream import forge_size, is_picture
from lab.clips import Clip, Studio
from lab.scenes import CLOCK, Kind, Scene
from lab.streams import Orders, Record, StreamMode, Viewing

__all__ = ["Line", "Player"]

REPORT_SECONDS = 5.0
POLL_SECONDS = 0.05
PIECES_A_SECOND = 10               # in which a slow line delivers
HUGE = 11_008, 10_000              # 110 megapixels
STILL = {StreamMode.FROZEN: None, StreamMode.BLACK: Kind.BLACK, StreamMode.GREY: Kind.GREY}
MUTE = frozenset({StreamMode.NO_VIDEO, StreamMode.SILENT})


class Line:
    """The way to one client: replies and media take turns, message by message."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._turn = asyncio.Lock()
        self.peer: str = writer.get_extra_info("peername")[0]

    async def send(self, data: bytes, bytes_per_second: float | None = None) -> None:
        """Send one message, at once or at that pace. Raises `ConnectionError` where the client is gone."""
        async with self._turn:
            size = len(data) if bytes_per_second is None else max(1, int(bytes_per_second / PIECES_A_SECOND))
            for start in range(0, len(data), size):
                piece = data[start:start + size]
                self._writer.write(piece)
                await self._writer.drain()
                if bytes_per_second is not None:
                    await asyncio.sleep(len(piece) / bytes_per_second)

    def hang_up(self) -> None:
        """End the connection after what was sent."""
        self._writer.close()


class Player:
    """One track on its way to one client, from PLAY to the end of the connection."""

    def __init__(self, line: Line, scene: Scene, studio: Studio, record: Record, channels: tuple[int, int]) -> None:
        self._line, self._scene, self._studio, self._record = line, scene, studio, record
        self._media, self._control = channels
        self.source = random.getrandbits(32)
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(32)
        self._number = 0                            # of the picture within the present mode
        self._packets = self._octets = 0
        self._report_due = 0.0

    async def run(self, viewing: Viewing) -> None:
        """Play until the connection ends or the stream's mode ends it; `viewing` counts along."""
        orders = self._record.orders
        try:
            while not (orders.mode is StreamMode.DROP_AFTER_N and self._number >= orders.after):
                await (self._say_nothing(orders) if orders.mode in MUTE else self._play(orders, viewing))
                before, orders = orders, self._record.orders
                if (before.mode, before.after) != (orders.mode, orders.after):
                    self._number = 0
            self._line.hang_up()
        except ConnectionError:
            return                                  # the client left; whoever reads from it sees that too
        finally:
            viewing.running = False

    async def _play(self, orders: Orders, viewing: Viewing) -> None:
        """Play while these orders stand, or until a drop is due."""
        clock = asyncio.get_running_loop().time
        pace = float(orders.fps or self._scene.fps)
        rate = 1.0 if orders.mode is StreamMode.DRIP else orders.bytes_per_second
        begun, first = clock(), self._number
        while self._record.orders is orders:
            if orders.mode is StreamMode.DROP_AFTER_N and self._number >= orders.after:
                return
            clip, place = self._clip(orders)
            while (unit := clip.unit(place)) is None:
                await asyncio.to_thread(clip.load, place)
            await self._send(clip, self._bend(clip, unit, orders.mode), rate)
            viewing.pictures += 1
            self._number += 1
            self.timestamp += self._scene.ticks(self._number) - self._scene.ticks(self._number - 1)
            await asyncio.sleep(max(0.0, begun + (self._number - first) / pace - clock()))

    async def _say_nothing(self, orders: Orders) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        while self._record.orders is orders:
            await asyncio.sleep(POLL_SECONDS)
        self.timestamp += int((clock() - begun) * CLOCK)

    def _clip(self, orders: Orders) -> tuple[Clip, int]:
        """The film of the present mode, and the picture of it that comes next."""
        scene, place = self._scene, self._number
        if orders.mode in STILL:
            scene = replace(scene, kind=STILL[orders.mode] or scene.kind, still=True)
        elif orders.mode is StreamMode.RESOLUTION_CHANGE and self._number >= orders.after:
            scene = replace(scene, width=scene.width * 3 // 8 * 2, height=scene.height * 3 // 8 * 2)
            place -= orders.after
        return self._studio.clip(scene), place

    def _bend(self, clip: Clip, unit: tuple[bytes, ...], mode: StreamMode) -> tuple[bytes, ...]:
        codec = clip.scene.codec
        if mode is StreamMode.HUGE:
            return tuple(forge_size(codec, nal, *HUGE) for nal in unit)
        if mode is StreamMode.GARBAGE_NAL:
            noise = random.Random(self._number)
            return tuple(nal[:2] + noise.randbytes(len(nal) - 2) if is_picture(codec, nal) else nal for nal in unit)
        return unit

    async def _send(self, clip: Clip, unit: tuple[bytes, ...], rate: float | None) -> None:
        """One access unit in as many packets as it needs, and now and then a report."""
        if time.monotonic() >= self._report_due:
            self._report_due = time.monotonic() + REPORT_SECONDS
            report = rtp.sender_report(self.source, time.time(), self.timestamp, self._packets, self._octets, "camera")
            await self._line.send(rtp.interleaved(self._control, report), rate)
        pieces = list(rtp.payloads(clip.scene.codec, unit))
        for piece in pieces:
            data = rtp.packet(piece, self.sequence, self.timestamp, self.source, last=piece is pieces[-1])
            self.sequence += 1
            self._packets += 1
            self._octets += len(piece)
            await self._line.send(rtp.interleaved(self._media, data), rate)
