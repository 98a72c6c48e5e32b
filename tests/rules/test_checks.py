"""The registry of checks, every inline example, and what the engine promises about silence."""

from datetime import UTC, datetime

import pytest

from rules import checks
from rules.documents import DATA, DataError, read
from rules.predicates import PREDICATES, Progress, progress_of
from rules.vocabulary import Identity, Kind, Status
from scanner.observation import Attempt, AttemptStatus, Observation, Reason

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEVICE = "10.0.0.7"
ALL = checks.load()
EXAMPLES = [pytest.param(check, example, id=f"{check.id}: {example.name}") for check in ALL for example in check.tests]


def attempt(probe, reason=None, port=None, status=None):
    if status is None:
        status = AttemptStatus.FAILED if reason else AttemptStatus.COMPLETED
    return Attempt(DEVICE, probe, port, status, NOW, reason)


def seen(transport, probe, port=None, **fields):
    return Observation.of(device=DEVICE, transport=transport, probe=probe, port=port, at=NOW, fields=fields,
                          wire=repr(sorted(fields.items())).encode())


@pytest.mark.parametrize(("check", "example"), EXAMPLES)
def test_every_inline_example_ends_as_it_says(check, example):
    assert check.example(example) is example.expect


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_every_check_shows_failing_passing_and_not_assessed(check):
    shown = {example.expect for example in check.tests}
    wanted = {Status.PASS, Status.NOT_ASSESSED} | (set() if check.cannot_fail else {Status.FAIL})
    assert wanted <= shown
    assert not (check.cannot_fail and Status.FAIL in shown)


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_a_device_nothing_was_tried_on_passes_no_check(check):
    maker = check.makers[0] if check.makers else None
    kind = Kind.RECORDER if check.id == "recorder.channels_unseen" else check.applies_to[0]
    identity = Identity(device=DEVICE, maker=maker, makers=(maker,) if maker else (), kind=kind)
    finding = check.finding(checks.case_of(DEVICE, identity, [], []))
    assert finding.status is Status.NOT_ASSESSED
    assert finding.reason
    assert finding.remedy


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.id)
def test_a_printer_is_not_concerned(check):
    finding = check.finding(checks.case_of(DEVICE, Identity(device=DEVICE, kind=Kind.OTHER), [], []))
    assert finding.status is Status.NOT_APPLICABLE


def test_files_are_named_after_their_check_and_ids_are_unique():
    files = sorted(path.stem for path in (DATA / "checks").glob("*.yaml"))
    assert files == sorted(check.id for check in ALL)


def test_every_predicate_serves_a_check():
    assert {check.fails for check in ALL if isinstance(check.fails, str)} == set(PREDICATES)


def test_standards_come_with_their_doubt():
    finding = next(f for f in checks.assess(DEVICE, Identity(device=DEVICE, kind=Kind.CAMERA), [], [], ALL)
                   if f.rule == "rtsp.anonymous")
    assert ("nist-800-53", "AC-14") in finding.standards
    assert dict(finding.facts)["control ids not verified"].startswith("eu-cra")


def test_a_finding_points_at_what_it_rests_on():
    observations = [seen("rtsp", "rtsp.describe", 554, status=200, sdp=True),
                    seen("rtsp", "rtsp.describe_random_path", 554, status=404)]
    findings = checks.assess(DEVICE, Identity(device=DEVICE, kind=Kind.CAMERA), observations, [], ALL)
    finding = next(f for f in findings if f.rule == "rtsp.anonymous")
    assert finding.status is Status.FAIL
    assert finding.evidence == (observations[0].id,)
    assert finding.rule_version == str(next(check.version for check in ALL if check.id == "rtsp.anonymous"))


def test_other_devices_observations_do_not_count():
    other = Observation.of(device="10.0.0.8", transport="tcp", probe="tcp.connect", port=23, at=NOW,
                           fields={"state": "open"}, wire=b"")
    findings = checks.assess(DEVICE, Identity(device=DEVICE, kind=Kind.CAMERA), [other],
                             [attempt("tcp.connect", Reason.REFUSED, 23)], ALL)
    assert next(f for f in findings if f.rule == "telnet.open").status is Status.PASS


@pytest.mark.parametrize(("made", "expected"), [
    ([], Progress.UNFINISHED),
    ([attempt("x")], Progress.ANSWERED),
    ([attempt("x", Reason.TIMEOUT)], Progress.UNFINISHED),
    ([attempt("x", Reason.TIMEOUT), attempt("x")], Progress.ANSWERED),
    ([attempt("x", Reason.AUTH_REQUIRED)], Progress.ANSWERED),
    ([attempt("x", Reason.REFUSED)], Progress.CLOSED),
    ([attempt("x", Reason.REFUSED), attempt("x", Reason.TIMEOUT)], Progress.UNFINISHED),
    ([attempt("x", Reason.NO_ANSWER)], Progress.SILENT),
    ([attempt("x", Reason.NO_ANSWER, status=AttemptStatus.NOT_ATTEMPTED)], Progress.UNFINISHED),
    ([attempt("x", Reason.PORT_CLOSED, status=AttemptStatus.NOT_ATTEMPTED)], Progress.CLOSED),
    ([attempt("x", Reason.PORT_UNKNOWN, status=AttemptStatus.NOT_ATTEMPTED)], Progress.UNFINISHED),
    ([attempt("x", Reason.NO_CREDENTIALS, status=AttemptStatus.NOT_ATTEMPTED)], Progress.UNFINISHED),
    ([attempt("y")], Progress.UNFINISHED),
])
def test_progress_never_reads_silence_as_success(made, expected):
    assert progress_of(made, "x").progress is expected


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.AUTH_REQUIRED])
def test_no_failed_attempt_makes_a_check_pass_unless_the_port_is_closed(reason):
    attempts = [attempt(need.probe, reason, need.port) for check in ALL for need in check.needs]
    identity = Identity(device=DEVICE, maker="xiongmai", makers=("xiongmai",), kind=Kind.CAMERA)
    closed = reason in {Reason.REFUSED, Reason.PORT_CLOSED, Reason.NOT_APPLICABLE}
    by_id = {check.id: check for check in ALL}
    for finding in checks.assess(DEVICE, identity, [], attempts, ALL):
        if by_id[finding.rule].needs and not (closed and by_id[finding.rule].when_closed is Status.PASS):
            assert finding.status is not Status.PASS, finding


def check_text(**changes):
    parts = {"id": "a.b", "version": 1, "dated": "2026-11-22", "title": "t", "severity": "low",
             "fails": "telnet_answers", "remedy": "r", "source": "s", "tests": "[]", **changes}
    return "\n".join(f"{key}: {value}" for key, value in parts.items())


@pytest.mark.parametrize(("changes", "complaint"), [
    ({"fails": "no_such_thing"}, "no predicate"),
    ({"when_closed": "fail"}, "cannot fail"),
    ({"when_silent": "pass"}, "silence cannot"),
    ({"unverified": "[etsi-303645]"}, "not mapped"),
    ({"severity": "apocalyptic"}, "severity"),
    ({"surprise": "1"}, "surprise"),
])
def test_a_check_that_does_not_make_sense_is_refused(tmp_path, changes, complaint):
    path = tmp_path / "a.b.yaml"
    path.write_text(check_text(**changes))
    with pytest.raises(DataError, match=complaint):
        read(path, checks.Check)


def test_a_hostile_status_is_no_number():
    observations = [seen("rtsp", "rtsp.describe", 554, status="²00"),
                    seen("rtsp", "rtsp.describe_random_path", 554, status="9" * 5000)]
    findings = checks.assess(DEVICE, Identity(device=DEVICE, kind=Kind.CAMERA), observations, [], ALL)
    assert next(f for f in findings if f.rule == "rtsp.anonymous").status is Status.NOT_ASSESSED
