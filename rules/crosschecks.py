"""Where a device contradicts itself, or two devices claim to be one: said as conflicts, decided nowhere.

A MAC that the discovery reply names and the link does not show, a serial number in a login realm that the device does
not declare, a maker's name spelled with another alphabet's letters, one UUID or serial number at two addresses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rules.index import index_of
from rules.labels import fold
from rules.makers import Makers
from rules.oui import normal_mac
from rules.signals import label_fields, scope_values
from rules.vocabulary import Conflict, Evidence
from scanner.observation import Observation

__all__ = ["contradictions", "duplicates"]

# What speaks of the device itself; a recorder's channel list or a neighbour's name speaks of others.
_SELF = frozenset({"wsd", "sadp", "dhip", "dahua_v1", "mhed", "xiongmai", "gvcp", "hanwha", "bosch", "vivotek", "sony",
                   "panasonic", "ubiquiti", "vstarcam", "reolink", "nice", "vision360", "tplink", "onvif", "http"})
_MAC_FIELDS = frozenset({"mac", "macs", "scopes"})
_LEAST_SERIAL = 6
_PLACEHOLDER = frozenset("0Xx*#-")


def contradictions(observations: Sequence[Observation], evidence: Iterable[Evidence],
                   makers: Makers) -> tuple[Conflict, ...]:
    """What one device says against itself: its MAC, its serial number, its spelling."""
    return tuple(conflict for conflict in (
        _mac(observations), _serial(observations, evidence), *_spellings(observations, makers)) if conflict)


def _macs(observations: Iterable[Observation], *, linked: bool) -> dict[str, Observation]:
    found: dict[str, Observation] = {}
    for seen in observations:
        if (seen.transport == "link") is not linked or not (linked or seen.transport in _SELF):
            continue
        if _MAC_FIELDS.isdisjoint(seen.fields):
            continue
        texts = (*seen.values("mac"), *(() if linked else (*seen.values("macs"), *scope_values(seen, "MAC"))))
        for text in texts:
            mac = normal_mac(text)
            if mac:
                found.setdefault(mac, seen)
    return found


def _mac(observations: Sequence[Observation]) -> Conflict | None:
    """The link shows one MAC and the device's own replies name only others; or two machines answer for one address."""
    shown, declared = _macs(observations, linked=True), _macs(observations, linked=False)
    if len(shown) > 1:
        return Conflict("mac", tuple(sorted(shown)), "two MACs answer for this address on the link",
                        tuple(seen.id for seen in shown.values()))
    if not shown or not declared or shown.keys() & declared.keys():
        return None
    (mac, seen), *_ = shown.items()
    said = " and ".join(f"{other} ({declared[other].transport})" for other in sorted(declared))
    return Conflict("mac", (mac, *sorted(declared)), f"the link shows {mac}, but the device names {said}: another "
                    "interface, a device in front of it, or a false name",
                    (seen.id, *(one.id for one in declared.values())))


def _serial(observations: Sequence[Observation], evidence: Iterable[Evidence]) -> Conflict | None:
    """The serial number in a realm or banner is none of those that the device declares."""
    declared: dict[str, Observation] = {}
    for seen in observations:
        for text in seen.values("serial") if "serial" in seen.fields and seen.transport in _SELF else ():
            if _telling(text):
                declared.setdefault(_plain(text), seen)
    read = {_plain(item.value): item for item in evidence if item.claim == "serial" and _telling(item.value)}
    if not declared or not read or any(one in other or other in one for one in read for other in declared):
        return None
    item, (text, seen) = next(iter(read.values())), next(iter(declared.items()))
    return Conflict("serial", (item.value, text), f"{item.because}; but {seen.transport} declares {text}",
                    (*item.observations, seen.id))


def _spellings(observations: Iterable[Observation], makers: Makers) -> Iterable[Conflict]:
    """A maker or brand that a label names only once it is read as people read it.

    Look-alike letters count as what they look like, letters set apart as a word, digits as the letters they stand for.
    """
    index = index_of(makers)
    said: dict[str, Conflict] = {}
    for seen in observations:
        for field, text, declared in _labels(seen):
            if text in said:
                continue
            reading, plain = fold(text), index.named(text, declared)
            hidden, how = index.named(reading, declared), "letters of another alphabet"
            if not hidden.makers and not hidden.brands and (name := index.undisguised(reading)):
                hidden, reading = index.named(name, True), name
                how = "letters set apart or digits for letters"
            names = {maker.name for maker in hidden.makers} | {name for name, _ in hidden.brands}
            names -= {maker.name for maker in plain.makers} | {name for name, _ in plain.brands}
            if names:
                said[text] = Conflict("spelling", (text, reading), f"{seen.transport} {field} is written with {how} "
                                      f"and reads {', '.join(sorted(names))}", (seen.id,))
    return said.values()


def _labels(seen: Observation) -> Iterable[tuple[str, str, bool]]:
    """Where a device names itself: the field, the text, and whether a manufacturer belongs there."""
    for field, _, _, declared in label_fields(seen.transport):
        for text in seen.values(field) if field in seen.fields else ():
            yield field, text, declared
    for scope in ("manufacturer", "name"):
        for text in scope_values(seen, scope):
            yield f"scope {scope}", text, True


def duplicates(devices: Mapping[str, Sequence[Observation]]) -> dict[str, tuple[Conflict, ...]]:
    """What two devices of one sweep share although no two can: a MAC, a serial number, an endpoint's UUID.

    They stay two devices: it may be one with two addresses, a router in front of both, a cloned firmware image, or one
    that poses as the other, and nothing in the replies says which.
    """
    holders: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for device, observations in devices.items():
        for seen in observations:
            if seen.device != device or "#" in device:
                continue
            for mac in map(normal_mac, seen.values("mac") if seen.transport == "link" else ()):
                if mac:
                    holders["MAC", mac].setdefault(device, seen.id)
            for text in seen.values("serial") if seen.transport in _SELF else ():
                if _telling(text):
                    holders["serial number", _plain(text)].setdefault(device, seen.id)
            for text in seen.values("endpoint_reference"):
                holders["endpoint UUID", text.casefold()].setdefault(device, seen.id)
    found: dict[str, list[Conflict]] = defaultdict(list)
    for (what, value), held in sorted(holders.items()):
        if len(held) > 1:
            others = tuple(sorted(held))
            conflict = Conflict("duplicate", others, f"{what} {value} is claimed at {len(others)} addresses: "
                                f"{', '.join(others[:8])}; they are kept apart", tuple(held[one] for one in others))
            for device in held:
                found[device].append(conflict)
    return {device: tuple(conflicts) for device, conflicts in found.items()}


def _plain(text: str) -> str:
    return text.upper() if text.isalnum() else "".join(filter(str.isalnum, text.upper()))


def _telling(text: str) -> bool:
    """Whether a serial number can tell two devices apart: long enough, and no placeholder."""
    plain = _plain(text)
    return len(plain) >= _LEAST_SERIAL and bool(set(plain) - _PLACEHOLDER) and "***" not in text
