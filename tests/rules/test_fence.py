"""MUD files: valid against the published modules, read back as written, strict about what is not understood."""

import contextlib
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.fence import Allowed, MudError, allows, mud_file, read_allowed, read_mud, violations

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MODULES = Path(sys.prefix) / "share" / "yang" / "modules"
SERVICES = (Allowed("local-networks", "udp", 123), Allowed("ntp.example.org", "udp", 123),
            Allowed("192.0.2.0/24", "tcp", 443),
            Allowed("2001:db8::/32", "tcp", 554), Allowed("198.51.100.7/32"), Allowed("192.0.2.9/32", "icmp"))


def made(services=SERVICES):
    return mud_file("10.20.0.14", services, NOW, url="https://mud.example/cam.json", systeminfo="Acme IPC-1")


@pytest.fixture(scope="module")
def model():
    from yangson import DataModel
    if not (MODULES / "ietf" / "ietf-mud.yang").is_file():
        pytest.skip("pyang's modules are not here")
    modules = [{"name": name, "revision": _revision(name), "namespace": _namespace(name),
                "feature": re.findall(r"^  feature ([a-z0-9-]+)", _text(name), re.MULTILINE),
                "conformance-type": "implement"}
               for name in ("ietf-mud", "ietf-acldns", "ietf-access-control-list")]
    modules += [{"name": name, "revision": _revision(name), "namespace": _namespace(name), "conformance-type": "import"}
                for name in ("ietf-inet-types", "ietf-yang-types", "ietf-packet-fields", "ietf-ethertypes")]
    modules.append({"name": "ietf-interfaces", "revision": _revision("ietf-interfaces"),
                    "namespace": _namespace("ietf-interfaces"), "conformance-type": "implement"})
    library = {"ietf-yang-library:modules-state": {"module-set-id": "mud", "module": modules}}
    return DataModel(json.dumps(library), [str(MODULES / "ietf"), str(MODULES / "iana")])


def _text(name):
    return (MODULES / "ietf" / f"{name}.yang").read_text()


def _namespace(name):
    return _text(name).split("namespace", 1)[1].split('"')[1]


def _revision(name):
    return _text(name).split("\n  revision ", 1)[1].split("{")[0].strip().strip('"')


@pytest.mark.parametrize("services", [SERVICES, SERVICES[:1], ()], ids=["many", "one", "none"])
def test_a_file_is_valid_against_the_modules(model, services):
    from yangson.enumerations import ContentType
    model.from_raw(json.loads(json.dumps(made(services)))).validate(ctype=ContentType.config)


def test_a_file_that_is_not_valid_is_refused_by_the_modules(model):
    from yangson.exceptions import YangsonException
    broken = made()
    broken["ietf-mud:mud"]["cache-validity"] = 1000
    with pytest.raises(YangsonException):
        model.from_raw(broken).validate()


def test_what_was_written_is_read_back():
    back = set(read_mud(json.dumps(made()).encode()))
    assert back == set(SERVICES)


@pytest.mark.parametrize(("destination", "names", "protocol", "port", "fits"), [
    ("10.0.0.5", (), "udp", 123, True), ("10.0.0.5", (), "udp", 124, False), ("203.0.113.5", (), "udp", 123, False),
    ("203.0.113.5", ("ntp.example.org",), "udp", 123, True), ("203.0.113.5", ("ntp.example.org.evil.example",), "udp",
                                                              123, False),
    ("192.0.2.77", (), "tcp", 443, True), ("192.0.2.77", (), "udp", 443, False), ("2001:db8::5", (), "tcp", 554, True),
    ("198.51.100.7", (), "udp", 40000, True),
])
def test_what_a_file_lets_through(destination, names, protocol, port, fits):
    assert any(allows(one, destination, names, protocol, port) for one in SERVICES) is fits
    assert bool(violations(SERVICES, destination, names, protocol, port)) is not fits


@pytest.mark.parametrize(("change", "complaint"), [
    (lambda d: d.pop("ietf-mud:mud"), "RFC 8520"),
    (lambda d: d["ietf-access-control-list:acls"].update(acl=[]), "RFC 8520"),
    (lambda d: d["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"][0]["matches"].update(ipv4={"dscp": 3}),
     "dscp"),
    (lambda d: d["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"][0].update(matches={}),
     "without a destination"),
])
def test_what_is_half_understood_is_refused(change, complaint):
    document = made()
    change(document)
    with pytest.raises(MudError, match=complaint):
        read_mud(json.dumps(document).encode())


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(max_size=8),
                                              lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["ietf-mud:mud", "from-device-policy", "access-lists", "x"]), inner,
                         max_size=3),
       max_leaves=8).map(lambda value: json.dumps(value).encode()))
def test_no_file_makes_the_reader_fail_otherwise(data):
    with contextlib.suppress(MudError):
        assert isinstance(read_mud(data), list)


def test_a_hostile_name_stays_text():
    document = json.dumps(mud_file('x"}]; drop\n', SERVICES, NOW, url="https://m.example/a", systeminfo="y" * 500))
    assert len(json.loads(document)["ietf-mud:mud"]["systeminfo"]) == 60
    assert "drop\\n" not in document


OWN = (Allowed("10.0.0.5/32", "tcp", 554, inbound=True, why="the video system fetches pictures"),
       Allowed("10.0.0.6/32", "udp", 161, inbound=True), Allowed("10.0.0.7/32", "tcp", why="any port"))


def test_a_service_of_the_devices_own_is_valid_and_read_back(model):
    from yangson.enumerations import ContentType
    document = json.loads(json.dumps(made((*SERVICES, *OWN))))
    model.from_raw(document).validate(ctype=ContentType.config)
    back = read_mud(json.dumps(document).encode())
    assert set(back) == {*SERVICES, *OWN}
    assert "the video system fetches pictures" in {one.why for one in back}


def test_a_service_of_the_devices_own_lets_it_open_nothing():
    assert not any(allows(one, "10.0.0.5", (), "tcp", 554) for one in OWN)


def test_the_name_of_a_rule_stays_within_the_model(model):
    from yangson.enumerations import ContentType
    long = Allowed("10.0.0.5/32", "tcp", 554, why='"}],\x00\u202e' + "because " * 40)
    document = made((long,))
    names = [ace["name"] for acl in document["ietf-access-control-list:acls"]["acl"] for ace in acl["aces"]["ace"]]
    assert all(1 <= len(name) <= 64 and name.isascii() for name in names)
    model.from_raw(json.loads(json.dumps(document))).validate(ctype=ContentType.config)


@pytest.mark.parametrize(("text", "service"), [
    ("10.0.0.5:123/udp", Allowed("10.0.0.5/32", "udp", 123)),
    ("Time.Example.org:123/UDP", Allowed("time.example.org", "udp", 123)),
    ("[2001:db8::5]:443/tcp", Allowed("2001:db8::5/128", "tcp", 443)),
    ("192.0.2.0/24:any/any", Allowed("192.0.2.0/24")),
    ("10.0.0.5:any/icmp", Allowed("10.0.0.5/32", "icmp")),
])
def test_a_service_in_words(text, service):
    assert read_allowed(text) == service


@pytest.mark.parametrize("text", ["", "10.0.0.5", "10.0.0.5:123", "10.0.0.5:99999/udp", "a b:1/udp", "x:1/sctp",
                                  "10.0.0.5:5/icmp", "x" * 300 + ":1/udp", "evil\n:1/udp"])
def test_what_is_no_service_is_refused(text):
    with pytest.raises(MudError):
        read_allowed(text)
