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


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """An installation with two imported lists: a regime that is modelled here, and one that is not."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    def keep(name, *rows, dated="2026-11-01"):
        (tmp_path / f"{name}.csv").write_text("name,programme,listed_on,removed_on\n" + "\n".join(rows) + "\n")
        with pytest.raises(SystemExit) as end:
            cli.main(["-q", "lists", "import", str(tmp_path / f"{name}.csv"), "--source", name, "--dated", dated])
        assert end.value.code == 0

    keep("el", "Quantum Lens Works,Entity List (EL),2024-01-01,", "Prism Optics,Entity List (EL),2024-01-01,")
    keep("sdn", "Pantherblick GmbH,SDN,2024-03-01,", "Prism Optics,SDN,2025-01-01,",
         "Zhejiang Dahua Technology,SDN,2025-01-01,", "Former Optics,SDN,2020-01-01,2025-01-01")
    return keep


@pytest.mark.parametrize("asked", ["Pantherblick GmbH", "pantherblick", "import:sdn:Pantherblick GmbH"])
def test_an_imported_party_is_told_with_list_and_programme(desk, capsys, asked):
    code, out, _ = run(capsys, asked, "--buyer", "private_company", "--as-of", "2026-11-22", "--json")
    document, law = rows(out)
    assert (code, document["overall"], document["entity"]) == (3, "review", "import:sdn:Pantherblick GmbH")
    row = law["IMPORT-SDN-SDN"]
    assert (row["listed"], row["effect"], row["unverified"], row["source"]) == (True, "review", True, "sdn")
    assert (row["listed_on"], "programme SDN of the imported list sdn" in row["because"]) == ("2024-03-01", True)
    assert [one["id"] for one in document["lists"]] == ["regimes", "import:el", "import:sdn"]


def test_an_imported_party_is_screened_with_list_programme_and_source(desk, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--json", "screen", "Pantherblick GmbH", "--as-of", "2026-11-22"])
    found = json.loads(capsys.readouterr().out)
    assert (end.value.code, found["action"], found["overall"]) == (1, "match", "review")
    assert found["named_in"] == ["sdn: SDN since 2024-03-01"]
    row, = [one for one in found["effects"] if one["effect"] == "review"]
    assert (row["regime"], row["source"], row["unverified"]) == ("IMPORT-SDN-SDN", "sdn", True)


def test_before_it_was_listed_an_imported_party_has_no_effect(desk, capsys):
    code, out, _ = run(capsys, "Pantherblick GmbH", "--buyer", "private_company", "--as-of", "2024-02-29", "--json")
    assert (code, rows(out)[1]["IMPORT-SDN-SDN"]["effect"]) == (0, "none")


def test_an_imported_listing_of_a_modelled_law_means_what_the_law_says(desk, capsys):
    code, out, _ = run(capsys, "Quantum Lens Works", "--buyer", "private_company", "--as-of", "2026-11-22")
    assert code == 1
    for part in ("US-BIS-EL  red_flag", "(unverified)", "Imported list el", "of 2026-11-01"):
        assert part in out


def test_one_party_on_two_lists_is_told_both(desk, capsys):
    _, out, _ = run(capsys, "Prism Optics", "--buyer", "private_company", "--as-of", "2026-11-22", "--json")
    document, law = rows(out)
    assert (law["US-BIS-EL"]["effect"], law["IMPORT-SDN-SDN"]["effect"]) == ("red_flag", "review")
    assert document["overall"] == "review"


def test_a_shipped_party_keeps_its_laws_and_gets_the_imported_ones(desk, capsys):
    _, out, _ = run(capsys, "dahua", "--buyer", "us_federal_agency", "--as-of", "2026-11-22", "--json")
    document, law = rows(out)
    assert (document["entity"], document["overall"]) == ("dahua", "prohibited")
    assert (law["US-889-A"]["unverified"], law["IMPORT-SDN-SDN"]["effect"]) == (False, "review")
    assert run(capsys, "dahua", "--buyer", "private_company", "--regime", "import-sdn-sdn")[0] == 3


def test_who_was_removed_from_an_imported_list_is_told_so(desk, capsys):
    _, out, _ = run(capsys, "Former Optics", "--buyer", "private_company", "--as-of", "2026-11-22", "--json")
    row = rows(out)[1]["IMPORT-SDN-SDN"]
    assert (row["listed"], row["removed_on"]) == (False, "2025-01-01")


def test_a_misspelt_imported_name_is_offered_and_not_taken(desk, capsys):
    code, out, err = run(capsys, "Pantherblik GmbH", "--buyer", "private_company")
    assert (code, out) == (2, "")
    assert "close to it in an imported list: import:sdn:Pantherblick GmbH" in err


def test_a_label_is_told_from_an_unknown_name(capsys):
    code, out, err = run(capsys, "Amcrest", "--buyer", "private_company")
    assert (code, out) == (2, "")
    assert "label" in err
    assert "dahua" in err
    _, _, err = run(capsys, "zzzz", "--buyer", "private_company")
    assert "label" not in err


def test_a_shipped_maker_on_an_imported_list_is_answered_as_screen_and_judge_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    names = tmp_path / "own.csv"
    names.write_text('name,id,country,programme,listed_on\n"Hanwha Vision Co., Ltd.",1,KR,SDN,2025-02-01\n')

    def say(*words):
        with pytest.raises(SystemExit) as end:
            cli.main(["--db", f"sqlite:///{tmp_path}/x.db", "--json", *words])
        return int(end.value.code or 0), capsys.readouterr().out

    assert say("lists", "import", str(names))[0] == 0
    code, out = say("effects", "Hanwha Vision", "--buyer", "us_federal_agency", "--as-of", "2026-11-22")
    document, law = rows(out)
    assert (code, document["entity"], document["overall"]) == (3, "hanwha", "review")
    assert law["IMPORT-OWN-SDN"]["effect"] == "review"
    code, out = say("screen", "Hanwha XNV-8080R", "--buyer", "us_federal_agency", "--as-of", "2026-11-22")
    line = json.loads(out)
    assert (code, line["action"], line["entity"], line["overall"]) == (1, "match", "hanwha", "review")
    assert "IMPORT-OWN-SDN" in {effect["regime"] for effect in line["effects"]}
