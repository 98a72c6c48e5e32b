"""The fences: MUD files and an nftables table, from the same report."""

import json
import re
import shutil
import subprocess

import pytest
from sample_report import hostile, sample

from reports.formats import render
from rules.destinations import is_outside
from rules.fence import allows, read_mud


def test_every_device_a_capture_saw_has_a_file_and_the_others_are_named():
    report = sample()
    document = json.loads(render(report, "mud"))
    assert set(document["devices"]) == {d.device for d in report.devices if d.egress_assessed}
    assert set(document["not_assessed"]) == {d.device for d in report.devices if not d.egress_assessed}


def test_a_file_lets_a_device_do_inside_what_it_did_and_nothing_outside():
    report = sample()
    files = json.loads(render(report, "mud"))["devices"]
    for device in report.devices:
        if device.device not in files:
            continue
        allowed = read_mud(json.dumps(files[device.device]).encode())
        for seen in device.destinations:
            fits = any(allows(one, seen.address, seen.names, seen.protocol, seen.port or 0) for one in allowed)
            assert fits is not is_outside(seen.address)


@pytest.mark.parametrize("report", [sample(), hostile()], ids=["sample", "hostile"])
def test_no_text_of_a_device_leaves_its_comment(report):
    text = render(report, "nftables").decode()
    for line in text.splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9_@.,:;/{}= ]*", line), line
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    assert text.count("{") == text.count("}") or any("{" in line for line in text.splitlines() if line.startswith("#"))


def test_what_stops_is_said():
    report = sample()
    text = render(report, "nftables").decode()
    outside = [d for device in report.devices for d in device.destinations if is_outside(d.address)]
    assert outside
    assert all(f"to {d.address} port {d.port or 0}/{d.protocol}" in text for d in outside)


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft: install nftables")
@pytest.mark.parametrize("report", [sample(), hostile()], ids=["sample", "hostile"])
def test_nft_accepts_the_table(report, tmp_path):
    path = tmp_path / "camvet.nft"
    path.write_bytes(render(report, "nftables"))
    done = subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
