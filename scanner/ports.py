"""TCP connects: which services a device offers, one connection in flight, nothing sent."""

from __future__ import annotations

from collections.abc import Iterable

from scanner import clock
from scanner.dossier import Dossier, PortState
from scanner.observation import Endpoint, Observation, Reason, Refusal
from scanner.pace import RateLimit, Stopped
from scanner.settings import Settings
from scanner.transport import tcp
from scanner.transport.exchange import ExchangeError
from scanner.wire import banner

__all__ = ["connect_all", "note_syn", "still_there"]

_TALKERS = frozenset({21, 23})          # services that speak first: they are listened to, never answered
_BANNER_WAIT = 1.5


async def connect_all(dossier: Dossier, ports: Iterable[int], settings: Settings, rate: RateLimit) -> None:
    """Connect to every port that was not tried yet, one after the other; stop where the host is unreachable."""
    for port in ports:
        if port in dossier.ports or not 0 < port < 65_536:
            continue
        try:
            async with dossier.gate.turn(request=False):
                await rate.wait()
                heard = await _connect(dossier, port, settings)
        except Stopped as stop:
            dossier.skipped("tcp.connect", port, stop.reason, stop.detail)
        except ExchangeError as error:
            if not _note_failure(dossier, port, error):
                return
        else:
            dossier.gate.answered()
            _note_open(dossier, port, heard)


async def _connect(dossier: Dossier, port: int, settings: Settings) -> bytes:
    actual = settings.port_map.tcp.get(port, port)
    if port in _TALKERS:
        return await tcp.banner(dossier.address, actual, settings.pace.connect_timeout, listen=_BANNER_WAIT)
    await tcp.connect(dossier.address, actual, settings.pace.connect_timeout)
    return b""


def _note_open(dossier: Dossier, port: int, heard: bytes) -> None:
    dossier.ports[port] = PortState.OPEN
    read = banner.parse(heard, Endpoint(dossier.address, port), clock.now()) if heard else {}
    fields = {} if isinstance(read, Refusal) else read
    seen = dossier.observe("tcp", "tcp.connect", port, {**fields, "state": str(PortState.OPEN)}, heard or b"open",
                           raw=heard)
    dossier.completed("tcp.connect", port, [seen])


def _note_failure(dossier: Dossier, port: int, error: ExchangeError) -> bool:
    """Note a port that did not open; false where no other port needs to be tried."""
    if error.reason in (Reason.REFUSED, Reason.RESET):
        state = PortState.CLOSED
    elif error.reason is Reason.TIMEOUT:
        state = PortState.FILTERED
    else:
        dossier.failed("tcp.connect", port, error.reason, error.detail)
        return error.reason is not Reason.UNREACHABLE
    dossier.ports[port] = state
    seen: Observation | None = dossier.observe("tcp", "tcp.connect", port, {"state": str(state)}, str(state).encode(),
                                               raw=b"")
    if state is PortState.CLOSED:
        dossier.completed("tcp.connect", port, [seen], detail="closed")       # a reset is an answer
    else:
        dossier.failed("tcp.connect", port, Reason.TIMEOUT, "filtered or lost", seen=[seen])
    return True


def note_syn(dossier: Dossier, port: int, opened: bool | None) -> None:
    """Note how a port answered a SYN: reset or, where nothing came, filtered. An open one is left to a connect."""
    if opened:
        return
    state = PortState.FILTERED if opened is None else PortState.CLOSED
    dossier.ports[port] = state
    seen = dossier.observe("tcp", "tcp.connect", port, {"state": str(state)}, str(state).encode(), raw=b"")
    if state is PortState.CLOSED:
        dossier.completed("tcp.connect", port, [seen], detail="closed, reset to a SYN")
    else:
        dossier.failed("tcp.connect", port, Reason.TIMEOUT, "filtered or lost, two SYN unanswered", seen=[seen])


async def still_there(dossier: Dossier, settings: Settings, rate: RateLimit) -> bool:
    """Whether a port that was open still opens: how a canary is looked at again."""
    for port in dossier.open_ports[:1]:
        await rate.wait()
        try:
            await tcp.connect(dossier.address, settings.port_map.tcp.get(port, port), settings.pace.connect_timeout)
        except ExchangeError:
            return False
    return True
