"""Logs of further makers and clouds: each line written here in the documented grammar, with what it must come to."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.imports.flow_logs import kind_of, read
from scanner.imports.flow_logs.documents import LONGEST_OBJECT, ObjectsOf, depth_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAM, CLOUD, OTHER = "10.0.0.5", "203.0.113.9", "203.0.113.77"
MAC = "02:00:00:00:00:AA"
ALL = (CLOUD, "tcp", 8443, 10, 1900, 0)


def capture(*texts):
    return read(*(io.BytesIO(text if isinstance(text, bytes) else text.encode()) for text in texts), now=NOW)


def told(*texts):
    """(destination, protocol, port, packets, bytes, denied) of every conversation of the camera."""
    return [(c.destination, c.protocol, c.port, c.packets, c.bytes, c.denied)
            for c in capture(*texts).conversations if c.source == CAM]


def eve(kind, *, at="2026-11-22T10:00:01.000000+0000", ends=(CAM, 50000, CLOUD, 8443, "TCP"), **more):
    source, near, target, far, protocol = ends
    return json.dumps({"timestamp": at, "flow_id": 7, "event_type": kind, "src_ip": source, "src_port": near,
                       "dest_ip": target, "dest_port": far, "proto": protocol, **more}) + "\n"


EVE_FLOW = eve("flow", at="2026-11-22T10:00:09.000000+0000", flow={
    "pkts_toserver": 6, "pkts_toclient": 4, "bytes_toserver": 800, "bytes_toclient": 1100, "state": "closed",
    "start": "2026-11-22T10:00:01.000000+0000", "end": "2026-11-22T10:00:05.000000+0000"},
    ether={"src_macs": [MAC.lower()], "dest_macs": ["02:00:00:00:00:01"]})
ASKING, ANSWERING = (CAM, 5000, "10.0.0.1", 53, "UDP"), ("10.0.0.1", 53, CAM, 5000, "UDP")
EVE_DNS = {
    "1": eve("dns", ends=ASKING, dns={"type": "query", "id": 1, "rrname": "p2p.example.org", "rrtype": "A"})
    + eve("dns", ends=ANSWERING, dns={"type": "answer", "id": 1, "rcode": "NOERROR", "rrname": "p2p.example.org",
                                      "rrtype": "A", "rdata": CLOUD}),
    "2": eve("dns", ends=ASKING, dns={"version": 2, "type": "answer", "rrname": "p2p.example.org", "answers": [
        {"rrname": "p2p.example.org", "rrtype": "CNAME", "rdata": "edge.example.net"},
        {"rrname": "edge.example.net", "rrtype": "A", "rdata": CLOUD}]}),
    "2 grouped": eve("dns", ends=ANSWERING, dns={"version": 2, "type": "answer", "rrname": "p2p.example.org",
                                                 "grouped": {"CNAME": ["edge.example.net"], "A": [CLOUD]}}),
    "3": eve("dns", ends=ASKING, dns={"version": 3, "type": "request", "queries": [
        {"rrname": "p2p.example.org", "rrtype": "A"}]})
    + eve("dns", ends=ASKING, dns={"version": 3, "type": "response", "queries": [
        {"rrname": "p2p.example.org", "rrtype": "A"}], "answers": [
        {"rrname": "p2p.example.org", "rrtype": "A", "rdata": CLOUD}]}),
}
SRX = ('<14>1 2026-11-22T10:00:05.123Z srx RT_FLOW - RT_FLOW_SESSION_{} [junos@2636.1.1.1.2.129 '
       'source-address="10.0.0.5" source-port="50000" destination-address="203.0.113.9" destination-port="8443" '
       'service-name="None" nat-source-address="198.51.100.1" nat-source-port="9" protocol-id="6" policy-name="p" '
       'session-id-32="77"{}]\n')
VPC = "2 123456789010 eni-0a {} 1795341600 1795341660 {} OK\n"
VPC_HEAD = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
            "log-status\n")
VPC_ROWS = (VPC.format("10.0.0.5 203.0.113.9 50000 8443 6 6 800", "ACCEPT")
            + VPC.format("203.0.113.9 10.0.0.5 8443 50000 6 4 1100", "ACCEPT"))
NSG = {"time": "2026-11-22T10:01:00Z", "macAddress": "0200000000AA", "category": "NetworkSecurityGroupFlowEvent",
       "properties": {"Version": 2, "flows": [{"rule": "out", "flows": [{"mac": "0200000000AA", "flowTuples": [
           "1795341601,10.0.0.5,203.0.113.9,50000,8443,T,O,A,B,,,,",
           "1795341611,10.0.0.5,203.0.113.9,50000,8443,T,O,A,C,4,500,3,900",
           "1795341621,10.0.0.5,203.0.113.9,50000,8443,T,O,A,E,2,300,1,200",
           "1795341621,10.0.0.5,203.0.113.77,50001,32100,U,O,D,B,,,,"]}]}]}}
VNET = {"time": "2026-11-22T10:01:00Z", "flowLogVersion": 4, "macAddress": "0200000000AA",
        "category": "FlowLogFlowEvent", "flowRecords": {"flows": [{"aclID": "0", "flowGroups": [
            {"rule": "out", "flowTuples": [
                "1795341601123,10.0.0.5,203.0.113.9,50000,8443,6,O,B,NX,0,0,0,0",
                "1795341611123,10.0.0.5,203.0.113.9,50000,8443,6,O,E,NX,6,800,4,1100",
                "1795341611123,10.0.0.5,203.0.113.77,50001,32100,17,O,D,NX,0,0,0,0"]}]}]}}
GCP = [{"insertId": "1", "logName": "projects/x/logs/compute.googleapis.com%2Fvpc_flows", "timestamp":
        "2026-11-22T10:00:09Z", "jsonPayload": {
            "connection": {"src_ip": one[0], "src_port": one[1], "dest_ip": one[2], "dest_port": one[3],
                           "protocol": 6},
            "packets_sent": str(one[4]), "bytes_sent": str(one[5]), "reporter": "SRC", "start_time":
            "2026-11-22T10:00:01.5Z", "end_time": "2026-11-22T10:00:02.5Z"}}
       for one in ((CAM, 50000, CLOUD, 8443, 6, 800), (CLOUD, 8443, CAM, 50000, 4, 1100))]
DENIED = (OTHER, "udp", 32100, 1, 0, 1)

ROWS = {
    "vpc without a heading": (VPC_ROWS, [ALL]),
    "vpc with a heading": (VPC_HEAD + VPC_ROWS, [ALL]),
    "vpc of other fields": (
        ("version vpc-id subnet-id instance-id type tcp-flags srcaddr dstaddr dstport srcport pkt-srcaddr pkt-dstaddr "
        "protocol bytes packets start end action flow-direction log-status\n"
        "5 vpc-1 subnet-1 - IPv4 2 10.0.0.5 10.0.0.220 8443 50000 10.0.0.5 203.0.113.9 6 800 6 1795341600 1795341660 "
        "ACCEPT ingress OK\n"
        "5 vpc-1 subnet-1 - IPv4 18 10.0.0.220 10.0.0.5 50000 8443 203.0.113.9 10.0.0.5 6 1100 4 1795341600 "
        "1795341660 ACCEPT egress OK\n"), [ALL]),
    "azure nsg": (json.dumps({"records": [NSG]}), [ALL, DENIED]),
    "azure nsg spread over lines": (json.dumps({"records": [NSG]}, indent=2), [ALL, DENIED]),
    "azure nsg 1": (json.dumps({"records": [{"properties": {"Version": 1, "flows": [{"rule": "r", "flows": [
        {"mac": "0200000000AA", "flowTuples": ["1795341601,10.0.0.5,203.0.113.9,50000,8443,T,O,A"]}]}]}}]}),
        [(CLOUD, "tcp", 8443, 1, 0, 0)]),
    "azure vnet": (json.dumps({"records": [VNET]}), [ALL, DENIED]),
    "google lines": ("".join(json.dumps(one) + "\n" for one in GCP), [ALL]),
    "google array": (json.dumps(GCP, indent=1), [ALL]),
    "suricata": (EVE_FLOW, [ALL]),
    "suricata in syslog": ("<13>Nov 22 10:00:09 ids suricata[9]: " + EVE_FLOW, [ALL]),
    "suricata refused": (eve("drop", drop={"len": 60, "syn": True, "ack": False}), [(CLOUD, "tcp", 8443, 1, 60, 1)]),
    "juniper": (SRX.format("CREATE", "") + SRX.format("CLOSE", (
        ' packets-from-client="6" bytes-from-client="800" packets-from-server="4" bytes-from-server="1100" '
        'elapsed-time="4"')), [ALL]),
    "juniper refused": (SRX.format("DENY", ""), [(CLOUD, "tcp", 8443, 1, 0, 1)]),
    "juniper plain": (
        ("Nov 22 10:00:01 srx RT_FLOW: RT_FLOW_SESSION_CREATE: session created 10.0.0.5/50000->203.0.113.9/8443 0x0 "
        "None 198.51.100.1/9->203.0.113.9/8443 0x0 source rule r1 N/A N/A 6 p cams out 77 N/A(N/A) ge-0/0/1.0\n"
        "Nov 22 10:00:05 srx RT_FLOW: RT_FLOW_SESSION_CLOSE: session closed TCP FIN: 10.0.0.5/50000->203.0.113.9/8443 "
        "0x0 None 198.51.100.1/9->203.0.113.9/8443 0x0 source rule r1 N/A N/A 6 p cams out 77 6(800) 4(1100) 4 "
        "UNKNOWN\n"
        "Nov 22 10:00:06 srx RT_FLOW: RT_FLOW_SESSION_DENY: session denied 10.0.0.5/50001->203.0.113.77/32100 None "
        "17(0) deny-all cams out UNKNOWN UNKNOWN N/A(N/A) ge-0/0/1.0\n"), [ALL, DENIED]),
    "juniper plain 11.4": (
        ("Nov 22 10:00:05 srx RT_FLOW: RT_FLOW_SESSION_CLOSE: session closed idle Timeout: 10.0.0.5/50000->"
        "203.0.113.9/8443 None 10.0.0.5/50000->203.0.113.9/8443 None None 6 p cams out 77 6(800) 4(1100) 4\n"), [ALL]),
    "mikrotik 6": (
        ("nov/22 10:00:01 firewall,info cams forward: in:bridge out:ether1, src-mac 02:00:00:00:00:aa, proto TCP "
        "(SYN), 10.0.0.5:50000->203.0.113.9:8443, len 60\n"), [(CLOUD, "tcp", 8443, 1, 60, 0)]),
    "mikrotik 7": (
        (" 2026-11-22 10:00:01 firewall,info DROP forward: in:bridge(ether3) out:ether1, connection-state:new src-mac "
        "02:00:00:00:00:aa, proto UDP, 10.0.0.5:50001->203.0.113.77:32100, NAT (10.0.0.5:50001->198.51.100.1:9)->"
        "203.0.113.77:32100, len 48\n"), [(OTHER, "udp", 32100, 1, 48, 1)]),
    "mikrotik icmp": (
        ("Nov 22 10:00:01 gw firewall,info forward: in:bridge out:ether1, connection-state:new src-mac "
        "02:00:00:00:00:aa, proto ICMP (type 8, code 0), 10.0.0.5->203.0.113.9, len 84\n"),
        [(CLOUD, "icmp", 0, 1, 84, 0)]),
    "squid": (("1795341602.123   1000 10.0.0.5 TCP_TUNNEL/200 1900 CONNECT p2p.example.org:8443 - "
              "HIER_DIRECT/203.0.113.9 -\n"), [(CLOUD, "tcp", 8443, 1, 1900, 0)]),
    "asa icmp": (
        ("Nov 22 2026 10:00:01 fw : %ASA-6-302020: Built outbound ICMP connection for faddr 203.0.113.9/0 gaddr "
        "198.51.100.1/1 laddr 10.0.0.5/1 type 8 code 0\nNov 22 2026 10:00:03 fw : %ASA-6-302021: Teardown ICMP "
        "connection for faddr 203.0.113.9/0 gaddr 198.51.100.1/1 laddr 10.0.0.5/1 type 8 code 0\n"),
        [(CLOUD, "icmp", 0, 1, 0, 0)]),
    "asa hits": (
        ("Nov 22 2026 10:00:01 fw : %ASA-4-106100: access-list IN denied udp in/10.0.0.5(50001) -> "
        "out/203.0.113.77(32100) hit-cnt 1 first hit [0x1, 0x0]\nNov 22 2026 10:05:01 fw : %ASA-4-106100: access-list "
        "IN denied udp in/10.0.0.5(50001) -> out/203.0.113.77(32100) hit-cnt 3 300-second interval [0x1, 0x0]\n"),
        [(OTHER, "udp", 32100, 4, 0, 4)]),
    "ftd": ("".join(
        f"Nov 22 2026 10:00:{at} ftd : %FTD-6-43000{number}: AccessControlRuleAction: Allow, SrcIP: 10.0.0.5, DstIP: "
        "203.0.113.9, SrcPort: 50000, DstPort: 8443, Protocol: tcp, IngressInterface: in, ACPolicy: x, ConnectionID: "
        f"77, InitiatorPackets: {sent}, ResponderPackets: {back}, InitiatorBytes: {octets}, ResponderBytes: 1100, URL: "
        "https://p2p.example.org/x\n" for at, number, sent, back, octets in (
            ("01", 2, 2, 1, 300), ("05", 3, 6, 4, 800))), [ALL]),
    "meraki": (
        ("<134>1 1795341601.5 MX flows allow src=10.0.0.5 dst=203.0.113.9 mac=02:00:00:00:00:AA protocol=tcp "
        "sport=50000 dport=8443\n<134>1 1795341602.5 MX firewall src=10.0.0.5 dst=203.0.113.77 mac=02:00:00:00:00:AA "
        "protocol=udp sport=50001 dport=32100 pattern: deny all\n<134>1 1795341603.5 MX urls src=10.0.0.5:50002 "
        "dst=203.0.113.77:8080 mac=02:00:00:00:00:AA request: UNKNOWN https://up.example.org/...\n"),
        [(CLOUD, "tcp", 8443, 1, 0, 0), (OTHER, "tcp", 8080, 1, 0, 0), DENIED]),
    "sophos": (('<30>device_name="SFW" timestamp="2026-11-22T10:00:05+0000" log_type="Firewall" log_subtype="Allowed" '
               'duration=4 src_ip="10.0.0.5" dst_ip="203.0.113.9" protocol="TCP" src_port=50000 dst_port=8443 '
               'packets_sent=6 packets_received=4 bytes_sent=800 bytes_received=1100\n'), [ALL]),
    "fortigate long session": ("".join(
        f'date=2026-11-22 time=11:0{minute}:01 tz="+0100" logid="00000000{event}" type="traffic" srcip=10.0.0.5 '
        f'srcport=50000 dstip=203.0.113.9 dstport=8443 sessionid=77 proto=6 action="{action}" duration={minute * 60} '
        f'sentbyte={sent} rcvdbyte={back} sentpkt={packets} rcvdpkt={packets - 2}\n'
        for minute, event, action, sent, back, packets in (
            (2, 20, "accept", 400, 500, 3), (4, 20, "accept", 600, 800, 5), (5, 13, "close", 800, 1100, 6))), [ALL]),
    "sonicwall": ("".join(
        f'<134> id=firewall sn=1 time="2026-11-22 10:00:0{second} UTC" m={event} msg="{says}" src=10.0.0.5:{near}:X0 '
        f"dst={target}:X1 proto={protocol} {counts}\n" for second, event, says, near, target, protocol, counts in (
            (1, 98, "Connection Opened", 50000, f"{CLOUD}:8443", "tcp/8443", "sent=60"),
            (5, 537, "Connection Closed", 50000, f"{CLOUD}:8443", "tcp/8443", "sent=800 rcvd=1100 spkt=6 rpkt=4"),
            (6, 38, "UDP packet dropped", 50001, f"{OTHER}:32100", "udp/32100", 'note="rule 7"'))), [ALL, DENIED]),
    "zyxel": (
        ('<142>Nov 22 10:00:01 usg src="10.0.0.5:50000" dst="203.0.113.9:8443" msg="from LAN1 to WAN, TCP, service '
        'others, ACCEPT" note="ACCESS FORWARD" cat="Security Policy Control"\n'
        '<142>Nov 22 10:00:02 usg src="10.0.0.5:50001" dst="203.0.113.77:32100" msg="Match default rule" note="ACCESS '
        'BLOCK" protoID=17 proto="others"\n'), [(CLOUD, "tcp", 8443, 1, 0, 0), DENIED]),
    "watchguard": (
        ('<142>Nov 22 10:00:01 fb firewall: msg_id="3000-0148" Allow 1-Trusted 0-External 60 tcp 20 63 10.0.0.5 '
        '203.0.113.9 50000 8443 offset 10 S 1 win 9 (Outgoing-00)\n'
        '<142>Nov 22 10:00:05 fb firewall: msg_id="3000-0151" Allow 1-Trusted 0-External tcp 10.0.0.5 203.0.113.9 '
        '50000 8443 duration="4" sent_bytes="800" rcvd_bytes="1100" sent_pkts="6" rcvd_pkts="4" (Outgoing-00)\n'
        '2026-11-22 10:00:06 Deny 10.0.0.5 203.0.113.77 32100/udp 50001 32100 Trusted External Denied 76 64 (x-00) '
        'proc_id="firewall" msg_id="3000-0148"\n'), [ALL, DENIED]),
    "check point, one line each": (
        ("22Nov2026 10:00:01 accept 192.0.2.254 >eth1 rule: 3; src: 10.0.0.5; dst: 203.0.113.9; proto: tcp; service: "
        "8443; s_port: 50000;\n22Nov2026 10:00:02 drop 192.0.2.254 >eth1 rule: 9; src: 10.0.0.5; dst: 203.0.113.77; "
        "proto: udp; service: 32100; s_port: 50001;\n"), [(CLOUD, "tcp", 8443, 1, 0, 0), DENIED]),
    "check point, exported": (
        ("num;date;time;orig;action;src;dst;proto;service;s_port\n0;22Nov2026;10:00:01;192.0.2.254;drop;10.0.0.5;"
        "203.0.113.77;udp;32100;50001\n"), [DENIED]),
    "check point, bars": (("time=1795341601|hostname=gw|product=VPN-1 & FireWall-1|action=Drop|src=10.0.0.5|"
                          "dst=203.0.113.77|proto=17|s_port=50001|service=32100|rule=9\n"), [DENIED]),
    "cef without an action": (("<13>Nov 22 10:00:01 gw CEF:0|Maker|Gateway|9|201|Traffic Blocked|4|proto=UDP "
                              "src=10.0.0.5 spt=50001 dst=203.0.113.77 dpt=32100\n"), [DENIED]),
    "unifi zone": (("<4>Nov 22 10:00:01 udm [CUSTOM1_WAN-D-10003] DESCR=\"cams\" IN=br0 OUT=eth8 SRC=10.0.0.5 "
                   "DST=203.0.113.77 LEN=48 PROTO=UDP SPT=50001 DPT=32100 LEN=28\n"),
                  [(OTHER, "udp", 32100, 1, 48, 1)]),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_lines_of_each_kind_come_to(name):
    text, expected = ROWS[name]
    assert sorted(told(text)) == sorted(expected)
    source = capture(text).sources[0]
    assert source.unread == 0
    assert source.cannot_show


@pytest.mark.parametrize("name", ROWS)
def test_cut_anywhere_it_never_raises_and_tells_of_no_more_than_the_whole(name):
    text = ROWS[name][0].encode()
    whole = capture(text).sources[0].rows
    for end in range(0, len(text), 11):
        (source,) = capture(text[:end]).sources
        assert source.rows <= whole
    assert kind_of(text, NOW)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(ROWS)), st.data())
def test_damaged_vendor_lines_never_raise(name, data):
    raw = bytearray(ROWS[name][0].encode())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert len(capture(bytes(raw)).sources) == 1


def test_all_of_them_in_one_file_are_read_line_by_line():
    lines = [text for name, (text, _) in ROWS.items()
             if not name.startswith(("azure", "google array", "vpc", "check point, exp"))]
    source = capture("".join(lines)).sources[0]
    assert source.unread == 0
    assert source.rows == sum(text.count("\n") for text in lines)


@pytest.mark.parametrize("version", EVE_DNS)
def test_suricata_answers_name_what_is_called_next_and_are_asked_for_once(version):
    found = capture(EVE_DNS[version] + EVE_FLOW)
    talk = next(c for c in found.conversations if c.destination == CLOUD)
    assert talk.names[0] == "p2p.example.org"
    assert found.names[MAC].dns == {"p2p.example.org": 1}


def test_suricata_hellos_and_requests_name_the_flow_and_add_nothing_to_it():
    found = capture(EVE_FLOW + eve("tls", tls={"sni": "p2p.example.org"}) + eve("quic", quic={"sni": "q.example.org"})
                    + eve("http", http={"hostname": "up.example.org:8443"}))
    (talk,) = found.conversations
    assert (talk.packets, talk.bytes, talk.mac) == (10, 1900, MAC)
    assert set(talk.sni) == {"p2p.example.org", "q.example.org"}
    assert talk.http == ("up.example.org",)


def test_suricata_leases_tell_whose_an_address_is_and_other_events_are_counted():
    text = (eve("flow", flow={"pkts_toserver": 1}) + eve("fileinfo") + eve("fileinfo") + '{"event_type":"stats"}\n'
            + eve("dhcp", dhcp={"dhcp_type": "ack", "client_mac": MAC, "assigned_ip": CAM, "hostname": "gate"}))
    found = capture(text)
    assert found.conversations[0].mac == MAC
    assert found.names[MAC].told == ("dhcp:gate",)
    assert found.sources[0].notes[0].endswith("2 fileinfo events, 1 stats events")


@pytest.mark.parametrize("line", [
    "1795341602.123 5 10.0.0.5 TCP_DENIED/403 0 CONNECT p2p.example.org:8443 - HIER_NONE/- text/html\n",
    "1795341602.123 5 10.0.0.5 TCP_MEM_HIT/200 0 GET http://p2p.example.org/x - HIER_NONE/- text/html\n",
    "1795341602.123 5 10.0.0.5 TCP_MISS/200 9 GET http://p2p.example.org/x - FIRSTUP_PARENT/10.0.0.9 text/html\n",
])
def test_a_proxy_that_called_nobody_itself_leaves_the_name_that_was_asked_for(line):
    found = capture(line)
    assert found.conversations == ()
    assert found.names[CAM].dns == {"p2p.example.org": 1}


@pytest.mark.parametrize(("line", "port"), [
    ("1795341602.123 5 10.0.0.5 TCP_MISS/200 9 GET http://p2p.example.org/x - HIER_DIRECT/203.0.113.9 text/html", 80),
    ("1795341602.123 5 10.0.0.5 TCP_MISS/200 9 POST http://u:p@p2p.example.org:8080/ - ORIGINAL_DST/203.0.113.9 -",
     8080),
    (("Nov 22 10:00:02 fw (squid-1)[9]: 1795341602.123 5 10.0.0.5 NONE_NONE/200 9 CONNECT 203.0.113.9:443 - "
     "HIER_DIRECT/203.0.113.9 -"), 443),
])
def test_a_proxys_line_tells_address_port_and_name(line, port):
    (talk,) = capture(line + "\n").conversations
    assert (talk.source, talk.destination, talk.port) == (CAM, CLOUD, port)
    assert talk.http == (("p2p.example.org",) if "p2p" in line else ())


@pytest.mark.parametrize(("name", "spoken"), [("ftd", "p2p.example.org"), ("meraki", "up.example.org")])
def test_the_host_of_an_https_address_is_what_was_said_in_the_hello(name, spoken):
    assert spoken in {one for c in capture(ROWS[name][0]).conversations for one in c.sni}


@pytest.mark.parametrize("name", ["watchguard", "sonicwall", "meraki opens", "azure"])
def test_the_same_ends_may_open_again_without_a_closing_line(name):
    line = {
        "watchguard": '{} fb firewall: msg_id="3000-0148" Allow T E 60 udp 20 63 10.0.0.5 203.0.113.9 6000 32100 x',
        "sonicwall": '{} id=firewall m=98 msg="Opened" src=10.0.0.5:6000:X0 dst=203.0.113.9:32100:X1 proto=udp',
        "meraki opens": "{} MX ip_flow_start src=10.0.0.5 dst=203.0.113.9 protocol=udp sport=6000 dport=32100",
        "azure": '{{"time":"{}","f":[{{"flowTuples":["17953416{}1,10.0.0.5,203.0.113.9,6000,32100,U,O,A,B,,,,"]}}]}}',
    }[name]
    text = "".join(line.format(f"2026-11-22T10:0{minute}:01Z", minute) + "\n" for minute in range(4))
    assert told(text) == [(CLOUD, "udp", 32100, 4, 0, 0)]


def test_a_flow_that_begins_and_ends_is_one():
    line = "<134>1 179534160{}.5 MX ip_flow_{} src=10.0.0.5 dst=203.0.113.9 protocol=udp sport=6000 dport=32100\n"
    assert told(line.format(1, "start") + line.format(5, "end")) == [(CLOUD, "udp", 32100, 1, 0, 0)]


def test_a_firewalls_dns_profile_tells_questions_and_answers_and_no_host_of_the_resolver():
    line = ('date=2026-11-22 time=10:00:00 logid="1501054802" type="utm" subtype="dns" srcip=10.0.0.5 srcport=5000 '
            'dstip=10.0.0.1 dstport=53 proto=17 qname="p2p.example.org" ipaddr="203.0.113.9, 203.0.113.77"\n')
    found = capture(line, ROWS["fortigate long session"][0])
    assert {c.destination: c.names for c in found.conversations} == {"10.0.0.1": (), CLOUD: ("p2p.example.org",)}
    assert found.names[CAM].http == {}


def test_every_line_of_an_asa_is_read_counted_as_unread_or_named_by_its_number():
    text = (ROWS["asa icmp"][0] + "Nov 22 2026 10:00:04 fw : %ASA-6-305011: Built dynamic TCP translation from "
            "in:10.0.0.5/1 to out:198.51.100.1/1\nNov 22 2026 10:00:04 fw : %ASA-6-302013: Built nothing\n"
            "Nov 22 2026 10:00:04 fw : %ASA-5-111008: User 'x' executed a command\n")
    source = capture(text).sources[0]
    assert (source.rows, source.unread) == (2, 1)
    assert source.unread_by == {"message 302013 as Cisco documents it": 1}
    assert source.notes[0].startswith("2 rows ")
    assert source.notes[0].endswith("passed over: 1 message 305011, 1 message 111008")


ASA = "Nov 22 2026 10:00:01 fw : %ASA-{}\n"


@pytest.mark.parametrize(("message", "expected"), [
    ("3-106014: Deny inbound icmp src in:10.0.0.5 dst out:203.0.113.9 (type 8, code 0)", (CLOUD, "icmp", 0, 1, 0, 1)),
    ("1-106021: Deny UDP reverse path check from 10.0.0.5 to 203.0.113.9 on interface in", (CLOUD, "udp", 0, 1, 0, 1)),
    ("6-106015: Deny TCP (no connection) from 10.0.0.5/50000 to 203.0.113.9/443 flags RST  on interface in",
     (CLOUD, "tcp", 443, 1, 0, 1)),
    ("3-710003: TCP access denied by ACL from 10.0.0.5/50000 to in:10.0.0.1/22", ("10.0.0.1", "tcp", 22, 1, 0, 1)),
    ("7-710005: UDP request discarded from 10.0.0.5/50000 to in:10.0.0.255/137", ("10.0.0.255", "udp", 137, 1, 0, 1)),
    ("5-304001: 10.0.0.5 Accessed URL 203.0.113.9:http://up.example.org/x", (CLOUD, "tcp", 80, 0, 0, 0)),
    (("session-6-302013: Built outbound TCP connection 5 for out:203.0.113.9/443 (203.0.113.9/443) to "
     "in:10.0.0.5/50000 (198.51.100.1/50000)(LOCAL\\u)"), (CLOUD, "tcp", 443, 1, 0, 0)),
])
def test_further_messages_of_an_asa(message, expected):
    assert told(ASA.format(message)) == [expected]


@pytest.mark.parametrize("line", [
    ('date=2026-11-22,time=10:00:01,logid="0000000013",type="traffic",srcip=10.0.0.5,srcport=50000,dstip=203.0.113.9,'
    'dstport=8443,proto=6,action="close",sentbyte=800,rcvdbyte=1100,sentpkt=6,rcvdpkt=4'),
    ("CEF:0|Maker|Gate|7|13|close|3|src=10.0.0.5 spt=50000 dst=203.0.113.9 dpt=8443 proto=6 act=close out=1900 "
    "start=Nov 22 2026 10:00:01"),
])
def test_a_time_may_stand_in_the_fields_alone(line):
    found = capture(line + "\n")
    assert found.first_ns // 10**9 == 1795341601
    assert [(c.destination, c.port, c.bytes) for c in found.conversations] == [(CLOUD, 8443, 1900)]


def test_an_interval_without_traffic_is_no_loss_and_one_that_was_skipped_is():
    empty = "2 123456789010 eni-0a - - - - - - - 1795341600 1795341660 - {}\n"
    for head in ("", VPC_HEAD):
        source = capture(head + VPC_ROWS + empty.format("NODATA")).sources[0]
        assert (source.rows, source.unread) == (2, 0)
        assert "1 intervals without traffic (NODATA)" in source.notes[0]
        source = capture(head + VPC_ROWS + empty.format("SKIPDATA")).sources[0]
        assert source.unread_by == {"records that AWS skipped in this interval (SKIPDATA)": 1}


def test_both_ends_that_report_a_flow_are_counted_once():
    twice = [json.loads(json.dumps(one)) for one in GCP for _ in range(2)]
    for one in twice[1::2]:
        one["jsonPayload"] |= {"reporter": "DEST", "src_instance": {"vm_name": "x"}}
    assert told("".join(json.dumps(one) + "\n" for one in twice)) == [ALL]


def test_a_record_longer_than_what_a_file_is_known_by_is_read():
    tuples = [f"1795341601,10.0.0.5,203.0.113.9,{near},8443,T,O,A,E,1,60,0,0" for near in range(20_000, 22_000)]
    record = {"time": "x", "properties": {"flows": [{"flows": [{"mac": "0200000000AA", "flowTuples": tuples}]}]}}
    text = json.dumps({"records": [record, NSG]})
    assert len(text) > 100_000
    assert (CLOUD, "tcp", 8443, 2010, 121_900, 0) in told(text)


def test_a_log_that_nobody_here_knows_is_told_what_is_known():
    source = capture("hello world\n").sources[0]
    for name in ("netfilter", "FortiGate", "MikroTik", "Suricata", "Squid", "Azure", "Zeek", "pcap"):
        assert name in source.first_unread[0]


# ---- JSON documents --------------------------------------------------------------------------------------------------

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), TREES, min_size=1, max_size=3), min_size=1, max_size=4),
       st.sampled_from(["array", "records", "spread"]), st.data())
def test_objects_are_the_same_however_the_text_is_cut(objects, shape, data):
    text = {"array": json.dumps(objects, ensure_ascii=False), "records": json.dumps({"records": objects}),
            "spread": "\n".join(json.dumps(one, indent=1, ensure_ascii=False) for one in objects)}[shape]
    cutter, found, at = ObjectsOf(depth_of(text)), [], 0
    while at < len(text):
        size = data.draw(st.integers(1, 24))
        found += cutter.feed(text[at:at + size])
        at += size
    assert [json.loads(one) for one in found] == objects
    assert cutter.rest() == ""


@pytest.mark.parametrize("text", ['{"a": 1}\n{"b": 2}\n', "hello", "", "[1, 2]", '{"timestamp":"x"}'])
def test_what_is_read_by_lines_is_no_document(text):
    assert depth_of(text) is None


def test_one_endless_object_is_kept_in_bounds():
    cutter = ObjectsOf(1)
    assert list(cutter.feed('[{"a":"' + "x" * (3 * LONGEST_OBJECT))) == []
    assert len(cutter.rest()) == LONGEST_OBJECT
    assert capture('[{"flowTuples":["' + "x" * (2 * LONGEST_OBJECT) + '"]}]').sources[0].unread == 1
