"""What was sent, counted where it leaves this machine: recall means little without what it cost the network.

A sweep opens a count with `counting`; whatever its tasks send from then on is added to it, in whichever file the socket
stands. Outside a sweep nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

__all__ = ["Kind", "Tally", "counting", "note"]


class Kind(StrEnum):
    """What was sent."""

    ARP = "arp"                     # frames
    SYN = "syn"                     # frames
    DATAGRAM = "datagram"           # UDP discovery probes, to one device or to a link
    CONNECTION = "connection"       # TCP connections begun, with or without TLS
    REQUEST = "request"             # HTTP, RTSP and SOAP requests on such a connection
    MEMBERSHIP = "membership"       # multicast groups joined, which the kernel tells the link with IGMP reports


class Tally:
    """How much of each kind was sent so far."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Kind, 0)

    def add(self, kind: Kind, number: int = 1) -> None:
        """Count `number` more of a kind."""
        self._counts[kind] += number

    def to_json(self) -> dict[str, int]:
        """Every kind with its count."""
        return {str(kind): count for kind, count in self._counts.items()}

    def restore(self, counts: Mapping[str, int]) -> None:
        """Go on from the counts of an earlier part of the same sweep; kinds that are not known are left out."""
        for kind in Kind:
            self._counts[kind] = max(self._counts[kind], int(counts.get(kind, 0)))


_tally: ContextVar[Tally | None] = ContextVar("sent", default=None)


@contextmanager
def counting(tally: Tally) -> Iterator[None]:
    """Count into `tally` what is sent inside, by this task and by those it starts."""
    token = _tally.set(tally)
    try:
        yield
    finally:
        _tally.reset(token)


def note(kind: Kind, number: int = 1) -> None:
    """Say that something was sent."""
    tally = _tally.get()
    if tally is not None:
        tally.add(kind, number)
