"""Import instead of scan, take in what only a label tells, and hold both against what other books know."""

import base64
import json
import struct

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode

NMAP = """<?xml version="1.0"?><nmaprun scanner="nmap"><host><status state="up"/>
<address addr="10.20.0.5" addrtype="ipv4"/><address addr="3C:EF:8C:00:00:01" addrtype="mac" vendor="x"/>
<ports><port protocol="tcp" portid="80"><state state="open"/><script id="http-title" output="Camera"/></port>
</ports></host></nmaprun>"""
SWITCH = """Vlan  Mac Address       Type     Ports
  20  3cef.8c00.0001    DYNAMIC  Gi1/0/7
  20  3cef.8c00.0099    DYNAMIC  Gi1/0/9
  20  0100.5e00.00fb    STATIC   CPU
"""
LEASES = """lease 10.20.0.5 { hardware ethernet 3c:ef:8c:00:00:01; client-hostname "cam1"; }
lease 10.20.0.77 { hardware ethernet a4:4c:62:00:00:77; client-hostname "thermal"; }
"""
MILESTONE = """Hardware name;Address;MAC Address;Serial number;Model
Yard;10.20.0.5;3CEF8C000001;S1;IPC-1
;;;;
Gate;10.20.0.9;ACCC8E000009;ACCC8E000009;AXIS P3245-LV
"""
ORDER = "Item,Vendor,Qty\nIPC-HFW5241E,Dahua,3\n"


@pytest.fixture
def camvet(tmp_path):
    return Camvet(tmp_path)


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return path


def test_an_nmap_file_becomes_a_judged_sweep(camvet, tmp_path):
    told = camvet.json("import", written(tmp_path, "scan.xml", NMAP), code=None)
    (device,) = told["devices"]
    assert (device["key"], device["identity"]["maker"]) == ("10.20.0.5", "dahua")
    assert device["identity"]["assurance"] == "self_reported"          # one address block is no corroboration
    assert device["verdict"]["outcome"] != "approved"
    assert camvet.json("show", "10.20.0.5", code=None)["identity"]["maker"] == "dahua"
    assert "imported from scan.xml" in json.dumps(camvet.json("report", "--format", "json", code=None))


def test_recorded_replies_and_a_capture_are_imported_together(camvet, tmp_path):
    reply = {"device": "10.20.0.6", "transport": "rtsp", "port": 554, "data": base64.b64encode(
        b'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="Login to 7J0A1B2PAG00C11"\r\n\r\n').decode()}
    frame = b"\xff" * 6 + bytes.fromhex("3cef8c000006") + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) \
        + bytes.fromhex("3cef8c000006") + bytes((10, 20, 0, 6)) + bytes(10)
    pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack(
        "<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame
    told = camvet.json("import", written(tmp_path, "replies.jsonl", json.dumps(reply) + "\nbroken\n"),
                       written(tmp_path, "link.pcap", pcap), code=None)
    (device,) = told["devices"]
    assert (device["identity"]["maker"], device["identity"]["assurance"]) == ("dahua", "corroborated")
    assert [one["row"] for one in told["files"][0]["refused"]] == [2]
    assert told["files"][1]["format"] == "capture"


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("x.csv", "colour,size\nred,1\n", "heading"), ("x.txt", "nothing here\n", "address and a MAC"),
    ("x.xml", "<nmaprun></nmaprun>", "host"), ("x.json", '{"ip_str": 5}\n', "ip_str"),
])
def test_a_file_that_tells_nothing_says_what_was_expected(camvet, tmp_path, name, text, expected):
    done = camvet.run("import", written(tmp_path, name, text))
    assert done.returncode == ExitCode.USAGE
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_a_census_names_by_source_who_was_not_seen(camvet, tmp_path):
    camvet.json("import", written(tmp_path, "scan.xml", NMAP), code=None)
    books = [written(tmp_path, name, text) for name, text in (
        ("switch.txt", SWITCH), ("dhcpd.leases", LEASES), ("milestone.csv", MILESTONE), ("order.csv", ORDER))]
    told = camvet.json("census", *books, code=ExitCode.INCOMPLETE)
    by_source = {source["source"]: source for source in told["sources"]}
    unseen = {name: [(one["mac"], one["where"], one["name"], one["serial"], one["model"], one["missing"])
                     for one in source["unseen"]] for name, source in by_source.items()}
    assert unseen == {
        "switch.txt": [("3C:EF:8C:00:00:99", "Gi1/0/9", "", "", "", 1)],
        "dhcpd.leases": [("A4:4C:62:00:00:77", "", "thermal", "", "", 1)],
        "milestone.csv": [("AC:CC:8E:00:00:09", "", "Gate", "ACCC8E000009", "AXIS P3245-LV", 1)],
        "order.csv": [("", "", "", "", "IPC-HFW5241E", 3)]}
    assert by_source["milestone.csv"]["refused"] == []                       # an empty line is none
    assert (by_source["switch.txt"]["known"], by_source["switch.txt"]["seen"]) == (2, 1)
    assert told["unlisted"] == []
    shown = camvet.run("census", *books)
    assert "complete" not in shown.stdout.casefold()


def test_a_label_can_prohibit_and_never_approve(camvet, tmp_path):
    rows = ("brand,model,serial,mac,quantity\nDahua,IPC-HFW5241E,7J0A1B2PAG00C11,9C:14:63:00:00:11,4\n"
            "Axis,AXIS P3245-LV,B8A44F2C7013,B8:A4:4F:2C:70:13,1\nAcme,,,,none\n")
    told = camvet.json("intake", "--csv", written(tmp_path, "labels.csv", rows), code=None)
    assert [one["row"] for one in told["refused"]] == [4]
    identities = [(one["quantity"], one["identity"]["maker"], one["identity"]["assurance"]) for one in told["devices"]]
    assert identities == [(4, "dahua", "self_reported"), (1, "axis", "self_reported")]
    assert all(one["verdict"]["outcome"] != "approved" for one in told["devices"])
