"""What a waiver can do, and every way in which it counts as none."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.vocabulary import Finding, Identity, Severity, Status
from rules.waivers import MAX_DAYS, NO_LONGER, Waiver, apply_waivers, is_settled, same_person, why_not

DAY = date(2026, 11, 22)
GOOD = Waiver("W-1", "telnet.open", ("10.0.0.5",), "Facilities", "replaced in March", "ana", "ben", DAY,
              DAY + timedelta(days=90))


def finding(status=Status.FAIL, rule="telnet.open", device="10.0.0.5", version="1"):
    return Finding(device, rule, version, "Telnet is open", status, Severity.HIGH, "telnet on port 23",
                   facts=(("a", "b"),))


def test_a_failed_finding_is_waived_and_says_by_whom_and_until_when():
    (found,), refused = apply_waivers([finding()], [GOOD], DAY)
    assert found.status is Status.WAIVED
    assert "waived until 2027-02-20 by ben: replaced in March" in found.reason
    assert dict(found.facts)["waiver owner"] == "Facilities"
    assert dict(found.facts)["a"] == "b"
    assert refused == []


@pytest.mark.parametrize("other", [
    finding(rule="rtsp.anonymous"), finding(device="10.0.0.6"), finding(Status.NOT_ASSESSED), finding(Status.PASS),
    finding(Status.NOT_APPLICABLE),
])
def test_nothing_else_is_touched(other):
    assert apply_waivers([other], [GOOD], DAY)[0] == [other]


@pytest.mark.parametrize(("changes", "says"), [
    ({"owner": " "}, "owner"), ({"reason": ""}, "reason"), ({"approved_by": ""}, "nobody has approved"),
    ({"requested_by": " "}, "who asked"),
    ({"approved_by": " ANA "}, "two people"), ({"approved_by": "\uff21na"}, "two people"),
    ({"withdrawn_on": DAY}, "withdrawn on 2026-11-22"), ({"expires": None}, "no end"),
    ({"expires": DAY}, "between one day"),
    ({"expires": DAY + timedelta(days=MAX_DAYS + 1)}, "between one day"),
    ({"begins": DAY + timedelta(days=1)}, "begins on"),
    ({"begins": DAY - timedelta(days=30), "expires": DAY}, "expired on 2026-11-22"),
])
def test_a_waiver_that_is_not_in_order_counts_as_none_and_says_why(changes, says):
    waiver = replace(GOOD, **changes)
    (found,), refused = apply_waivers([finding()], [waiver], DAY)
    assert found.status is Status.FAIL
    assert says in dict(found.facts)[NO_LONGER]
    assert says in found.reason
    assert refused[0].waiver == "W-1"
    assert says in refused[0].because


def test_the_last_day_counts_and_the_day_of_expiry_does_not():
    assert why_not(GOOD, GOOD.expires - timedelta(days=1)) is None
    assert why_not(GOOD, GOOD.expires) is not None


def test_a_waiver_without_devices_is_for_all_and_one_of_a_version_for_that_version():
    everywhere = replace(GOOD, devices=())
    both, _ = apply_waivers([finding(), finding(device="x")], [everywhere], DAY)
    assert [f.status for f in both] == [Status.WAIVED] * 2
    assert apply_waivers([finding(version="2")], [replace(GOOD, rule_version="1")], DAY)[0] == [finding(version="2")]


def test_of_several_the_one_that_ends_last_is_shown():
    short = replace(GOOD, id="W-0", expires=DAY + timedelta(days=2))
    (found,), _ = apply_waivers([finding()], [GOOD, short], DAY)
    assert dict(found.facts)["waiver"] == "W-1"


@given(st.sampled_from(Status), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_no_waiver_makes_anything_pass(status, day):
    (found,), _ = apply_waivers([finding(status)], [GOOD], day)
    assert found.status in {status, Status.WAIVED}
    assert found.status is status or status is Status.FAIL


HIK = Identity("10.0.0.5", maker="hikvision", makers=("hikvision",), model="DS-2CD2143G0-I")


@pytest.mark.parametrize(("scope", "who", "counts"), [
    ({"maker": "hikvision"}, HIK, True), ({"maker": "dahua"}, HIK, False), ({"maker": "hikvision"}, None, False),
    ({"model": "DS-2CD2143G0-I"}, HIK, True), ({"model": "ds-2cd21*"}, HIK, True), ({"model": "DS-2CD21"}, HIK, False),
    ({"model": "DS-2CD2143G0-I"}, None, False), ({"maker": "hikvision", "model": "DS-7*"}, HIK, False),
    ({"maker": "hikvision"}, replace(HIK, maker="dahua", makers=("dahua", "hikvision")), False), ({}, None, True),
])
def test_a_scope_means_the_makers_and_models_it_names(scope, who, counts):
    waiver = replace(GOOD, devices=(), **scope)
    (found,), _ = apply_waivers([finding()], [waiver], DAY, who)
    assert (found.status is Status.WAIVED) is counts


def test_a_stored_finding_is_held_against_the_waivers_of_a_day():
    (waived,), _ = apply_waivers([finding()], [GOOD], DAY)
    (over,), _ = apply_waivers([finding()], [GOOD], GOOD.expires)
    assert is_settled(waived, [GOOD], DAY)
    assert not is_settled(waived, [GOOD], GOOD.expires)
    assert not is_settled(waived, [], DAY)
    assert is_settled(over, [GOOD], GOOD.expires)
    assert not is_settled(over, [GOOD], DAY)
    assert is_settled(finding(), [], DAY)
    assert not is_settled(finding(), [GOOD], DAY)
    assert is_settled(finding(Status.PASS), [GOOD], DAY)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Ana", " ana ", True), ("J. Ortiz", "j.ortiz", True), ("ana", "ben", False), ("\ufb01na", "fina", True),
    ("Ann", "\u0410nn", True), ("Ann", "\u0391nn", True),       # a Cyrillic and a Greek letter
    ("ann", "\u0410nn", True), ("Ann", "A\u200bnn", True), ("Ann", "A\u0301nn", True), ("Nina", "\u039dina", True),
    ("Ann", "\uff21\uff4e\uff4e", True), ("Ann", "\U0001d400nn", True), ("Alice", "AIice", True),
    ("op1", "opl", True), ("Arnold", "Amold", True), ("Bob", "B0b", True), ("Ann", "A n\u00a0n", True),
    ("\u0418\u0412\u0410\u041d", "\u0438\u0432\u0430\u043d", True), ("Ann", "\u200b", True),
    ("Ann", "Anna", False), ("\u0418\u0432\u0430\u043d", "\u0410\u043d\u043d\u0430", False), ("Ian", "Jan", False),
    ("user1", "user2", False), ("\u738b\u4f1f", "\u674e\u4f1f", False),
])
def test_two_spellings_are_one_person(one, other, same):
    assert same_person(one, other) is same
