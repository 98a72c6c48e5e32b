"""What nmap takes the services of chosen devices for: after the sweep, only where its owner named the device."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scanner import clock
from scanner.imports import nmap as reader
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.transport import nmap
from scanner.transport.exchange import ExchangeError

__all__ = ["look"]

_PROBE = "nmap.services"


async def look(chosen: Sequence[str], devices: Collection[str], seen: Sequence[Observation],
               ) -> tuple[list[Observation], list[Attempt]]:
    """One run a device, on the ports that were open: the services it names, as observations and attempts."""
    observations: list[Observation] = []
    attempts: list[Attempt] = []
    for address in dict.fromkeys(chosen):
        ports = sorted({one.port for one in seen if one.device == address and one.transport == "tcp" and one.port
                        and one.text("state") == "open"})
        if address not in devices or not ports:
            why = "no open port was found" if address in devices else "nothing was found at this address"
            attempts.append(Attempt(address, _PROBE, None, AttemptStatus.NOT_ATTEMPTED, clock.now(), Reason.PORT_CLOSED,
                                    why))
            continue
        try:
            found = reader.read(await nmap.look([address], ports), clock.now())
        except ExchangeError as error:
            attempts.append(Attempt(address, _PROBE, None, AttemptStatus.FAILED, clock.now(), error.reason,
                                    error.detail))
            continue
        told = [_renamed(one) for one in found.observations if one.device == address and one.fields.get("service")]
        observations += told
        attempts.append(Attempt(address, _PROBE, None, AttemptStatus.COMPLETED, clock.now(),
                                observations=tuple(one.id for one in told)))
    return observations, attempts


def _renamed(one: Observation) -> Observation:
    return Observation(one.device, one.transport, _PROBE, one.port, one.at, one.fields, one.digest, one.raw)
