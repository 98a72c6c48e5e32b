"""A range that one responder answers for is named once, and a busy site is not."""

import pytest

from scanner import clock
from scanner.crowds import crowds
from scanner.observation import Observation

NOW = clock.now()
ROUTER, PORTS = "00:00:5E:00:53:01", (80, 443, 554, 8000)


def seen(address, transport, port=None, **fields):
    return Observation.of(device=address, transport=transport, probe="x", port=port, at=NOW, fields=fields, wire=b"x")


def link(address, mac):
    return seen(address, "link", mac=mac, via="arp")


def opened(address, *, ports=PORTS, state="open", **more):
    return [seen(address, "tcp", port, state=state, **more) for port in ports]


def hosts(count, net="10.0.5"):
    return [f"{net}.{n}" for n in range(1, count + 1)]


@pytest.mark.parametrize(("asked", "answered", "found"), [
    (254, 254, 254), (254, 204, 204), (254, 203, None),        # 80 % of what was asked
    (20, 16, 16), (16, 16, 16), (15, 15, None), (1, 1, None), (254, 0, None),
])
def test_one_mac_for_a_range_is_told_from_sixteen_addresses_and_four_fifths_on(asked, answered, found):
    told = crowds(hosts(asked), [link(address, ROUTER) for address in hosts(answered)])
    assert [one.addresses for one in told] == ([found] if found else [])
    if found:
        assert str(told[0]).startswith(f"{found} of the {asked} addresses asked in 10.0.5.0/24 were answered by one "
                                       f"MAC, {ROUTER}")


def test_each_24_is_told_by_itself_and_a_device_of_its_own_mac_is_not_counted():
    many = [*hosts(100, "10.0.5"), *hosts(100, "10.0.6")]
    replies = [link(address, ROUTER) for address in many if address != "10.0.6.9"]
    told = crowds(many, [*replies, link("10.0.6.9", "00:40:8C:00:00:09"), link("10.0.5.1", ROUTER)])
    assert [(one.network, one.addresses, one.asked) for one in told] == [("10.0.5.0/24", 100, 100),
                                                                         ("10.0.6.0/24", 99, 100)]


def test_a_site_of_many_devices_is_no_crowd():
    macs = [link(address, f"00:40:8C:00:00:{n:02X}") for n, address in enumerate(hosts(200))]
    assert crowds(hosts(200), macs) == []


def test_a_firewall_that_accepts_everything_is_told_by_its_silence():
    told = crowds(hosts(20), [one for address in hosts(20) for one in opened(address)])
    assert [(one.mac, one.addresses) for one in told] == [("", 20)]
    assert "said nothing" in str(told[0])


@pytest.mark.parametrize("spoke", [
    seen("10.0.5.{n}", "http", 80, status=200), seen("10.0.5.{n}", "tcp", 23, state="closed"),
    seen("10.0.5.{n}", "tcp", 21, state="open", banner="220 ready"), seen("10.0.5.{n}", "tls", 443, subject="x"),
])
def test_what_says_anything_or_closes_a_port_is_a_device(spoke):
    all_seen = [one for address in hosts(20) for one in opened(address)]
    all_seen += [Observation.of(device=address, transport=spoke.transport, probe="x", port=spoke.port, at=NOW,
                                fields=spoke.fields, wire=b"y") for address in hosts(20)]
    assert crowds(hosts(20), all_seen) == []


def test_few_open_ports_are_a_server_and_one_responder_is_told_once():
    assert crowds(hosts(20), [one for address in hosts(20) for one in opened(address, ports=PORTS[:3])]) == []
    both = [one for address in hosts(20) for one in (link(address, ROUTER), *opened(address))]
    assert [one.mac for one in crowds(hosts(20), both)] == [ROUTER]


def test_what_is_no_ipv4_address_is_left_out():
    odd = [f"fd00::{n:x}" for n in range(1, 40)]
    assert crowds(odd, [link(address, ROUTER) for address in odd]) == []
    assert crowds(["10.0.5.1"], [link(f"10.0.5.1#{n}", ROUTER) for n in range(40)]) == []
