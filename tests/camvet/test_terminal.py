"""Nothing that a device calls itself can steer a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camvet.terminal import Terminal, calm


@pytest.mark.parametrize(("hostile", "shown"), [
    ("\x1b[31mred\x1b[0m", "·[31mred·[0m"),
    ("a\u202egnp.exe", "a·gnp.exe"),
    ("zero\u200bwidth", "zero·width"),
    ("line\rover", "line·over"),
    ("\x9b2J", "·2J"),
    ("Wände – 大华", "Wände – 大华"),
])
def test_control_and_hidden_characters_are_shown_not_obeyed(hostile, shown):
    assert calm(hostile) == shown


@given(st.text())
def test_calm_never_changes_the_length_and_leaves_no_control(text):
    quiet = calm(text)
    assert len(quiet) == len(text)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in quiet)
    assert calm(quiet) == quiet


def test_json_on_stdout_stays_json_whatever_a_device_says(capsys):
    Terminal(as_json=True).document({"brand": "\x1b]0;x\x07", "n": 1})
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert json.loads(printed)["brand"] == "\x1b]0;x\x07"


def test_remarks_go_to_stderr_and_quiet_silences_them(capsys):
    Terminal().note("busy")
    Terminal(quiet=True).note("busy")
    Terminal(quiet=True).error("broken\nbadly")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "busy\ncamvet: broken badly\n"
