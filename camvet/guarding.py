"""The guard at the gate: asks again, of every attached camera, whether it may stay, without taking a picture.

What `camvet.watching` does before and during every connection is done here alone: attestation, revocation, rejection,
today's verdict by the lists of today, and the live fingerprint. What fails is suspended, what does not answer is told
and looked at again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from analytics.gate import Gate, Refused
from analytics.pipeline import TRANSIENT
from camvet.admission import SiteWorld
from camvet.edition import Edition
from camvet.inventory import AttachmentRow, AttachmentState, Inventory
from camvet.keys import KeyStore
from camvet.orders import file_of, order_of
from camvet.port_map import read_port_map
from camvet.watching import GATE_ACTOR, PATIENCE
from scanner import clock

__all__ = ["Found", "Guard", "Look"]

AT_ONCE = 16                 # recognitions side by side; each is some eight questions within three seconds


class Found(StrEnum):
    """How one camera stood when it was looked at."""

    HOLDS = "holds"
    UNANSWERED = "unanswered"        # it could not be asked: nothing speaks against it, and nothing vouches for it
    SUSPENDED = "suspended"
    LET_GO = "let_go"                # somebody detached or suspended it meanwhile


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one camera: when, what was found, by which rule; `expires` is when its attestation ends."""

    at: str
    device: str
    address: str
    found: Found
    rule: str = ""
    because: str = ""
    expires: str | None = None

    def to_json(self) -> dict[str, Any]:
        """One line of `camvet watch --json`."""
        return {"at": self.at, "device": self.device, "address": self.address, "state": str(self.found),
                "rule": self.rule or None, "because": self.because or None, "expires": self.expires}


@dataclass(slots=True)
class Guard:
    """Looks at the attached cameras of a site again and again.

    Args:
        inventory: who is attached, and where a suspension is stored.
        keys: whose signatures count.
        site: the site; `devices` are those to look at alone, none for all that are or come to be attached.
        devices: see `site`.
        edition: the rules that are judged by, kept the newest that are installed.
        tell: is given every look, one at a time.
        port_map, neighbours: in the place of the files that were named when a camera was attached.
    """

    inventory: Inventory
    keys: KeyStore
    site: str
    devices: Collection[str]
    edition: Edition
    tell: Callable[[Look], None]
    port_map: Path | None = None
    neighbours: Path | None = None
    suspended: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    # A world remembers how long a device has been silent and whether its login was lost: until it is attached anew.
    _worlds: dict[tuple[str, str], SiteWorld] = field(default_factory=dict)
    _telling: threading.Lock = field(default_factory=threading.Lock)

    def run(self, interval_s: float, seconds: float | None = None) -> None:
        """Look every `interval_s` until the time is over, no camera is left, or Ctrl-C."""
        begun = time.monotonic()
        while self.round():
            left = interval_s if seconds is None else min(interval_s, begun + seconds - time.monotonic())
            if left <= 0:
                return
            time.sleep(left)
            if seconds is not None and time.monotonic() - begun >= seconds:
                return

    def round(self) -> int:
        """Look at every attached camera once; returns how many are still attached."""
        rows = [row for row in self.inventory.gate.attachments(self.site)
                if row.state is AttachmentState.ATTACHED and (not self.devices or row.device in self.devices)]
        self.unanswered.clear()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="guard") as pool:
            looks = list(pool.map(self._look, rows))
        return sum(one.found in (Found.HOLDS, Found.UNANSWERED) for one in looks)

    def _look(self, row: AttachmentRow) -> Look:
        by = self.inventory.gate.attestation(row.attestation)
        envelope, expires = (by.envelope, by.expires) if by else ("", None)
        found, rule, because = Found.HOLDS, "", ""
        try:
            Gate(self._world(row, envelope)).admit(order_of(row), envelope)
        except Refused as refused:
            rule, because = refused.rule, refused.because
            found = Found.UNANSWERED if rule in TRANSIENT else self._suspend(row, rule, because)
        look = Look(clock.stamp(clock.now()), row.device, row.address, found, rule, because, expires)
        with self._telling:
            if found is Found.UNANSWERED:
                self.unanswered.add(row.device)
            elif found is Found.SUSPENDED:
                self.suspended.add(row.device)
            self.tell(look)
        return look

    def _suspend(self, row: AttachmentRow, rule: str, because: str) -> Found:
        now = self.inventory.gate.attachment(row.device)
        if now is None or now.since != row.since:             # attached anew, by what this look knows nothing of
            return Found.LET_GO
        done = self.inventory.gate.suspend(row.device, at=clock.now(), actor=GATE_ACTOR, rule=rule, because=because)
        return Found.SUSPENDED if done else Found.LET_GO

    def _world(self, row: AttachmentRow, envelope: str) -> SiteWorld:
        key = row.device, row.since
        with self._telling:
            if key not in self._worlds:
                self._worlds[key] = SiteWorld(
                    self.inventory, self.keys, envelope=envelope, patience=PATIENCE, edition=self.edition,
                    port_map=read_port_map(file_of(self.port_map, row, "port_map")),
                    neighbour_table=file_of(self.neighbours, row, "neighbours"))
            return self._worlds[key]
