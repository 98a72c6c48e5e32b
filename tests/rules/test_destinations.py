"""Whose service a destination is: suffixes are anchored, shared clouds name nobody, nothing contradicts itself."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules import destinations, makers
from rules.destinations import Cloud, Clouds, Purpose, is_outside
from scanner.observation import Observation
from tests.rules import score_clouds

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KNOWN = destinations.with_makers(destinations.load(), makers.load())


def cloud(**fields):
    return Cloud(**{"owner": "o", "purpose": "p2p", "source": "s", **fields})


def egress(destination="203.0.113.8", names=(), protocol="udp", port=8800, **more):
    fields = {"destination": destination, "protocol": protocol, "packets": 1, "bytes": 60, **more}
    if names:
        fields["names"] = tuple(names)
    return Observation.of(device="10.0.0.7", transport="egress", probe="egress.capture", port=port, at=NOW,
                          fields=fields, wire=b"x")


@pytest.mark.parametrize(("name", "maker"), [
    ("hik-connect.com", "hikvision"),
    ("HIK-Connect.COM.", "hikvision"),
    ("litedev.hik-connect.com", "hikvision"),
    ("hik-connect.com.evil.example", None),
    ("evilhik-connect.com", None),
    (".hik-connect.com", None),
    ("x..hik-connect.com", None),
    ("hik-connect.com..", None),
    ("hik-connect。com", None),
    ("com", None),
    ("", None),
    ("p2p.amcrestview.com", "dahua"),
    ("device.provisionisr-nat2.com", "tvt"),
    ("provisionisr-nat2.com", None),                 # a host is that host and nothing above it
    ("www.easy4ipcloud.com", "dahua"),
])
def test_a_name_matches_whole_labels_from_the_right(name, maker):
    known = KNOWN.by_name(name)
    assert (known.maker if known else None) == maker


@pytest.mark.parametrize("name", ["m1.iotcplatform.com", "a1.tuyaeu.com", "s3.us-west-004.backblazeb2.com",
                                  "kinesisvideo.us-east-1.amazonaws.com", "edge.agora.io"])
def test_a_shared_cloud_says_what_for_and_never_whose(name):
    known = KNOWN.by_name(name)
    assert known is not None
    assert known.maker is None
    assert known.purpose


@given(st.sampled_from([e.suffix or e.host for e in KNOWN.entries if e.suffix or e.host]), st.sampled_from(
    ["evil.example", "com.attacker.test", "x"]), st.sampled_from(["evil", "x-", "0"]))
def test_no_known_name_reaches_beyond_its_own_labels(target, tail, head):
    target = target.replace("*", "eu")
    assert KNOWN.by_name(f"{target}.{tail}") is None
    glued = KNOWN.by_name(head + target)
    assert glued is None or glued.matched != target or target.count(".") > glued.matched.count(".")


@given(st.text(max_size=80))
def test_any_text_is_answered(name):
    assert KNOWN.by_name(name) is None or KNOWN.by_name(name).owner
    is_outside(name)


def test_the_longest_entry_wins():
    clouds = Clouds([cloud(suffix="a.example", maker="one"), cloud(suffix="b.a.example", maker="two"),
                     cloud(host="c.b.a.example", maker="three")])
    assert [clouds.by_name(n).maker for n in ("x.a.example", "x.b.a.example", "c.b.a.example", "x.c.b.a.example")] == [
        "one", "two", "three", "two"]


def test_a_harmless_name_beside_a_telling_one_hides_nothing():
    known = KNOWN.of(egress(names=("time.example.org", "m1.iotcplatform.com", "p2p.dahuap2pcloud.com")))
    assert known is not None
    assert known.maker == "dahua"


def test_addresses_and_telling_ports():
    assert KNOWN.of(egress("120.92.92.241", port=80, protocol="tcp")).maker == "xiongmai"
    assert KNOWN.of(egress("18.193.69.65", port=6611, protocol="tcp")).maker is None
    behaviour = KNOWN.of(egress(port=32100, signs=("pppp",)))
    assert (behaviour.purpose, behaviour.maker) == ("p2p", None)
    assert KNOWN.of(egress(port=32100)) is None, "a port alone is anybody's"
    assert KNOWN.of(egress(port=40000, signs=("pppp",))) is None
    assert KNOWN.of(egress(port=32100, protocol="tcp")) is None
    assert KNOWN.of(egress(port=443, protocol="tcp")) is None


@pytest.mark.parametrize(("more", "port_of"), [
    ({}, True), ({"signs": ("stun",)}, True), ({"unlike": ("pppp",)}, False), ({"signs": ("pppp-scrambled",)}, False),
    ({"protocol": "tcp"}, False), ({"names": ("a1.tuyaeu.com",)}, False), ({"names": ("a.example",)}, True),
])
def test_a_port_alone_is_a_hint_and_only_where_nothing_was_seen(more, port_of):
    (labelled,) = destinations.label([egress(port=32100, **more)], KNOWN)
    assert bool(labelled.text("port_of")) is port_of


PURPOSES = {                                        # what stands in a fact, and what a destination of it is for
    r"P2P rendezvous|UID registrar|P2P master|device access|signalling": "p2p relay",
    r"^firmware|firmware update": "firmware", r"\b(telemetry|log sink|log upload|log/tracking)\b": "telemetry",
    r"\bNTP\b": "ntp", r"\bDNS\b(?! lookup)|public DNS": "dns p2p", r"DDNS": "ddns", r"push\b": "push",
    r"vendor root|OEM root": "vendor", r"(?<!/)cloud root|cloud hosts|cloud in China|portal": "cloud p2p relay",
    r"relay\b|turn\b|TURN": "relay", r"storage|bucket": "storage",
}


def test_what_a_destination_is_for_is_what_the_fact_says():
    facts = Path(__file__).parents[3] / "shared" / "facts" / "endpoints.json"
    if not facts.exists():
        pytest.skip("no facts beside the checkout")
    carried = {e.suffix or e.host or e.address: e for e in KNOWN.entries}
    wrong, judged = [], 0
    for fact in json.loads(facts.read_text())["entries"]:
        entry = carried.get(fact["pattern"])
        told = {word for pattern, words in PURPOSES.items() if re.search(pattern, fact["purpose"])
                for word in words.split()}
        if entry is None or not told:
            # what a fact does not call so is no update, no telemetry and no time server
            if entry is not None and entry.purpose in {"telemetry", "ntp"}:
                wrong.append((fact["pattern"], fact["purpose"], str(entry.purpose)))
            continue
        judged += 1
        if str(entry.purpose) not in told:
            wrong.append((fact["pattern"], fact["purpose"], str(entry.purpose)))
    assert judged > 60
    assert wrong == []


@pytest.mark.parametrize(("name", "purpose"), [
    ("dev.hik-connect.com", "p2p"), ("litedev.hik-connect.com", "p2p"), ("dev.ezvizlife.com", "p2p"),
    ("dev.ys7.com", "cloud"), ("x.yitechnology.com", "cloud"), ("t2dev.tus.ezvizlife.com", "cloud"),
    ("www.tiandy.com", "vendor"), ("en.ezcloud.uniview.com", "cloud"), ("upgrade.secu100.net", "firmware"),
    ("eustatics.ezvizlife.com", "telemetry"), ("signal.mydlink.com", "p2p"),
])
def test_a_makers_remote_access_is_no_update_server(name, purpose):
    assert KNOWN.by_name(name).purpose == purpose


def test_labels_are_a_reading_and_keep_the_sighting():
    seen = egress(names=("dev.ezvizlife.com",), cloud_of="axis", purpose="forged")
    other = Observation.of(device="10.0.0.7", transport="http", probe="http.root", port=80, at=NOW, fields={}, wire=b"")
    labelled, untouched = destinations.label([seen, other], KNOWN)
    assert (labelled.fields["cloud_of"], labelled.fields["purpose"]) == ("hikvision", "p2p")
    assert labelled.id == seen.id
    assert untouched is other
    (unknown,) = destinations.label([egress(names=("a.example",), cloud_of="axis")], KNOWN)
    assert "cloud_of" not in unknown.fields


@pytest.mark.parametrize(("address", "outside"), [
    ("10.1.2.3", False), ("172.31.255.255", False), ("172.32.0.0", True), ("192.168.0.1", False),
    ("169.254.1.1", False), ("224.0.0.251", False), ("255.255.255.255", False), ("127.0.0.1", False),
    ("203.0.113.8", True), ("8.8.8.8", True), ("100.64.0.1", True), ("fd00::1", False), ("fe80::1", False),
    ("ff02::fb", False), ("2001:db8::1", True),
    ("::1", False), ("not an address", True), ("", True),
])
def test_what_lies_outside(address, outside):
    assert is_outside(address) is outside


@pytest.mark.parametrize("fields", [
    {}, {"suffix": "a.example", "host": "a.example"}, {"suffix": "com"}, {"suffix": "A.example"}, {"host": "a_b"},
    {"behaviour": "b", "maker": "m"}, {"suffix": "a.example", "telling": True}, {"behaviour": "b", "telling": True},
    {"suffix": "a.example", "purpose": "spying"},
])
def test_an_entry_that_does_not_make_sense_is_refused(fields):
    with pytest.raises(ValidationError):
        cloud(**fields)


def test_every_maker_named_is_a_maker_known():
    named = {e.maker for e in destinations.load().entries if e.maker}
    assert named <= set(makers.load().by_slug)
    assert {"dahua", "hikvision", "uniview", "xiongmai", "tvt", "tiandy"} <= named


def test_no_target_stands_twice_nor_under_two_makers():
    targets = [(e.suffix, e.host, e.address) for e in destinations.load().entries if not e.behaviour]
    assert len(targets) == len(set(targets))
    own = {(c.suffix, c.host, c.address): m.maker for m in makers.load() for c in m.clouds}
    for entry in destinations.load().entries:
        other = own.get((entry.suffix, entry.host, entry.address))
        assert other is None or entry.maker in {None, other}, entry


def test_every_entry_has_its_source_and_shared_ones_name_no_maker():
    vendors = [e for file in destinations.collections() if file.collection != "resolvers" for e in file.entries]
    assert len([e for e in vendors if "own domain" not in e.source]) == 177
    assert all(e.unverified for e in vendors if "own domain" in e.source)
    for file in destinations.collections():
        for entry in file.entries:
            assert entry.source
            assert not (file.collection == "shared" and entry.maker)
    assert any(e.unverified for e in destinations.load().entries)
    assert {e.purpose for e in destinations.load().entries} <= set(Purpose)


def test_vendor_clouds_are_told_at_the_promised_precision():
    found = score_clouds.score()
    assert sum(found.rows.values()) >= 200
    assert found.precision >= 0.95, found.wrong
    assert found.recall >= 0.95, found.missed
    assert min(found.rows[kind] for kind in ("own", "alike", "shared", "innocent")) >= 40


@pytest.mark.parametrize("name", ["amazonaws.com", "s3.amazonaws.com", "hikvision.s3.amazonaws.com", "aliyuncs.com",
                                  "dahua.oss-cn-hangzhou.aliyuncs.com", "d1.cloudfront.net", "blob.core.windows.net",
                                  "alarm.eu.s3.amazonaws.com", "myhuaweicloud.com", "workers.dev"])
def test_hosting_platforms_never_name_a_maker(name):
    known = destinations.with_makers(destinations.load(), makers.load()).by_name(name)
    assert known is None or known.maker is None
