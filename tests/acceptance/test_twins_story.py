"""Each weakness is found for what makes it one, and not on the twin that lacks it: one sweep from the command line."""

import json
import re
import sqlite3

import pytest

from camvet.context import ExitCode

PAIRS = [
    ("hikvision-old", "hikvision-new", "advisory.cve-2021-36260", "before build 210625"),
    ("hikvision-2016", "hikvision-2021", "advisory.cve-2017-7921", "build 150410"),
    ("dahua-old", "dahua-new", "advisory.cve-2021-33044", "before 2.800.0000000.29.R.210630"),
    ("xiongmai-open", "xiongmai-closed", "xiongmai.debug_shell", "port 9530"),
    ("xiongmai-open", "xiongmai-closed", "telnet.open", "port 23"),
    ("fleet-1", "own-key", "tls.shared_key", "also that of"),
    ("fleet-2", "own-key", "tls.shared_key", "also that of"),
    ("fleet-3", "own-key", "tls.shared_key", "also that of"),
    ("rtsp-open", "rtsp-closed", "rtsp.anonymous", "/axis-media/media.amp"),
    ("token-twice", "token-once", "onvif.replayable_token", "taken twice"),
    ("onvif-open", "onvif-closed", "onvif.anonymous", "GetStreamUri"),
    ("onvif-open", "onvif-closed", "onvif.anonymous_information", "model, firmware, serial"),
    ("snmp-public", "rtsp-closed", "snmp.public", "community public"),
    ("login-delivered", "login-own", "login.factory_default", "opens it"),
    ("rtsp-open", "rtsp-closed", "upnp.opened_port", "8554/tcp to 554"),
    ("recorder-old", "recorder-new", "recorder.weak_channels", "CVE-2021-36260"),
    ("tls-both", "rtsp-closed", "tls.weak", "accepts TLSv1.1"),
    ("path-open", "path-closed", "rtsp.anonymous", "/hall/7d/picture.264"),
]


@pytest.mark.parametrize(("weak", "sound", "rule", "because"), PAIRS)
def test_the_weak_one_is_found_for_the_right_reason_and_its_twin_is_not(everything, weak, sound, rule, because):
    found, other = everything.finding(weak, rule), everything.finding(sound, rule)
    assert found["status"] == "fail"
    assert because in found["reason"]
    assert other is None or other["status"] == "pass", other


@pytest.fixture(scope="module")
def stored(everything):
    """Every stored observation by its id."""
    with sqlite3.connect(everything.camvet.db) as db:
        return {one: json.loads(document) for one, document in db.execute("SELECT id, document FROM observation")}


@pytest.mark.parametrize(("weak", "rule", "transport", "field", "value"), [
    ("xiongmai-open", "xiongmai.debug_shell", "tcp", "state", "open"),
    ("fleet-1", "tls.shared_key", "tls", "subject_cn", "fleet"),
    ("rtsp-open", "rtsp.anonymous", "rtsp", "status", 200),
    ("token-twice", "onvif.replayable_token", "onvif", "operation", "GetDeviceInformation"),
    ("onvif-open", "onvif.anonymous", "onvif", "operation", "GetProfiles"),
    ("snmp-public", "snmp.public", "snmp", "version", "v2c"),
    ("rtsp-open", "upnp.opened_port", "igd", "external_port", 8554),
    ("login-delivered", "login.factory_default", "login", "pair", "hikvision-before-activation"),
    ("hikvision-old", "advisory.cve-2021-36260", None, "firmware", "V5.5.82"),
    ("dahua-old", "advisory.cve-2021-33044", None, "model", "IPC-HFW3441T-ZAS"),
    ("tls-both", "tls.weak", "tls_hello", "version", "TLSv1.1"),
    ("path-open", "rtsp.anonymous", "rtsp", "path", "/hall/7d/picture.264"),
])
def test_a_finding_rests_on_what_shows_the_weakness(everything, stored, weak, rule, transport, field, value):
    evidence = [stored[one] for one in everything.finding(weak, rule)["evidence"]]
    assert any(one["fields"].get(field) == value and transport in (None, one["transport"]) for one in evidence)


def test_a_yes_to_any_path_proves_nothing(everything):
    found = everything.finding("rtsp-anything", "rtsp.anonymous")
    assert found["status"] == "not_assessed"
    assert "cannot exist" in found["reason"]


def test_silence_to_public_is_no_clean_bill(everything):
    assert everything.finding("snmp-own", "snmp.public")["status"] == "not_assessed"


def test_a_device_that_waits_for_its_first_password_is_not_tried(everything):
    found = everything.finding("login-none-yet", "login.factory_default")
    assert found["status"] == "not_assessed"
    assert "first password" in found["reason"]
    assert everything.finding("login-none-yet", "device.not_activated")["status"] == "fail"


def test_a_camera_that_only_the_recorder_tells_of_counts_against_the_site(everything):
    behind = everything.finding("recorder-old#1", "advisory.cve-2021-36260")
    assert behind["status"] == "fail"
    said = everything.finding("recorder-old", "recorder.weak_channels")
    assert "advisory.cve-2021-36260" in json.dumps(said["facts"])


def test_the_audit_log_names_who_and_what_but_never_the_login(everything):
    exported = everything.camvet.run("--json", "audit", "export").stdout
    events = [json.loads(line) for line in exported.splitlines()]
    claimed = [one for one in events if one["kind"] == "login.factory_claimed"]
    ended = [one for one in events if one["kind"] == "login.factory_ended"]
    where = {everything.site.address(name) for name in ("login-delivered", "login-own")}
    assert {one["subject"] for one in claimed} >= where
    assert all(one["actor"] for one in claimed)
    outcomes = {one["subject"]: one["document"]["outcome"] for one in ended}
    assert outcomes[everything.site.address("login-delivered")] == "accepted"
    assert outcomes[everything.site.address("login-own")] == "refused"
    assert not re.search(r"\b12345\b", exported)


def test_without_consent_owner_and_ticket_no_login_is_tried(everything):
    words = [word for word in everything.words if word != "--yes-i-am-authorised"]
    done = everything.camvet.run(*words)
    assert done.returncode == ExitCode.USAGE
    assert "--yes-i-am-authorised" in done.stderr


def later(everything, name, rule):
    """A finding of the second sweep."""
    device = next(one for one in everything.again["devices"] if one["key"] == everything.site.address(name))
    return next(one for one in device["verdict"]["findings"] if one["rule"] == rule)


def test_a_device_is_tried_once_a_day_however_often_it_is_swept(everything):
    found = later(everything, "login-own", "login.factory_default")
    assert found["status"] == "not_assessed"
    assert "one try a day" in found["reason"]
    assert everything.site.failed_logins("login-own") == 1


def test_firmware_that_went_back_is_seen_in_the_next_sweep(everything):
    found = later(everything, "dahua-new", "firmware.downgraded")
    assert found["status"] == "fail"
    assert "2.840.0000000.7.R" in found["reason"]
    assert everything.finding("dahua-new", "firmware.downgraded")["status"] == "not_assessed"


def test_old_versions_are_asked_for_where_a_current_one_is_spoken(everything):
    """So the weak twin is not one that could be seen by its handshake, and the sound one was asked."""
    for name, how in (("tls-both", "accepted"), ("rtsp-closed", "refused")):
        made = {one["probe"]: one for one in everything.device(name)["attempts"]}
        assert (made["tls.legacy_hello"]["status"], made["tls.legacy_hello"]["detail"]) == ("completed", how)
        assert made["tls.handshake"]["detail"] == ""                       # not by legacy parameters
    assert "older versions are refused" in everything.finding("rtsp-closed", "tls.weak")["reason"]


def test_where_no_tls_is_offered_none_is_asked_and_that_is_said(everything):
    made = {one["probe"]: one for one in everything.device("dahua-old")["attempts"]}
    assert (made["tls.legacy_hello"]["status"], made["tls.legacy_hello"]["reason"]) == ("not_attempted", "port_closed")
