"""Every parser against truncation at every length, garbage and flipped bytes: a value, never a raise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_samples import NOW, PARSERS, SOURCE

from scanner.observation import Endpoint, Refusal
from scanner.wire import replies, sadp

NAMES = sorted(PARSERS)


def is_lawful(found: object) -> bool:
    """A refusal with a reason, or fields that are of the allowed types, capped, printable and free of empty values."""
    if isinstance(found, Refusal):
        return bool(found.reason) and len(found.detail) < 2_000
    assert isinstance(found, dict)
    for name, value in found.items():
        texts = value if isinstance(value, tuple) else (value,)
        assert isinstance(name, str)
        assert value is not None
        assert value not in ("", ())
        assert isinstance(value, str | int | float | bool | tuple)
        for text in texts:
            if isinstance(text, str):
                assert len(text) <= 65_536
                assert all(char.isprintable() or char in "\n\t" for char in text), (name, text)
        assert len(texts) <= 64
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_reply_is_read(name):
    parse, reply = PARSERS[name]
    found = parse(reply, SOURCE, NOW)
    assert not isinstance(found, Refusal), found
    assert found
    assert is_lawful(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_cut_anywhere_is_read_or_refused(name):
    parse, reply = PARSERS[name]
    for length in range(len(reply)):
        assert is_lawful(parse(reply[:length], SOURCE, NOW)), length


@pytest.mark.parametrize("name", NAMES)
@given(data=st.binary(max_size=600))
@settings(max_examples=40, deadline=None)
def test_garbage_is_refused_or_read(name, data):
    assert is_lawful(PARSERS[name][0](data, SOURCE, NOW))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_reply_is_refused_or_read(name, data):
    parse, reply = PARSERS[name]
    damaged = bytearray(reply)
    for at in data.draw(st.lists(st.integers(0, len(reply) - 1), min_size=1, max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    assert is_lawful(parse(bytes(damaged), SOURCE, NOW))


@pytest.mark.parametrize("transport", sorted(replies.TRANSPORTS))
@given(data=st.binary(max_size=300))
@settings(max_examples=25, deadline=None)
def test_a_recorded_reply_of_any_kind_always_becomes_an_observation(transport, data):
    observations = replies.read(transport, 3702, data, device="d", now=NOW)
    assert observations
    for observation in observations:
        assert observation.fields
        assert is_lawful(dict(observation.fields))


def test_sadp_of_an_undocumented_form_is_kept_as_proof_of_presence():
    assert sadp.parse(b"\x01\x02\x03binary", Endpoint("10.1.2.3", 37020), NOW) == {"opaque": True, "length": 9}
