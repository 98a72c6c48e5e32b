"""A capture in the terms of `camvet egress`: per device where it talks to, whose that is, and what is wrong with it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.context import Context, UsageError
from camvet.shapes import finding_json

if TYPE_CHECKING:
    from maxminddb import Reader

    from rules.destinations import Clouds, Destination
    from rules.vocabulary import Finding
    from scanner.egress import Capture, Conversation
    from scanner.observation import Observation

__all__ = ["Geography", "Told", "document", "known_devices", "tell"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_MAX_TABLE = 8 * 1024 * 1024


class Geography:
    """Countries and owners of addresses out of databases that the user brings; empty where there are none."""

    def __init__(self, paths: Sequence[Path]) -> None:
        import maxminddb

        self._readers: list[Reader] = []
        for path in paths:
            try:
                self._readers.append(maxminddb.open_database(str(path)))
            except (OSError, maxminddb.InvalidDatabaseError) as error:
                raise UsageError(f"--geoip {path}: {error}") from error

    def of(self, address: str) -> tuple[str | None, str | None]:
        """ISO country code and network owner of an address, as far as the databases know."""
        country = owner = None
        for reader in self._readers:
            try:
                found = reader.get(address)
            except ValueError:                   # an IPv6 address in a database of IPv4
                continue
            if isinstance(found, dict):
                place = found.get("country") or found.get("registered_country")
                code = place.get("iso_code") if isinstance(place, dict) else found.get("country_code")
                country = country or (str(code) if code else None)
                owner = owner or next((str(found[key]) for key in (
                    "autonomous_system_organization", "organization", "as_name") if found.get(key)), None)
        return country, owner


@dataclass(frozen=True, slots=True)
class Told:
    """One device of a capture: its conversations with whose they are, and the findings of the egress checks."""

    key: str
    mac: str
    addresses: tuple[str, ...]
    conversations: tuple[tuple[Conversation, Destination | None, tuple[str | None, str | None]], ...]
    findings: tuple[Finding, ...]


def known_devices(context: Context, source: str) -> dict[str, str]:
    """MAC or address to device key, from the inventory (``inventory``) or a neighbour table. Raises `UsageError`."""
    if source == "inventory":
        known: dict[str, str] = {}
        for row in context.inventory().devices(context.settings.site):
            known[row.key.partition("#")[0]] = row.key
            known |= {value.upper().replace("-", ":"): row.key for kind, value in row.aliases if kind == "mac"}
        return known
    path = Path(source)
    try:
        if path.stat().st_size > _MAX_TABLE:
            raise UsageError(f"--devices {source}: larger than {_MAX_TABLE} octets")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"--devices {source}: {error.strerror}") from error
    found: dict[str, str] = {}
    for line in lines:
        mac = _MAC.search(line)
        address = next((word for word in re.split(r"[\s,;()]+", line) if _is_address(word)), None)
        if mac:
            number = mac.group().upper().replace("-", ":")
            found[number] = address or number
            if address:
                found[address] = address
    if not found:
        raise UsageError(f"--devices {source}: no MAC address in it")
    return found


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def tell(capture: Capture, now: datetime, *, known: Mapping[str, str] | None = None,
         geography: Geography | None = None) -> list[Told]:
    """Every device of a capture that talked, or those of `known` alone, with findings of the egress checks."""
    from rules import destinations, makers

    clouds = destinations.with_makers(destinations.load(), makers.load())
    by_device: dict[str, list[Conversation]] = {}
    for conversation in capture.conversations:
        if known is not None and conversation.mac not in known and conversation.source not in known:
            continue
        if destinations.is_outside(conversation.source) and known is None:
            continue                             # somebody outside who knocks is no device of the site
        by_device.setdefault(conversation.device, []).append(conversation)
    return [_told(capture, key, talks, clouds, geography, now) for key, talks in sorted(by_device.items())]


def _told(capture: Capture, key: str, talks: list[Conversation], clouds: Clouds, geography: Geography | None,
          now: datetime) -> Told:
    from rules.destinations import is_outside
    from scanner import egress

    seen = egress.observations(capture, {key: key}, now)
    by_target = {(o.text("destination"), o.text("protocol"), o.port or 0): clouds.of(o) for o in seen}
    rows = []
    for talk in talks:
        known = by_target.get((talk.destination, talk.protocol, talk.port))
        place = geography.of(talk.destination) if geography and is_outside(talk.destination) else (None, None)
        rows.append((talk, known, place))
    rows.sort(key=lambda row: (not is_outside(row[0].destination), -row[0].bytes))
    return Told(key, talks[0].mac, capture.addresses.get(key, (talks[0].source,)), tuple(rows),
                tuple(_findings(capture, key, seen, clouds, now)))


def _findings(capture: Capture, key: str, seen: list[Observation], clouds: Clouds, now: datetime) -> list[Finding]:
    from rules import checks, makers
    from rules.identity import identify
    from scanner import egress

    asked = [check for check in checks.load() if check.id.startswith("egress.")]
    return checks.assess(key, identify(key, seen, makers.load()), seen, egress.attempts(capture, {key: key}, now),
                         asked,
                         clouds)


def document(told: Sequence[Told], capture: Capture) -> dict[str, Any]:
    """The JSON of `camvet egress`."""
    return {
        "devices": [_device(one, capture) for one in told],
        "capture": {
            "packets": capture.packets, "undecoded": sum(capture.undecoded.values()), "dropped": capture.dropped,
            "undecoded_by": dict(capture.undecoded), "dropped_by": dict(capture.drops), "lost": capture.lost,
            "arp": capture.arp, "seconds": round(capture.seconds, 3), "trouble": capture.trouble,
            "routers": list(capture.routers)},
    }


def _device(one: Told, capture: Capture) -> dict[str, Any]:
    from scanner.egress import Names

    names = capture.names.get(one.key, Names({}, {}, {}, {}))
    return {
        "mac": one.mac or None, "ips": list(one.addresses),
        "conversations": [{
            "dst": talk.destination, "proto": talk.protocol, "port": talk.port, "packets": talk.packets,
            "bytes": talk.bytes, "packets_out": talk.packets_out, "bytes_out": talk.bytes_out,
            "names": list(talk.names), "country": country, "owner": (known.owner if known else None) or owner,
            "purpose": known.purpose if known else None, "maker": known.maker if known else None,
            "signs": list(talk.signs), "tunnel": talk.tunnel,
        } for talk, known, (country, owner) in one.conversations],
        "names": {"dns": sorted(names.dns), "sni": sorted(names.sni), "http": sorted(names.http),
                  "ntp": sorted(names.ntp), "stun": sorted(names.stun)},
        "told": list(names.told),
        "findings": [finding_json(finding) for finding in one.findings],
    }
