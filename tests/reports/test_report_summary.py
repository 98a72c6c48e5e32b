"""What a report comes down to, on reports whose answer is plain to see."""

from dataclasses import replace
from datetime import date

import pytest
from sample_report import LISTS, device, law, sample, site

from reports import summary
from reports.report import Report
from reports.summary import LabelMatch, RiskKind
from rules.vocabulary import Identity, Kind, ListVersion, Outcome, Status


def only(*devices) -> Report:
    return replace(sample(), devices=tuple(devices), silent=(), lists=())


def plain(host: str, outcome: Outcome):
    return device(host, "axis", "Axis", "P1", "1", outcome, ("because",))


@pytest.mark.parametrize(("outcomes", "told"), [
    ((), "No device was found; that does not mean that there is none."),
    ((Outcome.APPROVED,), "The one device found may be used under this policy."),
    ((Outcome.APPROVED, Outcome.APPROVED), "All 2 devices found may be used under this policy."),
    ((Outcome.UNDETERMINED,), "Of 1 device found, 1 could not be judged and stays out."),
    ((Outcome.UNDETERMINED, Outcome.UNDETERMINED), "Of 2 devices found, 2 could not be judged and stay out."),
    ((Outcome.PROHIBITED, Outcome.CONDITIONAL, Outcome.APPROVED),
     "Of 3 devices found, 1 must stay out, 1 needs conditions met and 1 may come in."),
])
def test_the_headline(outcomes, told):
    assert summary.headline(only(*(plain(str(n), outcome) for n, outcome in enumerate(outcomes)))) == told


def test_the_counts_of_the_sample():
    assert dict(summary.outcome_counts(sample())) == {
        Outcome.PROHIBITED: 6, Outcome.UNDETERMINED: 5, Outcome.CONDITIONAL: 3, Outcome.APPROVED: 3}
    assert sum(count for _, count in summary.status_counts(sample())) == sum(
        len(one.verdict.findings) for one in sample().devices)


@pytest.mark.parametrize(("brand", "maker", "name", "match"), [
    ("Dahua", "dahua", "Zhejiang Dahua Technology Co., Ltd.", LabelMatch.SAME),
    ("DAHUA Technology", "dahua", "Zhejiang Dahua Technology Co., Ltd.", LabelMatch.SAME),
    ("TP-Link", "tp_link", None, LabelMatch.SAME),
    ("Lorex", "dahua", "Zhejiang Dahua Technology Co., Ltd.", LabelMatch.OTHER),
    ("HIKMICRO", "hikvision", "Hangzhou Hikvision Digital Technology Co., Ltd.", LabelMatch.OTHER),
    ("---", "dahua", "Zhejiang Dahua Technology Co., Ltd.", LabelMatch.OTHER),
    (None, "dahua", None, LabelMatch.UNKNOWN),
    ("Lorex", None, None, LabelMatch.UNKNOWN),
    ("", "dahua", None, LabelMatch.UNKNOWN),
])
def test_whether_the_label_names_the_maker(brand, maker, name, match):
    assert summary.label_match(Identity("d", maker, name, brand)) is match


@pytest.mark.parametrize(("maker", "name", "short"), [
    ("dahua", "Zhejiang Dahua Technology Co., Ltd.", "Dahua"), ("tvt", "Shenzhen TVT Digital Technology", "TVT"),
    ("tp_link", "TP-Link Technologies Co., Ltd.", "TP-Link"), ("milesight", "Xiamen Star", "Milesight"),
    ("acme_works", None, "Acme Works"), (None, None, ""),
])
def test_the_short_name_of_a_maker(maker, name, short):
    assert summary.maker_short(Identity("d", maker, name)) == short


def test_makers_are_counted_by_label_and_the_unknown_come_last():
    rows = summary.makers(sample())
    assert [row.maker for row in rows[:2]] == ["Dahua", "Hikvision"]
    assert (rows[0].same, rows[0].other, rows[0].unknown) == (1, 3, 0)
    assert set(rows[0].labels) == {"Lorex", "Intelbras", "Axis"}
    assert rows[-1].maker == "maker not known"
    cameras = [one for one in sample().devices if one.identity.kind is not Kind.OTHER]
    assert sum(row.total for row in rows) == len(cameras)


def test_law_comes_first_then_weaknesses_by_severity_then_labels_then_the_unknown():
    risks = summary.risks(sample())
    kinds = [risk.kind for risk in risks]
    assert kinds == sorted(kinds, key=list(RiskKind).index)
    assert [risk.title for risk in risks[:3]] == [
        "Prohibited equipment made by Dahua", "Prohibited equipment made by Hikvision",
        "Anyone on the network can watch this camera"]
    assert risks[0].devices == ("10.20.0.10", "10.20.0.14", "10.20.0.15", "10.20.0.16")


def test_a_device_prohibited_without_a_binding_law_says_the_policys_own_reason():
    risk = summary.risks(only(plain("1", Outcome.PROHIBITED)))[0]
    assert (risk.title, risk.because) == ("Prohibited by the policy", "because")


def test_every_device_that_is_not_admitted_is_in_some_risk():
    named = {key for risk in summary.risks(sample()) for key in risk.devices}
    out = {one.device for one in sample().devices
           if one.verdict.outcome in (Outcome.PROHIBITED, Outcome.UNDETERMINED)}
    assert out <= named


@pytest.mark.parametrize(("change", "binds"), [
    ({}, True), ({"condition_met": "true"}, True), ({"condition_met": "false"}, False), ({"in_force": False}, False),
    ({"binds_buyer": False}, False),
])
def test_an_effect_binds_unless_its_condition_is_known_not_to_be_met(change, binds):
    one = plain("1", Outcome.PROHIBITED)
    effect = replace(law("dahua")[0], **change)
    assert bool(summary.binding(replace(one, verdict=replace(one.verdict, effects=(effect,))))) is binds


def test_what_is_not_assessed_is_said_to_a_manager():
    told = " ".join(summary.sentences(sample()))
    opened = dict(summary.status_counts(sample()))[Status.NOT_ASSESSED]
    assert f"{opened} checks could not be carried out" in told
    assert "3 addresses in scope gave no answer" in told
    assert "1 list used is older than 30 days" in told


def test_a_clean_report_says_no_more_than_it_must():
    clean = only(plain("1", Outcome.APPROVED))
    assert summary.risks(clean) == ()
    assert summary.sentences(clean) == ()
    assert summary.next_steps(clean) == ("Sweep again before 2027-02-20, when the first admitting verdict expires.",)


@pytest.mark.parametrize(("dated", "age", "stale"), [
    (date(2026, 11, 22), 0, False), (date(2026, 10, 23), 30, False), (date(2026, 10, 22), 31, True),
    (date(2026, 11, 23), -1, False),
])
def test_the_age_of_a_list(dated, age, stale):
    one = ListVersion("x", "x", "v", dated)
    assert summary.age_days(one, sample().generated_at.date()) == age
    assert summary.stale(sample(), one) is stale


def test_unfinished_attempts_are_exactly_those_not_completed():
    one = next(each for each in site() if each.device == "10.20.0.14")
    assert [attempt.probe for attempt in summary.unfinished(one)] == [
        "rtsp.describe", "auth.onvif.GetDeviceInformation"]


def test_the_sample_uses_every_list_it_names():
    assert {one.id for one in sample().lists} == {one.id for one in LISTS}
