"""Names in the clear, as a device and its resolver send them.

DNS questions and answers (RFC 1035) and the Host of an HTTP request (RFC 9110 section 7.2); `tls` and `quic` read those
of a ClientHello. All of it is pure and capped, and answers ``None`` to bytes it cannot read.

What a DNS message says beyond its question and what that leads to (name servers, services, reverse names, additional
records) is kept as `Answer.others`: names that were seen, and never a destination's.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["MAX_HTTP_HEAD", "METHODS", "Answer", "Record", "dns_name", "http_host", "is_host", "is_name",
           "next_request", "read_dns", "read_records", "record_target", "stun_realm"]

_HOST = re.compile(r"[A-Za-z0-9._-]+")
_MAX_LABELS = 128
_MAX_NAME = 253
_MAX_RECORDS = 256
_SMALL_MESSAGE = 512
_A, _CNAME, _AAAA = 1, 5, 28
_TARGET_AT = {2: 0, 5: 0, 6: 0, 12: 0, 15: 2, 33: 6, 36: 2, 39: 0, 64: 2, 65: 2}
"""Where the data of NS, CNAME, SOA, PTR, MX, SRV, KX, DNAME, SVCB and HTTPS records names another host."""
METHODS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"PATCH ", b"CONNECT ", b"TRACE ",
           b"SUBSCRIBE ", b"UNSUBSCRIBE ", b"NOTIFY ", b"PROPFIND ", b"PROPPATCH ", b"MKCOL ", b"COPY ", b"MOVE ",
           b"SEARCH ", b"M-POST ")
MAX_HTTP_HEAD = 8192


@dataclass(frozen=True, slots=True)
class Answer:
    """One DNS message: what was asked, whether it is a response, and the addresses that the asked name led to.

    ``names`` are the asked name and the aliases on the way to the addresses, in order; ``packed`` are the addresses as
    octets, 4 or 16 each. ``others`` are all further names in it, of further questions and of the owners and targets
    of records, be they on that way or not. In a message that is no query (an update, a notice) all names are such.
    """

    question: str
    response: bool
    names: tuple[str, ...] = ()
    packed: tuple[bytes, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses as text."""
        return tuple(str(ipaddress.ip_address(octets)) for octets in self.packed)


def is_name(text: str) -> bool:
    """Whether this is a host name of at least two labels, and no address literal."""
    return "." in text.strip(".") and is_host(text)


@lru_cache(maxsize=16_384)
def is_host(text: str) -> bool:
    """Whether this is a host name, be it of a single label, and no address literal."""
    if len(text) > _MAX_NAME or not _HOST.fullmatch(text) or not text.strip("."):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


def read_dns(data: bytes) -> Answer | None:
    """The first question of a DNS message and, in a response, the addresses its alias chain ends in."""
    # But for its id a device sends the same question again and again, and gets the same answer.
    return _read_again(data[2:]) if len(data) <= _SMALL_MESSAGE else _read_message(data)


@lru_cache(maxsize=2_048)
def _read_again(rest: bytes) -> Answer | None:
    return _read_message(b"\0\0" + rest)


def _read_message(data: bytes) -> Answer | None:
    if len(data) < 12:
        return None
    _, flags, questions, *counts = struct.unpack_from(">HHHHHH", data)
    if questions == 0:
        return None
    asked = dns_name(data, 12)
    if asked is None:
        return None
    question, offset = asked
    response, others = bool(flags & 0x8000), dict[str, None]()
    offset += 4
    for _ in range(min(questions - 1, _MAX_RECORDS)):
        further = dns_name(data, offset)
        if further is None:
            return Answer(question, response)
        others[further[0]] = None
        offset = further[1] + 4
    records = list(read_records(data, offset, sum(counts)))
    if flags & 0x7800:                             # no standard query: nothing in it leads anywhere
        return Answer("", response, others=_others(data, records, {question: None, **others}, ""))
    names, addresses = _follow(data, records[:counts[0]], question) if response else ((), ())
    return Answer(question, response, names, addresses, _others(data, records, others, question))


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record: its owner, its type, and where in the message its data lies."""

    owner: str
    kind: int
    start: int
    end: int


def read_records(data: bytes, offset: int, count: int) -> Iterator[Record]:
    """The records from `offset` on (RFC 1035 section 4.1.3), at most 256; the first that makes no sense ends them."""
    for _ in range(min(count, _MAX_RECORDS)):
        owner = dns_name(data, offset)
        if owner is None or owner[1] + 10 > len(data):
            return
        kind, _, _, size = struct.unpack_from(">HHIH", data, owner[1])
        start = owner[1] + 10
        offset = start + size
        if offset > len(data):
            return
        yield Record(owner[0], kind, start, offset)


def record_target(data: bytes, record: Record) -> str:
    """The host that a record's data names, where it is of a type that does; else an empty string."""
    at = _TARGET_AT.get(record.kind)
    target = None if at is None else dns_name(data, record.start + at)
    return target[0] if target is not None and target[1] <= record.end else ""


def _others(data: bytes, records: list[Record], further: dict[str, None], question: str) -> tuple[str, ...]:
    for record in records:
        further[record.owner] = None
        if target := record_target(data, record):
            further[target] = None
    return tuple(name for name in further if name and name != question)


def _follow(data: bytes, records: list[Record], question: str) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """Walk the answer section; only records whose owner the chain has reached count, so nothing can be slipped in."""
    names, addresses = [question], list[bytes]()
    for record in records:
        if record.owner not in names:
            continue
        if record.kind == _CNAME:
            alias = record_target(data, record)
            if alias and alias not in names:
                names.append(alias)
        elif (record.kind, record.end - record.start) in {(_A, 4), (_AAAA, 16)}:
            addresses.append(data[record.start:record.end])
    return tuple(names), tuple(addresses)


def dns_name(data: bytes, offset: int) -> tuple[str, int] | None:
    """A possibly compressed name in lower case and the offset after it; pointers may only lead backwards."""
    labels: list[str] = []
    end, limit = 0, offset
    while len(labels) < _MAX_LABELS and offset < len(data):
        size = data[offset]
        if size == 0:
            name = ".".join(labels)
            return (name, end or offset + 1) if len(name) <= _MAX_NAME else None
        if size & 0xC0 == 0xC0:
            if offset + 1 >= len(data):
                return None
            target = struct.unpack_from(">H", data, offset)[0] & 0x3FFF
            end = end or offset + 2
            if target >= limit:
                return None
            offset = limit = target
        elif size & 0xC0:
            return None
        else:
            label = data[offset + 1:offset + 1 + size]
            if len(label) < size:
                return None
            labels.append(label.decode("ascii", "replace").lower())
            offset += 1 + size
    return None


def http_host(data: bytes) -> str | None:
    """The host name of an HTTP/1 request that starts in this segment; an address literal is no name.

    Where the Host field names none, the request's own target may: its authority in CONNECT, or an absolute URI as sent
    to a proxy (RFC 9112 section 3.2). Lines may end in a line feed alone (section 2.2).
    """
    if not data.startswith(METHODS):
        return None
    first, *lines = data[:MAX_HTTP_HEAD].split(b"\n")
    for line in lines[:-1]:                        # what no line feed ends may go on
        if line in {b"", b"\r"}:
            break
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"host" and (name := _host_of(value.strip())):
            return name
    return _target_host(first.rstrip(b"\r")) if lines else None


def next_request(data: bytes) -> bytes:
    """What follows the first request of these octets, where that is a whole one and another request begins there.

    Requests may be sent before the answer to the one before (RFC 9112 section 9.3.2); one with a body tells its length.
    """
    end = data.find(b"\r\n\r\n", 0, MAX_HTTP_HEAD)
    if end < 0 or end + 4 >= len(data):
        return b""
    size = 0
    for line in data[:end].split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-length":
            size = int(value) if value.strip().isdigit() and len(value) < 10 else len(data)
    rest = data[end + 4 + size:]
    return rest if rest.startswith(METHODS) else b""


def _target_host(line: bytes) -> str | None:
    method, _, rest = line.partition(b" ")
    target = rest.split(b" ", 1)[0]
    if method == b"CONNECT":
        return _host_of(target)
    scheme, found, after = target.partition(b"://")
    if not found or scheme.lower() not in {b"http", b"https", b"ws", b"wss"}:
        return None
    return _host_of(re.split(rb"[/?#]", after, maxsplit=1)[0].rsplit(b"@", 1)[-1])


def _host_of(authority: bytes) -> str | None:
    host = authority.decode("ascii", "replace").lower()
    name = (host.rsplit(":", 1)[0] if host.count(":") == 1 else host).rstrip(".")
    return name if is_host(name) else None


def stun_realm(data: bytes) -> str | None:
    """The realm a STUN or TURN server names in an answer, where it is a host name (RFC 8489 section 14.9)."""
    end = min(len(data), 20 + int.from_bytes(data[2:4], "big"))
    at = 20
    while at + 4 <= end:
        kind, size = struct.unpack_from(">HH", data, at)
        if kind == 0x0014:
            realm = data[at + 4:min(at + 4 + size, end)].decode("ascii", "replace").lower().rstrip(".")
            return realm if is_name(realm) else None
        at += 4 + (size + 3) // 4 * 4
    return None
