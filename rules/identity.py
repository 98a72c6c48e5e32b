"""Who built a device, whose name is on it, and how well either is known.

A label can say anything, so what comes with the maker's software or hardware decides before any label does, and the two
are kept apart: `maker` built it, `brand` is printed on it. Every credible maker is kept; nothing that a label adds can
remove one. This module knows no law: which of several credible makers is worst is for the policy, which sees them all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rules import attributes
from rules.crosschecks import contradictions
from rules.index import Claim, index_of
from rules.makers import Makers
from rules.signals import claims_of
from rules.vocabulary import Assurance, Basis, Channel, Conflict, Evidence, Identity, Kind, Strength
from scanner.observation import FieldValue, Observation

__all__ = ["Standing", "identify", "standings", "suspects"]

_WEIGHT: Mapping[Strength, float] = {
    Strength.DECISIVE: 0.95, Strength.STRONG: 0.8, Strength.MEDIUM: 0.5, Strength.WEAK: 0.15, Strength.NOTE: 0.0,
}
_LONG = 1024                # characters of a body
_REMEMBERED = 4096          # observations
_LABEL_SHARE = 0.6          # a label alone never makes more than this sure
_CORROBORATING = 2          # independent groups that a rebrand does not control
_ACTS = frozenset({"dhip", "sadp", "mhed", "tplink", "gvcp", "paths", "cloud", "device-certificate"})
"""Groups of what a device does; beside them those named ``…-discovery`` and ``…-nonce``."""
_PAINTED = frozenset({"oui", "http-server", "rtsp-server", "kernel", "web", "title", "favicon", "banner", "mdns",
                      "ssdp", "snmp", "dhcp", "hostname", "declared", "certificate"})
"""Groups that name a maker and that whoever sells the device can paint over: its address, pages, headers and names."""
_MEASURES = frozenset({"packets", "bytes", "packets_out", "bytes_out", "seconds", "denied", "estimated", "period_s",
                       "beats", "sought"})
"""Fields of a conversation that differ each time and that nothing reads who a device is from, but for a signal that
says so; they stay out of what is remembered."""
_ICONS = frozenset({"favicon"})
"""Groups that only support: an icon is copied with the page it belongs to, and decides nothing beside other signs."""
_WHO = frozenset({"maker", "brand"})
_KEPT = frozenset({"maker", "brand", "component"})
_PATHS = "paths"
_NO_SUCH_PATH = frozenset({"400", "404", "454", "461"})
_BUILT_IN = "firmware"
_FORMS = frozenset({"serial", _BUILT_IN})
"""Groups of grammar. Even a form that others share supports a maker whose own act was seen."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One maker's case: the best evidence of each independent group, apart for labels and for everything else."""

    maker: str
    proof: tuple[Evidence, ...]
    labels: tuple[Evidence, ...]

    @property
    def credible(self) -> bool:
        """Strong evidence of any basis, or medium evidence that does not rest on a label; an icon alone is neither."""
        return self.weighty and not self.only_icons

    @property
    def weighty(self) -> bool:
        """Whether the evidence is strong enough, where an icon may count as support."""
        strong = any(_WEIGHT[item.strength] >= (_WEIGHT[Strength.MEDIUM if item.group in _ICONS else Strength.STRONG])
                     for item in (*self.proof, *self.labels))
        return strong or bool(self.proven)

    @property
    def only_icons(self) -> bool:
        """Whether nothing but the icons of its pages speaks for this maker."""
        return all(item.group in _ICONS for item in (*self.proof, *self.labels))

    @property
    def proven(self) -> tuple[Evidence, ...]:
        """Groups of evidence that a rebrand does not control and that weigh at least medium."""
        return tuple(item for item in self.proof if _WEIGHT[item.strength] >= _WEIGHT[Strength.MEDIUM])

    @property
    def acts(self) -> tuple[Evidence, ...]:
        """Proven groups of what the device does: its maker's own protocol, nonce or stream path, or whom it calls."""
        return tuple(item for item in self.proven if _is_act(item.group))

    @property
    def corroborating(self) -> tuple[Evidence, ...]:
        """Groups that count towards corroboration: no label, and nothing that a seller can paint over."""
        return tuple(item for item in self.proof if item.group not in _PAINTED
                     and (item.group in _FORMS or _WEIGHT[item.strength] >= _WEIGHT[Strength.MEDIUM]))

    @property
    def rank(self) -> tuple[bool, bool, bool, float, float]:
        """What a device does before what it writes, writings in the maker's form before paint, paint before labels."""
        return (bool(self.acts), any(item.group not in _PAINTED for item in self.proven), bool(self.proven),
                _sure(self.proof), _sure(self.labels))


def _is_act(group: str) -> bool:
    return group in _ACTS or group.endswith(("-discovery", "-nonce"))


def _sure(evidence: Sequence[Evidence]) -> float:
    doubt = 1.0
    for item in evidence:
        doubt *= 1.0 - _WEIGHT[item.strength]
    return 1.0 - doubt


def _best_of_groups(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    best: dict[str, Evidence] = {}
    for item in evidence:
        held = best.get(item.group)
        if held is None or _WEIGHT[item.strength] > _WEIGHT[held.strength]:
            best[item.group] = item
    return tuple(best[group] for group in sorted(best))


def standings(evidence: Sequence[Evidence]) -> list[Standing]:
    """Every maker with any evidence, best first; a note is none."""
    by_maker: dict[str, list[Evidence]] = defaultdict(list)
    for item in evidence:
        if item.claim == "maker" and item.strength is not Strength.NOTE:
            by_maker[item.value].append(item)
    found = [Standing(maker, _best_of_groups([e for e in items if e.basis is not Basis.LABEL]),
                      _best_of_groups([e for e in items if e.basis is Basis.LABEL]))
             for maker, items in sorted(by_maker.items())]
    return sorted(found, key=lambda standing: standing.rank, reverse=True)


def _evidence(observations: Sequence[Observation], makers: Makers) -> list[Evidence]:
    said, formed = list[Evidence](), list[Evidence]()
    memory = _memory(makers)
    for seen in observations:
        claims, forms = _read(seen, makers, memory)
        if claims or forms:
            name = (seen.id,)
            said += [claim.of(name) for claim in claims]
            formed += [claim.of(name) for claim in forms]
    found = said + formed
    if any(item.group == _PATHS for item in found):
        return _without_echoes(found, observations)
    return found


_Claims = tuple[tuple[Claim, ...], tuple[Claim, ...]]
_Memory = dict[tuple[object, ...], _Claims]


@lru_cache(maxsize=4)
def _memory(_makers: Makers) -> _Memory:
    """What whole observations were found to say: devices of one site repeat each other word for word."""
    return {}


def _read(seen: Observation, makers: Makers, memory: _Memory) -> _Claims:
    """The claims of one observation and those of its forms; both follow from its transport and fields alone."""
    body = seen.fields.get("body", "")
    if isinstance(body, str) and len(body) > _LONG:         # a page; it is too large to be kept
        return claims_of(seen, makers), attributes.form_claims(seen, makers)
    key = (seen.transport, *_telling(seen, makers))
    found = memory.get(key)
    if found is None:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        found = memory[key] = claims_of(seen, makers), attributes.form_claims(seen, makers)
    return found


def _telling(seen: Observation, makers: Makers) -> Iterable[tuple[str, FieldValue]]:
    """The fields that claims can follow from: how much was said to a cloud and when is no word on who made a device."""
    if seen.transport != "egress":
        return seen.fields.items()
    beside = _beside(makers)
    return [item for item in seen.fields.items() if item[0] not in beside]


@lru_cache(maxsize=4)
def _beside(makers: Makers) -> frozenset[str]:
    return _MEASURES - index_of(makers).fields("egress")


def _without_echoes(evidence: Sequence[Evidence], observations: Sequence[Observation]) -> list[Evidence]:
    """A stream path that only repeats what was asked for is no act of the device, unless it refuses other paths."""
    if any(seen.probe == "rtsp.describe_random_path" and seen.text("status") in _NO_SUCH_PATH for seen in observations):
        return list(evidence)
    asked = {seen.id for seen in observations if seen.transport == "rtsp" and len(seen.text("path")) > 1
             and any(seen.text("path").partition("?")[0] in text
                     for field in ("sdp_control", "content_base") for text in seen.values(field))}
    return [replace(item, strength=Strength.WEAK) if item.group == _PATHS and asked.intersection(item.observations)
            else item for item in evidence]


def _credible(found: Sequence[Standing]) -> list[Standing]:
    """The credible makers, best first, and behind them any other whose icon the device shows: it counts against it.

    Where nothing but icons of one maker speaks at all, that maker is the likeliest there is, by its own word.
    """
    named = [standing for standing in found if standing.credible]
    if not named and len(found) == 1:
        return [standing for standing in found if standing.weighty]
    return named + [standing for standing in found if named and standing.weighty and standing.only_icons]


def suspects(observations: Sequence[Observation], makers: Makers) -> list[str]:
    """Slugs of makers worth a further question: the credible ones, and else whoever any evidence points to."""
    found = standings(_evidence(observations, makers))
    credible = [standing.maker for standing in _credible(found)]
    return credible or [standing.maker for standing in found]


def _assurance(credible: Sequence[Standing]) -> Assurance:
    """How well the first of the credible makers is known.

    Labels follow a maker's form, and so can an address block, a page, a realm or a serial number that was given to a
    device. What it does was not given to it, and a version number of the maker's own form is built into its firmware:
    one of these must stand behind a corroborated maker, and a second group that no seller can paint over beside it.
    """
    if not credible:
        return Assurance.NONE
    first, *rivals = credible
    if any(rival.proven for rival in rivals):
        return Assurance.SELF_REPORTED
    if any(item.basis is Basis.CRYPTOGRAPHIC for item in first.proven):
        return Assurance.CRYPTOGRAPHIC
    anchored = bool(first.acts) or any(item.group == _BUILT_IN for item in first.proven)
    enough = anchored and len(first.corroborating) >= _CORROBORATING
    return Assurance.CORROBORATED if enough else Assurance.SELF_REPORTED


def _confidence(credible: Sequence[Standing]) -> float:
    if not credible:
        return 0.0
    proof, labels = _sure(credible[0].proof), _sure(credible[0].labels) * _LABEL_SHARE
    sure = 1.0 - (1.0 - proof) * (1.0 - labels)
    return round(sure / len(credible), 3)


def _brand(evidence: Sequence[Evidence], maker_name: str | None) -> str | None:
    """The name on the device: the surest, and of equals the one that is not simply the maker's own."""
    totals: dict[str, list[Evidence]] = defaultdict(list)
    for item in evidence:
        if item.claim == "brand":
            totals[item.value].append(item)
    known = [name for name, items in totals.items() if any(i.strength is not Strength.WEAK for i in items)]
    names = known or list(totals)
    return max(names, key=lambda name: (max(_WEIGHT[i.strength] for i in totals[name]), name != maker_name,
                                        _sure(_best_of_groups(totals[name])), name), default=None)


def _conflicts(credible: Sequence[Standing], makers: Makers) -> tuple[Conflict, ...]:
    if len(credible) <= 1:
        return ()
    names = tuple(makers.name(standing.maker) for standing in credible)
    reasons = []
    for standing in credible:
        best = max((*standing.proof, *standing.labels),
                   key=lambda item: (item.basis is not Basis.LABEL, _WEIGHT[item.strength]))
        reasons.append(f"{makers.name(standing.maker)} ({best.basis}: {best.because})")
    return (Conflict("maker", names, "; ".join(reasons)),)


def _channels(device: str, observations: Sequence[Observation]) -> tuple[Channel, ...]:
    found: dict[int, Channel] = {}
    for seen in observations:
        if seen.transport != "channel":
            continue
        number = seen.text("channel")
        if number.isdecimal() and (
                seen.text("recorder") == device or seen.device.startswith(f"{device}#")) and seen.device != device:
            found[int(number)] = Channel(int(number), seen.device)
    return tuple(found[number] for number in sorted(found))


def identify(device: str, observations: Sequence[Observation], makers: Makers) -> Identity:
    """The identity of the device with the key `device` from all that was seen of it.

    Observations of other devices are ignored, but for the ``channel`` observations in which a recorder named the
    cameras behind it. The result is the same for any order of the observations but for the order of its evidence.
    """
    own = [seen for seen in observations if seen.device == device]
    evidence = _evidence(own, makers)
    credible = _credible(standings(evidence))
    slugs = tuple(standing.maker for standing in credible)
    maker = makers[slugs[0]] if slugs else None
    brand = _brand(evidence if maker else [item for item in evidence if item.group not in _ICONS],
                   maker.name if maker else None)
    channels = _channels(device, observations)

    what = [item for item in evidence if item.claim not in _WHO]
    own = [seen for seen in own if not attributes.TELLING.isdisjoint(seen.fields)]
    model = attributes.model(own, what, maker, slugs, brand, index_of(makers))
    firmware = attributes.firmware(own, what, maker, slugs)
    serial = attributes.serial(own, what, maker, slugs)
    kind = attributes.kind(own, what, maker, slugs, model.value if model else None, has_channels=bool(channels))
    read = tuple(item for item in (model, firmware, serial, kind) if item is not None)
    return Identity(
        device=device,
        maker=maker.maker if maker else None,
        maker_name=maker.name if maker else None,
        brand=brand,
        model=model.value if model else None,
        firmware=firmware.value if firmware else None,
        firmware_build=attributes.firmware_build(own),
        serial=serial.value if serial else None,
        macs=attributes.addresses(own, what, slugs),
        kind=Kind(kind.value) if kind else Kind.UNKNOWN,
        assurance=_assurance(credible),
        confidence=_confidence(credible),
        makers=slugs,
        channels=channels,
        evidence=(*(item for item in evidence if item.claim in _KEPT), *read),
        conflicts=(*_conflicts(credible, makers), *contradictions(own, what, makers)),
    )
