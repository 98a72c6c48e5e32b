"""What a sweep has to say of itself: who let it run, and ranges that one responder answered for."""

from dataclasses import replace

import pytest
from inventory_samples import NOW, observation, sweep

from camvet.inventory import Inventory
from camvet.reporting import report_of
from camvet.sweeping import SweepOrder, _document
from rules import policy
from scanner.pace import Profile
from scanner.scope import Scope
from scanner.settings import Settings, SweepResult

ROUTER = "00:00:5E:00:53:01"


def document(**who):
    scope = Scope.of(["10.0.5.0/24"], **who)
    seen = [observation(address, "link", {"mac": ROUTER, "via": "arp"}) for address in scope.addresses()]
    result = SweepResult(seen, [], list(scope.addresses()), {}, [], {}, NOW, NOW)
    order = SweepOrder(scope, Settings(Profile.FAST), policy.load()["private"], NOW.date())
    return _document(order, result, [], [])


@pytest.fixture
def limits(tmp_path):
    def limits(told):
        inventory = Inventory.open(f"sqlite:///{tmp_path / 'camvet.sqlite'}")
        inventory.record(replace(sweep(1, ("10.0.5.1", ROUTER, "S1")), document=told), actor="x")
        return report_of(inventory, inventory.sweep("latest", "hq"), generated_at=NOW).limits
    return limits


def test_a_range_with_one_responder_and_nobody_who_allowed_it_are_limits_of_the_report(limits):
    told = document()
    assert len(told["notes"]) == 1
    assert told["notes"][0].startswith("254 of the 254 addresses asked in 10.0.5.0/24 were answered by one MAC")
    assert told["scope"]["unattributed"].startswith("nobody is named as owner and no ticket is named")
    said = limits(told)
    assert told["notes"][0] in said
    assert "Nobody is named as owner and no ticket is named: who authorised this sweep is not on record." in said


def test_a_sweep_that_somebody_answers_for_says_nothing_of_it(limits):
    told = document(owner="it security", ticket="T-1")
    assert told["scope"]["unattributed"] is None
    assert not any("on record" in one for one in limits(told))


def test_a_sweep_of_before_has_no_such_notes(limits):
    told = document()
    del told["notes"], told["scope"]["unattributed"]
    assert not any("one MAC" in one or "on record" in one for one in limits(told))
