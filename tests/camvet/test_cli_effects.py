"""The verb `effects` as it is typed: JSON of the contract, text for a person, exit codes."""

from __future__ import annotations

import json

import pytest

from camvet import cli

KEYS = {"regime", "listed", "in_force", "binds_buyer", "effect", "condition", "condition_met", "duty", "citation",
        "unverified"}


def run(capsys, *words):
    with pytest.raises(SystemExit) as end:
        cli.main(["effects", *words])
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


def rows(out):
    document = json.loads(out)
    return document, {row["regime"]: row for row in document["effects"]}


def test_json_has_the_keys_of_the_contract(capsys):
    code, out, _ = run(capsys, "dahua", "--buyer", "us_federal_agency", "--as-of", "2020-04-30", "--json")
    document, law = rows(out)
    assert code == 1
    assert (document["entity"], document["as_of"], document["buyers"]) == ("dahua", "2020-04-30", ["us_federal_agency"])
    assert document["overall"] == "prohibited"
    assert all(set(row) >= KEYS for row in law.values())
    assert law["US-889-A"]["listed"] is True
    assert law["US-889-A"]["condition_met"] == "unknown"
    assert law["US-FCC-COVERED"]["listed"] is False
    assert law["US-889-B"]["listed"] == "not_yet_effective"
    assert "not legal advice" in document["disclaimer"]


def test_a_purpose_is_true_or_false_in_json(capsys):
    for purpose, met, effect in (("critical infrastructure", True, "prohibited"), ("retail", False, "none")):
        _, out, _ = run(capsys, "dahua", "--buyer", "us_federal_agency", "--as-of", "2020-04-30", "--purpose", purpose,
                        "--json")
        row = rows(out)[1]["US-889-A"]
        assert (row["condition_met"], row["effect"]) == (met, effect)


def test_who_was_removed_is_not_listed(capsys):
    _, out, _ = run(capsys, "megvii", "--buyer", "private_company", "--as-of", "2025-01-07", "--json")
    row = rows(out)[1]["US-1260H"]
    assert (row["listed"], row["removed_on"], row["effect"]) == (False, "2025-01-07", "none")


@pytest.mark.parametrize(("words", "code"), [
    (["axis", "--buyer", "private_company", "--as-of", "2026-11-22"], 0),
    (["dahua", "--buyer", "private_company", "--as-of", "2020-04-30"], 1),
    (["dahua", "--buyer", "fcc_licensee", "--as-of", "2022-01-01"], 1),
    (["hisilicon", "--buyer", "us_federal_agency", "--as-of", "2022-01-01"], 3),
    (["dahua", "--buyer", "private_company", "--as-of", "2020-13-30"], 2),
    (["dahua", "--buyer", "private_company", "--as-of", "20200430"], 2),
    (["dahua", "--buyer", "somebody", "--as-of", "2020-04-30"], 2),
    (["dahua", "--buyer", "private_company", "--activity", "steal"], 2),
    (["dahua", "--buyer", "private_company", "--regime", "US-NOTHING"], 2),
    (["dahua"], 2),
])
def test_exit_codes(capsys, words, code):
    assert run(capsys, *words)[0] == code


def test_an_unknown_entity_is_refused_with_close_names(capsys):
    code, out, err = run(capsys, "hikvison", "--buyer", "private_company")
    assert (code, out) == (2, "")
    assert "hikvision" in err


def test_several_roles_however_they_are_typed(capsys):
    for words in (["--buyer", "private_company", "--buyer", "us_investor"],
                  ["--buyer", "private_company", "us_investor"], ["--buyer", "private_company,us_investor"]):
        code, out, _ = run(capsys, "hikvision", *words, "--as-of", "2022-01-01", "--json")
        document, law = rows(out)
        assert (code, document["buyers"]) == (1, ["private_company", "us_investor"])
        assert law["US-NS-CMIC"]["effect"] == "prohibited_to_buy_securities"
        assert len(document["by_role"]) == 2 * len(law)


def test_one_regime_can_be_asked(capsys):
    _, out, _ = run(capsys, "dahua", "--buyer", "private_company", "--as-of", "2020-04-30", "--regime", "us-bis-el",
                    "--json")
    assert list(rows(out)[1]) == ["US-BIS-EL"]


def test_text_says_why_and_how_far_to_trust_it(capsys):
    code, out, err = run(capsys, "dahua", "--buyer", "private_company", "--as-of", "2020-04-30")
    assert code == 1
    for part in ("legal, with a red flag", "US-BIS-EL  red_flag", "Xinjiang", "84 FR 54002", "not legal advice", "RMA"):
        assert part in out
    assert max(map(len, out.splitlines())) <= 120
    assert err == ""


def test_a_day_after_the_facts_is_remarked(capsys):
    _, _, err = run(capsys, "dahua", "--buyer", "private_company", "--as-of", "2030-01-01")
    assert "collected on" in err
