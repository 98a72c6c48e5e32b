"""Whether a device accepts TLS 1.1 or older beside what it speaks to a current client: one hello, read and dropped.

It comes last in an interview: an old TLS stack that stumbles over it has by then said everything else. Like the
handshake it is no request; gap, circuit breaker and the device's time hold for it.
"""

from __future__ import annotations

from collections.abc import Collection

from scanner import clock
from scanner.dossier import Dossier
from scanner.observation import Attempt, Endpoint, Reason, Refusal
from scanner.pace import RateLimit, Stopped
from scanner.settings import Settings
from scanner.transport import tls
from scanner.transport.exchange import ExchangeError
from scanner.wire import tls_hello
from scanner.wire.fields import Fields

__all__ = ["HELLO", "ask_legacy"]

HELLO = "tls.legacy_hello"
_HANDSHAKE = "tls.handshake"
# How a port ends a handshake that speaks TLS, or might: SSL 3.0 alone is met with the first of them.
_SPOKE = frozenset({Reason.TLS_FAILED, Reason.RESET, Reason.MALFORMED})


async def ask_legacy(dossier: Dossier, settings: Settings, rate: RateLimit, ports: Collection[int]) -> None:
    """Ask the TLS port that the handshake was tried with; `ports` are those that speak TLS by custom."""
    port = next((port for port in dossier.open_ports if port in ports), None)
    if port is None:
        dossier.skipped(HELLO, None, Reason.PORT_CLOSED, "no open HTTPS port")
        return
    shown = next((seen for seen in dossier.seen if seen.probe == _HANDSHAKE and seen.port == port), None)
    if shown and shown.text("version") in tls_hello.LEGACY_VERSIONS:
        dossier.skipped(HELLO, port, Reason.NOT_APPLICABLE, f"it spoke {shown.text('version')} anyway")
        return
    last = _last(dossier, port)
    if not shown and (last is None or last.reason not in _SPOKE):
        dossier.skipped(HELLO, port, last.reason if last and last.reason else Reason.PORT_UNKNOWN,
                        "the handshake before it was not answered")
        return
    try:
        async with dossier.gate.turn(request=False):
            await rate.wait()
            heard = await tls.offer_legacy(dossier.address, port, settings.port_map, settings.pace.exchange_deadline)
    except Stopped as stop:
        dossier.skipped(HELLO, port, stop.reason, stop.detail)
    except ExchangeError as error:
        # Whoever drops the connection with our hello unread resets it. Of a port that has just finished a handshake
        # that is a no; of one that never did, it says nothing.
        if error.reason is Reason.RESET and shown:
            _note(dossier, port, {"refused": "reset"}, b"reset")
            return
        dossier.gate.failed(error.reason)
        dossier.failed(HELLO, port, error.reason, error.detail)
    else:
        read = tls_hello.parse(heard, Endpoint(dossier.address, port), clock.now())
        if isinstance(read, Refusal) and not heard and shown:
            read = {"refused": "closed"}
        if isinstance(read, Refusal):
            dossier.failed(HELLO, port, Reason.MALFORMED, f"{read.reason} {read.detail}".strip())
        else:
            _note(dossier, port, read, heard or b"closed")


def _last(dossier: Dossier, port: int) -> Attempt | None:
    return next((one for one in reversed(dossier.attempts) if one.probe == _HANDSHAKE and one.port == port), None)


def _note(dossier: Dossier, port: int, fields: Fields, wire: bytes) -> None:
    dossier.gate.answered()
    # The device's random bytes are of no use to anybody; the digest covers them.
    seen = dossier.observe("tls_hello", HELLO, port, fields, wire, raw=b"")
    dossier.completed(HELLO, port, [seen], detail="accepted" if "version" in fields else "refused")
