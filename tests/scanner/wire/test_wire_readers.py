"""The XML and JSON readers against what broke named libraries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.observation import Refusal
from scanner.wire import json, xml


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "dtd"),
        (b'<!doctype x SYSTEM "http://10.0.0.1/x.dtd"><x/>', "dtd"),
        ("<!DOCTYPE x><x/>".encode("utf-16"), "dtd"),
        (b'<?xml version="1.0" encoding="UTF-7"?><x>+ADw-script+AD4-</x>', "encoding"),
        (b"<a>" * 60_000 + b"</a>" * 60_000, "too_large"),
        (b"<a>" * 150 + b"</a>" * 150, "too_deep"),
        (b"<a>" * 400 + b"</a>" * 400, "not_xml"),
        (b"<a>" + b"<b/>" * 120_000 + b"</a>", "too_large"),
        (b"<a " + b" ".join(b'x%d="1"' % n for n in range(100_100)) + b"/>", "too_large"),
        (b"<a>" + b" " * xml.MAX_BYTES + b"</a>", "too_large"),
        (b"", "not_xml"),
        (b"plain", "not_xml"),
        (b"\0\1\2", "not_xml"),
        (b"<", "not_xml"),
    ],
)
def test_hostile_xml_is_refused(data, reason):
    found = xml.read(data)
    assert isinstance(found, Refusal), found
    assert found.reason in (reason, "too_deep" if reason == "not_xml" else reason)


@pytest.mark.parametrize(
    ("data", "text", "recovered"),
    [
        (b"<x>Da<!-- c -->hua</x>", "Dahua", False),
        (b"<x><![CDATA[Dahua]]></x>", "Dahua", False),
        (b"<x>Da<b>hua</b></x>", "Dahua", False),
        (b"<x>Da<?pi x?>hua</x>", "Dahua", False),
        (b"<x>A & B</x>", "A & B", True),
        (b"<x>a &undefined; b</x>", "a &undefined; b", True),
        (b"<p:x>unbound</p:x>", "unbound", True),
        ("<?xml version=\u201d1.0\u201d ?><x>quotes</x>".encode(), "quotes", False),
        (b'<?xml version="1.0" encoding="utf-16"?><x>liar</x>', "liar", False),
        (b'<?xml version="1.0" encoding="gb2312"?><x>\xce\xc4</x>', "文", False),
        (b"<x>a\0b</x>", "ab", True),
        (b"<x>open", "open", True),
        (b"\xef\xbb\xbf \r\n<x>bom</x>", "bom", False),
        (b"noise<x>after</x>", "after", True),
    ],
)
def test_odd_xml_is_read(data, text, recovered):
    found = xml.read(data)
    assert not isinstance(found, Refusal), found
    assert (xml.text(found.root), found.name, found.recovered) == (text, "x", recovered)


def test_an_element_given_twice_hides_nothing():
    document = xml.read(b"<d><m>Axis</m><m>Dahua</m><m>Axis</m></d>")
    assert not isinstance(document, Refusal)
    assert xml.own(document.root, "m") == "Axis / Dahua"


def test_names_are_found_without_regard_to_namespace_and_case():
    document = xml.read(b'<a xmlns:q="urn:q"><q:Inner><Deep>1</Deep></q:Inner></a>')
    assert not isinstance(document, Refusal)
    assert xml.value(document.root, "deep") == "1"
    assert document.namespaces() == ("urn:q",)


NAMES = st.sampled_from(["a", "A", "b", "Fault", "p:a", "Year"])
TREES = st.recursive(
    st.tuples(NAMES, st.sampled_from(["", "1", "x y", "&amp;"]), st.just(())),
    lambda below: st.tuples(NAMES, st.sampled_from(["", "2"]), st.lists(below, max_size=4)), max_leaves=12)


def markup(tree):
    name, inner, below = tree
    bound = ' xmlns:p="urn:p"' if name.startswith("p:") else ""
    return f"<{name}{bound}>{inner}{''.join(map(markup, below))}</{name}>"


@given(TREES)
def test_an_outline_finds_what_a_search_for_each_name_finds(tree):
    document = xml.read(markup(tree).encode())
    assert not isinstance(document, Refusal)
    outline = xml.Outline(document.root)
    for name in ("a", "B", "fault", "year", "absent"):
        assert outline.all(name) == xml.find_all(document.root, name, limit=64)
        assert outline.value(name) == xml.value(document.root, name)
        assert outline.values(name, 3) == xml.values(document.root, name, limit=3)
        assert document.mentions(name) or xml.find(document.root, name) is None


@pytest.mark.parametrize(("data", "found"), [
    (b'<a xmlns="urn:1"/>', ("urn:1",)),
    (b'<a xmlns="urn:1" xmlns:q="urn:2"><q:b xmlns:q="urn:3"/></a>', ("urn:1", "urn:2", "urn:3")),
    (b'<a><b xmlns="urn:1"><c xmlns=""/></b><d xmlns:x="urn:1"/></a>', ("urn:1",)),
    (b'<a xmlns:q="http://u:p@h/"/>', ("http://***@h/",)),
    (b"<q:a>xmlns xmlns</q:a>", ()),
    (b"<a>" + b"".join(b'<b xmlns="urn:%d"/>' % n for n in range(300)) + b"</a>",
     tuple(f"urn:{n}" for n in range(xml.MAX_NAMESPACES))),
    (b"<a>" + b"<b/>" * xml.MAX_NAMED + b'<b xmlns="urn:late"/></a>', ()),
])
def test_namespaces_are_found_wherever_they_are_declared(data, found):
    document = xml.read(data)
    assert not isinstance(document, Refusal)
    assert document.namespaces() == found


def test_a_document_is_deep_however_few_its_end_tags():
    assert xml.read(b"<a>" * 101 + b"</a>" * 101) == Refusal("too_deep", "more than 100 levels")
    assert not isinstance(xml.read(b"<a>" * 100 + b"</a>" * 100), Refusal)
    assert xml.read(b"<a>" * 200) == Refusal("too_deep", "more than 100 levels")


def test_escape_round_trips():
    nasty = "a<b>&\"'\x00]]>"
    document = xml.read(f"<x>{xml.escape(nasty)}</x>".encode())
    assert not isinstance(document, Refusal)
    assert xml.text(document.root) == "a<b>&\"']]>"


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' * 5_000,
        b"[" * 65 + b"]" * 65,
        b"9" * 20_000,
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b"1e999999",
        b"",
        b"{",
        b"nul",
        b"\xff\xfe",
        b'"' + b"\\u0000" * 3,
        b" " * (json.MAX_BYTES + 1),
        b"{" + b'"a":1,' * 12 + b'"a":1}',
    ],
)
def test_hostile_json_is_refused(data):
    assert isinstance(json.read(data), Refusal)


def test_repeated_keys_are_all_kept():
    value = json.read(b'{"Vendor":"Axis","Vendor":"Dahua"}')
    assert json.texts(value, "vendor") == ("Axis", "Dahua")


def test_brackets_inside_strings_do_not_count_as_depth():
    assert json.read(b'{"a":"' + b"[" * 500 + b'\\""}') == {"a": "[" * 500 + '"'}


def test_find_prefers_outer_objects_and_scalar_takes_no_containers():
    value = json.read(b'{"x":{"k":"inner"},"K":"outer"}\0\0')
    assert json.find(value, "k") == "outer"
    assert (json.scalar(5), json.scalar(True), json.scalar([1]), json.scalar(None)) == ("5", "", "", "")
