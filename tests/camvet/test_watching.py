"""Watching several cameras: the inventory says who is attached, and the monitors follow it."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from inventory_samples import NOW, sweep

from analytics.detections import Metric
from analytics.pipeline import EventKind, Happening, MonitorSettings
from camvet import watching
from camvet.context import UsageError
from camvet.inventory import AttachmentRow, AttachmentState, AttestationRow, Inventory
from camvet.keys import KeyStore
from camvet.watching import Watch, WatchOrder, check_references
from scanner import clock

ORDER = {"purpose": "count", "apps": [], "retention_days": 30, "dpia": "D", "credentials": "env:CAM", "path": "/",
         "port": 554, "port_map": None, "neighbours": None}


class FakeMonitor:
    """Runs until it is stopped; `script` may say more."""

    script = None
    made = None

    def __init__(self, _gate, order, envelope, on_metric, on_event, _settings):
        self.order, self.envelope, self.on_metric, self.on_event = order, envelope, on_metric, on_event
        self.stopped = threading.Event()
        FakeMonitor.made.append(self)

    def run(self):
        if FakeMonitor.script is not None:
            return FakeMonitor.script(self)
        assert self.stopped.wait(20), "nobody stopped it"
        return None

    def stop(self):
        self.stopped.set()


@pytest.fixture
def inventory(tmp_path):
    made = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    made.record(sweep(1, *((f"10.0.0.{n}", f"AA:00:00:00:00:0{n}", f"S{n}") for n in (1, 2, 3))), actor="x")
    for n, row in enumerate(sorted(made.devices(), key=lambda row: row.key)):
        made.gate.add_attestation(
            AttestationRow(f"{n}" * 64, row.id, f"envelope {n}", clock.stamp(NOW), clock.stamp(NOW), "alice"), at=NOW,
            document={})
    return made


@pytest.fixture
def attach(inventory):
    ids = {row.key: row.id for row in inventory.devices()}

    def attach(number, *, at=NOW):
        device = ids[f"10.0.0.{number}"]
        inventory.gate.attach(AttachmentRow(device, f"10.0.0.{number}", ORDER, f"{number - 1}" * 64,
                                            AttachmentState.ATTACHED, "", "", clock.stamp(at), "bob"), at=at)
        return device
    return attach


@pytest.fixture
def watch(inventory, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "Monitor", FakeMonitor)
    monkeypatch.setattr(watching, "POLL_S", 0.01)
    FakeMonitor.made, FakeMonitor.script = [], None

    def make(*devices, seconds=None, site="hq"):
        told = []

        def tell(what, address):
            told.append((address, what))

        order = WatchOrder(site, devices, MonitorSettings(), seconds)
        return Watch(inventory, KeyStore(tmp_path / "keys"), order, tell, tell), told
    return make


def following(monkeypatch, *steps):
    """Do one step each time the watch has looked at the inventory."""
    left = iter(steps)
    monkeypatch.setattr(watching.time, "sleep", lambda _seconds: next(left, lambda: None)())


def test_every_attached_camera_of_the_site_is_watched_with_its_own_attestation(watch, attach):
    attach(1), attach(3)
    watch(seconds=0.05)[0].run()
    assert [(one.order.address, one.envelope) for one in FakeMonitor.made] == [
        ("10.0.0.1", "envelope 0"), ("10.0.0.3", "envelope 2")]
    assert all(one.stopped.is_set() for one in FakeMonitor.made)
    FakeMonitor.made.clear()
    watch(seconds=0.05, site="branch")[0].run()
    assert FakeMonitor.made == []


def test_only_the_named_cameras_are_watched(watch, attach):
    attach(1)
    second = attach(2)
    watch(second, seconds=0.05)[0].run()
    assert [one.order.device for one in FakeMonitor.made] == [second]


def test_what_is_detached_or_revoked_is_let_go_and_the_watch_ends(watch, attach, inventory, monkeypatch):
    first, second = attach(1), attach(2)
    following(monkeypatch, lambda: inventory.gate.detach(first, at=NOW, actor="bob"),
              lambda: inventory.gate.revoke(["1" * 64], at=NOW, actor="alice", reason="lost"))
    made, _ = watch()
    made.run()
    assert made.suspended == {second}


def test_what_is_attached_meanwhile_is_taken_up_and_anew_means_from_the_start(watch, attach, inventory, monkeypatch):
    first = attach(1)
    following(monkeypatch, lambda: attach(2), lambda: attach(1, at=NOW + timedelta(hours=1)),
              lambda: FakeMonitor.made[0].stopped.wait(5), lambda: None, lambda: None)
    made, _ = watch(seconds=1)
    made.run()
    assert [one.order.address for one in FakeMonitor.made] == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]
    assert made.suspended == set()
    assert inventory.gate.attachment(first).state is AttachmentState.ATTACHED


def test_a_suspension_is_stored_with_its_rule_and_not_taken_up_again(watch, attach, inventory):
    device = attach(1)

    def suspend(monitor):
        happening = Happening(device, EventKind.SUSPENDED, "gate.fingerprint", "mac: A -> B")
        monitor.on_event(happening)
        return happening

    FakeMonitor.script = suspend
    made, told = watch()
    made.run()
    assert made.suspended == {device}
    row = inventory.gate.attachment(device)
    assert (row.state, row.rule, row.actor) == (AttachmentState.SUSPENDED, "gate.fingerprint", "gate")
    assert [(address, event.kind) for address, event in told] == [("10.0.0.1", "suspended")]
    assert len(FakeMonitor.made) == 1
    FakeMonitor.made.clear()
    watch()[0].run()                                       # as after a restart
    assert FakeMonitor.made == []


def test_metrics_and_events_are_stored_before_they_are_told(watch, attach, inventory):
    device = attach(1)

    def count(monitor):
        monitor.on_event(Happening(device, EventKind.FROZEN, because="stuck"))
        monitor.on_metric(Metric(device, "people_count", "in", 3, "people", NOW.timestamp(), NOW.timestamp() + 10,
                                 (("frames", "50"),)))

    FakeMonitor.script = count
    made, told = watch()
    made.run()
    (row,) = inventory.gate.metrics(device)
    assert (row.value, row.start, row.quality) == (3.0, clock.stamp(NOW), {"frames": "50"})
    assert [event.kind for event in inventory.gate.camera_events(device)] == ["attached", "frozen"]
    assert [type(what).__name__ for _, what in told] == ["CameraEvent", "MetricRow"]


def test_a_thread_that_breaks_ends_the_watch_loudly(watch, attach):
    attach(1), attach(2)

    def break_down(monitor):
        if monitor.order.address == "10.0.0.2":
            raise OSError("disk full")
        monitor.stopped.wait(20)

    FakeMonitor.script = break_down
    with pytest.raises(OSError, match="disk full"):
        watch()[0].run()
    assert all(one.stopped.is_set() for one in FakeMonitor.made)


def test_ctrl_c_ends_it_in_order(watch, attach, monkeypatch):
    attach(1)

    def interrupt():
        raise KeyboardInterrupt

    following(monkeypatch, interrupt)
    watch()[0].run()
    assert FakeMonitor.made[0].stopped.is_set()


def test_old_metrics_are_purged_when_a_watch_begins(watch, attach, inventory):
    from camvet.inventory import MetricRow

    device = attach(1)
    old = clock.stamp(clock.now() - timedelta(days=31))
    inventory.gate.add_metric(MetricRow(device, "people_count", "in", 1.0, "people", old, old, {}))
    watch(seconds=0.05)[0].run()
    assert inventory.gate.metrics(device) == []


def test_missing_credentials_are_said_before_anything_is_suspended(attach, inventory, monkeypatch):
    device = attach(1)
    monkeypatch.delenv("CAM", raising=False)
    row = inventory.gate.attachment(device)
    with pytest.raises(UsageError, match=r"10\.0\.0\.1: credentials env:CAM"):
        check_references([row])
    assert inventory.gate.attachment(device).state is AttachmentState.ATTACHED
    monkeypatch.setenv("CAM", "user:x")
    check_references([row, replace(row, address="10.0.0.9")])
