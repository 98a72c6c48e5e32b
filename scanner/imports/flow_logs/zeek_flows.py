"""Zeek's logs as flows, questions and leases: conn, dns, ssl, quic, http, ntp, dhcp; as TSV or as JSON lines.

Which log a line is of is told by its fields, not by the name of the file; files of several logs one after the other
(each with its ``#fields`` line, or with ``_path`` in JSON) are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scanner.egress.names import is_host, is_name
from scanner.imports.flow_logs.rows import Addresses, Flow, Lease, Question, Row, Unread, protocol_number
from scanner.observation import Refusal
from scanner.wire import json
from scanner.wire.text import clean

__all__ = ["Zeek"]

_UNSET = frozenset({"-", "(empty)", ""})
_SECOND = 1_000_000_000
_MOST_FIELDS = 512
_MOST_ANSWERS = 64


class Zeek:
    """Reads lines of Zeek logs, one after the other; keeps the fields of the last heading."""

    form = "Zeek"

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._names: list[str] = []
        self._separator, self._set_separator = "\t", ","
        self._expected = "a #fields line before the first row"
        self.kinds: dict[str, None] = {}

    @staticmethod
    def fits(lines: list[str]) -> bool:
        """Whether these first lines are of a Zeek log."""
        for line in lines[:16]:
            if line.startswith("{"):
                return '"id.orig_h"' in line or ('"ts"' in line and ('"mac"' in line or '"client_addr"' in line))
            if line.startswith(("#separator", "#fields\t")):
                return True
        return False

    def read(self, line: str) -> Iterator[tuple[Row, str]]:
        """The rows of a line, each with the kind of its source; headings and comments have none."""
        line = line.rstrip("\r")
        cells: dict[str, str] | None
        if line.startswith("{"):
            cells = self._json(line)
        elif line.startswith("#"):
            self._heading(line)
            return
        elif not line.strip():
            return
        else:
            parts = line.split(self._separator)
            if len(parts) != len(self._names):
                yield Unread(self._expected), ""
                return
            cells = dict(zip(self._names, parts, strict=True))
        if cells is None:
            yield Unread("a JSON object"), ""
            return
        yield from self._rows(cells)

    def _heading(self, line: str) -> None:
        name, _, value = line.partition(" " if line.startswith("#separator") else "\t")
        if name == "#separator":
            text = value.strip()
            written = re.fullmatch(r"\\x([0-9a-fA-F]{2})", text)
            self._separator = chr(int(written[1], 16)) if written else text[:1] or "\t"
        elif line.startswith("#set_separator"):
            self._set_separator = line[14:].strip()[:1] or ","
        elif line.startswith("#fields"):
            self._names = line.split(self._separator)[1:_MOST_FIELDS]
            self._expected = f"{len(self._names)} fields, as the #fields line names them"

    def _json(self, line: str) -> dict[str, str] | None:
        value = json.read(line.encode())
        if isinstance(value, Refusal) or not isinstance(value, dict):
            return None
        return {key: self._set_separator.join(map(json.scalar, inner)) if isinstance(inner, list)
                else json.scalar(inner) for key, inner in value.items()}

    def _rows(self, cells: Mapping[str, str]) -> Iterator[tuple[Row, str]]:
        at = _nanoseconds(cells.get("ts", ""))
        if at is None:
            yield Unread("a time in the field ts, in seconds since the epoch"), ""
            return
        if "mac" in cells and "id.orig_h" not in cells:
            yield from self._lease(cells, at)
            return
        source, target = self._addresses.of(cells.get("id.orig_h", "")), self._addresses.of(cells.get("id.resp_h", ""))
        ports = _port(cells.get("id.orig_p", "0")), _port(cells.get("id.resp_p", "0"))
        if not source or not target or None in ports:
            yield Unread("addresses in id.orig_h and id.resp_h, ports in id.orig_p and id.resp_p"), ""
            return
        near, far = ports[0] or 0, ports[1] or 0
        if "conn_state" in cells:
            yield self._connection(cells, at, (source, target), (near, far)), self._kind("zeek conn")
        elif "query" in cells:
            question = self._question(cells, at, source, target)
            if question is not None:
                yield question, self._kind("zeek names")
        else:
            yield self._named(cells, at, (source, target), (near, far)), self._kind("zeek names")

    def _kind(self, kind: str) -> str:
        self.kinds[kind] = None
        return kind

    def _connection(self, cells: Mapping[str, str], at: int, ends: tuple[str, str], ports: tuple[int, int]) -> Flow:
        get = cells.get
        protocol = protocol_number(get("proto", "tcp")) or 0
        lasted = _nanoseconds(get("duration", "")) or 0
        sent, back = _count(get("orig_pkts", "")), _count(get("resp_pkts", ""))
        octets = _count(get("orig_ip_bytes", "")) or _count(get("orig_bytes", ""))
        back_octets = _count(get("resp_ip_bytes", "")) or _count(get("resp_bytes", ""))
        near, far = ports if protocol in {6, 17, 132} else (0, 0)
        if sent is None and back is None:
            sent = 1
        return Flow(at, at + lasted, ends[0], ends[1], protocol, near, far, sent or 0, octets or 0, back or 0,
                    back_octets or 0, opened=True, source_mac=self._addresses.mac(get("orig_l2_addr", "")),
                    destination_mac=self._addresses.mac(get("resp_l2_addr", "")))

    def _question(self, cells: Mapping[str, str], at: int, client: str, resolver: str) -> Question | None:
        name = cells["query"].lower().rstrip(".")
        if name in _UNSET or not is_host(name):
            return None
        told = cells.get("answers", "")
        answers, aliases = [], []
        for answer in told.split(self._set_separator)[:_MOST_ANSWERS] if told not in _UNSET else ():
            if address := self._addresses.of(answer):
                answers.append(address)
            elif is_name(answer.lower()):
                aliases.append(answer.lower())
        return Question(at, client, name, tuple(answers), tuple(aliases), resolver, answered=True)

    def _named(self, cells: Mapping[str, str], at: int, ends: tuple[str, str], ports: tuple[int, int]) -> Flow:
        """A line of ssl, quic, http, ntp or another log of a connection that is told in full by conn.log."""
        sni = cells.get("server_name", "").lower()
        host = cells.get("host", "").lower().partition(":")[0]
        protocol = 17 if ports[1] == 123 or "client_initial_dcid" in cells else protocol_number(
            cells.get("proto", "tcp")) or 6
        return Flow(at, at, ends[0], ends[1], protocol, ports[0], ports[1], opened=True,
                    sni=sni if is_host(sni) else "", http=host if is_host(host) and "method" in cells else "")

    def _lease(self, cells: Mapping[str, str], at: int) -> Iterator[tuple[Row, str]]:
        mac = self._addresses.mac(cells["mac"])
        address = next(filter(None, (self._addresses.of(cells.get(name, "")) for name in (
            "assigned_addr", "client_addr", "requested_addr", "assigned_ip"))), "")
        if not mac:
            yield Unread("a MAC in the field mac"), ""
            return
        name = next((cells[key] for key in ("host_name", "client_fqdn") if cells.get(key, "") not in _UNSET), "")
        yield Lease(at, mac, address, clean(name, 128)), self._kind("leases")


def _nanoseconds(text: str) -> int | None:
    """Seconds with a fraction, exactly; Zeek may also be told to write ISO 8601 (in UTC)."""
    whole, _, part = text.partition(".")
    if whole.isascii() and whole.isdecimal() and len(whole) <= 11 and (not part or part.isdecimal()):
        return int(whole) * _SECOND + int(part[:9].ljust(9, "0") or 0)
    if len(text) >= 19 and text[10] == "T":
        from datetime import UTC, datetime

        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            return None
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return max(0, int(value.timestamp() * 1_000_000) * 1_000)
    return None


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 16 else None


def _port(text: str) -> int | None:
    if text in _UNSET:
        return 0
    return int(text) if text.isascii() and text.isdecimal() and int(text[:9]) <= 65_535 else None
