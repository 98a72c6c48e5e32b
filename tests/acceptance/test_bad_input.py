"""Devices that mean harm, beside one that does not: the sweep goes on, says what happened, and lets none of them in."""

import os
from contextlib import ExitStack

import pytest
from acceptance.story import Camvet

from camvet.context import ExitCode
from lab.hostile import ECHOED_PASSWORD, Behaviour, hostile
from lab.personas import persona
from lab.site import Site

OFFSET = 24_000
NETWORK = f"127.{180 + os.getpid() % 50}.1"              # of its own, whoever else runs the tests on this machine
PORTS = {number: number + OFFSET for number in (23, 80, 443, 554)}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of an Axis and of one hostile device of every kind, and the hostile hosts themselves."""
    out = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        site = stack.enter_context(Site.loopback(f"{NETWORK}.0/26", out_dir=out, personas=[persona("axis")],
                                                 port_offset=OFFSET))
        hosts = {}
        for number, behaviour in enumerate(Behaviour, start=30):
            address = f"{NETWORK}.{number}"
            ports = {n: PORTS[n] for n in (80, 554)}
            hosts[address] = stack.enter_context(hostile(behaviour, address, ports, (3702, 37020, 37810), pace_s=0.2))
        camvet = Camvet(tmp_path_factory.mktemp("home"), site)
        document = camvet.json(*camvet.sweep_words(capture=False), timeout=300)
        yield camvet, document, hosts


def test_the_sweep_goes_on_and_the_honest_device_is_named(swept):
    _, document, _ = swept
    assert document["complete"] is True
    axis = next(d for d in document["devices"] if d["ip"] == f"{NETWORK}.19")
    assert axis["identity"]["maker"] == "axis"


@pytest.mark.parametrize("behaviour", list(Behaviour))
def test_no_hostile_device_is_let_in_and_each_says_what_failed(swept, behaviour):
    _, document, hosts = swept
    address = next(a for a, host in hosts.items() if host.behaviour is behaviour)
    device = next((d for d in document["devices"] if d["ip"] == address), None)
    if device is None:
        assert address in document["not_seen"]
        return
    assert device["verdict"]["outcome"] in ("undetermined", "prohibited"), device["verdict"]["reasons"]
    assert device["verdict"]["reasons"]
    assert all(a["reason"] for a in device["attempts"] if a["status"] != "completed")


def test_no_redirect_and_no_stream_address_was_followed(swept):
    _, _, hosts = swept
    visits = [visit for host in hosts.values() for visit in host.visits if visit]
    # A device may name a further port of its own for ONVIF; nothing else it hands out is ever visited.
    assert all(visit.startswith(b"POST /onvif/") for visit in visits), visits


def test_an_endless_answer_was_cut_off(swept):
    _, _, hosts = swept
    assert all(host.sent < 30 * 1024 * 1024 for host in hosts.values()), {h.behaviour: h.sent for h in hosts.values()}


def test_what_a_device_echoed_of_a_password_is_not_kept(swept):
    camvet, _, _ = swept
    for path in camvet.home.rglob("*"):
        if path.is_file():
            assert ECHOED_PASSWORD.encode() not in path.read_bytes(), path


def test_the_report_of_it_all_is_harmless(swept, tmp_path):
    camvet, document, _ = swept
    page = tmp_path / "report.html"
    assert camvet.run("report", "--out", str(page)).returncode == ExitCode.CLEAN
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert all(d["key"] in text for d in document["devices"])
