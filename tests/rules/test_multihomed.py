"""Two addresses, one device, and two devices that only look like one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import makers, policy
from rules.judgement import Law, judge
from rules.multihomed import join, joins
from scanner.observation import Attempt, AttemptStatus, Observation

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UUID = "urn:uuid:4d454930-0000-1000-8000-3cef8c5a100a"
SERIAL = "DS-2CD2143G0-I20191104AAWRD71284605W"
A, B, C = "10.0.0.5", "10.0.0.40", "192.168.7.9"


def seen(device, transport, **fields):
    return Observation.of(device=device, transport=transport, probe=f"{transport}.probe", port=None, at=NOW,
                          fields=fields, wire=repr((device, transport, sorted(fields.items()))).encode())


def of(*observations):
    grouped = {}
    for one in observations:
        grouped.setdefault(one.device, []).append(one)
    return grouped


def together(*observations):
    return {(one.device, *one.others) for one in joins(of(*observations))}


def link(device, last):
    return seen(device, "link", mac=f"C0:56:E3:5A:10:{last}", via="arp")


CASES = {
    "one serial number, two network cards": (
        [link(A, "0A"), link(B, "0B"), seen(A, "sadp", serial=SERIAL, mac="C0:56:E3:5A:10:0A"),
         seen(B, "sadp", serial=SERIAL, mac="C0:56:E3:5A:10:0B")], {(A, B)}),
    "one UUID, two network cards": (
        [link(A, "0A"), link(B, "0B"), seen(A, "wsd", endpoint_reference=UUID),
         seen(B, "wsd", endpoint_reference=UUID.upper())], {(A, B)}),
    "three addresses of one serial number": (
        [seen(where, "onvif", serial=SERIAL) for where in (C, A, B)], {(A, B, C)}),
    "a UUID every unit has, and serial numbers that differ": (
        [seen(A, "wsd", endpoint_reference=UUID), seen(B, "wsd", endpoint_reference=UUID),
         seen(A, "sadp", serial=SERIAL), seen(B, "sadp", serial=SERIAL[:-4] + "999W")], set()),
    "a UUID every unit has, and MACs that differ": (
        [seen(A, "wsd", endpoint_reference=UUID, scopes=("onvif://www.onvif.org/MAC/3c:ef:8c:00:00:01",)),
         seen(B, "wsd", endpoint_reference=UUID, scopes=("onvif://www.onvif.org/MAC/3c:ef:8c:00:00:02",))], set()),
    "a UUID every unit has, at three addresses": (
        [seen(where, "wsd", endpoint_reference=UUID) for where in (A, B, C)], set()),
    "a UUID, and models that differ": (
        [seen(A, "wsd", endpoint_reference=UUID, model="X1"), seen(B, "wsd", endpoint_reference=UUID, model="X2")],
        set()),
    "a UUID, and keys that differ": (
        [seen(A, "wsd", endpoint_reference=UUID), seen(B, "wsd", endpoint_reference=UUID),
         seen(A, "tls", spki_sha256="aa"), seen(B, "tls", spki_sha256="bb")], set()),
    "a UUID of zeros": (
        [seen(where, "wsd", endpoint_reference="urn:uuid:00000000-0000-0000-0000-000000000000") for where in (A, B)],
        set()),
    "a placeholder for a serial number": ([seen(where, "onvif", serial="0000000000") for where in (A, B)], set()),
    "a counted-up serial number": ([seen(where, "onvif", serial="12345678") for where in (A, B)], set()),
    "a serial number at five addresses": (
        [seen(f"10.0.0.{last}", "onvif", serial=SERIAL) for last in range(1, 6)], set()),
    "a router's MAC in front of two cameras": (
        [link(A, "FE"), link(B, "FE"), seen(A, "onvif", serial=SERIAL), seen(B, "onvif", serial="ACCC8EF30914")],
        set()),
    "a camera seen itself and by its recorder": (
        [seen(A, "sadp", serial=SERIAL),
         seen("10.0.0.30#2", "channel", serial=SERIAL, recorder="10.0.0.30", channel=2)],
        {(A, "10.0.0.30#2")}),
    "a camera whose MAC its recorder names": (
        [link(A, "0A"), seen("10.0.0.30#2", "channel", mac="c0-56-e3-5a-10-0a", recorder="10.0.0.30", channel=2)],
        {(A, "10.0.0.30#2")}),
    "a recorder whose channel list repeats its own serial number": (
        [seen("10.0.0.30", "onvif", serial=SERIAL),
         seen("10.0.0.30#1", "channel", serial=SERIAL, recorder="10.0.0.30", channel=1)], set()),
    "a recorder that answers in the name of its cameras": (
        [seen("10.0.0.30", "wsd", endpoint_reference=UUID), seen(A, "wsd", endpoint_reference=UUID),
         seen("10.0.0.30#1", "channel", recorder="10.0.0.30", channel=1)], set()),
}


@pytest.mark.parametrize("name", CASES)
def test_who_is_one_device(name):
    observations, expected = CASES[name]
    assert together(*observations) == expected
    assert together(*reversed(observations)) == expected


def test_what_was_seen_elsewhere_says_where_and_keeps_its_bytes():
    observations = CASES["one serial number, two network cards"][0]
    there = observations[3]
    attempts = [Attempt(B, "sadp.inquiry", 37020, AttemptStatus.COMPLETED, NOW, observations=(there.id,)),
                Attempt("10.0.0.99", "link.arp", None, AttemptStatus.FAILED, NOW)]
    joined = join(observations, attempts, [A, B])
    assert joined.devices == [A]
    assert [one.device for one in joined.observations] == [A] * 4
    moved = next(one for one in joined.observations if one.transport == "sadp" and one.text("also_at") == B)
    assert (moved.digest, moved.fields["serial"]) == (there.digest, SERIAL)
    assert joined.attempts[0].observations == (moved.id,)
    assert (joined.attempts[0].device, joined.attempts[0].detail) == (A, f"at {B}")
    assert joined.attempts[1] == attempts[1]
    alias = next(one for one in joined.observations if one.transport == "alias")
    assert alias.fields == {"mac": "C0:56:E3:5A:10:0B", "via": "arp", "also_at": B}


def test_a_joined_device_is_judged_once_without_a_conflict():
    joined = join(CASES["one serial number, two network cards"][0], [], [A, B])
    (judgement,) = judge({A: (joined.observations, joined.attempts)}, makers=makers.load(), law=Law.load(),
                         policy=policy.load()["private"], as_of=NOW.date())
    assert judgement.identity.conflicts == ()
    assert set(judgement.identity.macs) == {"C0:56:E3:5A:10:0A", "C0:56:E3:5A:10:0B"}
    assert judgement.identity.serial == SERIAL


def test_duplicates_that_stay_apart_are_a_conflict_of_each():
    observations = CASES["a UUID every unit has, and serial numbers that differ"][0]
    judged = judge({key: (found, []) for key, found in of(*observations).items()}, makers=makers.load(),
                   law=Law.load(), policy=policy.load()["private"], as_of=NOW.date())
    assert [[one.claim for one in each.identity.conflicts] for each in judged] == [["duplicate"], ["duplicate"]]


@pytest.mark.parametrize("recorder", ["10.0.0.2", "10.0.0.77"])
def test_a_recorder_is_judged_by_the_camera_that_was_joined_to_its_channel(recorder):
    direct = [seen(A, "sadp", serial=SERIAL, model="DS-2CD2143G0-I"), seen(A, "dhip", serial=SERIAL)]
    listed = seen(f"{recorder}#2", "channel", serial=SERIAL, recorder=recorder, channel=2)
    itself = seen(recorder, "http", server="nvr")
    joined = join([*direct, listed, itself], [], [A, recorder])
    assert joined.devices == [A, recorder]
    judged = judge({key: ([o for o in joined.observations if o.device == key], []) for key in joined.devices},
                   makers=makers.load(), law=Law.load(), policy=policy.load()["federal"], as_of=NOW.date())
    at = {one.identity.device: one for one in judged}
    assert [(one.number, one.device) for one in at[recorder].identity.channels] == [(2, A)]
    assert at[recorder].verdict.outcome == at[A].verdict.outcome


@given(st.lists(st.tuples(st.sampled_from([A, B, C, f"{A}#1", f"{B}#2", "no address"]),
                          st.sampled_from(["wsd", "sadp", "link", "channel", "tls"]),
                          st.dictionaries(st.sampled_from(["serial", "endpoint_reference", "mac", "model", "recorder"]),
                                          st.sampled_from([SERIAL, UUID, A, "C0:56:E3:5A:10:0A", "", "x"]))),
                max_size=12))
def test_nothing_is_lost_and_joining_twice_changes_nothing(given_):
    observations = [seen(device, transport, **fields) for device, transport, fields in given_]
    devices = sorted({one.device for one in observations if "#" not in one.device})
    joined = join(observations, [], devices)
    assert {one.digest for one in joined.observations} == {one.digest for one in observations}
    assert set(joined.devices) | {key for one in joined.joins for key in one.others} >= set(devices)
    again = join(joined.observations, [], joined.devices)
    assert again.devices == joined.devices or again.joins


def test_a_serial_of_another_maker_is_no_reason_alone():
    first = seen(A, "onvif", serial=SERIAL, manufacturer="HIKVISION")
    assert together(first, replace(first, device=B, fields={**first.fields, "manufacturer": "AXIS"})) == set()
