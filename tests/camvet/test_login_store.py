"""One try a device a day, whatever it is called by and whoever asks; and what the log keeps of it."""

from datetime import UTC, datetime, timedelta

import pytest

from camvet.inventory import Inventory

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = {"actor": "anna", "address": "10.0.0.7", "pair": "maker-delivery", "ticket": "T-1", "owner": "it"}


@pytest.fixture
def inventory(tmp_path):
    return Inventory.open(f"sqlite:///{tmp_path / 'i.sqlite'}")


def claim(inventory, *names, after=timedelta()):
    return inventory.logins.claim(names, at=NOW + after, **DAY)


@pytest.mark.parametrize(("names", "after", "free"), [
    (("10.0.0.7",), timedelta(hours=23, minutes=59), False), (("10.0.0.7",), timedelta(days=1, seconds=1), True),
    (("10.0.0.99", "mac 00:11:22:33:44:55"), timedelta(hours=1), False),     # it moved
    (("10.0.0.99", "serial 9"), timedelta(hours=1), True), ((), timedelta(hours=1), True),
])
def test_a_try_stands_for_a_day_under_every_name_of_the_device(inventory, names, after, free):
    assert claim(inventory, "10.0.0.7", "mac 00:11:22:33:44:55") is None
    assert (claim(inventory, *names, after=after) is None) is free


def test_a_refused_claim_notes_nothing_and_says_when_the_last_one_was(inventory):
    claim(inventory, "10.0.0.7")
    assert claim(inventory, "10.0.0.7", after=timedelta(hours=1)) == "2026-11-22T12:00:00.000Z"
    assert len(inventory.events()) == 1


def test_the_count_survives_a_restart(inventory, tmp_path):
    claim(inventory, "10.0.0.7")
    again = Inventory.open(f"sqlite:///{tmp_path / 'i.sqlite'}")
    assert again.logins.claim(["10.0.0.7"], at=NOW, **DAY) is not None


def test_the_log_holds_and_names_who_tried_what_where(inventory):
    claim(inventory, "10.0.0.7")
    inventory.logins.ended(at=NOW, actor="anna", address="10.0.0.7", pair="maker-delivery", outcome="refused",
                           detail="")
    claimed, ended = inventory.events()
    assert (claimed.actor, claimed.subject, claimed.document["pair"], claimed.document["ticket"]) == (
        "anna", "10.0.0.7", "maker-delivery", "T-1")
    assert ended.document["outcome"] == "refused"
    assert inventory.verify()[2] is None
