"""A purpose lifts a law only where all of it is ordinary: what does, what does not, and what never may."""

from __future__ import annotations

import shutil
import unicodedata
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules import bundle, documents, purposes, regimes
from rules.effects import effects_of
from rules.purposes import matches
from rules.vocabulary import ActivityEffect

LAWS = {law.regime: law for law in regimes.load()}
CONDITIONS = [condition for law in LAWS.values() for condition in law.conditions.values() if condition.purposes]
PLAIN = [
    "retail", "Retail store", "retail_store_security", "retail shop", "a shop", "SHOP", "warehouse",
    "warehouse of a retailer",
    "counting queues in a supermarket", "queue counting", "people counting", "counting people at the hotel entrance",
    "hotel lobby", "staff restaurant", "restaurant for our guests", "kitchen", "office kitchen", "office parking",
    "parking lot", "car park for employees", "parking space occupancy", "commercial office", "wildlife observation",
    "bird box in the garden", "livestock on a farm", "shopping mall", "department store", "baby monitor", "gym",
    "ski centre", "museum shop", "art gallery", "time-lapse of a construction site",
    "weather station", "retail, restaurant and hotel", "retail store, 3rd floor", "retail store (ground floor)",
    "shop on floor 2", "the retailer's warehouse", "the retailer\N{RIGHT SINGLE QUOTATION MARK}s warehouse",
    "café", "cafe\N{COMBINING ACUTE ACCENT}", "queue length at the checkout", "packaging line in a factory",
]
REPORTED = [
    "restaurant in GCHQ", "warehouse of the Navy", "army hotel", "shop at RAF Lossiemouth",
    "kitchen at 10 Downing Street",
    "meeting room of the Cabinet Office", "laboratory at Porton Down", "office parking MI5",
    "parking lot of a chemical plant", "warehouse of weapons", "retail store on Fort Bragg", "retail of the Pentagon",
    "warehouse of ammunition", "missile warehouse", "warehouse for explosives", "warehouse uranium",
    "parking lot of Los Alamos", "restaurant at NASA", "shop for the CIA", "warehouse of DHS", "gym of Marines",
    "hotel for troops", "hotel lobby of the Senate", "retail at Guantanamo", "baby monitor 911 dispatch",
    "ballot warehouse",
]
OPEN = [
    "", "  ", "...", "office", "security", "in the", "laboratory", "factory", "meeting room", "qwertz", "shop 911",
    "shop 3", "area 51 cafe",
    "shop floor 300", "shop B2", "shop \N{RADIOACTIVE SIGN}", "shop\N{ZERO WIDTH SPACE}", "not a shop", "not military",
    "no government use",
    "retail without military", "non-military warehouse", "other than retail", "anything but a shop", "former warehouse",
    "home office kitchen", "House office building restaurant", "White House kitchen", "Office of Agriculture",
    "Office of Logistics Management", "Department of Agriculture warehouse", "store and building security",
    "parking and office", "retail; entrance of the building", "restaurant/courtyard", "kitchen & armoury",
    "warehouse in Kiruna", "Kaserne Parkplatz", "restaurant du ministère", "Lagerhalle", "магазин",
    "ｓhop for the ＣＩＡ",
    "sh0p", "shop of the U.S.", "shop in the US", "server farm", "wind farm shop", "shooting gallery", "theatre of war",
    "operating theatre", "pet project of the FBI", "data warehouse", "hospital kitchen", "airport parking",
    "port warehouse", "prison kitchen", "constabulary canteen",
    "kitchen of the embassies",
    "nuclear museum", "camera shop for Langley", "crowd in a shopping mall", "garage of the president",
]
NEVER_SAID = st.text(min_size=1, max_size=12).filter(lambda word: any(sign.isalnum() for sign in word))


@pytest.mark.parametrize("purpose", PLAIN)
def test_what_is_ordinary_to_its_last_word_is_another_purpose(purpose):
    assert {matches(purpose, condition) for condition in CONDITIONS} == {"false"}


@pytest.mark.parametrize("purpose", REPORTED + OPEN)
def test_one_word_beyond_the_ordinary_lifts_nothing(purpose):
    assert {matches(purpose, condition) for condition in CONDITIONS} == {"unknown"}


@pytest.mark.parametrize(("purpose", "law", "answer"), [
    ("shop of the police", "US-889-A", "true"), ("shop of the police", "UK-WMS-2022", "unknown"),
    ("restaurant in a military base", "US-889-A", "true"),
    ("warehouse for national security", "US-FCC-COVERED", "true"),
    ("kitchen on a sensitive site", "UK-WMS-2022", "true"), ("shop, not a sensitive site", "UK-WMS-2022", "unknown"),
])
def test_a_named_purpose_counts_wherever_it_stands(purpose, law, answer):
    condition, = (condition for condition in LAWS[law].conditions.values() if condition.purposes)
    assert matches(purpose, condition) == answer


@pytest.mark.parametrize("purpose", REPORTED)
@pytest.mark.parametrize(("maker", "buyer", "law", "effect"), [
    ("hikvision", "uk_government_department", "UK-WMS-2022", ActivityEffect.PROHIBITED_ON_SENSITIVE_SITES),
    ("dahua", "federal_contractor", "US-889-A", ActivityEffect.PROHIBITED_TO_PROVIDE),
    ("dahua", "fcc_licensee", "US-FCC-COVERED", ActivityEffect.SUBSIDY_RESTRICTED),
])
def test_the_effect_stays_and_is_said_to_be_assumed(purpose, maker, buyer, law, effect):
    found, = effects_of(maker, [buyer], date(2022, 11, 24), purpose=purpose, regimes=[LAWS[law]]).effects
    assert (found.effect, found.condition_met) == (effect, "unknown")
    assert "it was assumed" in found.because


@pytest.mark.parametrize(("buyer", "met"), [("us_federal_agency", "unknown"), ("us_department_of_defense", "true")])
def test_a_condition_on_the_buyer_looks_at_no_purpose(buyer, met):
    asked = {"as_of": date(2026, 11, 22), "purpose": "retail store", "regimes": [LAWS["US-1260H"]]}
    found, = effects_of("dahua", [buyer], **asked).effects
    assert (found.effect, found.condition_met) == (ActivityEffect.PROHIBITED, met)
    assert ("assumed" in found.because) == (met == "unknown")


def vocabulary() -> set[str]:
    ordinary = purposes.load()["ordinary"]
    return {*ordinary.words, *ordinary.beside, *(word for name in ordinary.names for word in name.split())}


@given(harmless=st.sampled_from(PLAIN), word=NEVER_SAID, where=st.integers(0, 12),
       condition=st.sampled_from(CONDITIONS))
def test_any_word_put_into_a_harmless_purpose_keeps_it_open(harmless, word, where, condition):
    known = vocabulary() | {"and", "or", "plus", "first", "second", "third", "top", "ground", "s"}
    told = unicodedata.normalize("NFKC", word).casefold().replace("_", " ").split()
    assume(not known & set(told))
    assume(not any(sign in word for sign in ",;:./&+-()'\"!?_\N{RIGHT SINGLE QUOTATION MARK}"))
    words = harmless.split()
    words.insert(where, word)
    assert matches(" ".join(words), condition) != "false"


@given(text=st.text(max_size=60), condition=st.sampled_from(CONDITIONS))
def test_any_text_has_an_answer(text, condition):
    assert matches(text, condition) in {"true", "false", "unknown"}


def test_what_comes_near_a_named_purpose_is_no_ordinary_word(tmp_path):
    shutil.copytree(documents.folder_of("purposes"), tmp_path / "purposes")
    (tmp_path / "purposes" / "slip.yaml").write_text(
        "{purpose: slip, kind: ordinary, words: plant dam, names: [data shop], beside: harbourmaster, source: x}")
    try:
        bundle.use(tmp_path)
        for purpose, answer in (("shop of the harbourmaster", "false"), ("shop in a plant", "unknown"),
                                ("dam", "unknown"), ("data shop", "unknown")):
            assert matches(purpose, CONDITIONS[0]) == answer
    finally:
        bundle.use(None)
    assert matches("shop of the harbourmaster", CONDITIONS[0]) == "unknown"


def test_the_vocabulary_is_of_one_mind():
    ordinary = purposes.load()["ordinary"]
    near = {word for purpose in purposes.load().values() for word in purpose.near}
    assert not near & vocabulary()
    assert not set(ordinary.words) & set(ordinary.beside)
    assert [word for word in (*ordinary.words, *ordinary.beside) if word != word.casefold()] == []
