"""Promise 1, counted out: whatever is lost of a listed maker's device and whatever friendly label is added.

A verdict can only approve a device whose one credible maker is corroborated: every policy holds to that floor
(`test_only_a_corroborated_device_can_be_approved`). So the many combinations are held to it by identity alone, which is
quick, over the specimens, the devices of the lab and every recorded reply of a listed maker beside the checkout.
"""

import json
from itertools import combinations

import lab_replies
import pytest
import specimens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_replies import SAMPLES
from test_never_approved import OUTSIDE, complete, judged

from rules import judgement, makers, policy
from rules.identity import identify
from rules.vocabulary import Assurance, Outcome
from scanner.wire import replies

DEPTH = 3
MAKERS = makers.load()
LISTED_MAKERS = {"dahua", "hikvision"}
OF_THE_LAB = ("dahua-tpc", "lorex", "intelbras", "imposter", "hikvision-dome", "hikmicro")
FOLDERS = ("dahua", "dahua-family", "lorex", "amcrest", "bcs", "intelbras", "hikvision", "hikvision-family", "annke",
           "ids", "mockup-agsh", "ipcam-clone", "unknown")
"""Folders of recorded replies: listed makers, those who sell their devices, and what could be anybody's."""
DEVICES = {**specimens.LISTED,
           **{f"lab {name}": lambda name=name: list(lab_replies.said_by(name)) for name in OF_THE_LAB}}


def may_be_approved(device, observations):
    """Whether any policy could let it in, as far as who made it goes."""
    found = identify(device, observations, MAKERS)
    known = found.assurance in {Assurance.CORROBORATED, Assurance.CRYPTOGRAPHIC}
    return known and len(found.makers) == 1 and found.maker not in LISTED_MAKERS


def telling(observations):
    """Those that say anything of who made the device; the rest cannot change it."""
    device = observations[0].device
    return [one for one in observations if identify(device, [one], MAKERS).evidence]


@pytest.mark.parametrize("friend", [None, *specimens.FRIENDS])
@pytest.mark.parametrize("name", sorted(DEVICES))
def test_no_three_replies_less_let_it_in(name, friend):
    observations = telling(DEVICES[name]())
    device = observations[0].device
    labels = list(specimens.labels_of(device, friend)) if friend else []
    for lost in range(DEPTH + 1):
        for gone in combinations(range(len(observations)), lost):
            kept = [one for at, one in enumerate(observations) if at not in gone]
            assert not may_be_approved(device, [*kept, *labels]), [observations[at].probe for at in gone]
    for kept in combinations(observations, 1):      # and almost everything
        assert not may_be_approved(device, [*kept, *labels])
    assert not may_be_approved(device, labels)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_subset_and_no_labels_let_it_in(data):
    observations = DEVICES[data.draw(st.sampled_from(sorted(DEVICES)))]()
    device = observations[0].device
    kept = data.draw(st.lists(st.sampled_from(observations), unique_by=lambda one: one.id))
    added = data.draw(st.lists(st.sampled_from(list(specimens.friendly(device))), unique_by=lambda one: one.id))
    assert not may_be_approved(device, [*kept, *added])


@pytest.mark.parametrize("name", [f"lab {name}" for name in OF_THE_LAB])
def test_the_verdict_agrees(name):
    observations = DEVICES[name]()
    device = observations[0].device
    for friend in specimens.FRIENDS:
        labels = list(specimens.labels_of(device, friend))
        assert judged({device: ([*observations, *labels], complete(device))})[device].verdict.outcome in OUTSIDE
        assert judged({device: (labels, complete(device))})[device].verdict.outcome in OUTSIDE


@pytest.mark.parametrize("name", ["axis", "axis-box", "hanwha", "bosch", "flir"])
def test_an_honest_device_of_the_lab_is_corroborated_without_its_address_block(name):
    observations = [one for one in lab_replies.said_by(name) if one.transport != "link"]
    found = identify(lab_replies.ADDRESS, observations, MAKERS)
    assert (found.maker, found.assurance) == (name.partition("-")[0], Assurance.CORROBORATED)
    assert may_be_approved(lab_replies.ADDRESS, observations)


@pytest.mark.parametrize("friend", specimens.FRIENDS)
def test_labels_of_a_friend_alone_are_its_own_word(friend):
    labels = list(specimens.labels_of("10.0.0.1", friend))
    found = identify("10.0.0.1", labels, MAKERS)
    assert (friend in found.makers, found.assurance) == (True, Assurance.SELF_REPORTED)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_only_a_corroborated_device_can_be_approved(data):
    observations = specimens.axis()
    device = observations[0].device
    kept = data.draw(st.lists(st.sampled_from(observations), unique_by=lambda one: one.id))
    outcome = judged({device: (kept, complete(device))})[device].verdict.outcome
    assert outcome is not Outcome.APPROVED or may_be_approved(device, kept)


def test_every_policy_keeps_what_is_not_corroborated_out():
    for one in policy.load().values():
        for clause in ("maker.unknown", "maker.self_reported", "maker.disputed", "law.prohibited"):
            assert one.clauses[policy.Clause(clause)] in {"undetermined", "prohibited"}
    entities = judgement.Law.load().entities
    assert {"dahua", "hikvision"} <= {entities.of_maker(maker).id for maker in LISTED_MAKERS}


def recorded():
    rows = json.loads((SAMPLES / "MANIFEST.json").read_text("utf-8"))["rows"] if SAMPLES.exists() else []
    return [row for row in rows if row["file"].partition("/")[0] in FOLDERS]


@pytest.mark.skipif(not SAMPLES.exists(), reason="no recorded replies beside the checkout")
def test_no_recorded_reply_and_no_label_let_it_in():
    rows = recorded()
    for row in rows:
        data = (SAMPLES / row["file"]).read_bytes()
        observations = replies.read(row["transport"], None, data, device="d", now=specimens.NOW)
        for friend in specimens.FRIENDS:
            labels = list(specimens.labels_of("d", friend))
            assert not may_be_approved("d", [*observations, *labels]), row["id"]
            assert not may_be_approved("d", [*observations, labels[0]]), row["id"]
    assert len(rows) > 50


@pytest.mark.skipif(not SAMPLES.exists(), reason="no recorded replies beside the checkout")
def test_no_recorded_replies_together_and_no_labels_let_it_in():
    for folder in FOLDERS:
        rows = [row for row in recorded() if row["file"].startswith(f"{folder}/")]
        observations = [one for row in rows for one in replies.read(
            row["transport"], None, (SAMPLES / row["file"]).read_bytes(), device="d", now=specimens.NOW)]
        for friend in specimens.FRIENDS:
            labels = list(specimens.labels_of("d", friend))
            for lost in range(len(observations) + 1):
                assert not may_be_approved("d", [*observations[:lost], *observations[lost + 1:], *labels]), folder
