"""The narrowest network decides whose login is tried, and nobody's login is tried where none is meant."""

import ipaddress

import pytest

from scanner.logins import Login, Logins
from scanner.wire.auth import Credentials

SITE, FLOOR, ONE, REST = (Credentials(name, "x") for name in ("site", "floor", "one", "rest"))
ENTRIES = (Login(ipaddress.ip_network("10.0.0.0/8"), SITE), Login(ipaddress.ip_network("10.1.0.0/16"), FLOOR),
           Login(ipaddress.ip_network("10.1.2.3/32"), ONE), Login(ipaddress.ip_network("fe80::/10"), ONE))


@pytest.mark.parametrize(("address", "login"), [
    ("10.9.9.9", SITE), ("10.1.9.9", FLOOR), ("10.1.2.3", ONE), ("fe80::1", ONE), ("192.168.1.1", REST)])
def test_the_narrowest_network_decides(address, login):
    assert Logins(ENTRIES, REST).of(address) is login


def test_without_a_default_a_stranger_gets_no_login():
    assert Logins(ENTRIES).of("192.168.1.1") is None
    assert Logins().of("10.1.2.3") is None


def test_a_password_never_shows():
    assert "x" not in repr(Logins(ENTRIES, REST)).replace("fe80", "")
