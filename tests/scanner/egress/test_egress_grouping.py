"""Columns are added up by key as a plain loop would, in the order in which the keys first appear."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.egress.flows import Grouping


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-1_000, 1_000)), max_size=60))
def test_groups_are_those_of_a_loop(members):
    keys = np.array([key for key, _ in members], np.uint64)
    column = np.array([value for _, value in members], np.int64)
    expected = {}
    for place, (key, value) in enumerate(members):
        expected.setdefault(key, []).append((place, value))
    groups = Grouping.of_keys(keys)
    values = [[value for _, value in each] for each in expected.values()]
    assert groups.first.tolist() == [each[0][0] for each in expected.values()]
    assert groups.of.tolist() == [list(expected).index(key) for key, _ in members]
    assert groups.total(column).tolist() == [sum(each) for each in values]
    assert groups.least(column).tolist() == [min(each) for each in values]
    assert groups.most(column).tolist() == [max(each) for each in values]
    assert groups.either(np.abs(column)).tolist() == [np.bitwise_or.reduce(np.abs(each)) for each in values]
