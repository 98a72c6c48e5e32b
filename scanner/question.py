"""One question to one device: through its gate, on the record, whatever happens."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scanner.dossier import Dossier
from scanner.observation import Reason, Refusal
from scanner.pace import Stopped
from scanner.transport import tls
from scanner.transport.exchange import ExchangeError
from scanner.transport.response import Response
from scanner.wire.fields import Fields

__all__ = ["BUSY", "Answer", "Door", "Verdict", "put"]

BUSY = frozenset({429, 453, 503})
"""Statuses that say "not now"."""
_HEAD_END = re.compile(rb"\r?\n\r?\n")

Verdict = tuple[Reason, str] | None


@dataclass(frozen=True, slots=True)
class Door:
    """Where an HTTP service is asked on the pinned address: nominal port, path, and whether behind TLS."""

    port: int
    path: str = "/"
    secure: bool = False

    @property
    def context(self) -> ssl.SSLContext | None:
        """The modern TLS context, where it is behind TLS."""
        return tls.context() if self.secure else None


@dataclass(frozen=True, slots=True)
class Answer:
    """A framed response and what its parser read."""

    response: Response
    fields: Fields


async def put(dossier: Dossier, probe: str, transport: str, port: int, send: Callable[[], Awaitable[Response]],
              read: Callable[[bytes], Fields | Refusal], *,
              weigh: Callable[[Fields], Verdict] | None = None) -> Answer | None:
    """Ask once, keep what was seen, note how it ended.

    Args:
        dossier: the device.
        probe: the attempt's name.
        transport: the observation's.
        port: nominal.
        send: makes the exchange.
        read: the parser of the whole response.
        weigh: says of a read answer why it is none, if so; the observation is kept all the same.

    Returns:
        The answer; ``None`` where nothing readable came, and the attempt says why.
    """
    begun = time.monotonic()

    def elapsed() -> int:
        return int((time.monotonic() - begun) * 1000)

    try:
        async with dossier.gate.turn():
            begun = time.monotonic()
            response = await send()
    except Stopped as stop:
        dossier.skipped(probe, port, stop.reason, stop.detail)
        return None
    except ExchangeError as error:
        if error.partial:
            dossier.gate.answered()
        dossier.gate.failed(error.reason)
        # A head that came whole is evidence, even of a device that never finishes.
        fields = read(error.partial) if _HEAD_END.search(error.partial) else Refusal("incomplete")
        seen = None if isinstance(fields, Refusal) else dossier.observe(transport, probe, port, fields, error.partial)
        dossier.failed(probe, port, error.reason, error.detail, elapsed_ms=elapsed(), seen=[seen])
        return None
    dossier.gate.answered()
    fields = read(response.wire)
    if isinstance(fields, Refusal):
        dossier.failed(probe, port, Reason.MALFORMED, f"{fields.reason} {fields.detail}".strip(), elapsed_ms=elapsed())
        return None
    seen = dossier.observe(transport, probe, port, fields, response.wire)
    verdict: Verdict = (Reason.BUSY, f"status {response.status}") if response.status in BUSY else None
    verdict = verdict or (weigh(fields) if weigh else None)
    if verdict:
        dossier.failed(probe, port, *verdict, elapsed_ms=elapsed(), seen=[seen])
    else:
        dossier.completed(probe, port, [seen], elapsed_ms=elapsed())
    return Answer(response, fields)
