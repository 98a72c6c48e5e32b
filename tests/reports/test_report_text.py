"""Hostile text becomes visible, short and fit for a file name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text import brief, clean, clip, sentence, slug, visible


@pytest.mark.parametrize(("text", "shown"), [
    ("plain Größe 海康威视", "plain Größe 海康威视"),
    ("\x1b[31m", "⟨U+001B⟩[31m"), ("a\x00b\x7f", "a⟨U+0000⟩b⟨U+007F⟩"), ("\x9b2J", "⟨U+009B⟩2J"),
    ("abc\u202egpj.exe", "abc⟨U+202E⟩gpj.exe"), ("\ufeffx\u200b", "⟨U+FEFF⟩x⟨U+200B⟩"), ("\ud800", "⟨U+D800⟩"),
    ("a\r\nb\tc", "a⟨U+000D⟩⟨U+000A⟩b⟨U+0009⟩c"), ("e\u0301", "e\u0301"), ("z" + "\u0301" * 9, "z" + "\u0301" * 3),
])
def test_what_hides_or_acts_is_shown(text, shown):
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_nothing_that_acts_survives(text):
    for char in visible(text):
        assert unicodedata.category(char) not in {"Cc", "Cs"}
        assert unicodedata.bidirectional(char) not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(st.characters()))
def test_visible_text_stays_as_it_is(text):
    assert visible(visible(text)) == visible(text)


def test_what_is_cut_off_is_counted():
    assert clip("abcdef", 4) == "abcd… [2 more characters]"
    assert clip("abcd", 4) == "abcd"
    assert clean("A" * 10_000).endswith("… [9600 more characters]")


@pytest.mark.parametrize(("text", "name"), [
    ("Harbour Road / depot", "harbour-road-depot"), ("../../etc/passwd", "etc-passwd"), ("Zürich", "zurich"),
    ("海康", "unnamed"), ("", "unnamed"), ("a" * 200, "a" * 60), ("CON\x00.", "con"),
])
def test_file_names(text, name):
    assert slug(text) == name


@given(st.text(st.characters()))
def test_a_slug_holds_nothing_but_letters_digits_and_hyphens(text):
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 1 <= len(slug(text)) <= 60


@pytest.mark.parametrize(("text", "longest", "told"), [
    ("short: and whole", 40, "short: and whole"),
    ("it is prohibited: by a law of many words", 30, "it is prohibited"),
    ("one; two; three and more words", 12, "one; two"),
    ("of Dahua Co., Ltd. is named; more", 30, "of Dahua Co., Ltd. is named"),
    ("It does. The rest is long", 15, "It does"),
    ("named (a; b; c) and more words", 14, "named (a; b;…"),
    ("a law [15 CFR 744.11; and so on]", 20, "a law"),
    ("a" * 30, 10, "a" * 10 + "…"), ("one word after another", 10, "one word…"),
])
def test_a_long_text_ends_with_a_clause(text, longest, told):
    assert brief(text, longest) == told


@given(st.text(), st.integers(1, 300))
def test_the_brief_form_is_the_beginning_of_the_text(text, longest):
    told = brief(text, longest)
    assert len(told) <= longest + 1
    assert text.startswith(told.removesuffix("…")) or text == told


@pytest.mark.parametrize(("text", "told"), [
    ("telnet on port 23", "Telnet on port 23."), ("tls says no", "TLS says no."), ("Done.", "Done."), ("why?", "Why?"),
    ("today's verdict is prohibited", "Today's verdict is prohibited."), ("iOS is old", "iOS is old."),
    ("ipc-01 talks", "ipc-01 talks."), ("10.0.0.1 talks", "10.0.0.1 talks."), ("", ""), ("  a ", "A."),
    ("talks to b (dahua)", "Talks to b (dahua)."),
])
def test_a_reason_becomes_a_sentence(text, told):
    assert sentence(text) == told
