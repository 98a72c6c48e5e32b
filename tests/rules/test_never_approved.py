"""Promise 1, as a property: no evidence removed and no friendly label added ever lets a listed maker's device in.

The engines are the real ones: identity, law, checks and the federal policy over the shipped data.
"""

from dataclasses import replace
from datetime import date
from functools import cache

import pytest
import specimens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import destinations, judgement, makers, policy
from rules.vocabulary import Outcome
from scanner.observation import Attempt, AttemptStatus

DAY = date(2026, 11, 22)
OUTSIDE = {Outcome.PROHIBITED, Outcome.UNDETERMINED}
EVERY_PROBE = ("http.root", "rtsp.describe", "rtsp.describe_random_path", "onvif.GetScopes", "onvif.GetProfiles",
               "tls.handshake", "sadp.inquiry", "dhip.search", "wsd.probe", "egress.capture")


@cache
def _given():
    return {"makers": makers.load(), "law": judgement.Law.load(), "policy": policy.load()["federal"], "as_of": DAY,
            "lists": (), "clouds": destinations.with_makers(destinations.load(), makers.load())}


def judged(devices):
    return {j.identity.device: j for j in judgement.judge(devices, **_given())}


def complete(device, *probes):
    """A sweep that swears every probe was answered and forgets what was: the kindest record there can be."""
    return [Attempt(device, probe, None, AttemptStatus.COMPLETED, specimens.NOW) for probe in probes or EVERY_PROBE]


def some_of(observations, most=None):
    return st.lists(st.sampled_from(observations), unique_by=lambda o: o.id, max_size=most)


@pytest.mark.parametrize("name", sorted(specimens.LISTED))
def test_a_listed_makers_device_is_prohibited_as_it_stands(name):
    observations = specimens.LISTED[name]()
    device = observations[0].device
    found = judged({device: (observations, specimens.tried(device, observations))})[device]
    assert found.verdict.outcome is Outcome.PROHIBITED, found.identity
    assert found.verdict.rules[0] == "law.prohibited"


def test_the_counter_example_is_approved():
    observations = specimens.axis()
    device = observations[0].device
    found = judged({device: (observations, specimens.tried(device, observations))})[device]
    assert found.verdict.outcome is Outcome.APPROVED, found.verdict.reasons


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_removal_and_no_label_lets_it_in(data):
    observations = specimens.LISTED[data.draw(st.sampled_from(sorted(specimens.LISTED)))]()
    device = observations[0].device
    kept = data.draw(some_of(observations))
    added = data.draw(some_of(list(specimens.friendly(device)), 20))
    record = data.draw(st.sampled_from(["honest", "kind", "none"]))
    attempts = {"honest": specimens.tried(device, observations), "kind": complete(device), "none": []}[record]
    found = judged({device: ([*kept, *added], attempts)})[device]
    assert found.verdict.outcome in OUTSIDE, (found.identity, found.verdict.rules)


@pytest.mark.parametrize("name", sorted(specimens.LISTED))
def test_no_single_reply_and_all_labels_let_it_in(name):
    observations = specimens.LISTED[name]()
    device = observations[0].device
    labels = list(specimens.friendly(device))
    for gone in range(len(observations)):
        kept = observations[:gone] + observations[gone + 1:]
        assert judged({device: ([*kept, *labels], complete(device))})[device].verdict.outcome in OUTSIDE
    assert judged({device: (labels, complete(device))})[device].verdict.outcome in OUTSIDE


def test_a_recorder_without_a_hidden_camera_is_undetermined_only_by_its_channels():
    observations = specimens.recorder(hidden=False)
    device = observations[0].device
    found = judged({device: (observations, specimens.tried(device, observations))})[device]
    assert found.verdict.rules == ("channels.undetermined", "finding.not_assessed"), found.verdict.reasons


def test_a_hidden_camera_prohibits_itself_and_its_recorder():
    observations = specimens.recorder()
    device = observations[0].device
    found = judged({device: (observations, specimens.tried(device, observations))})
    assert found[f"{device}#2"].identity.maker == "hikvision"
    assert found[f"{device}#2"].verdict.outcome is Outcome.PROHIBITED
    assert found[device].verdict.outcome is Outcome.PROHIBITED
    assert "channels.prohibited" in found[device].verdict.rules


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_removal_lets_a_recorder_with_a_hidden_camera_in(data):
    observations = specimens.recorder()
    device = observations[0].device
    kept = data.draw(some_of(observations))
    added = data.draw(some_of(list(specimens.friendly(device)), 15))
    grouped = data.draw(st.booleans())      # channels under their own keys, or among the recorder's observations
    attempts = specimens.tried(device, observations)
    devices = {device: ([o for o in [*kept, *added] if grouped or o.device == device], attempts)}
    if not grouped:
        for item in kept:
            if item.device != device:
                devices.setdefault(item.device, ([], []))[0].append(item)
    assert judged(devices)[device].verdict.outcome in OUTSIDE


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_order_of_what_was_seen_changes_nothing(data):
    observations = specimens.lorex()
    device = observations[0].device
    shuffled = data.draw(st.permutations(observations))
    attempts = specimens.tried(device, observations)
    one = judged({device: (observations, attempts)})[device]
    two = judged({device: (shuffled, attempts)})[device]
    assert (one.verdict.outcome, one.verdict.rules) == (two.verdict.outcome, two.verdict.rules)
    assert replace(one.identity, evidence=()) == replace(two.identity, evidence=())
