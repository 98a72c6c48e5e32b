"""The value that a sweep hands over."""

from datetime import UTC, datetime

from scanner.observation import Attempt, AttemptStatus, Reason
from scanner.settings import Silent, SweepResult

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_its_text_is_short_however_many_addresses_it_holds():
    """The standard library makes that text behind everybody's back when a Ctrl-C handler is given back."""
    addresses = [f"10.87.{number >> 8}.{number & 255}" for number in range(2000)]
    attempts = [Attempt(one, "link.arp", None, AttemptStatus.FAILED, NOW, Reason.NO_ANSWER) for one in addresses]
    silent = {one: Silent(one, "no_answer", "nobody answers") for one in addresses}
    assert len(repr(SweepResult([], attempts, addresses, silent, [], {}, NOW, NOW))) < 500
