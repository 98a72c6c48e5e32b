"""Squid's access.log in its native form: which client asked the proxy for what, and which server was then called.

A request that the proxy answered itself, refused or gave to another proxy names a host and reached no address that is
known here: it counts as a question for that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from scanner.egress.names import is_host
from scanner.imports.flow_logs.rows import Addresses, Flow, Passed, Question, Row, Unread
from scanner.imports.flow_logs.stamps import Stamps
from scanner.imports.flow_logs.words import count_of, port_of

__all__ = ["Squid"]

_TCP = 6
_PORTS = {"http": "80", "https": "443", "ftp": "21", "ws": "80", "wss": "443"}


class Squid:
    """One line a request: time, duration, client, result, size, method, URL, user, whom it went to, type."""

    form: ClassVar[str] = "Squid access log"
    kind: ClassVar[str] = "proxy"
    marks: ClassVar[tuple[str, ...]] = (" TCP_", " NONE/", " NONE_NONE/", " TAG_NONE/", " UDP_")
    _LINE = re.compile(r"(?:^|\s)(\d{9,10}\.\d{3}) +(-?\d{1,10}) (\S{2,64}) ((?:TCP|UDP|NONE|TAG)[A-Z_]{0,64})/(\d{3}) "
                       r"(\d{1,16}) ([A-Z-]{1,32}) (\S+) (\S+) ([A-Z_]{2,40})/(\S+)")
    _BEGIN = re.compile(r"\d{9,10}\.\d{3} +-?\d+ ")
    _URL = re.compile(r"(?i)(?:([a-z]{2,8})://)?(?:[^/@\s]*@)?(\[[0-9a-f:.]{2,45}\]|[^/:?#\s]{1,253})(?::(\d{1,5}))?"
                      r"(?:[/?#]|$)")

    def __init__(self, addresses: Addresses, stamps: Stamps) -> None:
        self._addresses, self._stamps = addresses, stamps

    def read(self, line: str, _at: int | None) -> Iterator[Row]:
        """The call of a line, or the question for a name where no call followed."""
        found = self._LINE.search(line)
        if found is None:
            if self._BEGIN.match(line):
                yield Unread("time, duration, client, result/status, size, method, URL, user, peer/host")
            return
        stamp, lasted, client_text, result, status, size, _, url, _, way, peer = found.groups()
        end = self._stamps.read(stamp)
        client = self._addresses.of(client_text)
        place = self._URL.match(url)
        if end is None or not client:
            yield Unread("a time and a client's address")
            return
        if place is None or "error:" in url:
            yield Passed("requests that name no host")
            return
        host = place[2].strip("[]").lower().rstrip(".")
        port = port_of(place[3] or _PORTS.get((place[1] or "http").lower(), ""))
        name = host if is_host(host) else ""
        denied = "DENIED" in result or status == "403"
        called = self._addresses.of(peer) if "PARENT" not in way and "SIBLING" not in way else ""
        target = called or self._addresses.of(host)
        begun = max(end - max(int(lasted), 0) * 1_000_000, 0)
        if target and port is not None:
            yield Flow(begun, end, client, target, _TCP, 0, port, 1, 0, 0, count_of(size), opened=True,
                       denied=denied, http=name)
        elif name:
            yield Question(begun, client, name, answered=True)
        else:
            yield Unread("a host and a port in the URL")
