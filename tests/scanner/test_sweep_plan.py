"""What a plan says is what a sweep sends: held against every frame that left the scanner's link."""

import json
import sys
import textwrap

import pytest

from lab.datagrams.layout import link_local
from lab.namespace_site import NamespaceSite
from lab.personas import INSIDE_HOST, persona
from scanner.pace import PACES, Profile
from scanner.preview import plan
from scanner.scope import Scope
from scanner.settings import Settings

NETWORK = "10.85.0.0/27"
NAMES = ("dahua-tpc", "axis")
SPY = """
    import ipaddress, json, socket, sys, threading
    from collections import Counter
    from scanner.pace import Profile
    from scanner.preview import plan
    from scanner.scope import Scope
    from scanner.settings import Settings
    from scanner.sweep import run

    left = []
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind(("eth0", 3))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)

    def look():
        while True:
            frame, sender = link.recvfrom(65535)
            if sender[2] == 4:                              # PACKET_OUTGOING
                left.append(frame)

    threading.Thread(target=look, daemon=True).start()
    scope = Scope.of([sys.argv[1]], owner="tests")
    settings = Settings(profile=Profile.FAST, canary=False)
    planned = plan(scope, settings)
    result = run(scope, settings)
    seen = Counter()
    for frame in left:
        kind, body = int.from_bytes(frame[12:14], "big"), frame[14:]
        if kind == 0x0806:
            seen["arp", str(ipaddress.ip_address(body[24:28])), 0] += 1
        elif kind in (0x0800, 0x86DD):
            six = kind == 0x86DD
            start = 40 if six else (body[0] & 15) * 4
            protocol, to = (body[6], body[24:40]) if six else (body[9], body[16:20])
            name = {17: "udp", 6: "tcp"}.get(protocol)
            if protocol == 2:                               # IGMPv3: the groups of which a report tells
                report, at = body[start:], 8
                for _ in range(int.from_bytes(report[6:8], "big")):
                    seen["igmp", str(ipaddress.ip_address(report[at + 4:at + 8])), 0] += 1
                    at += 8 + report[at + 1] * 4 + int.from_bytes(report[at + 2:at + 4], "big") * 4
            if name == "udp" or (name == "tcp" and body[start + 13] & 0x12 == 2):
                port = int.from_bytes(body[start + 2:start + 4], "big")
                seen[name, str(ipaddress.ip_address(to)), port] += 1
    print(json.dumps({"sent": result.sent, "seen": [[*key, count] for key, count in seen.items()],
                      "plan": planned.to_json(), "devices": list(result.devices)}))
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    with NamespaceSite(tmp_path_factory.mktemp("plan"), NETWORK, [persona(name) for name in NAMES]) as site:
        done = site.run(["ip", "-6", "address", "add", f"{link_local('02:00:00:00:00:FE')}/64", "dev", "eth0", "nodad"])
        assert done.returncode == 0, done.stderr
        done = site.run([sys.executable, "-c", textwrap.dedent(SPY), NETWORK], seconds=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]) | {
            "hosts": [*map(site.address, NAMES), str(site.network[INSIDE_HOST])]}


@pytest.fixture(scope="module")
def steps(watched):
    return {step["name"]: step for step in watched["plan"]["steps"]}


@pytest.mark.component("namespaces")
def test_every_question_to_a_group_is_in_the_plan_and_every_one_of_the_plan_is_asked(watched, steps):
    planned = {(part["to"], part["port"]): part["at_most"]
               for name in ("multicast", "multicast.ipv6") for part in steps[name]["parts"]}
    both = {}
    for part in (*steps["multicast"]["parts"], *steps["multicast.ipv6"]["parts"]):      # two protocols share a port
        both[part["to"], part["port"]] = both.get((part["to"], part["port"]), 0) + part["at_most"]
    asked = {(to, port): count for name, to, port, count in watched["seen"]
             if name == "udp" and (to, port) not in {(host, port) for host in watched["hosts"]}}
    assert {key[0] for key in planned} >= {"239.255.255.250", "10.85.0.31", "ff02::c", "ff02::fb"}
    assert asked == both


@pytest.mark.component("namespaces")
def test_nothing_is_sent_to_anybody_or_any_port_that_is_not_in_the_plan(watched, steps):
    unicast = {}
    for part in (*steps["unicast"]["parts"], *steps["present"]["parts"]):
        unicast[part["port"]] = unicast.get(part["port"], 0) + part["at_most"]
    to_hosts = [one for one in watched["seen"] if one[1] in watched["hosts"] and one[0] == "udp"]
    assert to_hosts
    assert all(count <= unicast[port] for _, _, port, count in to_hosts)
    assert {to for name, to, _, _ in watched["seen"] if name == "tcp"} <= set(watched["hosts"])
    assert {port for name, _, port, _ in watched["seen"] if name == "tcp"} >= {
        part["port"] for part in steps["tcp.syn"]["parts"]}


@pytest.mark.component("namespaces")
def test_what_was_sent_stays_within_the_plan_by_kind(watched, steps):
    most = {}
    for step in watched["plan"]["steps"]:
        most[step["kind"]] = most.get(step["kind"], 0) + step["at_most"]
    assert set(watched["devices"]) == set(watched["hosts"])
    assert {kind: count for kind, count in watched["sent"].items() if count > most[kind]} == {}
    assert all(watched["sent"].values())                                 # each kind was really compared
    arp = sum(count for name, _, _, count in watched["seen"] if name == "arp")
    assert watched["sent"]["arp"] <= arp                                 # the kernel asks for neighbours of its own
    assert watched["sent"]["arp"] == steps["link.arp"]["at_most"] - len(watched["hosts"])   # who answers is asked once
    syn = sum(count for name, _, _, count in watched["seen"] if name == "tcp")
    assert syn >= watched["sent"]["syn"]


@pytest.mark.component("namespaces")
def test_every_group_that_is_joined_is_in_the_plan_and_counted(watched, steps):
    told = {to: count for name, to, _, count in watched["seen"] if name == "igmp"}
    parts = steps["igmp"]["parts"]
    assert told
    assert set(told) <= {part["to"] for part in parts}
    assert 0 < watched["sent"]["membership"] == steps["igmp"]["at_most"] == sum(part["at_most"] for part in parts)
    assert all(to in steps["igmp"]["what"] for to in told)
    assert sum(told.values()) <= 4 * watched["sent"]["membership"]           # two reports of a join, two of its end


def settings(profile=Profile.GENTLE):
    return Settings(profile=profile)


def test_the_pace_of_the_plan_is_that_of_the_profile():
    for profile in Profile:
        made = plan(Scope.of(["10.99.0.0/24"], owner="tests"), settings(profile))
        rates = {step.name: step.per_second for step in made.steps}
        assert (rates["link.arp"], rates["unicast"], rates["tcp.connect"]) == (
            PACES[profile].arp_rate, PACES[profile].datagram_rate, PACES[profile].connect_rate)
        assert all(step.seconds >= step.at_most / step.per_second for step in made.steps
                   if step.per_second and step.name not in ("interview.connect", "nmap.services"))


def test_the_gentle_profile_sends_no_syn_and_nmap_only_where_it_was_chosen():
    made = plan(Scope.of(["10.99.0.0/24"], owner="tests"), settings(), nmap=["10.99.0.5", "10.99.0.5"])
    named = {step.name: step for step in made.steps}
    assert named["tcp.syn"].at_most == 0
    assert (named["nmap.services"].to, named["nmap.services"].at_most, named["nmap.services"].per_second) == (
        "10.99.0.5", 10, 4.0)
    assert "nmap.services" not in {step.name for step in plan(Scope.of(["10.99.0.5"], owner="tests"), settings()).steps}


def test_public_addresses_get_no_datagram_in_the_plan():
    made = plan(Scope.of(["203.0.113.5"], owner="tests", authorised="ours"), settings())
    assert {step.name: step.at_most for step in made.steps if step.name in ("unicast", "present")} == {
        "unicast": 0, "present": 0}
