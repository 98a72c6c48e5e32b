"""What other programs wrote down becomes observations; what cannot be read is refused by its row."""

import json
import socket
import struct
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import datagrams
from lab.personas import persona
from scanner import passive
from scanner.imports import Imported, nmap, shodan, tables, zeek
from scanner.observation import Endpoint, Refusal
from scanner.wire import bootp, dhip, lldp

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MAC = "3C:EF:8C:00:00:01"

NMAP = b"""<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">
<host><status state="up"/><address addr="10.0.0.5" addrtype="ipv4"/><address addr="3C:EF:8C:00:00:01" addrtype="mac"/>
<ports><port protocol="tcp" portid="80"><state state="open"/><service name="http" product="lighttpd" version="1.4"/>
<script id="http-title" output="WEB SERVICE"/><script id="http-server-header" output="lighttpd"/></port>
<port protocol="tcp" portid="443"><state state="open"/><script id="ssl-cert"
 output="Subject: commonName=cam/organizationName=Acme&#xa;Issuer: commonName=root&#xa;"/></port>
<port protocol="tcp" portid="23"><state state="closed"/></port></ports></host>
<host><status state="down"/><address addr="10.0.0.6" addrtype="ipv4"/></host>
<host><status state="up"/><address addr="x" addrtype="ipv4"/></host></nmaprun>"""
ZEEK = ("#separator \\x09\n#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_pkts\torig_bytes\n"
        "1\t10.0.0.5\t5\t203.0.113.9\t8800\tudp\t3\t300\n1\t10.0.0.5\t5\t203.0.113.9\t8800\tudp\t2\t100\nbroken\n")


def said(found, transport):
    return [(one.device, one.port, dict(one.fields)) for one in found.observations if one.transport == transport]


def test_nmap_xml():
    found = nmap.read(NMAP, NOW)
    assert found.devices == ["10.0.0.5"]
    assert said(found, "link") == [("10.0.0.5", None, {"mac": MAC, "via": "import"})]
    assert said(found, "tcp") == [("10.0.0.5", 80, {"state": "open", "service": "http", "product": "lighttpd 1.4"}),
                                  ("10.0.0.5", 443, {"state": "open"}), ("10.0.0.5", 23, {"state": "closed"})]
    assert {"title": "WEB SERVICE"} in [fields for _, _, fields in said(found, "http")]
    assert said(found, "tls")[0][2]["subject_o"] == "Acme"
    assert [(one.row, "address" in one.expected) for one in found.refused] == [(3, True)]


def test_what_nmap_scripts_read():
    scripts = (b'<script id="http-auth" output="&#xa;HTTP/1.1 401 Unauthorized&#xd;&#xa;&#xa;  Digest nonce=1 '
               b'realm=Login to 7J0A1B2PAG00C11&#xa;"/><script id="http-headers" output="&#xa;  Server: Acme/1&#xa;'
               b'  X: y&#xa;  &#xa;  (Request type: GET)&#xa;"/><script id="rtsp-methods" output="&#xa;'
               b'  DESCRIBE, OPTIONS, PLAY&#xa;"/>')
    udp = (b'<port protocol="udp" portid="161"><state state="open"/>'
           b'<script id="snmp-sysdescr" output="Acme cam&#xa;x"/></port>')
    data = NMAP.replace(b'<script id="http-title"', scripts + b'<script id="http-title"', 1).replace(
        b"</ports>", udp + b"</ports>", 1).replace(b"<ports>", b'<hostnames><hostname name="cam1.lan" type="PTR"/>'
                                                   b"</hostnames><ports>", 1)
    found = nmap.read(data, NOW)
    assert "Acme/1" in [fields.get("server") for _, _, fields in said(found, "http")]
    assert any("Login to 7J0A1B2PAG00C11" in str(fields.get("realm", "")) or "Login to 7J0A1B2PAG00C11" in str(
        fields.get("www_authenticate", "")) for _, _, fields in said(found, "http"))
    assert said(found, "rtsp")[0][2]["public"] == ("DESCRIBE", "OPTIONS", "PLAY")
    assert said(found, "snmp") == [("10.0.0.5", 161, {"sys_descr": "Acme cam"})]
    assert said(found, "import") == [("10.0.0.5", None, {"hostname": "cam1.lan"})]


@pytest.mark.parametrize("line", ["10.0.0.5\t3c:ef:8c:00:00:01\tZhejiang Dahua",
                                  "10.0.0.5 dev eth0 lladdr 3c:ef:8c:00:00:01"])
def test_lines_with_address_and_mac(line):
    assert said(tables.read_lines(f"Interface: eth0\n{line}\n\n1 packets\n".encode(), NOW), "link") == [
        ("10.0.0.5", None, {"mac": MAC, "via": "import"})]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_of_any_separator(separator):
    text = separator.join(("IP address", "MAC-Address", "Model", "Serial No.", "Vendor")) + "\n" + separator.join(
        ("10.0.0.5", "3c-ef-8c-00-00-01", "C-1", "S1", "Acme")) + "\n" + separator.join(("", "", "C-2", "", "")) + "\n"
    found = tables.read_csv(text.encode(), NOW)
    assert said(found, "import") == [("10.0.0.5", None, {"manufacturer": "Acme", "model": "C-1", "serial": "S1"})]
    assert [(one.row, one.expected) for one in found.refused] == [(3, "row 3: an IP address or a MAC")]


def test_zeek_conn_adds_up_and_names_the_broken_line():
    found = zeek.read(ZEEK.encode(), NOW)
    ((device, port, fields),) = said(found, "egress")
    assert (device, port, fields["destination"]) == ("10.0.0.5", 8800, "203.0.113.9")
    assert (fields["packets"], fields["bytes"]) == (5, 400)
    assert [one.row for one in found.refused] == [5]


def test_zeek_json_names_come_from_dns_and_tls():
    lines = [{"ts": 1, "id.orig_h": "10.0.0.5", "id.resp_h": "9.9.9.9", "query": "p2p.example.com",
              "answers": ["203.0.113.9"]},
             {"ts": 1, "id.orig_h": "10.0.0.5", "id.resp_h": "203.0.113.9", "id.resp_p": 443, "proto": "tcp"},
             {"ts": 1, "mac": "3c:ef:8c:00:00:01", "client_addr": "10.0.0.5", "host_name": "cam"}]
    found = zeek.read("\n".join(map(json.dumps, lines)).encode(), NOW)
    assert ("p2p.example.com",) in [fields.get("names") for _, _, fields in said(found, "egress")]
    assert said(found, "dhcp") == [("10.0.0.5", None, {"hostname": "cam"})]
    assert found.refused == []


def test_shodan_banners_are_read_by_their_protocol():
    rows = [{"ip_str": "10.0.0.5", "port": 554, "data": 'RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest '
             'realm="Login to 7J0A1B2PAG00C11", nonce="1"\r\n\r\n'},
            {"ip_str": "10.0.0.5", "port": 80, "data": "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n", "http": {"title": "T"}},
            {"port": 80}]
    for data in ("\n".join(map(json.dumps, rows)), json.dumps(rows)):
        found = shodan.read(data.encode(), NOW)
        assert said(found, "rtsp")[0][2]["realm"] == ("Login to 7J0A1B2PAG00C11",)
        assert [one.row for one in found.refused] == [3]


@pytest.mark.parametrize(("module", "transport", "expected"), [
    ({"dahua": {"serial_number": "7J0A1B2PAG00C11", "model": "IPC-HFW2431S"}}, "dhip",
     {"serial": "7J0A1B2PAG00C11", "model": "IPC-HFW2431S"}),
    ({"dahua": {}}, "dhip", {}),
    ({"hikvision": {"device_model": "DS-2CD2143G0-I", "device_version": "V5.5.82 build 190909", "device_name": "yard",
                    "activex_files": {"a": "b"}}}, "import",
     {"model": "DS-2CD2143G0-I", "firmware": "V5.5.82", "firmware_build": "190909", "device_name": "yard",
      "manufacturer": "Hikvision"}),
    ({"dahua_dvr_web": {"web_version": "3.2", "channel_names": ["a"]}}, "import", {"manufacturer": "Dahua"}),
    ({"snmp": {"description": "AXIS M0000-V", "name": "x"}}, "snmp", {"sys_descr": "AXIS M0000-V", "device_name": "x"}),
])
def test_what_shodan_parsed_itself_counts_like_the_reply(module, transport, expected):
    row = {"ip_str": "10.0.0.5", "port": 37810, "transport": "udp", "data": "", **module}
    found = shodan.read(json.dumps(row).encode(), NOW)
    assert said(found, transport) == [("10.0.0.5", 37810, expected)]


@pytest.mark.parametrize("module", [None, "text", 5, [], [{}]])
def test_a_module_of_shodan_that_is_no_object_says_nothing(module):
    row = {"ip_str": "10.0.0.5", "port": 80, "data": "", **dict.fromkeys(("dahua", "hikvision", "ssl", "http"), module)}
    assert shodan.read(json.dumps(row).encode(), NOW).observations == []


def test_the_certificate_and_the_icon_that_shodan_kept_are_read():
    row = {"ip_str": "10.0.0.5", "port": 443, "data": "", "http": {"favicon": {"hash": -123}},
           "ssl": {"chain": ["CN=cam,O=Acme", "CN=root"]}}
    found = shodan.read(json.dumps(row).encode(), NOW)
    assert [one.text("subject_o") for one in found.observations if one.transport == "tls"] == ["Acme"]
    assert any(one.values("favicon_mmh3") for one in found.observations)


# -- captures ----------------------------------------------------------------------------------------------------------

def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ethernet(kind, body, source=MAC, target="FF:FF:FF:FF:FF:FF"):
    return mac(target) + mac(source) + struct.pack("!H", kind) + body


def udp(data, sport, dport, source="10.0.0.5", target="10.0.0.255"):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 17, 0, socket.inet_aton(source),
                       socket.inet_aton(target)) + segment


def arp(address="10.0.0.5"):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac(MAC) + bytes(map(int, address.split("."))) + bytes(10)


def dhcp_discover():
    head = b"\x01\x01\x06\x00" + bytes(24) + mac(MAC) + bytes(10) + bytes(192)
    options = b"\x35\x01\x01\x0c\x04cam1\x3c\x14AXIS,Network Camera," + b"\x37\x02\x01\x03\xff"
    return head + b"\x63\x82\x53\x63" + options


def lldpdu():
    def tlv(kind, value):
        return struct.pack("!H", kind << 9 | len(value)) + value

    return (tlv(1, b"\x04" + mac(MAC)) + tlv(2, b"\x05eth0") + tlv(3, b"\0\x78") + tlv(5, b"cam1")
            + tlv(6, b"Acme camera") + tlv(8, b"\x05\x01\x0a\0\0\x05\x02\0\0\0\1\0") + tlv(0, b""))


def capture(*frames):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return BytesIO(head + b"".join(struct.pack("<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame
                                   for frame in frames))


def test_a_capture_tells_who_is_there():
    dahua = persona("dahua-tpc")
    (dhip_reply,) = datagrams.answer(dahua, dhip.PORT, dhip.request(), "10.0.0.5")
    vlan = ethernet(0x8100, struct.pack("!HH", 20, 0x0806) + arp("10.0.0.6"), source="3C:EF:8C:00:00:02")
    found = passive.read(capture(
        ethernet(0x0806, arp()), ethernet(0x0800, udp(dhip_reply, 37810, 50000)), ethernet(0x88CC, lldpdu()),
        ethernet(0x0800, udp(dhcp_discover(), 68, 67, source="0.0.0.0")), vlan,
        ethernet(0x0800, udp(b"x", 40000, 40001)), ethernet(0x0800, b"\x45"), b"\0" * 20))
    assert found.refused == []
    assert set(found.devices) == {"10.0.0.5", "10.0.0.6"}
    assert said(found, "dhip")[0][2]["model"] == dahua.model
    assert said(found, "lldp") == [("10.0.0.5", None, {"mac": MAC, "device_name": "cam1", "sys_descr": "Acme camera",
                                                       "port_id": "eth0", "ipv4": "10.0.0.5"})]
    ((device, _, asked),) = said(found, "dhcp")
    assert (device, asked["hostname"], asked["wanted"]) == ("10.0.0.5", "cam1", "1,3")
    assert {one.probe for one in found.observations} == {"passive"}


def test_a_cut_capture_gives_what_came_before():
    whole = capture(ethernet(0x0806, arp())).getvalue()
    found = passive.read(BytesIO(whole + whole[24:50]))
    assert found.devices == ["10.0.0.5"]
    assert "capture" in found.refused[0].expected


@given(st.binary(max_size=400))
def test_anything_is_read_without_a_fault(data):
    for reader in (nmap.read, tables.read_csv, tables.read_lines, zeek.read, shodan.read):
        assert isinstance(reader(data, NOW), Imported)
    assert isinstance(passive.read(BytesIO(data)), Imported)
    assert isinstance(lldp.parse(data, Endpoint("x"), NOW), dict | Refusal)
    assert isinstance(bootp.parse(data, Endpoint("x"), NOW), dict | Refusal)


@given(st.binary(max_size=200))
def test_any_frame_is_read_without_a_fault(data):
    for kind in (0x0806, 0x0800, 0x88CC, 0x8100):
        list(passive.of_frame(ethernet(kind, data), NOW))


@given(st.text(max_size=200))
def test_any_table_is_read_without_a_fault(text):
    assert isinstance(tables.read_csv(f"ip,mac,model\n{text}".encode(), NOW), Imported)
    assert isinstance(zeek.read(f"#fields\tid.orig_h\tid.resp_h\n{text}".encode(), NOW), Imported)
