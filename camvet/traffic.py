"""Traffic in the terms of `camvet egress`: per device where it talks to, whose that is, and what is wrong with it.

Packets, flow records and logs are told of alike; what a kind of source can never show is not assessed from it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camvet.context import Context, UsageError
from camvet.geography import Geography
from camvet.indented import Each, Rows
from camvet.shapes import finding_json
from scanner import clock

if TYPE_CHECKING:
    from camvet.baselines import Known
    from camvet.placing import Placed
    from rules.destinations import Clouds, Destination
    from rules.vocabulary import Finding
    from scanner.egress import Capture, Conversation, Source
    from scanner.imports.flow_logs.forms import Shows
    from scanner.observation import Observation

__all__ = ["Geography", "Told", "document", "known_devices", "tell"]

_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
_SECOND = 1_000_000_000
_MAX_TABLE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Told:
    """One device of a capture: its conversations with whose they are, and the findings of the egress checks."""

    key: str
    mac: str
    addresses: tuple[str, ...]
    conversations: tuple[tuple[Conversation, Destination | None, tuple[str | None, str | None]], ...]
    findings: tuple[Finding, ...]
    asked: tuple[tuple[str, int, Destination], ...] = ()
    """Names of known clouds it asked for, how often, and whose they are, where no call under that name was seen."""


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
         geography: Geography | None = None, baselines: Known | None = None,
         placed: Placed | None = None) -> list[Told]:
    """Every device of a capture that talked, or those of `known` alone, with findings of the egress checks.

    With `baselines`, what is new since the approved one is a finding too. `placed` is for whoever placed them already.
    """
    from camvet.placing import place
    from scanner.collection import no_collection

    with no_collection():
        return _tell(capture, now, known, geography, baselines, placed or place(capture, known))


def _tell(capture: Capture, now: datetime, known: Mapping[str, str] | None, geography: Geography | None,
          baselines: Known | None, placed: Placed) -> list[Told]:
    from rules import destinations, makers
    from scanner import egress

    clouds = destinations.with_makers(destinations.load(), makers.load())
    by_device: dict[str, list[Conversation]] = {}
    for key, names in capture.names.items():     # a resolver's log alone shows questions and no calls
        wanted = (not destinations.is_outside(key) or _MAC.fullmatch(key) if known is None
                  else any(one in known for one in (key, *capture.addresses.get(key, ()))))
        if names.dns and wanted:
            by_device[key] = []
    for key, own_talks in placed.by_device.items():
        by_device.setdefault(key, []).extend(own_talks)
    told = []
    own = _by_key(capture, by_device)
    own |= {key: talks for key, talks in by_device.items() if talks and key not in own}
    for key, talks in sorted(by_device.items()):
        seen = egress.observations_of(capture, own.pop(key, ()), key, now)
        one = _told(capture, key, talks, seen, clouds, geography, now)
        if baselines is not None:
            one = replace(one, findings=(*one.findings, _drift(capture, one, seen, clouds, baselines, now)))
        told.append(one)
    return told


def _by_key(capture: Capture, keys: Container[str]) -> dict[str, list[Conversation]]:
    """The conversations of each of these MACs and addresses, in the order of the capture."""
    found: dict[str, list[Conversation]] = {}
    for conversation in capture.conversations:
        for key in (conversation.mac, conversation.source):
            if key and key in keys:
                found.setdefault(key, []).append(conversation)
    return found


def _drift(capture: Capture, one: Told, observed: Sequence[Observation], clouds: Clouds, baselines: Known,
           now: datetime) -> Finding:
    """What is new since the baseline of the device that has this MAC, or one of these addresses."""
    from rules import baseline, destinations
    from scanner.imports.flow_logs.forms import Shows

    approved = next(filter(None, (baselines.find(address, one.mac) for address in one.addresses or ("",))), None)
    seen = destinations.label(observed, clouds) if approved is not None else ()
    shown = _shown(capture, one.key, [talk for talk, _, _ in one.conversations])
    volumes = capture.seconds if Shows.VOLUMES in shown else 0.0
    return baseline.judge(one.key, approved, baseline.Later(
        seen, volumes, whole=capture.complete, names_shown=Shows.NAMES in shown), now.date())


def _told(capture: Capture, key: str, talks: list[Conversation], seen: list[Observation], clouds: Clouds,
          geography: Geography | None, now: datetime) -> Told:
    from rules.destinations import is_outside

    rows = []
    for talk in talks:
        place = geography.of(talk.destination) if geography and is_outside(talk.destination) else _NOWHERE
        rows.append((talk, clouds.at(talk.destination, talk.names, talk.protocol, talk.port or None, talk.signs,
                                     inbound=talk.inbound), place))
    rows.sort(key=lambda row: (not is_outside(row[0].destination), -row[0].bytes))
    mac = talks[0].mac if talks else key if _MAC.fullmatch(key) else ""
    addresses = capture.addresses.get(key) or ((talks[0].source,) if talks else () if mac else (key,))
    findings = _judgeable(capture, key, talks, _findings(capture, key, seen, clouds, now))
    return Told(key, mac, addresses, tuple(rows), tuple(findings), _asked(capture, key, talks, clouds))


def _asked(capture: Capture, key: str, talks: Sequence[Conversation],
           clouds: Clouds) -> tuple[tuple[str, int, Destination], ...]:
    called = {name for talk in talks for name in talk.names}
    questions = capture.names[key].dns if key in capture.names else {}
    known = ((name, count, clouds.by_name(name)) for name, count in sorted(questions.items()) if name not in called)
    return tuple((name, count, cloud) for name, count, cloud in known if cloud is not None)


def _judgeable(capture: Capture, key: str, talks: Sequence[Conversation],
               findings: Sequence[Finding]) -> list[Finding]:
    """The findings; one that rests on what the sources of this device can never show becomes not assessed.

    A pass that nobody could have failed is none, and without names every destination looks nameless.
    """
    from rules.vocabulary import Status
    from scanner.imports.flow_logs.forms import Shows

    kinds = _kinds(talks)
    shown = _shown(capture, key, talks)
    judged = []
    for finding in findings:
        missing = [str(one) for one in Shows if one in _needs(finding.rule) - shown]
        open_to_doubt = finding.status is Status.PASS or (
            finding.status is Status.FAIL and finding.rule in _NAMELESS and Shows.NAMES not in shown)
        if missing and open_to_doubt:
            why = f"{', '.join(kinds)} cannot show {'; '.join(missing)}"
            judged.append(replace(finding, status=Status.NOT_ASSESSED, reason=why))
        else:
            judged.append(finding)
    return judged


def _kinds(talks: Sequence[Conversation]) -> list[str]:
    return sorted({kind for talk in talks for kind in talk.told_by or ("packets",)}) or ["resolver"]


def _shown(capture: Capture, key: str, talks: Sequence[Conversation]) -> frozenset[Shows]:
    """What the sources of a device can show."""
    from scanner.imports.flow_logs.forms import Shows, shown_by

    if talks and not any(talk.told_by for talk in talks):
        return frozenset(Shows)                  # packets, which show everything
    shown = frozenset(shown_by(_kinds(talks)))
    names = capture.names.get(key)
    if names is not None and (names.dns or names.sni or names.http):
        shown |= {Shows.NAMES}
    return shown


_NOWHERE = (None, None)
_NAMELESS = frozenset({"egress.unnamed_destination"})


def _needs(rule: str) -> frozenset[Shows]:
    """What a source must be able to show for a pass of a rule to mean anything; of an unknown rule, everything."""
    from scanner.imports.flow_logs.forms import Shows

    called = frozenset({Shows.CALLS})
    return {
        "egress.beacon": called, "egress.foreign_dns": called, "egress.p2p_port": called,
        "egress.reached_from_outside": called,
        "egress.upload": called | {Shows.VOLUMES}, "egress.lateral": called | {Shows.INSIDE},
        "egress.vendor_cloud": called | {Shows.NAMES}, "egress.vendor_p2p": called | {Shows.NAMES},
        "egress.other_makers_cloud": called | {Shows.NAMES}, "egress.unnamed_destination": called | {Shows.NAMES},
    }.get(rule, frozenset(Shows))


def _findings(capture: Capture, key: str, seen: list[Observation], clouds: Clouds, now: datetime) -> list[Finding]:
    from rules import checks, makers
    from rules.identity import identify
    from scanner import egress

    asked = [check for check in checks.load() if check.id.startswith("egress.")]
    return checks.assess(key, identify(key, seen, makers.load()), seen,
                         egress.attempts(capture, {key: key}, now, seen), asked, clouds)


def document(told: Sequence[Told], capture: Capture, placed: Placed) -> dict[str, Any]:
    """The JSON of `camvet egress`; devices and their conversations are made when they are written."""
    return {
        "devices": Each(lambda: (_device(one, capture) for one in told)),
        "capture": {
            "packets": capture.packets, "undecoded": sum(capture.undecoded.values()), "dropped": capture.dropped,
            "undecoded_by": dict(capture.undecoded), "dropped_by": dict(capture.drops), "lost": capture.lost,
            "unread": capture.unread, "unplaced": placed.document(), "arp": capture.arp,
            "seconds": round(capture.seconds, 3), "trouble": capture.trouble,
            "routers": list(capture.routers), "sources": [_source(one) for one in capture.sources]},
    }


def _source(one: Source) -> dict[str, Any]:
    return {"file": one.name, "form": one.form, "rows": one.rows, "unread": one.unread,
            "unread_by": dict(one.unread_by), "first_unread": list(one.first_unread),
            "cannot_show": list(one.cannot_show), "notes": list(one.notes)}


@lru_cache(maxsize=4_096)
def _stamp(second: int) -> str | None:
    """A time as ISO 8601, or None for one that no calendar holds."""
    try:
        return clock.stamp(datetime.fromtimestamp(second, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def _device(one: Told, capture: Capture) -> dict[str, Any]:
    from scanner.egress import Names

    names = capture.names.get(one.key, Names({}, {}, {}, {}))
    return {
        "mac": one.mac or None, "ips": list(one.addresses),
        "conversations": Rows(_COLUMNS, lambda: (_conversation(*row) for row in one.conversations
                                                 if not row[0].inbound)),
        "inbound": Rows(("src", *_COLUMNS[1:]), lambda: (_conversation(*row) for row in one.conversations
                                                         if row[0].inbound)),
        "names": {"dns": sorted(names.dns), "sni": sorted(names.sni), "http": sorted(names.http),
                  "ntp": sorted(names.ntp), "stun": sorted(names.stun)},
        "told": list(names.told),
        "asked": [{"name": name, "times": times, "owner": cloud.owner, "purpose": cloud.purpose, "maker": cloud.maker}
                  for name, times, cloud in one.asked],
        "findings": [finding_json(finding) for finding in one.findings],
    }


_COLUMNS = ("dst", "proto", "port", "packets", "bytes", "first", "last", "packets_out", "bytes_out", "names", "country",
            "owner", "purpose", "maker", "signs", "tunnel", "denied", "estimated", "likely", "told_by")


def _conversation(talk: Conversation, known: Destination | None,
                  place: tuple[str | None, str | None]) -> tuple[object, ...]:
    """The values of `_COLUMNS`."""
    country, owner = place
    purpose = maker = None
    if known is not None:
        owner, purpose, maker = known.owner or owner, known.purpose, known.maker
    return (
        talk.destination, talk.protocol, talk.port, talk.packets, talk.bytes, _stamp(talk.first_ns // _SECOND),
        _stamp(talk.last_ns // _SECOND), talk.packets_out, talk.bytes_out, talk.names, country, owner, purpose, maker,
        talk.signs, talk.tunnel, talk.denied, talk.estimated, talk.likely, talk.told_by,
    )
