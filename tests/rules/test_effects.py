"""What the law says, told as the stories it has to get right, and as properties that must never break."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import buyers, entities, purposes, regimes
from rules.buyers import UnknownBuyerError
from rules.effects import effects_of
from rules.regimes import Activity
from rules.vocabulary import ActivityEffect, Overall

APRIL_2020 = date(2020, 4, 30)
TODAY = date(2026, 11, 22)
STATUTORY = ["public safety", "government_facilities", "Security of Government facilities", "critical-infrastructure",
             "National security", "public safety cameras downtown"]
ELSEWHERE = ["retail", "retail_store_security", "wildlife", "parking", "staff restaurant", "commercial office"]
UNCLEAR = ["security", "office", "qwertz", "not public safety", "critcal infrastructure", "power plant retail",
           "fever screening", "publik safety"]


def ask(entity, buyer, day, activity=None, purpose=None):
    roles = [buyer] if isinstance(buyer, str) else buyer
    found = effects_of(entity, roles, day, activity, purpose)
    return {effect.regime: effect for effect in found.effects}, found.overall


def test_april_2020_a_private_company_buys_legally_but_with_a_red_flag():
    law, overall = ask("dahua", "private_company", APRIL_2020)
    assert overall is Overall.LEGAL_RED_FLAG
    bis = law["US-BIS-EL"]
    assert (bis.listed, bis.in_force, bis.binds_buyer, bis.effect) == ("true", True, False, ActivityEffect.RED_FLAG)
    assert bis.listed_on == date(2019, 10, 9)
    assert "Xinjiang" in bis.why_listed
    assert "84 FR 54002" in bis.citation
    assert any("RMA" in duty and "licence" in duty for duty in bis.duty)
    assert not any(effect.binds_buyer for effect in law.values())
    assert not any(str(effect.effect).startswith("prohibited") for effect in law.values())


def test_april_2020_an_agency_may_not_buy_for_the_listed_purposes():
    law, overall = ask("dahua", "us_federal_agency", APRIL_2020)
    assert overall is Overall.PROHIBITED
    rule = law["US-889-A"]
    assert (rule.effect, rule.binds_buyer, rule.condition_met) == (ActivityEffect.PROHIBITED, True, "unknown")
    assert "assumed" in rule.because
    assert law["US-889-B"].effect is ActivityEffect.NONE


def test_april_2020_a_contractor_may_not_provide_but_may_still_use():
    law, overall = ask("dahua", "federal_contractor", APRIL_2020)
    assert overall is Overall.PROHIBITED
    assert (law["US-889-A"].effect, law["US-889-A"].activity) == (ActivityEffect.PROHIBITED_TO_PROVIDE, "provide")
    assert ask("dahua", "federal_contractor", APRIL_2020, "use")[1] is Overall.LEGAL_RED_FLAG


@pytest.mark.parametrize("role", ["federal_contractor", "dod_contractor"])
@pytest.mark.parametrize(("day", "effect", "overall"), [
    (date(2020, 8, 12), "none", Overall.LEGAL_RED_FLAG),
    (date(2020, 8, 13), "prohibited_as_condition_of_contract", Overall.PROHIBITED),
])
def test_a_contractor_may_use_it_until_august_2020(role, day, effect, overall):
    law, found = ask("dahua", role, day, "use")
    assert (law["US-889-B"].effect, found) == (effect, overall)
    if effect != "none":
        assert any("one business day" in duty for duty in law["US-889-B"].duty)
        assert any("52.204-24" in duty for duty in law["US-889-B"].duty)
        assert any("52.204-26" in duty for duty in law["US-889-B"].duty)


@pytest.mark.parametrize(("day", "effect", "overall"), [
    (date(2019, 8, 12), "none", Overall.LEGAL),
    (date(2019, 8, 13), "prohibited", Overall.PROHIBITED),
])
def test_an_agency_may_buy_until_august_2019(day, effect, overall):
    law, found = ask("hikvision", "us_federal_agency", day)
    assert (law["US-889-A"].effect, found) == (effect, overall)


@pytest.mark.parametrize("purpose", STATUTORY)
def test_a_listed_purpose_meets_the_condition(purpose):
    law, overall = ask("dahua", "us_federal_agency", APRIL_2020, purpose=purpose)
    assert (law["US-889-A"].condition_met, overall) == ("true", Overall.PROHIBITED)


@pytest.mark.parametrize("purpose", ELSEWHERE)
def test_another_purpose_lifts_the_effect(purpose):
    law, overall = ask("dahua", "us_federal_agency", APRIL_2020, purpose=purpose)
    assert (law["US-889-A"].condition_met, law["US-889-A"].effect) == ("false", ActivityEffect.NONE)
    assert overall is Overall.LEGAL_RED_FLAG          # the Entity List does not look at the purpose


@pytest.mark.parametrize("purpose", UNCLEAR)
def test_an_unclear_purpose_lifts_nothing(purpose):
    law, overall = ask("dahua", "us_federal_agency", APRIL_2020, purpose=purpose)
    assert (law["US-889-A"].condition_met, overall) == ("unknown", Overall.PROHIBITED)
    assert "cannot be told" in law["US-889-A"].because


def test_no_purpose_lifts_what_has_no_purpose_limit():
    law, overall = ask("huawei", "us_federal_agency", APRIL_2020, purpose="retail")
    assert (law["US-889-A"].effect, overall) == (ActivityEffect.PROHIBITED, Overall.PROHIBITED)


def test_the_freeze_of_authorisations_does_not_look_at_one_buyers_purpose():
    law, _ = ask("dahua", "private_company", date(2024, 1, 1), purpose="retail")
    assert law["US-FCC-COVERED"].effect is ActivityEffect.SUPPLY_SIDE_FROZEN


@pytest.mark.parametrize(("role", "activity", "day", "effect", "overall"), [
    ("fcc_licensee", None, date(2021, 5, 10), "red_flag", Overall.LEGAL_RED_FLAG),
    ("fcc_licensee", None, date(2021, 5, 11), "subsidy_restricted", Overall.RESTRICTED),
    ("private_company", "import", date(2022, 11, 10), "red_flag", Overall.LEGAL_RED_FLAG),
    ("private_company", "import", date(2022, 11, 11), "supply_side_frozen", Overall.RESTRICTED),
    ("private_company", "market", date(2026, 7, 15), "supply_side_frozen", Overall.RESTRICTED),
    ("private_company", "market", date(2026, 7, 16), "supply_side_prohibited", Overall.PROHIBITED),
    ("private_company", "procure", date(2026, 7, 16), "supply_side_prohibited", Overall.LEGAL_RED_FLAG),
    ("private_company", "use", date(2026, 7, 16), "red_flag", Overall.LEGAL_RED_FLAG),
    ("equipment_manufacturer_or_importer", None, date(2026, 7, 16), "supply_side_prohibited", Overall.PROHIBITED),
])
def test_the_fcc_list_bites_by_stages(role, activity, day, effect, overall):
    law, found = ask("dahua", role, day, activity)
    assert (law["US-FCC-COVERED"].effect, found) == (effect, overall)


def test_an_unverified_stage_is_marked():
    law, _ = ask("dahua", "private_company", TODAY, "market")
    assert law["US-FCC-COVERED"].unverified


def test_export_needs_a_licence_whoever_exports():
    for role in buyers.load():
        law, _ = ask("uniview", role, date(2025, 1, 1), "export_to")
        assert law["US-BIS-EL"].effect is ActivityEffect.EXPORT_LICENCE_ONLY
        assert law["US-BIS-EL"].binds_buyer


@pytest.mark.parametrize("slug", ["uniview", "tvt", "xiongmai", "tiandy"])
def test_no_other_maker_is_an_889_entity(slug):
    law, _ = ask(slug, ["us_federal_agency", "federal_contractor"], TODAY)
    for regime in ("US-889-A", "US-889-B"):
        assert (law[regime].listed, law[regime].effect) == ("false", ActivityEffect.NONE)


def test_uniview_joins_the_entity_list_in_december_2024():
    before, after = (ask("uniview", "private_company", date(2024, 12, day)) for day in (9, 10))
    assert (before[0]["US-BIS-EL"].listed, before[1]) == ("false", Overall.LEGAL)
    assert (after[0]["US-BIS-EL"].listed, after[1]) == ("true", Overall.LEGAL_RED_FLAG)


def test_a_maker_of_parts_is_for_review():
    law, overall = ask("hisilicon", "us_federal_agency", date(2022, 1, 1))
    assert (law["US-889-A"].listed, law["US-889-A"].effect) == ("by_affiliation", ActivityEffect.REVIEW)
    assert overall is Overall.REVIEW
    assert "chip" in law["US-889-A"].because


def test_the_affiliates_rule_is_unresolved_after_its_suspension():
    law, overall = ask("hikmicro", "private_company", TODAY)
    assert (law["US-BIS-EL"].listed, law["US-BIS-EL"].effect) == ("unresolved", ActivityEffect.REVIEW)
    assert law["US-BIS-EL"].unverified
    assert overall is Overall.REVIEW


def test_a_sold_subsidiary_is_for_review_and_not_clean():
    law, overall = ask("lorex", "us_federal_agency", date(2024, 1, 1))
    assert (law["US-889-A"].listed, overall) == ("unresolved", Overall.REVIEW)


def test_indexed_measures_are_for_review_and_only_for_whom_they_concern():
    assert ask("axis", "state_agency", TODAY)[1] is Overall.REVIEW
    assert ask("axis", "other_public_body", TODAY)[1] is Overall.REVIEW
    assert ask("axis", "private_company", TODAY)[1] is Overall.LEGAL


def test_investors_and_buyers_of_goods_are_told_apart():
    law, overall = ask("hikvision", "us_investor", date(2022, 1, 1))
    assert (law["US-NS-CMIC"].effect, overall) == (ActivityEffect.PROHIBITED_TO_BUY_SECURITIES, Overall.PROHIBITED)
    law, overall = ask("hikvision", "private_company", date(2022, 1, 1))
    assert (law["US-NS-CMIC"].binds_buyer, overall) == (False, Overall.LEGAL_RED_FLAG)
    assert ask("dahua", "us_investor", TODAY)[0]["US-NS-CMIC"].listed == "false"


def test_of_several_roles_the_worst_counts():
    roles = ["private_company", "us_federal_agency"]
    for order in (roles, roles[::-1]):
        law, overall = ask("dahua", order, APRIL_2020)
        assert (law["US-889-A"].effect, law["US-889-A"].buyer) == (ActivityEffect.PROHIBITED, "us_federal_agency")
        assert overall is Overall.PROHIBITED
    everything = effects_of("dahua", roles, APRIL_2020).by_role
    assert {(e.regime, e.buyer) for e in everything} == {(r.regime, b) for r in regimes.load() for b in roles}


def test_a_conditional_law_knows_its_buyer():
    day = date(2026, 6, 30)
    assert ask("tp_link", "us_department_of_defense", day)[0]["US-1260H"].condition_met == "true"
    assert ask("tp_link", "us_federal_agency", day)[0]["US-1260H"].condition_met == "unknown"


@pytest.mark.parametrize(("given_", "error"), [
    ({"entity": "nobody at all"}, LookupError), ({"buyers": ["nobody"]}, UnknownBuyerError),
    ({"buyers": []}, ValueError), ({"activity": "steal"}, ValueError),
])
def test_a_question_that_cannot_be_answered_is_refused(given_, error):
    with pytest.raises(error):
        effects_of(**{"entity": "dahua", "buyers": ["private_company"], "as_of": TODAY, **given_})


def test_every_effect_has_a_meaning_and_every_buyer_a_default():
    for effect in ActivityEffect:
        assert buyers.overall_of(effect, binds=True) in Overall
        assert buyers.overall_of(effect, binds=False) in {Overall.LEGAL, Overall.LEGAL_RED_FLAG, Overall.REVIEW}
    for role in buyers.load().values():
        assert role.does
        assert set(role.is_also) <= set(buyers.load())
        assert buyers.roles_of(role)[0] == role.buyer


def test_every_word_of_a_purpose_is_of_one_mind():
    ordinary = {word for p in purposes.load().values() if p.kind == "ordinary" for word in p.words}
    for purpose in purposes.load().values():
        assert not ordinary & set(purpose.near), purpose.purpose


DAYS = st.dates(date(2015, 1, 1), date(2028, 12, 31))
PARTIES = st.sampled_from(sorted(entities.load().parties))
ROLES = st.lists(st.sampled_from(sorted(buyers.load())), min_size=1, max_size=2, unique=True)
WHAT = st.one_of(st.none(), st.sampled_from(list(Activity)))
WHY = st.one_of(st.none(), st.text(max_size=20), st.sampled_from(STATUTORY + ELSEWHERE + UNCLEAR))


@settings(deadline=None, max_examples=150)
@given(party=PARTIES, roles=ROLES, day=DAYS, activity=WHAT, purpose=WHY)
def test_nothing_is_said_that_does_not_follow(party, roles, day, activity, purpose):
    found = effects_of(party, roles, day, activity, purpose)
    assert [e.regime for e in found.effects] == [r.regime for r in regimes.load()]
    amounts = {buyers.overall_of(e.effect, binds=e.binds_buyer) for e in found.effects}
    assert found.overall in amounts
    assert (found.overall is Overall.LEGAL) == (amounts == {Overall.LEGAL})
    for effect in found.effects:
        assert effect.because
        assert effect.citation
        if effect.effect is not ActivityEffect.NONE:
            assert effect.in_force
            assert effect.source
            assert effect.listed not in {"removed", "not_yet_effective"}
        if effect.listed == "unresolved":
            assert effect.effect in {ActivityEffect.NONE, ActivityEffect.REVIEW}
        if effect.effect is not ActivityEffect.NONE and effect.condition_met == "false":
            assert str(effect.effect).startswith("supply_side") or effect.listed == "unresolved"


@settings(deadline=None, max_examples=60)
@given(party=PARTIES, role=ROLES, day=DAYS, purpose=st.text(max_size=20))
def test_no_purpose_makes_it_worse_than_none_given(party, role, day, purpose):
    worse = (Overall.LEGAL, Overall.LEGAL_RED_FLAG, Overall.RESTRICTED, Overall.REVIEW, Overall.PROHIBITED)
    with_, without = (effects_of(party, role, day, purpose=p).overall for p in (purpose, None))
    assert worse.index(with_) <= worse.index(without)


@settings(deadline=None, max_examples=60)
@given(roles=ROLES, day=DAYS, activity=WHAT)
def test_adding_a_role_never_makes_it_milder(roles, day, activity):
    worse = (Overall.LEGAL, Overall.LEGAL_RED_FLAG, Overall.RESTRICTED, Overall.REVIEW, Overall.PROHIBITED)
    alone = effects_of("hikvision", roles[:1], day, activity).overall
    both = effects_of("hikvision", roles, day, activity).overall
    assert worse.index(both) >= worse.index(alone)


def test_the_day_after_the_last_change_is_like_the_last():
    first, second = (effects_of("dahua", ["us_federal_agency"], date(2028, 1, 1) + timedelta(days=n)) for n in (0, 1))
    assert [e.effect for e in first.effects] == [e.effect for e in second.effects]
