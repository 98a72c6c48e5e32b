"""Every row of every list has its day before and its day of, and the same again for the day it came off the list."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from rules import buyers, regimes
from rules.effects import effects_of
from rules.regimes import Entry, Regime

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "regimes.json"
REGIMES = {regime.regime: regime for regime in regimes.load()}
ROWS = [(regime, entry) for regime in REGIMES.values() for entry in regime.entries]
EVERY_ROLE = sorted(buyers.load())
EVE = timedelta(days=1)


def label(value: object) -> str:
    return value.regime if isinstance(value, Regime) else f"{value.entity}-{value.effective_on}" \
        if isinstance(value, Entry) else str(value)


def bites_on(regime: Regime, entry: Entry) -> date:
    """The later of the row's own day and the regime's first."""
    return max(entry.effective_on, min(stage.since for stage in regime.stages))


def standing(regime: Regime, entry: Entry, day: date) -> str:
    """What the regime says of the party on that day, whoever asks."""
    effect, = effects_of(entry.entity, EVERY_ROLE, day, regimes=[regime]).effects
    return str(effect.listed)


def others(regime: Regime, entry: Entry, day: date) -> bool:
    """Whether another row of the same party is in force on that day: a party can be listed twice."""
    return any(other is not entry and other.entity == entry.entity and bites_on(regime, other) <= day
               and (other.removed_on is None or day < other.removed_on) for other in regime.entries)


@pytest.mark.parametrize(("regime", "entry"), ROWS, ids=label)
def test_the_day_before_it_does_not_bite_and_on_the_day_it_does(regime, entry):
    day = bites_on(regime, entry)
    if not others(regime, entry, day - EVE):
        before = standing(regime, entry, day - EVE)
        assert before == ("not_yet_effective" if entry.listed_on < day else "false") or before == "by_affiliation"
    on_the_day = standing(regime, entry, day)
    assert on_the_day in ({"category"} if regime.category is not None else {"true", "unresolved"})


@pytest.mark.parametrize(("regime", "entry"), [row for row in ROWS if row[1].removed_on], ids=label)
def test_a_party_that_was_removed_is_off_from_that_day(regime, entry):
    assert standing(regime, entry, entry.removed_on - EVE) == "true"
    assert standing(regime, entry, entry.removed_on) == "removed"
    effect, = effects_of(entry.entity, EVERY_ROLE, entry.removed_on, regimes=[regime]).effects
    assert effect.removed_on == entry.removed_on


@pytest.mark.parametrize("slug", ["dahua", "hikvision", "huawei", "hytera", "zte", "uniview", "tiandy"])
def test_a_statement_that_names_nobody_still_has_its_day(slug):
    regime = REGIMES["UK-WMS-2022"]
    day = min(stage.since for stage in regime.stages)
    assert day == date(2022, 11, 24)
    for on, listed, effect in ((day - EVE, {"category", "false", "not_yet_effective"}, {"none"}),
                               (day, {"category"}, {"prohibited_on_sensitive_sites"})):
        answer, = effects_of(slug, ["uk_government_department"], on, regimes=[regime]).effects
        assert str(answer.listed) in listed
        assert str(answer.effect) in effect


@pytest.mark.skipif(not FACTS.is_file(), reason="the researched facts are not beside this checkout")
def test_every_dated_row_of_the_facts_is_carried_with_its_days():
    missing = []
    for fact in json.loads(FACTS.read_text(encoding="utf-8"))["regimes"]:
        rows = fact["entries"]
        if not isinstance(rows, list):
            continue
        if REGIMES[fact["id"]].category is not None:        # it names nobody: its days are tested below
            continue
        carried = {(e.listed_on.isoformat(), e.effective_on.isoformat(),
                    e.removed_on.isoformat() if e.removed_on else None) for e in REGIMES[fact["id"]].entries}
        missing += [(fact["id"], row["entity_id"], row["listed_on"], row["effective_on"], row["removed_on"])
                    for row in rows if (row["listed_on"], row["effective_on"], row["removed_on"]) not in carried]
    assert missing == []
