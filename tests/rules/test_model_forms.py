"""A maker's model forms joined into one pattern fit exactly where one of them does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.attributes import _any_of
from rules.makers import load

FORMS = {maker.maker: tuple(grammar.pattern for grammar in maker.models) for maker in load() if maker.models}
EVERY_FORM = sorted({form for forms in FORMS.values() for form in forms})


def one_by_one(forms, word):
    return any(re.compile(form).match(word) for form in forms)


@pytest.mark.parametrize("maker", sorted(FORMS))
def test_each_form_is_found_in_the_joined_one(maker):
    forms = FORMS[maker]
    words = {word for other in EVERY_FORM for word in re.findall(r"[\w.-]{3,}", re.sub(r"[\\?:<>()|\[\]]", " ", other))}
    for word in words:
        assert bool(_any_of(forms).match(word)) == one_by_one(forms, word), word


@given(word=st.text("ADHIPSCNVRadhipcs0123456789-_ ", max_size=24), maker=st.sampled_from(sorted(FORMS)))
def test_any_word(word, maker):
    assert bool(_any_of(FORMS[maker]).match(word)) == one_by_one(FORMS[maker], word)
