"""A shipped maker that an imported list names: a line that names it, and what the laws say of it."""

from datetime import date

import pytest

from camvet.screening import Screener, exit_code, law_beside, listed_makers
from rules import catalog
from rules.effects import effects_of
from rules.imported import Imported
from rules.imports import parse
from rules.snapshots import lay_over

DAY = date(2026, 11, 22)
LIST = """name,id,aliases,country,programme,listed_on
"Hanwha Vision Co., Ltd.",1,,KR,SDN,2025-02-01
Axis Trading LLC,2,,RU,SDN,2024-01-01
NETGEAR Inc.,3,,US,Entity List,2025-02-01
"""


def screener(day=DAY, text=LIST, buyers=("us_federal_agency",)):
    lists = Imported([lay_over(None, parse(text.encode(), "own.csv", source="own", dated=DAY))[0]], catalog.load())
    return Screener(catalog.load(), buyers, day, asked=True, imported=lists)


NOW, BEFORE = screener(), screener(date(2024, 6, 1))


@pytest.mark.parametrize(
    ("query", "action", "entity"),
    [
        ("Hanwha XNV-8080R", "match", "hanwha"),
        ("Hanwha camera", "match", "hanwha"),
        ("Hanwha", "match", "hanwha"),
        ("2x Samsung Techwin dome", "match", "hanwha"),
        ("wall mount for Hanwha cameras", "review", "hanwha"),
        ("Axis and Hanwha cameras", "match", "hanwha"),
        ("Axis P3245-LVE", "no_match", "axis"),  # of another Axis the list speaks
        ("Netgear camera", "match", None),
    ],
)
def test_a_line_that_names_a_listed_maker(query, action, entity):
    answer = NOW(query)
    assert str(answer.found.action) == action
    assert entity is None or answer.found.entity == entity
    if action != "no_match":
        assert str(answer.effects.overall) != "legal"
        assert exit_code([answer]) != 0


@pytest.mark.parametrize("query", ["Axis P3245-LVE", "AXIS camera"])
def test_a_word_with_another_meaning_is_for_review(query):
    answer = screener(text="name,id,country,programme,listed_on\nAxis,1,RU,SDN,2024-01-01\n")(query)
    assert str(answer.found.action) == "review"
    assert str(answer.effects.overall) == "review"


def test_before_its_listing_it_is_for_review_and_said_to_be_so():
    answer = BEFORE("Hanwha camera")
    assert str(answer.found.action) == "review"
    assert "is not listed there yet on 2024-06-01" in answer.found.because
    assert str(answer.effects.overall) == "legal"


@pytest.mark.parametrize("entity", ["hanwha", "import:own:1"])
def test_the_law_of_a_maker_has_what_the_list_says(entity):
    known = catalog.load()
    entities, regimes = law_beside(entity, NOW.imported, listed_makers(NOW.imported, known), known.entities,
                                   known.regimes)
    found = effects_of(entity, ["us_federal_agency"], DAY, regimes=regimes, entities=entities)
    assert "IMPORT-OWN-SDN" in {effect.regime for effect in found.binding}
    assert str(found.overall) == "review"


def test_lists_that_name_no_maker_change_nothing():
    text = "name,id,country,programme,listed_on\nQuorvex Loom Ltd,1,CN,SDN,2024-01-01\n"
    alone = Screener(catalog.load(), ("us_federal_agency",), DAY, asked=True)
    for query in ("Hanwha camera", "Dahua", "Amcrest turret"):
        assert screener(text=text)(query).found == alone(query).found
