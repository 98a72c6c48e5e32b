"""A maker proven by its device certificates: swept from the command line, with and without the user's anchors."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from shell import Shell
from story import Camvet

from lab.personas import persona
from lab.site import Site
from scanner import clock

sys.path.insert(0, str(Path(__file__).parents[1] / "scanner" / "wire"))
from device_certificates import make

pytestmark = pytest.mark.sweeps

NETWORK = "127.83.0.0/24"
CASES = ("proven", "foreign", "expired", "alone", "borrowed")
"""A true chain; one of another root; an expired one; a self-signed certificate; a true chain with another's serial."""


@pytest.fixture(scope="module")
def anchors(tmp_path_factory):
    """A folder of files: the maker's root, another's, the private authority of a site."""
    folder, now = tmp_path_factory.mktemp("anchors"), clock.now()
    made = {"maker": make("Lab Device ID Root", now, organisation="Axis Communications AB", authority=True),
            "other": make("Lab Root", now, organisation="Robert Bosch GmbH", authority=True),
            "own": make("Site Authority", now, organisation="Our Own Site", authority=True)}
    for name, one in made.items():
        (folder / f"{name}.pem").write_bytes(one.pem)
    return folder, made


@pytest.fixture(scope="module")
def shell(tmp_path_factory, anchors):
    home, now = tmp_path_factory.mktemp("camvet"), clock.now()
    made, people = anchors[1], []
    for host, case in enumerate(CASES, start=10):
        serial = f"B8A44F2C70{host:02X}"
        own = make(f"axis-{serial.lower()}", now, organisation="Axis Communications AB",
                   serial="B8A44F000001" if case == "borrowed" else serial,
                   signed_by={"foreign": made["other"], "alone": None}.get(case, made["maker"]),
                   until=now - timedelta(days=1) if case == "expired" else now + timedelta(days=100))
        file = home / f"{case}.pem"
        file.write_bytes(own.key_pem + own.pem)
        axis = persona("axis")
        people.append(replace(axis, name=case, host=host, serial=serial, mac=f"B8:A4:4F:2C:70:{host:02X}",
                              options={**axis.options, "device_certificate": str(file)}))
    with Site.loopback(network=NETWORK, out_dir=home / "site", personas=people) as site, \
            Shell(Camvet(home, site)) as running:
        yield lambda *words: running(*words, "--port-map", site.out_dir / "site.json", "--profile", "fast", "--fresh",
                                     "--owner", "tests")


def swept(shell, *more):
    targets = [f"127.83.0.{host}" for host in range(10, 10 + len(CASES))]
    found = {device["ip"]: device["identity"] for device in shell("--json", "sweep", *targets, *more).json["devices"]}
    return {case: found[target] for case, target in zip(CASES, targets, strict=True)}


def proven(identities):
    return {case for case, identity in identities.items() if identity["assurance"] == "cryptographic"}


def test_only_a_chain_to_the_users_anchor_proves_the_maker(shell, anchors):
    identities = swept(shell, "--device-ca", anchors[0] / "maker.pem")
    assert {"proven"} <= proven(identities) <= {"proven", "borrowed"}
    assert identities["proven"]["maker"] == "axis"
    shown = next(one for one in identities["proven"]["evidence"] if one["basis"] == "cryptographic")
    assert shown["value"] == "axis"


def test_without_anchors_nobody_is_proven(shell):
    assert not proven(swept(shell))


def test_an_anchor_of_another_maker_proves_that_maker_only(shell, anchors):
    identities = swept(shell, "--device-ca", anchors[0] / "other.pem")
    assert "proven" not in proven(identities)
    assert "bosch" in {one["value"] for one in identities["foreign"]["evidence"] if one["basis"] == "cryptographic"}


def test_an_authority_of_ones_own_says_that_it_names_no_maker(shell, anchors):
    told = shell("sweep", "127.83.0.10", "--plan", "--device-ca", anchors[0] / "own.pem")
    assert "names no known maker" in told.err
