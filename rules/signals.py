"""From observations to evidence: which signals match, whose names are on the label, whose block the address is from.

Separate readers, each blind to the others: the makers' own signals, the names that labels carry, address blocks, clouds
and device certificates. What they find is weighed in `rules.identity`; nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from urllib.parse import unquote

from rules.index import ANY_FIELD, CLAIMS, LABEL_ONLY, Claim, Index, index_of, readings, shown
from rules.labels import fold, generic
from rules.makers import Brand, Cloud, Maker, Makers, See, Signal, compiled
from rules.oui import longest_prefix, normal_mac
from rules.titles import is_of_another_trade, is_prose
from rules.vocabulary import Basis, Evidence, Strength
from scanner.observation import Observation

__all__ = ["CLAIMS", "LABELLED", "brand_claims", "certificate_evidence", "claims_of", "cloud_evidence", "evidence_of",
           "label_evidence", "label_fields", "label_texts", "matches", "oui_evidence", "scope_values"]

_REMEMBERED = 16_384            # texts of each kind whose meaning is kept
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
    "lldp": ("sys_descr",),
    "sip": ("user_agent", "server"),
    "dhcp": ("vendor_class",),
    "ssdp": ("server",),
    "tls": ("subject", "issuer", "subject_cn", "issuer_cn"),
}
_CHOSEN = ("instances", "hostname", "device_name", "friendly_name", "machine_name", "user_name")
LABELLED = frozenset((*_DECLARED, *_ORGANISATION, *_CHOSEN, *(name for names in _BANNERS.values() for name in names)))
"""Every field in which a reply of some transport names the device."""


def _readings(observation: Observation, field: str, *, folded: bool) -> Iterator[str]:
    """The values of one field, as sent and, for label text, as they read."""
    for value in observation.values(field):
        yield from readings(value, folded=folded)


def _understood(observation: Observation) -> bool:
    """Whether a parser could read the reply; bytes on the right port are no proof that the protocol was spoken."""
    return "refusal" not in observation.fields


def _look(see: See, observation: Observation, *, label: bool) -> re.Match[str] | None:
    if "*" not in see.transport and observation.transport not in see.transport:
        return None
    pattern = compiled(see.matches, free_case=label)
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


def _says_signal(observation: Observation, index: Index) -> Iterator[Claim]:
    """What the makers' own signals say."""
    for hit in index.hits(observation.transport, observation.fields):
        label = hit.signal.basis is Basis.LABEL
        if label and hit.signal.see.field[hit.place] == "title" and _is_elsewhere(observation):
            continue
        if all(_look(see, observation, label=label) for see in hit.signal.where):
            in_prose = hit.signal.see.field[hit.place] == "title" and _is_prose(index, observation.text("title"))
            yield from _hinted(hit.claims) if in_prose else hit.claims


def _is_elsewhere(observation: Observation) -> bool:
    """Whether the page is that of somebody's trade, by its title, so that a maker's name in it is no maker's."""
    return is_of_another_trade(fold(observation.text("title")))


@lru_cache(maxsize=_REMEMBERED)
def _is_prose(index: Index, title: str) -> bool:
    """Whether a title speaks about makers, or names two of them, and so is no word of one device on itself."""
    text = fold(title)
    named = index.named(text, False)
    spelled = [name for maker in named.makers for name in maker.names] + [name for name, _ in named.brands]
    makers = {maker.maker for maker in named.makers} | {
        claim.value for hit in index.hits("http", {"title": title}) if not hit.signal.where
        for claim in hit.claims if claim.claim == "maker" and claim.strength is Strength.STRONG}
    return len(makers) > 1 or is_prose(text, spelled)


def _hinted(claims: Iterable[Claim]) -> Iterator[Claim]:
    """What is left of claims that rest on prose: a hint at a maker."""
    return (replace(claim, strength=Strength.WEAK) for claim in claims if claim.claim == "maker")


def label_texts(observation: Observation) -> Iterator[str]:
    """The folded texts in which a device introduces itself: titles, realms, server lines, banners, instance names."""
    for field in (*_BANNERS.get(observation.transport, ()), "instances"):
        if field in observation.fields:
            for text in observation.values(field):
                yield fold(text)


@lru_cache(maxsize=4096)
def _scopes(texts: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The decoded values of ONVIF scopes by name (lower case); what is no such scope is left out."""
    found: dict[str, list[str]] = {}
    for text in texts:
        scope = _SCOPE.match(text.strip())
        if scope:
            value = unquote(scope["value"]).replace("_", " ").strip()
            found.setdefault(scope["name"].lower(), []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def scope_values(observation: Observation, name: str) -> tuple[str, ...]:
    """The decoded values of the ONVIF scopes of one name (``name hardware MAC manufacturer …``)."""
    if "scopes" not in observation.fields:
        return ()
    return _scopes(observation.values("scopes")).get(name.lower(), ())


_Label = tuple[str, str, str, Strength, bool]
"""A text in which a device names itself: its field, the text, group, strength, and whether a manufacturer, and so an
ambiguous word, belongs there."""


@cache
def label_fields(transport: str) -> tuple[tuple[str, str, Strength, bool], ...]:
    """Where a reply of this transport names the device: field, group, strength, and if a manufacturer belongs there."""
    return tuple((field, group, strength, declared) for fields, group, strength, declared in (
        (_DECLARED, "declared", Strength.STRONG, True),
        (_ORGANISATION, "certificate", Strength.STRONG, True),
        (_BANNERS.get(transport, ()), "certificate" if transport == "tls" else "banner", Strength.STRONG, False),
        (_CHOSEN, "chosen-name", Strength.WEAK, False),
    ) for field in fields)


def _labels(observation: Observation) -> Iterator[_Label]:
    for field, group, strength, declared in label_fields(observation.transport):
        if field in observation.fields:
            if field == "title" and _is_elsewhere(observation):
                continue
            for text in observation.values(field):
                yield field, text, group, strength, declared
    if "scopes" not in observation.fields:
        return
    for text in scope_values(observation, "manufacturer"):
        yield "scope manufacturer", text, "declared", Strength.STRONG, True
    for text in scope_values(observation, "name"):
        yield "scope name", text, "declared", Strength.STRONG, False
        yield "scope name", text.split(" ", 1)[0], "declared", Strength.STRONG, True   # "AXIS M1065", not "Pan axis"


def label_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whom the labels name: makers by their names, brands by theirs, and an unknown manufacturer as a brand."""
    name = (observation.id,)
    return (claim.of(name) for claim in _says_label(observation, index_of(makers)))


def _says_label(observation: Observation, index: Index) -> Iterator[Claim]:
    for label in _labels(observation):
        yield from _label_claims(index, observation.transport, label)


@lru_cache(maxsize=_REMEMBERED)
def _label_claims(index: Index, transport: str, label: _Label) -> tuple[Claim, ...]:
    """What one label says; it follows from its text alone, so it is remembered."""
    field, said = label[:2]
    text = fold(said)
    if not text or generic(text):
        return ()
    if field == "title" and _is_prose(index, said):
        return tuple(_hinted(_named_claims(index, transport, label, text)))
    return tuple(_named_claims(index, transport, label, text))


def _named_claims(index: Index, transport: str, label: _Label, text: str) -> list[Claim]:
    """Whom a label, folded to `text`, names."""
    field, said, group, strength, declared = label
    where = f"{transport} {field}"
    named = index.named(text, declared)
    if not named.makers and not named.brands and (reading := index.undisguised(text)):
        named, where = index.named(reading, True), f"{where} in disguise"
    elif declared and not named.makers and not named.brands and (reading := index.spelled(text)):
        named = index.named(reading, True)
    found: list[Claim] = []
    for maker in named.makers:
        because = f"{where} names {maker.name}: {shown(said)}"
        common = (Basis.LABEL, group, because, f"{maker.maker}.name")
        found.append(Claim("maker", maker.maker, strength, *common))
        if not named.brands:
            found.append(Claim("brand", maker.name, strength, *common))
    for name, rows in named.brands:
        because = f"{where} names the brand {name}: {shown(said)}"
        found += brand_claims(name, rows, strength, group, because, index.made)
    if field in _DECLARED and not named.makers and not named.brands:
        found.append(Claim("brand", said.strip(), Strength.MEDIUM, Basis.LABEL, group,
                           f"{where} is {shown(said)}, a name no maker file knows", "unknown.name"))
    return found


def brand_claims(name: str, rows: Sequence[tuple[Maker, Brand]], strength: Strength, group: str, because: str,
                 makers_named: Collection[str] = ()) -> Iterator[Claim]:
    """A brand on the label: it says the brand and its own house's maker, and only hints at makers it buys from."""
    yield Claim("brand", name, strength, Basis.LABEL, group, because, "brand.name")
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
        yield Claim("maker", maker.maker, weight, Basis.LABEL, group, f"{because}; {name} {link} {maker.name}",
                    f"{maker.maker}.brand", brand.source, brand.unverified)


def oui_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whose block the address is from: hardware if the link layer showed it, a weak label if the device said so."""
    name = (observation.id,)
    return (claim.of(name) for claim in _says_oui(observation, makers))


def _says_oui(observation: Observation, makers: Makers) -> Iterator[Claim]:
    linked = observation.transport == "link"
    for text in (*observation.values("mac"), *(() if linked else scope_values(observation, "MAC"))):
        yield from _oui_claims(makers, text, linked=linked)


@lru_cache(maxsize=_REMEMBERED)
def _oui_claims(makers: Makers, text: str, *, linked: bool) -> tuple[Claim, ...]:
    mac = normal_mac(text)
    owner = longest_prefix(mac, makers.oui) if mac else None
    if mac is None or owner is None:
        return ()
    where = "on the link layer" if linked else "as it was told, not seen on the link"
    basis, strength = (Basis.HARDWARE, Strength.STRONG) if linked else (Basis.LABEL, Strength.WEAK)
    found = []
    if owner.brand:
        because = f"{mac} ({where}) is from a block of {owner.brand}"
        found.append(Claim("brand", owner.brand, Strength.MEDIUM if linked else Strength.WEAK, basis, "oui", because,
                           "oui.brand", owner.source))
    if owner.maker:
        because = f"{mac} ({where}) is from a block of {makers.name(owner.maker)}"
        found.append(Claim("maker", owner.maker, strength, basis, "oui", because, "oui.maker", owner.source))
    return tuple(found)


def cloud_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """Whose cloud the device talks to, by name; a bare address or an unchecked entry only hints."""
    name = (observation.id,)
    return (claim.of(name) for claim in _says_cloud(observation, index_of(makers)))


def _says_cloud(observation: Observation, index: Index) -> Iterator[Claim]:
    if observation.transport != "egress":
        return
    names = {name.rstrip(".").casefold() for name in (*observation.values("names"), *observation.values("destination"))}
    hits: dict[int, tuple[str, Maker, Cloud]] = {}
    for name in sorted(names):
        for order, maker, cloud in index.clouds(name):
            hits.setdefault(order, (name, maker, cloud))
    for order in sorted(hits):
        name, maker, cloud = hits[order]
        if (cloud.host or cloud.suffix or cloud.address or "").casefold().endswith(_SHARED_HOSTING):
            continue
        strength = Strength.WEAK if cloud.unverified or cloud.address else Strength.MEDIUM
        yield Claim("maker", maker.maker, strength, Basis.CLOUD, "cloud",
                    f"it talks to {name}, {maker.name}'s cloud ({cloud.purpose})", f"{maker.maker}.cloud",
                    cloud.source, cloud.unverified)


def certificate_evidence(observation: Observation, makers: Makers) -> Iterator[Evidence]:
    """A device certificate that was challenged and chained to a maker's root: `chain_verified` is that maker's slug."""
    name = (observation.id,)
    return (claim.of(name) for claim in _says_certificate(observation, makers))


def _says_certificate(observation: Observation, makers: Makers) -> Iterator[Claim]:
    if "chain_verified" not in observation.fields:
        return
    slug = observation.text("chain_verified")
    if observation.transport == "tls" and slug in makers.by_slug:
        yield Claim("maker", slug, Strength.DECISIVE, Basis.CRYPTOGRAPHIC, "device-certificate",
                    f"its device certificate was challenged and chains to {makers.name(slug)}'s root",
                    f"{slug}.certificate")


def claims_of(observation: Observation, makers: Makers) -> tuple[Claim, ...]:
    """All that one observation says, apart from the forms of its model, serial number and firmware."""
    index, fields, transport = index_of(makers), observation.fields, observation.transport
    claims = [*_says_signal(observation, index)]
    for label in _labels(observation):
        claims += _label_claims(index, transport, label)
    if "mac" in fields or "scopes" in fields:
        claims += _says_oui(observation, makers)
    if transport == "egress":
        claims += _says_cloud(observation, index)
    elif transport == "tls":
        claims += _says_certificate(observation, makers)
    if transport == LABEL_ONLY:
        claims = [replace(claim, basis=Basis.LABEL) for claim in claims]
    return tuple(claims)


def evidence_of(observations: Iterable[Observation], makers: Makers) -> list[Evidence]:
    """All evidence of one device's observations, in their order."""
    return [claim.of((seen.id,)) for seen in observations for claim in claims_of(seen, makers)]
