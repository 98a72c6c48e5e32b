"""Import instead of scan, take in what only a label tells, and hold both against what other books know."""

import base64
import gzip
import json
import struct
import sys

import pytest
from acceptance.shell import Shell
from acceptance.story import Camvet

from camvet.context import ExitCode
from lab import namespaces
from lab.namespaces import Host, Namespaces
from lab.personas import persona

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


class Desk:
    """Runs camvet with an inventory of its own, in a process that all tests here share."""

    def __init__(self, shell, home):
        self._shell, self.home = shell, home

    def run(self, *words):
        return self._shell("--db", f"{self.home}/camvet.sqlite", *words)

    def json(self, *words, code=None):
        done = self.run("--json", *words)
        assert code is None or done.code == code, (done.code, done.err[-2000:])
        return done.json


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    with Shell(Camvet(tmp_path_factory.mktemp("shell"))) as running:
        yield running


@pytest.fixture
def camvet(shell, tmp_path):
    return Desk(shell, tmp_path)


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
    assert "imported from scan.xml" in json.dumps(Camvet(tmp_path).json("report", "--format", "json"))


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
    assert device["identity"]["maker"] == "dahua"
    because = " ".join(one["because"] for one in device["identity"]["evidence"])
    assert "Login to 7J0A1B2PAG00C11" in because                   # from the recorded reply
    assert "3C:EF:8C:00:00:06" in because                          # from the capture
    assert [one["row"] for one in told["files"][0]["refused"]] == [2]
    assert told["files"][1]["format"] == "capture"


@pytest.mark.parametrize(("name", "text", "expected"), [
    ("x.csv", "colour,size\nred,1\n", "heading"), ("x.txt", "nothing here\n", "address and a MAC"),
    ("x.xml", "<nmaprun></nmaprun>", "host"), ("x.json", '{"ip_str": 5}\n', "ip_str"),
])
def test_a_file_that_tells_nothing_says_what_was_expected(camvet, tmp_path, name, text, expected):
    done = camvet.run("import", written(tmp_path, name, text))
    assert done.code == ExitCode.USAGE
    assert expected in done.err
    assert "Traceback" not in done.err


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
    assert "complete" not in shown.out.casefold()


def test_a_label_can_prohibit_and_never_approve(camvet, tmp_path):
    rows = ("brand,model,serial,mac,quantity\nDahua,IPC-HFW5241E,7J0A1B2PAG00C11,9C:14:63:00:00:11,4\n"
            "Axis,AXIS P3245-LV,B8A44F2C7013,B8:A4:4F:2C:70:13,1\nAcme,,,,none\n")
    told = camvet.json("intake", "--csv", written(tmp_path, "labels.csv", rows), code=None)
    assert [one["row"] for one in told["refused"]] == [4]
    identities = [(one["quantity"], one["identity"]["maker"], one["identity"]["assurance"]) for one in told["devices"]]
    assert identities == [(4, "dahua", "self_reported"), (1, "axis", "self_reported")]
    assert all(one["verdict"]["outcome"] != "approved" for one in told["devices"])


ANNOUNCE = """
import ipaddress, socket, struct, sys, time
from lab.datagrams import sadp, wsd
from lab.personas import persona
axis, hik = persona("axis"), persona("hikvision-dome")
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("eth0", 0))

def ethernet(kind, body, target):
    return target + bytes.fromhex(axis.mac.replace(":", "")) + struct.pack("!H", kind) + body

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF

def ipv4(data, sport, dport, source, target):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 17, 0, socket.inet_aton(source),
                       socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment

def tlv(kind, value):
    return struct.pack("!H", kind << 9 | len(value)) + value

mac = bytes.fromhex(axis.mac.replace(":", ""))
lldp = (tlv(1, b"\\x04" + mac) + tlv(2, b"\\x05eth0") + tlv(3, b"\\0\\x78") + tlv(5, b"yard") + tlv(6, b"a camera")
        + tlv(0, b""))
ask = (b"\\x01\\x01\\x06\\x00" + bytes(24) + mac + bytes(10) + bytes(192) + b"\\x63\\x82\\x53\\x63\\x35\\x01\\x01"
       + b"\\x0c\\x04yard" + b"\\x37\\x02\\x01\\x03" + b"\\xff")
frames = [ethernet(0x88CC, lldp, bytes.fromhex("0180c200000e")),
          ethernet(0x0800, ipv4(ask, 68, 67, "0.0.0.0", "255.255.255.255"), b"\\xff" * 6),
          ethernet(0x0800, ipv4(wsd.hello(axis, sys.argv[1]), 3702, 3702, sys.argv[1], "239.255.255.250"),
                   bytes.fromhex("01005e7ffffa")),
          ethernet(0x0800, ipv4(b"secret of two stations", 3702, 3702, sys.argv[1], "10.77.0.20"),
                   bytes.fromhex("020000000020"))]
while True:
    for one in frames:
        raw.send(one)
    time.sleep(0.05)
"""


@pytest.mark.component("namespaces")
def test_a_link_is_listened_to_and_nothing_is_sent(camvet, tmp_path):
    def sent(network):
        line = next(one for one in network.run(["cat", "/proc/net/dev"]).stdout.splitlines() if "eth0:" in one)
        return int(line.split(":")[1].split()[9])

    with Namespaces() as network:
        network.add(Host("camera", "10.77.0.10", persona("axis").mac))
        # A bridge keeps LLDP to itself (IEEE 802.1Q, reserved groups): here it has to pass like on one cable.
        network.run(["ip", "link", "set", "br0", "type", "bridge", "group_fwd_mask", "0x4000"], host=namespaces.SWITCH)
        network.spawn("camera", [sys.executable, "-c", ANNOUNCE, "10.77.0.10"])
        before = sent(network)
        alone = Camvet(tmp_path)
        done = network.run(alone.command("--json", "import", "--interface", "eth0", "--for", "2"), seconds=60,
                           environment=alone.environment())
        assert sent(network) == before
    assert done.returncode in (ExitCode.FINDINGS, ExitCode.INCOMPLETE), done.stderr
    told = json.loads(done.stdout)
    (device,) = told["devices"]
    assert (device["key"], device["identity"]["mac"], told["lost"]) == ("10.77.0.10", persona("axis").mac, 0)
    assert device["identity"]["maker"] == "axis"
    assert device["verdict"]["outcome"] != "approved"
    shown = json.dumps(camvet.json("show", "10.77.0.10", code=None))
    assert all(f'"{one}"' in shown for one in ("wsd", "dhcp", "lldp", "link"))
    assert "secret of two stations" not in shown
    explained = camvet.run("explain", "10.77.0.10").out
    assert "heard, never asked: it announced itself (arp, dhcp, lldp, wsd), first at" in explained


@pytest.mark.parametrize("interface", ["lo", "camvet-none0"])
def test_where_it_may_not_listen_one_line_says_so(camvet, interface):
    done = camvet.run("import", "--interface", interface, "--for", "1")
    assert done.code == ExitCode.USAGE
    assert len(done.err.strip().splitlines()) == 1
    assert interface in done.err or "root" in done.err


def test_what_only_a_census_names_can_be_explained(camvet, tmp_path):
    camvet.json("import", written(tmp_path, "scan.xml", NMAP), code=None)
    camvet.json("census", written(tmp_path, "switch.txt", SWITCH), code=ExitCode.INCOMPLETE)
    told = camvet.json("explain", "3cef.8c00.0099")
    assert (told["found"], told["census"][0]["source"], told["census"][0]["where"]) == (False, "switch.txt", "Gi1/0/9")
    shown = camvet.run("explain", "3C:EF:8C:00:00:99").out
    assert "known to a census alone" in shown
    assert camvet.run("explain", "3C:EF:8C:00:00:98").code == ExitCode.USAGE
    assert "never asked" in camvet.json("explain", "10.20.0.5")["never_asked"] or "sent nothing" in camvet.json(
        "explain", "10.20.0.5")["never_asked"]


def test_an_order_is_counted_once_over_all_its_lines(camvet, tmp_path):
    labels = "brand,model,serial\nDahua,IPC-HFW5241E,A1\nDahua,IPC-HFW5241E,A2\nDahua,IPC-HFW5241E,A3\n"
    camvet.json("intake", "--csv", written(tmp_path, "labels.csv", labels), code=None)
    order = "Item,Vendor,Qty\nIPC-HFW5241E,Dahua,2\nIPC-HFW5241E,Dahua,2\n"
    told = camvet.json("census", written(tmp_path, "order.csv", order), code=ExitCode.INCOMPLETE)
    (source,) = told["sources"]
    assert (source["known"], source["seen"]) == (4, 3)
    assert [(one["row"], one["missing"]) for one in source["unseen"]] == [(3, 1)]


def test_a_book_beyond_a_router_is_matched_by_address_and_a_moved_one_says_what_is_there(camvet, tmp_path):
    far = NMAP.replace('<address addr="3C:EF:8C:00:00:01" addrtype="mac" vendor="x"/>', "")
    camvet.json("import", written(tmp_path, "far.xml", far), code=None)
    lease = 'lease 10.20.0.5 { hardware ethernet 3c:ef:8c:00:00:42; }\n'
    told = camvet.json("census", written(tmp_path, "leases", lease), code=ExitCode.CLEAN)
    assert told["sources"][0]["seen"] == 1
    camvet.json("import", written(tmp_path, "near.xml", NMAP), code=None)
    told = camvet.json("census", written(tmp_path, "leases", lease), code=ExitCode.INCOMPLETE)
    assert told["sources"][0]["unseen"][0]["because"].endswith("at its address is 3C:EF:8C:00:00:01")


@pytest.mark.parametrize(("name", "data"), [("x.csv", b"\x89PNG\r\n\x1a\n\0"), ("x.csv", b"colour,size\nred,1\n"),
                                            ("x.gz", b"\x1f\x8b\x08broken")])
def test_what_is_no_book_is_refused(camvet, tmp_path, name, data):
    camvet.json("import", written(tmp_path, "scan.xml", NMAP), code=None)
    done = camvet.run("census", written(tmp_path, name, data))
    assert done.code == ExitCode.USAGE
    assert "expected" in done.err
    assert "Traceback" not in done.err


MASSCAN = ('[\n{"ip": "10.20.0.5", "timestamp": "1", "ports": [{"port": 80, "proto": "tcp", "status": "open"}]},\n'
           '{"ip": "10.20.0.5", "ports": [{"port": 554, "proto": "tcp", "service": {"name": "rtsp", "banner": '
           '"RTSP/1.0 401 Unauthorized\\r\\nWWW-Authenticate: Digest realm=\\"Login to 7J0A1B2PAG00C11\\"\\r\\n\\r\\n"'
           '}}]},\n]\n')
ANSWER = {"status_line": "401 Unauthorized", "body": "", "headers": {
    "www_authenticate": ['Digest realm="Login to 7J0A1B2PAG00C11"'], "content_length": ["0"]}}
ZGRAB = json.dumps({"ip": "10.20.0.5", "data": {"http": {
    "status": "success", "protocol": "http", "result": {"response": ANSWER}}}}) + "\n"


@pytest.mark.parametrize(("text", "form"), [(MASSCAN, "masscan"), (ZGRAB, "zgrab")])
@pytest.mark.parametrize("packed", [False, True])
def test_scanners_that_write_json(camvet, tmp_path, text, form, packed):
    data = gzip.compress(text.encode()) if packed else text
    told = camvet.json("import", written(tmp_path, "scan.json", data), code=None)
    assert told["files"][0]["format"] == form
    (device,) = told["devices"]
    assert (device["key"], device["identity"]["maker"]) == ("10.20.0.5", "dahua")


def test_the_name_of_a_file_says_nothing(camvet, tmp_path):
    told = camvet.json("import", written(tmp_path, "arp.csv", "10.20.0.5;3c:ef:8c:00:00:01;Dahua\n"), code=None)
    assert (told["files"][0]["format"], [one["key"] for one in told["devices"]]) == ("arp", ["10.20.0.5"])
