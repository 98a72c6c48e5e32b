"""The report value: its order, and what it refuses."""

from dataclasses import FrozenInstanceError, replace
from datetime import datetime

import pytest
import sample_report
from sample_report import NOW, TODAY, sample

from reports.report import OUTCOME_ORDER, STANDING_LIMITS, ObservationRef, build
from rules.vocabulary import Outcome
from scanner.observation import Observation


def test_the_devices_stand_in_the_order_of_action_and_then_by_address():
    devices = sample().devices
    ranks = [OUTCOME_ORDER.index(device.verdict.outcome) for device in devices]
    assert ranks[:-1] == sorted(ranks[:-1])
    assert devices[-1].device == "10.20.0.90", "what is no camera comes last"
    assert [device.device for device in devices[:6]] == [f"10.20.0.{n}" for n in (10, 14, 15, 16, 22, 23)]


def test_addresses_sort_as_numbers_and_channels_after_their_recorder():
    one = sample_report.site()[0]
    keys = ("10.0.0.10", "10.0.0.9#2", "10.0.0.9", "10.0.0.9#10", "fe80::1", "label-only")
    devices = [replace(one, device=key, address="" if key == "label-only" else key) for key in keys]
    assert [device.device for device in replace_devices(devices)] == [
        "10.0.0.9", "10.0.0.9#2", "10.0.0.9#10", "10.0.0.10", "fe80::1", "label-only"]


def replace_devices(devices):
    return build(site="s", sweep="w", generated_at=NOW, as_of=TODAY, policy="p", scope=sample().scope,
                 devices=devices).devices


def test_every_outcome_has_a_place_in_the_order():
    assert set(OUTCOME_ORDER) == set(Outcome)
    assert len(OUTCOME_ORDER) == len(Outcome)


def test_two_devices_under_one_key_are_refused():
    one = sample_report.site()[0]
    with pytest.raises(ValueError, match="two devices with the key"):
        replace_devices([one, one])


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        build(site="s", sweep="w", generated_at=datetime(2026, 1, 1), as_of=TODAY, policy="p",  # noqa: DTZ001
              scope=sample().scope, devices=())


def test_every_report_carries_the_standing_limits_and_its_own():
    assert sample().limits[:len(STANDING_LIMITS)] == STANDING_LIMITS
    assert "Traffic was captured for 20 minutes on one switch port." in sample().limits


def test_a_report_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        sample().site = "elsewhere"


def test_a_reference_keeps_the_id_and_the_digest_of_its_observation():
    seen = Observation.of(device="10.0.0.1", transport="http", probe="http.root", port=80, at=NOW, fields={}, wire=b"x")
    ref = ObservationRef.of(seen)
    assert (ref.id, ref.digest, ref.probe, ref.port) == (seen.id, seen.digest, "http.root", 80)
