"""The story of 2020 from the command line: what the law said of Dahua, to whom, on which day."""

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode


@pytest.fixture(scope="module")
def camvet(tmp_path_factory):
    return Camvet(tmp_path_factory.mktemp("desk"))


def ask(camvet, buyer, day, *more):
    document = camvet.json("effects", "dahua", "--buyer", buyer, "--as-of", day, *more)
    return document, {effect["regime"]: effect for effect in document["effects"]}


def test_a_private_company_does_nothing_illegal_but_carries_a_red_flag_and_is_told_why(camvet):
    document, law = ask(camvet, "private_company", "2020-04-30")
    assert document["overall"] == "legal_red_flag"
    assert law["US-BIS-EL"]["listed"] is True
    assert law["US-BIS-EL"]["effect"] == "red_flag"
    assert "84 FR 54002" in law["US-BIS-EL"]["citation"]
    assert law["US-BIS-EL"]["duty"]
    done = camvet.run("effects", "dahua", "--buyer", "private_company", "--as-of", "2020-04-30")
    assert "Xinjiang" in done.stdout
    assert "not legal advice" in (done.stdout + done.stderr).casefold()
    assert done.returncode == ExitCode.FINDINGS


def test_a_federal_agency_is_prohibited_for_the_listed_purposes(camvet):
    document, law = ask(camvet, "us_federal_agency", "2020-04-30")
    assert document["overall"] == "prohibited"
    assert law["US-889-A"]["effect"] == "prohibited"
    assert law["US-889-A"]["binds_buyer"] is True
    assert "public safety" in law["US-889-A"]["condition"]
    assert law["US-889-A"]["condition_met"] == "unknown"


def test_the_purpose_decides_where_the_statute_says_so(camvet):
    _, law = ask(camvet, "us_federal_agency", "2020-04-30", "--purpose", "physical security of a government facility")
    assert law["US-889-A"]["condition_met"] is True
    _, law = ask(camvet, "us_federal_agency", "2020-04-30", "--purpose", "wildlife observation")
    assert law["US-889-A"]["condition_met"] is False
    assert law["US-889-A"]["effect"] == "none"


@pytest.mark.parametrize(("day", "effect"), [("2019-08-12", "none"), ("2019-08-13", "prohibited")])
def test_the_ban_on_agencies_begins_on_its_day(camvet, day, effect):
    _, law = ask(camvet, "us_federal_agency", day, "--activity", "procure")
    assert law["US-889-A"]["effect"] == effect


def test_a_contractor_may_not_provide_them_and_from_august_may_not_use_them(camvet):
    _, law = ask(camvet, "federal_contractor", "2020-04-30")
    assert law["US-889-A"]["effect"] == "prohibited_to_provide"
    assert law["US-889-B"]["in_force"] is False
    _, before = ask(camvet, "federal_contractor", "2020-08-12", "--activity", "use")
    _, after = ask(camvet, "federal_contractor", "2020-08-13", "--activity", "use")
    assert before["US-889-B"]["effect"] == "none"
    assert after["US-889-B"]["effect"].startswith("prohibited")
    assert after["US-889-B"]["binds_buyer"] is True


def test_of_several_roles_the_worst_counts(camvet):
    alone = camvet.json("effects", "dahua", "--buyer", "private_company", "--as-of", "2020-04-30")
    both = camvet.json("effects", "dahua", "--buyer", "private_company", "--buyer", "federal_contractor", "--as-of",
                       "2020-04-30")
    assert alone["overall"] == "legal_red_flag"
    assert both["overall"] == "prohibited"


@pytest.mark.parametrize(("words", "says"), [
    (["effects", "dahuaa", "--buyer", "private_company"], "close to it: dahua"),
    (["effects", "dahua", "--buyer", "martian"], "martian"),
    (["effects", "dahua"], "--buyer"),
    (["effects", "dahua", "--buyer", "private_company", "--as-of", "31.12.2020"], "YYYY-MM-DD"),
])
def test_a_mistake_is_one_line(camvet, words, says):
    done = camvet.run(*words)
    assert done.returncode == ExitCode.USAGE
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
