"""Every fact of the makers that was collected beside the checkout is carried: each line of it has its proof here.

A proof is a reply made up in the fact's form that must point to the maker, a port that is asked, a path that is tried,
a model, serial number or version that fits a form, or the reason why the fact is not carried. They stand in
``data/maker_facts.yaml`` and run everywhere; the walk over the facts themselves, which demands a proof for each, skips
where they are not beside the checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import unseen_replies as made
from ruamel.yaml import YAML

from rules.identity import identify, standings
from rules.index import index_of
from rules.labels import fold
from rules.makers import Brand, load
from rules.oui import longest_prefix
from rules.signals import evidence_of
from rules.vocabulary import Basis, Kind, Strength
from scanner.observation import Observation
from scanner.protocols import PROTOCOLS
from scanner.settings import BASE_PORTS
from scanner.wire import replies

AT = datetime(2026, 11, 22, tzinfo=UTC)
FACTS = Path(__file__).parents[3] / "shared" / "facts"
MAKERS = load()
beside = pytest.mark.skipif(not (FACTS / "fingerprints.json").exists(), reason="no facts beside the checkout")


@dataclass(frozen=True, slots=True)
class Says:
    """A reply in the fact's form. ``weak``: it need do no more than point; else it names the maker and nobody else."""

    transport: str
    data: bytes
    port: int | None = None
    weak: bool = False
    brand: str | None = None
    model: str | None = None
    kind: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """What is asked of a device of this maker, or of every device."""

    tcp: Sequence[int] = ()
    udp: Sequence[Sequence[str | int]] = ()  # transport and port
    rtsp: Sequence[str] = ()
    documents: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Forms:
    """Models with the kind they must be taken for, serial numbers and versions that fit a form of the maker's."""

    models: Mapping[str, str]
    serials: Sequence[str] = ()
    firmware: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """Why a fact is not carried."""

    reason: str


Proof = Says | Asks | Forms | Not


def _proof(said: dict[str, Any]) -> Proof:
    if "reason" in said:
        return Not(said["reason"])
    if "transport" in said:
        text, bare = said.pop("data", ""), said.pop("hex", "")
        return Says(data=bytes.fromhex(bare) or text.encode(), **said)
    if said.keys() <= {"models", "serials", "firmware"}:
        return Forms(**{"models": {}} | said)
    return Asks(**said)


def _carried() -> dict[str, tuple[str, dict[str, list[list[Proof]]]]]:
    vendors = YAML(typ="safe").load((Path(__file__).parent / "data" / "maker_facts.yaml").read_bytes())
    return {
        vendor: (
            told["maker"],
            {key: [[_proof(said) for said in line] for line in lines] for key, lines in told.get("facts", {}).items()},
        )
        for vendor, told in vendors.items()
    }


CARRIED = _carried()
"""The vendor as the facts spell it: our slug, and for each group of facts the proofs of its lines, in their order."""

TOO_BROAD = frozenset({"Huawei (HoloSens)", "ZTE", "TP-Link Tapo/VIGI/Kasa", "Sony (SNC)", "Ubiquiti", "D-Link (DCS)"})
"""Their blocks are on routers and telephones too: the facts count them and do not give them, and none is carried."""

PROOFS = [
    (vendor, key, at, slug, proof)
    for vendor, (slug, groups) in CARRIED.items()
    for key, lines in groups.items()
    for at, proofs in enumerate(lines)
    for proof in proofs
]


def seen(says: Says) -> list[Observation]:
    return replies.read(says.transport, says.port, says.data, device="d", now=AT)


@pytest.mark.parametrize(
    ("vendor", "key", "at", "slug", "proof"), PROOFS, ids=[f"{v}.{k}.{a}" for v, k, a, _, _ in PROOFS]
)
def test_a_fact_is_carried(vendor: str, key: str, at: int, slug: str, proof: Proof) -> None:
    maker = MAKERS[slug]
    if isinstance(proof, Not):
        assert len(proof.reason) > 30
    elif isinstance(proof, Asks):
        assert set(proof.tcp) <= {*BASE_PORTS, *maker.ask.tcp_ports}
        assert {tuple(one) for one in proof.udp} <= {(protocol.transport, protocol.port) for protocol in PROTOCOLS}
        assert set(proof.rtsp) <= set(maker.ask.rtsp_paths)
        assert set(proof.documents) <= {document.path for document in maker.ask.documents}
    elif isinstance(proof, Forms):
        _fits(slug, proof)
    else:
        _says(slug, proof)


def _fits(slug: str, forms: Forms) -> None:
    maker = MAKERS[slug]
    for model, kind in forms.models.items():
        _, known = index_of(MAKERS).model_text(model, slug, None)
        taken = identify(
            "d", replies.read("soap", None, made.onvif(maker.name, model, "1"), device="d", now=AT), MAKERS
        )
        assert known, model
        assert taken.kind == kind, (model, taken.kind)
    for texts, grammars in ((forms.serials, maker.serial), (forms.firmware, maker.firmware)):
        for text in texts:
            assert any(re.search(grammar.pattern, text) for grammar in grammars), text


def _says(slug: str, says: Says) -> None:
    evidence, identity = evidence_of(seen(says), MAKERS), identify("d", seen(says), MAKERS)
    pointed = {standing.maker for standing in standings(evidence)} | {
        item.value for item in identity.evidence if item.claim == "maker"
    }
    icon = says.transport.startswith("favicon")
    if icon:
        assert slug in pointed, identity.evidence
        assert identity.makers in {(), (slug,)}, identity.evidence                  # it names no other
    elif says.weak:
        assert slug in pointed or says.component, identity.evidence
    else:
        assert identity.makers == (slug,), identity.evidence
    if says.component:
        assert any(item.claim == "component" and item.value == says.component for item in evidence)
    branded = says.brand if icon and any(item.value == says.brand for item in evidence) else identity.brand
    for wanted, got in ((says.brand, branded), (says.model, identity.model), (says.kind, identity.kind)):
        assert wanted is None or wanted == got, (wanted, got)


BESIDE_CAMERAS = frozenset({"netgear"})
"""Makers of what stands beside cameras: their file tells what kind of thing it is, and their name does the rest."""


@pytest.mark.parametrize("maker", list(MAKERS), ids=lambda maker: maker.maker)
def test_a_maker_is_known_by_more_than_its_address(maker: Any) -> None:
    assert maker.names or maker.declared
    if maker.maker not in BESIDE_CAMERAS:
        assert any(signal.says == "maker" and signal.strength is not Strength.NOTE for signal in maker.signals)


def test_makers_of_thermal_imagers_alone_make_thermal_imagers() -> None:
    for slug in ("infiray", "guide", "seek", "opgal", "optris", "xenics", "sat-infrared"):
        _fits(slug, Forms({"X100": str(Kind.THERMAL)}))


# -- the walk over the facts themselves ------------------------------------------------------------------------------


@cache
def facts(name: str) -> Any:
    return json.loads((FACTS / name).read_text("utf-8"))


def lines_of(group: Any) -> list[Any]:
    """The lines of one group of facts: a list's entries, or the one value."""
    if isinstance(group, list):
        return group
    return [group]


@beside
def test_every_line_of_every_vendor_has_its_proof() -> None:
    vendors = facts("fingerprints.json")["vendors"]
    assert set(vendors) == set(CARRIED)
    for vendor, groups in vendors.items():
        told = {key: lines_of(group) for key, group in groups.items() if key not in {"oui", "oui_affiliates", "status"}}
        assert {key: len(lines) for key, lines in told.items()} == {
            key: len(proofs) for key, proofs in CARRIED[vendor][1].items()
        }, vendor
        for key, lines in told.items():
            for line, proofs in zip(lines, CARRIED[vendor][1][key], strict=True):
                _names_every_icon(key, line, proofs)


def _names_every_icon(key: str, line: Any, proofs: Sequence[Proof]) -> None:
    if "favicon" in key:
        told = set(re.findall(r"-?[0-9a-f]{8,32}", json.dumps(line["value"])))
        assert told == {proof.data.decode() for proof in proofs if isinstance(proof, Says)}, line


@beside
def test_every_address_block_is_carried() -> None:
    for vendor, groups in facts("fingerprints.json")["vendors"].items():
        slug = CARRIED[vendor][0]
        for key in ("oui", "oui_affiliates"):
            blocks = groups.get(key, {})
            assert "values_count" not in blocks or vendor in TOO_BROAD, vendor
            for prefix in blocks.get("values", ()):
                owner = MAKERS.oui[prefix]
                assert owner.maker == slug, (vendor, prefix, owner)
                assert owner.source
    for prefix in facts("fingerprints.json")["oui_false_friends"]:
        if prefix != "source":
            assert longest_prefix(prefix.ljust(12, "1"), MAKERS.oui) is None, prefix


def plain(name: str) -> str:
    """A name without brackets and their content, case, spaces and signs."""
    return re.sub(r"[\W_]+", "", re.sub(r"\(.*?\)", "", fold(name)).casefold())


CALLED: Mapping[str, tuple[str, ...]] = {
    # As the facts write it: as our files do. An ordinary word is carried with another beside it, lest it name others.
    "FLIR (some, 2012-2018 Lorex era)": ("Teledyne FLIR",),
    "GSS RedLINE / BlueLINE": ("GSS",),
    "Godrej Security (STE-UR/STE-NVR)": ("Godrej",),
    "Godrej SeeThru Eco/ACE": ("Godrej SeeThru",),
    "Grundig Security": ("Grundig",),
    "Lechange / 乐橙": ("Lechange",),
    "DMSS/VTO re-labels: Amcrest AD410, Lorex 2K doorbell": ("Amcrest", "Lorex"),
    "Hanwha Wisenet home kits (Samsung SDR)": ("Samsung SDR kits",),
    "SnapAV Wirepath": ("Wirepath",),
    "UTC/Aritech TruVision": ("Aritech",),
    "Activecam/DSSL (some)": ("ActiveCam",),
    "KMA/Oco": ("KMA",),
    "Security Camera King Elite (some)": ("Security Camera King",),
    "Speco (older": ("Speco",),
    "some)": ("Speco",),  # one name that a comma cut in two
    "Capture": ("Capture CCTV",),
    "LOT": ("LOT CCTV",),
    "Lux": ("Lux CCTV",),
}
STRONGER = frozenset({"DMSS/VTO re-labels: Amcrest AD410, Lorex 2K doorbell"})
"""Two brands that have rows of their own: those say when and how well it is known."""


def carried(slug: str, called: str) -> Brand:
    """The brand of that maker's file; an error names what is missing."""
    found = [
        brand
        for brand in MAKERS[slug].brands
        if plain(called) in {plain(name) for name in (brand.name, *brand.aliases)}
    ]
    assert found, f"{slug} does not know the brand {called}"
    return found[0]


@beside
def test_every_brand_is_carried_with_its_maker_dates_and_doubt() -> None:
    for row in facts("oem_brands.json")["brands"]:
        for slug in (name.replace("_", "-") for name in row["makers"]):
            for called in CALLED.get(row["brand"], (row["brand"],)):
                brand = carried(slug, called)
                assert brand.source, row
                assert brand.own == row["scope"].startswith("own"), row
                if row["brand"] not in STRONGER:
                    assert (brand.since, brand.until) == (row["valid_from"], row["valid_to"]), row
                    assert brand.confidence == row["confidence"], row
                    assert brand.unverified or not row["unverified"], row
                    assert brand.note or not row["note"], row


@beside
def test_every_brand_of_the_fingerprints_is_carried_with_its_blocks_and_icons() -> None:
    for name, row in facts("fingerprints.json")["oem_brands"].items():
        if name in NO_MAKER:
            continue
        for prefix in (*row.get("oui", ()), *row.get("night_owl_oui", ())):
            owner = MAKERS.oui[prefix]
            assert owner.brand or owner.maker == "raysharp", (name, prefix)
        if "favicon_mmh3" in row:
            says = Says("favicon-mmh3", str(row["favicon_mmh3"]).encode())
            assert any(item.claim == "brand" for item in evidence_of(seen(says), MAKERS)), name


NO_MAKER: Mapping[str, str] = {
    "Digital Watchdog": "the facts call its makers mixed and name none; a block that leads to nobody says nothing",
}


@beside
def test_signals_that_give_a_rebrand_away_weigh_as_the_facts_say() -> None:
    """`oem_signals`: what is decisive is decisive, and what is nobody's names nobody."""
    told = {row["weight"] for row in facts("fingerprints.json")["oem_signals"]}
    assert told == {"decisive", "strong", "medium", "note", "zero"}
    for transport in ("dhip", "sadp", "mhed", "xiongmai"):
        assert any(
            signal.strength is Strength.DECISIVE
            and signal.basis is Basis.FIRMWARE
            and transport in signal.see.transport
            for maker in MAKERS
            for signal in maker.signals
        ), transport
    for data in (b"Server: lighttpd/1.4.35", b"Server: Boa/0.94", b"Server: gSOAP/2.8"):
        assert not [item for item in evidence_of(seen(Says("http-header", data)), MAKERS) if item.claim == "maker"]
    nobody = Says("soap", made.wsd("Profile/Streaming", "type/Network_Video_Transmitter"))
    assert not identify("d", seen(nobody), MAKERS).makers
