"""An import knows a device with two network cards for one; a report tells the newest census of its sweep."""

import base64
import json
from datetime import date

import pytest

from camvet.census import compare, document
from camvet.context import Context
from camvet.importing import ImportOrder, perform
from camvet.reporting import report_of
from camvet.settings import Settings
from camvet.terminal import Terminal
from rules import policy
from scanner import clock
from scanner.imports import books

SERIAL = "DS-2CD2143G0-I20191104AAWRD71284605W"
REPLY = """<?xml version="1.0" encoding="utf-8"?><ProbeMatch><Uuid>0</Uuid><Types>inquiry</Types>
<DeviceDescription>DS-2CD2143G0-I</DeviceDescription><DeviceSN>{serial}</DeviceSN><MAC>{mac}</MAC>
<SoftwareVersion>V5.5.82build 190909</SoftwareVersion></ProbeMatch>"""


def told(device, mac, serial):
    data = base64.b64encode(REPLY.format(serial=serial, mac=mac).encode()).decode()
    return json.dumps({"device": device, "transport": "udp-payload", "port": 37020, "data": data})


@pytest.fixture
def context(tmp_path):
    return Context(Terminal(as_json=True), Settings(db=f"sqlite:///{tmp_path}/camvet.sqlite"))


def imported(context, tmp_path, *lines):
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(lines))
    return perform(context, ImportOrder([path], policy.load().get("private"), date(2026, 11, 22)))[0]


def test_one_serial_number_at_two_addresses_is_one_device(context, tmp_path):
    record = imported(context, tmp_path, told("10.0.0.40", "c0-56-e3-5a-10-0b", SERIAL),
                      told("10.0.0.5", "c0-56-e3-5a-10-0a", SERIAL))
    assert [one.identity.device for one in record.judgements] == ["10.0.0.5"]
    (joined,) = record.document["joined"]
    assert (joined["device"], joined["also_at"]) == ("10.0.0.5", ["10.0.0.40"])
    assert joined["because"].startswith("serial number DS2CD2143G0I")
    assert {one.text("also_at") for one in record.observations} == {"", "10.0.0.40"}
    row = context.inventory().sweep("latest", context.settings.site)
    report = report_of(context.inventory(), row, generated_at=clock.now())
    assert [(one.device, tuple(one.also_at)) for one in report.joined] == [("10.0.0.5", ("10.0.0.40",))]
    assert report.scope.sent == {}
    assert report.scope.opted_in == ()
    assert report.census is None


def test_two_serial_numbers_stay_two_devices(context, tmp_path):
    record = imported(context, tmp_path, told("10.0.0.40", "c0-56-e3-5a-10-0b", SERIAL[:-4] + "999W"),
                      told("10.0.0.5", "c0-56-e3-5a-10-0a", SERIAL))
    assert sorted(one.identity.device for one in record.judgements) == ["10.0.0.40", "10.0.0.5"]
    assert record.document["joined"] == []


LEASES = b"""lease 10.0.0.5 { hardware ethernet c0:56:e3:5a:10:0a; client-hostname "gate"; }
lease 10.0.0.77 { hardware ethernet 3c:ef:8c:00:00:77; client-hostname "=cmd<b>"; }
"""


def held_against(context, record, *names):
    inventory = context.inventory()
    found = compare([(name, books.read(LEASES, clock.now())) for name in names], inventory.devices_of(record.id),
                    record.document)
    inventory.log(at=clock.now(), actor="auditor", kind="census", subject=record.id,
                  document=document(found, record.id))


def test_a_report_tells_the_newest_census_of_its_own_sweep(context, tmp_path):
    record = imported(context, tmp_path, told("10.0.0.5", "c0-56-e3-5a-10-0a", SERIAL))
    other = imported(context, tmp_path, told("10.0.0.6", "c0-56-e3-5a-10-0c", SERIAL[:-4] + "777W"))
    held_against(context, record, "first")
    held_against(context, record, "second", "third")
    held_against(context, other, "elsewhere")
    inventory = context.inventory()
    census = report_of(inventory, inventory.sweep(record.id, context.settings.site), generated_at=clock.now()).census
    assert [(one.source, one.known, one.seen, one.not_seen) for one in census.sources] == [
        ("second", 2, 1, 1), ("third", 2, 1, 1)]
    (unseen,) = census.sources[0].unseen
    assert (unseen.mac, unseen.address, unseen.name, unseen.block) == (
        "3C:EF:8C:00:00:77", "10.0.0.77", "=cmd<b>", "dahua")
    assert (census.actor, census.unlisted, census.not_seen) == ("auditor", (), 2)
