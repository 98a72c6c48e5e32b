"""Rule data is read by the short way, and means what ruamel.yaml says that it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rules import trees
from rules.documents import DATA, DataError, Document, read
from rules.trees import TreeError, tree

WORDS = (
    "word", "two words", "null", "~", "Null", "nUll", "true", "True", "TRUE", "yes", "no", "on", "off", "n", "N", "y",
    "0", "-0", "+1", "12", "1_000", "017", "0o17", "0x1F", "0b11", "1.10", "1.", ".5", "1e3", "-1.5E-3", ".inf",
    "-.INF", "12:30", "190:20:30", "2026-11-22", "2026-1-2", "2026-11-22T10:00:00Z", "2026-11-22 10:00:00.5 +02:00",
    "2026-13-45", "=", "<", "<<", "!", "5.7", "5.7.12", "1-2", "-", "--", "-x", ".", "..", "@x", "`x", "%x",
    "ja: nein", "'no'", '"no"', "'12'", '"1\\n2"', "''", '""', "!!str 12", "!!int '12'", "!x 1", "&a 1", "&a x", "*a",
    "[]", "{}", "[1, no]", "{a: 1}", "{a: 1, a: 2}", "? a", "|\n  text\n  more", ">\n  folded\n  text", "# nothing",
    "", "'", '"', "\t", "Ünïcode ключ", "{<<: {a: 1}, b: 2}", "[&a 1, *a]", "[&a 1, &a 2, *a]", "&a [*a]", "[*b]",
)
FORMS = ("{}", "- {}", "a: {}", "a: [{}, x]", "a: {{b: {}}}", "- a: {}\n  b: 2", "{}: 1", "[{}]", "x: 1\n{}: 2\n",
         "a: &k {}\nb: *k", "--- {}", "---\n{}\n...\n", "%YAML 1.1\n---\na: {}", "a: 1\n---\nb: {}", "\ufeffa: {}")


def slowly(data):
    return YAML(typ="safe").load(data)


def answer(read, data):
    """The value with the types of all that is in it, or how it was refused."""
    try:
        return repr(read(data))
    except (TreeError, ValueError, KeyError, TypeError) as error:
        return type(error).__name__, str(error)


def test_every_file_reads_the_short_way_and_alike():
    for path in sorted(DATA.glob("**/*.yaml")):
        data = path.read_bytes()
        assert repr(trees._Reading(data).document()) == repr(slowly(data)), path


@pytest.mark.parametrize("form", FORMS)
def test_every_word_means_the_same_everywhere(form):
    for word in WORDS:
        data = form.format(word).encode()
        assert answer(tree, data) == answer(slowly, data), data


@given(st.text(alphabet="ab01-:#&*!|>'\"%@`,?[]{}<=~.x \n", max_size=30))
def test_any_text_reads_alike(text):
    assert answer(tree, text.encode()) == answer(slowly, text.encode())


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x00", b"a: \x07", b"\xc3\x28", "a: ä".encode("utf-16")])
def test_bytes_read_alike(data):
    assert answer(tree, data) == answer(slowly, data)


def test_a_day_that_no_calendar_has_is_a_data_error(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("dated: 2026-13-45\n")
    with pytest.raises(DataError, match=r"x\.yaml: month"):
        read(file, Document)


def test_what_is_wrong_is_said_where_it_is():
    with pytest.raises(TreeError, match="duplicate key"):
        tree(b"a: 1\nb: 2\na: 3\n")
    with pytest.raises(TreeError, match="line 2"):
        tree(b"a: 1\n b: [")
