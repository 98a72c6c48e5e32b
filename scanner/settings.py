"""What one sweep is told beside its scope, what it reports while it runs, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from scanner.factory import FactoryLogins
from scanner.logins import Logins
from scanner.observation import Attempt, Observation
from scanner.pace import PACES, Pace, Profile
from scanner.transport.exchange import PortMap
from scanner.wire.devid import Anchor

__all__ = ["BASE_PORTS", "HYGIENE_PORTS", "LinkUse", "Observer", "Quiet", "Settings", "Silent", "SweepResult"]

BASE_PORTS = (80, 443, 554, 8000, 8080, 8899, 37777, 34567)
# Telnet and FTP decide no identity, so no unknown address is asked for them: only a device that showed itself is, in
# every profile. Two connects cost none of its request budget, and an open telnet port is the gravest thing to miss.
HYGIENE_PORTS = (23, 21)


@dataclass(frozen=True, slots=True)
class Settings:
    """How one sweep is made.

    Attributes:
        profile: how much the network is trusted to bear.
        port_map: where a lab serves the well-known ports.
        neighbours: a neighbour or switch table as a file, for MACs this machine cannot see itself.
        credentials: for the opt-in second pass; one attempt a device, none where no login is meant for it.
        interfaces: only these links; empty: every link whose network meets the scope.
        canary: ask the first device of each model alone; the lab does without.
        device_anchors: the user's authorities for device certificates; without any, no chain is judged.
        snmp_public: ask SNMP with the community ``public``; a guess of a login, so opt-in.
        port_mappings: read the list of opened ports of the routers in the scope; opt-in.
        factory_logins: try the one documented factory login of a device; opt-in, see `scanner.factory`.
    """

    profile: Profile = Profile.GENTLE
    port_map: PortMap = field(default_factory=PortMap)
    neighbours: Path | None = None
    credentials: Logins | None = None
    interfaces: tuple[str, ...] = ()
    canary: bool = True
    device_anchors: tuple[Anchor, ...] = ()
    snmp_public: bool = False
    port_mappings: bool = False
    factory_logins: FactoryLogins | None = None

    @property
    def pace(self) -> Pace:
        """The numbers of the profile."""
        return PACES[self.profile]


@dataclass(frozen=True, slots=True)
class LinkUse:
    """One link of this machine: used for multicast and ARP, or skipped and why."""

    name: str
    network: str
    used: bool
    because: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """An address of the scope where nothing was found: what was sent, and whether it refused or said nothing."""

    address: str
    reason: str
    detail: str


class Observer(Protocol):
    """Told what the sweep does, as it does it; it must not block."""

    def phase(self, name: str, total: int) -> None:
        """A phase begins: `total` addresses or devices, 0 where it is not known."""

    def device_started(self, device: str) -> None:
        """The interview of `device` begins."""

    def device_finished(self, device: str, observations: int, attempts: int) -> None:
        """The interview of `device` is over and in the journal."""

    def note(self, text: str) -> None:
        """Something a person should know: a link skipped, a device left alone."""


class Quiet:
    """An observer that nobody listens to."""

    def phase(self, name: str, total: int) -> None:
        """Ignored."""

    def device_started(self, device: str) -> None:
        """Ignored."""

    def device_finished(self, device: str, observations: int, attempts: int) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Everything one sweep saw and tried.

    Attributes:
        observations: of the devices and the channels behind them, each once, in the order of device and time.
        attempts: everything that was tried or left out, with reasons.
        devices: addresses where something was found.
        silent: the other addresses of the scope.
        foreign: answers from addresses outside the scope, which were never contacted.
        dropped: what was not kept, counted by what it was.
        started, finished: UTC; a resumed sweep keeps its first start.
        links: the links of this machine, used or skipped.
        interrupted: the sweep ended before every device was asked.
        resumed: it continued an earlier, unfinished sweep.
        sent: how much was sent of each kind of `scanner.transport.sent.Kind`; of a sweep that was killed, up to the
            last device it finished.
    """

    # Without a repr: asyncio makes the text of a finished task when it gives Ctrl-C back, 80 MB of it for a /16.
    observations: Sequence[Observation] = field(repr=False)
    attempts: Sequence[Attempt] = field(repr=False)
    devices: Sequence[str] = field(repr=False)
    silent: Mapping[str, Silent] = field(repr=False)
    foreign: Sequence[Observation] = field(repr=False)
    dropped: Mapping[str, int]
    started: datetime
    finished: datetime
    links: Sequence[LinkUse] = ()
    interrupted: bool = False
    resumed: bool = False
    sent: Mapping[str, int] = field(default_factory=dict)
