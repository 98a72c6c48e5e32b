"""When a documented login may be tried at all, and what an answer to it means."""

from datetime import UTC, datetime

import pytest

from scanner.factory import Outcome, Permit, outcome_of, standing_in_the_way
from scanner.login import speaks_of_a_lock
from scanner.observation import Attempt, AttemptStatus, Observation, Reason
from scanner.wire.auth import Credentials

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def seen(transport, **fields):
    return Observation.of(device="10.0.0.7", transport=transport, probe="p", port=80, at=NOW, fields=fields, wire=b"")


def attempt(probe, status=AttemptStatus.FAILED, reason=Reason.AUTH_REJECTED):
    return Attempt("10.0.0.7", probe, 80, status, NOW, reason)


@pytest.mark.parametrize(("observations", "attempts", "words", "reason"), [
    ([], [], "user locked", Reason.BUSY), ([seen("sadp", activated=False)], [], "", Reason.NOT_APPLICABLE),
    ([seen("onvif", attempts_left=4)], [], "", Reason.BUSY),
    ([], [attempt("auth.onvif.GetDeviceInformation")], "", Reason.BUDGET_SPENT),
    ([], [attempt("auth.recorder.channels", reason=Reason.BUSY)], "", Reason.BUDGET_SPENT),
])
def test_anything_that_speaks_of_a_lock_or_a_refusal_stands_in_the_way(observations, attempts, words, reason):
    found = standing_in_the_way(observations, attempts, words)
    assert found.reason is reason
    assert found.because


@pytest.mark.parametrize(("observations", "attempts"), [
    ([], []), ([seen("sadp", activated=True)], []), ([seen("http", status=401)], [attempt("http.root")]),
    ([], [attempt("auth.onvif.GetDeviceInformation", AttemptStatus.COMPLETED, None)]),
])
def test_an_ordinary_device_may_be_tried(observations, attempts):
    assert standing_in_the_way(observations, attempts, "") is None


@pytest.mark.parametrize(("fields", "locked"), [
    ({"status": 401, "body": "<html><script>var locked=0</script>Login</html>"}, False),
    ({"status": 401, "body": "<userCheck><lockStatus>unlock</lockStatus></userCheck>"}, False),
    ({"status": 401, "body": "The user is locked. Unlock time: 1800"}, True),
    ({"status": 400, "fault_reason": "account_locked"}, True),
    ({"status": 401, "body": "try again in 30 minutes"}, True),
    ({"status": 200, "body": "our products are locked and loaded"}, False), ({}, False),
])
def test_a_lock_is_read_from_refusals_and_from_no_ordinary_page(fields, locked):
    assert bool(speaks_of_a_lock(fields)) is locked


@pytest.mark.parametrize("reason", list(Reason))
def test_only_an_understood_refusal_says_that_the_login_is_wrong(reason):
    assert (outcome_of(attempt("x", reason=reason)) is Outcome.REFUSED) is (reason is Reason.AUTH_REJECTED)


def test_only_a_full_answer_says_that_it_opens():
    assert outcome_of(attempt("x", AttemptStatus.COMPLETED, None)) is Outcome.ACCEPTED


def test_a_permit_shows_no_password():
    assert "lab-only-9" not in repr(Permit("a-pair", Credentials("root", "lab-only-9")))
