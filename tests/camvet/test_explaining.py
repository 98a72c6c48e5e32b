"""`camvet explain` on what is no device of the inventory: silent, closed, foreign, or known to a census alone."""

from dataclasses import replace

import pytest
from acceptance.shell import Here
from inventory_samples import NOW, sweep

from camvet.census import compare, document
from camvet.context import ExitCode
from camvet.inventory import Inventory
from scanner.imports import books
from scanner.observation import Attempt, AttemptStatus, Reason

SILENT, CLOSED, OUTSIDE, NOBODY = "10.0.0.9", "10.0.0.10", "10.0.9.9", "10.0.9.10"
MAC = {SILENT: "A4:4C:62:00:00:77", OUTSIDE: "A4:4C:62:00:00:78"}
LEASES = "".join(f"1795399200 {mac.lower()} {address} cam *\n" for address, mac in MAC.items())


@pytest.fixture
def camvet(tmp_path):
    inventory = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
    record = sweep(1, ("10.0.0.1", "AA:00:00:00:00:01", "S1"))
    tried = [Attempt(SILENT, "link.arp", None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER),
             Attempt(CLOSED, "tcp.connect", None, AttemptStatus.FAILED, NOW, Reason.REFUSED, "80 554")]
    told = {"silent": {SILENT: "nobody answers ARP", CLOSED: "answers, but every port that was tried is closed: 80"},
            "foreign": [], "scope": {"targets": ["10.0.0.0/24"], "activity": None, "purpose": None}}
    inventory.record(replace(record, attempts=[*record.attempts, *tried], document=told), actor="x")
    census = compare([("leases", books.read(LEASES.encode(), NOW))], inventory.devices_of(record.id), told)
    inventory.log(at=NOW, actor="x", kind="census", subject=record.id, document=document(census, record.id))
    return Here(tmp_path)


@pytest.mark.parametrize("wanted", [OUTSIDE, MAC[OUTSIDE], "a44c.6200.0078"])
def test_what_a_census_alone_knows_is_told_by_its_mac_and_by_its_address(camvet, wanted):
    told = camvet("--json", "explain", wanted)
    assert told.code == ExitCode.CLEAN, told.err
    (named,) = told.json["census"]
    assert (named["source"], named["mac"], named["address"]) == ("leases", MAC[OUTSIDE], OUTSIDE)
    assert named["when"] == "2026-11-23T02:00:00.000Z"
    assert "known to a census alone" in camvet("explain", wanted).out


def test_a_silent_address_that_a_census_names_is_told_with_both(camvet):
    told = camvet("--json", "explain", SILENT).json
    assert (told["found"], told["answers"], told["why"]) == (False, False, "nobody answers ARP")
    assert [one["mac"] for one in told["census"]] == [MAC[SILENT]]
    shown = camvet("explain", SILENT).out
    assert "nothing was found in sweep" in shown
    assert "A census names it" in shown
    assert MAC[SILENT] in shown
    assert "A census names it" not in camvet("explain", CLOSED).out


def test_an_address_that_answers_with_every_port_closed_is_not_called_silent(camvet):
    told = camvet("--json", "explain", CLOSED).json
    assert (told["found"], told["answers"], told["census"]) == (False, True, None)
    shown = camvet("explain", CLOSED).out
    assert "answers, with every port that was asked closed" in shown
    assert "silent" not in shown
    assert "nothing was found" not in shown


def test_an_address_that_nobody_knows_is_said_so(camvet):
    done = camvet("explain", NOBODY)
    assert (done.code, "no census names it" in done.err) == (ExitCode.USAGE, True)
