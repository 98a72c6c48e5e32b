"""A sweep from the command line on links of its own.

ARP and multicast on the scanner's link, a bridge that nothing crosses, a network behind a router that multicast does
not cross, a device that answers ARP only after 900 ms, one with two network cards, and one that speaks IPv6 too.
"""

import json
import sys
import textwrap
import time

import pytest

from lab.datagrams.layout import link_local
from lab.namespace_site import NamespaceSite
from lab.personas import persona

pytestmark = pytest.mark.component("namespaces")

NETWORK = "10.84.0.0/26"
BEYOND = "10.84.1.0/28"
NAMES = ("dahua-tpc", "hikvision-dome", "tvt", "axis", "lorex", "imposter", "hikmicro", "flir")
SLOW, ELSEWHERE, OVER_IPV6, TWO_CARDS, ROUTED, EXCLUDED = ("hikvision-dome", "lorex", "axis", "hikmicro", "imposter",
                                                                "flir")
ON_LINK = set(NAMES) - {ELSEWHERE, ROUTED, EXCLUDED}

# A device's WS-Discovery over IPv6: the lab's own answer, sent from the address that its MAC gives it.
TALK_IPV6 = """
import socket, struct, sys
from lab import datagrams
from lab.personas import persona
one, address = persona(sys.argv[1]), sys.argv[2]
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
sock.bind(("::", 3702))
index = socket.if_nametoindex("eth0")
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::c")
                + struct.pack("=I", index))
while True:
    data, sender = sock.recvfrom(65535)
    for answer in datagrams.answer(one, 3702, data, address):
        sock.sendto(answer, sender)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with NamespaceSite(tmp_path_factory.mktemp("site"), NETWORK, [persona(name) for name in NAMES],
                       bridges={ELSEWHERE: "br1"}, arp_delays={SLOW: 0.9}, beyond=(BEYOND, [ROUTED]),
                       second_cards={TWO_CARDS: 40}) as running:
        spaces = running.namespaces
        for host, mac in (("@scanner", "02:00:00:00:00:FE"), (OVER_IPV6, persona(OVER_IPV6).mac)):
            done = spaces.run(["ip", "-6", "address", "add", f"{link_local(mac)}/64", "dev", "eth0", "nodad"],
                              host=host)
            assert done.returncode == 0, done.stderr
        spaces.spawn(OVER_IPV6, [sys.executable, "-c", textwrap.dedent(TALK_IPV6), OVER_IPV6,
                                 running.address(OVER_IPV6)])
        end = time.monotonic() + 20
        while ":0E76" not in spaces.run(["cat", "/proc/net/udp6"], host=OVER_IPV6).stdout:
            assert time.monotonic() < end, "nobody listens on UDP 3702 over IPv6"
            time.sleep(0.05)
        yield running


def camvet(site, home, *words):
    done = site.run([sys.executable, "-m", "camvet", "--json", "--db", f"{home}/camvet.sqlite", *words], seconds=180)
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def swept(site, home):
    done, document = camvet(site, home, "sweep", NETWORK, site.address(ROUTED), "--exclude", site.address(EXCLUDED),
                            "--owner", "tests", "--profile", "fast")
    assert done.returncode == 1, done.stderr                     # prohibited devices were found
    return document


@pytest.fixture(scope="module")
def found(site, swept):
    names = {site.address(name): name for name in NAMES}
    return {names[device["ip"]]: device for device in swept["devices"] if device["ip"] in names}


def test_everybody_on_the_link_is_found_the_sleepy_one_too(found):
    assert set(found) >= ON_LINK
    assert {name: found[name]["mac"] for name in ON_LINK} == {name: persona(name).mac for name in ON_LINK}
    slow = [one for one in found[SLOW]["attempts"] if one["probe"] == "link.arp"]
    assert [one["status"] for one in slow] == ["completed"]


def test_the_makers_are_known(found):
    told = {name: (device["identity"]["maker"], device["identity"]["assurance"]) for name, device in found.items()}
    assert told == {"dahua-tpc": ("dahua", "corroborated"), "hikvision-dome": ("hikvision", "corroborated"),
                    "hikmicro": ("hikvision", "corroborated"), "tvt": ("tvt", "corroborated"),
                    "axis": ("axis", told["axis"][1]), "imposter": ("dahua", told["imposter"][1])}


def test_behind_a_router_where_no_multicast_passes_unicast_finds_it(found):
    device = found[ROUTED]
    assert device["mac"] is None                                      # no ARP crosses a router, and none is claimed
    ended = {one["probe"]: (one["status"], one["reason"]) for one in device["attempts"]}
    assert (ended["wsd.probe"][0], ended["dhip.search"][0]) == ("completed", "completed")
    assert ended["link.arp"] == ("not_attempted", "not_applicable")
    assert ended["dahua_v1.search"] == ("not_attempted", "not_applicable")            # asked by broadcast alone


def test_two_network_cards_are_one_device_under_both_addresses(site, home, swept, found):
    first, second = site.address(TWO_CARDS), site.second_address(TWO_CARDS)
    assert [(one["device"], one["also_at"]) for one in swept["joined"]] == [(first, [second])]
    assert second not in {device["ip"] for device in swept["devices"]}
    assert found[TWO_CARDS]["also_at"] == [second]
    assert len(found[TWO_CARDS]["identity"]["macs"]) == 2
    assert [one for one in found[TWO_CARDS]["identity"]["conflicts"] if one["claim"] in ("mac", "duplicate")] == []
    shown = {place: camvet(site, home, "show", place)[1]["id"] for place in (first, second)}
    assert len(set(shown.values())) == 1


def test_what_was_sent_is_counted_against_what_was_found(swept):
    sent = swept["sent"]
    counts = [sent[kind] for kind in ("arp", "syn", "datagram", "connection", "request", "membership")]
    assert sent["total"] == sum(counts)
    assert min(counts) > 0
    assert sent["devices_per_packet"] == pytest.approx(len(swept["devices"]) / sent["total"], abs=1e-5)


def test_a_device_on_another_bridge_is_said_to_be_silent_and_why(site, home, swept):
    address = site.address(ELSEWHERE)
    assert "nobody answers ARP" in swept["not_seen"][address]
    _, told = camvet(site, home, "explain", address)
    assert told["found"] is False
    assert {attempt["probe"] for attempt in told["attempts"]} == {"link.arp"}       # nothing was sent into the void


def test_an_answer_from_outside_the_scope_is_reported_and_explained(site, home, swept):
    assert swept["foreign"] > 0
    assert site.address(EXCLUDED) not in {device["ip"] for device in swept["devices"]}
    _, told = camvet(site, home, "explain", site.address(EXCLUDED))
    assert (told["found"], {one["transport"] for one in told["foreign"]} >= {"gvcp"}) == (False, True)
    assert {one["device"] for one in told["foreign"]} == {site.address(EXCLUDED)}


def test_a_thermal_camera_deaf_to_multicast_was_found_by_unicast(site, home, swept):
    _, told = camvet(site, home, "explain", site.address("dahua-tpc"))
    assert {"dhip.search", "link.arp"} <= set(told["found_by"])


def test_an_answer_over_ipv6_belongs_to_the_device_with_that_mac(site, home, found):
    _, shown = camvet(site, home, "show", site.address(OVER_IPV6))
    assert found[OVER_IPV6]["key"] == site.address(OVER_IPV6)
    assert link_local(persona(OVER_IPV6).mac) in json.dumps(shown["observations"])
