"""What the law said later, from the command line: every kind of buyer on the days on which something changed."""

from __future__ import annotations

from collections import defaultdict

import pytest
from acceptance.story import Camvet

from rules import buyers

EVERY_BUYER = [word for buyer in sorted(buyers.load()) for word in ("--buyer", buyer)]
DAYS = ("2020-04-30", "2020-08-13", "2021-03-12", "2022-11-25", "2026-11-22")

# (regime, buyer) -> the effect on each of the days; written from the laws, not from an answer.
NEVER = ("none",) * 5
SUPPLY = ("none", "none", "red_flag", "supply_side_frozen", "supply_side_prohibited")
BOUND = {
    "dahua": {
        ("US-889-A", "us_federal_agency"): ("prohibited",) * 5,
        ("US-889-A", "us_department_of_defense"): ("prohibited",) * 5,
        ("US-889-A", "federal_contractor"): ("prohibited_to_provide",) * 5,
        ("US-889-B", "us_federal_agency"): ("none", *("prohibited_to_contract_with_users",) * 4),
        ("US-889-B", "federal_contractor"): ("none", *("prohibited_as_condition_of_contract",) * 4),
        ("US-889-B", "dod_contractor"): ("none", *("prohibited_as_condition_of_contract",) * 4),
        ("US-889-B", "private_company"): NEVER,
        ("US-889-GRANTS", "grant_recipient"): ("none", *("subsidy_restricted",) * 4),
        ("US-FCC-COVERED", "fcc_licensee"): ("none", "none", "red_flag", "subsidy_restricted", "subsidy_restricted"),
        ("US-FCC-COVERED", "us_importer"): SUPPLY,
        ("US-FCC-COVERED", "private_company"): SUPPLY,
        ("US-BIS-EL", "private_company"): ("red_flag",) * 5,
        ("US-BIS-EL", "exporter"): ("export_licence_only",) * 5,
        ("US-1260H", "private_company"): ("none", "none", "none", "red_flag", "red_flag"),
        ("US-1260H", "us_department_of_defense"): (*("none",) * 4, "prohibited"),
        ("US-NS-CMIC", "us_investor"): NEVER,
        ("UK-WMS-2022", "uk_government_department"): (*("none",) * 3, *("prohibited_on_sensitive_sites",) * 2),
        ("UK-PA-2023", "uk_contracting_authority"): (*("none",) * 4, "discretionary_exclusion"),
        ("US-TX", "texas_state_agency"): (*("none",) * 4, "prohibited"),
        ("CA-QC", "qc_public_body"): (*("none",) * 4, "prohibited"),
        ("CA-ICA-HIK", "ca_federal_department"): NEVER,
        ("AU-2023", "au_government"): (*("none",) * 4, "review"),
    },
    "hikvision": {
        ("US-NS-CMIC", "us_investor"): (*("none",) * 3, *("prohibited_to_buy_securities",) * 2),
        ("US-889-B", "federal_contractor"): ("none", *("prohibited_as_condition_of_contract",) * 4),
        ("CA-ICA-HIK", "ca_federal_department"): (*("none",) * 4, "prohibited"),
        ("EU-EP-2021", "european_parliament"): (*("none",) * 3, "red_flag", "red_flag"),
    },
    "uniview": {
        ("US-889-A", "us_federal_agency"): NEVER,
        ("US-889-B", "federal_contractor"): NEVER,
        ("US-FCC-COVERED", "fcc_licensee"): NEVER,
        ("US-BIS-EL", "private_company"): (*("none",) * 4, "red_flag"),
        ("UK-WMS-2022", "uk_government_department"): (*("none",) * 3, *("prohibited_on_sensitive_sites",) * 2),
    },
    "tiandy": {
        ("US-889-A", "us_federal_agency"): NEVER,
        ("US-889-B", "federal_contractor"): NEVER,
        ("US-NS-CMIC", "us_investor"): NEVER,
        ("US-BIS-EL", "private_company"): (*("none",) * 4, "red_flag"),
    },
    "axis": {("US-889-A", "us_federal_agency"): NEVER, ("UK-WMS-2022", "uk_government_department"): NEVER},
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    camvet = Camvet(tmp_path_factory.mktemp("desk"))
    return {(maker, day): camvet.json("effects", maker, *EVERY_BUYER, "--as-of", day)
            for maker in BOUND for day in DAYS}


@pytest.mark.parametrize("maker", BOUND)
@pytest.mark.parametrize("nth", range(len(DAYS)), ids=DAYS)
def test_every_buyer_is_told_what_binds_on_that_day(asked, maker, nth):
    document = asked[maker, DAYS[nth]]
    said = {(row["regime"], row["buyer"]): row["effect"] for row in document["by_role"]}
    expected = {pair: effects[nth] for pair, effects in BOUND[maker].items()}
    assert {pair: said[pair] for pair in expected} == expected
    assert {row["buyer"] for row in document["by_role"]} == set(buyers.load())


def test_nobody_without_a_rule_of_his_own_is_ever_bound(asked):
    """A private buyer carries flags and never a prohibition; an investor's law says nothing of goods."""
    bound = defaultdict(set)
    for (maker, day), document in asked.items():
        for row in document["by_role"]:
            if row["binds_buyer"]:
                bound[maker, day].add((row["regime"], row["buyer"]))
    for said in bound.values():
        assert not {regime for regime, buyer in said if buyer == "private_company"}
        assert {regime for regime, buyer in said if buyer == "us_investor"} <= {"US-NS-CMIC"}
        assert {buyer for regime, buyer in said if regime == "US-NS-CMIC"} <= {"us_investor"}


def test_the_statement_of_the_united_kingdom_names_no_company(asked):
    for maker in ("dahua", "uniview"):
        row, = [row for row in asked[maker, "2022-11-25"]["by_role"]
                if (row["regime"], row["buyer"]) == ("UK-WMS-2022", "uk_government_department")]
        assert row["listed"] == "category"


def test_a_stage_known_only_from_secondary_sources_is_marked(asked):
    row, = [row for row in asked["dahua", "2026-11-22"]["by_role"]
            if (row["regime"], row["buyer"]) == ("US-FCC-COVERED", "us_importer")]
    assert row["unverified"] is True
