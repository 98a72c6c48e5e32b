"""A device is itself as long as nothing that was read at approval reads differently, or no more."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.fingerprint import TRAITS, Fingerprint, differences, of_observations
from scanner.observation import Observation
from tests.analytics.gate_world import NOON
from tests.analytics.gate_world import TRAITS as WHOLE

texts = st.none() | st.text(min_size=1, max_size=8)
fingerprints = st.builds(Fingerprint, *(texts for _ in TRAITS))


def seen(transport, minutes=0, **fields):
    return Observation.of(device="192.0.2.10", transport=transport, probe="x", port=None,
                          at=NOON + timedelta(minutes=minutes), fields=fields, wire=repr((transport, fields)).encode())


@pytest.mark.parametrize("trait", TRAITS)
def test_each_trait_counts_alone(trait):
    assert differences(WHOLE, replace(WHOLE, **{trait: "another"})) == (
        f"{trait}: {getattr(WHOLE, trait)} -> another",)
    assert differences(WHOLE, replace(WHOLE, **{trait: None})) == (f"{trait}: {getattr(WHOLE, trait)} -> not readable",)
    assert differences(replace(WHOLE, **{trait: None}), WHOLE) == ()       # unread at approval: it proves nothing


@given(fingerprints, fingerprints)
def test_only_the_same_device_shows_no_difference(approved, now):
    same = all(getattr(now, name) == getattr(approved, name) for name in approved.readable)
    assert (differences(approved, now) == ()) is same
    assert differences(approved, approved) == ()


@given(fingerprints, fingerprints)
def test_the_digest_is_of_every_trait(one, other):
    assert (one.digest == other.digest) is (one == other)
    assert Fingerprint.from_json(one.to_json()) == one


def test_what_is_no_text_counts_as_unread():
    assert Fingerprint.from_json({"mac": 5, "serial": "", "firmware": None, "other": "x"}) == Fingerprint()


def test_traits_come_from_their_best_source_and_the_newest_reply():
    found = of_observations([
        seen("http", serial="H", firmware="1"), seen("onvif", serial="OLD"), seen("onvif", 5, serial=" NEW "),
        seen("link", mac="00:40:8C:11:22:33"), seen("tls", spki_sha256="ab"), seen("wsd", endpoint_reference="uuid")])
    assert found == Fingerprint("00:40:8C:11:22:33", "NEW", "1", "ab", "uuid")


def test_a_mac_that_the_device_claims_is_no_mac():
    assert of_observations([seen("onvif", mac="00:40:8C:11:22:33"), seen("sadp", mac="x")]).mac is None
    assert of_observations([]) == Fingerprint()
