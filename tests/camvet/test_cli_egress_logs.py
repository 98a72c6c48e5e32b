"""`camvet egress` for a site without a mirror port: the same traffic as packets, as NetFlow 9, as Zeek logs."""

import ipaddress
import json
import sys
from pathlib import Path

import pytest

from camvet.cli import main
from lab.personas import PERSONAS
from lab.phonehome import STARTED, traffic, write_pcap
from scanner import egress

sys.path.insert(0, str(Path(__file__).parents[1] / "scanner" / "flow_logs"))
import exportcraft as craft

NETWORK = "10.77.0.0/24"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One half hour of the lab's site, as each of the three would have written it down."""
    folder = tmp_path_factory.mktemp("site")
    write_pcap(folder / "site.pcap", PERSONAS, NETWORK)
    flows = craft.uniflows(traffic(PERSONAS, NETWORK), STARTED)
    (folder / "site.nf9").write_bytes(b"".join(craft.as_v9(flows, STARTED - 5_000)))
    (folder / "routed.nf9").write_bytes(b"".join(craft.as_v9(flows, STARTED - 5_000, with_macs=False)))
    _zeek(folder, flows, egress.read(folder / "site.pcap"))
    return folder


def _zeek(folder, flows, capture):
    """conn.log and dns.log of the same traffic, in Zeek's TSV."""
    conn = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration", "conn_state",
            "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes", "orig_l2_addr"]
    rows = []
    inside = ipaddress.ip_network(NETWORK)
    macs = {address: mac for mac, seen in capture.addresses.items() for address in seen}
    back = {(key[1], key[0], key[2], key[3][2:] + key[3][:2], int(flow.first)): flow for key, flow in flows}
    for key, flow in flows:
        source, target = (ipaddress.ip_address(key[place]) for place in (0, 1))
        near, far = (int.from_bytes(key[3][at:at + 2], "big") for at in (0, 2))
        if source not in inside or str(source) == "10.77.0.2":
            continue
        answer = next((back[(*key, second)] for second in (int(flow.first), int(flow.first) + 1)
                       if (*key, second) in back), None)
        rows.append([f"{flow.first:.6f}", "C1", source, near, target, far, {6: "tcp", 17: "udp"}[key[2]],
                     f"{flow.last - flow.first:.6f}", "SF", flow.packets, flow.octets,
                     answer.packets if answer else 0, answer.octets if answer else 0,
                     macs[str(source)].lower()])
    _write(folder / "conn.log", conn, rows)
    dns = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "query", "answers"]
    rows = [[f"{talk.first_ns / 1e9 - 0.1:.6f}", "D1", talk.source, 40000, "10.77.0.2", 53, "udp", talk.dns[0],
             talk.destination] for talk in capture.conversations if talk.dns]
    _write(folder / "dns.log", dns, rows)


def _write(path, fields, rows):
    lines = ["#separator \\x09", "#set_separator\t,", "#unset_field\t-", "\t".join(["#fields", *fields])]
    path.write_text("\n".join([*lines, *("\t".join(map(str, row)) for row in rows), "#close"]) + "\n")


@pytest.fixture
def camvet(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["--db", f"sqlite:///{tmp_path}/camvet.db", *map(str, words)])
        done = capsys.readouterr()
        return end.value.code, done.out, done.err
    return run


def outside(document, by="mac"):
    return {(device["mac"] if by == "mac" else device["ips"][0], talk["dst"], talk["proto"], talk["port"])
            for device in document["devices"] for talk in device["conversations"] if not talk["dst"].startswith("10.")}


def test_packets_netflow_and_zeek_show_the_same_destinations(camvet, site):
    answers = {name: camvet("--json", "egress", *(site / one for one in files)) for name, files in {
        "packets": ["site.pcap"], "netflow": ["site.nf9"], "zeek": ["conn.log", "dns.log"]}.items()}
    told = {name: json.loads(out) for name, (_, out, _) in answers.items()}
    assert {code for code, _, _ in answers.values()} == {1}
    assert outside(told["packets"]) == outside(told["netflow"]) == outside(told["zeek"])
    assert len(outside(told["packets"])) == 12
    beacons = {name: {device["mac"] for device in document["devices"] for finding in device["findings"]
                      if finding["rule"] == "egress.beacon" and finding["status"] == "fail"}
               for name, document in told.items()}
    assert beacons["packets"] == beacons["netflow"] == beacons["zeek"] != set()
    volumes = {name: {(d["mac"], t["dst"], t["port"]): t["packets"] for d in document["devices"]
                      for t in d["conversations"]} for name, document in told.items()}
    assert volumes["packets"] == volumes["netflow"] == volumes["zeek"]


def test_what_flow_records_cannot_show_is_not_assessed(camvet, site):
    told = json.loads(camvet("--json", "egress", site / "site.nf9")[1])
    device = next(d for d in told["devices"] if d["ips"] == ["10.77.0.11"])
    findings = {finding["rule"]: finding for finding in device["findings"]}
    for rule in ("egress.p2p_protocol", "egress.hole_punching", "egress.unnamed_destination", "egress.lateral"):
        assert findings[rule]["status"] == "not_assessed", rule
        assert "flows cannot show" in findings[rule]["reason"]
    (source,) = told["capture"]["sources"]
    assert (source["form"], source["unread"]) == ("NetFlow 9", 0)
    assert "under which names a destination was asked for" in source["cannot_show"]


def test_a_resolvers_log_gives_the_flows_their_names(camvet, site, tmp_path):
    log = tmp_path / "pihole.log"
    log.write_text("Nov 20 08:00:01 dnsmasq[7]: query[A] www.easy4ipcloud.com from 10.77.0.11\n"
                   "Nov 20 08:00:01 dnsmasq[7]: reply www.easy4ipcloud.com is 203.0.113.10\n")
    told = json.loads(camvet("--json", "egress", site / "routed.nf9", log)[1])
    device = next(d for d in told["devices"] if d["ips"] == ["10.77.0.11"])
    talk = next(t for t in device["conversations"] if t["dst"] == "203.0.113.10")
    assert (talk["names"], talk["maker"], talk["purpose"]) == (["www.easy4ipcloud.com"], "dahua", "p2p")
    assert device["mac"] is None
    assert "egress.vendor_p2p" in {f["rule"] for f in device["findings"] if f["status"] == "fail"}


def test_a_resolvers_log_alone_shows_what_was_asked_and_passes_nothing(camvet, tmp_path):
    log = tmp_path / "query.log"
    log.write_text("22-Nov-2026 10:00:01.1 queries: info: client 10.0.0.5#5 (www.easy4ipcloud.com): query: "
                   "www.easy4ipcloud.com IN A + (10.0.0.1)\n22-Nov-2026 10:00:02.1 queries: info: nonsense query: x\n")
    code, out, _ = camvet("--json", "egress", log)
    (device,) = json.loads(out)["devices"]
    assert device["asked"] == [{"name": "www.easy4ipcloud.com", "times": 1, "owner": device["asked"][0]["owner"],
                                "purpose": "p2p", "maker": "dahua"}]
    assert "pass" not in {finding["status"] for finding in device["findings"]}
    assert code in {0, 3}
    _, text, _ = camvet("egress", log)
    assert "asked 1 times for www.easy4ipcloud.com" in text
    assert "BIND query log" in text


def test_attempts_that_a_firewall_refused_are_still_attempts(camvet, tmp_path):
    log = tmp_path / "fw.log"
    log.write_text("".join(
        f"Nov 22 10:{minute:02d}:00 gw kernel: [DROP] IN=br0 OUT=eth0 MAC=02:00:00:00:00:01:02:00:00:00:00:aa:08:00 "
        f"SRC=10.0.0.5 DST=203.0.113.9 LEN=60 PROTO=UDP SPT={40000 + minute} DPT=8800 LEN=40\n"
        for minute in range(12)))
    code, out, _ = camvet("--json", "egress", log)
    (device,) = json.loads(out)["devices"]
    assert device["mac"] == "02:00:00:00:00:AA"
    assert device["conversations"][0]["denied"] == 12
    assert {f["rule"]: f["status"] for f in device["findings"]}["egress.beacon"] == "fail"
    assert code == 1
    assert "refused by a firewall 12 times" in camvet("egress", log)[1]


def test_rows_that_cannot_be_read_make_the_answer_incomplete(camvet, tmp_path):
    log = tmp_path / "flows.csv"
    log.write_text("ts,te,sa,da,sp,dp,pr,ipkt,ibyt\n2026-11-22 10:00:01,2026-11-22 "
                   "10:00:01,10.0.0.5,10.0.0.1,5000,53,UDP,"
                   "1,60\nnonsense\n")
    code, out, _ = camvet("--json", "egress", log)
    source = json.loads(out)["capture"]["sources"][0]
    assert code == 3
    assert source["first_unread"] == ["flows.csv:3: expected 9 fields, as the heading names them"]
