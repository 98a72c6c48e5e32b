"""From observations to evidence: which signals match, whose names are on the label, whose block the address is from.

Three readers, each blind to the others: the makers' own signals, the names that labels carry, and address blocks. What they
find is weighed in `rules.identity`; nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from urllib.parse import unquote

from rules.labels import fold, generic, mentions, name_pattern
from rules.makers import Brand, Maker, Makers, See, Signal
from rules.oui import longest_prefix, normal_mac
from rules.vocabulary import Basis, Evidence, Strength
from scanner.observation import Observation

__all__ = ["GROUPS", "brand_evidence", "certificate_evidence", "cloud_evidence", "evidence_of", "label_evidence", "matches", "oui_evidence", "scope_values"]

GROUPS = ("model", "firmware", "serial", "mac", "brand", "hardware")
MAX_FIELD = 65536
ANY_FIELD = "*"
_SHARED_HOSTING = ("amazonaws.com", "backblazeb2.com", "azure.com", "googleapis.com", "cloudfront.net")
_SCOPE = re.compile(r"(?i)^onvifs?://www\.onvif\.org/(?P<name>[a-z_]+)/(?P<value>.+)$")

# Where a device names itself, and how much a name there weighs. What a user may have typed weighs least.
_DECLARED = ("manufacturer", "vendor")
_ORGANISATION = ("subject_o", "issuer_o")
_BANNERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("http", ("server", "realm", "title")),
    ("rtsp", ("server", "realm", "sdp_tool", "sdp_session", "sdp_origin")),
    ("onvif", ("realm",)),
    ("tcp", ("banner",)),
    ("snmp", ("sys_descr",)),
    ("sip", ("user_agent", "server")),
    ("dhcp", ("vendor_class",)),
    ("ssdp", ("server",)),
    ("tls", ("subject", "issuer", "subject_cn", "issuer_cn")),
)
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
    if signal.kind is not None:
        yield evidence("kind", signal.kind, Strength.STRONG)
    for claim in GROUPS:
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


_NAMES: dict[int, tuple[Makers, _Names]] = {}


def _names_of(makers: Makers) -> _Names:
    held = _NAMES.get(id(makers))
    if held is None or held[0] is not makers:
        _NAMES.clear()
        held = (makers, _Names(makers))
        _NAMES[id(makers)] = held
    return held[1]


def _label_texts(observation: Observation) -> Iterator[tuple[str, str, str, Strength, bool]]:
    """Each text in which a device names itself: field, text, group, strength, and whether a manufacturer belongs there."""
    for field in _DECLARED:
        for text in observation.values(field):
            yield field, text, "declared", Strength.STRONG, True
    for field in _ORGANISATION:
        for text in observation.values(field):
            yield field, text, "certificate", Strength.STRONG, True
    for name, declared in (("manufacturer", True), ("name", True)):
        for text in scope_values(observation, name):
            yield f"scope {name}", text, "declared", Strength.STRONG, declared
    for transport, fields in _BANNERS:
        if observation.transport == transport:
            for field in fields:
                for text in observation.values(field):
                    if len(text) <= 512:
                        group = "certificate" if transport == "tls" else "banner"
                        yield field, text, group, Strength.STRONG, False
    for field in _CHOSEN:
        for text in observation.values(field):
            yield field, text, "chosen-name", Strength.WEAK, False


def _named(names: _Names, text: str, *, declared: bool) -> Iterator[tuple[Maker, str]]:
    for maker, free, every, excluded in names.makers:
        found = mentions(text, every if declared else free)
        if found and not (excluded and excluded.search(text)):
            yield maker, found


def label_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whom the labels name: makers by their names, brands by theirs, and an unknown manufacturer as a brand."""
    names = _names_of(makers)
    for field, raw, group, strength, declared in _label_texts(observation):
        text = fold(raw)
        if not text or generic(text):
            continue
        named = list(_named(names, text, declared=declared))
        brands = [(name, rows) for name, rows, free, pattern in names.brands if (declared or free) and mentions(text, pattern)]
        for maker, found in named:
            because = f"{observation.transport} {field} names {maker.name}: {_shown(raw)}"
            common = (Basis.LABEL, group, because, f"{maker.maker}.name", (observation.id,))
            yield Evidence("maker", maker.maker, strength, *common)
            if not brands:
                yield Evidence("brand", maker.name, strength, *common)
        for name, rows in brands:
            because = f"{observation.transport} {field} names the brand {name}: {_shown(raw)}"
            yield from brand_evidence(name, rows, strength, group, because, observation, names.made)
        if declared and not named and not brands and strength is Strength.STRONG and field in _DECLARED:
            yield Evidence("brand", raw.strip(), Strength.MEDIUM, Basis.LABEL, group,
                           f"{observation.transport} {field} is {_shown(raw)}, a name no maker file knows", "unknown.name",
                           (observation.id,))


def brand_evidence(name: str, rows: Sequence[tuple[Maker, Brand]], strength: Strength, group: str, because: str,
                   observation: Observation, makers_named: Collection[str] = ()) -> Iterator[Evidence]:
    """A brand on the label: it says the brand, its own house's maker, and only hints at makers that it merely buys from."""
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
            weight = Strength.NOTE                          # a maker that also buys some lines: its name is its own first
        link = "is a brand of" if brand.own else "has been sold with devices of"
        yield Evidence("maker", maker.maker, weight, Basis.LABEL, group, f"{because}; {name} {link} {maker.name}",
                       f"{maker.maker}.brand", (observation.id,), brand.source, brand.unverified)


def oui_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whose block the address is from: hardware where the link layer showed it, a weak label where the device said so."""
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
            yield Evidence("maker", owner.maker, strength, basis, "oui", because, "oui.maker", (observation.id,), owner.source)


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
                       f"its device certificate was challenged and chains to {makers.name(slug)}'s root", f"{slug}.certificate",
                       (observation.id,))


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
