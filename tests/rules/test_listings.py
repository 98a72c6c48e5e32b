"""What imported lists say of makers: who is taken for whom, and what becomes of the law."""

from datetime import date

import pytest

from rules import catalog, makers
from rules.imports import parse
from rules.judgement import Law
from rules.listings import Listings
from rules.snapshots import lay_over

DAY = date(2026, 11, 22)
HEAD = "id,name,aliases,country,programme,listed_on,removed_on,citation\n"
ENTITY_LIST = "Entity List (EL)"


def listings(*rows, source="own"):
    data = (HEAD + "\n".join(rows)).encode()
    snapshot, _ = lay_over(None, parse(data, f"{source}.csv", source=source, dated=DAY))
    return Listings.of([snapshot], makers.load(), catalog.load())


def effects(maker, listed, day=DAY, buyers=("private_company",)):
    found = Law.load(listings=listed).effects_on(makers.load()[maker], buyers, day)
    return {one.regime: one for one in found.effects if str(one.effect) != "none"}, found


@pytest.mark.parametrize(("maker", "name", "effect"), [
    ("axis", "Axis Communications AB", "red_flag"),
    ("axis", "AXIS COMMUNICATIONS", "red_flag"),             # exact but for the legal form
    ("axis", "Axis", "review"),                              # a word with another meaning
    ("ring", "Ring", "review"),
    ("axis", "Axis Communication", None),                    # another name is nobody's here: `screen` asks for slips
    ("axis", "Praxis Communications AB", None),
    ("vivotek", "Vivotek", "red_flag"),                      # one word, but unmistakable
    ("vivotek", "Vivotek Inc.", "red_flag"),
    ("bosch", "Bosch Apotheke", None),
])
def test_who_is_taken_for_the_listed_party(maker, name, effect):
    told, _ = effects(maker, listings(f'1,"{name}",,SE,{ENTITY_LIST},2026-01-02,,FR'))
    without, _ = effects(maker, None)
    new = [str(told[regime].effect) for regime in told if regime not in without]
    assert new == ([effect] if effect else [])
    assert all(told[regime].unverified for regime in told if regime not in without)


def test_an_alias_names_the_maker_too():
    lists = listings(f"1,Holding of Nobody,Axis Communications AB,SE,{ENTITY_LIST},2026-01-02,,FR")
    told, found = effects("axis", lists)
    assert str(told["US-BIS-EL"].effect) == "red_flag"
    assert found.party.country == "SE"


@pytest.mark.parametrize(("day", "listed"), [("2026-01-01", False), ("2026-01-02", True), ("2026-06-29", True),
                                             ("2026-06-30", False)])
def test_a_listing_has_its_days(day, listed):
    lists = listings(f"1,Axis Communications AB,,SE,{ENTITY_LIST},2026-01-02,2026-06-30,FR")
    assert ("US-BIS-EL" in effects("axis", lists, date.fromisoformat(day))[0]) is listed


def test_what_is_shipped_is_not_said_twice_and_a_new_programme_is_for_review():
    lists = listings(f"1,Hangzhou Hikvision Digital Technology Co. Ltd.,,CN,{ENTITY_LIST},2026-01-02,,FR",
                     "2,Hangzhou Hikvision Digital Technology Co. Ltd.,,CN,House rules,2026-01-02,,r 7")
    told, found = effects("hikvision", lists)
    shipped, _ = effects("hikvision", None)
    assert told["US-BIS-EL"] == shipped["US-BIS-EL"]
    assert {one for one in told if one not in shipped} == {"IMPORT-OWN-HOUSE-RULES"}
    assert str(found.overall) == "review"


def test_a_party_that_came_back_to_a_list_is_on_it_again():
    """ZTE left the Entity List in 2017; an import that names it since then counts, one of the old listing does not."""
    again = listings(f"1,ZTE Corporation,,CN,{ENTITY_LIST},2026-02-01,,FR 2")
    old = listings(f"1,ZTE Corporation,,CN,{ENTITY_LIST},2016-03-08,,FR 1")
    assert effects("zte", again)[0]["US-BIS-EL"].listed_on == date(2026, 2, 1)
    assert "US-BIS-EL" not in effects("zte", old)[0]


def test_every_list_that_was_looked_through_is_cited():
    lists = listings("1,Nobody at all,,SE,House rules,2026-01-02,,r")
    assert [one.id for one in lists.versions] == ["import:own"]
    assert effects("axis", lists)[0] == effects("axis", None)[0]
