"""How fast and how much: the three profiles, rate limits, and what one device is asked at most.

Cameras are small computers that reboot under load, block a switch port when ARP comes too fast, and run out of
connections after twenty. Everything the sweep sends passes one of the gates of this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from scanner.observation import Reason

__all__ = ["PACES", "DevicePace", "Pace", "Profile", "RateLimit", "Stopped"]


class Profile(StrEnum):
    """How much a network is trusted to bear."""

    GENTLE = "gentle"
    NORMAL = "normal"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Pace:
    """The numbers of a profile. Times are seconds, rates are per second over the whole sweep.

    Attributes:
        arp_rate: ARP requests; managed switches shut a port at 15.
        datagram_rate: UDP probes.
        connect_rate: TCP connections.
        gap: rest of one device between two requests.
        requests: HTTP, RTSP and SOAP requests one device gets at most. A bare connect or TLS handshake is none.
        devices: devices interviewed at once.
        canary_recheck: how long after the first device of a model the others wait; ``None``: no canary.
        connect_timeout: until a silent TCP port counts as filtered.
        exchange_deadline: total time of one request and its answer.
        device_deadline: total time of the interview of one device.
        listen: how long a UDP probe is listened for; slow devices answer after seconds.
        repeat_gap: between two datagrams to the same port of the same device.
    """

    arp_rate: float
    datagram_rate: float
    connect_rate: float
    gap: float
    requests: int
    devices: int
    canary_recheck: float | None
    connect_timeout: float
    exchange_deadline: float
    device_deadline: float
    listen: float
    repeat_gap: float


PACES: dict[Profile, Pace] = {
    Profile.GENTLE: Pace(arp_rate=10, datagram_rate=128, connect_rate=50, gap=0.25, requests=10, devices=16,
                         canary_recheck=30, connect_timeout=2, exchange_deadline=8, device_deadline=60, listen=5,
                         repeat_gap=0.5),
    Profile.NORMAL: Pace(arp_rate=200, datagram_rate=256, connect_rate=200, gap=0.05, requests=20, devices=64,
                         canary_recheck=5, connect_timeout=1.5, exchange_deadline=8, device_deadline=60, listen=3,
                         repeat_gap=0.5),
    Profile.FAST: Pace(arp_rate=20_000, datagram_rate=5000, connect_rate=5000, gap=0, requests=30, devices=128,
                       canary_recheck=None, connect_timeout=1, exchange_deadline=5, device_deadline=30, listen=1,
                       repeat_gap=0.2),
}


class RateLimit:
    """A global limit: `await wait()` returns when the next packet may go, evenly spaced, first come first served."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        """Wait for this packet's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)


class Stopped(Exception):  # noqa: N818 - not an error: a decision to leave the device alone
    """The device must not be asked: why, in the words of an attempt."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


# What counts against a device that answered before: it no longer takes part in the conversation.
_FAILURES = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.RESET, Reason.UNREACHABLE})
_STRIKES = 2


class DevicePace:
    """One device's gate: one exchange in flight, a gap between two, a request budget and a circuit breaker.

    ``tripped`` says why it is left alone; ``stopped`` that this is for its own silence, and not for that of another.
    """

    def __init__(self, pace: Pace) -> None:
        self._gap = pace.gap
        self._left = pace.requests
        self._lifetime = pace.device_deadline
        self._lock = asyncio.Lock()
        self._free_at = 0.0
        self._ends_at: float | None = None
        self._answered = False
        self._strikes = 0
        self.tripped = ""
        self.stopped = False

    @property
    def heard(self) -> bool:
        """Whether the device said anything to what it was asked."""
        return self._answered

    @property
    def left(self) -> int:
        """Requests the device may still get."""
        return self._left

    def begin(self) -> None:
        """The interview begins: from now on the device's time runs. Waiting for its turn costs it nothing."""
        self._ends_at = asyncio.get_running_loop().time() + self._lifetime

    def grant(self, requests: int, seconds: float) -> None:
        """Allow more of both, for the login pass that its owner asked for."""
        self._left = max(self._left, 0) + requests
        self._ends_at = (self._ends_at or asyncio.get_running_loop().time()) + seconds

    def trip(self, why: str) -> None:
        """Leave the device alone from now on."""
        self.tripped = self.tripped or why

    @asynccontextmanager
    async def turn(self, *, request: bool = True) -> AsyncIterator[None]:
        """Hold the device for one exchange; `request` counts against its budget.

        Raises:
            Stopped: when the device is to be left alone; nothing may be sent then.
        """
        loop = asyncio.get_running_loop()
        async with self._lock:
            self._check(loop.time(), request=request)
            if self._free_at > loop.time():
                await asyncio.sleep(self._free_at - loop.time())
            if request:
                self._left -= 1
            try:
                yield
            finally:
                self._free_at = loop.time() + self._gap

    def _check(self, moment: float, *, request: bool) -> None:
        if self.tripped:
            raise Stopped(Reason.CIRCUIT_OPEN, self.tripped)
        if self._ends_at is not None and moment >= self._ends_at:
            raise Stopped(Reason.BUDGET_SPENT, f"the device had its {self._lifetime:g} s")
        if request and self._left <= 0:
            raise Stopped(Reason.BUDGET_SPENT, "the device had all the requests that this profile allows")

    def answered(self) -> None:
        """The device said something."""
        self._answered = True
        self._strikes = 0

    def failed(self, reason: Reason) -> None:
        """An exchange failed: two in a row from a device that answered before open the circuit."""
        if reason not in _FAILURES or not self._answered:
            return
        self._strikes += 1
        if self._strikes >= _STRIKES:
            self.stopped = True
            self.trip("it answered before and then failed twice in a row")
