"""The fences: MUD files, an nftables table, FreeRADIUS and dnsmasq entries, from the same report."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date

import pytest
from sample_report import INSIDE_NAMES, INSIDE_TIME, hostile, sample

from reports.formats import FormatError, find, freeradius, render
from reports.formats.mud import file_of
from rules.baseline import Baseline, Entry
from rules.destinations import is_outside
from rules.fence import Allowed, allows, read_mud
from rules.policy import is_outside_scope

REPORTS = pytest.mark.parametrize("report", [sample(), hostile()], ids=["sample", "hostile"])


def cameras(report):
    return [device for device in report.devices if not is_outside_scope(device.verdict)]


def one(report, key="10.20.0.23"):
    return next(device for device in report.devices if device.device == key)


def with_baseline(baseline, destinations=None):
    report = sample()
    device = one(report)
    changed = replace(device, baseline=baseline, destinations=device.destinations if destinations is None
                      else destinations)
    return replace(report, devices=(changed,))


def allowed_of(report):
    return read_mud(next(iter(find("mud").files(report).values())))


@REPORTS
def test_every_camera_a_capture_saw_has_a_file_and_the_others_are_named(report):
    document = json.loads(render(report, "mud"))
    told = {d.device for d in cameras(report) if d.egress_assessed or d.baseline}
    assert set(document["devices"]) == told
    assert set(document["not_assessed"]) == {d.device for d in report.devices} - told
    files = find("mud").files(report)
    assert set(files) == {file_of(device) for device in told}
    assert all(json.loads(files[file_of(device)]) == document["devices"][device] for device in told)


@REPORTS
def test_a_file_name_is_one_name_in_one_folder(report):
    for name in find("mud").files(report):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,90}\.json", name)
        assert ".." not in name


def test_a_device_may_do_what_was_approved_and_nothing_it_did_beyond():
    device = one(sample())
    allowed = allowed_of(with_baseline(device.baseline))
    fits = {(d.address, d.port): any(allows(each, d.address, d.names, d.protocol, d.port or 0) for each in allowed)
            for d in device.destinations}
    assert fits == {("10.20.0.2", 123): True, ("10.20.0.2", 53): True, ("10.20.0.5", 554): True,
                    ("203.0.113.61", 443): False, ("203.0.113.62", 443): False, ("192.0.2.201", 32100): False}
    assert Allowed("10.20.0.5/32", "tcp", 554, inbound=True) in allowed


def test_every_rule_says_why():
    device = one(sample())
    whys = [each.why for each in allowed_of(with_baseline(device.baseline))]
    assert all(whys)
    assert "the recorder fetches pictures" in whys
    assert any("M. Adeyemi 2026-11-20" in why for why in whys)


def test_without_a_baseline_only_the_sites_own_names_and_time_are_needed():
    allowed = allowed_of(with_baseline(None))
    assert {str(each) for each in allowed} == {"10.20.0.2/32:53/udp", "10.20.0.2/32:123/udp"}


def test_an_outside_destination_needs_a_word_of_its_own():
    cloud = Entry(("203.0.113.62",), ("update.hikvision.example",), "tcp", 443, 9, (), "firmware")
    closed = Baseline("M. Adeyemi", date(2026, 11, 20), date(2027, 5, 19), 3600.0, "x", (cloud,))
    assert not any("hikvision" in str(each) for each in allowed_of(with_baseline(closed)))
    opened = allowed_of(with_baseline(replace(closed, outside=True)))
    assert Allowed("update.hikvision.example", "tcp", 443) in opened
    over = replace(closed, outside=True, until=date(2026, 11, 21))
    assert not any("hikvision" in str(each) for each in allowed_of(with_baseline(over)))


@REPORTS
def test_no_text_of_a_device_leaves_its_comment(report):
    logs = r"    limit rate 10/minute log prefix \"camvet cut off: \""
    for name, said in (("nftables", rf"[A-Za-z0-9_@.,:;/{{}}= -]*|{logs}"),
                       ("dnsmasq", r"[A-Za-z0-9_.,:;/=#\[\]-]*"), ("freeradius", r"[A-Za-z0-9_.,:=\" \t-]*")):
        text = render(report, name).decode()
        for line in text.splitlines():
            assert line.startswith("#") or re.fullmatch(said, line), line
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\u2028]", text)


def test_what_stops_is_said_with_its_reason():
    text = render(sample(), "nftables").decode()
    outside = [d for device in cameras(sample()) for d in device.destinations if is_outside(d.address)]
    assert outside
    for d in outside:
        assert re.search(rf"# stops: .* to {re.escape(d.address)} port {d.port}/{d.protocol} .*nobody allowed it", text)
    assert "# answers: 10.20.0.23 from 10.20.0.5/32 to 554/tcp (the recorder fetches pictures)" in text


def test_what_is_no_camera_is_not_fenced():
    report = sample()
    printer = next(d for d in report.devices if is_outside_scope(d.verdict))
    for name in ("nftables", "freeradius", "dnsmasq"):
        assert printer.mac.lower() not in render(report, name).decode().lower()


def test_a_name_passes_by_the_addresses_that_were_seen_or_it_is_said_that_none_was():
    named = Baseline("M. Adeyemi", date(2026, 11, 20), date(2027, 5, 19), allowed=(
        Allowed("update.hikvision.example", "tcp", 443, why="updates"), Allowed("never.example", "tcp", 443, why="x"),
        Allowed("198.51.100.0/25", "tcp", 443, why="a"), Allowed("198.51.100.9/32", "tcp", 443, why="b")))
    text = render(with_baseline(named), "nftables").decode()
    needs = next(line for line in text.splitlines() if "set needs_ipv4" in line)
    assert "10.20.0.23 . 203.0.113.62 . tcp . 443" in needs
    assert "198.51.100.0/25" in needs
    assert "198.51.100.9 " not in needs
    assert "# not held: 10.20.0.23 to never.example:443/tcp" in text


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft: install nftables")
@pytest.mark.parametrize("report", [sample(), hostile(), with_baseline(Baseline(
    "a", date(2026, 11, 20), date(2027, 5, 19), allowed=(
        Allowed("198.51.100.0/25", "tcp", 443), Allowed("198.51.100.9/32", "tcp", 443), Allowed("2001:db8::/32"),
        Allowed("0.0.0.0/0", "icmp"), Allowed("203.0.113.9/32", "udp"))))], ids=["sample", "hostile", "overlapping"])
def test_nft_accepts_the_table(report, tmp_path):
    path = tmp_path / "camvet.nft"
    path.write_bytes(render(report, "nftables"))
    done = subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


# -- FreeRADIUS

ENTRY = re.compile(r'(?P<name>\S+) Cleartext-Password := "(?P=name)"\n\tTunnel-Type := VLAN,\n'
                   r'\tTunnel-Medium-Type := IEEE-802,\n\tTunnel-Private-Group-Id := "(?P<vlan>[A-Za-z0-9_.-]+)"\n')


def entries(text):
    """The users of an authorize file by name, and what is left when they and the comments are gone."""
    found = {match["name"]: match["vlan"] for match in ENTRY.finditer(text)}
    return found, re.sub(r"(?m)^#.*\n|^\n", "", ENTRY.sub("", text))


@REPORTS
def test_freeradius_holds_one_entry_a_mac_and_nothing_else(report):
    found, rest = entries(render(report, "freeradius").decode())
    assert rest == ""
    assert set(found) == {d.mac.lower().replace(":", "") for d in cameras(report)
                          if re.fullmatch(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}", d.mac)}


def test_only_an_approved_camera_gets_the_cameras_vlan():
    report = sample()
    found, _ = entries(freeradius.render(report, approved="120", quarantine="666").decode())
    for device in cameras(report):
        if device.mac:
            wanted = "120" if device.verdict.outcome == "approved" else "666"
            assert found[device.mac.lower().replace(":", "")] == wanted, device.device
    assert {"120", "666"} == set(found.values())


def test_two_devices_under_one_mac_are_both_kept_out_unless_both_are_approved():
    report = sample()
    good = next(d for d in report.devices if d.verdict.outcome == "approved")
    bad = replace(one(report), mac=good.mac)
    for order in ((good, bad), (bad, good)):
        found, _ = entries(render(replace(report, devices=order), "freeradius").decode())
        assert list(found.values()) == ["camvet-quarantine"]


@pytest.mark.parametrize(("form", "name"), [
    ("aabbccddeeff", "024100000023"), ("aa-bb-cc-dd-ee-ff", "02-41-00-00-00-23"),
    ("AA:BB:CC:DD:EE:FF", "02:41:00:00:00:23"), ("aabb.ccdd.eeff", "0241.0000.0023")])
def test_forms_of_a_mac(form, name):
    assert name in entries(render(sample(), "freeradius", mac=form).decode())[0]


def test_letters_follow_the_form():
    report = sample()
    lettered = replace(one(report), mac="02:AB:CD:EF:00:01")
    for form, name in (("aabbccddeeff", "02abcdef0001"), ("AA-BB-CC-DD-EE-FF", "02-AB-CD-EF-00-01")):
        assert list(entries(render(replace(report, devices=(lettered,)), "freeradius", mac=form).decode())[0]) == [name]


@pytest.mark.parametrize("vlans", [("0", "5"), ("4095", "5"), ("5", "5"), ('5"', "6"), ("5", "a b"), ("", "5")])
def test_what_is_no_vlan_is_refused(vlans):
    with pytest.raises(FormatError):
        freeradius.render(sample(), approved=vlans[0], quarantine=vlans[1])


# -- dnsmasq

DNSMASQ = re.compile(
    r"dhcp-host=[0-9a-f]{2}(:[0-9a-f]{2}){5},set:camvet,set:camvet-(approved|conditional|prohibited|undetermined)"
    r"|dhcp-option=tag:camvet,option6?:(dns|ntp)-server,[0-9a-f.:,\[\]]+"
    r"|address=/[a-z0-9_.-]+/#|server=/[a-z0-9_.-]+/#|")


@REPORTS
def test_dnsmasq_holds_nothing_but_what_its_manual_names(report):
    for line in render(report, "dnsmasq").decode().splitlines():
        assert line.startswith("#") or DNSMASQ.fullmatch(line), line


@pytest.mark.component("dnsmasq")
@REPORTS
def test_dnsmasq_accepts_it(report, tmp_path):
    path = tmp_path / "camvet.conf"
    path.write_bytes(render(report, "dnsmasq"))
    done = subprocess.run(["dnsmasq", "--test", f"--conf-file={path}"], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_dnsmasq_gives_the_sites_own_servers_and_no_cloud():
    lines = render(sample(), "dnsmasq").decode().splitlines()
    assert "dhcp-option=tag:camvet,option:dns-server,10.20.0.2" in lines
    assert "dhcp-option=tag:camvet,option:ntp-server,10.20.0.2" in lines
    assert "address=/hik-connect.com/#" in lines                          # a cloud of a maker that was found
    assert "address=/stat.ezvizlife.example/#" in lines                   # asked for, and nobody allowed it
    assert "address=/easy4ipcloud.com/#" in lines
    assert not any("p2p.easy4ipcloud.com" in line for line in lines if not line.startswith("#"))     # below the other
    assert not any("vms.harbour.example" in line for line in lines)


def test_dnsmasq_spares_a_name_that_is_allowed_below_one_that_is_blocked():
    allowed = Baseline("a", date(2026, 11, 20), date(2027, 5, 19), allowed=(
        Allowed("time.hik-connect.com", "udp", 123, why="time"), Allowed("ys7.com", "tcp", 443, why="kept")))
    lines = render(with_baseline(allowed), "dnsmasq").decode().splitlines()
    assert "server=/time.hik-connect.com/#" in lines
    assert "address=/ys7.com/#" not in lines


def test_dnsmasq_says_where_no_server_was_seen():
    lines = render(with_baseline(None, destinations=()), "dnsmasq").decode().splitlines()
    assert "# The capture showed no resolver inside the site. Name yours:" in lines
    assert not any(line.startswith("dhcp-option") for line in lines)


def test_the_destinations_of_the_sample_are_those_the_tests_rest_on():
    assert {INSIDE_NAMES, INSIDE_TIME} <= set(one(sample()).destinations)
