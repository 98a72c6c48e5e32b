"""Every reader of this folder, found by looking, against bytes that nobody would send: new ones cannot be forgotten."""

import importlib
import inspect
import itertools
import pkgutil
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hostile_replies import is_lawful
from test_vendor_codecs import REPLIES
from wire_samples import NOW, PARSERS, SOURCE

from scanner import wire
from scanner.observation import Refusal

MODULES = {found.name: importlib.import_module(f"{wire.__name__}.{found.name}")
           for found in pkgutil.iter_modules(wire.__path__)}
LLDPDU = bytes.fromhex("0207040012345678ab0407030012345678ab060200780a0463616d310c0443616d2000 00".replace(" ", ""))
DHCP = (b"\x01\x01\x06\0" + bytes(24) + bytes.fromhex("0012345678ab") + bytes(202) + b"\x63\x82\x53\x63"
        b"\x0c\x04cam1\x37\x03\x01\x03\x06\x3c\x04AXIS\xff")
HEARD = {"lldp": LLDPDU, "bootp": DHCP}
"""True frames of what is only heard, in captures and on the link."""
SAMPLES = sorted({row[1] for row in (*PARSERS.values(), *REPLIES.values())} | set(HEARD.values()))

ASKS = frozenset({"request", "requests", "frame", "build", "http_headers", "username_token", "scramble", "strongest",
                  "authorization"})
"""What makes bytes to send, of our own values; it may refuse by raising."""
OF_READ_VALUES = frozenset({"Element", "Element | None", "Response", "Json", "tuple[tuple[str, str], ...]",
                            "Sequence[Track]"})
"""What takes something that a reader made, and is reached through that reader here."""
OWN_TESTS = {"replies.read": "test_hostile_replies", "devid.judge": "test_devid"}

GIVEN = {
    "source": st.just(SOURCE), "now": st.just(NOW), "at": st.integers(0, 700), "size": st.integers(0, 700),
    "type_size": st.sampled_from((1, 2)), "length_size": st.sampled_from((1, 2)), "base": st.text(max_size=40),
    "address": st.just("192.0.2.1"),
}


def drawn_bytes():
    """Noise, and any true reply cut anywhere, with noise in front of it or behind."""
    cut = st.sampled_from(SAMPLES).flatmap(lambda one: st.integers(0, len(one)).map(lambda length: one[:length]))
    return st.one_of(st.binary(max_size=400), cut, st.tuples(st.binary(max_size=8), cut).map(b"".join),
                     st.tuples(cut, st.binary(max_size=40)).map(b"".join))


def drawn_texts():
    return st.one_of(st.text(max_size=200), drawn_bytes().map(lambda data: data.decode("latin-1")))


FIRST = {
    "bytes": drawn_bytes(), "str": drawn_texts(), "str | bytes": st.one_of(drawn_bytes(), drawn_texts()),
    "object": st.one_of(drawn_texts(), st.integers(), st.floats(), st.none(), st.booleans()),
    "Iterable[str]": st.lists(drawn_texts(), max_size=6), "Sequence[str]": st.lists(drawn_texts(), max_size=6),
    "Sequence[bytes]": st.lists(drawn_bytes(), max_size=4),
}


def readers():
    """Every public function of the folder by name: what it reads decides how it is fed."""
    found = {}
    for name, module in MODULES.items():
        for word in getattr(module, "__all__", ()):
            function = getattr(module, word)
            if inspect.isfunction(function) and function.__module__ == module.__name__ and word not in ASKS:
                found[f"{name}.{word}"] = function
    return found


def kind_of(function):
    parameters = list(inspect.signature(function).parameters.values())
    first = parameters[0]
    return "" if first.kind is first.VAR_KEYWORD else first.annotation


def rest_of(function):
    """How the other arguments that must be given are drawn. A name that is not in `GIVEN` is one to add there."""
    _, *others = inspect.signature(function).parameters.values()
    required = [one for one in others if one.default is one.empty and one.kind != one.VAR_POSITIONAL]
    return {one.name: GIVEN[one.name.lstrip("_")] for one in required}


READERS = {name: function for name, function in readers().items()
           if name not in OWN_TESTS and kind_of(function) and kind_of(function) not in OF_READ_VALUES}


def is_sound(function, found):
    """A refusal, fields that are lawful, or plain values; whatever is handed out piece by piece comes to an end."""
    if isinstance(found, Iterator):
        pieces = list(itertools.islice(found, 10_000))
        return len(pieces) < 10_000
    if isinstance(found, dict) and "Fields" in inspect.signature(function).return_annotation:
        return found == {} or is_lawful(found)
    return found is None or isinstance(found, Refusal | dict | str | bytes | int | float | list | tuple) \
        or type(found).__module__.startswith(wire.__name__)


def test_every_kind_of_reader_is_known():
    unknown = {name: kind_of(one) for name, one in readers().items()
               if kind_of(one) and kind_of(one) not in OF_READ_VALUES and kind_of(one) not in FIRST}
    assert not unknown


def test_every_protocol_has_a_true_reply_that_is_cut_damaged_and_replaced():
    fuzzed = {parse.__module__.rpartition(".")[2] for parse, _ in PARSERS.values()} | {
        name.partition("-")[0] for name in REPLIES}
    speaks = {name for name, module in MODULES.items() if "parse" in getattr(module, "__all__", ())
              and "source" in {one.lstrip("_") for one in inspect.signature(module.parse).parameters}}
    assert speaks - fuzzed == set(HEARD)


@pytest.mark.parametrize("name", sorted(HEARD))
def test_what_is_only_heard_is_read_whole_and_cut_anywhere(name):
    parse, frame = MODULES[name].parse, HEARD[name]
    assert parse(frame, SOURCE, NOW)["mac"] == "00:12:34:56:78:AB"
    for length in range(len(frame)):
        assert is_lawful(parse(frame[:length], SOURCE, NOW) or {"nothing": True}), length


@pytest.mark.parametrize("name", sorted(READERS))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_input_is_read_or_refused(name, data):
    function = READERS[name]
    rest = {word: data.draw(strategy) for word, strategy in rest_of(function).items()}
    assert is_sound(function, function(data.draw(FIRST[kind_of(function)]), **rest))


FLOODS = (b"<", b"<a>", b"<a b='c'>", b"{", b'{"a":', b"[", b"a=b\n", b"a: b\r\n", b"\xff", b"\0", b"\xc0\x0c",
          b"\x01\x01a", b'Digest a="', b"&amp;", b"%41", b"://a:b@", b"\xe2\x80\x8b", b"-----BEGIN CERTIFICATE-----\n")
MOST = 24 << 20


@pytest.mark.parametrize("name", sorted(name for name, one in READERS.items() if kind_of(one) == "bytes"))
def test_no_flood_takes_more_memory_than_its_cap_allows(name):
    function = READERS[name]
    rest = {"source": SOURCE, "now": NOW, "at": 0, "size": 1 << 20, "type_size": 1, "length_size": 1}
    given = {word: rest[word.lstrip("_")] for word in rest_of(function)}
    for piece in FLOODS:
        flood = piece * (65_536 // len(piece))
        tracemalloc.start()
        try:
            assert is_sound(function, function(flood, **given))
            assert tracemalloc.get_traced_memory()[1] < MOST, piece
        finally:
            tracemalloc.stop()
