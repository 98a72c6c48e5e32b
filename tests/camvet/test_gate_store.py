"""What the gate decided: stored with its event in the log, and metrics that end when their retention does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from inventory_samples import NOW, sweep
from sqlalchemy import inspect, text

from camvet.inventory import (
    AttachmentRow,
    AttachmentState,
    AttestationRow,
    CameraEvent,
    Inventory,
    InventoryError,
    MetricRow,
    WaiverRow,
)
from scanner import clock

ORDER = {"purpose": "count visitors", "apps": [{"name": "people_count", "config": {}}], "retention_days": 30,
         "dpia": "D-1", "credentials": "env:CAM", "path": "/", "port": 554, "port_map": None, "neighbours": None}
ID = "ab" * 32


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    made.record(sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1"), ("10.0.0.2", "AA:00:00:00:00:02", "S2")), actor="x")
    return made


@pytest.fixture
def gate(inventory):
    return inventory.gate


@pytest.fixture
def device(inventory):
    return next(row.id for row in inventory.devices() if row.key == "10.0.0.1")


def attested(gate, device, number=ID, *, issued=NOW):
    row = AttestationRow(number, device, "{}", clock.stamp(issued), clock.stamp(issued + timedelta(days=30)), "alice")
    gate.add_attestation(row, at=issued, document={"outcome": "approved"})
    return row


def attached(gate, device, **order):
    row = AttachmentRow(device, "10.0.0.1", {**ORDER, **order}, ID, AttachmentState.ATTACHED, "", "", clock.stamp(NOW),
                        "bob")
    gate.attach(row, at=NOW)
    return row


def metric(device, end, value=1.0):
    return MetricRow(device, "people_count", "in", value, "people", clock.stamp(end - timedelta(seconds=10)),
                     clock.stamp(end), {"frames": "50"})


def kinds(inventory):
    return [event.kind for event in inventory.events()][3:]          # after the sweep and its two judgements


def test_every_decision_is_in_the_log(inventory, gate, device):
    attested(gate, device)
    gate.add_waiver(WaiverRow(device, "finding.high", "bench", "carol", clock.stamp(NOW), clock.stamp(NOW)), at=NOW)
    gate.refuse(device, at=NOW, actor="bob", wanted="attach", rule="gate.purpose", because="none")
    attached(gate, device)
    gate.suspend(device, at=NOW, actor="gate", rule="gate.fingerprint", because="mac")
    gate.detach(device, at=NOW, actor="bob")
    gate.revoke([ID], at=NOW, actor="alice", reason="lost")
    assert kinds(inventory) == ["device.approved", "rule.waived", "attach.refused", "camera.attached",
                                "camera.suspended", "camera.detached", "attestation.revoked"]
    assert inventory.verify()[2] is None


def test_what_happens_to_a_stream_by_itself_is_kept_beside_the_log(inventory, gate, device):
    attested(gate, device)
    attached(gate, device)
    before = kinds(inventory)
    gate.add_event(CameraEvent(device, clock.stamp(NOW), "lost", "stream.closed", "gone"))
    gate.add_metric(metric(device, NOW))
    assert kinds(inventory) == before
    assert [event.kind for event in gate.camera_events(device)] == ["attached", "lost"]
    assert gate.metrics(device) == [metric(device, NOW)]


def test_an_attachment_is_read_back_as_it_was_and_only_attach_leads_out_of_suspension(gate, device):
    attested(gate, device)
    row = attached(gate, device)
    assert gate.attachments() == [row]
    assert gate.suspend(device, at=NOW, actor="gate", rule="gate.fingerprint", because="mac: A -> B")
    assert not gate.suspend(device, at=NOW, actor="gate", rule="gate.other", because="again")
    held = gate.attachment(device)
    assert (held.state, held.rule, held.because) == (AttachmentState.SUSPENDED, "gate.fingerprint", "mac: A -> B")
    attached(gate, device, purpose="another")
    assert (gate.attachment(device).state, gate.attachment(device).rule) == (AttachmentState.ATTACHED, "")
    assert gate.attachment(device).order["purpose"] == "another"
    assert len(gate.attachments()) == 1


def test_a_detached_camera_is_neither_suspended_nor_detached_again(gate, device):
    attested(gate, device)
    assert not gate.detach(device, at=NOW, actor="bob")
    attached(gate, device)
    assert gate.detach(device, at=NOW, actor="bob")
    assert not gate.detach(device, at=NOW, actor="bob")
    assert not gate.suspend(device, at=NOW, actor="gate", rule="x", because="y")
    assert gate.attachment(device).state is AttachmentState.DETACHED


def test_a_revocation_suspends_what_is_attached_by_it_and_nothing_else(gate, inventory, device):
    other = next(row.id for row in inventory.devices() if row.id != device)
    attested(gate, device)
    attested(gate, other, "cd" * 32)
    attached(gate, device)
    gate.attach(replace(gate.attachment(device), device=other, attestation="cd" * 32), at=NOW)
    assert gate.revoke([ID], at=NOW, actor="alice", reason="lost") == [device]
    assert gate.attachment(device).rule == "attestation.revoked"
    assert gate.attachment(other).state is AttachmentState.ATTACHED
    assert gate.revoked() == {ID}
    (row,) = gate.attestations(device)
    assert (row.revoked_by, row.revoked_reason) == ("alice", "lost")


def test_a_revocation_that_was_edited_away_still_counts(gate, inventory, device):
    attested(gate, device)
    gate.revoke([ID], at=NOW, actor="alice", reason="lost")
    with inventory._writing().begin() as connection:
        connection.execute(text("UPDATE attestation SET revoked_at = NULL"))
    assert gate.revoked() == {ID}


def test_an_attestation_is_found_by_the_beginning_of_its_id(gate, device):
    attested(gate, device, "abcdef12" + "0" * 56)
    attested(gate, device, "abcdef12" + "1" * 56, issued=NOW + timedelta(days=1))
    assert [row.id[8] for row in gate.attestations(device)] == ["1", "0"]           # newest first
    assert gate.attestation("abcdef120000").id == "abcdef12" + "0" * 56
    assert gate.attestation("abcdef1") is None                                         # too short to mean one
    assert gate.attestation("abcdef%%") is None
    with pytest.raises(InventoryError, match="more than one"):
        gate.attestation("abcdef12")


@pytest.mark.parametrize(("age", "kept"), [
    (timedelta(days=30), True), (timedelta(days=30, milliseconds=1), False), (timedelta(days=31), False),
    (timedelta(0), True),
])
def test_metrics_end_with_their_retention(gate, inventory, device, age, kept):
    attested(gate, device)
    attached(gate, device)
    gate.add_metric(metric(device, NOW - age))
    gate.add_metric(metric(device, NOW, 7.0))
    before = len(kinds(inventory))
    deleted = gate.purge_metrics(NOW)
    assert deleted == ({} if kept else {device: 1})
    assert [one.value for one in gate.metrics(device)] == ([1.0, 7.0] if kept else [7.0])
    assert len(kinds(inventory)) - before == (0 if kept else 1)


def test_retention_goes_on_after_a_camera_was_detached_and_is_each_camera_s_own(gate, inventory, device):
    other = next(row.id for row in inventory.devices() if row.id != device)
    attested(gate, device)
    attached(gate, device, retention_days=1)
    gate.attach(replace(gate.attachment(device), device=other, order={**ORDER, "retention_days": 90}), at=NOW)
    gate.detach(device, at=NOW, actor="bob")
    for one in (device, other):
        gate.add_metric(metric(one, NOW - timedelta(days=5)))
    assert gate.purge_metrics(NOW) == {device: 1}
    assert len(gate.metrics(other)) == 1
    event = inventory.events()[-1]
    assert (event.kind, event.subject, event.document["deleted"]) == ("metrics.purged", device, 1)


def test_a_decision_whose_event_cannot_be_written_is_not_made(gate, inventory, device):
    attested(gate, device)
    with inventory._writing().begin() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'full'); END"))
    with pytest.raises(Exception, match="full"):
        attached(gate, device)
    assert gate.attachments() == []
    with pytest.raises(Exception, match="full"):
        gate.revoke([ID], at=NOW, actor="alice", reason="lost")
    assert gate.revoked() == frozenset()


def test_there_is_no_column_that_could_hold_a_picture(inventory):
    columns = {(table, column["name"]): str(column["type"]) for table in ("metric", "camera_event")
               for column in inspect(inventory._engine).get_columns(table)}
    assert not any("BLOB" in kind or "BINARY" in kind for kind in columns.values())
    assert {name for table, name in columns if table == "metric"} == {
        "number", "device", "app", "name", "value", "unit", "start", "end", "quality"}
