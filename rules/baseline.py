"""What is new in where a device talks to, measured against a baseline that somebody approved.

A baseline is what was seen while somebody watched, with who approved it and until when. Later traffic is held against
it: a destination, name, port, protocol or wire form that was not in it, or much more traffic than it had, is a finding
with the observations that show it. What is no longer seen is told and is no finding. Without a baseline that is valid
on the day nothing is assessed, and nothing is called clean.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from rules.destinations import Purpose, is_outside
from rules.fence import Allowed, allows
from rules.vocabulary import Finding, Severity, Status
from scanner.observation import Observation

__all__ = ["FACTOR", "LEAST_OCTETS", "LEAST_WATCH_S", "MOST_ENTRIES", "RULE", "Baseline", "Change", "Drift", "Entry",
           "Later", "New", "drift", "entries_of", "judge"]

RULE = "egress.drift"
FACTOR = 5.0
"""How many times the baseline's octets an hour count as a jump."""
LEAST_OCTETS = 1_000_000
"""Below this many octets sent no volume is a jump, whatever the factor."""
LEAST_WATCH_S = 600.0
"""Both must have been watched this long before volumes are compared."""
MOST_ENTRIES = 500
FROM_OUTSIDE = "from-outside"
"""The sign of an entry whose other side came to the device."""


_EPHEMERAL = 32_768                 # from here on a port is chosen anew for each call
_SHOWN, _NAMED = 12, 3               # in the facts of a finding, and in its sentence


@dataclass(frozen=True, slots=True)
class Entry:
    """One destination of a baseline: its names and addresses, what was spoken, and how much was sent there."""

    addresses: tuple[str, ...]
    names: tuple[str, ...] = ()
    protocol: str = ""
    port: int = 0
    bytes_out: int = 0
    signs: tuple[str, ...] = ()
    purpose: str = ""

    @property
    def inbound(self) -> bool:
        """Whether the other side came to the device, whose own the port is."""
        return FROM_OUTSIDE in self.signs

    @property
    def label(self) -> str:
        """How a person knows it: ``pool.ntp.org:123/udp``."""
        if self.inbound:
            return f"from {self.addresses[0]} to its {self.port}/{self.protocol}"
        return f"{(self.names or self.addresses or ('?',))[0]}:{self.port}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What somebody approved as the usual traffic of one device.

    Attributes:
        actor, approved, until: who approved it, on which day, and the last day on which it holds.
        watched_s: how long was watched; 0 where that is not known.
        source: where the traffic was seen (a sweep's id, the names of files).
        entries: every destination that was seen.
        outside: whether fences let the outside destinations of the baseline pass too.
        allowed: what was allowed beyond what was seen, each with its reason.
    """

    actor: str
    approved: date
    until: date
    watched_s: float = 0.0
    source: str = ""
    entries: tuple[Entry, ...] = ()
    outside: bool = False
    allowed: tuple[Allowed, ...] = ()

    def holds(self, on: date) -> bool:
        """Whether it is valid on a day."""
        return self.approved <= on <= self.until


class New(StrEnum):
    """In what way traffic differs from its baseline."""

    DESTINATION = "new destination"
    NAME = "new name"
    PROTOCOL = "new protocol"
    PORT = "new port"
    FORM = "new wire form"
    VOLUME = "more traffic"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words, with the ids of the observations that show it."""

    kind: New
    what: str
    evidence: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True, slots=True)
class Drift:
    """Everything that differs: what is new, what is no longer seen, and what could not be compared."""

    changes: tuple[Change, ...] = ()
    vanished: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """What was seen of a device after its baseline.

    ``captured`` says that its traffic was watched at all, ``whole`` that nothing of it was lost. ``names_shown`` is
    false for sources that never show under which name a destination was asked for.
    """

    seen: Sequence[Observation]
    watched_s: float = 0.0
    captured: bool = True
    whole: bool = True
    names_shown: bool = True


@dataclass(slots=True)
class _Group:
    addresses: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    signs: dict[str, None] = field(default_factory=dict)
    bytes_out: int = 0
    purpose: str = ""


def entries_of(observations: Iterable[Observation]) -> tuple[Entry, ...]:
    """The ``egress`` observations as entries: what has the same names, protocol and port is one.

    At most `MOST_ENTRIES`, those outside first, then by octets.
    """
    groups: dict[tuple[object, ...], _Group] = {}
    for one in _talk(observations):
        names = tuple(sorted(set(one.values("names"))))
        key = (names or one.text("destination"), one.text("protocol"), _port(one.port), bool(one.fields.get("inbound")))
        group = groups.setdefault(key, _Group())
        group.addresses[one.text("destination")] = None
        group.names.update(dict.fromkeys(names))
        group.signs.update(dict.fromkeys(_signs(one)))
        group.bytes_out += _octets(one)
        group.purpose = group.purpose or one.text("purpose")
    made = [Entry(tuple(group.addresses), tuple(group.names), str(protocol), int(str(port)), group.bytes_out,
                  tuple(sorted(group.signs)), group.purpose) for (_, protocol, port, _way), group in groups.items()]
    made.sort(key=lambda one: (not any(map(is_outside, one.addresses)), -one.bytes_out, one.label))
    return tuple(made[:MOST_ENTRIES])


def drift(baseline: Baseline, later: Later) -> Drift:
    """How later traffic differs from a baseline, whether or not that is still valid."""
    changes: list[Change] = []
    undecided: dict[str, None] = {}
    met: set[int] = set()
    sent: dict[int, tuple[int, list[str]]] = {}
    names_known = any(entry.names for entry in baseline.entries)
    known_names = frozenset(name for entry in baseline.entries for name in entry.names)
    for one in _talk(later.seen):
        same = [(place, entry) for place, entry in enumerate(baseline.entries) if _same(entry, one)]
        fitting = [place for place, entry in same if _spoken(entry) == (one.text("protocol"), _port(one.port))]
        met.update(fitting or [place for place, _ in same])
        if fitting:          # of several, the one with the very same names: so it was counted when it was approved
            place = next((each for each in fitting if set(baseline.entries[each].names) == set(one.values("names"))),
                         fitting[0])
            octets, ids = sent.get(place, (0, []))
            sent[place] = (octets + _octets(one), [*ids, one.id])
        if any(allows(each, one.text("destination"), one.values("names"), one.text("protocol"), one.port or 0,
                      inbound=bool(one.fields.get("inbound"))) for each in baseline.allowed):
            continue
        new = _new(one, [entry for _, entry in same], known_names, names_known=names_known)
        if new is New.DESTINATION and not one.values("names") and names_known and not later.names_shown \
                and is_outside(one.text("destination")):
            undecided[_label(one)] = None          # it may be a known name at another of its addresses
        elif new is not None:
            changes.append(Change(new, _said(new, one), (one.id,), _severity(one)))
    volumes, note = _volumes(baseline, later, sent)
    vanished = tuple(entry.label for place, entry in enumerate(baseline.entries) if place not in met)
    return Drift((*_together(changes), *volumes), vanished, tuple(undecided), (note,) if note else ())


def _new(one: Observation, same: Sequence[Entry], known_names: frozenset[str], *, names_known: bool) -> New | None:
    if not same:
        return New.DESTINATION
    if names_known and one.values("names") and not known_names & set(one.values("names")):
        return New.NAME
    if one.text("protocol") not in {entry.protocol for entry in same}:
        return New.PROTOCOL
    if (one.text("protocol"), _port(one.port)) not in set(map(_spoken, same)):
        return New.PORT
    if set(_signs(one)) - {sign for entry in same for sign in entry.signs}:
        return New.FORM
    return None


def _said(new: New, one: Observation) -> str:
    if new is New.FORM:
        return f"{_label(one)} in the form of {', '.join(one.values('signs'))}"
    if new is New.NAME:
        return f"{_label(one)} at {one.text('destination')}"
    return _label(one)


def _together(changes: Sequence[Change]) -> list[Change]:
    """Changes that read the same, once, with all their observations."""
    merged: dict[tuple[New, str], Change] = {}
    for one in changes:
        before = merged.get((one.kind, one.what))
        evidence = (*before.evidence, *one.evidence) if before else one.evidence
        worst = min((before or one).severity, one.severity, key=list(Severity).index)
        merged[one.kind, one.what] = Change(one.kind, one.what, evidence, worst)
    return list(merged.values())


def _volumes(baseline: Baseline, later: Later,
             sent: Mapping[int, tuple[int, list[str]]]) -> tuple[list[Change], str]:
    if min(baseline.watched_s, later.watched_s) < LEAST_WATCH_S:
        return [], (f"volumes were not compared: that takes {LEAST_WATCH_S / 60:g} minutes of both, and it was "
                    f"{baseline.watched_s / 60:.0f} then and {later.watched_s / 60:.0f} now")
    jumps = []
    for place, (octets, ids) in sent.items():
        entry = baseline.entries[place]
        before, now = entry.bytes_out / baseline.watched_s * 3600, octets / later.watched_s * 3600
        if octets >= LEAST_OCTETS and now > FACTOR * before:
            times = f", {now / before:.0f} times as much" if before else ""
            jumps.append(Change(New.VOLUME, f"{entry.label} is sent {now / 1e6:.1f} MB an hour, {before / 1e6:.2f} MB "
                                            f"when approved{times}", tuple(ids), Severity.MEDIUM))
    return jumps, ""


def judge(device: str, baseline: Baseline | None, later: Later, on: date) -> Finding:
    """The finding of one device on one day: `fail` where something is new, `pass` where all of it is known.

    `not_assessed` without a baseline that holds on that day, without a capture, or where the capture was cut or cannot
    show what would decide.
    """
    if baseline is None:
        return _finding(device, Status.NOT_ASSESSED, "no baseline was approved for this device, so nothing can be "
                        "called new", remedy="Look at where it talks to, then: camvet baseline approve")
    told = [("baseline", _approved(baseline))]
    if not baseline.holds(on):
        when = "ended" if on > baseline.until else "begins later"
        return _finding(device, Status.NOT_ASSESSED, f"the approved baseline {when} ({_approved(baseline)})", told,
                        remedy="Look at where it talks to today, then: camvet baseline approve")
    if not later.captured:
        return _finding(device, Status.NOT_ASSESSED, "its traffic was not captured", told)
    found = drift(baseline, later)
    told += [(str(kind), _listed([one.what for one in found.changes if one.kind is kind])) for kind in New
             if any(one.kind is kind for one in found.changes)]
    told += [("no longer seen", _listed(found.vanished))] if found.vanished else []
    told += [("not compared", _listed((*found.notes, *found.undecided)))] if found.notes or found.undecided else []
    if found.changes:
        evidence = tuple(dict.fromkeys(seen for one in found.changes for seen in one.evidence))
        severity = min((one.severity for one in found.changes), key=list(Severity).index)
        return _finding(device, Status.FAIL, _sentence(found.changes), told, evidence, severity,
                        "Find out what changed: an update, a setting, or somebody else. Approve it anew, or cut it "
                        "off.")
    if found.undecided:
        return _finding(device, Status.NOT_ASSESSED, f"{len(found.undecided)} addresses are not in the baseline, and "
                        "this source shows no names: they may be known names at other addresses", told)
    if not later.whole:
        return _finding(device, Status.NOT_ASSESSED, "nothing new was seen, but the capture was cut or lost packets",
                        told)
    evidence = tuple(one.id for one in _talk(later.seen))
    return _finding(device, Status.PASS, f"all of its traffic is in the baseline ({_approved(baseline)})", told,
                    evidence)


def _finding(device: str, status: Status, reason: str, facts: Sequence[tuple[str, str]] = (),
             evidence: tuple[str, ...] = (), severity: Severity = Severity.MEDIUM, remedy: str = "") -> Finding:
    return Finding(device, RULE, "1", "It talks to what its baseline does not have", status, severity, reason, remedy,
                   evidence, (), tuple(facts))


def _approved(baseline: Baseline) -> str:
    watched = f", {baseline.watched_s / 3600:.1f} hours watched" if baseline.watched_s else ""
    return f"approved by {baseline.actor} on {baseline.approved}, until {baseline.until}{watched}"


def _listed(many: Sequence[str]) -> str:
    more = f"; and {len(many) - _SHOWN} more" if len(many) > _SHOWN else ""
    return "; ".join(many[:_SHOWN]) + more


def _sentence(changes: Sequence[Change]) -> str:
    parts = []
    for kind in New:
        mine = [one.what for one in changes if one.kind is kind]
        if mine:
            more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
            parts.append(f"{kind}: {', '.join(mine[:_NAMED])}{more}")
    return "; ".join(parts)


def _severity(one: Observation) -> Severity:
    """Somebody's cloud or a rendezvous is worse than an unknown address outside, and that worse than one inside."""
    if not is_outside(one.text("destination")):
        return Severity.LOW
    harmless = {"", Purpose.NTP, Purpose.DNS, Purpose.LOCAL}
    telling = one.text("cloud_of") or one.text("purpose") not in harmless or one.values("signs")
    return Severity.HIGH if telling else Severity.MEDIUM


def _talk(observations: Iterable[Observation]) -> Iterable[Observation]:
    """Conversations alone: that a device looks for others with ARP is a finding of its own."""
    return (o for o in observations if o.transport == "egress" and o.text("protocol") != "arp"
            and _is_address(o.text("destination")))


def _same(entry: Entry, one: Observation) -> bool:
    return bool(set(entry.names) & set(one.values("names"))) or one.text("destination") in entry.addresses


def _spoken(entry: Entry) -> tuple[str, int]:
    return entry.protocol, entry.port


def _port(port: int | None) -> int:
    """A port as compared: all ports that are chosen anew for each call count as one."""
    return min(port or 0, _EPHEMERAL)


def _signs(one: Observation) -> tuple[str, ...]:
    return (*one.values("signs"), FROM_OUTSIDE) if one.fields.get("inbound") else one.values("signs")


def _label(one: Observation) -> str:
    if one.fields.get("inbound"):
        return f"from {one.text('destination')} to its {one.port or 0}/{one.text('protocol')}"
    return f"{(one.values('names') or (one.text('destination'),))[0]}:{one.port or 0}/{one.text('protocol')}"


def _octets(one: Observation) -> int:
    value = one.fields.get("bytes_out", 0)
    return int(value) if isinstance(value, int | float) else 0


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
