"""The verb baseline, and what egress, judge and report make of it, from the command line."""

import json
import shutil
import subprocess
from dataclasses import replace

import pytest
from inventory_samples import sweep

from camvet.baselines import none_approved
from camvet.cli import main
from camvet.context import Context
from camvet.inventory import Inventory
from lab.persona import Cloud
from lab.personas import persona
from lab.phonehome import write_pcap
from rules.fence import read_mud

NETWORK = "10.77.0.0/24"
HIK, AXIS = persona("hikvision-dome"), persona("axis")
HIK_AT, AXIS_AT = f"10.77.0.{HIK.host}", f"10.77.0.{AXIS.host}"
STRANGER = Cloud(host="relay.tutk.com", address="203.0.113.99", port=10240, every_s=40.0)
DOCUMENT = {
    "scope": {"activity": None, "purpose": None, "owner": "tests", "ticket": "T-1", "targets": [NETWORK],
              "excludes": [], "window": [None, None], "profile": "fast", "credentials": False},
    "links": [], "silent": {}, "foreign": [], "dropped": {}, "captures": []}


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    usual, changed, less = folder / "usual.pcap", folder / "changed.pcap", folder / "less.pcap"
    write_pcap(usual, [HIK, AXIS], NETWORK)
    write_pcap(changed, [replace(HIK, clouds=(*HIK.clouds, STRANGER)), AXIS], NETWORK)
    write_pcap(less, [replace(HIK, clouds=()), AXIS], NETWORK)
    return usual, changed, less


@pytest.fixture
def camvet(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    first = replace(sweep(1, (HIK_AT, HIK.mac, "A1"), (AXIS_AT, AXIS.mac, "B2")), document=DOCUMENT)
    Inventory.open(f"sqlite:///{tmp_path}/camvet.db").record(first, actor="test")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["--db", f"sqlite:///{tmp_path}/camvet.db", "--site", "hq", *map(str, words)])
        done = capsys.readouterr()
        return end.value.code, done.out, done.err
    return run


def drift_of(out, address=HIK_AT):
    device = next(d for d in json.loads(out)["devices"] if address in d["ips"])
    return next(f for f in device["findings"] if f["rule"] == "egress.drift")


def test_absent_then_approved_then_new_then_revoked(camvet, captures):
    usual, changed, _ = captures
    absent = drift_of(camvet("--json", "egress", changed)[1])
    assert (absent["status"], absent["reason"][:24]) == ("not_assessed", "no baseline was approved")
    code, out, _ = camvet("--json", "baseline", "approve", HIK_AT, "--capture", usual, "--actor", "A. Okafor",
                          "--reason", "commissioning")
    assert code == 0
    (made,) = json.loads(out)["approved"]
    assert (made["actor"], made["address"], made["outside"]) == ("A. Okafor", HIK_AT, False)
    assert ["dev.hik-connect.com"] in [one["names"] for one in made["destinations"]]
    assert drift_of(camvet("--json", "egress", usual)[1])["status"] == "pass"
    code, out, _ = camvet("--json", "egress", changed)
    new = drift_of(out)
    assert code == 1
    assert (new["status"], new["severity"]) == ("fail", "high")
    assert new["reason"] == "new destination: relay.tutk.com:10240/udp"
    assert new["evidence"]
    assert drift_of(out, AXIS_AT)["status"] == "not_assessed"              # a baseline is one device's
    camvet("baseline", "approve", HIK_AT, "--capture", changed)
    gone = drift_of(camvet("--json", "egress", usual)[1])
    assert gone["status"] == "pass"
    assert gone["facts"]["no longer seen"] == "relay.tutk.com:10240/udp"
    assert camvet("baseline", "revoke", HIK_AT, "--reason", "replaced")[0] == 0
    assert drift_of(camvet("--json", "egress", changed)[1])["status"] == "not_assessed"


def test_every_step_is_in_the_log_and_nothing_is_changed(camvet, captures, tmp_path):
    camvet("baseline", "approve", "--all", "--capture", captures[0], "--actor", "A. Okafor")
    camvet("baseline", "allow", "10.77.0.5:554/tcp", "--inbound", "--device", HIK_AT, "--why", "the video system",
           "--actor", "B. Lund")
    camvet("baseline", "revoke", AXIS_AT, "--reason", "sold", "--actor", "A. Okafor")
    inventory = Inventory.open(f"sqlite:///{tmp_path}/camvet.db")
    told = [(e.kind, e.actor) for e in inventory.events() if e.kind.startswith("egress.baseline")]
    assert told == [("egress.baseline.approved", "A. Okafor"), ("egress.baseline.approved", "A. Okafor"),
                    ("egress.baseline.allowed", "B. Lund"), ("egress.baseline.revoked", "A. Okafor")]
    assert inventory.verify()[2] is None
    code, out, _ = camvet("--json", "baseline", "show")
    shown = json.loads(out)
    assert (code, [b["address"] for b in shown["baselines"]], shown["absent"]) == (0, [HIK_AT], [AXIS_AT])
    assert shown["baselines"][0]["allowed"] == [{"service": "from 10.77.0.5/32 to 554/tcp", "why": "the video system"}]
    _, text, _ = camvet("baseline", "show")
    assert "approved by A. Okafor" in text
    assert f"{AXIS_AT}  no baseline" in text


WRONG = [
    (["approve"], "name one device, or say --all"), (["approve", HIK_AT, "--all"], "name one device, or say --all"),
    (["approve", "10.9.9.9"], "no device"), (["approve", HIK_AT], "no traffic of"),
    (["approve", HIK_AT, "--capture", "none.pcap"], "none.pcap"),
    (["approve", HIK_AT, "--for", "9999d"], "expected 1 to 366 days"),
    (["allow", "10.0.0.5:1/udp", "--device", HIK_AT, "--why", "x"], "no approved baseline"),
    (["allow", "nonsense", "--device", HIK_AT, "--why", "x"], "HOST:PORT/PROTOCOL"),
    (["allow", "10.0.0.5:1/udp", "--device", HIK_AT, "--why", " "], "--why"),
    (["revoke", HIK_AT, "--reason", "x"], "has no baseline"),
]
WRONG_REPORTS = [
    (["--format", "html", "--device", HIK_AT], "--device belongs to"), (["--format", "mud"], "no device's traffic"),
    (["--format", "csv", "--vlans", "1,2"], "belong to --format freeradius"),
    (["--format", "freeradius", "--vlans", "12"], "expected two"),
    (["--format", "freeradius", "--vlans", "5,5"], "different VLANs"),
    (["--format", "freeradius", "--mac", "x"], "mac='x' is not one of"),
    (["--format", "mud", "--device", "nobody"], "no such device"),
    (["--format", "mud", "--device", HIK_AT], "was not captured"),
]


def test_wrong_use_is_said_in_one_line(camvet):
    for verb, cases in (("baseline", WRONG), ("report", WRONG_REPORTS)):
        for words, complaint in cases:
            code, out, err = camvet(verb, *words)
            assert (code, out, err.count("\n")) == (2, "", 1), words
            assert complaint in err, words


def test_a_baseline_that_is_over_assesses_nothing(camvet, captures, monkeypatch):
    from datetime import timedelta

    from scanner import clock
    camvet("baseline", "approve", HIK_AT, "--capture", captures[0], "--for", "1d")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    found = drift_of(camvet("--json", "egress", captures[1])[1])
    assert found["status"] == "not_assessed"
    assert "the approved baseline ended" in found["reason"]


def test_a_mud_file_a_device_and_what_it_allows(camvet, captures, tmp_path):
    camvet("baseline", "approve", "--all", "--capture", captures[0], "--actor", "A. Okafor")
    camvet("baseline", "allow", "10.77.0.5:554/tcp", "--inbound", "--all", "--why", "the video system")
    code, out, _ = camvet("--json", "report", "--format", "mud", "--out", tmp_path / "mud")
    told = json.loads(out)
    assert (code, told["files"]) == (0, sorted([f"{HIK_AT}.json", f"{AXIS_AT}.json"]))
    allowed = read_mud((tmp_path / "mud" / f"{HIK_AT}.json").read_bytes())
    assert "from 10.77.0.5/32 to 554/tcp" in {str(one) for one in allowed}
    assert not any("hik-connect" in str(one) for one in allowed)
    alone, out, _ = camvet("report", "--format", "mud", "--device", HIK_AT)
    assert (alone, json.loads(out)["ietf-mud:mud"]["mud-version"]) == (0, 1)
    code, out, _ = camvet("--json", "egress", captures[0], "--check-mud", tmp_path / "mud")
    told = json.loads(out)
    assert (code, told["mud_devices"]) == (1, 2)
    assert {row["device"] for row in told["mud_by_device"]} == {HIK.mac}
    assert any("hik-connect" in line for line in told["mud"])
    code, out, _ = camvet("--json", "egress", captures[2], "--check-mud", tmp_path / "mud", "--devices", "inventory")
    assert json.loads(out)["mud"] == []


def test_outside_destinations_pass_only_where_that_was_said(camvet, captures):
    camvet("baseline", "approve", HIK_AT, "--capture", captures[0], "--outside")
    _, out, _ = camvet("report", "--format", "mud", "--device", HIK_AT)
    assert any(str(one) == "dev.hik-connect.com:443/tcp" for one in read_mud(out.encode()))


def test_the_database_library_stays_away_until_something_is_approved(camvet, captures, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(Context, "inventory", lambda self: opened.append(1) or Inventory.open(self.settings.db))
    camvet("egress", captures[0])
    assert opened == []
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    camvet("baseline", "approve", HIK_AT, "--capture", captures[0])
    assert not none_approved(f"sqlite:///{tmp_path}/camvet.db")
    assert drift_of(camvet("--json", "egress", captures[1])[1])["status"] == "fail"


@pytest.mark.parametrize("make", [lambda file: None, lambda file: file.write_bytes(b""), lambda file: file.mkdir(),
                                  lambda file: file.write_bytes(b"no database " * 100)])
def test_what_cannot_be_told_in_one_look_is_left_to_the_inventory(make, tmp_path):
    make(tmp_path / "x y?mode=rwc#.db")
    assert not none_approved(f"sqlite:///{tmp_path}/x y?mode=rwc#.db")
    assert not none_approved("postgresql://nowhere.example/camvet")


LINE = "Nov 20 08:{:02d}:10 gw kernel: [FW] IN=eth1 OUT=eth0 MAC= SRC={} DST={} LEN=60 PROTO=TCP SPT=40000 DPT=443"


def test_logs_without_names_leave_undecided_what_a_name_would_decide(camvet, captures, tmp_path):
    camvet("baseline", "approve", HIK_AT, "--capture", captures[0], "--outside")
    camvet("report", "--format", "mud", "--device", HIK_AT, "--out", tmp_path / "hik.json")
    log = tmp_path / "fw.log"
    log.write_text("\n".join(LINE.format(n, HIK_AT, "203.0.113.20") for n in range(4)) + "\n")
    code, out, _ = camvet("--json", "egress", log, "--check-mud", tmp_path / "hik.json")
    told = json.loads(out)
    assert (told["mud"], told["mud_undecided"]) == ([], ["203.0.113.20:443/tcp"])
    assert code in {1, 3}
    log.write_text("\n".join(LINE.format(n, HIK_AT, "203.0.113.20").replace("DPT=443", "DPT=23") for n in range(4)))
    _, out, _ = camvet("--json", "egress", log, "--check-mud", tmp_path / "hik.json")
    assert json.loads(out)["mud"] == ["203.0.113.20:23/tcp"]


ZEEK = "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\torig_pkts\n"


def test_imported_conversations_are_held_against_the_baseline(camvet, captures, tmp_path):
    log = tmp_path / "conn.log"
    log.write_text(ZEEK + f"1795399200.1\tC1\t{HIK_AT}\t5000\t203.0.113.99\t10240\tudp\t100\t3\n", encoding="utf-8")

    def drift():
        (device,) = json.loads(camvet("--json", "import", log)[1])["devices"]
        return next((f for f in device["verdict"]["findings"] if f["rule"] == "egress.drift"), None)

    assert drift() is None
    assert camvet("baseline", "approve", HIK_AT, "--capture", captures[0])[0] == 0
    new = drift()
    assert (new["status"], "203.0.113.99:10240/udp" in new["reason"]) == ("fail", True)


def test_a_device_without_a_file_is_said(camvet, captures, tmp_path):
    (tmp_path / "muds").mkdir()
    (tmp_path / "muds" / "another-device.json").write_text("{}", encoding="utf-8")
    code, out, _ = camvet("--json", "egress", captures[2], "--check-mud", tmp_path / "muds")
    told = json.loads(out)
    assert (len(told["mud_no_file"]), told["mud_devices"]) == (1, 0)
    assert code in {1, 3}


def test_fences_by_the_command_line(camvet, captures, tmp_path):
    camvet("baseline", "approve", "--all", "--capture", captures[0])
    code, out, _ = camvet("report", "--format", "freeradius", "--vlans", "120,666", "--mac", "AA-BB-CC-DD-EE-FF")
    assert code == 0
    assert f'{HIK.mac.replace(":", "-")} Cleartext-Password := "{HIK.mac.replace(":", "-")}"' in out
    assert camvet("report", "--format", "dnsmasq")[0] == 0
    path = tmp_path / "camvet.nft"
    assert camvet("report", "--format", "nftables", "--out", path)[0] == 0
    if shutil.which("nft"):
        done = subprocess.run(["nft", "-c", "-f", path], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr


def test_a_sweeps_traffic_is_held_against_the_baseline_by_judge(camvet, captures, tmp_path):
    """A sweep that captured: `judge` reads what it stored, so the finding is in the verdict."""
    from datetime import timedelta

    from scanner import clock, egress
    now = clock.now()
    capture = egress.read(captures[1])
    known = {HIK.mac: HIK_AT}
    later = sweep(9, (HIK_AT, HIK.mac, "A1"), at=now)
    later = replace(later, observations=[*later.observations, *egress.observations(capture, known, now)],
                    attempts=[*later.attempts, *egress.attempts(capture, known, now)],
                    finished=now + timedelta(minutes=1),
                    document={**DOCUMENT, "captures": [{"file": "x", "seconds": capture.seconds}]})
    Inventory.open(f"sqlite:///{tmp_path}/camvet.db").record(later, actor="test")

    def drift(*words):
        _, out, _ = camvet("--json", "judge", later.id, *words)
        return [f for d in json.loads(out)["devices"] for f in d["verdict"]["findings"] if f["rule"] == "egress.drift"]

    assert drift() == []
    assert "baseline  none approved: what is new in its traffic is not assessed" in camvet("explain", HIK_AT)[1]
    camvet("baseline", "approve", HIK_AT, "--capture", captures[0], "--actor", "A. Okafor")
    (found,) = drift()
    assert (found["status"], found["reason"]) == ("fail", "new destination: relay.tutk.com:10240/udp")
    assert drift("--as-of", "2026-01-01") == []                            # it was approved later than that
    camvet("baseline", "approve", HIK_AT, "--actor", "A. Okafor")           # what the sweep itself saw
    assert drift()[0]["status"] == "pass"
    drift("--keep")
    told = json.loads(camvet("--json", "explain", HIK_AT)[1])
    assert "approved by A. Okafor" in told["baseline"]
    assert "; pass: all of its traffic is in the baseline" in told["baseline"]
    assert [f["status"] for f in told["verdict"]["findings"] if f["rule"] == "egress.drift"] == ["pass"]
