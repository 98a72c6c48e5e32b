"""Several addresses, one device: two network cards, an address beside another, a camera seen itself and by a recorder.

Two addresses are one device where a serial number or the UUID of WS-Discovery says so and nothing says otherwise. Some
firmware gives every unit the same UUID: where serial numbers, declared MACs, models, versions or keys differ, or more
than two addresses share a bare UUID, the devices stay apart, and the duplicate is reported as a conflict of each.

What was seen at the other address is kept under the device's one key with the place it was seen at in ``also_at``, so
everything counts that any address showed: a device is never judged better for having two.
"""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import combinations

from rules.oui import normal_mac
from rules.signals import scope_values
from scanner.observation import Attempt, FieldValue, Observation

__all__ = ["Join", "Joined", "join", "joins"]

# What speaks of the device itself, in words nobody else's device would use.
_SELF = frozenset({"wsd", "sadp", "dhip", "dahua_v1", "mhed", "xiongmai", "gvcp", "hanwha", "bosch", "vivotek", "sony",
                   "panasonic", "ubiquiti", "vstarcam", "foscam", "reolink", "nice", "vision360", "tplink", "onvif",
                   "http", "channel", "mdns"})
_SAME_EVERYWHERE = ("model", "firmware", "hardware", "manufacturer")
_LEAST_SERIAL = 6
_MOST_BY_UUID = 2              # addresses that a UUID alone may join: a third holder is a firmware that copies it
_MOST_BY_SERIAL = 4            # and a serial number, or a recorder's word
_MOST_BY_LINK = 8              # where one MAC has them all; a router in front of many has more
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


class _What(StrEnum):
    """What two addresses may share, the most certain first."""

    SERIAL = "serial number"
    MAC = "MAC"
    UUID = "endpoint UUID"


@dataclass(frozen=True, slots=True)
class Join:
    """One device at several addresses: the key it keeps, the other keys, and what says that they are one."""

    device: str
    others: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Joined:
    """What was seen and tried with one key a device."""

    observations: list[Observation]
    attempts: list[Attempt]
    devices: list[str]
    joins: tuple[Join, ...]


@dataclass(slots=True)
class _Traits:
    """What tells one address's device from another."""

    serials: set[str] = field(default_factory=set)
    uuids: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)                       # MACs on the link layer
    macs: set[str] = field(default_factory=set)                         # MACs that the device declares
    keys: set[str] = field(default_factory=set)
    channels: bool = False                                              # whether it is a recorder
    said: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))


def joins(devices: Mapping[str, Sequence[Observation]]) -> tuple[Join, ...]:
    """Which keys of one sweep are one device. A pure function; the order of the observations does not matter."""
    traits = {key: _traits(seen) for key, seen in devices.items()}
    for seen in (one for observations in devices.values() for one in observations):
        if seen.transport == "channel" and seen.text("recorder") in traits:
            traits[seen.text("recorder")].channels = True
    groups: dict[str, tuple[str, ...]] = {key: (key,) for key in traits}
    reasons: dict[str, str] = {}
    for (what, value), keys in _holders(traits):
        if len({_base(key) for key in keys}) > _most(what, traits, keys):
            continue
        for first, second in combinations(keys, 2):
            if groups[first] is groups[second] or any(
                    _apart(what, a, b, traits) for a in groups[first] for b in groups[second]):
                continue
            members = tuple(sorted((*groups[first], *groups[second]), key=_order))
            groups.update(dict.fromkeys(members, members))
            reasons[members[0]] = f"{what} {value[:80]} at both, and nothing that differs"
    found = {members for members in groups.values() if len(members) > 1}
    return tuple(Join(members[0], members[1:], reasons[members[0]])
                 for members in sorted(found, key=lambda members: _order(members[0])))


def _holders(traits: Mapping[str, _Traits]) -> list[tuple[tuple[_What, str], list[str]]]:
    """Who shows each serial number, MAC and UUID: the most certain first, keys in the order of addresses."""
    found: dict[tuple[_What, str], list[str]] = defaultdict(list)
    for key in sorted(traits, key=_order):
        one = traits[key]
        for what, values in ((_What.SERIAL, one.serials), (_What.MAC, one.macs if "#" in key else one.linked),
                             (_What.UUID, one.uuids)):
            for value in values:
                found[what, value].append(key)
    return sorted(found.items(), key=lambda one: (list(_What).index(one[0][0]), one[0][1]))


def _apart(what: _What, first: str, second: str, traits: Mapping[str, _Traits]) -> bool:
    """Whether these two stay two although they share a value."""
    one, other = traits[first], traits[second]
    if _base(first) == _base(second) and not ("#" in first and "#" in second):
        return True                                       # a recorder is not the camera behind it
    if what is _What.MAC and ("#" in first) == ("#" in second):
        return True                                       # a router's MAC stands for many; a channel list's for one
    if what is _What.UUID and (one.channels or other.channels):
        return True                                       # a recorder may answer in the name of its cameras
    return _contradict(one, other)


def _base(key: str) -> str:
    return key.partition("#")[0]


def join(observations: Iterable[Observation], attempts: Iterable[Attempt], devices: Iterable[str]) -> Joined:
    """Observations and attempts with one key a device, the lowest address; what was seen elsewhere says where.

    Observations of keys that are no device stay as they are.
    """
    everything, known = list(observations), list(devices)
    grouped: dict[str, list[Observation]] = {key: [] for key in known}
    for seen in everything:
        if seen.device in grouped or "#" in seen.device:
            grouped.setdefault(seen.device, []).append(seen)
    found = joins(grouped)
    kept = {other: one.device for one in found for other in one.others}
    if not kept:
        return Joined(everything, list(attempts), known, ())
    renamed: dict[str, str] = {}
    moved: dict[str, Observation] = {}
    for seen in everything:
        new = _moved(seen, kept)
        renamed[seen.id] = new.id
        moved.setdefault(new.id, new)
    tried = [one if one.device not in kept and not any(renamed.get(name, name) != name for name in one.observations)
             else replace(one, device=kept.get(one.device, one.device), detail=_at(one, kept),
                          observations=tuple(renamed.get(name, name) for name in one.observations))
             for one in attempts]
    return Joined(list(moved.values()), tried, [key for key in known if key not in kept], found)


def _moved(seen: Observation, kept: Mapping[str, str]) -> Observation:
    """An observation under the key its device keeps."""
    recorder = seen.text("recorder") if seen.transport == "channel" else ""
    fields: dict[str, FieldValue] = dict(seen.fields)
    if recorder in kept:
        fields["recorder"] = kept[recorder]
    if seen.device not in kept:
        return seen if fields == seen.fields else replace(seen, fields=fields)
    # A second MAC on the link is not a second machine answering for the first address: it is told apart.
    transport = "alias" if seen.transport == "link" else seen.transport
    return replace(seen, device=kept[seen.device], transport=transport, fields={**fields, "also_at": seen.device})


def _at(attempt: Attempt, kept: Mapping[str, str]) -> str:
    if attempt.device not in kept:
        return attempt.detail
    return f"at {attempt.device}" + (f": {attempt.detail}" if attempt.detail else "")


def _order(key: str) -> tuple[bool, int, int, str]:
    """Devices that were reached themselves before channels, then by address."""
    text, mark, channel = key.partition("#")
    try:
        value = ipaddress.ip_address(text)
    except ValueError:
        return bool(mark), 9, 0, key
    return bool(mark), value.version, int(value), channel


def _traits(observations: Iterable[Observation]) -> _Traits:
    found = _Traits()
    for seen in observations:
        if seen.transport == "link":
            found.linked |= _macs(seen.values("mac"))
            continue
        found.keys |= {seen.text("spki_sha256")} if seen.transport == "tls" and seen.text("spki_sha256") else set()
        if seen.transport not in _SELF:
            continue
        found.serials |= {plain for text in seen.values("serial") if (plain := _plain(text)) and _telling(plain)}
        found.uuids |= {match[0].replace("-", "") for text in seen.values("endpoint_reference")
                        if (match := _UUID.search(text.casefold())) and len(set(match[0])) > 3}
        found.macs |= _macs((*seen.values("mac"), *seen.values("macs"), *scope_values(seen, "MAC")))
        for name in _SAME_EVERYWHERE:
            if seen.text(name):
                found.said[seen.transport, name].add(seen.text(name).casefold())
    return found


def _most(what: _What, traits: Mapping[str, _Traits], keys: Sequence[str]) -> int:
    """How many addresses may share a value and still be one device; more where one MAC on the link has them all."""
    if len({mac for key in keys for mac in traits[key].linked}) == 1 and all(traits[key].linked for key in keys):
        return _MOST_BY_LINK
    return _MOST_BY_UUID if what is _What.UUID else _MOST_BY_SERIAL


def _contradict(one: _Traits, other: _Traits) -> bool:
    """Whether something says that these are two devices."""
    same_serial = any(a in b or b in a for a in one.serials for b in other.serials)
    if one.serials and other.serials and not same_serial:
        return True
    if one.keys and other.keys and one.keys.isdisjoint(other.keys):
        return True
    # Each network card may declare its own MAC, so only a serial number outweighs two MACs that differ.
    if one.macs and other.macs and not same_serial and one.macs.isdisjoint(other.macs | other.linked) \
            and other.macs.isdisjoint(one.linked):
        return True
    return any(other.said.get(name) and values.isdisjoint(other.said[name]) for name, values in one.said.items())


def _macs(texts: Iterable[str]) -> set[str]:
    return {mac for text in texts if (mac := normal_mac(text))}


def _plain(text: str) -> str:
    return "" if "***" in text else "".join(char for char in text.upper() if char.isalnum())


def _telling(plain: str) -> bool:
    """Whether a serial number can belong to one device only: long enough, no placeholder, no counting up or down."""
    if len(plain) < _LEAST_SERIAL or len(set(plain) - set("X")) < 2:
        return False
    return plain not in "0123456789" * 2 and plain not in "9876543210" * 2
