"""What is known of one device while the sweep runs: observations, attempts, ports, and the gate it is asked through."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import quote

from scanner import clock
from scanner.observation import Attempt, AttemptStatus, FieldValue, Observation, Reason, device_key
from scanner.pace import DevicePace, Pace
from scanner.wire.auth import Credentials
from scanner.wire.fields import Fields
from scanner.wire.text import redact

__all__ = ["BEARING", "Dossier", "PortState"]

BEARING = "interview.bearing"
"""The attempt that says how a device bore its interview: whether it still took part when it was over."""

_MOST_RAW = 16_384             # stored of one reply; the digest covers all of it
_LEAST_SECRET = 4              # shorter passwords stand in every second word
# What is said of a device whose every port was tried; of one that is left alone nobody can know it.
_PRESUMED = frozenset({Reason.PORT_CLOSED, Reason.NOT_APPLICABLE, Reason.PORT_UNKNOWN})
_MOST_OBSERVATIONS = 1024      # of one device with its channels; the rest is counted


class PortState(StrEnum):
    """What a TCP connect showed."""

    OPEN = "open"
    CLOSED = "closed"
    FILTERED = "filtered"


def _spellings(login: Credentials | None) -> tuple[bytes, ...]:
    """The ways a login may come back: as it is, percent-encoded, in Base64. Very short ones are no text to look for."""
    if login is None or len(login.password) < _LEAST_SECRET:
        return ()
    token = base64.b64encode(f"{login.user}:{login.password}".encode())
    return tuple(dict.fromkeys((login.password.encode(), quote(login.password, safe="").encode(), token)))


class Dossier:
    """One address of the scope."""

    # A scope may hold 65,536 of them.
    __slots__ = ("_gate", "_pace", "_secrets", "address", "attempts", "dropped", "observations", "ports")

    def __init__(self, address: str, pace: Pace, login: Credentials | None = None) -> None:
        self.address = address
        self._secrets = _spellings(login)
        self._pace = pace
        self._gate: DevicePace | None = None
        self.observations: dict[str, Observation] = {}
        self.attempts: list[Attempt] = []
        self.ports: dict[int, PortState] = {}
        self.dropped = 0

    @property
    def gate(self) -> DevicePace:
        """What every exchange with the device goes through; most addresses of a wide scope never need one."""
        if self._gate is None:
            self._gate = DevicePace(self._pace)
        return self._gate

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
                              at=clock.now(), fields=self._without_secrets(fields), wire=wire,
                              raw=self._starred(redact(wire if raw is None else raw))[:_MOST_RAW])
        if made.id not in self.observations and len(self.observations) >= _MOST_OBSERVATIONS:
            self.dropped += 1
            return None
        return self.observations.setdefault(made.id, made)

    def _without_secrets(self, fields: Fields) -> Fields:
        """`fields` with the device's own login starred out: devices echo it where no pattern would look for it."""
        if not self._secrets:
            return fields
        out: Fields = {}
        for name, value in fields.items():
            if isinstance(value, str):
                out[name] = self._starred(value.encode()).decode("utf-8", "replace")
            elif isinstance(value, tuple):
                out[name] = tuple(self._starred(one.encode()).decode("utf-8", "replace") for one in value)
            else:
                out[name] = value
        return out

    def _starred(self, data: bytes) -> bytes:
        for secret in self._secrets:
            data = data.replace(secret, b"***")
        return data

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
        """Note something that was not tried, and why: of a device that is left alone, that it is."""
        if self._spared(reason):
            reason, detail = Reason.CIRCUIT_OPEN, self.gate.tripped
        self._note(Attempt(self.address, probe, port, AttemptStatus.NOT_ATTEMPTED, clock.now(), reason, detail))

    def _spared(self, reason: Reason) -> bool:
        """Whether `reason` only seems to hold, since the device is left alone: a port that was never tried is not shut.

        A port that was found shut before that stays the reason why it was not asked.
        """
        if self._gate is None or not self._gate.tripped or reason not in _PRESUMED:
            return False
        return reason is not Reason.PORT_CLOSED or any(
            one.probe == "tcp.connect" and one.reason is Reason.CIRCUIT_OPEN for one in self.attempts)

    def conclude(self, silence: str = "") -> None:
        """Note how the device bore its interview, once it is over; `silence` says how it fell silent after that."""
        self.attempts[:] = [attempt for attempt in self.attempts if attempt.probe != BEARING]
        if silence or self.gate.stopped:
            self.failed(BEARING, None, Reason.CIRCUIT_OPEN, silence or self.gate.tripped)
        elif self.gate.tripped:
            self.skipped(BEARING, None, Reason.CIRCUIT_OPEN, self.gate.tripped)
        elif self.gate.heard:
            self.completed(BEARING, None, ())
        else:
            self.failed(BEARING, None, Reason.NO_ANSWER, "it answered nothing that it was asked")

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
