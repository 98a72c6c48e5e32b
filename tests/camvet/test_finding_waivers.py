"""Which device a stored waiver goes with, and how finding waivers carry an approval."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from inventory_samples import NOW

from camvet import waivers
from camvet.cli.approve import _of_findings
from camvet.inventory import Inventory
from camvet.waivers import Waivers
from rules.vocabulary import Finding, Identity, Outcome, Severity, Status, Verdict
from rules.waivers import Waiver

TODAY = NOW.date()
FIRST = Identity("10.0.0.5", maker="hikvision", makers=("hikvision",), serial="S1")
MAC = "44:19:B6:00:00:01"
ROW = SimpleNamespace(id="a" * 16, key="10.0.0.5")


def failed(device="10.0.0.5", rule="telnet.open"):
    return Finding(device, rule, "1", "Telnet is open", Status.FAIL, Severity.HIGH, "port 23 answers")


@pytest.fixture
def inventory(tmp_path):
    return Inventory.open(f"sqlite:///{tmp_path / 'w.sqlite'}")


def asked(inventory, *, site="hq", actor="ana", device=ROW, at=NOW):
    wanted = Waiver("", "telnet.open", (), "owner", "why", actor, "", TODAY, TODAY + timedelta(days=9))
    return waivers.request(inventory, site, wanted, at=at, device=device)


def with_marks(found, **marks):
    given = {"macs": frozenset(), "serials": frozenset(), "key": "10.0.0.5"} | marks
    return Waivers(found.asked, {ROW.id: waivers._Marks(**given)})


@pytest.mark.parametrize(("marks", "identity", "mac", "fits"), [
    ({"macs": frozenset({MAC})}, FIRST, MAC, True),
    ({"macs": frozenset({MAC})}, Identity("10.0.0.99", serial="S1", maker="hikvision"), MAC, True),       # it moved
    ({"macs": frozenset({MAC})}, FIRST, "44:19:B6:00:00:02", False),                                      # replaced
    ({"serials": frozenset({"hikvision:S1"})}, Identity("10.0.0.99", maker="hikvision", serial="S1"), "", True),
    ({"serials": frozenset({"hikvision:S2"})}, FIRST, "", False),
    ({"macs": frozenset({MAC}), "serials": frozenset({"hikvision:S2"})}, FIRST, MAC, False),
    ({}, FIRST, "", True), ({}, Identity("10.0.0.6"), "", False),
])
def test_a_waiver_goes_with_the_device_and_never_with_one_that_contradicts_it(inventory, marks, identity, mac, fits):
    made = asked(inventory)
    waivers.approve(inventory, Waivers.of(inventory, "hq").find(made), at=NOW, actor="ben")
    found = with_marks(Waivers.of(inventory, "hq"), **marks)
    assert bool(found.naming(identity, mac=mac)) is fits


def test_a_known_inventory_id_decides_alone(inventory):
    asked(inventory)
    found = with_marks(Waivers.of(inventory, "hq"))
    assert found.naming(FIRST, device=ROW.id)
    assert not found.naming(FIRST, device="b" * 16)


def test_a_site_has_its_own_waivers_and_the_log_adds_up(inventory):
    made = asked(inventory, device=None)
    assert Waivers.of(inventory, "branch").asked == []
    before = Waivers.of(inventory, "hq").find(made)
    waivers.approve(inventory, before, at=NOW, actor=" ANA ")           # a log written by hand: it takes two people
    assert Waivers.of(inventory, "hq").find(made).waiver.approved_by == ""
    waivers.approve(inventory, before, at=NOW + timedelta(days=1), actor="ben")
    stands = Waivers.of(inventory, "hq").find(made)
    assert (stands.waiver.approved_by, stands.waiver.begins) == ("ben", TODAY + timedelta(days=1))
    waivers.withdraw(inventory, stands, at=NOW + timedelta(days=2), actor="ana", reason="patched")
    over = Waivers.of(inventory, "hq").find(made)
    assert over.withdrawn == "ana: patched"
    hook = Waivers.of(inventory, "hq").hook({}, TODAY + timedelta(days=1))
    assert hook(FIRST, [failed()])[0].status is Status.WAIVED           # that day it counted
    assert Waivers.of(inventory, "hq").hook({}, TODAY + timedelta(days=2))(FIRST, [failed()])[0].status is Status.FAIL
    assert inventory.verify()[2] is None


def waived(until, by):
    facts = (("waiver", f"w-{by}"), ("waived until", until), ("waiver owner", "o"), ("waiver reason", "r"),
             ("waiver requested by", by), ("waiver approved by", "zoe"))
    return Finding("10.0.0.5", f"rule.{by}", "1", "t", Status.WAIVED, Severity.HIGH, "r", facts=facts)


def verdict(*findings):
    return Verdict("10.0.0.5", Outcome.CONDITIONAL, "p", "1", TODAY, TODAY, rules=("finding.waived",),
                   findings=findings)


def test_the_waivers_of_findings_carry_an_approval_until_the_first_of_them_ends():
    (one,) = _of_findings(verdict(waived("2027-02-01", "ana"), waived("2027-01-01", "ben")), "carol")
    assert (one.rule, one.actor, one.expires) == ("finding.waived", "ana", datetime(2027, 1, 1, tzinfo=UTC))
    assert one.reason == "w-ana: r; w-ben: r"
    assert _of_findings(verdict(failed()), "carol") == []


def test_whoever_asked_for_a_waiver_does_not_approve_the_device():
    (one,) = _of_findings(verdict(waived("2027-02-01", "ana"), waived("2027-01-01", "ben")), "ben")
    assert one.actor == "ben"           # which the gate refuses as attestation.same_actor
    (one,) = _of_findings(verdict(waived("2027-02-01", "ana"), waived("2027-01-01", "ben")), "B\u0435n")
    assert one.actor == "ben"           # a Cyrillic letter is no second person
    assert date.fromisoformat("2027-01-01") == one.expires.date()
