"""Where goods go: what a cell of an order means, whom it adds, and what is said where nobody modelled a law."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import buyers
from rules.delivery import delivery_to, load


@pytest.mark.parametrize(("text", "roles"), [
    ("federal site", {"federal_contractor", "us_federal_agency"}),
    ("VA hospital, Houston", {"federal_contractor", "us_federal_agency"}),
    ("military base", {"dod_contractor", "us_department_of_defense"}),
    ("DoD", {"dod_contractor", "us_department_of_defense"}),
    ("US military base, Germany", {"dod_contractor", "us_department_of_defense", "eu_person"}),
    ("school/E-Rate", {"fcc_licensee"}),
    ("UK government department", {"uk_government_department", "uk_contracting_authority"}),
    ("military base, UK", {"uk_government_department", "uk_contracting_authority"}),
    ("NHS trust", {"uk_contracting_authority"}),
    ("federal building, Canada", {"ca_federal_department", "private_company_ca"}),
    ("Quebec hospital", {"qc_public_body", "private_company_ca"}),
    ("Texas state agency", {"texas_state_agency"}),
    ("federal site; Canada", {"federal_contractor", "us_federal_agency", "private_company_ca"}),
    *((text, set()) for text in ("US", "USA", "us-tx", "Vereinigte Staaten", "États-Unis", "美国", "Ohio warehouse")),
    *((text, {"private_company_ca"}) for text in ("CA", "CAN", "CA-BC", "Canada", "Kanada", "加拿大", "in Canada")),
])
def test_who_is_judged_beside_the_buyer(text, roles):
    found = delivery_to(text)
    assert {one.role for one in found.judged} == roles
    assert bool(found.not_assessed) == ("Germany" in text)


@pytest.mark.parametrize("text", ["Mars", "FR", "Deutschland", "military base, Poland", "German federal building", "JP",
                                  "Los Angeles, CA", "Tbilisi, Georgia", "school, Canada", "TW", "", "\x00", "US; M"])
def test_a_place_without_a_modelled_law_is_not_assessed(text):
    assert delivery_to(text).not_assessed.startswith("not assessed: no law of ")


@pytest.mark.parametrize(("text", "told"), [
    ("GB", "departments and contracting authorities"),
    ("Australia", "Commonwealth departments"),
    ("Quebec", "public bodies of Quebec"),
    ("Canada", "federal departments and the public bodies of Quebec"),
])
def test_a_country_whose_laws_bind_only_its_government_says_so(text, told):
    found = delivery_to(text)
    assert any(told in one for one in found.says)
    assert not found.not_assessed


def test_sending_abroad_is_export_only_where_the_recipient_is_listed():
    assert any("only where the recipient is on the Entity List" in one for one in delivery_to("Canada").says)
    assert not any("recipient" in one for one in delivery_to("Canada", "Somebody Ltd").says)
    assert not any("recipient" in one for one in delivery_to("US").says)


def test_who_buys_in_the_united_states_is_told_whom_the_supply_side_binds():
    found = delivery_to("US")
    assert not found.judged
    assert "who buys it is not" in found.says[0]


def test_what_was_supposed_is_said():
    assert any("no country is named" in one for one in delivery_to("federal site").says)
    assert not any("no country is named" in one for one in delivery_to("federal site, Ohio").says)


def test_every_place_is_whole():
    places = load()
    claimed = [code for place in places.values() for code in place.codes]
    assert len(claimed) == len(set(claimed))
    for place in places.values():
        assert {one.role for one in place.judged} <= set(buyers.load())
        assert all(len(one.because) > 20 for one in place.judged)
        assert {place.country, place.government} - {None} <= set(places)
        assert place.law != "government_only" or place.says
        assert delivery_to((*place.names, *place.generic)[0]).places[0] is place, place.place


@given(st.text())
def test_any_cell_is_either_understood_or_not_assessed(text):
    found = delivery_to(text)
    assert found.places or found.not_assessed
