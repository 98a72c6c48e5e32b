"""The XML and JSON readers against what broke named libraries."""

import pytest

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
