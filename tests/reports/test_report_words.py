"""Every word of the vocabulary has its wording, so no report can meet one it cannot say."""

import pytest

from reports import words
from reports.monitoring import CameraState
from rules.vocabulary import ActivityEffect, Assurance, Basis, Kind, Outcome, Severity, Status, Strength
from scanner.observation import AttemptStatus, Reason


@pytest.mark.parametrize(("table", "vocabulary"), [
    (words.OUTCOME, Outcome), (words.OUTCOME_MEANS, Outcome), (words.SEVERITY, Severity), (words.STATUS, Status),
    (words.ASSURANCE, Assurance), (words.STRENGTH, Strength), (words.BASIS, Basis), (words.KIND, Kind),
    (words.EFFECT, ActivityEffect), (words.ATTEMPT, AttemptStatus), (words.REASON, Reason),
    (words.CAMERA_STATE, CameraState),
])
def test_the_table_is_complete_and_no_two_words_read_alike(table, vocabulary):
    assert set(table) == set(vocabulary)
    assert all(table.values())
    assert len(set(table.values())) == len(table)


def test_severities_are_ordered_completely():
    assert sorted(words.SEVERITY_ORDER) == sorted(Severity)


def test_whatever_forbids_the_buyer_is_called_prohibited():
    forbidding = {effect for effect in ActivityEffect if effect.startswith("prohibited")}
    assert forbidding - {ActivityEffect.PROHIBITED_TO_BUY_SECURITIES} == words.PROHIBITING


@pytest.mark.parametrize(("count", "text"), [(0, "0 devices"), (1, "1 device"), (1204, "1,204 devices")])
def test_plural(count, text):
    assert words.plural(count, "device") == text


@pytest.mark.parametrize(("name", "text"), [
    ("us_federal_agency", "US federal agency"), ("dod_contractor", "DoD contractor"), ("private_company",
                                                                                       "private company")])
def test_roles(name, text):
    assert words.roles(name) == text


def test_every_event_of_the_monitor_has_its_wording():
    pytest.importorskip("cv2")
    from analytics.pipeline import EventKind

    assert {str(kind) for kind in EventKind} <= set(words.EVENT)


def test_joined():
    assert [words.joined(["a", "b", "c"][:count]) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
