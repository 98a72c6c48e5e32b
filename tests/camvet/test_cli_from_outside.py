"""What somebody outside opens, or a device sends unasked, is never lost: in egress, claims, MUD files and drift."""

import ipaddress
import json
import struct

import pytest

from camvet.cli import main
from lab import frames

CAMERA = frames.Station(bytes.fromhex("020000000005"), ipaddress.IPv4Address("10.3.0.5"))
ROUTER = bytes.fromhex("0200000000fe")
OUTSIDE = frames.Station(ROUTER, ipaddress.IPv4Address("198.51.100.9"))
PUBLIC = frames.Station(bytes.fromhex("020000000006"), ipaddress.IPv4Address("192.0.2.7"))
VMS = frames.Station(bytes.fromhex("020000000007"), ipaddress.IPv4Address("10.3.0.2"))
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10
DAY = 24 * 3600


def tcp(source, source_port, target, port, numbers, flags, payload=b""):
    return frames.tcp(source, source_port, target, port, numbers, flags, payload, 1)


def write(path, packets, link=1):
    """A capture file of (seconds, frame)."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link))
        for at, frame in packets:
            out.write(struct.pack("<IIII", 1_700_000_000 + int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)
    return path


def streams_out(first=SYN):
    """Somebody outside opens the camera's RTSP port and takes its video away."""
    opening = [(0, tcp(OUTSIDE, 50000, CAMERA, 554, (1, 0), SYN)),
               (0.1, tcp(CAMERA, 554, OUTSIDE, 50000, (1, 2), SYN_ACK))] if first == SYN else []
    return opening + [(1 + n / 10, tcp(CAMERA, 554, OUTSIDE, 50000, (2 + n * 1400, 2), ACK, bytes(1400)))
                      for n in range(100)]


def leaks(seconds=10):
    """The camera sends from a resolver's port to an address that never asked."""
    return [(n * seconds / 1000, frames.udp(CAMERA, 53, OUTSIDE, 50000, bytes(1400), n)) for n in range(1001)]


@pytest.fixture
def camvet(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["--db", f"sqlite:///{tmp_path}/camvet.db", *map(str, words)])
        done = capsys.readouterr()
        return end.value.code, done.out, done.err
    return run


def failed(device):
    return {one["rule"] for one in device["findings"] if one["status"] == "fail"}


@pytest.mark.parametrize(("made", "port", "proto"), [
    (streams_out, 554, "tcp"), (lambda: streams_out(first=ACK), 554, "tcp"), (leaks, 53, "udp")])
def test_it_stands_under_the_camera(camvet, tmp_path, made, port, proto):
    code, out, _ = camvet("--json", "egress", write(tmp_path / "out.pcap", made()))
    assert code == 1
    device, = json.loads(out)["devices"]
    assert (device["mac"], device["conversations"]) == ("02:00:00:00:00:05", [])
    talk, = device["inbound"]
    assert (talk["src"], talk["proto"], talk["port"]) == ("198.51.100.9", proto, port)
    assert talk["bytes_out"] > 100_000
    assert "egress.reached_from_outside" in failed(device)


def test_a_knock_without_an_answer_is_told_and_fails_nothing(camvet, tmp_path):
    knocks = [(n, tcp(OUTSIDE, 50000 + n, CAMERA, 23, (1, 0), SYN)) for n in range(3)]
    calls = [(5, frames.udp(CAMERA, 40000, VMS, 123, bytes(48), 1))]
    code, out, _ = camvet("egress", write(tmp_path / "knock.pcap", knocks + calls))
    assert "from 198.51.100.9 to :23/tcp" in out
    assert "It answers somebody outside" not in out
    assert code == 0


def test_claims_are_contradicted_and_drift_and_mud_see_it(camvet, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("mac,ip,brand\n02:00:00:00:00:05,10.3.0.5,Acme\n")
    assert camvet("import", table)[0] in {0, 1, 3}
    day = [(n * 3600, frames.udp(CAMERA, 40000, VMS, 123, bytes(48), n)) for n in range(26)]
    quiet = write(tmp_path / "quiet.pcap", day)
    leak = write(tmp_path / "leak.pcap", sorted(day + leaks(DAY)))
    assert camvet("claims", "declare", "10.3.0.5", "no outside connections", "--by", "the seller")[0] == 0

    def standing(file):
        _, out, _ = camvet("--json", "claims", "check", "--capture", file, "--from", "the mirror port")
        return {one["claim"]: one["standing"] for one in json.loads(out)["claims"]}
    assert standing(quiet) == {"no outside connections": "proven"}
    assert standing(leak) == {"no outside connections": "contradicted"}

    mud = tmp_path / "camera.json"
    from datetime import UTC, datetime

    from rules.fence import Allowed, mud_file

    mud.write_text(json.dumps(mud_file("camera", [Allowed("10.3.0.2/32", "udp", 123, why="time")],
                                       datetime(2026, 11, 22, tzinfo=UTC), url="https://mud.example/camera.json",
                                       systeminfo="camera")))
    assert camvet("egress", quiet, "--check-mud", mud)[0] == 0
    code, out, _ = camvet("egress", leak, "--check-mud", mud)
    assert code == 1
    assert "from 198.51.100.9 to its 53/udp" in out


def test_public_ends_are_counted_and_found_when_named(camvet, tmp_path):
    calls = [(n, tcp(PUBLIC, 40000, OUTSIDE, 443, (1 + n, 0), SYN if n == 0 else ACK)) for n in range(5)]
    path = write(tmp_path / "public.pcap", calls)
    code, out, _ = camvet("--json", "egress", path)
    told = json.loads(out)
    assert (code, told["devices"]) == (3, [])
    assert told["capture"]["unplaced"]["conversations"] == 1
    assert told["capture"]["unplaced"]["some"][0]["src"] == "192.0.2.7"
    assert "which end stands on the site cannot be told" in camvet("egress", path)[1]
    (tmp_path / "ours.txt").write_text("192.0.2.7 02:00:00:00:00:06\n")
    code, out, _ = camvet("--json", "egress", path, "--devices", tmp_path / "ours.txt")
    device, = json.loads(out)["devices"]
    assert [(one["dst"], one["port"]) for one in device["conversations"]] == [("198.51.100.9", 443)]
    (tmp_path / "ours.txt").write_text("198.51.100.9 02:00:00:00:00:fe\n")
    device, = json.loads(camvet("--json", "egress", path, "--devices", tmp_path / "ours.txt")[1])["devices"]
    assert device["conversations"] or device["inbound"]


def test_a_device_with_both_kinds_of_address_is_one(camvet, tmp_path):
    both = frames.Station(PUBLIC.mac, ipaddress.IPv4Address("10.3.0.6"))
    packets = [(0, frames.udp(both, 40000, VMS, 123, bytes(48), 1)),
               (1, tcp(PUBLIC, 40000, OUTSIDE, 443, (1, 0), SYN))]
    device, = json.loads(camvet("--json", "egress", write(tmp_path / "both.pcap", packets))[1])["devices"]
    assert {one["dst"] for one in device["conversations"]} == {"10.3.0.2", "198.51.100.9"}


@pytest.mark.parametrize("share", [0, 1, 2])
def test_frames_nobody_can_read_are_no_silence(camvet, tmp_path, share):
    """Encrypted frames between readable ones: a trace of them is a trace, more are what is not known."""
    readable = [(n, frames.udp(CAMERA, 40000, VMS, 123, bytes(48), n)) for n in range(1000)]
    hidden = [(1000 + n, CAMERA.mac + ROUTER + b"\x88\xe5" + bytes(60)) for n in range(share)]     # IEEE 802.1AE
    code, out, _ = camvet("--json", "egress", write(tmp_path / "part.pcap", readable + hidden))
    told = json.loads(out)
    assert told["capture"]["unread"] == share
    assert code == (3 if share > 1 else 0)
    statuses = {one["status"] for one in told["devices"][0]["findings"]}
    assert ("pass" in statuses) is (share <= 1)
