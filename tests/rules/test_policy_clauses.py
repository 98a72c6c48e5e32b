"""Every clause of a policy, alone and together; the floors; and the shipped policies."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from rules import checks, policy
from rules.policy import Clause, Consequence, Policy, decide, is_outside_scope
from rules.vocabulary import (
    STALE_AFTER_DAYS,
    ActivityEffect,
    Assurance,
    Channel,
    Conflict,
    Effect,
    Finding,
    Identity,
    Kind,
    ListVersion,
    Outcome,
    Overall,
    Severity,
    Status,
    Verdict,
)
from scanner.observation import Attempt, AttemptStatus, Reason

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DEVICE = "10.0.0.5"
POLICIES = policy.load()
FEDERAL = POLICIES["federal"]
LISTS = (ListVersion("x", "X", "0", DAY),)
GOOD = Identity(device=DEVICE, maker="axis", maker_name="Axis", makers=("axis",), kind=Kind.CAMERA,
                assurance=Assurance.CORROBORATED, firmware="10.12")


def effect(kind=ActivityEffect.NONE, binds=True):
    return Effect(regime="R", name="A law", listed="true", in_force=True, binds_buyer=binds, buyer="b",
                  activity="procure", effect=kind, because="because", citation="s.1")


def finding(status=Status.PASS, severity=Severity.HIGH, rule="a.check"):
    return Finding(DEVICE, rule, "1", "Title", status, severity, "reason")


def passed(some_policy=FEDERAL):
    return [finding(rule=rule) for rule in some_policy.assessed]


def attempts(some_policy=FEDERAL, kind=Kind.CAMERA, **changed):
    answered, tried = some_policy.needs(kind)
    made = {probe: Attempt(DEVICE, probe, None, AttemptStatus.COMPLETED, NOW) for probe in answered}
    made |= {probe: Attempt(DEVICE, probe, None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER) for probe in tried}
    for probe, reason in changed.items():
        name = probe.replace("__", ".")
        if reason is None:
            made.pop(name, None)
        else:
            made[name] = Attempt(DEVICE, name, None, AttemptStatus.FAILED, NOW, reason)
    return list(made.values())


def verdict_of(identity=GOOD, findings=None, effects=None, tried=None, some_policy=FEDERAL, lists=LISTS, **more):
    return decide(identity, passed(some_policy) if findings is None else findings,
                  [effect()] if effects is None else effects,
                  attempts(some_policy, identity.kind) if tried is None else tried, some_policy, DAY, lists, **more)


def channel_verdict(outcome, number=1):
    return Verdict(f"{DEVICE}#{number}", outcome, "federal", "1", DAY, DAY, reasons=("why",))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_camera_with_nothing_against_it_is_approved(name):
    verdict = verdict_of(some_policy=POLICIES[name])
    assert verdict.outcome is Outcome.APPROVED
    assert verdict.rules == ()
    assert verdict.reasons[0].startswith("made by Axis, corroborated")
    assert (verdict.expires - verdict.as_of).days == POLICIES[name].expires_days
    assert verdict.overall is Overall.LEGAL
    assert verdict.lists == LISTS


def aged(days):
    return replace(LISTS[0], dated=DAY - timedelta(days=days))


RECORDER = replace(GOOD, kind=Kind.RECORDER, channels=(Channel(1, f"{DEVICE}#1"),))


@pytest.mark.parametrize(("clause", "given"), [
    (Clause.LAW_PROHIBITED, {"effects": [effect(ActivityEffect.PROHIBITED)]}),
    (Clause.LAW_REVIEW, {"effects": [effect(ActivityEffect.REVIEW)]}),
    (Clause.LAW_REVIEW, {"effects": []}),                                  # a maker, but no law was asked
    (Clause.LAW_REVIEW, {"at_best": Overall.REVIEW}),
    (Clause.LAW_RESTRICTED, {"effects": [effect(ActivityEffect.SUBSIDY_RESTRICTED)]}),
    (Clause.LAW_RED_FLAG, {"effects": [effect(ActivityEffect.RED_FLAG)]}),
    (Clause.LAW_RED_FLAG, {"effects": [effect(ActivityEffect.PROHIBITED, binds=False)]}),
    (Clause.KIND_NOT_A_CAMERA, {"identity": replace(GOOD, kind=Kind.OTHER)}),
    (Clause.KIND_UNKNOWN, {"identity": replace(GOOD, kind=Kind.UNKNOWN)}),
    (Clause.MAKER_UNKNOWN, {"identity": replace(GOOD, maker=None, makers=(), assurance=Assurance.NONE)}),
    (Clause.MAKER_SELF_REPORTED, {"identity": replace(GOOD, assurance=Assurance.SELF_REPORTED)}),
    (Clause.MAKER_DISPUTED, {"identity": replace(GOOD, makers=("axis", "bosch"))}),
    (Clause.MAKER_DISPUTED, {"identity": replace(GOOD, conflicts=(Conflict("maker", ("a", "b"), "why"),))}),
    (Clause.PROBE_UNFINISHED, {"tried": attempts(http__root=None)}),
    (Clause.PROBE_UNFINISHED, {"tried": attempts(http__root=Reason.TIMEOUT)}),
    (Clause.PROBE_UNFINISHED, {"tried": attempts(http__root=Reason.NO_ANSWER)}),      # silence is no answer here
    (Clause.PROBE_UNFINISHED, {"tried": attempts(sadp__inquiry=Reason.UNPRIVILEGED)}),
    (Clause.CHANNELS_UNASSESSED, {"identity": replace(GOOD, kind=Kind.RECORDER)}),
    (Clause.CHANNELS_UNASSESSED, {"identity": RECORDER}),
    (Clause.CHANNELS_PROHIBITED, {"identity": RECORDER, "channels": [channel_verdict(Outcome.PROHIBITED)]}),
    (Clause.CHANNELS_UNDETERMINED, {"identity": RECORDER, "channels": [channel_verdict(Outcome.UNDETERMINED)]}),
    (Clause.CHANNELS_CONDITIONAL, {"identity": RECORDER, "channels": [channel_verdict(Outcome.CONDITIONAL)]}),
    (Clause.FINDING_CRITICAL, {"findings": [*passed(), finding(Status.FAIL, Severity.CRITICAL)]}),
    (Clause.FINDING_HIGH, {"findings": [*passed(), finding(Status.FAIL, Severity.HIGH)]}),
    (Clause.FINDING_MEDIUM, {"findings": [*passed(), finding(Status.FAIL, Severity.MEDIUM)]}),
    (Clause.FINDING_REQUIRED_NOT_ASSESSED, {"findings": passed()[1:]}),
    (Clause.FINDING_REQUIRED_NOT_ASSESSED, {
        "findings": [finding(Status.NOT_ASSESSED, rule=rule) for rule in FEDERAL.assessed]}),
    (Clause.FINDING_NOT_ASSESSED, {"findings": [*passed(), finding(Status.NOT_ASSESSED)]}),
    (Clause.FINDING_WAIVED, {"findings": [*passed(), finding(Status.WAIVED)]}),
    (Clause.ADVISORY_DISPUTED, {"findings": [*passed(), finding(Status.NOT_ASSESSED, rule="advisory.disputed")]}),
    (Clause.ADVISORY_UNKNOWN_EXPLOITED, {"findings": [*passed(), replace(
        finding(Status.NOT_ASSESSED, rule="advisory.unknown"), facts=(("known exploited", "CVE-2021-33044"),))]}),
    (Clause.LISTS_STALE, {"lists": [aged(STALE_AFTER_DAYS + 1)]}),
])
def test_each_clause_leads_where_the_policy_says(clause, given):
    verdict = verdict_of(**given)
    assert verdict.rules == (clause,)
    assert verdict.outcome == FEDERAL.clauses[clause]
    assert all(verdict.reasons)


def test_every_clause_is_shown_above_or_decides_nothing():
    shown = {case[0] for case in test_each_clause_leads_where_the_policy_says.pytestmark[0].args[1]}
    notes = {clause for clause, consequence in FEDERAL.clauses.items() if consequence is Consequence.NOTE}
    assert shown | notes == set(Clause)


def test_advisories_that_cannot_be_compared_are_said_and_let_pass_by_their_own_clause():
    verdict = verdict_of(findings=[*passed(), finding(Status.NOT_ASSESSED, rule="advisory.unknown")])
    assert verdict.outcome is Outcome.APPROVED
    assert "advisory.unknown not assessed: reason" in verdict.reasons


def test_a_list_is_stale_from_the_day_after_its_limit_and_a_later_one_never_is():
    assert verdict_of(lists=[aged(STALE_AFTER_DAYS), aged(-400)]).outcome is Outcome.APPROVED
    said = verdict_of(lists=[aged(STALE_AFTER_DAYS + 1)], some_policy=POLICIES["private"])
    assert said.outcome is Outcome.APPROVED
    assert any("stale" in reason and str(STALE_AFTER_DAYS + 1) in reason for reason in said.reasons)


def test_a_note_is_said_and_decides_nothing():
    verdict = verdict_of(findings=[*passed(), finding(Status.FAIL, Severity.LOW)])
    assert verdict.outcome is Outcome.APPROVED
    assert verdict.rules == ()
    assert "Title: reason" in verdict.reasons


@pytest.mark.parametrize("reason", [Reason.PORT_CLOSED, Reason.REFUSED, Reason.AUTH_REQUIRED])
def test_a_closed_port_and_a_request_for_a_login_finish_a_probe(reason):
    assert verdict_of(tried=attempts(http__root=reason)).outcome is Outcome.APPROVED


def test_another_devices_attempts_finish_nothing():
    stolen = [replace(attempt, device="10.0.0.6") for attempt in attempts()]
    assert verdict_of(tried=stolen).rules == (Clause.PROBE_UNFINISHED,)


def test_the_worst_clause_wins_and_comes_first():
    verdict = verdict_of(identity=replace(GOOD, assurance=Assurance.SELF_REPORTED),
                         effects=[effect(ActivityEffect.RED_FLAG), effect(ActivityEffect.PROHIBITED)],
                         findings=[*passed(), finding(Status.FAIL, Severity.MEDIUM)], tried=[])
    assert verdict.outcome is Outcome.PROHIBITED
    assert verdict.rules[0] == Clause.LAW_PROHIBITED
    assert verdict.rules[1:3] == (Clause.MAKER_SELF_REPORTED, Clause.PROBE_UNFINISHED)
    assert verdict.reasons[0].startswith("A law: because")
    assert verdict.overall is Overall.PROHIBITED


def test_the_worst_credible_maker_decides_not_the_first():
    both = replace(GOOD, makers=("axis", "dahua"))
    verdict = verdict_of(identity=both, effects=[effect(), effect(ActivityEffect.PROHIBITED)])
    assert verdict.outcome is Outcome.PROHIBITED


def test_no_camera_is_outside_the_scope_and_not_worried_about():
    printer = Identity(device=DEVICE, kind=Kind.OTHER)
    verdict = verdict_of(identity=printer, findings=[], effects=[], tried=[])
    assert verdict.outcome is Outcome.UNDETERMINED
    assert is_outside_scope(verdict)
    assert verdict.reasons == ("not a camera: outside the gate's scope, so there is nothing to admit",)


def test_a_listed_maker_does_not_escape_by_calling_itself_a_printer():
    verdict = verdict_of(identity=replace(GOOD, kind=Kind.OTHER), effects=[effect(ActivityEffect.PROHIBITED)])
    assert verdict.outcome is Outcome.PROHIBITED
    assert not is_outside_scope(verdict)


def test_a_recorder_that_denies_being_one_is_held_to_its_channel_list():
    unread = finding(Status.NOT_ASSESSED, rule="recorder.channels_unseen")
    assert verdict_of(findings=[*passed(), unread]).rules == (Clause.CHANNELS_UNASSESSED,)


def test_a_recorder_with_judged_channels_is_approved():
    seen = [*passed(), finding(rule="recorder.channels_unseen")]
    verdict = verdict_of(identity=RECORDER, findings=seen, channels=[channel_verdict(Outcome.APPROVED)])
    assert verdict.outcome is Outcome.APPROVED


@pytest.mark.parametrize(("name", "outcome"), [("federal", Outcome.PROHIBITED), ("private", Outcome.CONDITIONAL)])
def test_a_prohibited_channel_counts_against_its_recorder(name, outcome):
    verdict = verdict_of(identity=RECORDER, some_policy=POLICIES[name], channels=[channel_verdict(Outcome.PROHIBITED)])
    assert verdict.outcome is outcome


def mild(**changes):
    clauses = {str(clause): "note" for clause in Clause}
    clauses.update({str(clause): str(policy._FLOOR[clause]) for clause in policy._FLOOR}, **changes)
    return {"policy": "p", "version": 1, "dated": "2026-11-22", "title": "t", "buyers": ["private_company"],
            "expires_days": 1, "answered": {"camera": []}, "tried": {"camera": []}, "assessed": [], "clauses": clauses}


def test_the_mildest_policy_that_may_exist_is_readable():
    assert Policy.model_validate(mild()).policy == "p"


@pytest.mark.parametrize("clause", sorted(policy._FLOOR))
def test_no_policy_goes_below_a_floor(clause):
    order = list(Consequence)
    milder = order[order.index(policy._FLOOR[clause]) + 1]
    with pytest.raises(ValidationError, match="milder"):
        Policy.model_validate(mild(**{str(clause): str(milder)}))


@pytest.mark.parametrize("clause", [Clause.MAKER_UNKNOWN, Clause.MAKER_SELF_REPORTED, Clause.MAKER_DISPUTED,
                                    Clause.KIND_UNKNOWN, Clause.PROBE_UNFINISHED, Clause.CHANNELS_UNASSESSED,
                                    Clause.LAW_REVIEW])
@pytest.mark.parametrize("name", sorted(POLICIES))
def test_what_is_unknown_never_admits(name, clause):
    assert POLICIES[name].clauses[clause] in {Consequence.UNDETERMINED, Consequence.PROHIBITED}


@pytest.mark.parametrize("broken", [
    {"clauses": {}}, {"buyers": []}, {"expires_days": 0}, {"answered": {"recorder": []}}, {"surprise": 1},
])
def test_a_policy_that_does_not_make_sense_is_refused(broken):
    with pytest.raises(ValidationError):
        Policy.model_validate({**mild(), **broken})


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policies_name_only_what_exists(name):
    from rules import buyers

    assert set(POLICIES[name].buyers) <= set(buyers.load())
    assert set(POLICIES[name].assessed) <= {check.id for check in checks.load()}
