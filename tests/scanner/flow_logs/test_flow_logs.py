"""Firewall, resolver and Zeek logs, nfdump and SiLK text: one row of each kind, and what is said of rows that are none.

The rows are written for these tests in the documented grammar of each program.
"""

import gzip
import io
import json
from datetime import UTC, datetime

import exportcraft as craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.imports.flow_logs import kind_of, known_from, read

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAM, CLOUD = "10.0.0.5", "203.0.113.9"
MAC = "02:00:00:00:00:AA"


def capture(*texts):
    return read(*(io.BytesIO(text if isinstance(text, bytes) else text.encode()) for text in texts), now=NOW)


def told(*texts):
    """(source, destination, protocol, port, packets, bytes, denied) of every conversation."""
    return [(c.source, c.destination, c.protocol, c.port, c.packets, c.bytes, c.denied)
            for c in capture(*texts).conversations]


ROWS = {
    "netfilter": (("Nov 22 10:00:01 gw kernel: [ 123.4] [UFW BLOCK] IN=br0 OUT=eth0 "
                  "MAC=02:00:00:00:00:01:02:00:00:00:00:aa:08:00 SRC=10.0.0.5 DST=203.0.113.9 LEN=60 TOS=0x00 TTL=63 "
                  "ID=1 DF PROTO=TCP SPT=50000 DPT=8800 WINDOW=64240 RES=0x00 SYN URGP=0\n"),
                  (CAM, CLOUD, "tcp", 8800, 1, 60, 1)),
    "unifi": (("<4>Nov 22 10:00:01 USG kernel: [LAN_IN-2001-D]IN=br0 OUT=eth4 SRC=10.0.0.5 DST=203.0.113.9 LEN=48 "
              "PROTO=UDP SPT=50000 DPT=32100 LEN=28\n"), (CAM, CLOUD, "udp", 32100, 1, 48, 1)),
    "asa built and torn": (
        ("Nov 22 2026 10:00:01 fw : %ASA-6-302013: Built outbound TCP connection 77 for outside:203.0.113.9/443 "
        "(203.0.113.9/443) to inside:10.0.0.5/50000 (198.51.100.1/50000)\n"
        "Nov 22 2026 10:00:31 fw : %ASA-6-302014: Teardown TCP connection 77 for outside:203.0.113.9/443 to "
        "inside:10.0.0.5/50000 duration 0:00:30 bytes 4321 TCP FINs\n"), (CAM, CLOUD, "tcp", 443, 1, 4321, 0)),
    "asa denied": (('<166>Nov 22 2026 10:00:01: %ASA-4-106023: Deny udp src inside:10.0.0.5/50000 dst '
                   'outside:203.0.113.9/8800 by access-group "IN" [0x0, 0x0]\n'), (CAM, CLOUD, "udp", 8800, 1, 0, 1)),
    "asa list": (("Nov 22 10:00:01 fw %ASA-6-106100: access-list IN denied tcp inside/10.0.0.5(50000) -> "
                 "outside/203.0.113.9(443) hit-cnt 1 first hit [0x1, 0x0]\n"), (CAM, CLOUD, "tcp", 443, 1, 0, 1)),
    "filterlog": (("Nov 22 10:00:01 pf filterlog[4242]: 5,,,1000000103,igb1,match,block,in,4,0x0,,63,1,0,DF,6,tcp,60,"
                  "10.0.0.5,203.0.113.9,50000,443,0,S,1,,64240,,mss\n"), (CAM, CLOUD, "tcp", 443, 1, 60, 1)),
    "filterlog6": (("<134>1 2026-11-22T10:00:01+00:00 pf filterlog 4242 - - "
                    "5,,,1,igb1,match,pass,in,6,0x00,0x1,64,UDP,17,"
                   "48,fd00::5,2001:db8::9,50000,123,48\n"), ("fd00::5", "2001:db8::9", "udp", 123, 1, 48, 0)),
    "fortigate": (('date=2026-11-22 time=10:00:01 devname="fg" logid="0000000013" type="traffic" subtype="forward" '
                  'srcip=10.0.0.5 srcport=50000 dstip=203.0.113.9 dstport=443 proto=6 action="deny" duration=0 '
                  'sentbyte=0 rcvdbyte=0 sentpkt=0 srcmac="02:00:00:00:00:aa"\n'), (CAM, CLOUD, "tcp", 443, 1, 0, 1)),
    "cef": (("<134>Nov 22 10:00:01 host CEF:0|Maker|Gateway|1|drop|Denied|5|act=drop src=10.0.0.5 spt=50000 "
            "dst=203.0.113.9 dpt=443 proto=TCP\n"), (CAM, CLOUD, "tcp", 443, 1, 0, 1)),
    "sonicwall": (('<134> id=firewall sn=1 time="2026-11-22 10:00:01" fw=198.51.100.1 pri=6 c=1 m=537 '
                  "src=10.0.0.5:50000:X0 dst=203.0.113.9:443:X1 proto=tcp/https sent=800 rcvd=1100\n"),
                  (CAM, CLOUD, "tcp", 443, 1, 1900, 0)),
    "check point": (('<134>1 2026-11-22T10:00:01Z gw CheckPoint 1 - [action:"Drop"; src:"10.0.0.5"; dst:"203.0.113.9"; '
                    'proto:"17"; s_port:"50000"; service:"8800"]\n'), (CAM, CLOUD, "udp", 8800, 1, 0, 1)),
    "palo alto": (("<14>Nov 22 10:00:05 pa 1,2026/11/22 10:00:05,0001,TRAFFIC,end,2561,2026/11/22 10:00:05,10.0.0.5,"
                  "203.0.113.9,198.51.100.1,203.0.113.9,rule,,,ssl,vsys1,in,out,e1,e2,log,2026/11/22 "
                  "10:00:05,1,1,50000,"
                  "443,1,443,0x0,tcp,allow,1900,800,1100,10,2026/11/22 10:00:00,4,any,,1,0x0,inside,US,,6,4,tcp-fin\n"),
                  (CAM, CLOUD, "tcp", 443, 10, 1900, 0)),
    "windows firewall": (("#Version: 1.5\r\n#Software: Microsoft Windows Firewall\r\n#Time Format: "
                          "Local\r\n#Fields: date "
                         "time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin "
                         "icmptype"
                         " icmpcode info path\r\n\r\n2026-11-22 10:00:01 DROP UDP 10.0.0.5 203.0.113.9 50000 8800 "
                         "64 - - -"
                         " - - - - SEND\r\n"), (CAM, CLOUD, "udp", 8800, 1, 64, 1)),
    "vpc": ("2 123456789010 eni-0a 10.0.0.5 203.0.113.9 50000 443 6 6 800 1795341600 1795341660 REJECT OK\n",
            (CAM, CLOUD, "tcp", 443, 6, 800, 1)),
    "nfdump csv": (("ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n2026-11-22 10:00:01,2026-11-22 10:00:02,"
                   "1.000,10.0.0.5,203.0.113.9,50000,443,TCP,...AP.SF,0,0,6,800,4,1100\nSummary\n"
                   "flows,bytes,packets,avg_bps,avg_pps,avg_bpp\n1,1900,10,1,1,1\n"),
                   (CAM, CLOUD, "tcp", 443, 10, 1900, 0)),
    "nfdump 1.7 csv": (("firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bps,bpp,flows\n"
                       "2026-11-22 10:00:01.000,1.000,UDP,203.0.113.9,8800,10.0.0.5,50000,6,800,1,1,1\n"),
                       (CAM, CLOUD, "udp", 8800, 6, 800, 0)),
    "nfdump long": (("Date first seen          Duration Proto      Src IP Addr:Port          Dst IP Addr:Port   "
                     "Flags Tos  "
                    "Packets    Bytes Flows\n2026-11-22 10:00:01.123     0.370 TCP      10.0.0.5:50000 ->    "
                    "203.0.113.9:443   ...AP.SF   0        6    1.2 M     1\nSummary: total flows: 1\n"),
                    (CAM, CLOUD, "tcp", 443, 6, 1_200_000, 0)),
    "rwcut": (("            sIP|            dIP|sPort|dPort|pro|   packets|     bytes|   flags|                  "
               "sTime| "
              "duration|                  eTime|sen|\n       10.0.0.5|    203.0.113.9|50000|  443|  6|         6|   "
              "    800|"
              "FS PA   |2026/11/22T10:00:01.000|    1.000|2026/11/22T10:00:02.000| S0|\n"),
              (CAM, CLOUD, "tcp", 443, 6, 800, 0)),
    "zeek conn": (("#separator "
                   "\\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t"
                  "duration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n"
                  "1795341601.5\tC1\t10.0.0.5\t50000\t203.0.113.9\t443\ttcp\t0.37\t500\t900\tSF\t6\t800\t4\t1100\n"),
                  (CAM, CLOUD, "tcp", 443, 10, 1900, 0)),
    "zeek conn json": (json.dumps({"ts": 1795341601.5, "id.orig_h": CAM, "id.orig_p": 50000, "id.resp_h": CLOUD,
                                   "id.resp_p": 443, "proto": "tcp", "conn_state": "S0", "orig_pkts": 1,
                                   "orig_ip_bytes": 60}) + "\n", (CAM, CLOUD, "tcp", 443, 1, 60, 0)),
}


@pytest.mark.parametrize("name", ROWS)
def test_one_row_of_each_kind(name):
    text, expected = ROWS[name]
    assert told(text) == [expected]
    source = capture(text).sources[0]
    assert source.unread == 0
    assert source.rows >= 1
    assert source.cannot_show


@pytest.mark.parametrize("name", ROWS)
def test_cut_anywhere_it_never_raises_and_says_what_it_is(name):
    text = ROWS[name][0].encode()
    for end in range(0, len(text), 7):
        found = capture(text[:end])
        assert len(found.sources) == 1
        assert all(c.source in {CAM, "fd00::5"} for c in found.conversations) or end < len(text)
    assert kind_of(text, NOW)


def test_when_it_was_follows_from_each_way_to_write_it():
    spans = {name: capture(text).first_ns // 10**9 for name, (text, _) in ROWS.items()}
    assert set(spans.values()) <= {1795341600, 1795341601}


NAMES = {
    "dnsmasq": "Nov 22 10:00:01 dnsmasq[9]: query[A] p2p.example.org from 10.0.0.5\n"
               "Nov 22 10:00:01 dnsmasq[9]: forwarded p2p.example.org to 192.0.2.53\n"
               "Nov 22 10:00:01 dnsmasq[9]: reply p2p.example.org is <CNAME>\n"
               "Nov 22 10:00:01 dnsmasq[9]: reply edge.example.net is 203.0.113.9\n",
    "dnsmasq extra": "Nov 22 10:00:01 dnsmasq[9]: 7 10.0.0.5/4000 query[A] p2p.example.org from 10.0.0.5\n"
                     "Nov 22 10:00:01 dnsmasq[9]: 7 10.0.0.5/4000 cached p2p.example.org is 203.0.113.9\n",
    "zeek dns": "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tanswers\n"
                "1795341601.0\tC\t10.0.0.5\t4000\t10.0.0.1\t53\tudp\tp2p.example.org\t203.0.113.9,203.0.113.10\n",
    "adguard": json.dumps({"T": "2026-11-22T11:00:01.5+01:00", "QH": "p2p.example.org", "QT": "A", "IP": CAM, "Answer":
                           "AAGBgAABAAEAAAAAA3AycAdleGFtcGxlA29yZwAAAQABwAwAAQABAAAAPAAEywBxCQ=="}) + "\n",
}
QUESTIONS = {
    "bind": "22-Nov-2026 10:00:01.123 queries: info: client @0x7f00 10.0.0.5#53211 (p2p.example.org): query: "
            "p2p.example.org IN A +E(0)K (10.0.0.1)\n",
    "unbound": "[1795341601] unbound[77:0] info: 10.0.0.5 p2p.example.org. A IN\n",
    "windows": "11/22/2026 10:00:01 AM 0E70 PACKET  00000000033397A0 UDP Rcv 10.0.0.5        5b47   Q [0001   D   "
               "NOERROR] "
               "A      (3)p2p(7)example(3)org(0)\n",
}
FLOW = ROWS["zeek conn"][0].replace("1795341601.5", "1795341602.5")


@pytest.mark.parametrize("name", NAMES)
def test_answers_name_the_destinations_of_flows(name):
    found = capture(FLOW, NAMES[name])
    talk = next(c for c in found.conversations if c.destination == CLOUD)
    assert talk.names[0] == "p2p.example.org"
    assert found.names[CAM].dns == {"p2p.example.org": 1}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_came_after_the_last_packet_names_nothing(name):
    found = capture(FLOW.replace("1795341602.5", "1795300000.5"), NAMES[name])
    assert next(c for c in found.conversations if c.destination == CLOUD).names == ()


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_without_an_answer_only_makes_a_name_likely(name):
    found = capture(FLOW, QUESTIONS[name])
    talk = next(c for c in found.conversations if c.destination == CLOUD)
    assert (talk.names, talk.likely) == ((), ("p2p.example.org",))
    two = FLOW + FLOW.splitlines()[-1].replace(CLOUD, "203.0.113.77") + "\n"
    assert not any(c.likely for c in capture(two, QUESTIONS[name]).conversations)


def test_one_file_may_hold_the_logs_of_several_programs():
    text = (ROWS["netfilter"][0] + NAMES["dnsmasq"] + "Nov 22 10:00:02 gw sshd[1]: Accepted publickey for admin\n"
            "Nov 22 10:00:02 dnsmasq-dhcp[9]: DHCPACK(br0) 10.0.0.5 02:00:00:00:00:aa gate-cam\n")
    found = capture(text)
    assert "1 lines of other programs" in " ".join(found.sources[0].notes)
    assert {"netfilter log", "dnsmasq log (Pi-hole)"} <= set(found.sources[0].form.split(", "))
    assert found.conversations[0].mac == MAC
    assert found.names[MAC].told == ("dhcp:gate-cam",)


def test_bad_rows_are_counted_and_the_first_few_named():
    lines = ROWS["nfdump csv"][0].splitlines()
    text = "\n".join([*lines[:2], *["2026-11-22 10:00:01,x,1,nobody,203.0.113.9,1,2,TCP,,0,0,1,1,0,0"] * 9])
    source = capture(text).sources[0]
    assert (source.rows, source.unread) == (1, 9)
    assert source.first_unread[0].startswith("stream:3: expected an address")
    assert len(source.first_unread) == 5


def test_the_same_hours_told_twice_are_counted_once():
    zeek, flows = ROWS["zeek conn"][0], ROWS["nfdump csv"][0]
    assert told(zeek, flows) == [(CAM, CLOUD, "tcp", 443, 10, 1900, 0)]
    later = zeek.replace("1795341601.5", "1795345601.5")
    assert told(later, flows) == [(CAM, CLOUD, "tcp", 443, 20, 3800, 0)]


def test_the_two_halves_of_a_flow_are_one_conversation_of_the_side_that_began():
    heading = "ts,te,td,sa,da,sp,dp,pr,flg,ipkt,ibyt\n"
    out = "2026-11-22 10:00:01.000,2026-11-22 10:00:02.000,1,10.0.0.5,203.0.113.9,50000,40000,UDP,,6,800\n"
    back = "2026-11-22 10:00:01.050,2026-11-22 10:00:02.000,1,203.0.113.9,10.0.0.5,40000,50000,UDP,,4,1100\n"
    for rows in (out + back, back + out):
        (talk,) = capture(heading + rows).conversations
        assert (talk.source, talk.port, talk.packets, talk.packets_out) == (CAM, 40000, 10, 6)


def test_gzip_and_utf16_are_read_like_plain_text():
    text = ROWS["zeek conn"][0]
    assert told(gzip.compress(text.encode())) == told(text) == told(text.encode("utf-16"))
    cut = capture(gzip.compress((text * 400).encode())[:-20])
    assert "damaged gzip" in cut.trouble


@pytest.mark.parametrize("text", ["", "hello world\n", "a,b,c\n1,2,3\n", "\x00\x01\x02" * 40, "{}\n", "[]\n"])
def test_what_is_none_of_these_is_said_and_never_clean(text):
    found = capture(text)
    assert not found.complete
    assert found.conversations == ()
    assert len(found.sources) == 1


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({**ROWS, **NAMES, **QUESTIONS})), st.data())
def test_damaged_text_never_raises(name, data):
    raw = bytearray((ROWS[name][0] if name in ROWS else {**NAMES, **QUESTIONS}[name]).encode())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert len(capture(bytes(raw) + ROWS[data.draw(st.sampled_from(sorted(ROWS)))][0].encode()).sources) == 1


def test_a_census_asks_who_was_seen():
    lease = json.dumps({"ts": 1795341600.0, "mac": "02:00:00:00:00:ab", "assigned_addr": "10.0.0.6",
                        "host_name": "cam6"}) + "\n"
    stations, sources = known_from(io.BytesIO(ROWS["netfilter"][0].encode()), io.BytesIO(lease.encode()),
                                   io.BytesIO(QUESTIONS["bind"].encode()), now=NOW)
    assert [(s.mac, s.address, s.name) for s in stations] == [
        (MAC, CAM, ""), ("02:00:00:00:00:AB", "10.0.0.6", "cam6"), ("", CAM, "")]
    assert [source.rows for source in sources] == [1, 1, 1]


def test_export_messages_inside_a_capture_are_read(tmp_path):
    from lab import frames
    from lab.frames import Station

    exporter = Station(bytes.fromhex("020000000009"), craft.ipaddress.IPv4Address("10.0.0.254"))
    collector = Station(bytes.fromhex("020000000008"), craft.ipaddress.IPv4Address("10.0.0.253"))
    message = craft.v5([{"src": CAM, "dst": CLOUD, "first": 990_000, "last": 995_000}], seconds=1795341600)
    frame = frames.udp(exporter, 50123, collector, 9995, message, 1)
    path = tmp_path / "exports.pcap"
    path.write_bytes(craft.struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
                     + craft.struct.pack("<IIII", 1795341600, 0, len(frame), len(frame)) + frame)
    found = read(path, now=NOW)
    assert [(source.form, source.rows) for source in found.sources] == [
        ("packets", 1), ("NetFlow 5 carried in its packets", 1)]
    assert "1 messages from 10.0.0.254" in found.sources[1].notes
    assert {(c.source, c.destination) for c in found.conversations} == {(CAM, CLOUD), ("10.0.0.254", "10.0.0.253")}
