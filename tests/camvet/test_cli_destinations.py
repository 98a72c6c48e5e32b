"""Where devices talk to and what is claimed of them, from the command line: owners, countries, labels that lie."""

import io
import json
import struct
from dataclasses import replace

import pytest
from inventory_samples import observation, sweep

from camvet.cli import main
from camvet.inventory import Inventory
from lab.personas import PERSONAS
from lab.phonehome import write_pcap
from scanner.observation import Attempt, AttemptStatus


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


def database(path, kind, rows):
    """A database as its operators publish them, of the test's own rows."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet
    writer = MMDBWriter(6, kind, ipv4_compatible=True, description={"en": "made by a test"})
    for network, row in rows.items():
        writer.insert_network(IPSet([network]), row)
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def places(tmp_path):
    return database(tmp_path / "country.mmdb", "GeoLite2-Country", {
        "203.0.113.0/28": {"country": {"iso_code": "CN"}},
        "198.51.100.0/24": {"registered_country": {"iso_code": "DE"}}})


@pytest.fixture
def owners(tmp_path):
    return database(tmp_path / "asn.mmdb", "GeoLite2-ASN", {
        network: {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"}
        for network in ("203.0.113.0/24", "198.51.100.0/24")})


def conversations(out):
    return {(d["ips"][0], c["dst"]): c for d in json.loads(out)["devices"] for c in d["conversations"]}


def test_countries_and_owners_out_of_the_users_databases(camvet, capture, places, owners):
    code, out, _ = camvet("--json", "egress", capture, "--geoip", places, "--geoip", owners)
    talks = conversations(out)
    known = talks["10.77.0.11", "203.0.113.10"]
    assert code == 1
    # Whose service it is goes before who hosts it.
    assert (known["country"], known["owner"], known["maker"]) == ("CN", "Dahua", "dahua")
    assert {c["country"] for (_, dst), c in talks.items() if dst.startswith("198.51.100.")} == {"DE"}
    assert {c["country"] for (_, dst), c in talks.items() if dst.startswith("10.77.")} == {None}
    hosted = [c for c in talks.values() if c["dst"] == "198.51.100.123"]                    # a public time server
    assert {(c["owner"], c["maker"]) for c in hosted} == {("Example Hosting", None)}


def test_a_database_alone_changes_no_finding(camvet, capture, places):
    plain, with_places = (json.loads(camvet("--json", "egress", capture, *more)[1])
                          for more in ((), ("--geoip", places)))
    first, second = ([(f["rule"], f["status"]) for d in told["devices"] for f in d["findings"]]
                     for told in (plain, with_places))
    assert first == second
    assert all(c["country"] is None for d in plain["devices"] for c in d["conversations"])


def frame(payload, source, destination, ports, protocol=17):
    body = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0,
                     bytes(map(int, source.split("."))), bytes(map(int, destination.split("."))))
    return bytes.fromhex("020000000001") + bytes.fromhex("00075FA24C16") + b"\x08\0" + ip + body


def pcap(path, frames):
    out = io.BytesIO()
    out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for at, octets in frames:
        out.write(struct.pack("<IIII", 1_790_000_000 + at, 0, len(octets), len(octets)) + octets)
    path.write_bytes(out.getvalue())
    return path


def test_a_day_of_nothing_outside_proves_what_it_can(camvet, tmp_path):
    """The same whole day proves four claims of a quiet device, and none of one that was not seen."""
    Inventory.open(f"sqlite:///{tmp_path}/camvet.db").record(
        sweep(1, ("10.77.0.22", "00:07:5F:A2:4C:16", "A1"), ("10.77.0.33", "00:07:5F:A2:4C:33", "B2")), actor="test")
    quiet = pcap(tmp_path / "day.pcap", [(hour * 3600, frame(b"x" * 20, "10.77.0.22", "10.77.0.1", (40000, 514)))
                                         for hour in range(25)])
    claims = ["no outside connections", "no cloud connection", "No peer-to-peer access", "only local DNS", "no UPnP"]
    for device in ("10.77.0.22", "10.77.0.33"):
        assert camvet("--site", "hq", "claims", "declare", device, *claims, "face recognition off",
                      "--by", "data sheet")[0] == 0
    code, out, _ = camvet("--json", "--site", "hq", "claims", "check", "--capture", quiet, "--from",
                          "port of the camera")
    told = {(c["address"], c["claim"]): c for c in json.loads(out)["claims"]}
    assert code == 3
    for claim in claims:
        shown = told["10.77.0.22", claim.lower()]
        assert (shown["standing"], shown["from"], shown["watched_s"]) == ("proven", "port of the camera", 86400.0)
        assert shown["evidence"]
        assert told["10.77.0.33", claim.lower()]["standing"] == "not_proven"
    assert told["10.77.0.22", "face recognition off"]["standing"] == "not_proven"


@pytest.mark.parametrize(("names", "makers", "contradicts"), [
    (("www.easy4ipcloud.com",), {"axis", "dahua"}, True),
    (("www.easy4ipcloud.com.evil.example",), {"axis"}, False),
    (("s3.amazonaws.com",), {"axis"}, False),
    (("time.example.org", "dev.ezvizlife.com"), {"axis", "hikvision"}, True),
])
def test_a_label_that_the_cloud_contradicts(camvet, tmp_path, names, makers, contradicts):
    """A device whose pages say Axis and whose traffic says somebody else: the cloud is evidence of who made it."""
    device = "10.77.0.22"
    seen = [observation(device, "onvif", {"operation": "GetDeviceInformation", "manufacturer": "AXIS"}),
            observation(device, "egress", {"destination": "203.0.113.8", "protocol": "udp", "packets": 4, "bytes": 400,
                                           "names": names})]
    attempts = [Attempt(device, o.probe, o.port, AttemptStatus.COMPLETED, o.at, observations=(o.id,)) for o in seen]
    attempts.append(Attempt(device, "egress.capture", None, AttemptStatus.COMPLETED, seen[1].at,
                            observations=(seen[1].id,)))
    record = sweep(1, (device, "02:00:00:00:00:22", "A1"))
    Inventory.open(f"sqlite:///{tmp_path}/camvet.db").record(
        replace(record, observations=[*record.observations, *seen], attempts=[*record.attempts, *attempts]),
        actor="test")
    code, out, err = camvet("--json", "--site", "hq", "judge", "--policy", "private")
    (told,) = json.loads(out)["devices"]
    assert code in {1, 3}, err
    assert {e["value"] for e in told["identity"]["evidence"] if e["claim"] == "maker"} >= makers
    cloud = [e for e in told["identity"]["evidence"] if e["basis"] == "cloud"]
    assert bool(cloud) is contradicts
    failed = {f["rule"] for f in told["verdict"]["findings"] if f["status"] == "fail"}
    assert ("egress.other_makers_cloud" in failed or told["identity"]["maker"] != "axis") is contradicts
