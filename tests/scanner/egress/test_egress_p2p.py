"""Peer-to-peer told from everything else, at the rates that are promised, and the scrambling it hides under."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.egress.scrambled import PPPP_KEYS, PPPP_TABLE, iotc_beneath, is_pppp_beneath, pppp_numbers
from tests.scanner.egress import p2p_traffic, p2p_wire, score_p2p
from tests.scanner.egress.p2p_traffic import Made

SEED, EACH = 20261122, 60
GENERATORS = pytest.mark.parametrize("made_by", [p2p_traffic, p2p_wire], ids=["forms", "sessions"])


def columns(data):
    return [np.array([octet], np.int64) for octet in data[:5].ljust(5, b"\0")]


@GENERATORS
def test_peer_to_peer_is_found_at_the_promised_rate(made_by):
    score = score_p2p.score(p2p_traffic.conversations(SEED, EACH, made_by.POSITIVES))
    assert {kind: score.found[kind] for kind in score.made if score.found[kind] < 0.95 * score.made[kind]} == {}
    assert score.share >= 0.95


@GENERATORS
def test_what_is_none_is_rarely_taken_for_it(made_by):
    score = score_p2p.score(p2p_traffic.conversations(SEED, EACH, made_by.INNOCENTS))
    assert sum(score.made.values()) == EACH * len(made_by.INNOCENTS)
    assert score.share <= 0.01


def test_every_message_of_scrambled_pppp_is_known_by_itself():
    chance = Random(SEED)
    seen = [data for _ in range(200) for data, _ in p2p_traffic.make_pppp_scrambled(chance).datagrams]
    fits = [bool(is_pppp_beneath(columns(data), np.array([len(data)]))[0]) for data in seen]
    assert all(fits)


@pytest.mark.parametrize(("clear", "scrambled"), [("foo", "262976"), ("hello", "28d2aa5b5e")])
def test_the_scrambling_is_that_of_a_published_reading(clear, scrambled):
    assert p2p_traffic.pppp_scramble(clear.encode(), "SSD@cs2-network.").hex() == scrambled


def test_the_numbers_of_a_published_key():
    assert pppp_numbers("camera") == (0x69, 0x97, 0xCC, 0x19)
    assert sorted(PPPP_TABLE.tolist()) == list(range(256))


def test_zeros_under_the_sentence_show_the_sentence():
    """What is left of a block is XORed alone, which is how the sentence was first seen on the wire."""
    assert p2p_traffic.iotc_scramble(bytes(26))[16:] == b"Charlie is"


@given(st.binary(min_size=16, max_size=16))
def test_the_sentence_is_undone(head):
    words = [np.array([int.from_bytes(p2p_traffic.iotc_scramble(head)[at:at + 4], "little")]) for at in (8, 12)]
    first, second = iotc_beneath(*words)
    assert (int(first[0]), int(second[0])) == (int.from_bytes(head[:4], "little"), int.from_bytes(head[4:8], "little"))


@given(st.binary(min_size=4, max_size=200), st.sampled_from(PPPP_KEYS))
def test_another_length_is_another_protocol(body, key):
    longer = p2p_traffic.pppp_scramble(p2p_traffic.pppp(0xE0) + body, key)
    assert not is_pppp_beneath(columns(longer), np.array([len(longer)]))[0]


CLASSIC = b"\0\1\0\x08" + bytes(range(16)) + b"\0\3\0\4\0\0\0\6"       # CHANGE-REQUEST of RFC 3489


@pytest.mark.parametrize(("payload", "port", "signs"), [
    (CLASSIC, 40000, {"stun"}), (b"\0\1\0\0" + bytes(range(16)), 3478, {"stun"}),
    (b"\0\1\0\0" + bytes(range(16)), 40000, set()), (b"\0\1\0\4" + bytes(20), 3478, set()),
    (b"GET /online/p2psrv HTTP/1.1\r\n\r\n", 8800, {"dahua-p2p"}), (b"GET / HTTP/1.1\r\n\r\n", 8801, set()),
    (b"\4\2\x1a\x0a\4\0" + bytes(14), 9, {"tutk"}), (b"\4\2\x1a\x0c\4\0" + bytes(14), 9, set()),
    (b"\xf2\x10\0\0", 9, {"pppp"}), (b"\xa1\1\0\x14" + bytes(20), 9, {"pppp"}), (b"\xa1\1\0\x14" + bytes(21), 9, set()),
    (b"\1\0\1\0" + b"abcd" * 5 + b"\xfe\xfe\0\1", 9, {"tvt-nat"}), (b"\1\0\1\0" + b"abcd" * 6, 9, set()),
    (b"\1\2\1\0" + b"abcdbbcd" + bytes(12), 9, {"tvt-nat"}), (b"\1\2\1\0" + b"abcdzzzz" + bytes(12), 9, set()),
    (b"\x51\xcc\0\0\2\x10\x04\0" + bytes(8), 9, {"tutk-cc51"}), (b"\x51\xcc\0\0\2\x10\x05\0" + bytes(8), 9, set()),
])
def test_single_forms(payload, port, signs):
    assert score_p2p.signs_of([Made("one", port, [(payload, True)])]) == [signs]
