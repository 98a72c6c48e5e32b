"""The verbs egress and claims from the command line."""

import json

import pytest

from camvet.cli import main
from lab.personas import PERSONAS
from lab.phonehome import write_pcap
from scanner.egress import Capture


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("egress") / "site.pcap"
    write_pcap(path, PERSONAS, "10.77.0.0/24")
    return path


@pytest.fixture
def camvet(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["--db", f"sqlite:///{tmp_path}/camvet.db", *map(str, words)])
        done = capsys.readouterr()
        return end.value.code, done.out, done.err
    return run


def test_json_has_the_shape_of_the_contract(camvet, capture):
    code, out, _ = camvet("--json", "egress", capture)
    told = json.loads(out)
    assert code == 1
    assert set(told) == {"devices", "capture"}
    assert {"packets", "undecoded", "dropped"} <= set(told["capture"])
    assert told["capture"]["packets"] == 1952
    device = next(d for d in told["devices"] if d["ips"] == ["10.77.0.11"])
    assert {"mac", "ips", "conversations", "names", "findings"} <= set(device)
    assert set(device["names"]) == {"dns", "sni", "http", "ntp", "stun"}
    talk = device["conversations"][0]
    assert {"dst", "proto", "port", "packets", "bytes", "names", "country", "owner", "purpose"} <= set(talk)
    assert (talk["names"], talk["purpose"], talk["maker"], talk["signs"]) == (
        ["www.easy4ipcloud.com"], "p2p", "dahua", ["dahua-p2p"])
    failed = {f["rule"] for f in device["findings"] if f["status"] == "fail"}
    assert {"egress.p2p_protocol", "egress.vendor_p2p", "egress.beacon"} <= failed


def test_text_a_person_reads(camvet, capture):
    code, out, _ = camvet("egress", capture)
    assert code == 1
    assert "203.0.113.10:8800/udp  www.easy4ipcloud.com" in out
    assert "1952 packets in" in out


def test_only_the_devices_of_a_neighbour_table(camvet, capture, tmp_path):
    table = tmp_path / "neighbours.txt"
    table.write_text("10.77.0.14 dev eth0 lladdr c0:56:e3:44:19:0e REACHABLE\n")
    _, out, _ = camvet("--json", "egress", capture, "--devices", table)
    assert [d["mac"] for d in json.loads(out)["devices"]] == ["C0:56:E3:44:19:0E"]


@pytest.mark.parametrize(("words", "complaint"), [
    ([], "exactly one of both: capture files"),
    (["none.pcap"], "no such file"),
    (["--interface", "eth0"], "no camera's MAC is known"),
    (["--interface", "eth0", "--all-hosts"], "say why with --reason"),
    (["CAPTURE", "--geoip", "CAPTURE"], "--geoip"),
    (["CAPTURE", "--check-mud", "CAPTURE"], "--check-mud"),
    (["CAPTURE", "--devices", "none.txt"], "--devices"),
])
def test_wrong_use_is_said_in_one_line(camvet, capture, words, complaint):
    code, out, err = camvet("egress", *[capture if word == "CAPTURE" else word for word in words])
    assert code == 2
    assert out == ""
    assert complaint in err
    assert err.count("\n") == 1


def test_a_damaged_file_is_read_in_part_and_says_so(camvet, tmp_path, capture):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(capture.read_bytes()[:3000])
    code, out, _ = camvet("egress", cut)
    assert code in {1, 3}
    assert "read only in part: cut short" in out


def test_a_capture_against_a_mud_file(camvet, tmp_path, capture):
    from datetime import UTC, datetime

    from rules.fence import Allowed, mud_file
    path = tmp_path / "mud.json"
    path.write_text(json.dumps(mud_file("cam", [Allowed("local-networks")], datetime(2026, 11, 22, tzinfo=UTC),
                                        url="https://mud.example/a", systeminfo="x")))
    code, out, _ = camvet("--json", "egress", capture, "--check-mud", path)
    against = json.loads(out)["mud"]
    assert code == 1
    assert "203.0.113.10:8800/udp (www.easy4ipcloud.com)" in against
    assert not [line for line in against if line.startswith("10.77.")]


def test_claims_need_a_device_and_known_words(camvet):
    assert camvet("claims", "declare", "10.0.0.9", "no network connectivity", "--by", "vendor")[0] == 2
    code, _, err = camvet("claims", "check")
    assert code == 2
    assert "no inventory at" in err


def test_claims_are_noted_checked_and_kept_in_the_log(camvet, tmp_path, capture):
    from inventory_samples import sweep

    from camvet.inventory import Inventory
    inventory = Inventory.open(f"sqlite:///{tmp_path}/camvet.db")
    inventory.record(sweep(1, ("10.77.0.22", "00:07:5F:A2:4C:16", "A1"), ("10.77.0.11", "00:1F:54:7B:22:0B", "B2")),
                     actor="test")
    quiet, talker = "10.77.0.22", "10.77.0.11"
    assert camvet("--site", "hq", "claims", "declare", quiet, "No  Outside connections", "--by", "data sheet")[0] == 0
    assert camvet("--site", "hq", "claims", "declare", talker, "no cloud connection", "face recognition off",
                  "--by", "supplier")[0] == 0
    assert camvet("--site", "hq", "claims", "declare", quiet, "it is very safe", "--by", "supplier")[0] == 2
    code, out, _ = camvet("--json", "--site", "hq", "claims", "check", "--capture", capture, "--from", "mirror 1")
    told = {(c["address"], c["claim"]): c for c in json.loads(out)["claims"]}
    assert code == 1
    assert told[talker, "no cloud connection"]["standing"] == "contradicted"
    assert told[talker, "no cloud connection"]["evidence"]
    assert told[talker, "face recognition off"]["standing"] == "not_proven"
    short = told[quiet, "no outside connections"]
    assert (short["standing"], short["from"]) == ("not_proven", "mirror 1")
    assert "0.5 hours only" in short["because"]
    assert [e.kind for e in inventory.events()].count("claim.declared") == 3
    assert [e.kind for e in inventory.events()].count("claim.checked") == 3


def test_what_is_wrong_with_a_file_is_said_once_and_not_for_every_device(camvet, capture, tmp_path):
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"\xd4\xc3\xb2\xa1 but nothing else")
    _, out, _ = camvet("egress", capture, bad)
    told = [line for line in out.splitlines() if "bad.pcap" in line]
    assert sum("read only in part" in line for line in told) == 1
    assert not any(line.startswith("  not assessed") for line in told)
    assert "  not assessed, since the sources were read only in part: egress." in out


@pytest.mark.parametrize(("lost", "noted"), [(7, True), (0, False)])
def test_frames_that_were_lost_while_listening_are_noted_beside_the_answer(camvet, monkeypatch, lost, noted):
    from scanner.egress import live

    def heard(_interface, _seconds, _macs, ready):
        ready()
        return Capture(packets=10, lost=lost)

    monkeypatch.setattr(live, "listen", heard)
    code, out, err = camvet("--json", "egress", "--interface", "eth9", "--all-hosts", "--reason", "a test")
    assert json.loads(out)["capture"]["lost"] == lost
    assert (f"{lost} frames were lost" in err) is noted
    assert code == (3 if noted else 0)
