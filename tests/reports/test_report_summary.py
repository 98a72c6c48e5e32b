"""What a report comes down to, on reports whose answer is plain to see."""

from dataclasses import replace
from datetime import date

import pytest
from sample_report import LISTS, device, law, sample, site

from reports import summary
from reports.census import Census, CensusSource, UnseenDevice
from reports.monitoring import CameraState, Monitoring
from reports.report import Report
from reports.risks import RiskKind, risks
from reports.summary import LabelMatch
from rules.vocabulary import Identity, Kind, ListVersion, Outcome, Status


def only(*devices) -> Report:
    return replace(sample(), devices=tuple(devices), silent=(), lists=(), monitoring=None, census=None)


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
        Outcome.PROHIBITED: 6, Outcome.UNDETERMINED: 4, Outcome.CONDITIONAL: 3, Outcome.APPROVED: 3}
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


def test_the_order_is_suspended_exploited_law_weaknesses_labels_unknown():
    found = risks(sample())
    kinds = [risk.kind for risk in found]
    assert kinds == sorted(kinds, key=list(RiskKind).index)
    assert [risk.title for risk in found[:6]] == [
        "A camera that had been let in is suspended",
        "Known weakness CVE-2021-33044: login can be bypassed",
        "Known weakness CVE-2021-36260: commands can be run without a login",
        "Prohibited equipment made by Dahua", "Prohibited equipment made by Hikvision",
        "Anyone on the network can watch this camera"]
    assert found[1].fixed_in == "2.630.0000000.5.R.210705"
    assert found[3].devices == ("10.20.0.10", "10.20.0.14", "10.20.0.15", "10.20.0.16")


def test_a_device_prohibited_without_a_binding_law_says_the_policys_own_reason():
    risk = risks(only(plain("1", Outcome.PROHIBITED)))[0]
    assert (risk.title, risk.because) == ("Prohibited by the policy", "Because.")


def test_every_device_that_is_not_admitted_is_in_some_risk():
    named = {key for risk in risks(sample()) for key in risk.devices}
    out = {one.device for one in sample().devices
           if one.verdict.outcome in (Outcome.PROHIBITED, Outcome.UNDETERMINED)} - set(summary.not_cameras(sample()))
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
    assert "1 list used is older than 90 days" in told


def test_a_clean_report_says_no_more_than_it_must():
    clean = only(plain("1", Outcome.APPROVED))
    assert risks(clean) == ()
    assert summary.sentences(clean) == ()
    assert summary.next_steps(clean) == ("Sweep again before 2027-02-20, when the first admitting verdict expires.",)


@pytest.mark.parametrize(("dated", "age", "stale"), [
    (date(2026, 11, 22), 0, False), (date(2026, 8, 24), 90, False), (date(2026, 8, 23), 91, True),
    (date(2026, 11, 23), -1, False),
])
def test_the_age_of_a_list(dated, age, stale):
    one = ListVersion("x", "x", "v", dated)
    assert one.age_days(sample().generated_at.date()) == age
    assert summary.stale(sample(), one) is stale


def test_unfinished_attempts_are_exactly_those_not_completed():
    one = next(each for each in site() if each.device == "10.20.0.14")
    assert [attempt.probe for attempt in summary.unfinished(one)] == [
        "rtsp.describe", "auth.onvif.GetDeviceInformation"]


def test_the_sample_uses_every_list_it_names():
    assert {one.id for one in sample().lists} == {one.id for one in LISTS}


def printer(host: str):
    return device(host, None, "Brother", "HL", None, Outcome.UNDETERMINED, ("not a camera",), kind=Kind.OTHER,
                  rules=("kind.not_a_camera",))


def test_what_is_no_camera_is_neither_judged_nor_forgotten():
    report = only(plain("1", Outcome.APPROVED), plain("2", Outcome.UNDETERMINED), printer("3"), printer("4"))
    assert summary.not_cameras(report) == ("10.20.0.3", "10.20.0.4")
    assert dict(summary.outcome_counts(report))[Outcome.UNDETERMINED] == 1
    assert summary.headline(report) == (
        "Of 4 devices found, 1 could not be judged and stays out, 1 may come in and 2 are not cameras.")
    assert any("2 devices are not cameras" in told for told in summary.sentences(report))
    assert any("Settle 1 undetermined device:" in step for step in summary.next_steps(report))
    assert [risk.devices for risk in risks(report)] == [("10.20.0.2",)]


def test_a_site_of_printers_is_not_a_clean_site():
    assert summary.headline(only(printer("3"))) == (
        "No camera was found; that does not mean that there is none. 1 device found is something else.")


def test_a_prohibited_printer_is_counted_as_prohibited():
    one = replace(printer("3"), verdict=replace(printer("3").verdict, outcome=Outcome.PROHIBITED, rules=(
        "law.prohibited", "kind.not_a_camera")))
    assert summary.not_cameras(only(one)) == ()
    assert dict(summary.outcome_counts(only(one)))[Outcome.PROHIBITED] == 1


def at_gate(**change) -> Report:
    return replace(sample(), monitoring=replace(sample().monitoring, **change))


def test_a_manager_is_told_what_is_attached_and_what_is_not_done():
    assert summary.monitored(sample()) == (
        "2 cameras are attached: people are counted; nobody is recognised, and no picture is stored.")
    told = " ".join(summary.sentences(sample()))
    assert "1 camera that had been let in is suspended: 10.20.0.34 (gate.fingerprint)." in told
    assert "4 requests to attach a device were refused at the gate (4 devices), each by a named rule." in told
    assert "On 1 camera fewer pictures were analysed for a time" in told


def test_a_suspended_camera_is_the_first_thing_to_do_and_an_ending_approval_the_last():
    steps = summary.next_steps(sample())
    assert steps[0] == (
        "Go and look at the suspended camera 10.20.0.34; approve again only when it is known what happened.")
    assert steps[-1] == "Approve again before 2026-12-15, when the first approval of an attached camera ends."


def test_several_suspended_cameras_are_counted():
    cameras = tuple(replace(one, state=CameraState.SUSPENDED, rule="gate.fingerprint") for one in
                    sample().monitoring.cameras)
    assert summary.next_steps(at_gate(cameras=cameras))[0].startswith("Go and look at the 3 suspended cameras;")
    assert risks(at_gate(cameras=cameras))[0].devices == ("10.20.0.34", "10.20.0.31", "10.20.0.32")
    assert summary.monitored(at_gate(cameras=cameras)) == (
        "No camera is attached now: no picture of any camera is being analysed.")


def test_an_approval_that_is_over_is_called_over():
    cameras = tuple(replace(one, until=sample().generated_at) for one in sample().monitoring.cameras)
    assert summary.next_steps(at_gate(cameras=cameras))[-1] == (
        "Approve again or detach: the approval of an attached camera ended on 2026-11-22.")


@pytest.mark.parametrize("monitoring", [None, Monitoring()])
def test_nothing_attached_is_said_where_it_is_asked_and_not_before(monitoring):
    report = replace(sample(), monitoring=monitoring)
    assert summary.monitored(report) == "No camera was attached: no picture of any camera was opened for analysis."
    assert not any("attached" in told for told in summary.sentences(report))


def test_an_app_of_a_third_party_is_told_by_its_name():
    cameras = tuple(replace(one, apps=("people_count", "queue")) for one in sample().monitoring.cameras)
    assert "people are counted and the app queue runs; nobody is recognised" in summary.monitored(
        at_gate(cameras=cameras))


def test_a_reason_is_a_sentence_and_names_a_device_where_it_is_not_the_same_of_all():
    def failing(host: str, reason: str):
        one = plain(host, Outcome.CONDITIONAL)
        finding = replace(one.verdict.findings[0], status=Status.FAIL, reason=reason, remedy="turn it off")
        return replace(one, verdict=replace(one.verdict, findings=(finding,)))

    same, = risks(only(failing("1", "telnet on port 23"), failing("2", "telnet on port 23")))
    assert (same.because, same.action) == ("Telnet on port 23.", "Turn it off.")
    differ, = risks(only(failing("1", "talks to a (dahua)"), failing("2", "talks to b")))
    assert differ.because == "For example 10.20.0.1: talks to a (dahua)."
    assert differ.devices == ("10.20.0.1", "10.20.0.2")


def test_a_long_reason_of_the_policy_ends_with_a_clause():
    name = "Example Digital Technology Company with a long legal name and a longer one, Ltd."
    reason = (f"the camera 10.20.0.9#2 behind it is prohibited: DoD list of companies (s.1260H): {name} is named in "
              f"it as '{name}', listed on 2021-06-03; DoD may not contract with it; whether its condition is met is "
              "not known; it was assumed. [Pub. L. 116-283 s.1260H]")
    one = plain("1", Outcome.PROHIBITED)
    risk, = risks(only(replace(one, verdict=replace(one.verdict, reasons=(reason,)))))
    assert risk.because == "The camera 10.20.0.9#2 behind it is prohibited: DoD list of companies (s.1260H)."


NOTHING_HELD = ("Nothing was held against this sweep: no switch table, lease, asset list or order was asked whether "
                "devices are missing from it.")


def against(known: int, missing: int, *, sources: int = 1, unread: int = 0) -> Report:
    unseen = [UnseenDevice(1, missing, "because")] if missing else []
    one = CensusSource("switch.txt", "switch MAC table", known, known - missing, unseen, unread)
    return replace(only(), census=Census(sample().generated_at, "auditor", (one,) * sources))


@pytest.mark.parametrize(("report", "told"), [
    (only(), NOTHING_HELD),
    (against(5, 1), "1 device of the 5 that 1 source names was not seen by this sweep."),
    (against(5, 2, sources=2), "4 devices of the 10 that 2 sources name were not seen by this sweep."),
    (against(5, 5), "None of the 5 devices that 1 source names was seen by this sweep."),
    (against(1, 1), "1 device of the 1 that 1 source names was not seen by this sweep."),
    (against(5, 0, unread=3),
     "Of the 5 devices that 1 source names, this sweep saw every one; 3 rows could not be read."),
    (against(0, 0), "1 source names no device at all, so nothing was held against this sweep."),
])
def test_what_was_held_against_the_sweep_is_one_sentence(report, told):
    last = "" if report.census is None else " What no source knows and no sweep saw is not counted."
    assert summary.held(report) == told + last
    assert "complete" not in summary.held(report)


def test_devices_that_other_books_know_are_to_be_looked_for():
    assert summary.next_steps(against(5, 2)) == (
        "Look for the 2 devices that other books know and the sweep did not see.",)
    assert summary.sentences(against(5, 2)) == (summary.held(against(5, 2)),)
    assert summary.next_steps(against(5, 0)) == summary.sentences(against(5, 0)) == ()


def test_silent_addresses_are_to_be_checked_where_no_census_did():
    silent = sample().silent
    assert any("silent" in step for step in summary.next_steps(replace(only(), silent=silent)))
    assert not any("silent" in step for step in summary.next_steps(replace(against(5, 0), silent=silent)))


@pytest.mark.parametrize(("sent", "recall"), [
    (None, None), ({}, (0, 2, None)), ({"arp": 0}, (0, 2, None)), ({"arp": 10, "syn": 30}, (40, 2, 0.05))])
def test_recall_counts_devices_that_were_reached_themselves(sent, recall):
    devices = (plain("1", Outcome.APPROVED), plain("2", Outcome.APPROVED), plain("2#1", Outcome.APPROVED))
    found = summary.recall(replace(only(*devices), scope=replace(sample().scope, sent=sent)))
    assert recall == (found and (found.total, found.devices, found.devices_per_packet))
