"""Drift: what is new since an approved baseline, what has gone, and when nothing can be said."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.baseline import FACTOR, LEAST_OCTETS, RULE, Baseline, Later, New, drift, entries_of, judge
from rules.fence import read_allowed
from rules.vocabulary import Severity, Status
from scanner.observation import Observation

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TODAY = NOW.date()
HOUR = 3600.0


def talk(destination="203.0.113.8", port=443, protocol="tcp", names=(), bytes_out=400, **fields):
    told = {"destination": destination, "protocol": protocol, "packets": 4, "bytes": 2 * bytes_out,
            "bytes_out": bytes_out, **({"names": tuple(names)} if names else {}), **fields}
    return Observation.of(device="10.0.0.9", transport="egress", probe="egress.capture", port=port or None, at=NOW,
                          fields=told, wire=repr((told, port)).encode())


USUAL = (talk("10.0.0.2", 53, "udp"), talk("10.0.0.2", 123, "udp"), talk("203.0.113.8", 443, names=["api.example.com"]))
BASELINE = Baseline("A. Okafor", date(2026, 11, 1), date(2027, 4, 30), HOUR, "mirror.pcap", entries_of(USUAL))


def changes(*seen, baseline=BASELINE, watched=HOUR):
    return [(one.kind, one.what) for one in drift(baseline, Later(seen, watched)).changes]


def test_the_same_traffic_is_no_change():
    found = drift(BASELINE, Later(USUAL, HOUR))
    assert (found.changes, found.vanished, found.undecided) == ((), (), ())


@pytest.mark.parametrize(("seen", "kind", "what"), [
    (talk("198.51.100.4", 443), New.DESTINATION, "198.51.100.4:443/tcp"),
    (talk("10.0.0.66", 22), New.DESTINATION, "10.0.0.66:22/tcp"),
    (talk("198.51.100.4", 443, names=["cdn.other.example"]), New.DESTINATION, "cdn.other.example:443/tcp"),
    (talk("203.0.113.8", 443, names=["new.example.com"]), New.NAME, "new.example.com:443/tcp at 203.0.113.8"),
    (talk("203.0.113.8", 8443), New.PORT, "203.0.113.8:8443/tcp"),
    (talk("203.0.113.8", 443, "udp"), New.PROTOCOL, "203.0.113.8:443/udp"),
    (talk("203.0.113.8", 443, signs=("tutk",)), New.FORM, "203.0.113.8:443/tcp in the form of tutk"),
])
def test_what_is_new(seen, kind, what):
    assert changes(*USUAL, seen) == [(kind, what)]


@pytest.mark.parametrize("seen", [
    talk("198.51.100.77", 443, names=["api.example.com"]),       # a known name at another of its addresses
    talk("203.0.113.8", 443),                                    # its first packets, before a name was seen
    talk("203.0.113.8", 443, names=["api.example.com", "alias.example.net"]),
])
def test_what_is_the_same_in_another_guise_is_not_new(seen):
    assert changes(*USUAL, seen) == []


def test_ports_that_are_chosen_for_each_call_count_as_one():
    base = replace(BASELINE, entries=entries_of((talk("10.0.0.5", 40001, "udp"),)))
    assert changes(talk("10.0.0.5", 51234, "udp"), baseline=base) == []
    assert changes(talk("10.0.0.5", 5123, "udp"), baseline=base) == [(New.PORT, "10.0.0.5:5123/udp")]


def test_what_is_gone_is_told_and_is_no_finding():
    found = judge("10.0.0.9", BASELINE, Later(USUAL[:2], HOUR), TODAY)
    assert found.status is Status.PASS
    assert ("no longer seen", "api.example.com:443/tcp") in found.facts


@pytest.mark.parametrize(("before", "after", "jumps"), [
    (1_000_000, FACTOR * 1_000_000 + 1, True), (1_000_000, FACTOR * 1_000_000, False),
    (0, LEAST_OCTETS, True), (0, LEAST_OCTETS - 1, False), (10, LEAST_OCTETS - 1, False),
])
def test_a_jump_of_volume_has_a_factor_and_a_floor(before, after, jumps):
    base = replace(BASELINE, entries=entries_of((talk(bytes_out=before),)))
    found = changes(talk(bytes_out=int(after)), baseline=base)
    assert [kind for kind, _ in found] == ([New.VOLUME] if jumps else [])


def test_volumes_are_held_against_time_watched():
    base = replace(BASELINE, entries=entries_of((talk(bytes_out=1_000_000),)))
    assert changes(talk(bytes_out=24_000_000), baseline=base, watched=24 * HOUR) == []
    short = drift(base, Later((talk(bytes_out=24_000_000),), 60.0))
    assert short.changes == ()
    assert "volumes were not compared" in short.notes[0]


@pytest.mark.parametrize(("baseline", "later", "on", "status", "why"), [
    (None, Later(USUAL), TODAY, Status.NOT_ASSESSED, "no baseline was approved"),
    (BASELINE, Later(USUAL), date(2027, 5, 1), Status.NOT_ASSESSED, "the approved baseline ended"),
    (BASELINE, Later(USUAL), date(2027, 4, 30), Status.PASS, "all of its traffic"),
    (BASELINE, Later(USUAL), date(2026, 10, 31), Status.NOT_ASSESSED, "begins later"),
    (BASELINE, Later((), captured=False), TODAY, Status.NOT_ASSESSED, "was not captured"),
    (BASELINE, Later(USUAL, whole=False), TODAY, Status.NOT_ASSESSED, "cut or lost"),
    (BASELINE, Later((talk("192.0.2.7"),), whole=False), TODAY, Status.FAIL, "new destination: 192.0.2.7:443/tcp"),
])
def test_when_nothing_can_be_said(baseline, later, on, status, why):
    found = judge("10.0.0.9", baseline, later, on)
    assert (found.rule, found.status) == (RULE, status)
    assert why in found.reason


def test_a_finding_rests_on_observations_and_says_who_approved():
    strange = talk("192.0.2.7", 8800, "udp", purpose="p2p", cloud_of="dahua")
    found = judge("10.0.0.9", BASELINE, Later((*USUAL, strange)), TODAY)
    assert found.evidence == (strange.id,)
    assert found.severity is Severity.HIGH
    assert dict(found.facts)["baseline"].startswith("approved by A. Okafor on 2026-11-01")
    inside = judge("10.0.0.9", BASELINE, Later((*USUAL, talk("10.0.0.66", 22))), TODAY)
    assert inside.severity is Severity.LOW


def test_without_names_a_new_address_outside_may_be_a_known_name():
    strange = talk("192.0.2.7")
    found = judge("10.0.0.9", BASELINE, Later((*USUAL, strange), HOUR, names_shown=False), TODAY)
    assert found.status is Status.NOT_ASSESSED
    assert ("not compared", "192.0.2.7:443/tcp") in found.facts
    nameless = replace(BASELINE, entries=entries_of(USUAL[:2]))
    assert judge("10.0.0.9", nameless, Later((strange,), names_shown=False), TODAY).status is Status.FAIL


def test_what_was_allowed_is_not_new():
    base = replace(BASELINE, allowed=(read_allowed("198.51.100.0/24:443/tcp", why="updates"),))
    assert changes(talk("198.51.100.4", 443), baseline=base) == []
    assert changes(talk("198.51.100.4", 80), baseline=base) == [(New.DESTINATION, "198.51.100.4:80/tcp")]


def test_looking_for_neighbours_and_broken_addresses_are_left_out():
    odd = (talk("255.255.255.255", 0, "arp", sought=40), talk("not an address"))
    assert entries_of(odd) == ()
    assert changes(*odd) == []


ANY = st.builds(
    talk, st.sampled_from(["10.0.0.2", "203.0.113.8", "2001:db8::1", "192.0.2.1", "x"]),
    st.sampled_from([0, 53, 443, 40000, 65535]), st.sampled_from(["tcp", "udp", "icmp"]),
    st.lists(st.sampled_from(["a.example", "b.example", "\u202e=1+1"]), max_size=2), st.integers(0, 10**12))


@given(st.lists(ANY, max_size=12))
def test_what_was_approved_is_never_new_itself(seen):
    baseline = replace(BASELINE, entries=entries_of(seen))
    found = drift(baseline, Later(seen, HOUR))
    assert (found.changes, found.vanished) == ((), ())


@given(st.lists(ANY, max_size=8), st.lists(ANY, max_size=8))
def test_every_change_rests_on_what_was_seen(before, after):
    found = drift(replace(BASELINE, entries=entries_of(before)), Later(after, HOUR))
    ids = {one.id for one in after}
    assert all(set(change.evidence) <= ids and change.evidence for change in found.changes)
