"""One stored sweep, judged and reported for every policy on the days on which the law changed; and by old bundles."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from acceptance.recorded_site import MAKERS, replies
from acceptance.shell import Shell
from acceptance.story import Camvet
from lxml import html

DAYS = ("2020-04-30", "2020-08-13", "2021-03-12", "2022-11-25", "2026-11-22")
POLICIES = ("private", "federal", "contractor", "uk-government")
NEVER = ("none",) * 5

# (policy, maker, regime) -> the effect on each of the days; written from the laws, not from an answer.
TOLD = {
    ("private", "dahua", "US-BIS-EL"): ("red_flag",) * 5,
    ("private", "dahua", "US-889-A"): ("red_flag",) * 5,
    ("private", "dahua", "US-889-B"): NEVER,
    ("private", "dahua", "US-FCC-COVERED"): (
        "none", "none", "red_flag", "supply_side_frozen", "supply_side_prohibited"),
    ("private", "dahua", "US-NS-CMIC"): NEVER,
    ("private", "hikvision", "US-NS-CMIC"): ("none", "none", "none", "red_flag", "red_flag"),
    ("private", "uniview", "US-BIS-EL"): ("none", "none", "none", "none", "red_flag"),
    ("private", "tiandy", "US-BIS-EL"): ("none", "none", "none", "none", "red_flag"),
    ("private", "zte", "US-BIS-EL"): NEVER,
    ("federal", "dahua", "US-889-A"): ("prohibited",) * 5,
    ("federal", "dahua", "US-889-B"): ("none", *("prohibited_to_contract_with_users",) * 4),
    ("federal", "uniview", "US-889-A"): NEVER,
    ("federal", "tiandy", "US-889-B"): NEVER,
    ("federal", "axis", "US-889-A"): NEVER,
    ("contractor", "hikvision", "US-889-A"): ("prohibited_to_provide",) * 5,
    ("contractor", "hikvision", "US-889-B"): ("none", *("prohibited_as_condition_of_contract",) * 4),
    ("uk-government", "dahua", "UK-WMS-2022"): (*("none",) * 3, *("prohibited_on_sensitive_sites",) * 2),
    ("uk-government", "reolink", "UK-WMS-2022"): (*("none",) * 3, *("prohibited_on_sensitive_sites",) * 2),
    ("uk-government", "axis", "UK-WMS-2022"): NEVER,
}
PROHIBITED = {"private": (), "federal": ("dahua", "hikvision", "zte"), "contractor": ("dahua", "hikvision", "zte"),
              "uk-government": ()}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A site that was imported once from recorded replies."""
    home = tmp_path_factory.mktemp("desk")
    camvet = Camvet(home)
    (home / "replies.jsonl").write_text(replies())
    with Shell(camvet) as run:
        assert "7 devices imported" in run("import", "replies.jsonl", "--policy", "federal").out
        yield run, home


@pytest.fixture(scope="module")
def reported(desk):
    """The report of that sweep in JSON and as the text of its page, by policy and day."""
    run, home = desk
    found = {}
    for policy in POLICIES:
        for day in DAYS:
            run("judge", "--policy", policy, "--as-of", day, "--keep")
            assert run("report", "--format", "json", "--out", "page.json").code == 0
            document = json.loads((home / "page.json").read_text())
            assert run("report", "--out", "page.html").code == 0
            page = html.document_fromstring((home / "page.html").read_text())
            for element in page.xpath("//script | //style"):
                element.drop_tree()
            found[policy, day] = document, " ".join(page.text_content().split())
    return found


def effects(document, maker):
    device, = (one for one in document["devices"] if one["identity"]["maker"] == maker)
    return device, {one["regime"]: one for one in device["verdict"]["effects"]}


@pytest.mark.parametrize(("policy", "maker", "regime"), TOLD)
def test_the_report_says_what_the_law_said_on_that_day(reported, policy, maker, regime):
    said = tuple(effects(reported[policy, day][0], maker)[1][regime]["effect"] for day in DAYS)
    assert said == TOLD[policy, maker, regime]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("day", DAYS)
def test_only_whom_a_law_binds_is_prohibited_by_it(reported, policy, day):
    document, _ = reported[policy, day]
    assert document["as_of"] == day
    held = {one["identity"]["maker"] for one in document["devices"] if one["verdict"]["overall"] == "prohibited"}
    late = {"dahua", "hikvision", "reolink", "tiandy", "uniview", "zte"} if (
        policy == "uk-government" and day >= "2022-11-24") else set()
    assert held == {*PROHIBITED[policy], *late}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("day", DAYS)
def test_the_page_tells_every_effect_with_its_citation_and_its_marks(reported, policy, day):
    document, page = reported[policy, day]
    for device in document["devices"]:
        for effect in device["verdict"]["effects"]:
            if effect["effect"] == "none":
                continue
            assert effect["regime"] in page
            assert effect["citation"] in page
            if effect["condition"] and effect["condition_met"] == "unknown":
                assert "assumed" in page
            if effect["unverified"]:
                assert "unverified" in page.casefold()
    assert day in page


def test_removed_not_yet_effective_and_unresolved_are_told_apart(reported):
    early = effects(reported["federal", "2020-04-30"][0], "dahua")[1]
    assert (early["US-889-B"]["listed"], early["US-889-B"]["in_force"]) == ("not_yet_effective", False)
    gone = effects(reported["private", "2020-04-30"][0], "zte")[1]["US-BIS-EL"]
    assert (gone["listed"], gone["removed_on"], gone["effect"]) == ("removed", "2017-03-29", "none")
    assert "was removed on 2017-03-29" in gone["because"]
    absent = effects(reported["private", "2022-11-25"][0], "uniview")[1]["US-BIS-EL"]
    assert absent["listed"] == "false"


def test_common_false_claims_are_not_made(reported):
    for (policy, day), (document, page) in reported.items():
        for device in document["devices"]:
            maker, told = device["identity"]["maker"], {one["regime"]: one for one in device["verdict"]["effects"]}
            if maker == "dahua":
                assert told["US-NS-CMIC"]["listed"] == "false"
            if maker in {"uniview", "tiandy"}:
                assert {told[name]["listed"] for name in ("US-889-A", "US-889-B")} == {"false"}
            if policy == "private":
                assert not any(one["binds_buyer"] and one["effect"] != "none" for one in told.values()), (maker, day)
            if "UK-WMS-2022" in told and told["UK-WMS-2022"]["listed"] != "false":
                assert told["UK-WMS-2022"]["listed"] in {"category", "unresolved"}
        assert not re.search(r"(?i)\billegal\b", page)
        assert "not legal advice" in page.casefold()


def test_an_unverified_stage_stays_marked_in_json_and_on_the_page(reported):
    document, page = reported["private", "2026-11-22"]
    assert effects(document, "dahua")[1]["US-FCC-COVERED"]["unverified"] is True
    assert "unverified" in page.casefold()


def altered(home):
    """The shipped rules as they may be one day: another law, another name of a maker, another severity."""
    from rules.documents import DATA

    copy = home / "rules-of-tomorrow"
    shutil.copytree(DATA, copy)
    for name, old, new in (("regimes/us-889-a.yaml", "entity: dahua", "entity: geovision"),
                           ("makers/dahua.yaml", "name: Dahua\n", "name: Dahua Renamed\n"),
                           ("checks/rtsp.anonymous.yaml", "severity: ", "severity: low # "),
                           ("policies/federal.yaml", "expires_days: 30", "expires_days: 7")):
        path = copy / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    return copy


TOMORROW = """
import sys
from pathlib import Path
from rules import documents
documents.DATA = Path({folder!r})
from camvet.cli import main
main(sys.argv[1:])
"""


def test_an_old_bundle_gives_the_old_answer_when_everything_shipped_has_changed(desk):
    import subprocess
    import sys

    run, home = desk
    words = ("--json", "judge", "--policy", "federal", "--as-of", "2026-11-22")
    run("judge", "--policy", "federal", "--as-of", "2026-11-22", "--keep")
    assert run("keys", "init").code == 0
    assert run("lists", "sign", "--out", "old.bundle").code == 0
    before = run(*words).json
    copy = altered(home)
    camvet = Camvet(home)

    def tomorrow(*more):
        return subprocess.run([sys.executable, "-c", TOMORROW.format(folder=str(copy)), *camvet.command()[3:], *words,
                               *more], capture_output=True, text=True, timeout=120, cwd=home, check=False,
                              env=camvet.environment())

    changed = tomorrow()
    document = json.loads(changed.stdout)
    assert document["devices"] != before["devices"]
    names = ("Laws, lists and listed parties", "Makers, brands and their signals", "Checks", "Policies")
    for name in names:
        assert any(one.startswith(f"{name}: ") for one in document["editions_differ"])
    assert "another edition than in the stored verdicts" in changed.stderr
    again = tomorrow("--lists", "old.bundle")
    assert json.loads(again.stdout) == before
    assert json.loads(again.stdout)["editions_differ"] == []
    assert [one["key"] for one in before["devices"]] == list(MAKERS)


def test_a_bundle_of_laws_alone_says_what_it_lacks(desk):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from rules import bundle

    run, home = desk
    key = load_pem_private_key(next(home.glob("**/keys/*.pem")).read_bytes(), None)
    (home / "laws.bundle").write_bytes(bundle.make(bundle.law_files(), number=1, made="2026-11-22T00:00:00Z", key=key))
    done = run("judge", "--lists", "laws.bundle")
    assert "it does not carry makers, chipsets, checks" in done.err
    assert "the verdict names their editions" in done.err
