"""What every exchange with a device shares: where it goes, how long it may take in total, how it fails.

A deadline covers the whole exchange, never a single read: a device that sends one byte a second is late, not patient.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType

from scanner.observation import Reason

__all__ = ["ExchangeError", "PortMap", "deadline", "reason_of"]


class ExchangeError(Exception):
    """An exchange that brought no full answer.

    Attributes:
        reason: why, in the words of an attempt.
        detail: the same for a person.
        partial: the bytes that came before it failed, capped.
    """

    def __init__(self, reason: Reason, detail: str = "", partial: bytes = b"") -> None:
        super().__init__(detail or str(reason))
        self.reason = reason
        self.detail = detail
        self.partial = partial


@dataclass(frozen=True, slots=True)
class PortMap:
    """Where a lab serves the well-known ports: nominal to actual. Everything that is stored keeps the nominal one."""

    tcp: Mapping[int, int] = field(default_factory=dict)
    udp: Mapping[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tcp or self.udp)

    def nominal_tcp(self, actual: int) -> int:
        """The port a device means when it names `actual`."""
        return next((nominal for nominal, mapped in self.tcp.items() if mapped == actual), actual)


def deadline(seconds: float, what: str) -> AbstractAsyncContextManager[None]:
    """Everything inside ends within `seconds`, as an `ExchangeError`; so does every way a socket can fail."""
    return _Deadline(seconds, what)


class _Deadline(AbstractAsyncContextManager[None]):
    """A class, since a generator for each of a sweep's exchanges costs more than all that it does."""

    __slots__ = ("_seconds", "_timeout", "_what")

    def __init__(self, seconds: float, what: str) -> None:
        self._seconds, self._what = seconds, what

    async def __aenter__(self) -> None:
        self._timeout = asyncio.timeout(self._seconds)
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise ExchangeError(Reason.TIMEOUT, f"{self._what}: not done within {self._seconds:g} s") from late
        if isinstance(error, TimeoutError):
            raise ExchangeError(Reason.TIMEOUT, f"{self._what}: not done within {self._seconds:g} s") from error
        if isinstance(error, ssl.SSLError):
            raise ExchangeError(Reason.TLS_FAILED, f"{self._what}: {error.reason or 'TLS error'}") from error
        if isinstance(error, OSError):
            raise ExchangeError(reason_of(error), f"{self._what}: {error.strerror or 'connection lost'}") from error


_REASONS = {
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.ECONNRESET: Reason.RESET, errno.EPIPE: Reason.RESET, errno.ECONNABORTED: Reason.RESET,
    errno.EHOSTUNREACH: Reason.UNREACHABLE, errno.ENETUNREACH: Reason.UNREACHABLE, errno.EHOSTDOWN: Reason.UNREACHABLE,
    errno.ENETDOWN: Reason.UNREACHABLE, errno.EADDRNOTAVAIL: Reason.UNREACHABLE,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.EACCES: Reason.UNPRIVILEGED, errno.EPERM: Reason.UNPRIVILEGED,
}


def reason_of(error: OSError) -> Reason:
    """Why a socket failed. What the device cannot be blamed for (no file descriptors left) is our own fault."""
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Reason.RESET
    return _REASONS.get(error.errno or 0, Reason.INTERNAL)
