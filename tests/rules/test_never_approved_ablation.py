"""Promise 1, counted out: all ways to lose up to three replies of a listed maker's device, with labels added or not."""

from itertools import combinations

import pytest
import specimens
from test_never_approved import OUTSIDE, complete, judged

DEPTH = 3


@pytest.mark.parametrize("friends", [False, True], ids=["alone", "with every friendly label"])
@pytest.mark.parametrize("name", sorted(specimens.LISTED))
def test_no_three_replies_less_let_it_in(name, friends):
    observations = specimens.LISTED[name]()
    device = observations[0].device
    labels = list(specimens.friendly(device)) if friends else []
    record = complete(device)
    tried = 0
    for depth in range(DEPTH + 1):
        for gone in combinations(range(len(observations)), depth):
            kept = [one for at, one in enumerate(observations) if at not in gone]
            found = judged({device: ([*kept, *labels], record)})[device]
            assert found.verdict.outcome in OUTSIDE, ([observations[at].probe for at in gone], found.identity.makers)
            tried += 1
    assert tried >= len(observations)


@pytest.mark.parametrize("name", sorted(specimens.LISTED))
def test_no_single_friendly_label_lets_it_in_whatever_reply_is_lost(name):
    observations = specimens.LISTED[name]()
    device = observations[0].device
    for label in specimens.friendly(device):
        for gone in range(len(observations) + 1):
            kept = observations[:gone] + observations[gone + 1:]
            assert judged({device: ([*kept, label], complete(device))})[device].verdict.outcome in OUTSIDE
