"""The main job from the command line: sweep a site, name the makers, judge, report, and tell why."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from acceptance.story import Camvet
from lxml import html

from camvet.context import ExitCode
from lab.site import Site

NETWORK = f"127.{130 + os.getpid() % 50}.1.0/24"      # of its own, whoever else runs the tests on this machine


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site.loopback(NETWORK, out_dir=tmp_path_factory.mktemp("site"), port_offset=22_000) as running:
        yield running


@pytest.fixture(scope="module")
def camvet(site, tmp_path_factory):
    return Camvet(tmp_path_factory.mktemp("home"), site)


@pytest.fixture(scope="module")
def swept(camvet):
    """One sweep with logins and a capture under the federal policy, as JSON."""
    return camvet.json(*camvet.sweep_words(), code=ExitCode.FINDINGS)


@pytest.fixture(scope="module")
def devices(site, swept):
    """The swept devices by the lab's name for them; channels as ``recorder#n``."""
    by_address = {site.address(name): name for name in site.names}
    return {device["key"].replace(device["ip"], by_address[device["ip"]]): device for device in swept["devices"]}


def law_of(device, entity):
    """What each law says of one party, by regime."""
    return {e["regime"]: e for e in device["verdict"]["effects"] if e["entity"] == entity}


def rules(device):
    return set(device["verdict"]["rules"])


@pytest.mark.parametrize(("name", "maker", "brand"), [
    ("dahua-tpc", "dahua", "dahua"), ("lorex", "dahua", "lorex"), ("intelbras", "dahua", "intelbras"),
    ("imposter", "dahua", "axis"), ("hikvision-dome", "hikvision", "hikvision"),
    ("hikmicro", "hikvision", "hikmicro"), ("recorder#2", "hikvision", "hikvision"),
])
def test_listed_makers_are_kept_out_whatever_the_label_says(devices, name, maker, brand):
    device = devices[name]
    assert device["identity"]["maker"] == maker
    assert device["identity"]["brand"].casefold() == brand
    assert device["verdict"]["outcome"] == "prohibited"
    assert "law.prohibited" in rules(device)
    law = law_of(device, maker)
    assert law["US-889-A"]["effect"] == "prohibited"
    assert law["US-889-A"]["in_force"] is True
    assert law["US-889-A"]["condition_met"] == "unknown"


def test_the_imposter_is_unmasked_by_what_its_label_does_not_control(devices):
    evidence = [e for e in devices["imposter"]["identity"]["evidence"] if e["claim"] == "maker"]
    assert any(e["value"] == "dahua" and e["basis"] != "label" for e in evidence)
    assert devices["imposter"]["identity"]["conflicts"]
    failed = {f["rule"] for f in devices["imposter"]["verdict"]["findings"] if f["status"] == "fail"}
    assert "identity.brand_contradiction" in failed


def test_the_recorder_stays_out_because_of_the_camera_behind_it(devices):
    recorder = devices["recorder"]
    assert recorder["identity"]["kind"] == "recorder"
    assert recorder["identity"]["maker"] == "hanwha"
    assert recorder["verdict"]["outcome"] == "prohibited"
    assert "channels.prohibited" in rules(recorder)
    assert {c["number"] for c in recorder["identity"]["channels"]} == {0, 1, 2, 3}


@pytest.mark.parametrize(("name", "maker"), [("uniview", "uniview"), ("tvt", "tvt"), ("xiongmai", "xiongmai")])
def test_unlisted_makers_get_what_the_law_really_says_of_them(devices, name, maker):
    device = devices[name]
    assert device["identity"]["maker"] == maker
    law = law_of(device, maker)
    for regime in ("US-889-A", "US-889-B"):
        assert law[regime]["listed"] is False, regime
        assert law[regime]["effect"] == "none", regime
    assert device["verdict"]["outcome"] in ("conditional", "undetermined", "prohibited")
    assert "law.prohibited" not in rules(device)


def test_uniview_carries_the_red_flag_of_december_2024(devices):
    law = law_of(devices["uniview"], "uniview")
    assert law["US-BIS-EL"]["listed"] is True
    assert law["US-BIS-EL"]["effect"] == "red_flag"
    assert law["US-BIS-EL"]["listed_on"] == "2024-12-10"


@pytest.mark.parametrize(("name", "rule"), [
    ("xiongmai", "telnet.open"), ("xiongmai", "rtsp.anonymous"), ("tvt", "onvif.anonymous"),
    ("tvt", "http.plain_management"), ("dahua-tpc", "egress.vendor_p2p"), ("unknown", "egress.unnamed_destination"),
])
def test_weaknesses_are_found(devices, name, rule):
    findings = {f["rule"]: f["status"] for f in devices[name]["verdict"]["findings"]}
    assert findings[rule] == "fail"


@pytest.mark.parametrize("name", ["axis", "axis-box", "hanwha", "bosch", "flir"])
def test_corroborated_makers_without_a_listing_pass(devices, name):
    verdict = devices[name]["verdict"]
    assert verdict["outcome"] == "approved", (verdict["rules"], verdict["reasons"])
    assert devices[name]["identity"]["assurance"] == "corroborated"


def test_the_unknown_camera_is_undetermined(devices):
    device = devices["unknown"]
    assert device["identity"]["maker"] is None
    assert device["verdict"]["outcome"] == "undetermined"
    assert "maker.unknown" in rules(device)


@pytest.mark.parametrize("name", ["printer", "switch"])
def test_what_is_no_camera_is_said_to_be_none(devices, name):
    assert devices[name]["identity"]["kind"] == "other"
    assert rules(devices[name]) == {"kind.not_a_camera"}


def test_every_attempt_that_failed_says_why(devices):
    attempts = [a for d in devices.values() for a in d["attempts"]]
    assert all(a["reason"] for a in attempts if a["status"] != "completed")
    assert {a["status"] for a in attempts} == {"completed", "failed", "not_attempted"}


def test_silent_addresses_are_named_and_explained(camvet, swept):
    silent = next(iter(swept["not_seen"]))
    assert len(swept["not_seen"]) + len({d["ip"] for d in swept["devices"]}) == 254
    done = camvet.run("explain", silent)
    assert done.returncode == ExitCode.CLEAN
    assert "answers, with every port that was asked closed" in done.stdout      # loopback resets what nobody serves
    assert "nothing was found" not in done.stdout


def test_an_address_that_was_never_in_scope_is_a_mistake(camvet, swept):
    done = camvet.run("explain", "10.200.1.1")
    assert done.returncode == ExitCode.USAGE
    assert "in the scope of no sweep" in done.stderr


def test_a_device_is_explained_from_its_evidence(camvet, site, swept):
    done = camvet.run("explain", site.address("lorex"))
    assert "made by Dahua, corroborated" in done.stdout
    assert "37810" in done.stdout or "DHIP" in done.stdout
    assert "s.889(a)(1)(A)" in done.stdout


def test_without_a_login_the_recorder_is_undetermined(site, tmp_path):
    alone = Camvet(tmp_path, site)
    document = alone.json(*alone.sweep_words(logins=False), code=ExitCode.FINDINGS)
    recorder = next(d for d in document["devices"] if d["ip"] == site.address("recorder"))
    assert recorder["verdict"]["outcome"] == "undetermined"
    assert "channels.unassessed" in rules(recorder)
    assert not any("#" in d["key"] for d in document["devices"])


def test_no_password_rests_anywhere(camvet, site, swept):
    passwords = {site.persona(name).password.encode() for name in site.names}
    for path in camvet.home.rglob("*"):
        if path.is_file():
            assert not any(password in path.read_bytes() for password in passwords), path


def test_the_same_sweep_judged_for_2019_lets_the_dahua_of_a_private_company_in_question_only(camvet, site, swept):
    document = camvet.json("judge", "--as-of", "2019-10-08", "--policy", "private")
    before = next(d for d in document["devices"] if d["key"] == site.address("dahua-tpc"))
    after = next(d for d in camvet.json("judge", "--as-of", "2019-10-09", "--policy", "private")["devices"]
                 if d["key"] == site.address("dahua-tpc"))
    bis = [law_of(device, "dahua")["US-BIS-EL"] for device in (before, after)]
    assert [e["effect"] for e in bis] == ["none", "red_flag"]


def test_the_report_says_all_this_in_every_format(camvet, devices, tmp_path):
    page = tmp_path / "report.html"
    assert camvet.run("report", "--out", str(page)).returncode == ExitCode.CLEAN
    document = camvet.json("report", "--format", "json")
    rows = camvet.run("report", "--format", "csv").stdout
    text = html.fromstring(page.read_bytes()).text_content()
    for device in devices.values():
        assert device["key"] in text
        assert device["key"] in rows
    assert {d["device"] for d in document["devices"]} == {d["key"] for d in devices.values()}
    for needle in ("s.889(a)(1)(A)", "not legal advice", "Lorex", "Xinjiang", "US-BIS-EL", "silent"):
        assert needle.casefold() in text.casefold(), needle
    assert b"http://" not in page.read_bytes().split(b"</head>")[0]


def test_the_event_log_holds(camvet, swept):
    document = camvet.json("audit", "verify", code=ExitCode.CLEAN)
    assert document["holds"] is True
    assert document["events"] > len(swept["devices"])


def test_a_killed_sweep_resumes_and_loses_and_doubles_nothing(site, tmp_path):
    killed = Camvet(tmp_path, site)
    process = subprocess.Popen(killed.command(*killed.sweep_words()), cwd=tmp_path, env=killed.environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = _wait_for_devices(killed.db.parent / "journals", 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = _finished(journal)
    again = killed.run("--json", *killed.sweep_words())
    document = json.loads(again.stdout)
    assert "resumed" in again.stderr
    assert document["complete"] is True
    assert len({d["ip"] for d in document["devices"]}) == len(site.names)
    assert len(killed.json("devices")) == len(document["devices"])
    with sqlite3.connect(killed.db) as db:
        stored = db.execute("SELECT key, count(*), count(DISTINCT id) FROM observation GROUP BY key").fetchall()
        sweeps = db.execute("SELECT count(*) FROM sweep").fetchone()
    assert sweeps == (1,)
    assert all(count == distinct for _, count, distinct in stored)
    assert finished <= {key for key, _, _ in stored}


def _wait_for_devices(folder, least):
    """The journal, once it holds `least` finished devices; a sweep that writes none in time fails the test."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for journal in folder.glob("*.jsonl"):
            if len(_finished(journal)) >= least:
                return journal
        time.sleep(0.02)
    raise AssertionError("no device was finished")


def _finished(journal):
    lines = journal.read_bytes().split(b"\n")[:-1]
    return {doc["device"] for doc in map(json.loads, lines) if doc.get("kind") == "device"}


def test_a_second_sweep_differs_in_nothing_and_a_lost_device_is_seen(site, tmp_path):
    twice = Camvet(tmp_path, site)
    twice.json(*twice.sweep_words())
    site.kill("printer")
    table = site.out_dir / "neighbours.txt"
    before = table.read_text()
    table.write_text("".join(line for line in before.splitlines(keepends=True)
                             if not line.startswith(site.address("printer") + " ")))
    try:
        twice.json(*twice.sweep_words())
    finally:
        table.write_text(before)
        site.revive("printer")
    document = twice.json("diff", code=ExitCode.FINDINGS)
    assert [d["key"] for d in document["gone"]] == [site.address("printer")]
    assert document["new"] == []


@pytest.mark.parametrize(("words", "says"), [
    (["sweep"], "nothing to sweep"),
    (["sweep", "8.8.8.8"], "8.8.8.8"),
    (["sweep", "239.255.255.250"], "multicast"),
    (["sweep", "10.0.0.0/8"], "split the scope"),
    (["sweep", "not an address"], "not an address"),
    (["sweep", "127.0.0.1"], "loopback"),
    (["sweep", "10.1.1.1", "--profile", "reckless"], "reckless"),
    (["sweep", "10.1.1.1", "--scope", "/not/there.yaml"], "--scope says it all"),
    (["sweep", "--scope", "/not/there.yaml"], "/not/there.yaml"),
    (["sweep", "10.1.1.1", "--credentials", "admin:secret"], "never as a value"),
    (["sweep", "10.1.1.1", "--policy", "lenient"], "no policy"),
    (["sweep", "10.1.1.1", "--as-of", "tomorrow"], "YYYY-MM-DD"),
    (["sweep", "10.1.1.1", "--capture", "/not/there.pcap"], "/not/there.pcap"),
    (["sweep", "10.1.1.1", "--port-map", "/not/there.json"], "/not/there.json"),
    (["sweep", "10.1.1.1", "--neighbours", "/not/there"], "/not/there"),
    (["report", "--format", "papyrus"], "no sweep"),
    (["show", "10.1.1.1"], "no device"),
    (["identify", "--replies", "/not/there"], "/not/there"),
])
def test_a_mistake_is_one_clear_line_and_exit_2(tmp_path, words, says):
    done = Camvet(tmp_path).run(*words)
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
    assert "secret" not in done.stderr


def test_a_plan_sends_nothing_and_says_what_would_be_sent(tmp_path):
    done = Camvet(tmp_path).run("sweep", "10.1.1.0/29", "--plan")
    assert done.returncode == ExitCode.CLEAN
    assert "Nothing was sent." in done.stdout
    assert "tcp.connect" in done.stdout
