"""What stops working where a destination is blocked: whole data, and nothing made up for what nobody knows."""

import pytest

from rules import destinations, makers
from rules.blocking import FROM_OUTSIDE, UNKNOWN, Blockable, consequence, load
from rules.destinations import Purpose


def test_every_purpose_has_a_consequence():
    assert set(load()) == {*map(str, Purpose), UNKNOWN, FROM_OUTSIDE}
    assert consequence("p2p", "203.0.113.8", "tcp", 554, inbound=True) is load()[FROM_OUTSIDE]
    clouds = destinations.with_makers(destinations.load(), makers.load())
    assert {str(entry.purpose) for entry in clouds.entries} <= set(load())


@pytest.mark.parametrize(("purpose", "address", "protocol", "port", "expected"), [
    ("p2p", "203.0.113.8", "udp", 8800, "p2p"), ("", "203.0.113.8", "udp", 123, "ntp"),
    ("", "203.0.113.8", "tcp", 123, UNKNOWN), ("", "10.0.0.2", "udp", 53, "dns"), ("", "9.9.9.9", "tcp", 853, "dns"),
    ("", "10.0.0.2", "udp", 67, "local"), ("", "203.0.113.8", "udp", 67, UNKNOWN),
    ("", "10.0.0.5", "tcp", 554, UNKNOWN),
    ("", "203.0.113.8", "tcp", 443, UNKNOWN), ("P2P rendezvous", "203.0.113.8", "udp", 8800, UNKNOWN),
    ("unknown", "203.0.113.8", "udp", 123, "ntp"), ("", "no address", "", None, UNKNOWN),
])
def test_what_a_destination_is_for(purpose, address, protocol, port, expected):
    assert consequence(purpose, address, protocol, port).purpose == expected


def test_nobody_knows_means_block_and_watch():
    unknown = load()[UNKNOWN]
    assert unknown.blockable is Blockable.WATCH
    assert unknown.breaks.startswith("Unknown: block it and watch")
    assert load()["telemetry"].breaks == "Nothing that the operator needs."


def test_the_makers_own_words_are_kept():
    clouds = destinations.with_makers(destinations.load(), makers.load())
    described = [entry.note for entry in clouds.entries if entry.note]
    assert described
    assert not set(described) & set(map(str, Purpose))
    noted = next(entry for entry in clouds.entries if entry.note and entry.host)
    told = clouds.by_name(noted.host)
    assert told is not None
    assert told.described == noted.note
