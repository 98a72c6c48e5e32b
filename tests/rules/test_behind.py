"""What is wrong behind a recorder is said on the recorder."""

import pytest

from rules.behind import weaknesses
from rules.vocabulary import Channel, Finding, Identity, Severity, Status

RECORDER = Identity(device="10.0.0.1", channels=(Channel(1, "10.0.0.1#1"), Channel(2, "10.0.0.1#2")))


def finding(device, rule, status, severity=Severity.HIGH):
    return Finding(device=device, rule=rule, rule_version="1", title=rule, status=status, severity=severity, reason="r",
                   evidence=("e",), standards=(("s", "1"),))


@pytest.mark.parametrize(("findings", "status", "severity"), [
    ([finding("10.0.0.1#1", "advisory.cve-1", Status.FAIL, Severity.CRITICAL),
      finding("10.0.0.1#1", "tls.weak", Status.FAIL, Severity.MEDIUM)], Status.FAIL, Severity.CRITICAL),
    ([finding("10.0.0.1#1", "advisory.cve-1", Status.FAIL, Severity.LOW)], Status.FAIL, Severity.LOW),
    ([finding("10.0.0.1#1", "firmware.old", Status.FAIL, Severity.LOW)], Status.PASS, Severity.HIGH),
    ([finding("10.0.0.1#1", "advisory.unknown", Status.NOT_ASSESSED)], Status.NOT_ASSESSED, Severity.HIGH),
    ([finding("10.0.0.1#1", "rtsp.anonymous", Status.NOT_ASSESSED)], Status.PASS, Severity.HIGH),
    ([finding("10.0.0.1#1", "advisory.cve-1", Status.WAIVED)], Status.PASS, Severity.HIGH),
])
def test_the_worst_of_what_is_behind_counts(findings, status, severity):
    said = weaknesses(RECORDER, {"10.0.0.1#1": findings})
    assert (said.status, said.severity) == (status, severity)
    assert said.device == "10.0.0.1"
    assert bool(said.remedy) is (status is not Status.PASS)


def test_a_device_without_channels_says_nothing():
    assert weaknesses(Identity(device="10.0.0.1"), {}) is None


def test_the_finding_points_at_what_it_rests_on():
    said = weaknesses(RECORDER, {"10.0.0.1#2": [finding("10.0.0.1#2", "advisory.cve-1", Status.FAIL)]})
    assert said.evidence == ("e",)
    assert said.standards == (("s", "1"),)
    assert said.facts == (("10.0.0.1#2", "advisory.cve-1: r"),)
