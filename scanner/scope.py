"""Who may be touched: the authorised addresses of one sweep, on whose word, and until when.

A `Scope` is the only thing that turns text from a person into addresses that packets may go to. It is closed by
default: public space, loopback and wide ranges need a written reason, multicast and broadcast are never a device.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from scanner import clock

__all__ = ["MOST_ADDRESSES", "MOST_ADDRESSES_AUTHORISED", "AddressRange", "Scope", "ScopeError", "ScopeFile",
           "read_scope_file"]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str], Sequence[str]]

MOST_ADDRESSES = 4096                # a /20: beyond it a typing error is likelier than a site
MOST_ADDRESSES_AUTHORISED = 65_536   # a /16: beyond it the sweep is to be split, whoever authorised it
_MOST_TARGETS = 10_000

# RFC 1918, RFC 3927, RFC 4193 and RFC 4291 section 2.5.6. Shared space (100.64.0.0/10) belongs to a carrier: not ours.
_PRIVATE = tuple(ipaddress.ip_network(text) for text in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"))
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# No device can be meant by these, so no authorisation opens them.
_NEVER = tuple((ipaddress.ip_network(text), why) for text, why in (
    ("0.0.0.0/8", "unspecified"), ("224.0.0.0/4", "multicast"), ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"), ("::/128", "unspecified"), ("ff00::/8", "multicast")))
_NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?\Z")


class ScopeError(ValueError):
    """A scope that must not be swept: what is wrong with it, in one line."""


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """Consecutive addresses of one IP version, both ends included, as integers."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return self.last - self.first + 1

    def holds(self, address: IPAddress) -> bool:
        """Whether `address` lies in it."""
        return address.version == self.version and self.first <= int(address) <= self.last

    def meets(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
        """Whether it shares an address with `network`."""
        return (network.version == self.version and self.first <= int(network.broadcast_address)
                and self.last >= int(network.network_address))

    def lies_in(self, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
        """Whether all of it lies in `network`."""
        return (network.version == self.version and int(network.network_address) <= self.first
                and self.last <= int(network.broadcast_address))

    def __iter__(self) -> Iterator[IPAddress]:
        make = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return (make(number) for number in range(self.first, self.last + 1))

    def __str__(self) -> str:
        make = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address
        return str(make(self.first)) if self.size == 1 else f"{make(self.first)}-{make(self.last)}"


class ScopeFile(BaseModel):
    """A signed-off scope as a YAML file: who allowed what, on which ticket, in which window (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: list[str]
    exclude: list[str] = []
    owner: str
    ticket: str = ""
    contact: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    authorised: str = ""


def read_scope_file(path: Path) -> ScopeFile:
    """Read a scope file (YAML 1.2). Raises `ScopeError` with the path and the first field that does not fit."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return ScopeFile.model_validate(YAML(typ="safe", pure=True).load(path.read_bytes()))
    except OSError as error:
        raise ScopeError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, YAMLError) as error:
        raise ScopeError(f"{path}: {str(error).splitlines()[0]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise ScopeError(f"{path}: expected a scope in YAML, with targets") from error
        raise ScopeError(f"{path}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from error


def _resolve(name: str) -> Sequence[str]:
    """Every address a name stands for now, IPv4 first."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found}, key=lambda text: (":" in text, text))


@dataclass(frozen=True, slots=True)
class Scope:
    """The addresses of one sweep and the authority behind it. Build it with `Scope.of` or `Scope.from_file`.

    Attributes:
        ranges: what may be touched, merged and sorted; network and broadcast addresses of a CIDR are left out.
        excluded: what must not be touched although it lies in `ranges`.
        pinned: ``(name, address)`` for every DNS name, resolved once and never again.
        owner, ticket, contact: who answers for it.
        not_before, not_after: the window, UTC; outside it nothing is sent.
        authorised: the written reason that opens public, loopback or wide ranges.
    """

    ranges: tuple[AddressRange, ...]
    excluded: tuple[AddressRange, ...] = ()
    pinned: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    ticket: str = ""
    contact: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    authorised: str = ""

    @classmethod
    def of(cls, targets: Iterable[str], *, exclude: Iterable[str] = (), owner: str = "", ticket: str = "",
           contact: str = "", not_before: datetime | None = None, not_after: datetime | None = None,
           authorised: str = "", lab: bool = False, resolve: Resolver = _resolve) -> Self:
        """A checked scope from what a person wrote.

        Args:
            targets: CIDRs, ranges (``10.0.0.1-10.0.0.9`` or ``10.0.0.1-9``), addresses, DNS names, ``@file`` with
                one of these a line (``#`` starts a comment).
            exclude: the same forms; never touched.
            owner: who owns the devices.
            ticket: under which order the sweep runs.
            contact: whom to call.
            not_before: start of the window; a time without zone is UTC.
            not_after: end of the window.
            authorised: the reason that opens public, loopback or wide ranges.
            lab: a port map is in use, so loopback addresses are a lab's.
            resolve: what turns a name into addresses.

        Raises:
            ScopeError: with one line, if any part must not be swept.
        """
        pinned: list[tuple[str, str]] = []
        ranges = _merged(found for text in _expanded(targets) for found in _ranges_of(text, resolve, pinned))
        excluded = _merged(found for text in _expanded(exclude) for found in _ranges_of(text, resolve, []))
        if not ranges:
            raise ScopeError("nothing to sweep: no target was given")
        reason = authorised.strip()
        _check_width(ranges, reason)
        for part in ranges:
            _check_range(part, reason, lab=lab)
        scope = cls(ranges, excluded, tuple(pinned), owner.strip(), ticket.strip(), contact.strip(),
                    _utc(not_before), _utc(not_after), reason)
        if scope.not_before and scope.not_after and scope.not_before >= scope.not_after:
            raise ScopeError("the time window ends before it begins")
        if next(scope.addresses(), None) is None:
            raise ScopeError("nothing to sweep: every target is excluded")
        return scope

    @classmethod
    def from_file(cls, path: Path, *, lab: bool = False, resolve: Resolver = _resolve) -> Self:
        """A checked scope from a YAML file. Raises `ScopeError`."""
        doc = read_scope_file(path)
        return cls.of(doc.targets, exclude=doc.exclude, owner=doc.owner, ticket=doc.ticket, contact=doc.contact,
                      not_before=doc.not_before, not_after=doc.not_after, authorised=doc.authorised, lab=lab,
                      resolve=resolve)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what may be touched and on whose word: two equal scopes share it."""
        seed = json.dumps([
            [str(part) for part in self.ranges], [str(part) for part in self.excluded], self.owner, self.ticket,
            clock.stamp(self.not_before) if self.not_before else None,
            clock.stamp(self.not_after) if self.not_after else None, self.authorised])
        return hashlib.sha256(seed.encode()).hexdigest()

    @property
    def size(self) -> int:
        """How many addresses may be touched."""
        return sum(1 for _ in self.addresses())

    @property
    def unattributed(self) -> str:
        """What is not said of who authorised it, in a sentence; empty where all is, and for loopback alone."""
        if all(any(part.lies_in(network) for network in _LOOPBACK) for part in self.ranges):
            return ""
        told = (("nobody is named as owner", self.owner), ("no ticket is named", self.ticket))
        missing = [text for text, given in told if not given]
        return f"{' and '.join(missing)}: who authorised this sweep is not on record" if missing else ""

    def contains(self, address: str) -> bool:
        """Whether a packet may go to `address`; text that is no address is out of scope."""
        try:
            value = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(part.holds(value) for part in self.ranges) and not any(part.holds(value) for part in self.excluded)

    def addresses(self) -> Iterator[str]:
        """Every address that may be touched, in order, each once."""
        return (str(value) for part in self.ranges for value in part
                if not any(out.holds(value) for out in self.excluded))

    def meets(self, network: str) -> bool:
        """Whether some target lies in `network` (CIDR text): only then may a probe go out on that link."""
        value = ipaddress.ip_network(network, strict=False)
        return any(part.meets(value) for part in self.ranges)

    def open_at(self, moment: datetime) -> bool:
        """Whether the window is open at `moment`."""
        return ((self.not_before is None or moment >= self.not_before)
                and (self.not_after is None or moment < self.not_after))

    @staticmethod
    def private(address: str) -> bool:
        """Whether `address` is private, link-local or loopback: UDP reflectors are asked nowhere else."""
        value = ipaddress.ip_address(address)
        return any(value.version == net.version and value in net for net in (*_PRIVATE, *_LOOPBACK))


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _expanded(targets: Iterable[str]) -> Iterator[str]:
    """Targets with every ``@file`` replaced by its lines. A file may not name another file."""
    count = 0
    for text in targets:
        lines = _lines(Path(text[1:])) if text.startswith("@") else [text]
        for line in lines:
            entry = line.split("#", 1)[0].strip()
            if not entry:
                continue
            count += 1
            if count > _MOST_TARGETS:
                raise ScopeError(f"more than {_MOST_TARGETS} targets")
            yield entry


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ScopeError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScopeError(f"{path}: expected UTF-8 text, a target a line") from error
    for number, line in enumerate(lines, 1):
        if line.strip().startswith("@"):
            raise ScopeError(f"{path}:{number}: a target file cannot name another file")
    return lines


def _ranges_of(text: str, resolve: Resolver, pinned: list[tuple[str, str]]) -> list[AddressRange]:
    """The address ranges one target stands for; names are looked up and noted in `pinned`."""
    if "%" in text:
        raise ScopeError(f"{text}: addresses with a zone are not supported")
    numeric = ":" in text or not any(char.isalpha() for char in text)
    try:
        if "/" in text:
            return [_network(text)]
        if numeric:
            return [_span(text) if "-" in text else _single(ipaddress.ip_address(text))]
    except ScopeError:
        raise
    except ValueError as error:
        raise ScopeError(f"{text}: not an address, range or network") from error
    return _named(text, resolve, pinned)


def _named(text: str, resolve: Resolver, pinned: list[tuple[str, str]]) -> list[AddressRange]:
    if not _NAME.match(text):
        raise ScopeError(f"{text}: not an address, range, network or host name")
    try:
        found = [ipaddress.ip_address(address.split("%", 1)[0]) for address in resolve(text)]
    except (OSError, UnicodeError) as error:
        raise ScopeError(f"{text}: the name does not resolve") from error
    if not found:
        raise ScopeError(f"{text}: the name does not resolve")
    pinned.extend((text, str(address)) for address in found)
    return [_single(address) for address in found]


def _single(address: IPAddress) -> AddressRange:
    return AddressRange(address.version, int(address), int(address))


def _network(text: str) -> AddressRange:
    """The host addresses of a CIDR: its network and broadcast addresses are no devices."""
    network = ipaddress.ip_network(text, strict=False)
    first, last = int(network.network_address), int(network.broadcast_address)
    if network.version == 4 and network.prefixlen < 31:
        first, last = first + 1, last - 1
    return AddressRange(network.version, first, last)


def _span(text: str) -> AddressRange:
    """``10.0.0.1-10.0.0.9`` or ``10.0.0.1-9``."""
    left, _, right = text.partition("-")
    first = ipaddress.ip_address(left.strip())
    right = right.strip()
    last = ipaddress.ip_address(right if "." in right or ":" in right else f"{str(first).rpartition('.')[0]}.{right}")
    if first.version != last.version or int(first) > int(last):
        raise ScopeError(f"{text}: the range ends before it begins")
    return AddressRange(first.version, int(first), int(last))


def _merged(parts: Iterable[AddressRange]) -> tuple[AddressRange, ...]:
    """Sorted, with overlapping and touching ranges joined, so that equal scopes look equal."""
    merged: list[AddressRange] = []
    for part in sorted(parts):
        last = merged[-1] if merged else None
        if last and last.version == part.version and part.first <= last.last + 1:
            merged[-1] = AddressRange(last.version, last.first, max(last.last, part.last))
        else:
            merged.append(part)
    return tuple(merged)


def _check_width(ranges: Sequence[AddressRange], authorised: str) -> None:
    total = sum(part.size for part in ranges)
    if total > MOST_ADDRESSES_AUTHORISED:
        raise ScopeError(f"{total} addresses: more than a /16 is never swept at once; split the scope")
    if total > MOST_ADDRESSES and not authorised:
        raise ScopeError(f"{total} addresses: more than a /20 needs an authorisation with a reason")


def _check_range(part: AddressRange, authorised: str, *, lab: bool) -> None:
    for network, why in _NEVER:
        if part.meets(network):
            raise ScopeError(f"{part}: {why} addresses are never a target")
    if any(part.meets(network) for network in _LOOPBACK):
        if not (lab or authorised):
            raise ScopeError(f"{part}: loopback is swept only with a lab's port map or an authorisation with a reason")
        return
    if not any(part.lies_in(network) for network in _PRIVATE) and not authorised:
        raise ScopeError(f"{part}: public addresses need an authorisation with a reason")
