"""Shared keys over a whole sweep, the device's clock, and the age of its firmware."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import checks, makers, policy
from rules.exposure import CLOCK_SECONDS, label_shared_keys
from rules.judgement import Law, judge
from rules.vocabulary import Identity, Kind, Status
from scanner.observation import Observation

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def seen(device, transport, probe="x", port=443, **fields):
    return Observation.of(device=device, transport=transport, probe=probe, port=port, at=NOW, fields=fields,
                          wire=repr(sorted(fields.items())).encode())


def key(device, spki="ab12"):
    return seen(device, "tls", "tls.handshake", spki_sha256=spki)


def mac(device, address):
    return seen(device, "link", "link.neighbour", None, mac=address)


def labels(*observations):
    return {o.device: o.values("shared_with") for o in label_shared_keys(observations) if o.transport == "tls"}


def test_three_devices_with_one_key_are_each_told_of_the_others():
    assert labels(key("10.0.0.1"), key("10.0.0.2"), key("10.0.0.3"), key("10.0.0.4", "cd34")) == {
        "10.0.0.1": ("10.0.0.2", "10.0.0.3"), "10.0.0.2": ("10.0.0.1", "10.0.0.3"),
        "10.0.0.3": ("10.0.0.1", "10.0.0.2"), "10.0.0.4": ()}


def test_two_addresses_of_one_device_share_nothing():
    assert labels(key("10.0.0.1"), key("10.0.0.2"), mac("10.0.0.1", "00:11:22:33:44:55"),
                  mac("10.0.0.2", "00:11:22:33:44:55")) == {"10.0.0.1": (), "10.0.0.2": ()}


def test_what_a_device_claims_itself_is_overwritten():
    assert labels(seen("10.0.0.1", "tls", spki_sha256="ab12", shared_with=("10.0.0.9",))) == {"10.0.0.1": ()}


def test_a_shared_key_is_found_in_a_judgement_and_only_where_it_is():
    devices = {device: ([key(device, spki)], []) for device, spki in (
        ("10.0.0.1", "ab12"), ("10.0.0.2", "ab12"), ("10.0.0.3", "ab12"), ("10.0.0.4", "cd34"))}
    judged = judge(devices, makers=makers.load(), law=Law.load(), policy=policy.load()["private"],
                   as_of=date(2026, 11, 22))
    found = {j.identity.device: next(f for f in j.findings if f.rule == "tls.shared_key") for j in judged}
    assert [found[device].status for device in sorted(found)] == [Status.FAIL] * 3 + [Status.PASS]
    assert "10.0.0.2, 10.0.0.3" in found["10.0.0.1"].reason


def status_of(rule, observations, identity):
    check = next(check for check in checks.load() if check.id == rule)
    return check.finding(checks.case_of("10.0.0.1", identity, observations, []))


@pytest.mark.parametrize(("seconds", "status"), [
    (0, Status.PASS), (CLOCK_SECONDS, Status.PASS), (-CLOCK_SECONDS, Status.PASS), (CLOCK_SECONDS + 1, Status.FAIL),
    (-5400, Status.FAIL),
])
def test_the_clock_is_held_against_the_time_of_the_reply(seconds, status):
    told = seen("10.0.0.1", "onvif", "onvif.GetSystemDateAndTime", 80,
                device_time=(NOW + timedelta(seconds=seconds)).isoformat())
    scopes = seen("10.0.0.1", "onvif", "onvif.GetScopes", 80, status=200)
    finding = status_of("clock.skew", [told, scopes], Identity("10.0.0.1", kind=Kind.CAMERA))
    assert finding.status is status
    assert ("behind" in finding.reason) is (seconds < -CLOCK_SECONDS)


@given(st.text(max_size=40))
def test_no_time_that_a_device_tells_raises(text):
    told = seen("10.0.0.1", "onvif", "onvif.GetSystemDateAndTime", 80, device_time=text)
    assert status_of("clock.skew", [told], Identity("10.0.0.1", kind=Kind.CAMERA)).status in set(Status)


@pytest.mark.parametrize(("maker", "firmware", "build", "status"), [
    ("hikvision", "V5.5.82", "190909", Status.FAIL), ("hikvision", "V5.7.3", "251101", Status.PASS),
    ("hikvision", "V5.7.3", None, Status.NOT_APPLICABLE), ("axis", "2.800.0000000.8.R.200101", None, Status.FAIL),
    ("uniview", "DIPC-B1213.6.5.230231", None, Status.NOT_APPLICABLE),      # no such day
    ("axis", None, None, Status.NOT_ASSESSED),
])
def test_the_age_of_firmware_is_read_from_its_form(maker, firmware, build, status):
    identity = Identity("10.0.0.1", maker=maker, makers=(maker,), kind=Kind.CAMERA, firmware=firmware,
                        firmware_build=build)
    assert status_of("firmware.old", [seen("10.0.0.1", "tcp", state="open")], identity).status is status


def aged(built, on, months=None):
    """The finding on firmware of that build date, seen on that day, under so many months."""
    identity = Identity("10.0.0.1", maker="dahua", makers=("dahua",), kind=Kind.CAMERA,
                        firmware=f"2.800.0000000.8.R.{built}")
    told = replace(seen("10.0.0.1", "tcp", state="open"), at=datetime.combine(on, time(12), UTC))
    more = () if months is None else (months,)
    check = next(check for check in checks.load() if check.id == "firmware.old")
    return check.finding(checks.case_of("10.0.0.1", identity, [told], [], *more))


@pytest.mark.parametrize(("built", "on", "months", "status"), [
    ("241122", date(2026, 11, 22), None, Status.PASS), ("241121", date(2026, 11, 22), None, Status.FAIL),
    ("240229", date(2026, 2, 28), 24, Status.PASS), ("240229", date(2026, 3, 1), 24, Status.FAIL),   # a leap day
    ("231122", date(2025, 11, 22), 24, Status.PASS), ("231122", date(2025, 11, 23), 24, Status.FAIL),
    ("240131", date(2026, 2, 1), 24, Status.FAIL), ("240131", date(2026, 1, 31), 24, Status.PASS),
    ("251101", date(2026, 11, 22), 12, Status.FAIL), ("251101", date(2026, 11, 22), 13, Status.PASS),
    ("070101", date(2026, 11, 22), 240, Status.PASS), ("270101", date(2026, 11, 22), 1, Status.PASS),   # not yet built
])
def test_months_are_calendar_months_and_the_policy_says_how_many(built, on, months, status):
    found = aged(built, on, months)
    assert found.status is status
    assert dict(found.facts)["months allowed"] == str(months or 24)
    assert f"{months or 24} months ago" in found.reason


def test_a_policys_name_carries_its_months_and_so_does_the_verdict():
    named = policy.with_firmware_months("private", 6)
    assert named == "private:firmware_months=6"
    assert policy.with_firmware_months(named, 7) == "private:firmware_months=7"
    devices = {"10.0.0.1": ([seen("10.0.0.1", "dhip", "dhip.search", 37810, vendor="Dahua", model="IPC-HFW5241E",
                                  firmware="2.820.0000000.18.R.260101")], [])}

    def found(name):
        (judged,) = judge(devices, makers=makers.load(), law=Law.load(), policy=policy.load()[name],
                          as_of=date(2026, 11, 22))
        finding = next(f for f in judged.findings if f.rule == "firmware.old")
        return judged.verdict.policy, finding.status, dict(finding.facts).get("months allowed")

    day = devices["10.0.0.1"][0][0].at.date()
    assert day > date(2026, 7, 1)
    assert found("private") == ("private", Status.PASS, "24")
    assert found(named) == (named, Status.FAIL, "6")
    assert found(found(named)[0]) == found(named)                      # judged again by what the verdict says


@pytest.mark.parametrize("name", [
    "private:firmware_months=0", "private:firmware_months=241", "private:firmware_months=x", "nobody:firmware_months=6",
    "private:expires_days=6", "private:", "private:firmware_months=6:firmware_months=7", "private:firmware_months=6\n",
])
def test_what_is_no_policys_name_is_none(name):
    assert name not in policy.load()
    assert sorted(policy.load()) == ["contractor", "federal", "private", "uk-government"]
