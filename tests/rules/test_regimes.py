"""Every regime proves itself: the walk over the registry that a new law has to pass, and what the data must hold."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rules import buyers, documents, entities, purposes, regimes
from rules.effects import effects_of
from rules.regimes import Activity, Example, Regime

REGIMES = {regime.regime: regime for regime in regimes.load()}
EXAMPLES = [(regime, example) for regime in REGIMES.values() for example in regime.examples]


def name(value: object) -> str:
    if isinstance(value, Regime):
        return value.regime
    return f"{value.entity}-{value.buyer}-{value.on}" if isinstance(value, Example) else str(value)


def answer(regime: Regime, example: Example) -> dict[str, str | bool]:
    effect, = effects_of(example.entity, [example.buyer], example.on, example.activity, example.purpose,
                         regimes=[regime]).effects
    found = {field: getattr(effect, field) for field in example.expect}
    return {field: value if isinstance(value, bool) else str(value) for field, value in found.items()}


@pytest.mark.parametrize(("regime", "example"), EXAMPLES, ids=name)
def test_example_of_the_file_comes_out(regime, example):
    assert answer(regime, example) == dict(example.expect)


@pytest.mark.parametrize("regime", REGIMES.values(), ids=name)
def test_regime_has_its_day_before_and_day_of(regime):
    pairs = [(before, of) for before in regime.examples for of in regime.examples
             if (before.entity, before.buyer, before.activity) == (of.entity, of.buyer, of.activity)
             and before.on + timedelta(days=1) == of.on]
    assert any(answer(regime, before) != answer(regime, of) for before, of in pairs)
    assert any(of.on in {stage.since for stage in regime.stages} | {e.effective_on for e in regime.entries}
               for _, of in pairs)


@pytest.mark.parametrize("regime", REGIMES.values(), ids=name)
def test_regime_says_where_it_comes_from(regime):
    assert regime.citation
    assert regime.sources
    assert regime.dated >= max((e.listed_on for e in regime.entries), default=date.min)
    for entry in regime.entries:
        assert entry.source, entry.entity


@pytest.mark.parametrize("regime", REGIMES.values(), ids=name)
def test_regime_names_only_what_is_known(regime):
    known = entities.load().parties
    assert {e.entity for e in regime.entries} <= set(known)
    assert {slug for negative in regime.not_listed for slug in negative.entities} <= set(known)
    rules = [rule for stage in regime.stages for rule in (*stage.binds, *stage.advises)]
    named = {buyer for rule in rules for buyer in rule.buyers} | {b for duty in regime.duties for b in duty.buyers}
    assert named <= {*buyers.load(), regimes.ANYBODY}
    for condition in regime.conditions.values():
        assert {*condition.purposes, *condition.doubtful} <= set(purposes.load())


@pytest.mark.parametrize("regime", REGIMES.values(), ids=name)
def test_dates_are_in_order(regime):
    for entry in regime.entries:
        assert entry.listed_on <= entry.effective_on, entry.entity
        assert entry.removed_on is None or entry.effective_on < entry.removed_on, entry.entity
    for stage in regime.stages:
        assert stage.until is None or stage.since < stage.until
    begins = [reach.since for reach in regime.reach[1:]]
    assert None not in begins
    assert begins == sorted(begins)


@pytest.mark.parametrize("regime", [r for r in REGIMES.values() if not r.entries and r.category is None], ids=name)
def test_a_list_without_rows_admits_that_it_could_not_be_verified(regime):
    assert regime.unverified or any(negative.unverified for negative in regime.not_listed)


def test_the_file_of_facts_is_carried_whole():
    assert set(REGIMES) == {
        "US-889-A", "US-889-B", "US-889-GRANTS", "US-FCC-COVERED", "US-BIS-EL", "US-1260H", "US-NS-CMIC", "US-UFLPA",
        "US-FASCSA", "US-S5949", "US-1634", "US-TX", "US-STATES-OTHER", "UK-WMS-2022", "UK-PA-2023", "AU-2023",
        "CA-ICA-HIK", "CA-QC", "IN-ER-CCTV", "EU-EP-2021", "EU-359-2011", "NL-AMS", "OTHER-INDEX"}


@pytest.mark.parametrize("slug", ["uniview", "tvt", "xiongmai", "tiandy", "axis", "hanwha", "bosch", "flir"])
@pytest.mark.parametrize("regime", ["US-889-A", "US-889-B"])
def test_who_is_not_named_in_889(regime, slug):
    assert slug not in {entry.entity for entry in REGIMES[regime].entries}


@pytest.mark.parametrize("slug", [e.entity for e in REGIMES["US-889-A"].entries])
@pytest.mark.parametrize(("regime", "start"), [("US-889-A", date(2019, 8, 13)), ("US-889-B", date(2020, 8, 13))])
def test_889_starts_on_its_day_for_each_of_the_five(regime, start, slug):
    for day, listed, in_force in ((start - timedelta(days=1), "not_yet_effective", False), (start, "true", True)):
        effect, = effects_of(slug, ["us_federal_agency"], day, regimes=[REGIMES[regime]]).effects
        assert (effect.listed, effect.in_force) == (listed, in_force)
        assert (effect.effect != "none") is in_force


def test_the_bis_reach_follows_its_windows():
    reach = REGIMES["US-BIS-EL"].reach_on
    windows = {date(2019, 1, 1): "listed_only", date(2025, 9, 28): "listed_only", date(2025, 9, 29): "owned_50",
               date(2025, 11, 9): "owned_50", date(2025, 11, 10): "listed_only", date(2026, 11, 9): "listed_only",
               date(2026, 11, 10): "unresolved"}
    assert {day: reach(day).scope for day in windows} == windows


def test_unverified_marks_are_kept():
    bis = {entry.entity: entry for entry in REGIMES["US-BIS-EL"].entries}
    assert bis["tiandy"].unverified
    assert not bis["dahua"].unverified
    texas = {entry.entity: entry for entry in REGIMES["US-TX"].entries}
    assert texas["dahua"].unverified
    assert not texas["uniview"].unverified


@pytest.mark.parametrize("change", [
    {"stages": []},
    {"entries": [{"entity": "dahua", "name": "x", "listed_on": "2020-01-01", "effective_on": "2020-01-01",
                  "condition": "nowhere"}]},
    {"entries": [{"entity": "dahua", "name": "x", "listed_on": "2020-01-01", "effective_on": "2020-01-01",
                  "source": "NOWHERE"}]},
    {"unheard_of": True},
], ids=["no stage", "condition not described", "source not described", "unknown key"])
def test_a_regime_that_does_not_hang_together_is_refused(change):
    whole = REGIMES["US-1634"].model_dump()
    assert Regime.model_validate(whole) == REGIMES["US-1634"]
    with pytest.raises(ValueError, match=r"stage|not described|Extra"):
        Regime.model_validate({**whole, **change})


def test_list_version_follows_the_data():
    version = regimes.list_version()
    assert version.dated == min(regime.dated for regime in REGIMES.values())
    assert version.version == documents.digest_of(*documents.LAW)
    assert {"regimes", "entities", "buyers", "purposes", "effects"} <= set(documents.LAW)


def test_activities_are_the_words_of_the_contract():
    assert set(Activity) == {"procure", "use", "provide", "import", "market", "export_to", "invest", "subsidise",
                             "contract"}
