"""A large answer is written piece by piece, and reads like any other."""

import json
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camvet.indented import Each, Lines, write


class Word(StrEnum):
    PASS = "pass"


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(Word.PASS) | st.just(
    datetime(2026, 11, 22, tzinfo=UTC)) | st.just(frozenset({1}))
KEYS = st.text() | st.integers() | st.booleans() | st.none() | st.floats()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner))


def written(value):
    found = []
    write(value, found.append)
    return "".join(found)


@given(VALUES)
def test_it_is_letter_for_letter_what_the_library_writes(value):
    assert written(value) == json.dumps(value, ensure_ascii=False, indent=2, default=str)


@given(st.lists(VALUES), st.text())
def test_members_made_on_the_way_look_like_a_list(members, key):
    expected = json.dumps({key: members, "z": 1}, ensure_ascii=False, indent=2, default=str)
    assert written({key: Each(lambda: members), "z": 1}) == expected


def test_members_are_written_before_all_are_made():
    made, seen, pieces = [], [], []

    def members():
        for number in range(20_000):
            made.append(number)
            yield {"number": number, "names": ["a"]}

    def sink(piece):
        pieces.append(piece)
        seen.append(len(made))

    write({"all": Each(members)}, sink)
    assert seen[0] < 5_000
    assert [one["number"] for one in json.loads("".join(pieces))["all"]] == made


@given(st.lists(VALUES))
def test_rows_stand_on_a_line_each(members):
    text = written({"rows": Lines(lambda: members)})
    assert text == '{\n  "rows": [' + ",".join(
        "\n    " + json.dumps(one, ensure_ascii=False, default=str) for one in members) + (
        "\n  ]" if members else "]") + "\n}"


def test_a_key_without_a_form_is_refused():
    with pytest.raises(TypeError):
        written({"list": [1], ("a", "b"): [2]})
