"""Recognising one device live: the traits that make it itself, one login at most, and none for a stranger."""

import asyncio
import os
from dataclasses import replace

import pytest

from lab.personas import persona
from lab.site import Site
from scanner.observation import AttemptStatus, Reason
from scanner.pace import Profile
from scanner.recognition import recognise
from scanner.scope import Scope
from scanner.settings import Settings
from scanner.sweep import run
from scanner.transport.exchange import PortMap
from scanner.wire.auth import Credentials

NETWORK = f"127.132.{os.getpid() % 250 + 1}.0/24"
NAMES = ("axis", "hikvision-dome", "bosch", "flir", "dahua-tpc", "tvt")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site.loopback(NETWORK, tmp_path_factory.mktemp("site"), [persona(name) for name in NAMES],
                       port_offset=26_000) as running:
        yield running


@pytest.fixture(scope="module")
def ports(site):
    return PortMap({number: site.port(number) for number in (21, 23, 80, 443, 554)})


@pytest.fixture(scope="module")
def swept(site, ports):
    """What a sweep without a login saw, by device."""
    scope = Scope.of([site.address(name) for name in NAMES], owner="tests", ticket="T", lab=True)
    result = run(scope, Settings(Profile.FAST, ports, site.out_dir / "neighbours.txt", canary=False))
    return {name: [seen for seen in result.observations if seen.device == site.address(name)] for name in NAMES}


@pytest.fixture
def recognised(site, ports, swept):
    def ask(name, password=None, **options):
        one = site.persona(name)
        login = Credentials(one.user, password or one.password)
        return asyncio.run(recognise(site.address(name), swept[name], port_map=ports, **{
            "credentials": login, "neighbour_table": site.out_dir / "neighbours.txt", **options}))
    return ask


def read(recognition, transport, field):
    return next((seen.text(field) for seen in recognition.observations if seen.transport == transport
                 and seen.text(field)), None)


@pytest.mark.parametrize(("name", "source"), [
    ("axis", "onvif"), ("hikvision-dome", "onvif"), ("bosch", "onvif"), ("dahua-tpc", "dhip"), ("flir", "gvcp"),
])
def test_a_device_shows_again_what_makes_it_itself(recognised, site, name, source):
    seen = recognised(name)
    one = site.persona(name)
    assert seen.present
    assert read(seen, "link", "mac") == one.mac
    assert read(seen, source, "serial") == one.serial
    if "https" in one.protocols:
        assert len(read(seen, "tls", "spki_sha256")) == 64
    if "wsd" in one.protocols:
        assert read(seen, "wsd", "endpoint_reference").startswith("urn:uuid:")
    assert site.failed_logins(name) == 0
    assert {each.device for each in seen.observations} == {site.address(name)}


def test_what_it_shows_is_the_same_every_time(recognised):
    first, second = recognised("axis"), recognised("axis")
    for transport, field in (("link", "mac"), ("tls", "spki_sha256"), ("wsd", "endpoint_reference"),
                             ("onvif", "serial"), ("onvif", "firmware")):
        assert read(first, transport, field) == read(second, transport, field) is not None


def test_a_wrong_password_goes_out_once(recognised, site):
    before = site.failed_logins("bosch")
    seen = recognised("bosch", "wrong")
    assert (seen.login.status, seen.login.reason) == (AttemptStatus.FAILED, Reason.AUTH_REJECTED)
    assert site.failed_logins("bosch") == before + 1
    assert read(seen, "onvif", "serial") is None
    assert read(seen, "tls", "spki_sha256") is not None, "what needs no login is read all the same"


def test_without_credentials_there_is_no_login(recognised, site):
    seen = recognised("axis", credentials=None)
    assert seen.login is None
    assert read(seen, "onvif", "serial") is None
    assert site.failed_logins("axis") == 0


def test_a_stranger_gets_no_credentials(recognised, site):
    asked = []

    def distrust(observations):
        asked.append({seen.transport for seen in observations})
        return False

    before = site.failed_logins("hikvision-dome")
    seen = recognised("hikvision-dome", "wrong", trusting=distrust)
    assert site.failed_logins("hikvision-dome") == before
    assert (seen.login.status, seen.login.reason) == (AttemptStatus.NOT_ATTEMPTED, Reason.NOT_APPLICABLE)
    assert len(asked) == 1
    assert {"link", "wsd", "sadp"} <= asked[0], "it is asked with all that shows without a login"


def test_who_tells_a_stranger_is_not_sent_a_password(recognised, site):
    seen = recognised("tvt", "wrong")
    assert (seen.login.status, seen.login.reason) == (AttemptStatus.NOT_ATTEMPTED, Reason.NOT_APPLICABLE)
    assert site.failed_logins("tvt") == 0


def test_who_asks_for_a_digest_with_an_empty_refusal_is_answered_once(recognised, site):
    before = site.failed_logins("dahua-tpc")
    assert recognised("dahua-tpc").login.status is AttemptStatus.COMPLETED
    assert site.failed_logins("dahua-tpc") == before
    seen = recognised("dahua-tpc", "wrong")
    assert (seen.login.status, seen.login.reason) == (AttemptStatus.FAILED, Reason.AUTH_REJECTED)
    assert site.failed_logins("dahua-tpc") == before + 1


def test_an_entry_in_a_table_is_nobody_at_home(recognised, site):
    site.kill("flir")
    try:
        seen = recognised("flir")
    finally:
        site.revive("flir")
    assert read(seen, "link", "mac") == site.persona("flir").mac
    assert not seen.present


def test_another_device_at_the_address_shows_other_traits(recognised, site):
    before = recognised("axis")
    imposter = replace(persona("imposter"), name="swapped")
    address = site.address("axis")
    site.replace("axis", imposter)
    try:
        after = asyncio.run(recognise(address, before.observations, neighbour_table=site.out_dir / "neighbours.txt",
                                      port_map=PortMap({number: site.port(number) for number in (80, 443, 554)})))
    finally:
        site.replace("swapped", persona("axis"))
    for transport, field in (("link", "mac"), ("tls", "spki_sha256"), ("wsd", "endpoint_reference")):
        assert read(before, transport, field) != read(after, transport, field) is not None


def test_a_device_that_never_answers_ends_with_the_deadline_and_is_not_asked_to_log_in(site, swept):
    """A tarpit on every port that is asked: connections are taken, nothing is ever said."""
    async def held():
        async def hold(_reader, writer):
            await asyncio.sleep(30)
            writer.close()

        address = f"{NETWORK.rpartition('.')[0]}.200"
        servers = [await asyncio.start_server(hold, address, port) for port in (36_080, 36_443)]
        known = [replace(seen, device=address) for seen in swept["axis"]]
        try:
            return await recognise(address, known, credentials=Credentials("root", "x"), deadline_s=0.5,
                                   port_map=PortMap({80: 36_080, 443: 36_443}))
        finally:
            for server in servers:
                server.close()

    seen = asyncio.run(held())
    (late,) = [each for each in seen.attempts if each.probe == "recognition"]
    assert (late.status, late.reason) == (AttemptStatus.FAILED, Reason.TIMEOUT)
    assert seen.login is None


def test_a_login_that_was_under_way_when_time_was_up_counts_as_made(site, swept, ports, monkeypatch):
    from scanner import recognition

    class Slow:
        def __init__(self, *_parts):
            pass

        async def run(self):
            await asyncio.sleep(30)

    monkeypatch.setattr(recognition, "LoginPass", Slow)
    seen = asyncio.run(recognise(site.address("axis"), swept["axis"], credentials=Credentials("root", "x"),
                                 port_map=ports, deadline_s=1.5))
    assert (seen.login.status, seen.login.reason) == (AttemptStatus.FAILED, Reason.TIMEOUT)


def test_udp_goes_to_private_addresses_only(monkeypatch):
    """Discovery protocols amplify: a public address is never asked by datagram, whatever was seen there."""
    from scanner import recognition

    async def refuse(*_parts, **_options):
        raise AssertionError("sent")

    async def no_connection(*_parts, **_options):
        return None

    monkeypatch.setattr(recognition.udp, "ask", refuse)
    monkeypatch.setattr(recognition, "_connect", no_connection)
    seen = asyncio.run(recognise("203.0.113.9", []))
    assert [each.reason for each in seen.attempts if each.probe == "wsd.probe"] == [Reason.OUT_OF_SCOPE]
    assert not seen.present
