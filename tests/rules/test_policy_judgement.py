"""The pipeline as a whole: what it cites, what it adds, and what it does with evidence that is gone."""

from dataclasses import replace
from datetime import date

import pytest
import specimens

from rules import judgement, makers, policy
from rules.vocabulary import Finding, Outcome, Overall, Severity, Status
from scanner.observation import Attempt, AttemptStatus

DAY = date(2026, 11, 22)


def judge(devices, name="federal", day=DAY, **more):
    given = {"makers": makers.load(), "law": judgement.Law.load(), "policy": policy.load()[name], "as_of": day, **more}
    return {j.identity.device: j for j in judgement.judge(devices, **given)}


def whole(observations):
    device = observations[0].device
    return {device: (observations, specimens.tried(device, observations))}, device


def test_a_verdict_cites_every_list_with_its_digest_and_day():
    devices, device = whole(specimens.axis())
    cited = {version.id: version for version in judge(devices)[device].verdict.lists}
    assert set(cited) == {"regimes", "makers", "checks", "endpoints", "advisories", "policies"}
    assert all(len(version.version) == 12 and version.dated <= DAY for version in cited.values())


def test_the_law_goes_by_the_day():
    devices, device = whole(specimens.dahua())
    before = judge(devices, day=date(2019, 8, 12))[device]
    after = judge(devices, day=date(2019, 8, 13))[device]
    assert "law.prohibited" not in before.verdict.rules
    assert after.verdict.rules[0] == "law.prohibited"


def test_the_same_device_is_a_red_flag_for_a_private_buyer():
    devices, device = whole(specimens.dahua())
    verdict = judge(devices, "private")[device].verdict
    assert verdict.outcome is Outcome.CONDITIONAL
    assert verdict.overall is Overall.LEGAL_RED_FLAG
    assert "law.red_flag" in verdict.rules


def test_further_findings_count_like_any_other():
    def advise(identity):
        return [Finding(identity.device, "advisory.made_up", "1", "Known weakness", Status.FAIL, Severity.CRITICAL,
                        "old")]

    devices, device = whole(specimens.axis())
    verdict = judge(devices, advise=advise)[device].verdict
    assert verdict.rules == ("finding.critical",)
    assert "advisory.made_up" in {f.rule for f in verdict.findings}


def test_an_attempt_whose_evidence_is_gone_proves_nothing():
    devices, device = whole(specimens.axis())
    observations, attempts = devices[device]
    kept = [o for o in observations if o.probe != "tls.handshake"]
    verdict = judge({device: (kept, attempts)})[device].verdict
    assert verdict.outcome is Outcome.UNDETERMINED
    assert "required probe tls.handshake: failed, internal (what it brought is no longer there)" in verdict.reasons


def test_a_maker_whose_country_nobody_stated_is_for_review():
    known = makers.load()
    nameless = known["axis"].model_copy(
        update={"country": "", "name": "Nameless Optics", "legal_name": "Nameless Optics", "maker": "nameless"})
    nowhere = makers.Makers({slug: maker for slug, maker in known.by_slug.items() if slug != "axis"}
                            | {"nameless": nameless})
    devices, device = whole(specimens.axis())
    law = judgement.Law.load()
    parties = {key: party for key, party in law.entities.parties.items() if "axis" not in key}
    law = replace(law, entities=type(law.entities).of(parties.values()))
    found = judgement.judge(devices, makers=nowhere, law=law, policy=policy.load()["federal"], as_of=DAY)[0]
    assert found.identity.device == device
    assert "law.review" in found.verdict.rules


def test_channels_are_found_among_the_recorders_observations():
    observations = specimens.recorder()
    device = observations[0].device
    together = judge({device: (observations, specimens.tried(device, observations))})
    assert sorted(together) == [device, f"{device}#1", f"{device}#2"]


def test_a_device_nothing_is_known_of_is_undetermined():
    verdict = judge({"10.0.0.99": ([], [])})["10.0.0.99"].verdict
    assert verdict.outcome is Outcome.UNDETERMINED
    assert verdict.rules[0] == "kind.unknown" or "maker.unknown" in verdict.rules


@pytest.mark.parametrize("name", sorted(policy.load()))
def test_anothers_attempts_and_observations_do_not_leak(name):
    good, device = whole(specimens.axis())
    verdicts = judge({**good, "10.0.0.99": ([], [Attempt(device, "http.root", 80, AttemptStatus.COMPLETED,
                                                         specimens.NOW)])}, name)
    assert verdicts["10.0.0.99"].verdict.outcome is Outcome.UNDETERMINED


def test_the_cloud_of_another_maker_is_critical():
    observations = [o for o in specimens.axis() if o.transport != "egress"]
    device = observations[0].device
    observations.append(specimens.seen(device, "egress", "egress.capture", 8800, destination="203.0.113.8",
                                       names=("www.easy4ipcloud.com",), protocol="udp", packets=9, bytes=900))
    found = judge({device: (observations, specimens.tried(device, observations))})[device]
    failed = {f.rule for f in found.findings if f.status is Status.FAIL}
    assert {"egress.other_makers_cloud", "egress.vendor_p2p"} <= failed
    assert found.verdict.outcome is Outcome.PROHIBITED
