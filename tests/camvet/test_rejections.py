"""A person's decision that a device stays out: kept in the log, before every approval, and in every report."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from acceptance.shell import Here
from inventory_samples import NOW, sweep

from analytics.gate import Refused
from camvet.admission import SiteWorld, refuse_rejected, refuse_unfit
from camvet.context import ExitCode
from camvet.inventory import AttachmentRow, AttachmentState, AttestationRow, Inventory
from camvet.keys import KeyStore
from camvet.rejections import RULE, Rejections, reject, withdraw
from rules.vocabulary import Outcome
from scanner import clock

TODAY = NOW.date()


@pytest.fixture
def camvet(tmp_path):
    return Here(tmp_path)


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    made.record(sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1"), ("10.0.0.2", "AA:00:00:00:00:02", "S2")), actor="x")
    return made


@pytest.fixture
def row(inventory):
    return next(one for one in inventory.devices() if one.key == "10.0.0.1")


@pytest.mark.parametrize(("until", "taken_back", "on", "holds"), [
    (None, None, -1, False), (None, None, 0, True), (None, None, 4000, True),
    (5, None, 5, True), (5, None, 6, False),
    (None, 3, 2, True), (None, 3, 3, False), (5, 3, 4, False),
])
def test_a_rejection_counts_from_its_day_to_its_last_or_until_it_is_taken_back(inventory, row, until, taken_back, on,
                                                                               holds):
    ends = TODAY + timedelta(days=until) if until is not None else None
    made, _, _ = reject(inventory, row, actor="ana", reason="stolen", at=NOW, until=ends)
    if taken_back is not None:
        found = Rejections.of(inventory, "hq").made[made]
        withdraw(inventory, found, at=NOW + timedelta(days=taken_back), actor="ben", reason="found again")
    kept = Rejections.of(inventory, "hq")
    assert bool(kept.holding(row.id, TODAY + timedelta(days=on))) is holds
    assert kept.holding("f" * 16, TODAY) is None
    assert Rejections.of(inventory, "branch").made == {}


def test_a_second_rejection_stands_when_the_first_is_taken_back(inventory, row):
    first, _, _ = reject(inventory, row, actor="ana", reason="one", at=NOW)
    reject(inventory, row, actor="ben", reason="two", at=NOW)
    withdraw(inventory, Rejections.of(inventory, "hq").made[first], at=NOW, actor="ana", reason="was wrong")
    found = Rejections.of(inventory, "hq").holding(row.id, TODAY)
    assert (found.reason, found.actor) == ("two", "ben")


def test_a_rejection_revokes_and_suspends_in_one_step(inventory, row):
    inventory.gate.add_attestation(AttestationRow("1" * 64, row.id, "{}", clock.stamp(NOW), clock.stamp(NOW), "alice"),
                                   at=NOW, document={})
    inventory.gate.attach(AttachmentRow(row.id, row.key, {"retention_days": 1}, "1" * 64, AttachmentState.ATTACHED,
                                        "", "", clock.stamp(NOW), "bob"), at=NOW)
    _, revoked, suspended = reject(inventory, row, actor="ana", reason="stolen", at=NOW)
    assert (revoked, suspended) == (["1" * 64], True)
    held = inventory.gate.attachment(row.id)
    assert (held.state, held.rule, held.because) == (AttachmentState.SUSPENDED, RULE, "stolen")
    assert inventory.gate.revoked() == {"1" * 64}
    assert [one.kind for one in inventory.events()][-3:] == ["device.rejected", "attestation.revoked",
                                                             "camera.suspended"]
    assert inventory.verify()[2] is None
    assert [one.kind for one in inventory.gate.camera_events(row.id)] == ["attached", "rejected", "suspended"]
    assert inventory.gate.attestations(next(one.id for one in inventory.devices() if one.id != row.id)) == []


def test_the_gate_reads_a_rejected_device_as_prohibited_whatever_the_lists_say(inventory, row, tmp_path):
    keys = KeyStore(tmp_path / "keys")
    world = SiteWorld(inventory, keys)
    before = world.verdict(row.id, "private")
    assert RULE not in before.rules
    made, _, _ = reject(inventory, row, actor="ana", reason="stolen", at=clock.now())
    verdict = world.verdict(row.id, "private")
    assert (verdict.outcome, verdict.rules) == (Outcome.PROHIBITED, (RULE, *before.rules))
    for refuse in (lambda: refuse_rejected(inventory, "hq", row.id), lambda: refuse_unfit(verdict)):
        with pytest.raises(Refused, match=f"{RULE}: .*rejected by ana .*stolen.*{made}"):
            refuse()


def test_the_command_line_keeps_it_out_and_says_why_everywhere(camvet, inventory, row, tmp_path):
    assert camvet("keys", "init").code == ExitCode.CLEAN
    done = camvet("--json", "reject", row.key, "--reason", "bought without an order", "--actor", "ana",
                  "--until", "2999-12-31")
    assert done.code == ExitCode.CLEAN, done.err
    made = done.json["rejection"]
    assert done.json == {"device": row.id, "address": row.key, "rejection": made, "reason": "bought without an order",
                         "actor": "ana", "made": done.json["made"], "until": "2999-12-31", "revoked": [],
                         "suspended": False}
    login = tmp_path / "login"
    login.touch(mode=0o600)
    login.write_text("user:x", encoding="utf-8")
    for words in (["approve", row.key],
                  ["attach", row.key, "--purpose", "p", "--app", 'people_count={"line": [[0, 0], [1, 1]]}',
                   "--retention", "1d", "--dpia", "D", "--credentials", f"file:{login}"]):
        refused = camvet("--json", *words)
        assert (refused.code, refused.json["rule"]) == (ExitCode.FINDINGS, RULE)
        assert made in refused.json["because"]
    for verb in ("show", "explain"):
        assert camvet("--json", verb, row.key).json["rejected"]["rejection"] == made
        assert "rejected by ana" in camvet(verb, row.key).out
        assert camvet("--json", verb, "10.0.0.2").json["rejected"] is None
    told = {one["key"]: one["rejected"] for one in camvet("--json", "devices").json}
    assert told["10.0.0.1"]["reason"] == "bought without an order"
    assert told["10.0.0.2"] is None
    back = camvet("--json", "revoke", made, "--reason", "the order was found", "--actor", "ben")
    assert (back.code, back.json["withdrawn"]) == (ExitCode.CLEAN, made)
    assert camvet("--json", "show", row.key).json["rejected"] is None
    again = camvet("revoke", made, "--reason", "twice")
    assert (again.code, "taken back already" in again.err) == (ExitCode.USAGE, True)
    assert camvet("revoke", "r-00000000", "--reason", "x").code == ExitCode.USAGE


def test_a_sweep_names_what_a_person_keeps_out_beside_what_the_lists_say(inventory, row, tmp_path, capsys):
    from camvet.cli.sweep import tell
    from camvet.context import Context
    from camvet.settings import Settings
    from camvet.terminal import Terminal

    settings = Settings(db=f"sqlite:///{tmp_path / 'camvet.sqlite'}", site="hq")
    again = sweep(2, ("10.0.0.1", "AA:00:00:00:00:01", "S1"))
    inventory.record(again, actor="x")
    sent = dict.fromkeys(("arp", "syn", "datagram", "connection", "request"), 0)
    again = replace(again, document={**again.document, "silent": {}, "foreign": [], "dropped": {}, "sent": sent,
                                     "joined": [], "notes": []})

    def told():
        tell(Context(Terminal(as_json=True), settings), again, None)
        return json.loads(capsys.readouterr().out)["rejected"]

    assert told() == {}
    reject(inventory, row, actor="ana", reason="stolen", at=clock.now())
    assert [(key, one["reason"]) for key, one in told().items()] == [("10.0.0.1", "stolen")]


@pytest.mark.parametrize(("words", "said"), [
    (["--reason", " "], "say why"), (["--reason", "x", "--until", "2020-01-01"], "over"),
    (["--reason", "x", "--until", "soon"], "YYYY-MM-DD"),
])
def test_a_wrong_word_is_one_line(camvet, row, words, said):
    done = camvet("reject", row.key, *words)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_report_and_its_fences_keep_a_rejected_device_out(camvet, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("address,mac,manufacturer,model\n10.0.0.7,00:40:8C:00:00:07,Axis,P3265-LVE\n", encoding="utf-8")
    assert camvet("intake", "--csv", labels).code in set(ExitCode)
    (device,) = camvet("--json", "devices").json
    assert camvet("reject", device["id"], "--reason", "stays out", "--actor", "ana").code == ExitCode.CLEAN
    out = tmp_path / "report.json"
    assert camvet("report", "--format", "json", "--out", out).code == ExitCode.CLEAN
    text = out.read_text(encoding="utf-8")
    (told,) = json.loads(text)["devices"]
    assert (told["verdict"]["outcome"], told["verdict"]["rules"][0]) == ("prohibited", RULE)
    assert "stays out" in text
    past = tmp_path / "past.json"
    assert camvet("report", "--format", "json", "--as-of", date(2026, 1, 1).isoformat(), "--out",
                  past).code == ExitCode.CLEAN
    (told,) = json.loads(past.read_text(encoding="utf-8"))["devices"]
    assert RULE not in told["verdict"]["rules"], "it was not rejected yet on that day"
