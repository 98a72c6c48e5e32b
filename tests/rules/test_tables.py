"""Delimited text: what is read, and the one line that is said of what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.tables import TableError, column_of, read_rows, text_of


def rows_of(data):
    return list(read_rows(text_of(data, "f.csv"), "f.csv"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a,b\n1,2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b"\xef\xbb\xbfa;b\r\n1;2\r\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
        ("a\tb\n1\t2\n".encode("utf-16"), [(1, ["a", "b"]), (2, ["1", "2"])]),
        (b'name\n"x, y"\n\n"two\nlines"\n', [(1, ["name"]), (2, ["x, y"]), (5, ["two\nlines"])]),
        (b"a|b\n1|2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
    ],
)
def test_it_reads(data, expected):
    assert rows_of(data) == expected


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "f.csv, row 1: expected a header row"),
        (b"a,b\n1,2\n3\n", "f.csv, row 3: expected 2 cells as in the first row, found 1"),
        (b"a,b\n1,2,3\n", "f.csv, row 2: expected 2 cells as in the first row, found 3"),
        (b"a,b\n1,\xff\n", "f.csv, row 2: expected UTF-8 text, found the byte 0xff"),
        (b"a,b\n1,\x00\n", "f.csv, row 2: expected text without NUL bytes"),
        (b'a,b\n1,"2\n', "f.csv, row 2: expected well-formed CSV"),
    ],
)
def test_it_says_where_and_what_was_expected(data, told):
    with pytest.raises(TableError) as error:
        rows_of(data)
    assert str(error.value).startswith(told)


def test_a_column_is_found_by_name_or_number_and_missed_with_those_there_are():
    assert column_of(["Nr", " Item "], "item", "f") == 1
    assert column_of(["Nr", "Item"], "2", "f") == 1
    with pytest.raises(TableError, match="column 'what': expected one of Nr, Item"):
        column_of(["Nr", "Item"], "what", "f")


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_refusal(data):
    try:
        found = rows_of(data)
    except TableError:
        return
    assert len({len(row) for _, row in found}) == 1
