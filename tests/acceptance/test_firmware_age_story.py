"""How old firmware may be is a number of the policy: it can be set for one judgement, and stays with the verdict."""

import json

import pytest
from acceptance.recorded_site import replies
from acceptance.shell import Shell
from acceptance.story import Camvet


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("ages")


@pytest.fixture(scope="module")
def run(home):
    (home / "replies.jsonl").write_text(replies())
    with Shell(Camvet(home)) as shell:
        assert "7 devices imported" in shell("import", "replies.jsonl", "--policy", "private").out
        yield shell


def ages(run, *words):
    """The finding on age and the policy's name, of each device whose firmware tells when it was built."""
    document = json.loads(run("--json", "judge", *words).out)
    told = {}
    for device in document["devices"]:
        (found,) = [one for one in device["verdict"]["findings"] if one["rule"] == "firmware.old"]
        if found["status"] in {"pass", "fail"}:
            told[device["key"]] = (found["status"], dict(found["facts"])["months allowed"], found["reason"],
                                   device["verdict"]["policy"])
    assert told
    return told


def test_the_number_decides_and_is_said_in_the_finding_and_the_name_of_the_policy(run):
    for words, months, policy in (((), "24", "private"), (("--firmware-months", "1"), "1", "private:firmware_months=1"),
                                  (("--firmware-months", "240"), "240", "private:firmware_months=240"),
                                  (("--policy", "federal:firmware_months=36"), "36", "federal:firmware_months=36")):
        told = ages(run, *words).values()
        assert {(one[1], one[3]) for one in told} == {(months, policy)}
        assert all(f"{months} months ago" in one[2] for one in told)
    assert {one[0] for one in ages(run, "--firmware-months", "1").values()} == {"fail"}
    assert {one[0] for one in ages(run, "--firmware-months", "240").values()} == {"pass"}


def test_what_was_kept_is_reported_with_its_number(run, home):
    run("judge", "--firmware-months", "240", "--keep")
    assert run("--json", "report", "--format", "json", "--out", "page.json").code in {0, 1, 3}
    document = json.loads((home / "page.json").read_text())
    assert document["policy"] == "private:firmware_months=240"
    assert document["buyers"] == ["private_company"]


@pytest.mark.parametrize(("words", "complaint"), [
    (("--firmware-months", "0"), "firmware-months"), (("--firmware-months", "241"), "firmware-months"),
    (("--policy", "private:firmware_months=999"), "no policy"), (("--policy", "private:expires_days=9"), "no policy"),
])
def test_a_number_that_makes_no_sense_is_refused(run, words, complaint):
    done = run("judge", *words)
    assert done.code == 2
    assert complaint in done.err
