"""The inventory: a sweep is stored once and whole, and a device is known again by what is hardest to change."""

from dataclasses import replace
from datetime import timedelta

import pytest
from inventory_samples import NOW, judgement, observation, sweep
from sqlalchemy import text

from camvet.inventory import Inventory, InventoryError, tables
from camvet.shapes import identity_json, verdict_json

A, B = "AA:00:00:00:00:01", "AA:00:00:00:00:02"
ONE, TWO = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'camvet.sqlite'}"


@pytest.fixture
def inventory(url):
    return Inventory.open(url)


def record(inventory, *sweeps):
    """The ids that each sweep gave its devices, in order."""
    return [inventory.record(one, actor="auditor") for one in sweeps]


def test_recording_a_sweep_twice_changes_nothing(inventory):
    one = sweep(1, (ONE, A, "S1"), (TWO, B, "S2"))
    first, second = record(inventory, one, one)
    assert first == second
    assert len(inventory.devices()) == 2
    assert sorted(event.kind for event in inventory.events()) == ["device.judged", "device.judged", "sweep.recorded"]


def test_what_was_stored_is_read_back(inventory):
    one = sweep(1, (ONE, A, "S1"))
    ids = inventory.record(one, actor="auditor")
    (device,) = inventory.devices_of("sweep-001")
    assert device.id == ids[ONE]
    assert device.observations == list(one.observations)
    assert device.attempts == list(one.attempts)
    assert identity_json(device.judgement.identity) == identity_json(one.judgements[0].identity)
    assert verdict_json(device.judgement.verdict) == verdict_json(one.judgements[0].verdict)


def test_a_sweep_that_found_nobody_is_stored_too(inventory):
    assert inventory.record(replace(sweep(1), attempts=[]), actor="auditor") == {}
    assert [row.id for row in inventory.sweeps()] == ["sweep-001"]
    assert inventory.devices() == []


def test_half_a_sweep_is_never_stored(inventory):
    broken = sweep(1, (ONE, A, "S1"), (TWO, B, "S2"))
    broken = replace(broken, observations=[*broken.observations, observation(ONE, "http", {"status": object()})])
    with pytest.raises(Exception, match="JSON"):
        inventory.record(broken, actor="auditor")
    assert inventory.sweeps() == []
    assert inventory.devices() == []
    assert inventory.events() == []


@pytest.mark.parametrize(("before", "after", "same"), [
    ((ONE, A, "S1"), (TWO, A, "S1"), True),              # a new address
    ((ONE, A, None), (TWO, A, None), True),
    ((ONE, A, "S1"), (ONE, A, "S9"), True),              # a repaired main board keeps its place on the link
    ((ONE, A, "S1"), (ONE, B, "S9"), False),             # another device at the old address
    ((ONE, A, None), (ONE, B, None), False),
    ((ONE, A, "S1"), (ONE, B, "S1"), False),             # a serial number is a word, a MAC was seen
    ((ONE, None, "S1"), (TWO, None, "S1"), True),        # beyond a router: the serial number
    ((ONE, None, "S1"), (ONE, None, "S9"), False),
    ((ONE, None, None), (ONE, None, None), True),        # nothing but the address
    ((ONE, None, None), (TWO, None, None), False),
    ((ONE, A, "S1"), (ONE, None, None), True),           # seen less of this time
    ((ONE, None, "S1"), (ONE, A, "S1"), True),
])
def test_a_device_is_known_again(inventory, before, after, same):
    first, second = record(inventory, sweep(1, before), sweep(2, after))
    assert (first[before[0]] == second[after[0]]) is same
    assert len(inventory.devices()) == (1 if same else 2)


def test_one_serial_of_two_makers_is_two_devices(inventory):
    first = sweep(1, (ONE, None, "S1"))
    other = replace(sweep(2, (TWO, None, "S1")), judgements=[judgement(TWO, serial="S1", maker="dahua")])
    one, two = record(inventory, first, other)
    assert one[ONE] != two[TWO]


@pytest.mark.parametrize("mac", [None, "different"])
def test_one_serial_twice_in_a_sweep_is_two_devices_and_stays_two(inventory, mac):
    devices = [(ONE, A if mac else None, "000000"), (TWO, B if mac else None, "000000")]
    first, second = record(inventory, sweep(1, *devices), sweep(2, *devices))
    assert first[ONE] != first[TWO]
    if mac:
        assert first == second
    assert second[ONE] != second[TWO]


def test_two_addresses_of_one_mac_are_one_device_unless_their_serials_differ(inventory):
    (homed,) = record(inventory, sweep(1, (ONE, A, "S1"), (TWO, A, "S1")))
    assert homed[ONE] == homed[TWO]
    (routed,) = record(inventory, sweep(2, ("10.0.1.1", B, "S3"), ("10.0.1.2", B, "S4")))
    assert routed["10.0.1.1"] != routed["10.0.1.2"]


def test_a_channel_is_never_its_recorder(inventory):
    (ids,) = record(inventory, sweep(1, (ONE, A, "S1"), (f"{ONE}#1", A, None), (f"{ONE}#2", None, None)))
    assert len(set(ids.values())) == 3


def test_sites_share_no_device(inventory):
    first, second = record(inventory, sweep(1, (ONE, A, "S1")), sweep(2, (ONE, A, "S1"), site="branch"))
    assert first[ONE] != second[ONE]
    assert [row.id for row in inventory.devices("branch")] == [second[ONE]]


def test_all_names_of_a_device_find_it(inventory):
    record(inventory, sweep(1, (ONE, A, "S1")), sweep(2, (TWO, A, "S1")))
    (row,) = inventory.devices()
    assert {(kind, value) for kind, value in row.aliases} == {
        ("address", ONE), ("address", TWO), ("mac", A), ("serial", "axis:S1")}
    for name in (ONE, TWO, A, A.lower(), A.replace(":", "-"), row.id, row.id[:6]):
        assert [found.id for found in inventory.find(name)] == [row.id], name
    assert inventory.find("10.0.0.3") == []


def test_what_was_seen_newest_is_by_the_sweep_and_not_by_the_judgement(inventory):
    first, _ = record(inventory, sweep(1, (ONE, A, "S1")), sweep(2, (TWO, A, "S1"), (f"{TWO}#1", None, None)))
    inventory.rejudge("sweep-001", [judgement(ONE, serial="S1", policy="private")], at=NOW + timedelta(days=9),
                      actor="auditor")
    assert "sweep-001" in {row.sweep for row in inventory.devices()}, "the newest judgement is of the old sweep"
    row, devices = inventory.newest_seen(first[ONE])
    assert row.id == "sweep-002"
    assert [device.key for device in devices] == [TWO, f"{TWO}#1"]
    assert inventory.newest_seen("nobody") is None


def test_one_device_of_a_sweep_does_not_bring_its_neighbours(inventory):
    record(inventory, sweep(1, ("10.0.0.1", A, "S1"), ("10.0.0.11", B, "S2"), ("10.0.0.1#3", None, None)))
    assert {device.key for device in inventory.devices_of("sweep-001", key="10.0.0.1")} == {"10.0.0.1", "10.0.0.1#3"}


def test_an_old_database_is_brought_to_the_newest_schema(url, inventory):
    record(inventory, sweep(1, (ONE, A, "S1")))
    with inventory._engine.begin() as connection:
        for table in ("attestation", "waiver", "attachment", "metric", "camera_event"):
            connection.execute(text("PRAGMA foreign_keys=OFF"))
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    again = Inventory.open(url)
    assert [row.key for row in again.devices()] == [ONE]
    assert again.gate.attachments() == []
    assert again.verify()[2] is None


def test_a_database_of_a_newer_camvet_is_one_line(url, inventory):
    with inventory._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InventoryError, match="newer camvet"):
        Inventory.open(url)
    assert tables.HEAD != "9999"


def test_a_device_at_two_addresses_is_known_by_either(inventory):
    both = sweep(1, (ONE, A, "S1"))
    both = replace(both, observations=[*both.observations, observation(ONE, "alias", {"mac": B, "also_at": TWO}),
                                       observation(ONE, "sadp", {"serial": "S1", "also_at": "10.0.0.9#3"})])
    first = inventory.record(both, actor="auditor")[ONE]
    (row,) = inventory.devices()
    assert {("address", ONE), ("address", TWO), ("mac", A), ("mac", B), ("channel", "10.0.0.9#3")} <= set(row.aliases)
    assert [[one.id for one in inventory.find(wanted)] for wanted in (TWO, B, "10.0.0.9#3")] == [[first]] * 3
    # Its first card is unplugged: what answers at the second is still the same device.
    assert inventory.record(sweep(2, (TWO, B, "S1")), actor="auditor")[TWO] == first
