"""Whose service a destination is: names and addresses matched against the known clouds of camera makers.

A suffix matches whole labels from the right, so ``hik-connect.com.evil.example`` and ``evilhik-connect.com`` are
nobody's. A shared cloud (a rendezvous service, a hosting platform) says what a destination is for and never whose
device it is. Where several entries fit, the longest wins.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache

from pydantic import Field, model_validator

from rules.documents import Document, read_all
from rules.makers import Makers
from scanner.observation import FieldValue, Observation

__all__ = [
    "Cloud", "Clouds", "Destination", "Endpoints", "Purpose", "collections", "is_outside", "label", "load",
    "with_makers",
]

_REMEMBERED = 16_384
"""Addresses and names whose answer is kept: the same ones come up with every check of every device."""


class Purpose(StrEnum):
    """What a destination is for."""

    P2P = "p2p"                  # rendezvous through which a stranger can reach the device
    RELAY = "relay"              # carries video on the device's behalf
    CLOUD = "cloud"              # the maker's service, its use not known more closely
    API = "api"
    VENDOR = "vendor"            # the maker's own domain
    FIRMWARE = "firmware"
    TELEMETRY = "telemetry"
    STORAGE = "storage"
    PUSH = "push"
    DDNS = "ddns"
    NTP = "ntp"
    DNS = "dns"
    LOCAL = "local"              # spoken on the local network only


class Cloud(Document):
    """One known destination: exactly one of a `suffix`, a `host`, an `address` or a `behaviour`.

    In a suffix a label ``*`` stands for any one label. ``ports`` read ``8800/udp`` or ``4700-5000/udp`` and inform;
    only for a `telling` behaviour do they decide, together with the wire `forms` (signs of a conversation) that must
    be seen there: a port alone is anybody's. ``maker`` is absent where many makers' devices go there.
    """

    suffix: str | None = Field(default=None, pattern=r"^[a-z0-9*-]+(\.[a-z0-9*-]+)+$")
    host: str | None = Field(default=None, pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$")
    address: str | None = None
    behaviour: str | None = None
    telling: bool = False
    maker: str | None = None
    brand: str | None = None
    owner: str
    purpose: Purpose
    ports: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    jurisdiction: str = ""
    source: str
    unverified: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _one_target(self) -> Cloud:
        if sum(t is not None for t in (self.suffix, self.host, self.address, self.behaviour)) != 1:
            raise ValueError("name exactly one of suffix, host, address and behaviour")
        if self.behaviour is not None and self.maker is not None:
            raise ValueError("a behaviour never names a maker")
        if self.telling and (self.behaviour is None or not self.ports or not self.forms):
            raise ValueError("only a behaviour with ports and forms can be telling")
        return self


class Endpoints(Document):
    """One file of ``rules/data/endpoints``: clouds, and the day their facts were collected."""

    collection: str
    dated: date
    entries: tuple[Cloud, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """What is known of a destination: whose it is, what for, by which entry, and how well that is known.

    ``maker`` is empty for a shared cloud; ``matched`` is the suffix, host, address or behaviour that fitted;
    ``described`` is what the data say of it in words.
    """

    maker: str | None
    brand: str | None
    owner: str
    purpose: str
    matched: str
    jurisdiction: str
    source: str
    unverified: bool
    described: str = ""


class Clouds:
    """Known destinations, indexed by their last label; built once, never changed."""

    def __init__(self, entries: Iterable[Cloud]) -> None:
        self.entries: tuple[Cloud, ...] = tuple(entries)
        self._hosts = {e.host: e for e in self.entries if e.host is not None}
        self._addresses = {str(ipaddress.ip_address(e.address)): e for e in self.entries if e.address is not None}
        self._telling = {port: e for e in self.entries if e.telling for port in e.ports}
        self._suffixes: dict[str, list[tuple[list[str], Cloud]]] = {}
        for entry in self.entries:
            if entry.suffix is not None:
                labels = entry.suffix.split(".")
                self._suffixes.setdefault(labels[-1], []).append((labels, entry))
        for fitting in self._suffixes.values():
            fitting.sort(key=lambda pair: -len(pair[0]))
        self._remembered = lru_cache(_REMEMBERED)(self._by_name)
        self._known = lru_cache(_REMEMBERED, typed=True)(self._of)

    def by_name(self, name: str) -> Destination | None:
        """The cloud a host name belongs to, or None. The name may be of any case and end in a dot."""
        return self._remembered(name)

    def _by_name(self, name: str) -> Destination | None:
        name = name.lower().removesuffix(".")
        labels = name.split(".")
        entry = self._hosts.get(name)
        if entry is None:
            entry = next((e for suffix, e in self._suffixes.get(labels[-1], ()) if _ends_with(labels, suffix)), None)
        return None if entry is None else _destination(entry)

    def by_address(self, address: str) -> Destination | None:
        """The cloud known to answer at exactly this address, or None."""
        entry = self._addresses.get(address)
        return None if entry is None else _destination(entry)

    def by_form(self, protocol: str, port: int | None, signs: Iterable[str]) -> Destination | None:
        """The behaviour that this port and what was seen there give away, or None; it never names a maker."""
        entry = self._telling.get(f"{port}/{protocol}")
        return None if entry is None or not set(entry.forms).intersection(signs) else _destination(entry)

    def port_of(self, observation: Observation) -> str:
        """Whose port an outside conversation without a name uses, where no octets of it were seen; else empty.

        A firewall, flow records and a capture of headers alone show no more than that; it is a hint.
        """
        entry = self._telling.get(f"{observation.port}/{observation.text('protocol')}")
        shown = (*observation.values("signs"), *observation.values("unlike"))
        if entry is None or observation.fields.get("inbound") or set(entry.forms).intersection(shown):
            return ""
        return entry.owner if self.of(observation) is None else ""

    def of(self, observation: Observation) -> Destination | None:
        """What is known of the destination of one ``egress`` observation.

        Every name is looked at, not only the first: an entry that names a maker wins over a shared one, so that a
        harmless name beside a telling one hides nothing.
        """
        read = observation.fields.get
        return self.at(str(read("destination", "")), read("names", ()), read("protocol", ""), observation.port,
                       read("signs", ()), inbound=bool(read("inbound")))

    def at(self, address: str, names: FieldValue, protocol: FieldValue, port: int | None,
           signs: FieldValue, *, inbound: bool = False) -> Destination | None:
        """The same of a conversation by its parts; `inbound`: the port is the device's, and who came has no name."""
        return self.by_address(address) if inbound else self._known(names, address, protocol, port, signs)

    def _of(self, named: FieldValue, address: FieldValue, protocol: FieldValue, port: int | None,
            signs: FieldValue) -> Destination | None:
        names = named if isinstance(named, tuple) else (str(named),)
        known = [d for d in (*map(self.by_name, names), self.by_address(str(address))) if d is not None]
        if known:
            return min(known, key=lambda d: (d.maker is None, d.purpose != Purpose.P2P))
        return self.by_form(str(protocol), port, signs if isinstance(signs, tuple) else (str(signs),))


def _ends_with(labels: Sequence[str], suffix: Sequence[str]) -> bool:
    if len(labels) < len(suffix) or "" in labels:
        return False
    return all(want in {"*", have} for have, want in zip(labels[-len(suffix):], suffix, strict=True))


def _destination(entry: Cloud) -> Destination:
    matched = entry.suffix or entry.host or entry.address or entry.behaviour or ""
    return Destination(entry.maker, entry.brand, entry.owner, str(entry.purpose), matched, entry.jurisdiction,
                       entry.source, entry.unverified, entry.note)


_INSIDE = [(network.version, int(network.network_address), int(network.broadcast_address))
           for network in map(ipaddress.ip_network, (
               "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",              # RFC 6890
               "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"))]


@lru_cache(maxsize=_REMEMBERED)
def is_outside(address: str) -> bool:
    """Whether an address lies beyond the local network; text that is no address counts as outside."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True
    number, version = int(parsed), parsed.version
    return not any(version == form and first <= number <= last for form, first, last in _INSIDE)


_LABELS = frozenset({"purpose", "cloud_of", "port_of"})


def label(observations: Iterable[Observation], clouds: Clouds) -> list[Observation]:
    """The same observations, the ``egress`` ones with ``purpose``, ``cloud_of``, ``port_of`` filled in where known.

    The digest, and with it the id, stays that of what was seen: a label is a reading, not a sighting.
    """
    return [_labelled(o, clouds) if o.transport == "egress" else o for o in observations]


def _labelled(observation: Observation, clouds: Clouds) -> Observation:
    known = clouds.of(observation)
    port_of = clouds.port_of(observation) if known is None else ""
    if known is None and not port_of and observation.fields.keys().isdisjoint(_LABELS):
        return observation
    fields: dict[str, FieldValue] = {k: v for k, v in observation.fields.items() if k not in _LABELS}
    if known is not None:
        fields["purpose"] = known.purpose
        if known.maker is not None:
            fields["cloud_of"] = known.maker
    if port_of:
        fields["port_of"] = port_of
    return Observation(observation.device, observation.transport, observation.probe, observation.port, observation.at,
                       fields, observation.digest, observation.raw)


def with_makers(clouds: Clouds, makers: Makers) -> Clouds:
    """These clouds, and what the makers' own files list beyond them.

    For a target in both, the entry here wins: it may know that the target is shared, and its purpose is a word of
    `Purpose`. A maker's file may describe a purpose in other words; then it counts as a cloud of unknown use.
    """
    taken = {(e.suffix, e.host, e.address) for e in clouds.entries}
    return Clouds([*clouds.entries, *(e for e in _of_makers(makers) if (e.suffix, e.host, e.address) not in taken)])


def _of_makers(makers: Makers) -> Iterator[Cloud]:
    words = set(Purpose)
    for maker in makers:
        for cloud in maker.clouds:
            purpose = Purpose(cloud.purpose) if cloud.purpose in words else Purpose.CLOUD
            yield Cloud(suffix=cloud.suffix, host=cloud.host, address=cloud.address, maker=maker.maker,
                        owner=maker.name, purpose=purpose, ports=cloud.ports, jurisdiction=cloud.jurisdiction,
                        source=cloud.source, unverified=cloud.unverified,
                        note="" if cloud.purpose in words else cloud.purpose)


@cache
def collections() -> tuple[Endpoints, ...]:
    """Every file under ``rules/data/endpoints``. Raises `rules.documents.DataError`."""
    return tuple(file for _, file in read_all("endpoints", Endpoints))


@cache
def load() -> Clouds:
    """Every cloud of `collections`; `with_makers` adds those of the makers' files."""
    return Clouds(entry for file in collections() for entry in file.entries)
