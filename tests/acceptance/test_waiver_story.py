"""A failed check is accepted by two people until a day, told in every format, and fails again on that day."""

import csv
import json
import re
from datetime import timedelta

import pytest
from acceptance import recorded_site
from acceptance.shell import Here

from camvet.context import ExitCode
from scanner import clock

DEVICE, RULE = "10.20.30.12", "advisory.cve-2021-36260"
TODAY = clock.now().date()
ENDS = TODAY + timedelta(days=60)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    home = tmp_path_factory.mktemp("waivers")
    (home / "replies.jsonl").write_text(recorded_site.replies(), encoding="utf-8")
    shell = Here(home)
    assert shell("import", home / "replies.jsonl", "--policy", "private").code == ExitCode.FINDINGS
    return shell


@pytest.fixture(scope="module")
def waiver(shell):
    """A waiver that ana asked for and ben approved."""
    asked = shell("--json", "waive", DEVICE, RULE, "--reason", "bench, isolated", "--owner", "Facilities",
                  "--expires", ENDS, "--actor", "ana", "--approver", "ben")
    assert asked.code == ExitCode.CLEAN, asked.err
    assert asked.json["state"] == "nobody has approved it yet"
    made = asked.json["waiver"]
    for actor, because in (("Ana", "Ana asked for it; somebody else has to approve it"),
                           ("carol", "ben was asked to approve it")):
        refused = shell("--json", "waive", "--approve", made, "--actor", actor)
        assert (refused.code, refused.json["because"]) == (ExitCode.FINDINGS, because)
    assert finding(shell)["status"] == "fail"
    given = shell("--json", "waive", "--approve", made, "--actor", "ben")
    assert (given.code, given.json["state"], given.json["approved_by"]) == (ExitCode.CLEAN, "in force", "ben")
    return made


def judged(shell, *words):
    return shell("--json", "judge", *words).json["devices"]


def finding(shell, *words, device=DEVICE, rule=RULE):
    verdict = next(one["verdict"] for one in judged(shell, *words) if one["key"] == device)
    return next(one for one in verdict["findings"] if one["rule"] == rule)


def test_it_counts_from_its_approval_until_the_day_it_ends(shell, waiver):
    found = finding(shell)
    assert found["status"] == "waived"
    assert {name: found["facts"][name] for name in found["facts"] if name.startswith("waive")} == {
        "waiver": waiver, "waived until": str(ENDS), "waiver owner": "Facilities", "waiver reason": "bench, isolated",
        "waiver requested by": "ana", "waiver approved by": "ben"}
    assert finding(shell, "--as-of", ENDS - timedelta(days=1))["status"] == "waived"
    over = finding(shell, "--as-of", ENDS)
    assert over["status"] == "fail"
    assert over["reason"].endswith(f"(fails in spite of waiver {waiver} (Facilities): it expired on {ENDS})")
    before = finding(shell, "--as-of", TODAY - timedelta(days=1))
    assert (before["status"], f"it begins on {TODAY}" in before["reason"]) == ("fail", True)


def test_the_clause_that_follows_is_named(shell, waiver):
    verdict = next(one["verdict"] for one in judged(shell) if one["key"] == DEVICE)
    assert "finding.waived" in verdict["rules"]
    assert verdict["outcome"] != "approved"


def told(shell, kind, tmp_path, *words):
    out = tmp_path / f"report.{kind}"
    done = shell("report", "--format", kind, "-o", out, *words)
    assert done.code == ExitCode.CLEAN, done.err
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["html", "json", "csv"])
def test_every_format_names_owner_reason_approver_and_end(shell, waiver, tmp_path, kind):
    text = told(shell, kind, tmp_path, *(("--of", "findings") if kind == "csv" else ()))
    for said in (waiver, "Facilities", "bench, isolated", "ben", "ana", str(ENDS)):
        assert said in text
    if kind == "csv":
        row = next(row for row in csv.DictReader(text.splitlines()) if row["rule"] == RULE)
        assert (row["status"], "waiver owner: Facilities; waiver reason: bench, isolated" in row["facts"]) == (
            "waived", True)


@pytest.mark.parametrize("kind", ["html", "json", "csv"])
def test_a_report_of_a_later_day_says_that_it_expired(shell, waiver, tmp_path, kind):
    text = told(shell, kind, tmp_path, "--as-of", ENDS, *(("--of", "findings") if kind == "csv" else ()))
    assert f"{waiver} (Facilities): it expired on {ENDS}" in re.sub(r"<[^>]+>", "", text)
    if kind == "json":
        document = json.loads(text)
        assert any("failed although a waiver names it" in said for said in document["summary"]["sentences"])
        assert any(f"Judged again for {ENDS}" in said for said in document["limits"])


def test_the_terminal_tells_it_too(shell, waiver):
    assert "judge --keep judges anew" in shell("explain", DEVICE).out
    assert shell("judge", "--keep").code == ExitCode.FINDINGS
    explained = shell("explain", DEVICE).out
    assert f"waiver {waiver}: owner Facilities, asked for by ana, approved by ben, expires {ENDS}" in explained
    assert "judges anew" not in explained
    assert "comparison for CVE-2021-36260" in explained
    assert "in force" in shell("waive", "--list").out


@pytest.mark.parametrize(("words", "code", "says"), [
    ((DEVICE, "rtsp.anonymous"), ExitCode.FINDINGS, "nobody knows what would be accepted"),
    ((DEVICE, "identity.disguised_name"), ExitCode.FINDINGS, "there is nothing to accept"),
    ((DEVICE, "no.such"), ExitCode.USAGE, "is no finding on"),
    (("no.such", "--everywhere"), ExitCode.USAGE, "no finding has the rule"),
    (("firmware.old",), ExitCode.USAGE, "expected a device and a rule"),
    ((DEVICE, "firmware.old", "--everywhere"), ExitCode.USAGE, "expected a device and a rule"),
    (("firmware.old", "--maker", "Nobody & Sons"), ExitCode.USAGE, "no maker of that name"),
    (("law.red_flag", "--everywhere"), ExitCode.USAGE, "is a clause of the policy"),
    ((DEVICE, "firmware.old", "--approver", "ANA"), ExitCode.USAGE, "does not approve it"),
])
def test_what_cannot_be_waived_is_refused_with_the_reason(shell, words, code, says):
    done = shell("waive", *words, "--reason", "x", "--owner", "y", "--until", TODAY, "--actor", "ana")
    assert (done.code, says in done.out + done.err) == (code, True)


@pytest.mark.parametrize("missing", [["--reason", " "], ["--owner", ""], ["--until", "2001-01-01"],
                                     ["--until", TODAY + timedelta(days=400)], ["--until", "soon"]])
def test_owner_reason_and_end_are_musts(shell, missing):
    given = {"--reason": "x", "--owner": "y", "--until": TODAY} | {missing[0]: missing[1]}
    done = shell("waive", DEVICE, "firmware.old", *(word for pair in given.items() for word in pair))
    assert (done.code, missing[0] in done.err) == (ExitCode.USAGE, True)


def test_a_waiver_has_an_end(shell):
    done = shell("waive", DEVICE, "firmware.old", "--reason", "x", "--owner", "y")
    assert (done.code, "a waiver has an end" in done.err) == (ExitCode.USAGE, True)


def test_a_scope_means_a_makers_devices_and_is_taken_back(shell):
    asked = shell("--json", "waive", "firmware.old", "--maker", "Hikvision", "--reason", "x", "--owner", "y", "--until",
                  TODAY, "--actor", "ana").json
    assert shell("waive", "--approve", asked["waiver"], "--actor", "ben").code == ExitCode.CLEAN
    assert finding(shell, rule="firmware.old")["status"] == "waived"
    others = [one for device in judged(shell) if device["key"] != DEVICE for one in device["verdict"]["findings"]]
    assert not any(one["status"] == "waived" for one in others)
    assert shell("revoke", asked["waiver"], "--reason", "a patch is out", "--actor", "ana").code == ExitCode.CLEAN
    taken = finding(shell, rule="firmware.old")
    assert (taken["status"], "it was withdrawn on" in taken["reason"]) == ("fail", True)
    assert shell("revoke", asked["waiver"], "--reason", "again").code == ExitCode.USAGE
    assert shell("waive", "--approve", asked["waiver"], "--actor", "carol").code == ExitCode.FINDINGS


def test_the_log_holds_and_tells_every_step(shell, waiver):
    assert shell("audit", "verify").code == ExitCode.CLEAN
    events = [json.loads(line) for line in shell("audit", "export").out.splitlines()]
    steps = [(event["kind"], event["actor"]) for event in events if event["subject"] == waiver]
    assert steps == [("finding.waiver.requested", "ana"), ("finding.waiver.approved", "ben")]
