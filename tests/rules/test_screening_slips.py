"""Names with one slip: every listed party is still looked at, and other words and names stay what they are."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import catalog
from rules.names import read
from rules.screening import Action, screen
from rules.screening_slips import Slips, is_pinyin

CATALOG = catalog.load()
DAY = date(2026, 11, 22)
SLIPS = Slips([("chinamobile", "China Mobile"), ("meiyapico", "Meiya Pico"), ("boetechnology", "BOE Technology"),
               ("teltronic", "Teltronic"), ("yitutechnologies", "Yitu Technologies"),
               ("comnetllc", "ComNet (USA) LLC")])
OWN = frozenset({"china", "mobile", "technology", "technologies", "unicorn", "usa", "llc"})


@pytest.mark.parametrize(("line", "key", "sure"), [
    ("Chna Mobile", "chinamobile", False), ("China Moblie", "chinamobile", True), ("China obile", "chinamobile", False),
    ("50 x Chinja Mobile SIM", "chinamobile", False), ("Meiya gico", "meiyapico", False),
    ("Meiy aPicoo", "meiyapico", False), ("BEO Technology", "boetechnology", False),
    ("BO Technology", "boetechnology", False), ("BOX Technology", None, False),                   # another acronym
    ("Yktu Technologies", "yitutechnologies", False),
    ("Yifu Technologies", None, False),                # another Chinese name
    ("Meltronic", None, False),                        # one word is measured elsewhere
    ("Tel tronik", "teltronic", False), ("ComNe (USA) LLC", "comnetllc", False),
    ("China Mobile", None, False), ("China Technology", None, False), ("", None, False), ("a", None, False),
])
def test_one_slip(line, key, sure):
    found = SLIPS.nearest(read(line), OWN)
    assert (found.key if found else None, bool(found and found.sure)) == (key, sure)


@pytest.mark.parametrize(("word", "is_one"), [
    ("huawei", True), ("dahua", True), ("hualei", True), ("zhongxing", True), ("qianfang", True), ("emiya", True),
    ("ruawei", False), ("chna", False), ("fixin", False), ("hikvision", False), ("yi", False), ("", False),
])
def test_what_reads_as_chinese(word, is_one):
    assert is_pinyin(word) is is_one


NAMES = sorted({
    written for party in {entry.entity for regime in CATALOG.regimes if regime.category is None
                          for entry in regime.entries}
    if party in CATALOG.entities.parties and not party.startswith("category")
    for written in (CATALOG.entities.parties[party].name, *CATALOG.entities.parties[party].names)
    if written.isascii() and len(written) > 8 and " " in written
    and min(map(len, written.replace("(", "").split()[:2])) > 3})


@given(st.sampled_from(NAMES), st.integers(0, 60), st.sampled_from(["lost", "twice", "changed places"]))
@settings(max_examples=300, deadline=None)
def test_no_listed_name_is_lost_by_a_slip_of_the_hand(name, at, slip):
    """A letter inside a word is left out, typed twice, or changes places with the next."""
    inner = [i for i in range(1, len(name) - 2) if name[i - 1:i + 3].isalpha()]
    i = inner[at % len(inner)]
    text = {"lost": name[:i] + name[i + 1:], "twice": name[:i] + name[i] + name[i:],
            "changed places": name[:i] + name[i + 1] + name[i] + name[i + 2:]}[slip]
    found = screen(text, CATALOG, DAY)
    words = set(text.casefold().replace(",", " ").replace(".", " ").split())
    becomes_a_word = any(word in CATALOG.apart and word not in name.casefold() for word in words)
    assert found.action is not Action.NO_MATCH or becomes_a_word, found.because
