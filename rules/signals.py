"""From observations to evidence: which signals match, whose names are on the label, whose block the address is from.

Separate readers, each blind to the others: the makers' own signals, the names that labels carry, address blocks, clouds
and device certificates. What they find is weighed in `rules.identity`; nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import unquote

from rules.labels import fold, generic, mentions, name_pattern
from rules.makers import Brand, Maker, Makers, See, Signal
from rules.oui import longest_prefix, normal_mac
from rules.vocabulary import Basis, Evidence, Strength
from scanner.observation import Observation

__all__ = ["CLAIMS", "brand_evidence", "certificate_evidence", "cloud_evidence", "evidence_of", "label_evidence",
           "label_texts", "matches", "oui_evidence", "scope_values"]

CLAIMS = ("model", "firmware", "serial", "mac", "brand")
"""Named groups of a signal's pattern that are read as claims."""

MAX_FIELD = 65536
ANY_FIELD = "*"
_SHARED_HOSTING = ("amazonaws.com", "backblazeb2.com", "azure.com", "googleapis.com", "cloudfront.net")
_SCOPE = re.compile(r"(?i)^onvifs?://www\.onvif\.org/(?P<name>[a-z_]+)/(?P<value>.+)$")

# Where a device names itself, and how much a name there weighs. What a user may have typed weighs least.
_DECLARED = ("manufacturer", "vendor")
_ORGANISATION = ("subject_o", "issuer_o")
_BANNERS: Mapping[str, tuple[str, ...]] = {
    "http": ("server", "realm", "title"),
    "rtsp": ("server", "realm", "sdp_tool", "sdp_session", "sdp_origin"),
    "onvif": ("realm",),
    "tcp": ("banner",),
    "snmp": ("sys_descr",),
    "sip": ("user_agent", "server"),
    "dhcp": ("vendor_class",),
    "ssdp": ("server",),
    "tls": ("subject", "issuer", "subject_cn", "issuer_cn"),
}
_CHOSEN = ("instances", "hostname", "device_name", "friendly_name", "machine_name", "user_name")


@cache
def _compiled(pattern: str, *, free_case: bool) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if free_case else 0)


def _readings(observation: Observation, field: str, *, folded: bool) -> Iterator[str]:
    """The values of one field, as sent and, for label text, as they read."""
    for value in observation.values(field):
        text = value[:MAX_FIELD]
        yield text
        if folded and len(text) <= MAX_FIELD:
            reading = fold(text)
            if reading != text:
                yield reading


def _understood(observation: Observation) -> bool:
    """Whether a parser could read the reply; bytes on the right port are no proof that the protocol was spoken."""
    return "refusal" not in observation.fields


def _look(see: See, observation: Observation, *, label: bool) -> re.Match[str] | None:
    if "*" not in see.transport and observation.transport not in see.transport:
        return None
    pattern = _compiled(see.matches, free_case=label)
    if ANY_FIELD in see.field:                              # that the protocol was spoken at all is what counts
        return pattern.search("") if _understood(observation) else None
    for field in see.field:
        for text in _readings(observation, field, folded=label):
            found = pattern.search(text)
            if found:
                return found
    return None


def matches(signal: Signal, observation: Observation) -> re.Match[str] | None:
    """The match of `signal` on one observation, if it and all its further conditions hold."""
    label = signal.basis is Basis.LABEL
    found = _look(signal.see, observation, label=label)
    if found is None or not all(_look(see, observation, label=label) for see in signal.where):
        return None
    return found


def _shown(text: str) -> str:
    """A matched text short enough for a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def _of_signal(owner: str, name: str, number: int, signal: Signal, observation: Observation) -> Iterator[Evidence]:
    found = matches(signal, observation)
    if found is None:
        return
    identifier = f"{owner}.{signal.group}.{number}"
    seen = _shown(found.group(0))
    value = signal.value or (owner if signal.says in {"maker", "component"} else name)
    because = signal.because or f"{observation.transport} {'/'.join(signal.see.field)} has the form of {name}: {seen}"

    def evidence(claim: str, value: str, strength: Strength) -> Evidence:
        return Evidence(claim, value, strength, signal.basis, signal.group, because, identifier, (observation.id,),
                        signal.source, signal.unverified)

    yield evidence(signal.says, value, signal.strength)
    if signal.says == "maker" and signal.basis is Basis.LABEL and signal.strength is Strength.STRONG:
        yield evidence("brand", name, signal.strength)      # what a label says of the maker, it says of the brand
    if signal.kind is not None:
        yield evidence("kind", signal.kind, Strength.STRONG)
    for claim in CLAIMS:
        text = found.groupdict().get(claim)
        if text:
            yield evidence(claim, text.strip(), Strength.STRONG)


def _of_makers(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    for maker in makers:
        for number, signal in enumerate(maker.signals):
            yield from _of_signal(maker.maker, maker.name, number, signal, observation)
    for chipset in makers.chipsets.values():
        for number, signal in enumerate(chipset.signals):
            yield from _of_signal(chipset.chipset, chipset.name, number, signal, observation)


def label_texts(observation: Observation) -> Iterator[str]:
    """The folded texts in which a device introduces itself: titles, realms, server lines, banners, instance names."""
    for field in (*_BANNERS.get(observation.transport, ()), "instances"):
        for text in observation.values(field):
            yield fold(text)


def scope_values(observation: Observation, name: str) -> tuple[str, ...]:
    """The decoded values of the ONVIF scopes of one name (``name hardware MAC manufacturer …``)."""
    values = []
    for scope in observation.values("scopes"):
        found = _SCOPE.match(scope.strip())
        if found and found["name"].lower() == name.lower():
            values.append(unquote(found["value"]).replace("_", " ").strip())
    return tuple(values)


class _Names:
    """Compiled names of all makers and brands of one `Makers` value."""

    def __init__(self, makers: Makers) -> None:
        self.makers = [
            (maker, name_pattern(maker.names), name_pattern((*maker.names, *maker.declared)),
             re.compile("|".join(f"(?:{p})" for p in maker.not_names), re.IGNORECASE) if maker.not_names else None)
            for maker in makers
        ]
        self.brands = [(name, rows, any(b.own or b.confidence != "low" for _, b in rows),
                        name_pattern((name, *(a for _, b in rows for a in b.aliases))))
                       for name, rows in makers.brands.items()]
        self.made = {maker.name.casefold() for maker in makers}


@lru_cache(maxsize=4)
def _names_of(makers: Makers) -> _Names:
    return _Names(makers)


@dataclass(frozen=True, slots=True)
class _Label:
    """A text in which a device names itself; `declared` where a manufacturer, and so an ambiguous word, belongs."""

    field: str
    text: str
    group: str
    strength: Strength = Strength.STRONG
    declared: bool = False


def _labels(observation: Observation) -> Iterator[_Label]:
    for fields, group, strength, declared in (
        (_DECLARED, "declared", Strength.STRONG, True),
        (_ORGANISATION, "certificate", Strength.STRONG, True),
        (_BANNERS.get(observation.transport, ()), "certificate" if observation.transport == "tls" else "banner",
         Strength.STRONG, False),
        (_CHOSEN, "chosen-name", Strength.WEAK, False),
    ):
        for field in fields:
            for text in observation.values(field):
                yield _Label(field, text, group, strength, declared)
    for text in scope_values(observation, "manufacturer"):
        yield _Label("scope manufacturer", text, "declared", declared=True)
    for text in scope_values(observation, "name"):
        yield _Label("scope name", text, "declared")
        yield _Label("scope name", text.split(" ", 1)[0], "declared", declared=True)   # "AXIS M1065", not "Pan axis"


def _named(names: _Names, text: str, *, declared: bool) -> Iterator[Maker]:
    for maker, free, every, excluded in names.makers:
        if mentions(text, every if declared else free) and not (excluded and excluded.search(text)):
            yield maker


def label_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whom the labels name: makers by their names, brands by theirs, and an unknown manufacturer as a brand."""
    names = _names_of(makers)
    for label in _labels(observation):
        text = fold(label.text)
        if not text or generic(text):
            continue
        where = f"{observation.transport} {label.field}"
        named = list(_named(names, text, declared=label.declared))
        brands = [(name, rows) for name, rows, free, pattern in names.brands
                  if (label.declared or free) and mentions(text, pattern)]
        for maker in named:
            because = f"{where} names {maker.name}: {_shown(label.text)}"
            common = (Basis.LABEL, label.group, because, f"{maker.maker}.name", (observation.id,))
            yield Evidence("maker", maker.maker, label.strength, *common)
            if not brands:
                yield Evidence("brand", maker.name, label.strength, *common)
        for name, rows in brands:
            because = f"{where} names the brand {name}: {_shown(label.text)}"
            yield from brand_evidence(name, rows, label.strength, label.group, because, observation, names.made)
        if label.field in _DECLARED and not named and not brands:
            yield Evidence("brand", label.text.strip(), Strength.MEDIUM, Basis.LABEL, label.group,
                           f"{where} is {_shown(label.text)}, a name no maker file knows", "unknown.name",
                           (observation.id,))


def brand_evidence(name: str, rows: Sequence[tuple[Maker, Brand]], strength: Strength, group: str, because: str,
                   observation: Observation, makers_named: Collection[str] = ()) -> Iterator[Evidence]:
    """A brand on the label: it says the brand and its own house's maker, and only hints at makers it buys from."""
    yield Evidence("brand", name, strength, Basis.LABEL, group, because, "brand.name", (observation.id,))
    sole = len({maker.maker for maker, _ in rows}) == 1
    for maker, brand in rows:
        if brand.own:
            weight = strength
        elif sole and brand.confidence == "high" and not brand.unverified:
            weight = Strength.MEDIUM
        else:
            weight = Strength.WEAK
        if strength is Strength.WEAK:
            weight = Strength.WEAK
        if not brand.own and name.casefold() in makers_named:
            weight = Strength.NOTE                  # a maker that also buys some lines: its name is its own first
        link = "is a brand of" if brand.own else "has been sold with devices of"
        yield Evidence("maker", maker.maker, weight, Basis.LABEL, group, f"{because}; {name} {link} {maker.name}",
                       f"{maker.maker}.brand", (observation.id,), brand.source, brand.unverified)


def oui_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whose block the address is from: hardware if the link layer showed it, a weak label if the device said so."""
    seen = observation.transport == "link"
    addresses = [*observation.values("mac"), *(() if seen else scope_values(observation, "MAC"))]
    for text in addresses:
        mac = normal_mac(text)
        owner = longest_prefix(mac, makers.oui) if mac else None
        if mac is None or owner is None:
            continue
        where = "on the link layer" if seen else "declared by the device itself"
        basis, strength = (Basis.HARDWARE, Strength.STRONG) if seen else (Basis.LABEL, Strength.WEAK)
        if owner.brand:
            because = f"{mac} ({where}) is from a block of {owner.brand}"
            yield Evidence("brand", owner.brand, Strength.MEDIUM if seen else Strength.WEAK, basis, "oui", because,
                           "oui.brand", (observation.id,), owner.source)
        if owner.maker:
            because = f"{mac} ({where}) is from a block of {makers.name(owner.maker)}"
            yield Evidence("maker", owner.maker, strength, basis, "oui", because, "oui.maker", (observation.id,),
                           owner.source)


def cloud_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whose cloud the device talks to, by name; a bare address or an unchecked entry only hints."""
    if observation.transport != "egress":
        return
    names = {name.rstrip(".").casefold() for name in (*observation.values("names"), *observation.values("destination"))}
    for maker in makers:
        for cloud in maker.clouds:
            target = (cloud.host or cloud.suffix or cloud.address or "").casefold()
            hit = next((n for n in sorted(names) if n == target or (cloud.suffix and n.endswith("." + target))), None)
            if hit is None or target.endswith(_SHARED_HOSTING):
                continue
            strength = Strength.WEAK if cloud.unverified or cloud.address else Strength.MEDIUM
            yield Evidence("maker", maker.maker, strength, Basis.CLOUD, "cloud",
                           f"it talks to {hit}, {maker.name}'s cloud ({cloud.purpose})", f"{maker.maker}.cloud",
                           (observation.id,), cloud.source, cloud.unverified)


def certificate_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """A device certificate that was challenged and chained to a maker's root: `chain_verified` is that maker's slug."""
    slug = observation.text("chain_verified")
    if observation.transport == "tls" and slug in makers.by_slug:
        yield Evidence("maker", slug, Strength.DECISIVE, Basis.CRYPTOGRAPHIC, "device-certificate",
                       f"its device certificate was challenged and chains to {makers.name(slug)}'s root",
                       f"{slug}.certificate", (observation.id,))


def evidence_of(observations: Iterable[Observation], makers: Makers) -> list[Evidence]:
    """All evidence of one device's observations, in their order."""
    found: list[Evidence] = []
    for observation in observations:
        found += _of_makers(observation, makers)
        found += label_evidence(observation, makers)
        found += oui_evidence(observation, makers)
        found += cloud_evidence(observation, makers)
        found += certificate_evidence(observation, makers)
    return found
