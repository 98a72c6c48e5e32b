"""Who a name means, and to whom a company belonged on a day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import entities, regimes
from rules.entities import Entities, Party, UnknownEntityError
from rules.listing import countries_of, listing_of
from rules.regimes import Relation

KNOWN = entities.load()
REGIMES = {regime.regime: regime for regime in regimes.load()}


@pytest.mark.parametrize(("wanted", "party"), [
    ("dahua", "dahua"),
    ("Dahua Technology Company", "dahua"),
    ("ZheJiang Dahua Technology Stock CO.LTD.", "dahua"),
    ("浙江大华", "dahua"),
    ("ＤＡＨＵＡ", "dahua"),
    ("HIKVISION", "hikvision"),
    ("Hangzhou Hikvision Digital Technology Co., Ltd.", "hikvision"),
    ("하이크비전", "hikvision"),
    ("HiLook", "hikvision"),
    ("Lorex", "lorex"),
    ("Lorex Technology", "lorex"),
    ("EZVIZ", "ezviz"),
    ("hikmicro", "hikmicro"),
    ("hikvision_sub_luopu", "hikvision_sub_luopu"),
    ("Pishan Haishi Yong\N{RIGHT SINGLE QUOTATION MARK}an Electronic Technology Co., Ltd.", "hikvision_sub_pishan"),
    ("HiSilicon", "hisilicon"),
    ("tp-link", "tp_link"),
    ("Tapo", "tp_link"),
    ("Sense Time", "sensetime"),
    ("category:routers", "category:routers"),
    ("Wisenet", "hanwha"),
    ("Teledyne FLIR", "flir"),
])
def test_a_name_finds_its_party(wanted, party):
    assert KNOWN.resolve(wanted).id == party


@pytest.mark.parametrize("slug", ["dahua", "hikvision", "uniview", "tvt", "xiongmai", "axis", "hanwha", "bosch",
                                  "flir"])
def test_a_maker_belongs_to_its_entity(slug):
    assert KNOWN.of_maker(slug) is KNOWN.parties[slug]
    assert KNOWN.parties[slug].country
    assert KNOWN.parties[slug].source


def test_no_maker_has_two_owners():
    slugs = [slug for party in KNOWN.parties.values() for slug in party.makers]
    assert len(slugs) == len(set(slugs))


def test_no_legal_name_means_two_parties():
    for party in KNOWN.parties.values():
        assert KNOWN.resolve(party.name) is party, party.name


@pytest.mark.parametrize("wanted", ["", " ", "Acme Cameras", "dahuaa hikk", "\x00", "Technology Co., Ltd."])
def test_an_unknown_name_is_refused(wanted):
    with pytest.raises(UnknownEntityError):
        KNOWN.resolve(wanted)


def test_a_refusal_names_what_comes_close():
    with pytest.raises(UnknownEntityError) as refusal:
        KNOWN.resolve("Hikvison")
    assert "hikvision" in refusal.value.close
    assert "hikvision" in str(refusal.value)


@given(st.text(max_size=60))
def test_any_text_is_a_party_or_a_refusal(wanted):
    try:
        found = [KNOWN.resolve(wanted).id]
    except UnknownEntityError as refusal:
        found = list(refusal.close)
    assert set(found) <= set(KNOWN.parties)


def test_links_lead_to_known_parties():
    for party in KNOWN.parties.values():
        for link in party.links:
            assert link.to in KNOWN.parties
            assert link.since is None or link.until is None or link.since < link.until
            assert link.source


@pytest.mark.parametrize(("party", "day", "word"), [
    ("lorex", date(2017, 12, 31), "false"),
    ("lorex", date(2020, 1, 1), "by_affiliation"),
    ("lorex", date(2022, 12, 31), "by_affiliation"),
    ("lorex", date(2023, 1, 1), "unresolved"),
    ("dahua_usa", date(2024, 1, 30), "by_affiliation"),
    ("dahua_usa", date(2024, 1, 31), "unresolved"),
    ("luminys", date(2024, 1, 30), "false"),
    ("luminys", date(2024, 1, 31), "unresolved"),
    ("honor", date(2020, 11, 30), "by_affiliation"),
    ("honor", date(2020, 12, 1), "false"),
    ("leapmotor", date(2021, 1, 1), "false"),
    ("ezviz", date(2021, 1, 1), "by_affiliation"),
    ("prama", date(2021, 1, 1), "unresolved"),
    ("hikmicro", date(2019, 8, 12), "not_yet_effective"),
    ("hikmicro", date(2019, 8, 13), "by_affiliation"),
])
def test_889_reaches_subsidiaries_while_they_are_some(party, day, word):
    assert listing_of(REGIMES["US-889-A"], KNOWN.parties[party], KNOWN, day).word == word


@pytest.mark.parametrize(("party", "word"), [
    ("hikmicro", "by_affiliation"), ("ezviz", "false"), ("prama", "unresolved"), ("hikvision_usa", "false"),
    ("hikvision_sub_luopu", "true"), ("tp_link_systems", "false"),
])
def test_the_affiliates_rule_asks_for_half(party, word):
    assert listing_of(REGIMES["US-BIS-EL"], KNOWN.parties[party], KNOWN, date(2025, 10, 15)).word == word


@pytest.mark.parametrize(("party", "word"), [
    ("dahua", "category"), ("tvt", "category"), ("pyronix", "category"), ("axis", "false"), ("hanwha", "false"),
    ("luminys", "unresolved"), ("prama", "unresolved"), ("pacific_networks", "unresolved"),
])
def test_the_uk_category_goes_by_control(party, word):
    assert listing_of(REGIMES["UK-WMS-2022"], KNOWN.parties[party], KNOWN, date(2024, 6, 1)).word == word


def test_control_ends_with_the_sale():
    lorex = KNOWN.parties["lorex"]
    assert countries_of(lorex, KNOWN, date(2020, 1, 1)) == {"CA", "CN"}
    assert countries_of(lorex, KNOWN, date(2024, 1, 1)) == {"CA"}


def test_a_subsidiary_of_a_subsidiary_is_reached():
    def owned(name: str, owner: str) -> Party:
        return Party(name, name, "DE", links=(entities.Link(to=owner, relation=Relation.SUBSIDIARY, source="test"),))

    known = Entities.of([*KNOWN.parties.values(), owned("child", "hikmicro"), owned("grandchild", "child")])
    for name in ("child", "grandchild"):
        assert listing_of(REGIMES["US-889-A"], known.parties[name], known, date(2020, 1, 1)).word == "by_affiliation"


def test_a_ring_of_owners_ends():
    def owned(name: str, owner: str) -> Party:
        return Party(name, name, "DE", links=(entities.Link(to=owner, relation=Relation.SUBSIDIARY, source="test"),))

    known = Entities.of([owned("one", "two"), owned("two", "one")])
    assert listing_of(REGIMES["US-889-A"], known.parties["one"], known, date(2020, 1, 1)).word == "false"
