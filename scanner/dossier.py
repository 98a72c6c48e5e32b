"""What is known of one device while the sweep runs: observations, attempts, ports, and the gate it is asked through."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from scanner import clock
from scanner.observation import Attempt, AttemptStatus, FieldValue, Observation, Reason, device_key
from scanner.pace import DevicePace, Pace
from scanner.wire.fields import Fields
from scanner.wire.text import redact

__all__ = ["Dossier", "PortState"]

_MOST_RAW = 16_384             # stored of one reply; the digest covers all of it
_MOST_OBSERVATIONS = 1024      # of one device with its channels; the rest is counted


class PortState(StrEnum):
    """What a TCP connect showed."""

    OPEN = "open"
    CLOSED = "closed"
    FILTERED = "filtered"


class Dossier:
    """One address of the scope."""

    def __init__(self, address: str, pace: Pace) -> None:
        self.address = address
        self.gate = DevicePace(pace)
        self.observations: dict[str, Observation] = {}
        self.attempts: list[Attempt] = []
        self.ports: dict[int, PortState] = {}
        self.dropped = 0

    @property
    def seen(self) -> list[Observation]:
        """Every observation, in the order it came."""
        return list(self.observations.values())

    @property
    def open_ports(self) -> list[int]:
        """The TCP ports known to be open, in the order they were tried."""
        return [port for port, state in self.ports.items() if state is PortState.OPEN]

    @property
    def showed_itself(self) -> bool:
        """Whether anything proves that a device is here: a reply, an open port or an entry in a link table."""
        return bool(self.open_ports) or any(one.transport != "tcp" for one in self.observations.values())

    def observe(self, transport: str, probe: str, port: int | None, fields: Fields, wire: bytes, *,
                channel: int | None = None, raw: bytes | None = None) -> Observation | None:
        """Keep what was seen; ``None`` where this device has said too much already."""
        made = Observation.of(device=device_key(self.address, channel), transport=transport, probe=probe, port=port,
                              at=clock.now(), fields=fields, wire=wire,
                              raw=redact(wire if raw is None else raw)[:_MOST_RAW])
        if made.id not in self.observations and len(self.observations) >= _MOST_OBSERVATIONS:
            self.dropped += 1
            return None
        return self.observations.setdefault(made.id, made)

    def completed(self, probe: str, port: int | None, seen: Sequence[Observation | None], *, detail: str = "",
                  elapsed_ms: int = 0) -> None:
        """Note an attempt that brought an answer."""
        self._note(Attempt(self.address, probe, port, AttemptStatus.COMPLETED, clock.now(), None, detail, elapsed_ms,
                           tuple(dict.fromkeys(one.id for one in seen if one))))

    def failed(self, probe: str, port: int | None, reason: Reason, detail: str = "", *, elapsed_ms: int = 0,
               seen: Sequence[Observation | None] = ()) -> None:
        """Note an attempt that was made and brought no full answer."""
        self._note(Attempt(self.address, probe, port, AttemptStatus.FAILED, clock.now(), reason, detail, elapsed_ms,
                           tuple(dict.fromkeys(one.id for one in seen if one))))

    def skipped(self, probe: str, port: int | None, reason: Reason, detail: str = "") -> None:
        """Note something that was not tried, and why."""
        self._note(Attempt(self.address, probe, port, AttemptStatus.NOT_ATTEMPTED, clock.now(), reason, detail))

    def tried(self, probe: str) -> bool:
        """Whether an attempt of that name stands in the dossier."""
        return any(attempt.probe == probe for attempt in self.attempts)

    def answered(self, probe: str) -> bool:
        """Whether an attempt of that name brought an answer."""
        return any(attempt.probe == probe and attempt.status is AttemptStatus.COMPLETED for attempt in self.attempts)

    def declared(self, *names: str) -> list[FieldValue]:
        """The values of a field over all observations, in order, each once: the device's own word."""
        found = (seen.fields[name] for seen in self.seen for name in names if name in seen.fields)
        return list(dict.fromkeys(found))

    def _note(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)
