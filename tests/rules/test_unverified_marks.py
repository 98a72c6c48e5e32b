"""What nobody could verify stays marked: from the data to the answer, the order file, the certificate and the page."""

from datetime import timedelta

import pytest
from lxml import html

from camvet.screening import Screened, columns_of
from camvet.shapes import effect_json
from reports import certificate
from rules import buyers, entities, regimes
from rules.effects import effects_of
from rules.screening import Action, Screening

EVERYBODY = tuple(buyers.load())
ENTRIES = [(regime.regime, number) for regime in regimes.load() for number, entry in enumerate(regime.entries)
           if entry.unverified or regime.unverified]
STAGES = [(regime.regime, number) for regime in regimes.load() for number, stage in enumerate(regime.stages)
          if stage.unverified and (stage.binds or stage.advises)]


def named(name):
    return next(regime for regime in regimes.load() if regime.regime == name)


def asked(regime, party, day):
    return effects_of(party, EVERYBODY, day, regimes=[regime])


@pytest.mark.parametrize(("name", "number"), ENTRIES)
def test_an_unverified_entry_is_marked_for_everybody(name, number):
    regime = named(name)
    entry = regime.entries[number]
    day = max(entry.effective_on, regime.effective_from)
    told = asked(regime, entry.entity, day)
    assert {one.unverified for one in told.by_role} == {True}
    assert all(effect_json(one)["unverified"] for one in told.by_role)


@pytest.mark.parametrize(("name", "number"), STAGES)
def test_an_unverified_stage_is_marked_where_it_decides(name, number):
    regime = named(name)
    stage = regime.stages[number]
    day = stage.since
    parties = [entry.entity for entry in regime.entries if max(entry.effective_on, entry.listed_on) <= day
               and (entry.removed_on is None or day < entry.removed_on)] or ["dahua"]
    marked = 0
    for rule in (*stage.binds, *stage.advises):
        for role in rule.buyers if rule.buyers != (regimes.ANYBODY,) else ("us_importer",):
            for activity in rule.activities or ("procure",):
                told = effects_of(parties[0], [role], day, str(activity), regimes=[regime])
                marked += sum(one.unverified for one in told.effects if one.effect == rule.effect)
    assert marked


@pytest.mark.parametrize("party", [one for one in entities.load().parties.values() if one.unverified],
                         ids=lambda party: party.id)
def test_an_unverified_party_is_marked_where_it_is_met_by_what_it_is(party):
    regime = named("UK-WMS-2022")
    told = asked(regime, party.id, regime.effective_from + timedelta(days=1))
    assert {one.unverified for one in told.by_role if one.listed in {"category", "unresolved"}} <= {True}


def test_the_walk_walks():
    assert len(ENTRIES) > 20
    assert len(STAGES) > 5


def test_the_marks_reach_the_order_file_and_the_certificate():
    told = effects_of("dahua", ["us_importer"], regimes.list_version().dated)
    marked = [one.regime for one in told.binding if one.unverified]
    assert "US-FCC-COVERED" in marked
    found = Screening("x", Action.MATCH, "dahua", "Dahua", "self", "x", 1.0, "x")
    cells = columns_of(Screened(found, told, (), told.as_of))
    row = {"query": "x", "action": "match", "name": "Dahua", "relation": "self", "because": "x",
           "overall": str(told.overall), "effects": {one.regime: str(one.effect) for one in told.binding},
           "unverified": marked}
    document = {"by": "a", "screened_on": "b", "as_of": "c", "buyers": ["d"], "lists": [], "rows": [row]}
    page = " ".join(html.document_fromstring(certificate.page(document, None)).text_content().split())
    for one in told.binding:
        mark = " (unverified)" if one.unverified else ""
        binding = "" if one.binds_buyer else " (not binding)"
        assert f"{one.regime} {one.effect}{binding}{mark}" in cells[8]
        assert f"{one.regime} {one.effect}{mark}" in page
