"""An import knows a device with two network cards for one; a report tells the newest census of its sweep."""

import base64
import json
import struct
from datetime import date

import pytest

from camvet.census import compare, document
from camvet.context import Context, UsageError
from camvet.importing import ImportOrder, document_of, perform, store
from camvet.reporting import report_of
from camvet.settings import Settings
from camvet.terminal import Terminal
from rules import policy
from scanner import clock
from scanner.imports import books, labels

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


AXIS, GATEWAY = "ac:cc:8e:00:00:12", "02:00:00:00:00:01"


def capture(path, *frames):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(head + b"".join(struct.pack("<IIII", 1_700_000_000 + at, 0, len(one), len(one)) + one
                                     for at, one in enumerate(frames)))
    return path


def sent(payload, *, target=(203, 0, 113, 8), port=8800):
    segment = struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload
    return (bytes.fromhex((GATEWAY + AXIS).replace(":", "")) + b"\x08\0"
            + struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 17, 0) + bytes([10, 0, 0, 12])
            + bytes(target) + segment)


def order_of(*paths):
    return ImportOrder(list(paths), policy.load().get("private"), date(2026, 11, 22))


def test_a_capture_beside_a_list_shows_whom_its_devices_really_call(context, tmp_path):
    listed = tmp_path / "site.csv"
    listed.write_text(f"ip,mac,vendor,model\n10.0.0.12,{AXIS},AXIS,P3245-V\n10.0.0.13,,AXIS,P3245-V\n")
    calls = capture(tmp_path / "site.pcap", *[sent(b"DHGET /probe/p2psrv HTTP/1.1\r\n\r\n")] * 3)
    record, _ = perform(context, order_of(listed, calls))
    judged = {one.identity.device: one for one in record.judgements}
    statuses = {finding.rule: str(finding.status) for finding in judged["10.0.0.12"].findings}
    assert statuses["egress.p2p_protocol"] == "fail"
    assert statuses["egress.foreign_dns"] == "pass"
    silent = {finding.rule: str(finding.status) for finding in judged["10.0.0.13"].findings}
    assert silent["egress.p2p_protocol"] == "not_assessed"
    assert [one["file"] for one in record.document["captures"]] == ["site.pcap"]


def test_a_list_alone_judges_no_traffic(context, tmp_path):
    listed = tmp_path / "site.csv"
    listed.write_text(f"ip,mac,vendor,model\n10.0.0.12,{AXIS},AXIS,P3245-V\n")
    record, _ = perform(context, order_of(listed))
    (judged,) = record.judgements
    told = {str(one.status) for one in judged.findings if one.rule.startswith("egress.")}
    assert told == {"not_applicable"}


def test_a_capture_in_which_nobody_announces_himself_says_so(context, tmp_path):
    quiet = capture(tmp_path / "quiet.pcap", *[sent(b"x", port=443)] * 7)
    with pytest.raises(UsageError, match="nobody announced itself in 7 packets"):
        perform(context, order_of(quiet))
    (tmp_path / "none.pcap").write_bytes(b"no capture at all")
    with pytest.raises(UsageError, match="expected"):
        perform(context, order_of(tmp_path / "none.pcap"))


def test_a_mac_that_a_person_declared_finds_the_device_and_never_joins_two(context):
    rows = b"brand,model,serial,mac\nAcme,C1,S100001,aa:bb:cc:00:00:05\nAcme,C2,S100002,aa:bb:cc:00:00:05\n"
    found = labels.read(rows, clock.now())
    order = order_of()
    told = document_of(order, "a", "0", {})
    store(context, order, found.observations[:1], started=clock.now(), name="a", document=told)
    inventory = context.inventory()
    (row,) = inventory.find("AA-BB-CC-00-00-05", context.settings.site)
    assert ("declared", "AA:BB:CC:00:00:05") in row.aliases
    assert "mac" not in {kind for kind, _ in row.aliases}
    store(context, order, found.observations[1:], started=clock.now(), name="b", document=told)
    assert len(inventory.find("aa:bb:cc:00:00:05", context.settings.site)) == 2
