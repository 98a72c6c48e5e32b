"""What is often said of these laws and is not so: none of it comes out of the command line."""

from __future__ import annotations

import pytest
from acceptance.shell import Shell
from acceptance.story import Camvet

DAYS = ("2019-08-13", "2020-08-13", "2021-08-02", "2022-12-16", "2024-12-10", "2026-11-22")
NAMED_IN_889 = ("dahua", "hikvision", "hytera", "huawei", "zte")
SELLERS_WORDS = ("NDAA compliant", "NDAA Section 889 compliant, TAA origin", "made in Taiwan, TAA", "NDAA konform",
                 "100% NDAA/TAA")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with Shell(Camvet(tmp_path_factory.mktemp("desk"))) as running:
        yield running


def law(run, entity, buyer, day, *more):
    document = run("--json", "effects", entity, "--buyer", buyer, "--as-of", day, *more).json
    return document, {row["regime"]: row for row in document["effects"]}


@pytest.mark.parametrize("day", DAYS)
def test_dahua_is_not_on_the_list_of_military_industrial_companies(run, day):
    assert law(run, "dahua", "us_investor", day)[1]["US-NS-CMIC"]["listed"] is False
    assert law(run, "hikvision", "us_investor", day)[1]["US-NS-CMIC"]["listed"] is (day >= "2021-08-02")


@pytest.mark.parametrize("maker", ["uniview", "tiandy", "tvt", "reolink"])
@pytest.mark.parametrize("buyer", ["us_federal_agency", "federal_contractor"])
def test_section_889_names_five_producers_and_no_other(run, maker, buyer):
    _, told = law(run, maker, buyer, "2026-11-22")
    assert {(told[name]["listed"], told[name]["effect"]) for name in ("US-889-A", "US-889-B")} == {(False, "none")}


@pytest.mark.parametrize("maker", ["dahua", "hikvision", "uniview", "reolink"])
def test_the_statement_of_the_united_kingdom_names_no_company(run, maker):
    row = law(run, maker, "uk_government_department", "2026-11-22")[1]["UK-WMS-2022"]
    assert (row["listed"], row["listed_on"]) == ("category", None)
    assert "names none" in row["because"]


@pytest.mark.parametrize("maker", NAMED_IN_889)
@pytest.mark.parametrize("day", DAYS)
def test_a_private_company_breaks_no_section_889(run, maker, day):
    document, told = law(run, maker, "private_company", day)
    assert not any(told[name]["binds_buyer"] for name in ("US-889-A", "US-889-B", "US-889-GRANTS"))
    assert document["overall"] in {"legal", "legal_red_flag", "review"}


@pytest.mark.parametrize("words", SELLERS_WORDS)
@pytest.mark.parametrize("line", ["DAHUA DH-IPC-HFW2431S", "HIKVISION DS-2CD2143G2-I dome", "DS-2CD2143G2-I",
                                  "IPC-HFW2431S bullet camera"])
def test_a_sellers_word_is_no_proof(run, line, words):
    done = run("--json", "screen", f"{line} {words}", "--buyer", "us_federal_agency", "--as-of", "2026-11-22")
    assert (done.code, done.json["action"], done.json["overall"]) == (1, "match", "prohibited")


@pytest.mark.parametrize("words", SELLERS_WORDS)
def test_a_sellers_word_settles_no_label(run, words):
    done = run("--json", "screen", f"Amcrest IP5M-T1179EW turret {words}", "--buyer", "us_federal_agency")
    assert done.json["action"] != "no_match"
