"""A large answer is written piece by piece, and reads like any other."""

import json
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camvet.indented import Each, Rows, write


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


@given(st.lists(st.text(), min_size=1, max_size=4, unique=True).flatmap(
    lambda keys: st.tuples(st.just(keys), st.lists(st.tuples(*[VALUES] * len(keys))))))
def test_rows_stand_on_a_line_each(table):
    keys, rows = table
    text = written({"rows": Rows(keys, lambda: rows)})
    assert text == '{\n  "rows": [' + ",".join(
        "\n    " + json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False, default=str) for row in rows) + (
        "\n  ]" if rows else "]") + "\n}"


def test_many_rows_are_encoded_some_at_a_time_and_all_are_there():
    rows = [(number, ("a", "b") if number == 700 else ("a",) if number % 3 else (), "x\ny%s") for number in range(1500)]
    text = written({"rows": Rows(("n", "100 %", "text"), lambda: rows)})
    assert text.splitlines()[2:-2] == [
        "    " + json.dumps({"n": n, "100 %": list(names), "text": said}) + ("," if n < 1499 else "")
        for n, names, said in rows]


def test_rows_of_another_length_than_their_keys_are_refused():
    for rows in ([(1,)], [(1, 2), (1,)], [(1, 2, 3)]):
        with pytest.raises((ValueError, TypeError)):
            written({"rows": Rows(("a", "b"), lambda rows=rows: rows)})


def test_a_key_without_a_form_is_refused():
    with pytest.raises(TypeError):
        written({"list": [1], ("a", "b"): [2]})
